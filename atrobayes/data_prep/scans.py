"""Which scan belongs to which visit, whether it can be used, and the volumes it gives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.definitions import too_soon_after_steroid
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.matching import Match, Matching
from atrobayes.data_prep.measured import MissingSourceError, VolumeFile
from atrobayes.data_prep.scan_checks import FoundSources, etiv_fault
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.structures import Structure
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.data_prep.volumes import Origin, etiv_volume, structure_volume
from atrobayes.errors import DataError, Fault
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


_NOWHERE = Place()


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
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def file(self) -> str:
        """Name of its first file; "" if none was read."""
        return self.files[0][0] if self.files else ""

    @property
    def freesurfer(self) -> str:
        """Version of FreeSurfer, "" where unknown."""
        return self.run.freesurfer if self.run else ""


def read_scans(
    study: Study, visits: pd.DataFrame, sources: Sequence[Source], structures: Sequence[Structure]
) -> tuple[Scan, ...]:
    """Find and read the scan of every visit.

    Parameters
    ----------
    study : Study
    visits : DataFrame
        `Clinical.visits`.
    sources : sequence of Source
        All that the study names.
    structures : sequence of Structure

    Returns
    -------
    tuple of Scan, one per row of `visits`

    Raises
    ------
    DataError
        If files are damaged, a visit has several runs, an eTIV of a usable scan is that of no head, or a
        name of an own structure is in no scan; all at once.
    """
    reader = _Reader(study, Matching(study, sources), structures, _usual_protocol(visits), frozenset(visits["fsid"]))
    scans = tuple(reader.scan(row) for row in visits.reset_index().to_dict("records"))
    faults = [*reader.matching.faults, *reader.faults, *reader.found.faults(study, structures)]
    if faults:
        raise DataError(list(dict.fromkeys(faults)))
    return scans


def unclaimed_runs(study: Study, visits: pd.DataFrame, sources: Sequence[Source]) -> tuple[Exclusion, ...]:
    """Ledger rows for time points that no visit names; one row each, whatever its streams.

    The patient is filled in where a template's other time points belong to one patient only.
    """
    matching = Matching(study, sources)
    runs = [match.run for match in matching.all]
    # a visit that names a whole folder has not named the time point's other runs
    taken = {
        name: row["patient"]
        for row in visits.to_dict("records")
        for match in matching.of_visit(row)
        for name in (match.run.where, "" if row["fsid"] else match.run.fsid)
        if name
    }
    taken |= dict(visits.loc[visits["fsid"] != "", ["fsid", "patient"]].itertuples(index=False, name=None))
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
        rows[key] = _unclaimed(study, run, owners.get(run.base or "", set()))
    return tuple(rows[key] for key in sorted(rows))


def _unclaimed(study: Study, run: Run, likely: set[str]) -> Exclusion:
    patient = next(iter(likely)) if len(likely) == 1 else ""
    asked = f"is {run.owner[0]}, visit {run.owner[1]}" if run.owner else f"has fsid {run.fsid}"
    told = f" ({run.stream} run, {run.state})" if run.fsid else ""
    reason = f"no row of {study.data.visits.name} {asked}{told}"
    return Exclusion("found", patient, rule="scan_without_visit", reason=reason, file=run.where)


def _usual_protocol(visits: pd.DataFrame) -> str:
    named = visits.loc[visits["protocol"] != "", "protocol"]
    counts = Counter(named.tolist())
    return min(counts, key=lambda label: (-counts[label], label), default="")


@dataclass
class _Reader:
    study: Study
    matching: Matching
    structures: Sequence[Structure]
    usual_protocol: str
    claimed: frozenset[str]
    faults: list[Fault] = field(default_factory=list)
    found: FoundSources = field(default_factory=FoundSources)

    def scan(self, row: Mapping[Any, Any]) -> Scan:
        unknown = np.full((len(self.structures), 3), math.nan)
        places = (_NOWHERE,) * len(self.structures)
        blank = Scan(row["patient"], int(row["visit"]), "none", unknown, places)
        before = len(self.matching.faults)
        matches = self.matching.of_visit(row)
        if matches:
            return self._measured(replace(blank, run=matches[0].run, status="usable"), matches, row)
        if len(self.matching.faults) > before:
            return blank
        if not row["fsid"]:
            return _left_out(blank, "none", "found", rule="visit_without_scan", reason=self._nothing())
        reason = self.matching.absence(row["fsid"], self.claimed)
        return _left_out(blank, "missing", "found", rule="scan_missing", reason=reason)

    def _nothing(self) -> str:
        """Why a visit without a name has no scan."""
        if self.study.data.volumes is not None:
            return f"no rows of this visit in {self.study.data.volumes.name}"
        return (
            "no run that visit_pattern reads as this visit"
            if self.study.data.visit_pattern
            else "no fsid at this visit"
        )

    def _measured(self, scan: Scan, matches: Sequence[Match], row: Mapping[Any, Any]) -> Scan:
        """Read the volumes and judge them, if processing got so far."""
        late = next((match.run for match in matches if match.run.state != "finished"), None)
        if late is not None:
            rule = f"recon_{late.state}"
            return _left_out(
                replace(scan, run=late), late.state, "processed", rule=rule, reason=late.reason, file=late.where
            )
        files: list[VolumeFile] = []
        for source, run in matches:
            try:
                files += source.files(run)
            except FileNotFoundError as error:
                path = Path(error.args[0])
                file = f"{run.where}/{path.relative_to(run.path).as_posix()}"
                reason = f"recon-all is done, but there is no {path.name}"
                return _left_out(scan, "failed", "processed", rule="stats_missing", reason=reason, file=file)
            except DataError as error:
                self.faults += error.faults
                return scan
        named = {file.path: _name(file.path, matches) for file in files}
        self.found.add(files)
        scan = replace(scan, files=tuple((name, path) for path, name in named.items()))
        return self._judge(self._with_volumes(scan, files, named), row, files)

    def _with_volumes(self, scan: Scan, files: Sequence[VolumeFile], named: Mapping[Path, str]) -> Scan:
        volumes = np.full((len(self.structures), 3), math.nan)
        places = [_NOWHERE] * len(self.structures)
        missing: list[Exclusion] = []
        for place, structure in enumerate(self.structures):
            try:
                volume = structure_volume(files, structure)
            except MissingSourceError as reason:
                missing.append(_processed(scan, "source_missing", str(reason), structure.id))
            except DataError as error:
                self.faults += error.faults
            else:
                volumes[place] = volume.value, volume.left, volume.right
                places[place] = _place(volume.origins, structure, named)
        size, told = self._etiv(scan, files)
        return replace(
            scan,
            volumes=volumes,
            places=tuple(places),
            etiv=size,
            exclusions=(*scan.exclusions, *missing, *told),
        )

    def _etiv(self, scan: Scan, files: Sequence[VolumeFile]) -> tuple[float, list[Exclusion]]:
        try:
            return etiv_volume(files), []
        except MissingSourceError as reason:
            return math.nan, [_processed(scan, "etiv_missing", f"{reason}: no change in % of eTIV", "")]
        except DataError as error:
            self.faults += error.faults
            return math.nan, []

    def _judge(self, scan: Scan, row: Mapping[Any, Any], files: Sequence[VolumeFile]) -> Scan:
        """Say whether a scan that was read may be compared with the others."""
        days, weeks = row["days_since_steroid"], self.study.definitions.steroid_weeks
        if row["quality"] == "fail":
            return _left_out(scan, "failed", "usable", rule="quality_fail", reason="quality is fail", file=scan.file)
        if row["protocol"] not in {"", self.usual_protocol}:
            reason = f"protocol {row['protocol']}, most scans have {self.usual_protocol}"
            return _left_out(scan, "protocol", "usable", rule="other_protocol", reason=reason, file=scan.file)
        if too_soon_after_steroid(days, weeks):
            reason = f"{days:g} days after steroids, fewer than {weeks * 7:g}"
            return _left_out(scan, "steroid", "usable", rule="steroid_washout", reason=reason, file=scan.file)
        self.faults += etiv_fault(files)
        return scan


def _name(path: Path, matches: Sequence[Match]) -> str:
    """Name of a file in outputs: relative to its run's place in the SUBJECTS_DIR, or a table's own."""
    for _, run in matches:
        if path == run.path:
            return path.name
        if path.is_relative_to(run.path):
            return f"{run.where}/{path.relative_to(run.path).as_posix()}"
    return path.name


def _place(origins: Sequence[Origin], structure: Structure, named: Mapping[Path, str]) -> Place:
    if len(origins) == 1:
        (origin,) = origins
        return Place(named[origin.file.path], _signed((1,), (str(origin.value.line),)), origin.name)
    files = list(dict.fromkeys(named[origin.file.path] for origin in origins))
    signs = structure.signs if len(origins) == len(structure.terms) else (1,)
    lines = _signed(signs, tuple([str(origin.value.line) for origin in origins]))
    source = _signed(signs, tuple([origin.name for origin in origins]))
    # the one name is shared by all structures of the scan, not copied for each
    return Place(files[0] if len(files) == 1 else ", ".join(files), lines, source)


@cache
def _signed(signs: tuple[int, ...], words: tuple[str, ...]) -> str:
    """Words joined by their signs; most scans have the same lines, so a cohort holds each text once."""
    joined = "".join(f"{'+' if sign > 0 else '-'}{word}" for sign, word in zip(signs, words, strict=True))
    return joined.removeprefix("+")


def _left_out(scan: Scan, status: str, stage: str, *, rule: str, reason: str, file: str = "") -> Scan:
    row = Exclusion(stage, scan.patient, scan.visit, rule=rule, reason=reason, file=file)
    return replace(scan, status=status, exclusions=(*scan.exclusions, row))


def _processed(scan: Scan, rule: str, reason: str, structure: str) -> Exclusion:
    return Exclusion("processed", scan.patient, scan.visit, structure, rule=rule, reason=reason, file=scan.file)
