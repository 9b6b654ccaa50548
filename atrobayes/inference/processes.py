"""Chunks computed in processes of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from atrobayes.errors import UsageError
from atrobayes.inference.chunk import Chunk, Texts, work

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_LOADED_FIRST = ("pandas", "scipy.linalg", "scipy.stats", "atrobayes.inference.estimate")
_DIED = (
    "a worker process was ended from outside, as the system does when memory runs out; what was finished is kept: "
    "run the same command again, with fewer --jobs or with --jobs 1"
)


def in_processes(chunks: Sequence[Chunk[Any]], jobs: int) -> Iterator[Texts]:
    """Compute chunks in processes.

    Parameters
    ----------
    chunks : sequence of Chunk
        At least one, all of one function.
    jobs : int
        Processes at most.

    Yields
    ------
    dict of int to str
        Place of an item → its table as text, a chunk as it is finished.

    Raises
    ------
    UsageError
        If a process was ended from outside.
    """
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with _processes(min(jobs, len(chunks)), chunks[0].function.__module__) as executor:
        try:
            for done in as_completed([executor.submit(work, chunk) for chunk in chunks]):
                yield done.result()
        except BrokenProcessPool as error:
            raise UsageError(_DIED) from error


@contextmanager
def _processes(jobs: int, module: str) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, at once if it is left early."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # copies of a server that has loaded, once, what all need; never of this process, whose threads draw the bars
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
