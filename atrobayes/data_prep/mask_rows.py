"""Masks as visits.tsv names them, and which mask each is compared with."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING
from atrobayes.study import Study

FULL, CHANGE, REFERENCE = "lesion_mask", "change_mask", "lesion_mask_reference"


@dataclass(frozen=True)
class MaskRow:
    """What one visit says of its masks.

    Attributes
    ----------
    table : Path
        visits.tsv.
    folder : Path
        Masks are named from here.
    place, line : int, int or None
        Place of the row in `Clinical.visits`, and its line in the file, if known.
    patient, visit : str, int
    new_t2 : float
        The table's own count; NaN where it has none.
    full, change, reference : str
        Cells of lesion_mask, change_mask and lesion_mask_reference; "" where empty.
    """

    table: Path
    folder: Path
    place: int
    line: int | None
    patient: str
    visit: int
    new_t2: float
    full: str
    change: str
    reference: str

    @property
    def where(self) -> str:
        """The visit in words."""
        return f"patient {self.patient}, visit {self.visit}"

    @property
    def file(self) -> Path:
        """The mask that counts: where there are both, the change mask."""
        return self.folder / (self.change or self.full)

    @property
    def full_file(self) -> Path:
        """The full mask, for later visits to be compared with."""
        return self.folder / self.full

    def fault(self, column: str, found: str, expected: str, todo: str) -> Fault:
        """Say what is wrong with a cell of this row.

        Parameters
        ----------
        column, found, expected, todo : str
            As in `Fault`; the visit is told with what was found.
        """
        return Fault(f"{found} ({self.where})", expected, todo, str(self.table), self.line, column)


def read_mask_rows(study: Study, visits: pd.DataFrame) -> list[MaskRow]:
    """Take the masks' columns out of the visits.

    Parameters
    ----------
    study : Study
        For the folder that masks are named from: that of `data.visits`, or `data.bids`.
    visits : DataFrame
        patient, visit, new_t2, and any of the masks' columns; its index holds line numbers if it is called
        `line`.
    """
    table, folder = study.data.visits, study.data.bids or study.data.visits.parent
    columns = ["patient", "visit", "new_t2", FULL, CHANGE, REFERENCE]
    cells = visits.reindex(columns=columns).itertuples(index=False, name=None)
    numbered = visits.index.name == "line"
    rows = []
    for place, (line, row) in enumerate(zip(visits.index, cells, strict=True)):
        patient, visit, new_t2, *texts = row
        at = int(str(line)) if numbered else None
        rows.append(MaskRow(table, folder, place, at, str(patient), int(visit), float(new_t2), *map(_text, texts)))
    return rows


def file_faults(rows: Sequence[MaskRow]) -> Iterator[Fault]:
    """Find masks that are not there, and those named twice: one of the two visits would show no change."""
    first: dict[Path, str] = {}
    for row in rows:
        for column, text in ((FULL, row.full), (CHANGE, row.change)):
            if not text:
                continue
            # not Path.resolve: in Python 3.12 a link to itself is an error there, and not one of the system's
            path = Path(os.path.realpath(row.folder / text))
            if path in first:
                found = f"{text} again, named before at {first[path]}"
                yield row.fault(column, found, "a mask of its own", "name the mask of this visit")
            first.setdefault(path, row.where)
            if not path.is_file():
                todo = "mend the path, or put the file there"
                yield row.fault(column, f"{text}, no such file", "a mask (NIfTI)", todo)


def reference_of(row: MaskRow, earlier: Sequence[MaskRow]) -> MaskRow | None:
    """Find the visit a mask is compared with.

    Parameters
    ----------
    row : MaskRow
        Names a mask.
    earlier : sequence of MaskRow
        The patient's visits before it, in order.

    Returns
    -------
    MaskRow or None
        The visit that is named; else, for a full mask, the last visit with a full mask, and for a change
        mask the previous visit. None where a full mask has none before it.

    Raises
    ------
    DataError
        If the visit named is not an earlier one or lacks the full mask that is needed, or a change mask
        stands at the first visit.
    """
    if row.reference:
        return _named(row, earlier)
    if row.change and not earlier:
        todo = f"name a mask of all lesions in {FULL}"
        raise DataError(row.fault(CHANGE, "a change mask at the first visit", "an earlier visit to compare with", todo))
    candidates = [one for one in earlier if row.change or one.full]
    return candidates[-1] if candidates else None


def _named(row: MaskRow, earlier: Sequence[MaskRow]) -> MaskRow:
    named = next((one for one in earlier if row.reference == str(one.visit)), None)
    if named is None:
        expected = "an earlier visit of this patient in the table"
        raise DataError(row.fault(REFERENCE, f"visit {row.reference}", expected, "mend the number"))
    if not (row.change or named.full):
        found = f"visit {row.reference}, which has no {FULL}"
        raise DataError(row.fault(REFERENCE, found, "a visit with a full mask", "name its mask, or another visit"))
    return named


def _text(cell: object) -> str:
    """Text of a cell; a visit that was read as a number as it was written."""
    if isinstance(cell, float):
        return "" if math.isnan(cell) else f"{cell:g}"
    text = "" if cell is None else str(cell).strip()
    return "" if text == MISSING else text
