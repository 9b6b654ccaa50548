"""New T2 lesions of each visit, counted in the masks that visits.tsv names.

Two kinds of mask exist. A full mask (`lesion_mask`) holds all lesions of a visit and is compared with the full
mask of an earlier one; at visit 0 its lesions are those counted at baseline. A change mask (`change_mask`) holds
only what is new or larger since an earlier visit, and its lesions are counted as they are; where a visit has both,
the change mask counts: somebody looked at the two scans together. Either way the count belongs to the visit of the
mask, which closes the interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.data_prep.clinical import Clinical
from atrobayes.data_prep.lesion_masks import LesionChange, compare_masks, components
from atrobayes.data_prep.mask_rows import CHANGE, FULL, REFERENCE, MaskRow, file_faults, read_mask_rows, reference_of
from atrobayes.data_prep.masks import Mask, check_same_grid, read_mask
from atrobayes.data_prep.quality_flags import Flag
from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING, Column
from atrobayes.study import Study

LESION_COLUMNS = (
    Column("patient", "Patient"),
    Column("visit", "Nominal visit the mask belongs to; it closes the interval the lesions are counted in", "year"),
    Column("visit_reference", "Nominal visit the mask is compared with; missing for lesions at baseline", "year"),
    Column(
        "mask",
        "Kind of mask",
        levels={
            "full": "all lesions of the visit, compared with the full mask of the reference visit",
            "change": "only what is new or larger than at the reference visit",
        },
    ),
    Column("file", "Mask, as visits.tsv names it"),
    Column("file_reference", "Full mask of the reference visit; missing for change masks"),
    Column("lesions", "Connected components of min_volume_mm3 or more in the mask", "1"),
    Column("new", "Lesions that share no voxel with the reference mask; missing where nothing was compared", "1"),
    Column("enlarging", "Lesions that grew by enlarging_percent and min_volume_mm3 or more", "1"),
    Column("shrinking", "Lesions that shrank by as much", "1"),
    Column("resolved", "Lesions of the reference mask that are gone", "1"),
    Column(
        "new_t2", "New or enlarging lesions; at visit 0 all lesions; fills the visit where its new_t2 is empty", "1"
    ),
    Column("volume_mm3", "Volume of the lesions counted in the mask", "mm^3"),
    Column("connectivity", "Neighbours of a voxel that belong to the same lesion: 6 faces, 18 edges, 26 corners", "1"),
    Column("min_volume_mm3", "Volume from which a lesion is counted", "mm^3"),
    Column("enlarging_percent", "Growth from which a lesion is enlarging, in % of its volume in the reference", "%"),
)


@dataclass(frozen=True, eq=False)
class MaskCounts:
    """What the masks of a study say.

    Attributes
    ----------
    new_t2 : Series (as `visits`)
        New or enlarging lesions, at visit 0 all lesions; NaN where no mask tells. A number in visits.tsv
        goes before: use it as ``visits["new_t2"].fillna(counts.new_t2)``.
    flags : tuple of Flag
        Rules: mask_reference_not_previous (the mask is compared with an
        earlier visit than the previous one: the count covers more than the interval), mask_without_reference
        (a full mask with none before it to compare with: no count), mask_count_differs (visits.tsv has
        another number, which is kept).
    table : DataFrame
        A row for each mask, in the order of `visits`; `LESION_COLUMNS`.
    faults : tuple of Fault
        Everything wrong; rows with a fault have no count.
    """

    new_t2: pd.Series[float]
    flags: tuple[Flag, ...]
    table: pd.DataFrame
    faults: tuple[Fault, ...]


def mask_counts(study: Study, visits: pd.DataFrame) -> MaskCounts:
    """Count new lesions in every mask of a study.

    Parameters
    ----------
    study : Study
        `images` says what is counted; masks are named from the folder of `data.visits`, or of `data.bids`.
    visits : DataFrame
        patient, visit, new_t2; any of lesion_mask, change_mask (texts, "" where there is none) and
        lesion_mask_reference (the visit compared with; missing: for a full mask the last one before it, for
        a change mask the previous visit). Where its index is called `line`, faults name lines of the table.

    Returns
    -------
    MaskCounts
        Without one fault raised: they are all in it.
    """
    rows = read_mask_rows(study, visits) if _names_masks(visits) else []
    counting = _Counting(study, list(file_faults(rows)))
    patients: dict[str, list[MaskRow]] = {}
    for row in rows:
        patients.setdefault(row.patient, []).append(row)
    for own in patients.values():
        counting.patient(sorted(own, key=lambda row: row.visit))
    new_t2 = pd.Series(np.nan, index=visits.index, name="new_t2", dtype="float64")
    for place, entry in counting.entries.items():
        new_t2.iloc[place] = entry["new_t2"]
    table = pd.DataFrame(
        [counting.entries[place] for place in sorted(counting.entries)],
        columns=[column.name for column in LESION_COLUMNS],
    )
    return MaskCounts(new_t2, tuple(counting.flags), table, tuple(counting.faults))


def _names_masks(visits: pd.DataFrame) -> bool:
    """Whether any visit says anything of masks; most studies have none of the columns filled in."""
    columns = [visits[name] for name in (FULL, CHANGE, REFERENCE) if name in visits]
    return any(bool((cells.notna() & ~cells.isin(["", MISSING])).any()) for cells in columns)


def with_mask_counts(clinical: Clinical, counts: MaskCounts) -> Clinical:
    """Fill the visits' empty new_t2 from their masks; a number in the table goes before.

    Parameters
    ----------
    clinical : Clinical
    counts : MaskCounts
        Of its visits.
    """
    if counts.table.empty:
        return clinical
    visits = clinical.visits.assign(new_t2=clinical.visits["new_t2"].fillna(counts.new_t2))
    columns = tuple(dict.fromkeys((*clinical.visit_columns, "new_t2")))
    return replace(clinical, visits=visits, visit_columns=columns)


@dataclass
class _Counting:
    study: Study
    faults: list[Fault]
    flags: list[Flag] = field(default_factory=list)
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    # of the patient being counted
    masks: dict[Path, Mask] = field(default_factory=dict)

    def patient(self, rows: Sequence[MaskRow]) -> None:
        self.masks = {}
        for place, row in enumerate(rows):
            if row.full or row.change:
                self._visit(row, rows[:place])
            elif row.reference:
                todo = f"name the mask in {FULL} or {CHANGE}, or write {MISSING}"
                found = f"visit {row.reference}, and no mask"
                self.faults.append(row.fault(REFERENCE, found, "a mask to compare", todo))

    def _visit(self, row: MaskRow, earlier: Sequence[MaskRow]) -> None:
        try:
            reference = reference_of(row, earlier)
            needed = [row.file] + ([reference.full_file] if reference and reference.full else [])
            if all(path.is_file() for path in needed):  # else it is a fault already
                counted = self._entry(row, reference)
                self.entries[row.place] = counted
                self.flags += _flags(row, earlier, reference, counted["new_t2"])
        except DataError as error:
            # a damaged mask is met again at the visit that is compared with it
            self.faults += [fault for fault in error.faults if fault not in self.faults]

    def _entry(self, row: MaskRow, reference: MaskRow | None) -> dict[str, Any]:
        rules = self.study.images
        mask = self._mask(row.file)
        before = self._mask(reference.full_file) if reference and reference.full else None
        change = None
        if before is not None and row.change:
            check_same_grid(mask, before)
        elif before is not None:
            change = compare_masks(mask, before, rules)
        volumes = components(mask, rules).volumes
        return {
            "patient": row.patient,
            "visit": row.visit,
            "visit_reference": reference.visit if reference else math.nan,
            "mask": "change" if row.change else "full",
            "file": row.change or row.full,
            "file_reference": reference.full if reference and change else "",
            "lesions": len(volumes),
            **{name: getattr(change, name) if change else math.nan for name in _STATES},
            "new_t2": _new_t2(row, change, len(volumes)),
            "volume_mm3": float(volumes.sum()),
            **rules.model_dump(),
        }

    def _mask(self, path: Path) -> Mask:
        if path not in self.masks:
            self.masks[path] = read_mask(path)
        return self.masks[path]


_STATES = ("new", "enlarging", "shrinking", "resolved")


def _new_t2(row: MaskRow, change: LesionChange | None, lesions: int) -> float:
    if row.change:
        return lesions
    if change is not None:
        return change.new + change.enlarging
    return lesions if row.visit == 0 else math.nan


def _flags(row: MaskRow, earlier: Sequence[MaskRow], reference: MaskRow | None, counted: float) -> Iterator[Flag]:
    file = row.change or row.full
    if reference is not None and reference.visit != earlier[-1].visit:
        reason = (
            f"{file} is compared with visit {reference.visit}, the previous visit is {earlier[-1].visit}: "
            "its lesions may be older than the interval; counted"
        )
        yield Flag("mask_reference_not_previous", row.patient, row.visit, reason=reason)
    if reference is None and row.visit != 0:
        reason = f"{file} has no earlier mask to be compared with; not counted"
        yield Flag("mask_without_reference", row.patient, row.visit, reason=reason)
    if not math.isnan(counted) and not math.isnan(row.new_t2) and counted != row.new_t2:
        reason = f"the table has {row.new_t2:g} new T2 lesions, {file} shows {counted:g}; the table's number is kept"
        yield Flag("mask_count_differs", row.patient, row.visit, value=counted, unit="lesions", reason=reason)
