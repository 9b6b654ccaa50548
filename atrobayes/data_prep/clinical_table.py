"""A clinical table as text and as checked values, with every fault found on the way."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from atrobayes.data_prep.clinical_columns import ClinicalColumn, IllegalCellError, RowRule
from atrobayes.data_prep.clinical_schema import broken_cells, broken_rules
from atrobayes.data_prep.privacy import read_discreetly
from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING

HEADER = 1  # row of the column names: lines of a file are counted from here

# Names the cohort gives to other things; a test holds them to its dims and variables.
_OF_RECORDS = "record record_patient volume left right etiv scan_status freesurfer platform template redefined"
_OF_STRUCTURES = "structure label orientation contains source"
_OF_ASSESSMENTS = "assessment assessment_patient assessment_date assessment_years assessment_edss"
_RESERVED = frozenset(f"{_OF_RECORDS} {_OF_STRUCTURES} {_OF_ASSESSMENTS}".split())


class ClinicalTable:
    """A clinical table, read and checked cell by cell and row by row.

    Parameters
    ----------
    path : Path
        The file, or the folder that the rows came from.
    columns : mapping of str to ClinicalColumn
        The columns it may have.
    rules : sequence of RowRule
        What the cells of each row must keep among themselves.
    text : DataFrame, optional
        The table as text, where it is not the file's: every cell `str`, `n/a` where missing; the index is each
        row's number, from 2, once. Default: read from `path`.
    origins : mapping of int to (Path, int), optional
        For a row number of `text` the file and line it came from. Default: `path` and the number itself.
    extras_kept : bool
        Whether the columns it has besides go into the cohort, so that their names must be free there.

    Attributes
    ----------
    path, columns
        As given.
    known, extras : tuple of str
        Known columns it has, and its other columns.
    text, cells : DataFrame
        As written, and as values; indexed by row number.
    illegal : frozenset of (int, str)
        Row number and column of every cell that is not what it should be; its value is missing.
    faults : tuple of Fault
        All that is wrong with the file, its header, cells and rows.
    readable : bool
        Whether `cells` is there: the file and its header are sound.
    """

    def __init__(
        self,
        path: Path,
        columns: Mapping[str, ClinicalColumn],
        *,
        rules: Sequence[RowRule] = (),
        text: pd.DataFrame | None = None,
        origins: Mapping[int, tuple[Path, int]] | None = None,
        extras_kept: bool = True,
    ) -> None:
        self.path, self.columns = path, columns
        self._origins, self._extras_kept = origins, extras_kept
        self.cells, self.illegal = pd.DataFrame(), frozenset[tuple[int, str]]()
        try:
            self.text = read_discreetly(path) if text is None else text.astype("str")
        except DataError as error:
            self.text, self.faults = pd.DataFrame(), error.faults
        else:
            self.faults = ()
        self.known = tuple(name for name in columns if name in self.text)
        self.extras = tuple(str(name) for name in self.text if name not in columns)
        self.faults += (*self._missing_columns(), *self._bad_names()) if not self.faults else ()
        self.readable = not self.faults
        if self.readable:
            broken = broken_cells(self.text, columns)
            self.illegal = frozenset(broken)
            self.cells = self._values()
            self.faults = (*(self._cell_fault(*place) for place in broken), *self._row_faults(rules))

    def fault(self, row: int | None, column: str, found: str, expected: str, todo: str = "") -> Fault:
        """Say what is wrong at a place of this table.

        Parameters
        ----------
        row : int or None
            Row number, 1 the header, None the file as a whole.
        column : str
            "" for all of them.
        found, expected, todo : str
            As in `Fault`.
        """
        return self.placed(Fault(found, expected, todo, str(self.path), row, column))

    def placed(self, fault: Fault) -> Fault:
        """Name the file and line that a fault's row came from."""
        if self._origins is None or fault.row is None or fault.row not in self._origins:
            return fault
        path, line = self._origins[fault.row]
        return replace(fault, file=str(path), row=line)

    def places(self, *rows: int) -> str:
        """Where rows stand: "lines 4 and 5", with their files where the table came from several."""
        if self._origins is None:
            return f"line{'s' * (len(rows) > 1)} {' and '.join(map(str, rows))}"
        origins = [self._origins.get(row, (self.path, row)) for row in rows]
        return " and ".join(f"line {line} of {path.name}" for path, line in origins)

    def notes(self) -> tuple[str, ...]:
        """List extra columns and labels that are likely to be a slip: nearly those of others."""
        absent = [name for name in self.columns if name not in self.known]
        near = {name: difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.7) for name in self.extras}
        fate = "kept as an extra" if self._extras_kept else "not used"
        columns = (
            f"{self.path.name}: column {name!r} is {fate}; did you mean {hits[0]!r}?"
            for name, hits in near.items()
            if hits
        )
        return (*columns, *self._alike_labels())

    def doubled(self, keys: pd.DataFrame, column: str, todo: str) -> Iterator[Fault]:
        """Find rows with the same key as an earlier one.

        Parameters
        ----------
        keys : DataFrame
            Indexed by row number, the columns that are to be unique together; a row that lacks one of them
            is not judged.
        column, todo : str
            As in `Fault`.
        """
        first: dict[tuple[str, ...], int] = {}
        for row, *values in keys.itertuples(name=None):
            key = tuple(map(_key_text, values))
            if "" in key:
                continue
            if key in first:
                what = ", ".join(f"{name} {text}" for name, text in zip(keys, key, strict=True))
                found = f"{what} again (first on {self.places(first[key])})"
                yield self.fault(row, column, found, "it once", todo)
            else:
                first[key] = row

    def unknown_patients(self, patients: ClinicalTable) -> Iterator[Fault]:
        """Find rows of patients that the table of patients does not have."""
        enrolled = [name for name in patients.cells["patient"] if name]
        known = frozenset(enrolled)
        for row, name in self.cells["patient"].items():
            if name and name not in known:
                near = difflib.get_close_matches(name, enrolled, n=1)
                todo = f"did you mean {near[0]!r}?" if near else f"add the patient to {patients.path.name}"
                yield self.fault(
                    _number(row), "patient", f"the unknown patient {name!r}", "a patient of the study", todo
                )

    def _alike_labels(self) -> Iterator[str]:
        """Labels that differ from a more frequent one by case alone, or that came after it."""
        for name in self.known:
            alike: dict[str, list[str]] = {}
            for label in self.cells[name].value_counts().index if self.columns[name].labels else ():
                alike.setdefault(str(label).casefold(), []).append(str(label))
            for usual, *others in alike.values():
                for other in others:
                    yield f"{self.path.name}: {name} {other!r} is another than {usual!r}; did you mean {usual!r}?"

    def _missing_columns(self) -> list[Fault]:
        needed = [name for name, column in self.columns.items() if column.required and name not in self.text]
        return [
            self.fault(HEADER, name, "no such column", f"a column {name!r}", self._resembling(name)) for name in needed
        ]

    def _resembling(self, name: str) -> str:
        lower = {extra.lower(): extra for extra in self.extras}
        near = difflib.get_close_matches(name, lower, n=1)
        return f"rename {lower[near[0]]!r}?" if near else "add it"

    def _bad_names(self) -> list[Fault]:
        bad = [name for name in self.extras if name in _RESERVED or "/" in name or not name] * self._extras_kept
        expected, todo = "a name that is free, without /", "rename the column"
        return [self.fault(HEADER, name, f"the column name {name!r}", expected, todo) for name in bad]

    def _values(self) -> pd.DataFrame:
        values = {name: self._column(column) for name, column in self.columns.items()}
        dtypes = {name: "str" if column.missing == "" else "float64" for name, column in self.columns.items()}
        extras = self.text[list(self.extras)].replace(MISSING, "")
        return pd.concat([pd.DataFrame(values, index=self.text.index).astype(dtypes), extras], axis="columns")

    def _column(self, column: ClinicalColumn) -> list[float | str]:
        if column.name not in self.known:
            return [column.missing] * len(self.text)
        return [
            column.missing if (row, column.name) in self.illegal else column.value(cell)
            for row, cell in self.text[column.name].items()
        ]

    def _cell_fault(self, row: int, name: str) -> Fault:
        text = str(self.text.loc[row, name])
        column = self.columns[name]
        error = column.broken(text) or IllegalCellError()
        return self.fault(row, name, error.found(text), column.expected, str(error))

    def _row_faults(self, rules: Sequence[RowRule]) -> Iterator[Fault]:
        for row, rule in broken_rules(self.cells, rules, self.illegal):
            text = str(self.text.loc[row, rule.column]) if rule.column in self.known else MISSING
            yield self.fault(row, rule.column, IllegalCellError().found(text), rule.expected, rule.todo)


def _number(row: Any) -> int:
    return int(str(row))


def _key_text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)
