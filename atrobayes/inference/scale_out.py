"""Many independent calls of one function: in this process, in several, or on a Dask cluster; the same tables."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrobayes.errors import UsageError
from atrobayes.inference.look_store import LookStore, digest, from_text, key_of, name_of, to_text, versions

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pandas as pd
    from distributed import Client

# a chunk is what is lost when a worker dies, and what the bar moves by
_MOST_ITEMS = 16
_CHUNKS_PER_WORKER = 32
_LONGEST_NAME = 160
_LOADED_FIRST = ("pandas", "scipy.linalg", "scipy.stats", "atrobayes.inference.estimate")


def _silent(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Pool:
    """Where calls are made.

    Attributes
    ----------
    jobs : int
        Processes of this machine; 1: none but this one.
    dask : str or None
        Address of a Dask scheduler, or "local": Dask workers on this machine, as many as `jobs`.
    """

    jobs: int = 1
    dask: str | None = None


@dataclass(frozen=True)
class Chunk[T]:
    """Items that one worker computes in one go.

    Attributes
    ----------
    function : callable
        Item → table.
    places : tuple of int
        Of the items among all.
    items : tuple
    total : int
        Number of all items.
    versions : mapping of str to str
        What they must be computed with; empty: not asked.
    """

    function: Callable[[T], pd.DataFrame]
    places: tuple[int, ...]
    items: tuple[T, ...]
    total: int
    versions: Mapping[str, str]


type Texts = dict[int, str]  # place of an item → its table as text


def spread[T](
    function: Callable[[T], pd.DataFrame],
    items: Sequence[T],
    *,
    pool: Pool | None = None,
    store: LookStore | None = None,
    progress: Callable[[int, int], None] = _silent,
    key: Callable[[T], str] = digest,
) -> list[pd.DataFrame]:
    """Call a function on every item; the tables do not depend on where, in which order or in how many goes.

    Parameters
    ----------
    function : callable
        Item → table; of a module, deterministic. Tables have columns of numbers, bools and texts.
    items : sequence
        Frozen values that can be pickled.
    pool : Pool, optional
        Default: this process alone.
    store : LookStore, optional
        Where equal results are looked up and new ones kept as they come.
    progress : callable
        Told (items done, items in all), first with what the store had.
    key : callable
        Item → text that says what it is, for the store.

    Returns
    -------
    list of DataFrame
        In the order of the items; rows are numbered from 0.

    Raises
    ------
    UsageError
        If a worker died, there is no such cluster, or its software is another than here.
    Exception
        Whatever the function raises, with a note of the item. What was finished before is in the store.
    """
    look = name_of(function)
    keys = [key_of(function, key(item)) for item in items] if store else []
    kept = store.find(look, keys) if store else {}
    texts: Texts = {place: kept[one] for place, one in enumerate(keys) if one in kept}
    progress(len(texts), len(items))
    for new in _computed(function, items, [place for place in range(len(items)) if place not in texts], pool or Pool()):
        texts |= new
        if store:
            store.add(look, {keys[place]: text for place, text in new.items()})
        progress(len(texts), len(items))
    if store:
        store.settle(look)
    return [from_text(texts[place]) for place in range(len(items))]


def _computed[T](
    function: Callable[[T], pd.DataFrame], items: Sequence[T], places: Sequence[int], pool: Pool
) -> Iterator[Texts]:
    """Tables of the items at some places, as they are finished."""
    if not places:
        return
    alone = pool.jobs == 1 and pool.dask is None
    size = 1 if alone else max(1, min(_MOST_ITEMS, len(places) // (_CHUNKS_PER_WORKER * pool.jobs)))
    parts = [tuple(places[start : start + size]) for start in range(0, len(places), size)]
    # workers of this machine run what this process runs
    needed = {} if pool.dask in {None, "local"} else versions()
    chunks = [Chunk(function, part, tuple(items[place] for place in part), len(items), needed) for part in parts]
    if pool.dask is not None:
        yield from _on_dask(chunks, pool)
    elif alone:
        yield from _here(chunks)
    else:
        yield from _in_processes(chunks, pool.jobs)


def work[T](chunk: Chunk[T]) -> Texts:
    """Compute a chunk, in a worker.

    Parameters
    ----------
    chunk : Chunk

    Returns
    -------
    dict of int to str
        Place of an item → its table as text.

    Raises
    ------
    UsageError
        If the worker's software is another than that of the run.
    """
    _one_thread()
    _check_versions(chunk.versions)
    return _tables(chunk)


def _tables[T](chunk: Chunk[T]) -> Texts:
    return {place: _table(chunk, place, item) for place, item in zip(chunk.places, chunk.items, strict=True)}


def _table[T](chunk: Chunk[T], place: int, item: T) -> str:
    try:
        return to_text(chunk.function(item))
    except Exception as error:
        name = " ".join(str(item).split())[:_LONGEST_NAME]
        error.add_note(f"{name_of(chunk.function)}, item {place + 1} of {chunk.total}: {name}")
        if not _travels(error):
            raise RuntimeError(f"{type(error).__name__}: {error}; {error.__notes__[-1]}") from None
        raise


def _travels(error: Exception) -> bool:
    """Whether an exception reads back in another process: one with arguments of its own may not."""
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), type(error))  # noqa: S301 - written one word before
    except Exception:  # noqa: BLE001 - an exception's class may do anything here
        return False


def _check_versions(expected: Mapping[str, str]) -> None:
    differ = [name for name, wanted in expected.items() if versions()[name] != wanted]
    if differ:
        told = "; ".join(f"{name} {versions()[name][:12]}, the run has {expected[name][:12]}" for name in differ)
        raise UsageError(f"a worker has other software than this run, so its numbers could differ: {told}")


def _one_thread() -> Any:
    """Limit BLAS to one thread: sums over more have another order, and cores are not asked for twice."""
    import scipy.linalg  # noqa: F401 - only libraries that are loaded can be limited
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _here(chunks: Sequence[Chunk[Any]]) -> Iterator[Texts]:
    with _one_thread():
        yield from map(_tables, chunks)


def _in_processes(chunks: Sequence[Chunk[Any]], jobs: int) -> Iterator[Texts]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with _processes(min(jobs, len(chunks)), chunks[0].function.__module__) as executor:
        futures: list[Future[Texts]] = [executor.submit(work, chunk) for chunk in chunks]
        try:
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise UsageError(_DIED) from error


_DIED = (
    "a worker process was ended from outside, as the system does when memory runs out; what was finished is kept: "
    "run the same command again, with fewer --jobs or with --jobs 1"
)


@contextmanager
def _processes(jobs: int, module: str) -> Iterator[Any]:
    """Processes that end with the block, at once if it fails."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # forked from a server that has loaded what all need, once; never from this process, whose threads draw the bars
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_LOADED_FIRST, module])
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(jobs, context, initializer=_begin)
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that asked, and end with it however it ends."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing
    import os

    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _on_dask(chunks: Sequence[Chunk[Any]], pool: Pool) -> Iterator[Texts]:
    """`Client.map` of `work`; Dask does the rest, and computes again what a lost worker had."""
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with _client(pool) as client:
        futures = client.map(work, chunks, pure=False)
        try:
            for future in as_completed(futures):
                yield future.result()
                future.release()
        except KilledWorker as error:
            raise UsageError(f"{error}; what was finished is kept; do the workers have enough memory?") from error
        except BaseException:
            client.cancel(futures, force=True)
            raise


@contextmanager
def _client(pool: Pool) -> Iterator[Client]:
    from logging import CRITICAL

    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError("--dask needs more packages: pip install 'atrobayes[cluster]'") from error
    if pool.dask == "local":
        with (
            LocalCluster(pool.jobs, threads_per_worker=1, dashboard_address=None, silence_logs=CRITICAL) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(pool.dask)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {pool.dask!r}: {error}") from error
    with client:
        yield client
