"""A clinical table as text and as checked values, with every fault found on the way."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from atrobayes.data_prep.clinical_columns import ClinicalColumn, IllegalCellError
from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING, read_table

# Names the cohort gives to other things.
_RESERVED = frozenset(
    {
        "record",
        "record_patient",
        "structure",
        "volume",
        "etiv",
        "scan_status",
        "freesurfer",
        "source",
        "label",
        "orientation",
        "contains",
    }
)
# How other programs write a missing value, in small letters; none of these is a label or a number.
_OTHER_MISSING = frozenset({"na", "nan", "n/a", "#n/a", "<na>"})


class ClinicalTable:
    """A clinical table as read.

    Attributes
    ----------
    path : Path
    columns : mapping of str to ClinicalColumn
        The columns it may have.
    known, extras : tuple of str
        Those of them it has, and its other columns.
    text, cells : DataFrame
        As written, and as values; indexed by line number.
    faults : list of Fault
        Found on the way.
    readable : bool
        Whether `cells` is there: the file and its header are sound.
    """

    def __init__(self, path: Path, columns: Mapping[str, ClinicalColumn]) -> None:
        self.path, self.columns = path, columns
        self.faults: list[Fault] = []
        try:
            self.text = read_table(path)
        except DataError as error:
            self.faults += error.faults
            self.text = pd.DataFrame()
        self.known = tuple(name for name in columns if name in self.text)
        self.extras = tuple(str(name) for name in self.text if name not in columns)
        if not self.faults:
            self.faults += self._missing_columns() + self._bad_names()
        self.readable = not self.faults
        self.cells = self._read_cells() if self.readable else pd.DataFrame()

    def fault(self, line: int | None, column: str, found: str, expected: str, todo: str = "") -> Fault:
        """Say what is wrong at a place of this table.

        Parameters
        ----------
        line : int or None
            Line number, None: the file as a whole.
        column : str
            "" for all of them.
        found, expected, todo : str
            As in `Fault`.
        """
        return Fault(found, expected, todo, str(self.path), line, column)

    def notes(self) -> tuple[str, ...]:
        """List extra columns whose names are nearly those of absent known columns."""
        absent = [name for name in self.columns if name not in self.known]
        near = {name: difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.7) for name in self.extras}
        return tuple(
            f"{self.path.name}: column {name!r} is kept as an extra; did you mean {hits[0]!r}?"
            for name, hits in near.items()
            if hits
        )

    def _missing_columns(self) -> list[Fault]:
        needed = [name for name, column in self.columns.items() if column.required and name not in self.text]
        return [self.fault(1, name, "no such column", f"a column {name!r}", self._resembling(name)) for name in needed]

    def _resembling(self, name: str) -> str:
        lower = {extra.lower(): extra for extra in self.extras}
        near = difflib.get_close_matches(name, lower, n=1)
        return f"rename {lower[near[0]]!r}?" if near else "add it"

    def _bad_names(self) -> list[Fault]:
        bad = [name for name in self.extras if name in _RESERVED or "/" in name or not name]
        todo = "rename the column"
        return [
            self.fault(1, name, f"the column name {name!r}", "a name that is free, without /", todo) for name in bad
        ]

    def _read_cells(self) -> pd.DataFrame:
        read = {
            name: [self._cell(column, line, text) for line, text in self.text[name].items()]
            if name in self.text
            else [column.missing] * len(self.text)
            for name, column in self.columns.items()
        }
        values = pd.DataFrame(read, index=self.text.index)
        dtypes = {name: "str" if column.missing == "" else "float64" for name, column in self.columns.items()}
        extras = self.text[list(self.extras)].replace(MISSING, "")
        return pd.concat([values.astype(dtypes), extras], axis="columns")

    def _cell(self, column: ClinicalColumn, line: object, text: str) -> float | str:
        number = int(str(line))
        if text == MISSING:
            if column.required:
                self.faults.append(self.fault(number, column.name, "nothing", column.expected, "fill it in"))
            return column.missing
        if text.lower() in _OTHER_MISSING:
            todo = "fill it in" if column.required else f"write {MISSING} for missing"
            self.faults.append(self.fault(number, column.name, repr(text), column.expected, todo))
            return column.missing
        try:
            return column.read(text)
        except IllegalCellError as error:
            self.faults.append(self.fault(number, column.name, repr(text), column.expected, str(error)))
            return column.missing
