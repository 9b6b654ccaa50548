"""Reading the scan of every visit: found, measured, judged; in several processes where there are many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from atrobayes.data_prep.definitions import too_soon_after_steroid
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.matching import Match, Matching
from atrobayes.data_prep.measured import MissingSourceError, VolumeFile
from atrobayes.data_prep.scan_checks import FoundSources, etiv_fault
from atrobayes.data_prep.scans import NOWHERE, Place, Scan
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.structures import Structure
from atrobayes.data_prep.volumes import Origin, etiv_volume, find_etiv, structure_volume
from atrobayes.errors import DataError, Fault
from atrobayes.study import Study

FEWEST_TO_SHARE = 2_000  # visits from which starting processes costs less than they save
_ROWS_AT_ONCE = 500


def read_scans(
    study: Study,
    visits: pd.DataFrame,
    sources: Sequence[Source],
    structures: Sequence[Structure],
    jobs: int = 1,
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
    jobs : int
        Processes that read at a time, where there are scans enough to be worth it. The result does not
        depend on it.

    Returns
    -------
    tuple of Scan, one per row of `visits`

    Raises
    ------
    DataError
        If files are damaged, a visit has several runs, an eTIV of a usable scan is that of no head, or a
        name of an own structure is in no scan; all at once.
    """
    reader = ScanReader(study, sources, structures, _usual_protocol(visits), frozenset(visits["fsid"]))
    rows = visits.reset_index().to_dict("records")
    parts = _in_processes(reader, rows, jobs) if jobs > 1 and len(rows) >= FEWEST_TO_SHARE else [reader.read(rows)]
    found = FoundSources(set().union(*(part.names for part in parts)))
    faults = [*reader.matching.faults, *(fault for part in parts for fault in part.faults)]
    faults += found.faults(study, structures)
    scans = tuple(scan for part in parts for scan in part.scans)
    faults += _shared(study, scans)
    if faults:
        raise DataError(list(dict.fromkeys(faults)))
    return scans


def _shared(study: Study, scans: Sequence[Scan]) -> Iterator[Fault]:
    """Find runs that are the scan of two visits: between those nothing would have changed."""
    first: dict[str, Scan] = {}
    for scan in scans:
        for where in scan.wheres:
            other = first.setdefault(where, scan)
            if other is not scan:
                visits = " and ".join(f"visit {one.visit} of {one.patient}" for one in (other, scan))
                found = f"{where} at {visits}"
                todo = "name another scan at one of the two visits, or n/a"
                yield Fault(found, "each scan at one visit", todo, str(study.data.visits), column="fsid")


class ReadPart(NamedTuple):
    """What was read of some visits.

    Attributes
    ----------
    scans : tuple of Scan
    faults : tuple of Fault
        Of the visits' matches and files.
    names : set of str
        Every name their files hold.
    """

    scans: tuple[Scan, ...]
    faults: tuple[Fault, ...]
    names: set[str]


def _in_processes(reader: ScanReader, rows: Sequence[Mapping[Any, Any]], jobs: int) -> list[ReadPart]:
    """Read in processes of their own: parsing is the work, and threads would do it one after the other."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    parts = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
    # fresh processes: a copy of this one would copy the threads that draw the progress, half-way
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(parts)), context, initializer=_keep, initargs=(reader,)) as pool:
        return list(pool.map(_read_kept, parts))


_KEPT: list[ScanReader] = []  # of a process that reads for another: its reader


def _keep(reader: ScanReader) -> None:
    _KEPT[:] = [reader]


def _read_kept(rows: Sequence[Mapping[Any, Any]]) -> ReadPart:
    return _KEPT[0].read(rows)


def _usual_protocol(visits: pd.DataFrame) -> str:
    named = visits.loc[visits["protocol"] != "", "protocol"]
    counts = Counter(named.tolist())
    return min(counts, key=lambda label: (-counts[label], label), default="")


@dataclass
class ScanReader:
    """Reads the scan of a visit.

    Attributes
    ----------
    study : Study
    sources : sequence of Source
    structures : sequence of Structure
    usual_protocol : str
        That of most scans.
    claimed : frozenset of str
        Names that visits have.
    """

    study: Study
    sources: Sequence[Source]
    structures: Sequence[Structure]
    usual_protocol: str
    claimed: frozenset[str]

    def __post_init__(self) -> None:
        self.matching = Matching(self.study, self.sources)
        self.names_scans = any(match.run.stream != "any" for match in self.matching.all)
        self.faults: list[Fault] = []
        self.found = FoundSources()

    def read(self, rows: Sequence[Mapping[Any, Any]]) -> ReadPart:
        """Read the scans of some visits.

        Parameters
        ----------
        rows : sequence of mapping
            Rows of `Clinical.visits`.
        """
        self.faults, self.found = [], FoundSources()
        known = len(self.matching.faults)
        scans = tuple(self.scan(row) for row in rows)
        told, self.matching.faults[known:] = self.matching.faults[known:], []
        return ReadPart(scans, (*told, *self.faults), self.found.names)

    def scan(self, row: Mapping[Any, Any]) -> Scan:
        """Find, read and judge the scan of one visit.

        Parameters
        ----------
        row : mapping
            A row of `Clinical.visits`.
        """
        unknown = np.full((len(self.structures), 3), math.nan)
        places = (NOWHERE,) * len(self.structures)
        blank = Scan(row["patient"], int(row["visit"]), "none", unknown, places)
        before = len(self.matching.faults)
        matches = self.matching.of_visit(row)
        if row["fsid"] and self.names_scans and all(match.run.stream == "any" for match in matches):
            matches = ()  # the scan that is named is not there: other numbers of the visit do not stand in for it
        if matches:
            blank = replace(blank, wheres=tuple(match.run.where for match in matches))
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
                if row["quality"] == "fail":
                    reason = f"quality is fail, and its file is damaged: {error.faults[0].found}"
                    return _left_out(scan, "failed", "usable", rule="quality_fail", reason=reason, file=run.where)
                self.faults += error.faults
                return scan
        named = {file.path: _name(file.path, matches) for file in files}
        self.found.add(files)
        scan = replace(scan, files=tuple((name, path) for path, name in named.items()))
        return self._judge(self._with_volumes(scan, files, named), row, files)

    def _with_volumes(self, scan: Scan, files: Sequence[VolumeFile], named: Mapping[Path, str]) -> Scan:
        volumes = np.full((len(self.structures), 3), math.nan)
        places = [NOWHERE] * len(self.structures)
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
        origin = None if math.isnan(size) else find_etiv(files)
        return replace(
            scan,
            volumes=volumes,
            places=tuple(places),
            etiv=size,
            etiv_place=NOWHERE if origin is None else _place((origin,), None, named),
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
            return run.table
        if path.is_relative_to(run.path):
            return f"{run.where}/{path.relative_to(run.path).as_posix()}"
    return path.name


def _place(origins: Sequence[Origin], structure: Structure | None, named: Mapping[Path, str]) -> Place:
    if len(origins) == 1:
        (origin,) = origins
        return Place(named[origin.file.path], _signed((1,), (str(origin.value.line),)), origin.name)
    files = list(dict.fromkeys(named[origin.file.path] for origin in origins))
    signs = structure.signs if structure is not None and len(origins) == len(structure.terms) else (1,)
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
