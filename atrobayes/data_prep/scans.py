"""Which scan belongs to which visit, whether it can be used, and the volumes it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.matching import Matching
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.study import Study

STATUSES = {
    "usable": "can be compared with the other scans",
    "none": "no scan at this visit",
    "missing": "a scan is named, but FreeSurfer made no such run",
    "unfinished": "recon-all has not finished",
    "failed": "recon-all failed, its table is missing, or the segmentation was judged bad",
    "protocol": "scanned on another protocol than the others",
    "steroid": "scanned too soon after intravenous steroids",
}


class Place(NamedTuple):
    """Where a structure's volume was read.

    Attributes
    ----------
    file : str
        As in the ledger: relative to the SUBJECTS_DIR, or a table's name; several joined by ", ".
    lines : str
        Line numbers in it, one for each term, joined by "+" or "-" as the terms are.
    source : str
        The names that were there, joined alike.
    """

    file: str = ""
    lines: str = ""
    source: str = ""


NOWHERE = Place()  # of a volume that was not read


@dataclass(frozen=True, eq=False)
class Scan:
    """The scan of one clinical visit, or its absence.

    Attributes
    ----------
    patient, visit : str, int
    status : str
        A key of `STATUSES`.
    volumes : (structure, 3) array
        Volume, left and right side, mm³; NaN where there is none. Scans left out for protocol, steroids or
        quality keep theirs.
    places : tuple of Place (structure,)
    run : Run or None
    files : tuple of (str, Path)
        Files read: the name they go by in outputs, and where they are.
    etiv : float
        mm³ or NaN.
    etiv_place : Place
    wheres : tuple of str
        Of every run or row it was read from, `Run.where`.
    exclusions : tuple of Exclusion
    """

    patient: str
    visit: int
    status: str
    volumes: NDArray[np.float64]
    places: tuple[Place, ...] = ()
    run: Run | None = None
    files: tuple[tuple[str, Path], ...] = ()
    etiv: float = math.nan
    etiv_place: Place = NOWHERE
    wheres: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def file(self) -> str:
        """Name of its first file; "" if none was read."""
        return self.files[0][0] if self.files else ""

    @property
    def freesurfer(self) -> str:
        """Version of FreeSurfer, "" where unknown."""
        return self.run.freesurfer if self.run else ""


def unclaimed_runs(study: Study, visits: pd.DataFrame, sources: Sequence[Source]) -> tuple[Exclusion, ...]:
    """Ledger rows for time points that no visit names; one row each, whatever its streams.

    The patient is filled in where a template's other time points belong to one patient only.
    """
    matching = Matching(study, sources)
    runs = [match.run for match in matching.all]
    found = [(row, match.run) for row in visits.to_dict("records") for match in matching.of_visit(row)]
    # a visit that names a whole folder has not named the time point's other runs
    taken = {
        name: row["patient"] for row, run in found for name in (run.where, "" if row["fsid"] else run.fsid) if name
    }
    taken |= dict(visits.loc[visits["fsid"] != "", ["fsid", "patient"]].itertuples(index=False, name=None))
    # nor its cross-sectional run: that is the same scan, not one that nobody names
    scanned = {run.fsid for _, run in found}
    owners: dict[str, set[str]] = {}
    for run in runs:
        if run.base and run.fsid in taken:
            owners.setdefault(run.base, set()).add(taken[run.fsid])
    rows: dict[str, Exclusion] = {}
    # The study's own stream first: its folder is the one to name.
    for run in sorted(runs, key=lambda run: (run.stream != study.data.stream, run.where)):
        key = run.fsid or run.where
        if run.stream == "base" or {run.fsid, run.name, run.where} & taken.keys() or key in rows:
            continue
        if run.fsid and run.stream != study.data.stream and run.fsid in scanned:
            continue
        rows[key] = _unclaimed(study, run, owners.get(run.base or "", set()))
    return tuple(rows[key] for key in sorted(rows))


def _unclaimed(study: Study, run: Run, likely: set[str]) -> Exclusion:
    patient = next(iter(likely)) if len(likely) == 1 else ""
    asked = f"is {run.owner[0]}, visit {run.owner[1]}" if run.owner else f"has fsid {run.fsid}"
    told = f" ({run.stream} run, {run.state})" if run.fsid else ""
    reason = f"no row of {study.data.visits.name} {asked}{told}"
    return Exclusion("found", patient, rule="scan_without_visit", reason=reason, file=run.where)
