"""What only a study's scans together tell: that nothing was read, or in another unit, or by another definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.scan_rows import ScanRows
from atrobayes.data_prep.scans import Scan
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.structures import Structure
from atrobayes.errors import Fault
from atrobayes.study import Study

_TO_DO = {
    "scan_missing": "compare the column fsid with the names of the runs, and data.stream with their kind",
    "scan_without_visit": "fill in fsid in the table of visits, or give data.visit_pattern that fits its patients",
    "source_missing": "compare data.segmentation and data.tables with the files",
    "stats_missing": "compare data.segmentation with the names of the files",
}


def study_faults(
    study: Study, cohort: xr.Dataset, exclusions: Sequence[Exclusion], structures: Sequence[Structure]
) -> list[Fault]:
    """Find what makes all scans of a study useless alike.

    Parameters
    ----------
    study : Study
    cohort : Dataset
        The Cohort.
    exclusions : sequence of Exclusion
        Of its scans.
    structures : sequence of Structure
        Of the cohort, in its order.

    Returns
    -------
    list of Fault
        No volume at any visit, with the commonest reason; own structures that no scan has in mm³; structures
        whose median volume is that of no brain.
    """
    volume = cohort["volume"].to_numpy()
    if np.isnan(volume).all():
        return _nothing_read(study, exclusions)
    return [*_own_missing(study, volume, exclusions, structures), *_implausible(study, volume, structures)]


def missing_notes(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> list[str]:
    """Say which structures, and whether eTIV, are missing in scans that were read, and why in most of them."""
    volume = cohort["volume"].to_numpy()
    read = int((~np.isnan(volume)).any(axis=1).sum())
    told = {name: name for name in cohort["structure"].to_numpy().tolist()} | {"": "eTIV"}
    notes = []
    for name, label in told.items():
        rule = "source_missing" if name else "etiv_missing"
        reasons = Counter(item.reason for item in exclusions if item.rule == rule and item.structure == name)
        if reasons:
            why = reasons.most_common(1)[0][0].removesuffix(": no change in % of eTIV")
            lost = "" if name else "; without it there is no change in % of eTIV"
            notes.append(f"{label}: missing in {reasons.total()} of {read} scans ({why}){lost}, see exclusions.tsv")
    return notes


def unused_notes(sources: Sequence[Source], scans: Sequence[Scan], structures: Sequence[Structure]) -> list[str]:
    """Name tables none of whose scans is used, and names of a tidy table that nothing reads."""
    used = {where for scan in scans for where in scan.wheres}
    known = {structure.id for structure in structures} | {name for one in structures for name in one.names}
    notes = []
    for source in sources:
        if not isinstance(source, ScanRows):
            continue
        if used.isdisjoint(run.where for run in source.runs):
            kinds = " and ".join(sorted({run.stream for run in source.runs} - {"any"})) or "tidy"
            notes.append(f"{source.place}: none of its {len(source.runs)} scans ({kinds}) belongs to a visit")
        elif source.runs[0].stream == "any":
            named = {name for row in source.rows.values() for name in row.names} - {"eTIV"}
            strange = sorted(named - known)
            notes += [f"{source.place}: nothing is read from {', '.join(strange)}"] if strange else []
    return notes


def _nothing_read(study: Study, exclusions: Sequence[Exclusion]) -> list[Fault]:
    """One fault if scans are there or named, and none of them could be read; a study not yet scanned has none."""
    reasons = Counter((item.rule, item.reason) for item in exclusions if item.rule in _TO_DO)
    if not reasons:
        return []
    (rule, reason), times = reasons.most_common(1)[0]
    found = f"no volume at any visit; {reason}{f', and {times - 1} more of the kind' if times > 1 else ''}"
    return [Fault(found, "scans that can be read", _TO_DO[rule], str(study.path), column="data")]


def _own_missing(
    study: Study, volume: np.ndarray, exclusions: Sequence[Exclusion], structures: Sequence[Structure]
) -> Iterator[Fault]:
    for place, structure in enumerate(structures):
        if structure.id in study.structures and np.isnan(volume[:, place]).all():
            reasons = Counter(item.reason for item in exclusions if item.structure == structure.id)
            why = reasons.most_common(1)[0][0] if reasons else "no scan has it"
            todo = "name other rows or measures, in mm^3"
            yield Fault(why, "a volume in some scan", todo, str(study.path), column=f"structures.{structure.id}")


def _implausible(study: Study, volume: np.ndarray, structures: Sequence[Structure]) -> Iterator[Fault]:
    for place, structure in enumerate(structures):
        known = volume[:, place][~np.isnan(volume[:, place])]
        low, high = structure.volume_mm3
        if not known.size or low <= (median := float(np.median(known))) <= high:
            continue
        todo = structure.implausible or "see which rows it is the sum of"
        if low <= 1000 * median <= high:
            todo = "it looks like millilitres: write mm^3, a thousand times as much"
        found = f"a median {structure.id} of {median:,.6g} mm^3 over {known.size} scans"
        expected = f"{low:,.0f} to {high:,.0f} mm^3"
        yield Fault(found, expected, todo, str(study.path), column=f"data.structures, {structure.id}")
