"""A tidy table of volumes, a row for each patient, visit and structure, from whatever program."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from atrobayes.data_prep.clinical_columns import IllegalCellError, read_number
from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.privacy import identifier_faults, read_discreetly
from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.data_prep.text_files import cell_number
from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING

# The layout is our own: no program's output could differ from it.
TRIED_ON_REAL_OUTPUT = True

_REQUIRED = ("patient", "visit", "structure", "volume")
_ETIV_COLUMN, _ETIV = "etiv", "eTIV"
_MM3 = "mm^3"
_AMOUNT, _NEGATIVE = "a number of mm^3, 0 or more", "no volume is negative"


@dataclass(frozen=True)
class TidyScan:
    """What a tidy table says of one patient's visit.

    Attributes
    ----------
    path : Path
        The table.
    patient : str
    visit : int
        Nominal year.
    values : mapping of str to Value
        By the structure as written, an id such as thalamus or a name of FreeSurfer's; and eTIV, where
        the table has the column etiv.
    gives_structures : bool
        Always: a name that is the id of a structure is that structure, whole.
    """

    path: Path
    patient: str
    visit: int
    values: Mapping[str, Value] = field(repr=False)
    gives_structures: bool = True

    @property
    def names(self) -> Collection[str]:
        """Every name it holds."""
        return self.values.keys()

    def value(self, name: str) -> Value | None:
        """Value of a name; None where it holds no such name."""
        return self.values.get(name)


def read_tidy(path: Path) -> tuple[TidyScan, ...]:
    """Read a tidy table of volumes.

    Parameters
    ----------
    path : Path
        UTF-8, tab-separated. Columns patient, visit (a whole number), structure, volume (mm³, n/a where
        missing) and, if need be, etiv (mm³, the same in all rows of a scan); others are passed over.

    Returns
    -------
    tuple of TidyScan
        One for each patient and visit, in the order in which the table first names them.

    Raises
    ------
    DataError
        If the table holds names, numbers or addresses of persons, with these alone. If the file is no such table, a
        column is missing, a cell is not what its column holds, a patient, visit and structure stand there twice, or
        etiv differs within a visit; all at once.
    """
    table = _read(path)
    faults = [_no_column(path, table, name) for name in _REQUIRED if name not in table.columns]
    if not faults and table.empty:
        faults = [Fault("a header and no rows", "a row for each structure of a scan", "add rows", str(path), 1)]
    if faults:
        raise DataError(faults)
    scans: dict[tuple[str, int], dict[str, Value]] = {}
    for row in _rows(path, table, faults):
        _add(path, row, scans.setdefault((row.patient, row.visit), {}), faults)
    if faults:
        raise DataError(faults)
    return tuple(TidyScan(path, patient, visit, values) for (patient, visit), values in scans.items())


def _read(path: Path) -> pd.DataFrame:
    """Table as text; where it tells who a patient is, nothing else is said of it."""
    table = read_discreetly(path)
    identifiers = identifier_faults(path, table)
    if identifiers:
        raise DataError(identifiers)
    return table


class _Row(NamedTuple):
    line: int
    patient: str
    visit: int
    structure: str
    volume: float
    etiv: float | None = None  # None: the table has no such column


def _no_column(path: Path, table: pd.DataFrame, name: str) -> Fault:
    return Fault("no such column", f"one of {', '.join(map(str, table.columns))}", f"add {name}", str(path), 1, name)


def _rows(path: Path, table: pd.DataFrame, faults: list[Fault]) -> list[_Row]:
    """Rows that are sound; the others become faults."""
    columns = [name for name in _CELLS if name in table.columns]
    rows = []
    for line, *texts in zip(table.index, *(table[name].tolist() for name in columns), strict=True):
        before = len(faults)
        cells = [_cell(path, line, column, text, faults) for column, text in zip(columns, texts, strict=True)]
        named = dict(zip(columns, cells, strict=True))
        if named["volume"] is not None and named["volume"] < 0 and not _may_be_negative(named["structure"]):
            text = texts[columns.index("volume")]
            faults.append(Fault(repr(text), _AMOUNT, _NEGATIVE, str(path), line, "volume"))
        if len(faults) == before:
            rows.append(_Row(line, **named))
    return rows


def _may_be_negative(structure: str | None) -> bool:
    """Whether it is what is left over of a composite, which may be less than its parts."""
    known = CATALOGUE.get(structure or "")
    return known is not None and known.remainder


def _cell(path: Path, line: int, column: str, text: str, faults: list[Fault]) -> Any:
    """Value of a cell; None where it is at fault."""
    expected, read = _CELLS[column]
    try:
        return read(text)
    except IllegalCellError as error:
        faults.append(Fault(error.kind or repr(text), expected, str(error), str(path), line, column))
        return None


def _name(text: str) -> str:
    if text == MISSING:
        raise IllegalCellError("every row needs one")
    return text


def _visit(text: str) -> int:
    visit = read_number(_name(text))
    if visit < 0 or not visit.is_integer():
        raise IllegalCellError("write the nominal year: 0, 1, 2")
    return int(visit)


def _etiv(text: str) -> float:
    volume = cell_number(text)
    if volume < 0:
        raise IllegalCellError(_NEGATIVE)
    return volume


# what a cell of each column holds, and how it is read
_CELLS: Mapping[str, tuple[str, Callable[[str], str | float]]] = {
    "patient": ("a text", _name),
    "visit": ("a whole number, 0 or more", _visit),
    "structure": ("a text", _name),
    "volume": (_AMOUNT, cell_number),
    _ETIV_COLUMN: (_AMOUNT, _etiv),
}


def _add(path: Path, row: _Row, scan: dict[str, Value], faults: list[Fault]) -> None:
    """Add a row to what is known of its scan."""
    if row.structure in scan and scan[row.structure].column == "volume":
        found = f"{row.patient} visit {row.visit} {row.structure} again, first in line {scan[row.structure].line}"
        faults.append(Fault(found, "each structure of a scan once", "remove one", str(path), row.line))
        return
    _add_number(path, row, scan, row.structure, Value(row.volume, _MM3, row.line, "volume"), faults)
    if row.etiv is not None:
        _add_number(path, row, scan, _ETIV, Value(row.etiv, _MM3, row.line, _ETIV_COLUMN), faults)


def _add_number(path: Path, row: _Row, scan: dict[str, Value], name: str, value: Value, faults: list[Fault]) -> None:
    """Add a number, or see that it is the one that is there: eTIV stands in every row of its scan."""
    there = scan.get(name)
    if there is None or (math.isnan(there.value) and not math.isnan(value.value)):
        scan[name] = value
    elif not math.isnan(value.value) and value.value != there.value:
        found = f"{value.value:.15g}, and {there.value:.15g} in line {there.line}"
        expected = f"one eTIV for {row.patient} visit {row.visit}"
        faults.append(Fault(found, expected, "mend one", str(path), row.line, value.column))
