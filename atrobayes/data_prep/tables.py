"""Wide tables, a row for each scan: asegstats2table, aparcstats2table, qdec, SynthSeg and SAMSEG."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from atrobayes.data_prep.clinical_columns import IllegalCellError
from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.privacy import cell_faults
from atrobayes.data_prep.subjects_dir import MARKER
from atrobayes.data_prep.table_columns import Layout, read_layout
from atrobayes.data_prep.table_grid import TABLE, Grid, grid_faults, read_grid
from atrobayes.data_prep.text_files import cell_number
from atrobayes.errors import DataError, Fault

# Of the other kinds only the programs' sources were read; the file tried is of FreeSurfer 5.1.
TRIED_ON_REAL_OUTPUT: Mapping[str, bool] = MappingProxyType(
    {"asegstats2table": True, "aparcstats2table": False, "qdec": False, "synthseg": False, "samseg": False}
)


class TableColumn(NamedTuple):
    """Where a table holds a name.

    Attributes
    ----------
    place : int
        In the row; 0 is the scan's name.
    header : str
        As written.
    unit : str
        "" where the table does not tell.
    """

    place: int
    header: str
    unit: str


@dataclass(frozen=True)
class TableRow:
    """One scan of a wide table.

    Attributes
    ----------
    path : Path
        The table.
    subject : str
        Row name as written, without a slash at its end; in longitudinal qdec tables FSID.long.BASE.
    fsid : str
        Time point: what stands before ".long.".
    base : str or None
        Template: what stands after it.
    line : int
        Where the row stands; the first line is 1.
    kind : str
        Program that wrote the table, a key of TRIED_ON_REAL_OUTPUT.
    years : float
        Of a qdec table; NaN where it has none.
    columns : mapping of str to TableColumn
        By the name in the words of FreeSurfer's stats files; one mapping for all rows.
    cells : tuple of str
        As written.
    """

    path: Path
    subject: str
    fsid: str
    base: str | None
    line: int
    kind: str
    years: float
    columns: Mapping[str, TableColumn] = field(repr=False)
    cells: tuple[str, ...] = field(repr=False)

    @property
    def names(self) -> Collection[str]:
        """Every name it holds."""
        return self.columns.keys()

    def value(self, name: str) -> Value | None:
        """Value of a name, NaN where the cell is empty; None where it holds no such name.

        Raises
        ------
        DataError
            If the cell is no number.
        """
        column = self.columns.get(name)
        if column is None:
            return None
        try:
            number = cell_number(self.cells[column.place])
        except IllegalCellError as error:
            raise DataError(_no_number(self.path, self.line, column.header, self.cells[column.place], error)) from error
        return Value(number, column.unit, self.line, column.header)


def read_table_rows(path: Path) -> tuple[TableRow, ...]:
    """Read a wide table; cells are read as numbers only when asked for.

    Parameters
    ----------
    path : Path
        Separated by tabs, commas, semicolons or blanks, as its header is; the header's first cell tells
        the program.

    Returns
    -------
    tuple of TableRow
        In the order of the file.

    Raises
    ------
    DataError
        If the table holds numbers or addresses of persons, with these alone. If the file is no text or no known
        table, is turned, or in percent of eTIV; if columns or rows are there twice, rows have another length than
        the header, or decimals have commas; all at once.
    """
    grid = read_grid(path)
    identifiers = cell_faults(path, grid.header, grid.rows)
    if identifiers:  # alone: any other fault might repeat one
        raise DataError(identifiers)
    layout = read_layout(grid.header)
    if layout is None:
        todo = "name the program's own output, with the header as the program wrote it"
        raise DataError(grid.fault(f"a header that begins with {grid.header[0]!r}", TABLE, todo, grid.line))
    faults = grid_faults(grid, layout)
    rows = () if faults else _rows(grid, layout, faults)
    if faults:
        raise DataError(faults)
    return rows


def _rows(grid: Grid, layout: Layout, faults: list[Fault]) -> tuple[TableRow, ...]:
    """Rows of a sound grid; what is wrong with names and years is added to `faults`."""
    columns = _columns(grid.header, layout)  # a dict: rows go from one process to another
    rows: dict[str, TableRow] = {}
    for line, cells in grid.rows.items():
        subject = _subject(grid, layout, line, cells, faults)
        fsid, _, base = subject.partition(MARKER)
        years = _years(grid, layout, line, cells, faults)
        row = TableRow(grid.path, subject, fsid, base or None, line, layout.kind, years, columns, cells)
        if subject in rows:
            found = f"the row {subject!r} again, first in line {rows[subject].line}"
            faults.append(grid.fault(found, "each scan once", "remove one", line))
        rows.setdefault(subject, row)
    return tuple(rows.values())


def _columns(header: Sequence[str], layout: Layout) -> dict[str, TableColumn]:
    entries = zip(layout.names, header[1:], layout.units, strict=True)
    return {name: TableColumn(place, cell, unit) for place, (name, cell, unit) in enumerate(entries, start=1) if name}


def _subject(grid: Grid, layout: Layout, line: int, cells: tuple[str, ...], faults: list[Fault]) -> str:
    """Row name; of a longitudinal qdec table the name of the run, as asegstats2table --qdec-long composes it."""
    name = cells[0].rstrip("/")
    base = cells[layout.base].rstrip("/") if layout.base is not None else ""
    if not base:
        return name
    if MARKER not in name:
        return f"{name}{MARKER}{base}"
    if name.partition(MARKER)[2] != base:
        column = grid.header[layout.base or 0]
        faults.append(grid.fault(f"{base!r} beside {name!r}", "the template of that run", "mend one", line, column))
    return name


def _years(grid: Grid, layout: Layout, line: int, cells: tuple[str, ...], faults: list[Fault]) -> float:
    if layout.years is None:
        return math.nan
    try:
        return cell_number(cells[layout.years])
    except IllegalCellError as error:
        faults.append(_no_number(grid.path, line, grid.header[layout.years], cells[layout.years], error))
        return math.nan


def _no_number(path: Path, line: int, column: str, text: str, error: IllegalCellError) -> Fault:
    return Fault(repr(text), "a number", str(error), str(path), line, column)
