"""Text files of segmentation programs: read whole or refused, and named numbers with their lines."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from atrobayes.data_prep.clinical_columns import IllegalCellError, read_number
from atrobayes.data_prep.measured import Value
from atrobayes.errors import DataError, Fault
from atrobayes.files import no_ordinary_file

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# as BIDS, R, spreadsheets and Python write that a number is missing
_MISSING = frozenset({"", "n/a", "na", "nan", "-nan"})


@dataclass(frozen=True)
class NamedValues:
    """A file of one scan, read whole.

    Attributes
    ----------
    path : Path
    values : mapping of str to Value
        In the order of the file.
    """

    path: Path
    values: Mapping[str, Value]

    @property
    def names(self) -> Collection[str]:
        """Every name it holds."""
        return self.values.keys()

    def value(self, name: str) -> Value | None:
        """Value of a name; None where it holds no such name."""
        return self.values.get(name)


def read_text(path: Path, expected: str) -> str:
    """Read a text file, line ends as LF and without a byte-order mark.

    Parameters
    ----------
    path : Path
    expected : str
        What the file should be, for error messages.

    Raises
    ------
    DataError
        If the file is absent, empty, or no UTF-8 text.
    PermissionError
        If the file may not be read: nothing is said of what it holds.
    """
    raw = _bytes_of(path, expected)
    if not raw.strip():
        _refuse(path, "an empty file", expected, "write it again")
    if raw.startswith(_UTF16):
        _refuse(path, "UTF-16 text", "UTF-8 text", "save it as UTF-8")
    if b"\0" in raw:
        _refuse(path, "a binary file", expected, "name the text file itself, no spreadsheet or image")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(path, f"a byte that is not UTF-8 at position {error.start}", "UTF-8 text", "save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_whole_lines(path: Path, expected: str) -> dict[int, str]:
    """Read the lines of a file that its program ends with a line end, blank ones left out.

    Parameters
    ----------
    path : Path
    expected : str
        What the file should be, for error messages.

    Returns
    -------
    dict of int to str
        By line number; the first line is 1.

    Raises
    ------
    DataError
        As `read_text`, and if the last line has no end.
    """
    lines = read_text(path, expected).split("\n")
    if lines.pop():
        fault = Fault("a last line without an end", "a whole file", _RERUN, str(path), len(lines) + 1)
        raise DataError(fault)
    return {number: line for number, line in enumerate(lines, start=1) if line.strip()}


def cell_number(text: str) -> float:
    """Number of a cell; NaN where it says that it is missing.

    Raises
    ------
    IllegalCellError
        If it is neither, or infinite.
    """
    text = text.strip()
    if text.lower() in _MISSING:
        return math.nan
    value = read_number(text)
    if math.isinf(value):
        raise IllegalCellError("no volume is as large as that")
    return value


_RERUN = "run the program for this scan again, or remove the file"


def _bytes_of(path: Path, expected: str) -> bytes:
    try:
        found = no_ordinary_file(path.stat(), "such a file")  # a pipe would be waited for without end
        if found:
            _refuse(path, found, expected, "check the path")
        return path.read_bytes()
    except FileNotFoundError:
        _refuse(path, "no such file", expected, "check the path")
    except PermissionError:
        raise  # the file may be sound: it is not for us to judge
    except OSError as error:
        _refuse(path, f"a file that cannot be read ({error.strerror})", expected, "check the file and its disk")


def _refuse(path: Path, found: str, expected: str, todo: str) -> NoReturn:
    raise DataError(Fault(found, expected, todo, str(path)))
