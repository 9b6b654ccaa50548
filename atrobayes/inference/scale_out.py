"""Many independent calls of one function: in this process, in several, or on a Dask cluster; the same tables."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrobayes.inference.chunk import Chunk, Texts, one_thread, tables
from atrobayes.inference.dask_cluster import LOCAL, on_dask
from atrobayes.inference.look_keys import digest, key_of, name_of, versions
from atrobayes.inference.look_store import LookStore
from atrobayes.inference.processes import in_processes
from atrobayes.inference.table_text import from_text

if TYPE_CHECKING:
    import pandas as pd

# a chunk is what is lost when a run is killed, and what the bar moves by
_MOST_ITEMS = 16
_CHUNKS_PER_WORKER = 32
_WORKERS_OF_A_CLUSTER = 16  # for the size of chunks: it may grow while it works


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
    missing = [place for place in range(len(items)) if place not in texts]
    # closed at once if anything goes wrong here, such as a full disk: workers must not go on
    with closing(_computed(_chunks(function, items, missing, pool or Pool()), pool or Pool())) as computed:
        for new in computed:
            if store:
                store.add(look, {keys[place]: text for place, text in new.items()})
            texts |= new
            progress(len(texts), len(items))
    if store:
        store.settle(look)
    return [from_text(texts[place]) for place in range(len(items))]


def _chunks[T](
    function: Callable[[T], pd.DataFrame], items: Sequence[T], places: Sequence[int], pool: Pool
) -> list[Chunk[T]]:
    size = _size(len(places), pool)
    parts = [tuple(places[start : start + size]) for start in range(0, len(places), size)]
    # workers of this machine run what this process runs
    needed = {} if pool.dask in {None, LOCAL} else dict(versions())
    return [Chunk(function, part, tuple(items[place] for place in part), len(items), needed) for part in parts]


def _size(items: int, pool: Pool) -> int:
    if pool == Pool():
        return 1
    workers = pool.jobs if pool.dask in {None, LOCAL} else _WORKERS_OF_A_CLUSTER
    return max(1, min(_MOST_ITEMS, items // (_CHUNKS_PER_WORKER * workers)))


def _computed(chunks: Sequence[Chunk[Any]], pool: Pool) -> Generator[Texts, None, None]:
    """Tables of the chunks, in the order in which they are finished."""
    if not chunks:
        return
    if pool.dask is not None:
        yield from on_dask(chunks, pool.dask, pool.jobs)
    elif pool.jobs > 1:
        yield from in_processes(chunks, pool.jobs)
    else:
        with one_thread():
            yield from map(tables, chunks)
