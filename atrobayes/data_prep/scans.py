"""Which scan belongs to which visit, whether it can be used, and the volumes it gives."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from atrobayes.data_prep.definitions import too_soon_after_steroid
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.scan_checks import FoundSources, etiv_fault
from atrobayes.data_prep.stats_files import MissingSourceError, StatsFile, measure_volume, read_stats, structure_volume
from atrobayes.data_prep.structures import Structure
from atrobayes.data_prep.subjects_dir import Run, time_points
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
ETIV = ("eTIV", "ICV")  # ICV: FreeSurfer 5.1 and older


@dataclass(frozen=True)
class Scan:
    """The scan of one clinical visit, or its absence.

    Attributes
    ----------
    patient, visit : str, int
    status : str
        A key of `STATUSES`.
    run : Run or None
    file : str
        The stats file, relative to the SUBJECTS_DIR; "" if none was read.
    volumes : tuple of float (structure,)
        mm³; NaN where there is none. Scans left out for protocol, steroids or quality keep theirs.
    etiv : float
        mm³ or NaN.
    exclusions : tuple of Exclusion
    """

    patient: str
    visit: int
    status: str
    volumes: tuple[float, ...]
    run: Run | None = None
    file: str = ""
    etiv: float = math.nan
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def freesurfer(self) -> str:
        """Version of FreeSurfer, "" where unknown."""
        return self.run.freesurfer if self.run else ""


def read_scans(
    study: Study, visits: pd.DataFrame, runs: Sequence[Run], structures: Sequence[Structure]
) -> tuple[Scan, ...]:
    """Find and read the scan of every visit.

    Parameters
    ----------
    study : Study
    visits : DataFrame
        `Clinical.visits`.
    runs : sequence of Run
        All of the SUBJECTS_DIR.
    structures : sequence of Structure

    Returns
    -------
    tuple of Scan, one per row of `visits`

    Raises
    ------
    DataError
        If stats files are damaged, a time point was run with two templates, an eTIV of a usable scan is that of
        no head, or a row of an own structure is in no scan; all at once.
    """
    reader = _Reader(study, runs, structures, _usual_protocol(visits), frozenset(visits["fsid"]))
    scans = tuple(reader.scan(row) for row in visits.to_dict("records"))
    faults = [*reader.faults, *reader.found.faults(study, structures)]
    if faults:
        raise DataError(faults)
    return scans


def unclaimed_runs(study: Study, visits: pd.DataFrame, runs: Sequence[Run]) -> tuple[Exclusion, ...]:
    """Ledger rows for time points that no visit names; one row each, whatever its streams.

    The patient is filled in where a template's other time points belong to one patient only.
    """
    claimed = dict(visits.loc[visits["fsid"] != "", ["fsid", "patient"]].itertuples(index=False, name=None))
    owners: dict[str, set[str]] = {}
    for run in runs:
        if run.base and run.fsid in claimed:
            owners.setdefault(run.base, set()).add(claimed[run.fsid])
    rows: dict[str, Exclusion] = {}
    # The study's own stream first: its folder is the one to name.
    for run in sorted(runs, key=lambda run: (run.stream != study.data.stream, run.path.name)):
        if run.stream == "base" or {run.fsid, run.path.name} & claimed.keys() or run.fsid in rows:
            continue
        likely = owners.get(run.base or "", set())
        patient = next(iter(likely)) if len(likely) == 1 else ""
        reason = f"no row of {study.data.visits.name} has fsid {run.fsid} ({run.stream} run, {run.state})"
        rows[run.fsid] = Exclusion(
            "found", patient, rule="scan_without_visit", reason=reason, file=_relative(run.path, study)
        )
    return tuple(rows[fsid] for fsid in sorted(rows))


def _usual_protocol(visits: pd.DataFrame) -> str:
    named = visits.loc[(visits["fsid"] != "") & (visits["protocol"] != ""), "protocol"]
    counts = Counter(named.tolist())
    return min(counts, key=lambda label: (-counts[label], label), default="")


def _is_there(path: Path) -> bool:
    """Unlike Path.exists in some versions of Python, a folder that may not be entered is an error."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _relative(path: Path, study: Study) -> str:
    return path.relative_to(study.data.subjects_dir).as_posix()


@dataclass
class _Reader:
    study: Study
    runs: Sequence[Run]
    structures: Sequence[Structure]
    usual_protocol: str
    claimed: frozenset[str]
    faults: list[Fault] = field(default_factory=list)
    found: FoundSources = field(default_factory=FoundSources)

    def __post_init__(self) -> None:
        self.by_name = time_points(self.runs, self.study.data.stream)
        self.other_stream = time_points(self.runs, "cross" if self.study.data.stream == "long" else "long")

    def scan(self, row: Mapping[Any, Any]) -> Scan:
        blank = Scan(row["patient"], int(row["visit"]), "none", (math.nan,) * len(self.structures))
        if not row["fsid"]:
            return _left_out(blank, "none", "found", rule="visit_without_scan", reason="no fsid at this visit")
        candidates = self.by_name.get(row["fsid"], ())
        if len(candidates) > 1:
            self._ambiguous(row["fsid"], candidates)
            return blank
        if not candidates:
            return _left_out(blank, "missing", "found", rule="scan_missing", reason=self._absence(row["fsid"]))
        return self._measured(replace(blank, run=candidates[0], status="usable"), row)

    def _ambiguous(self, fsid: str, candidates: Sequence[Run]) -> None:
        folders = " and ".join(run.path.name for run in candidates)
        todo = "write the whole name of the folder meant in fsid"
        self.faults.append(Fault(folders, f"one run of {fsid}", todo, str(self.study.data.visits), column="fsid"))

    def _absence(self, fsid: str) -> str:
        stream = self.study.data.stream
        reason = f"no {stream} run of {fsid} in the SUBJECTS_DIR"
        if fsid in self.other_stream:
            return f"{reason}, only {self.other_stream[fsid][0].path.name}"
        # A run that no visit names is the likelier one to be meant.
        loose = [name for name, found in self.by_name.items() if not any(self._is_claimed(run) for run in found)]
        near = difflib.get_close_matches(fsid, loose, n=1) or difflib.get_close_matches(fsid, self.by_name, n=1)
        return f"{reason}; is {near[0]} meant?" if near else reason

    def _is_claimed(self, run: Run) -> bool:
        return bool({run.fsid, run.path.name} & self.claimed)

    def _measured(self, scan: Scan, row: Mapping[Any, Any]) -> Scan:
        """Read the volumes and judge them, if recon-all got so far."""
        run = scan.run
        assert run is not None
        if run.state != "finished":
            folder = _relative(run.path, self.study)
            return _left_out(scan, run.state, "processed", rule=f"recon_{run.state}", reason=run.reason, file=folder)
        path = run.path / "stats" / "aseg.stats"
        file = _relative(path, self.study)
        if not _is_there(path):
            reason = "recon-all is done, but there is no aseg.stats"
            return _left_out(scan, "failed", "processed", rule="stats_missing", reason=reason, file=file)
        try:
            stats = read_stats(path)
        except DataError as error:
            self.faults += error.faults
            return scan
        self.found.add(stats)
        judged = self._judge(self._with_volumes(replace(scan, file=file), stats), row)
        if judged.status == "usable":
            self.faults += etiv_fault(stats, ETIV)
        return judged

    def _with_volumes(self, scan: Scan, stats: StatsFile) -> Scan:
        volumes, missing = [], []
        for structure in self.structures:
            try:
                volumes.append(structure_volume(stats, structure))
            except MissingSourceError as reason:
                volumes.append(math.nan)
                missing.append(_processed(scan, "source_missing", str(reason), structure.id))
        try:
            etiv = measure_volume(stats, ETIV)
        except MissingSourceError as reason:
            etiv = math.nan
            missing.append(_processed(scan, "etiv_missing", f"{reason}: no change in % of eTIV", ""))
        return replace(scan, volumes=tuple(volumes), etiv=etiv, exclusions=(*scan.exclusions, *missing))

    def _judge(self, scan: Scan, row: Mapping[Any, Any]) -> Scan:
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
        return scan


def _left_out(scan: Scan, status: str, stage: str, *, rule: str, reason: str, file: str = "") -> Scan:
    row = Exclusion(stage, scan.patient, scan.visit, rule=rule, reason=reason, file=file)
    return replace(scan, status=status, exclusions=(*scan.exclusions, row))


def _processed(scan: Scan, rule: str, reason: str, structure: str) -> Exclusion:
    return Exclusion("processed", scan.patient, scan.visit, structure, rule=rule, reason=reason, file=scan.file)
