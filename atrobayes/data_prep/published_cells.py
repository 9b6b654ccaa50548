"""Reading a table of published numbers cell by cell, with every fault found on the way."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import Place, Printed, comma_style, read_printed
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.files import MISSING, Column, read_table, read_text

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = frozenset({"source", "analysis", "structure", "term", "group", "model", "parts", "note", "quantity", "kind"})
_TEMPLATE = "atrobayes audit --init FILE writes a template with every column explained"


@dataclass(frozen=True)
class Limits:
    """What a number may be.

    Attributes
    ----------
    low, high : float
        Lowest and highest, both allowed.
    expected : str
        The same in words.
    bounds : bool
        Whether it may be printed as a bound, such as <0.001.
    """

    low: float
    high: float
    expected: str
    bounds: bool = True

    def hold(self, value: float) -> bool:
        """Whether a number keeps them."""
        return self.low <= value <= self.high


class Reader:
    """Cells of a table of published numbers.

    Parameters
    ----------
    path : Path
    table : DataFrame
        As text, indexed by line number.
    columns : sequence of Column
        Those it may have.
    needed : sequence of str
        Names of those it must have.

    Attributes
    ----------
    faults : list of Fault
        All that was wrong so far.
    """

    def __init__(self, path: Path, table: pd.DataFrame, columns: Sequence[Column], needed: Sequence[str]) -> None:
        self._path, self._table = path, table
        self._known = [column.name for column in columns]
        self._noted: list[str] = []
        self.faults: list[Fault] = [*self._absent(needed)]
        if not self.faults and table.empty:
            self.faults.append(Place(str(path)).fault("a header and no rows", "a row for each number", _TEMPLATE))
        self._comma = comma_style(
            [text for name in self._known if name in table and name not in _TEXTS | {"n"} for text in table[name]]
        )

    def lines(self) -> Iterator[int]:
        """Line numbers of the rows; none where the header is wrong."""
        if not self.faults:
            yield from map(int, self._table.index)

    def notes(self) -> list[str]:
        """What was read otherwise than it stood, each once with its count; and columns that are not used."""
        counts = Counter(self._noted)
        read = [f"{self._path.name}: {note} ({count} cell{'s' * (count > 1)})" for note, count in counts.items()]
        unused = [str(name) for name in self._table if name not in self._known]
        return [*read, *(f"{self._path.name}: column {name!r} is not used{self._near(name)}" for name in unused)]

    def text(self, line: int, name: str, levels: Sequence[str] = ()) -> str:
        """Text of a cell, "" where it is missing; with `levels` it must be one of them."""
        text = self._cell(line, name)
        if levels and text not in {*levels, ""}:
            near = difflib.get_close_matches(text.lower(), levels, n=1)
            todo = f"did you mean {near[0]!r}?" if near else "use one of these"
            self.faults.append(self._place(line, name).fault(repr(text), " or ".join(levels), todo))
        return text

    def label(self, line: int, name: str, levels: Sequence[str] = ()) -> str:
        """Text of a cell that must not be missing."""
        text = self.text(line, name, levels)
        if not text:
            self.faults.append(self._place(line, name).fault("nothing", "a name", "fill it in"))
        return text

    def printed(self, line: int, name: str, limits: Limits | None = None, places: int | None = None) -> Printed | None:
        """Number of a cell, None where it is missing.

        Parameters
        ----------
        line : int
        name : str
        limits : Limits, optional
            What it may be; without them it may not be printed as a bound.
        places : int, optional
            Decimal places it was printed with at least.
        """
        text = self._cell(line, name)
        if not text:
            return None
        place = self._place(line, name)
        number = attempt(lambda: read_printed(text, place, self._comma), self.faults)
        if number is None:
            return None
        if limits and not limits.hold(number.value):
            self.faults.append(place.fault(repr(text), limits.expected, "check it against the publication"))
            return None
        if number.bound and not (limits and limits.bounds):
            self.faults.append(place.fault(repr(text), "a number, no bound", "leave the cell empty"))
            return None
        if number.note:
            self._noted.append(f"{name}: {number.note}")
        return number if places is None else replace(number, places=max(places, number.places))

    def whole(self, line: int, name: str, least: int, expected: str) -> int | None:
        """Whole number of a cell, None where it is missing or below `least`.

        Parameters
        ----------
        line : int
        name : str
        least : int
            Less is a fault.
        expected : str
            What the cell should hold, in words.
        """
        text = self._cell(line, name)
        if not text:
            return None
        place = self._place(line, name)
        if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
            self._noted.append(f"{name}: thousands marks left out")
            text = text.replace(",", "")
        try:
            number = read_printed(text, place)
        except DataError as error:
            self.faults += error.faults
            return None
        if number.bound:
            self.faults.append(place.fault(repr(text), f"{expected}; no bound", "leave the cell empty"))
            return None
        if number.value.is_integer() and number.value >= least:
            return int(number.value)
        self.faults.append(place.fault(repr(text), expected, "check it against the publication"))
        return None

    def fault(self, line: int, name: str, found: str, expected: str, todo: str) -> None:
        """Add a fault of a row.

        Parameters
        ----------
        line : int
        name : str
            Of the column.
        found, expected, todo : str
            As in `Fault`.
        """
        self.faults.append(self._place(line, name).fault(found, expected, todo))

    def _cell(self, line: int, name: str) -> str:
        text = str(self._table.loc[line, name]) if name in self._table else MISSING
        return "" if text.lower() in {MISSING, "na", "nan", "-", "–", "—"} else text

    def _place(self, line: int, name: str) -> Place:
        return Place(str(self._path), line, name)

    def _absent(self, needed: Sequence[str]) -> Iterator[Fault]:
        for name in needed:
            if name not in self._table:
                extras = [str(one) for one in self._table if one not in self._known]
                near = difflib.get_close_matches(name, [one.lower() for one in extras], n=1)
                found = next((one for one in extras if near and one.lower() == near[0]), "")
                todo = f"rename {found!r}?" if found else _TEMPLATE
                yield Place(str(self._path), 1, name).fault("no such column", f"a column {name!r}", todo)

    def _near(self, name: str) -> str:
        absent = [one for one in self._known if one not in self._table]
        near = difflib.get_close_matches(name.lower(), absent, n=1)
        return f"; did you mean {near[0]!r}?" if near else ""


def read_rows(path: Path) -> pd.DataFrame:
    """Read a table of published numbers as text; as `files.read_table`, with advice that fits.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        As `files.read_table`; and if it starts with a comment.
    """
    if not path.exists():
        raise DataError(
            Fault("no such file", "a table of published numbers", f"check the path; {_TEMPLATE}", str(path))
        )
    if read_text(path).startswith("#"):
        raise DataError(Fault("a comment line", "the header", "remove it: comments are not read", str(path), 1))
    return read_table(path)
