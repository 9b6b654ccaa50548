"""Reading and writing: tables with their column descriptions, whole files or none.

Every file atrobayes writes first gets a temporary name and is then renamed, so that a
killed run never leaves half a file under a real name.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrobayes.errors import DataError, Fault

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1"
MISSING = "n/a"
_ROWS_AT_ONCE = 50_000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_MEGABYTES = 100


@dataclass(frozen=True)
class Column:
    """One column of an output table, as its JSON sidecar describes it.

    Attributes
    ----------
    name, description : str
    units : str
        "" where it has none.
    levels : mapping of str to str, optional
        Meaning of each text it may hold.
    """

    name: str
    description: str
    units: str = ""
    levels: Mapping[str, str] | None = None


@contextmanager
def atomic(path: Path, scratch: Path | None = None) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` when the block succeeds.

    Parameters
    ----------
    path : Path
        Where the finished file goes. Its folder is made if need be.
    scratch : Path, optional
        Folder for the temporary file, on the same file system; default: beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = scratch or path.parent
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{path.name}.partial"
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write `text` as UTF-8 with LF line ends, whole or not at all."""
    with atomic(path, scratch) as partial:
        partial.write_bytes(text.encode())


def write_json(path: Path, value: Any, scratch: Path | None = None) -> None:
    """Write `value` as indented JSON, keys in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", scratch)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cell(value: Any) -> str:
    """Text of one table cell: `n/a` for missing, 8 significant digits for numbers.

    Tabs and line ends inside a text would break the table, so they become blanks.
    """
    if value is None:
        return MISSING
    if isinstance(value, str):
        return " ".join(value.split()) if value else MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    number = float(value)
    if math.isnan(number):
        return MISSING
    return f"{number:.8g}" if number else "0"


def write_table(path: Path, frame: pd.DataFrame, columns: Sequence[Column], scratch: Path | None = None) -> None:
    """Write `frame` as a TSV with a JSON sidecar, both from the one list of columns.

    Parameters
    ----------
    path : Path
        The `.tsv` file; the sidecar gets the same name with `.json`.
    frame : DataFrame
        Has exactly the columns listed (any order); rows are written in the order given.
    columns : sequence of Column
        Order, names, units and meaning of the columns.
    scratch : Path, optional
        Folder for temporary files, see `atomic`.

    Raises
    ------
    ValueError
        If the frame's columns are not those listed (our own mistake, not the user's).
    """
    names = [column.name for column in columns]
    if set(frame.columns) != set(names):
        raise ValueError(f"{path.name}: columns {sorted(set(frame.columns) ^ set(names))} differ from the list")
    with atomic(path, scratch) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("\t".join(names) + "\n")
        # a part at a time: a large cohort has a million rows
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            part = frame.iloc[start : start + _ROWS_AT_ONCE]
            columns_of_text = [_cells(part[name]) for name in names]
            stream.writelines("\t".join(row) + "\n" for row in zip(*columns_of_text, strict=True))
    write_json(path.with_suffix(".json"), {"schema_version": SCHEMA_VERSION} | dict(map(_sidecar, columns)), scratch)


def _cells(column: pd.Series[Any]) -> list[str]:
    """Text of every cell of a column; of labels that repeat, each is made once."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        labels = [*map(cell, column.cat.categories.tolist()), MISSING]
        return [labels[code] for code in column.cat.codes.tolist()]
    return [cell(value) for value in column.tolist()]


def _sidecar(column: Column) -> tuple[str, dict[str, Any]]:
    entry: dict[str, Any] = {"Description": column.description}
    if column.units:
        entry["Units"] = column.units
    if column.levels:
        entry["Levels"] = dict(column.levels)
    return column.name, entry


def read_table(path: Path) -> pd.DataFrame:
    """Read a tab-separated table as text, nothing converted.

    Parameters
    ----------
    path : Path
        UTF-8 (a byte-order mark is tolerated), tab-separated, one header line.

    Returns
    -------
    DataFrame
        All columns `str`, blanks stripped at both ends of a cell; `n/a` and empty cells
        are `n/a`. The index is each row's line number in the file (the header is line 1).

    Raises
    ------
    DataError
        If the file is absent, may not be read, is no ordinary file or larger than 100 MB, not UTF-8, not
        tab-separated, has doubled column names or rows of another length; all such rows are named.
    """
    import pandas as pd

    # not splitlines: that also cuts at page breaks and Unicode separators, which may stand in a remark
    lines = re.split(r"\r\n|\n|\r", read_text(path))
    if not lines[0].strip():
        raise DataError(Fault("an empty file", "a header line and rows", "write the column names first", str(path)))
    header = [name.strip() for name in lines[0].split("\t")]
    _check_header(path, header, lines[0])
    numbered = [(number, line.split("\t")) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    faults = [
        Fault(f"{len(cells)} cells", f"{len(header)} as in the header", "add or remove tabs", str(path), number)
        for number, cells in numbered
        if len(cells) != len(header)
    ]
    if faults:
        raise DataError(faults)
    rows = [[text.strip() or MISSING for text in cells] for _, cells in numbered]
    index = pd.Index([number for number, _ in numbered], name="line", dtype="int64")
    return pd.DataFrame(rows, columns=header, index=index, dtype="str")


def read_text(path: Path, expected: str = "a table", todo: str = "check the path in study.toml") -> str:
    """Read a text file as UTF-8, line ends as they are and without a byte-order mark.

    Parameters
    ----------
    path : Path
    expected, todo : str
        What the file should be and what to do where it is none, for error messages.

    Raises
    ------
    DataError
        If the file is absent, may not be read, is no ordinary file or larger than 100 MB, or is not UTF-8.
    """
    content = _content_of(path, expected, todo)
    if content.startswith(_UTF16):
        raise DataError(Fault("UTF-16 text", "UTF-8 text", "save it as UTF-8", str(path)))
    if b"\0" in content:
        found = f"a zero byte at position {content.index(0)}: no text, or text in UTF-16"
        raise DataError(Fault(found, "UTF-8 text", "save it as plain text in UTF-8", str(path)))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            Fault(f"a byte that is not UTF-8 at position {error.start}", "UTF-8 text", "save it as UTF-8", str(path))
        ) from error


def _content_of(path: Path, expected: str, todo: str) -> bytes:
    """Bytes of an ordinary file: a pipe would be waited for, and a huge file fill the memory."""
    try:
        state = path.stat()
        found = no_ordinary_file(state, expected)
        if found:
            raise DataError(Fault(found, expected, todo, str(path)))
        return path.read_bytes()
    except FileNotFoundError as error:
        found = "a link to a file that is not there" if path.is_symlink() else "no such file"
        raise DataError(Fault(found, expected, todo, str(path))) from error
    except PermissionError as error:
        todo = "ask for leave to read it and the folders above it"
        raise DataError(Fault("no permission to read it", expected, todo, str(path))) from error
    except OSError as error:  # a loop of links, a name too long, a disk that fails
        found = (error.strerror or type(error).__name__).lower()
        raise DataError(Fault(found, expected, todo, str(path))) from error


def no_ordinary_file(state: os.stat_result, expected: str = "a table") -> str:
    """Say what stands in the place of a text file: a folder, a pipe, something huge; "" if it may be one.

    Parameters
    ----------
    state : os.stat_result
        Of the file, links followed.
    expected : str
        What it should be.
    """
    if stat.S_ISDIR(state.st_mode):
        return "a folder"
    if not stat.S_ISREG(state.st_mode):
        return "a pipe or device, no ordinary file"
    megabytes = state.st_size / 1e6
    large = f"a file of {megabytes:.0f} MB, more than the {_MOST_MEGABYTES} MB {expected} may have"
    return large * (megabytes > _MOST_MEGABYTES)


def _check_header(path: Path, header: list[str], line: str) -> None:
    if len(header) == 1 and ("," in line or ";" in line):
        raise DataError(
            Fault("commas or semicolons in the header", "tabs", "save it as tab-separated text", str(path), 1)
        )
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise DataError(Fault(f"the column {doubled[0]!r} twice", "each name once", "rename one", str(path), 1))
