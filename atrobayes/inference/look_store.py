"""Results of many independent calls, kept so that a run that was killed goes on where it stood.

A look's file holds one line for each result: its key, the SHA-256 of its text, and the table as text. Lines
are added as results come, so a run that is killed loses what was being computed and no more; a line cut off or
changed does not fit its hash and is computed anew. At the end the lines are put in the order of their keys.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrobayes.files import write_text

if TYPE_CHECKING:
    import pandas as pd

# numbers may hang on each of these
LIBRARIES = ("atrobayes", "numpy", "scipy", "pandas", "xarray", "bambi", "pymc", "pytensor", "nutpie", "numba")
_ROOMS = ("models", "inference")
_KINDS = "fiub"  # of numpy: float, signed and unsigned integer, bool
_CELLS = (str, bool, int, float, type(None))


@dataclass(frozen=True)
class LookStore:
    """A folder of results, a file for each look.

    Attributes
    ----------
    folder : Path
        `looks/` of the results folder.
    scratch : Path or None
        Where files are written before they get their name.
    asked : dict of str to set of str
        Look → keys asked for so far; what `keep_only_asked` keeps.
    """

    folder: Path
    scratch: Path | None = None
    asked: dict[str, set[str]] = field(default_factory=dict)

    def path(self, look: str) -> Path:
        """Where the results of a look are kept."""
        return self.folder / f"{look}.txt"

    def find(self, look: str, keys: Iterable[str]) -> dict[str, str]:
        """Texts of the results that are kept and whole, by key."""
        wanted = set(keys)
        self.asked.setdefault(look, set()).update(wanted)
        return {key: text for key, text in self._lines(look).items() if key in wanted}

    def add(self, look: str, texts: Mapping[str, str]) -> None:
        """Keep results at once: key → text."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path(look).open("ab") as stream:
            # the line end comes first: a line cut off by a killed run must not take the next one with it
            stream.write("".join("\n" + _line(key, text) for key, text in texts.items()).encode())

    def settle(self, look: str) -> None:
        """Put the lines of a look in order: the same bytes however often the run was killed."""
        self._write(look, self._lines(look))

    def keep_only_asked(self) -> None:
        """Remove results that no longer belong to any item, of every look asked for since the store was made."""
        for look, keys in self.asked.items():
            self._write(look, {key: text for key, text in self._lines(look).items() if key in keys})

    def _lines(self, look: str) -> dict[str, str]:
        """Key → text of every whole line."""
        path = self.path(look)
        if not path.is_file():
            return {}
        lines = (line.split(b"\t") for line in path.read_bytes().split(b"\n"))
        return {
            key.decode(): text.decode()
            for key, digest, text in (line for line in lines if len(line) == 3)
            if _digest(key, text) == digest
        }

    def _write(self, look: str, texts: Mapping[str, str]) -> None:
        whole = "".join(_line(key, texts[key]) + "\n" for key in sorted(texts))
        path = self.path(look)
        if not whole:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != whole.encode():
            write_text(path, whole, self.scratch)


def _line(key: str, text: str) -> str:
    return f"{key}\t{_digest(key.encode(), text.encode()).decode()}\t{text}"


def _digest(key: bytes, text: bytes) -> bytes:
    return hashlib.sha256(key + b"\t" + text).hexdigest().encode()


def key_of(function: Callable[..., Any], item_digest: str) -> str:
    """Key of one result: SHA-256 of what it is made from.

    Parameters
    ----------
    function : callable
        Of a module.
    item_digest : str
        Says what the item is; equal items have equal ones.
    """
    parts = {"function": name_of(function), "item": item_digest, "versions": dict(versions())}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def name_of(function: Callable[..., Any]) -> str:
    """Name of a look's file: the function's, with its module within atrobayes."""
    return f"{function.__module__}.{function.__qualname__}".removeprefix("atrobayes.").removeprefix("inference.")


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions of everything that numbers may hang on, and a hash of our own statistics' source."""
    return {name: _version(name) for name in LIBRARIES} | {"source": _source()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _source() -> str:
    """SHA-256 over the files of the rooms that compute: a formula that was mended makes old results stale."""
    package = Path(__file__).parents[1]
    files = sorted(path for room in _ROOMS for path in (package / room).rglob("*.py"))
    state = hashlib.sha256()
    for path in files:
        state.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of a frozen value: dataclasses, containers, arrays, texts and numbers, whatever they are nested in.

    Parameters
    ----------
    value : object
        What has a `digest` (Frame) or an `identity()` (Settings) is taken by that: it is what numbers hang on.
        Functions count by their names.

    Raises
    ------
    TypeError
        If it holds something else.
    """
    return hashlib.sha256(json.dumps(_plain(value)).encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one line a kind of value
    """Lists, texts and numbers that say what a value is, kind included."""
    import numpy as np

    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | str):
        return [kind, str(value)]
    if isinstance(value, float):
        return [kind, value.hex()]
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _KINDS:
        array = np.ascontiguousarray(value)
        return [kind, str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return [kind, sorted((json.dumps(_plain(key)), _plain(one)) for key, one in value.items())]
    if isinstance(value, set | frozenset):
        return [kind, sorted(json.dumps(_plain(one)) for one in value)]
    if isinstance(value, list | tuple):
        return [kind, *map(_plain, value)]
    return [kind, _plain_object(value)]


def _plain_object(value: Any) -> Any:
    if hasattr(value, "digest"):
        return str(value.digest)
    if hasattr(value, "identity"):
        return _plain(value.identity())
    if dataclasses.is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):  # a part of the study file
        return _plain(value.model_dump())
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no digest of a {type(value).__name__}: give spread a key")


def to_text(table: pd.DataFrame) -> str:
    """Write a table as one line of text without loss; its index, which only counts rows, is left out.

    Parameters
    ----------
    table : DataFrame
        Columns of numbers, bools or texts (missing: NaN or None).

    Raises
    ------
    TypeError
        If a column is of another kind.
    """
    columns = [[name, str(table[name].dtype), _cells(table[name])] for name in table.columns]
    if len(set(table.columns)) < len(columns) or not all(isinstance(name, str) for name in table.columns):
        raise TypeError("columns must have names, each once")
    # repr of a float reads back as the same float; NaN, Infinity and -0.0 are written as Python writes them
    return json.dumps({"rows": len(table), "columns": columns}, ensure_ascii=True, separators=(",", ":"))


def _cells(column: pd.Series[Any]) -> list[Any]:
    if column.dtype == "str":
        return [cell if isinstance(cell, str) else None for cell in column.tolist()]
    cells = column.tolist()
    if column.dtype == object and not all(type(cell) in _CELLS for cell in cells):
        raise TypeError(f"column {column.name!r} holds other things than numbers and texts")
    if column.dtype != object and column.dtype.kind not in _KINDS:
        raise TypeError(f"column {column.name!r} is of kind {column.dtype}")
    return cells


def from_text(text: str) -> pd.DataFrame:
    """Read a table back: the same numbers, bit for bit, and the same kinds of columns."""
    import pandas as pd

    kept = json.loads(text)
    columns = {name: pd.Series(cells, dtype=dtype) for name, dtype, cells in kept["columns"]}
    return pd.DataFrame(columns, index=pd.RangeIndex(kept["rows"]))
