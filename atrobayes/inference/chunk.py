"""A few items that one worker computes in one go."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrobayes.errors import UsageError
from atrobayes.inference.look_keys import name_of, versions
from atrobayes.inference.table_text import to_text

if TYPE_CHECKING:
    import pandas as pd

type Texts = dict[int, str]  # place of an item among all → its table as text
_LONGEST_NAME = 160


@dataclass(frozen=True)
class Chunk[T]:
    """Items with what is to be done to them.

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


def work[T](chunk: Chunk[T]) -> Texts:
    """Compute a chunk in a worker, a process that does nothing else.

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
    Exception
        Whatever the function raises; told as a RuntimeError where it cannot be sent.
    """
    one_thread()
    _check_versions(chunk.versions)
    try:
        return tables(chunk)
    except Exception as error:
        if _travels(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}; {error.__notes__[-1]}") from None


def tables[T](chunk: Chunk[T]) -> Texts:
    """Compute a chunk.

    Parameters
    ----------
    chunk : Chunk

    Returns
    -------
    dict of int to str
        Place of an item → its table as text.

    Raises
    ------
    Exception
        Whatever the function raises, with a note of the item.
    """
    return {place: _table(chunk, place, item) for place, item in zip(chunk.places, chunk.items, strict=True)}


def one_thread() -> Any:
    """Limit BLAS to one thread: with more, sums may run in another order, and cores would be asked for twice.

    Returns
    -------
    threadpool_limits
        As a context manager it gives the threads back at its end.
    """
    import scipy.linalg  # noqa: F401 - only libraries that are loaded can be limited
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _table[T](chunk: Chunk[T], place: int, item: T) -> str:
    try:
        return to_text(chunk.function(item))
    except Exception as error:
        name = " ".join(str(item).split())[:_LONGEST_NAME]
        error.add_note(f"{name_of(chunk.function)}, item {place + 1} of {chunk.total}: {name}")
        raise


def _travels(error: Exception) -> bool:
    """Whether an exception reads back in another process: one with arguments of its own may not."""
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), type(error))  # noqa: S301 - written one word before
    except Exception:  # noqa: BLE001 - an exception's class may do anything here
        return False


def _check_versions(needed: Mapping[str, str]) -> None:
    here = versions()
    differ = [f"{name} {here[name][:12]} and not {it[:12]}" for name, it in needed.items() if here[name] != it]
    if differ:
        told = "; ".join(differ)
        raise UsageError(f"a worker has other software than this run, so its numbers could differ: {told}")
