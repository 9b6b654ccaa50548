"""The cells of a wide table, split but not yet read as numbers, and what can be wrong with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atrobayes.data_prep.table_columns import Layout, is_structure
from atrobayes.data_prep.text_files import read_text
from atrobayes.errors import DataError, Fault

TABLE = "a table of asegstats2table, aparcstats2table, qdec or SynthSeg"
# With --etiv asegstats2table and aparcstats2table write 100 * volume / eTIV in every column, eTIV's own too.
_ETIV = frozenset({"EstimatedTotalIntraCranialVol", "eTIV"})
_PERCENT = frozenset({("100",), ("100.0",)})
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class Grid:
    """A table as written.

    Attributes
    ----------
    path : Path
    line : int
        Where the header stands; the first line is 1.
    header : tuple of str
    rows : dict of int to tuple of str
        By the line they begin on; blanks stripped at both ends of a cell.
    """

    path: Path
    line: int
    header: tuple[str, ...]
    rows: dict[int, tuple[str, ...]]

    def fault(self, found: str, expected: str, todo: str, line: int | None = None, column: str = "") -> Fault:
        """Fault of this table.

        Parameters
        ----------
        found, expected, todo : str
            As of `Fault`.
        line : int, optional
            Where it stands; None: the whole table.
        column : str
            Header of the column, "" where the row or the table is meant.
        """
        return Fault(found, expected, todo, str(self.path), line, column)


def read_grid(path: Path) -> Grid:
    """Split a table at whatever separates its header: tabs, commas, semicolons or blanks.

    Raises
    ------
    DataError
        If the file is no text, holds nothing but remarks, or has quotes that do not close.
    """
    lines = read_text(path, TABLE).split("\n")
    start = next((place for place, line in enumerate(lines) if _may_be_header(line)), None)
    if start is None:
        raise DataError(Fault("remarks alone", TABLE, "name another file", str(path)))
    split = dict(_split(path, lines, start))
    line = min(split)
    header = split.pop(line)
    if header[0].lower() == "fsid":  # FreeSurfer passes over rows of a qdec table that begin with "#"
        split = {number: cells for number, cells in split.items() if not cells[0].startswith("#")}
    if len(header) > 1 and not header[-1]:  # a separator at the end of every line
        split = {number: _without_last(cells, len(header)) for number, cells in split.items()}
        header = header[:-1]
    return Grid(path, line, header, split)


def grid_faults(grid: Grid, layout: Layout) -> list[Fault]:
    """Everything wrong with a table that can be told without reading its numbers."""
    return [*_table_faults(grid), *_header_faults(grid, layout), *_row_faults(grid)]


def _may_be_header(line: str) -> bool:
    """Qdec tables may begin with remarks and the SUBJECTS_DIR: LongQdecTable.parse in FreeSurfer's legacy.py."""
    return bool(line.strip()) and not line.startswith("#") and not line.lower().startswith("subjects_dir")


def _split(path: Path, lines: Sequence[str], start: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows that are not blank, each with the line it begins on."""
    separator = next((mark for mark in "\t,;" if mark in lines[start]), "")
    if not separator:
        words = ((number, tuple(line.split())) for number, line in enumerate(lines[start:], start + 1))
        yield from ((number, cells) for number, cells in words if cells)
        return
    reader = csv.reader((f"{line}\n" for line in lines[start:]), delimiter=separator, strict=True)
    begins = start + 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield begins, tuple(map(str.strip, cells))
            begins = start + reader.line_num + 1
    except csv.Error as error:
        fault = Fault(f"{error}", "cells whose quotes are closed", "mend the quotes", str(path), begins)
        raise DataError(fault) from error


def _without_last(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return cells[:-1] if len(cells) == width and not cells[-1] else cells


def _table_faults(grid: Grid) -> Iterator[Fault]:
    if not grid.rows:
        yield grid.fault("a header and no rows", "a row for each scan", "write the table again", grid.line)
        return
    first = min(grid.rows)
    if is_structure(grid.rows[first][0]):
        todo = "write it again without --transpose"
        yield grid.fault("structures in rows", "scans in rows, structures in columns", todo, first)
    for place, cell in enumerate(grid.header):
        if cell in _ETIV and any(cells[place : place + 1] in _PERCENT for cells in grid.rows.values()):
            todo = "write it again without --etiv"
            yield grid.fault("volumes in percent of eTIV", "volumes in mm^3", todo, column=cell)


def _header_faults(grid: Grid, layout: Layout) -> Iterator[Fault]:
    written = grid.header[1:]
    if not written:
        yield grid.fault("a header of one column", "one for each structure", "check what separates them", grid.line)
    if not all(written):
        yield grid.fault("a column without a name", "a name for each", "check what separates them", grid.line)
    known: dict[str, str] = {}
    for name, cell in zip(layout.names, written, strict=True):
        key = name or cell
        if cell and key in known:
            found = "this column twice" if known[key] == cell else f"the same as in {known[key]}"
            yield grid.fault(found, "each column once", "remove one", grid.line, cell)
        known.setdefault(key, cell)


def _row_faults(grid: Grid) -> Iterator[Fault]:
    width, expected = len(grid.header), f"{len(grid.header)} as in the header"
    for line, cells in grid.rows.items():
        if cells == grid.header:
            todo = "make one table of it: --append puts a second one below the first"
            yield grid.fault("a second header", "one header", todo, line)
        elif len(cells) != width:
            todo = "add or remove separators; names must not hold any, and decimals need a point"
            yield grid.fault(f"{len(cells)} cells", expected, todo, line)
        elif not cells[0]:
            yield grid.fault("a row without a name", "the scan's name first", "name the scan", line)
        if any("," in cell and _DECIMAL_COMMA.fullmatch(cell) for cell in cells[1:]):
            yield grid.fault("commas in decimals", "points", "write 12.5 where 12,5 stands", line)
