"""Flags of the runs in a SUBJECTS_DIR: templates and their members, unfinished runs, holes of cross runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from atrobayes.data_prep.quality_flags import Flag
from atrobayes.data_prep.scans import Scan
from atrobayes.data_prep.sources import ASEG, Source, SubjectsDir
from atrobayes.data_prep.stats_files import StatsFile, read_stats
from atrobayes.data_prep.subjects_dir import MARKER, Run
from atrobayes.errors import DataError

Owner = tuple[str, int | None]


@dataclass(frozen=True)
class Runs:
    """Runs of the SUBJECTS_DIR beside the scans that came of them.

    Attributes
    ----------
    runs : tuple of Run
        Of every stream.
    scans : sequence of Scan
        One for each visit.
    fsids : sequence of str
        What the visit table calls each of them; "" where it does not.
    """

    runs: tuple[Run, ...]
    scans: Sequence[Scan]
    fsids: Sequence[str]

    @classmethod
    def of(cls, scans: Sequence[Scan], fsids: Sequence[str], sources: Sequence[Source]) -> Runs:
        """Take the runs of every SUBJECTS_DIR among the sources."""
        folders = [source for source in sources if isinstance(source, SubjectsDir)]
        return cls(tuple(run for folder in folders for run in folder.runs), scans, fsids)

    @cached_property
    def owners(self) -> Mapping[str, Owner]:
        """Patient and visit of each time point's name."""
        named: dict[str, Owner] = {}
        for scan, fsid in zip(self.scans, self.fsids, strict=True):
            for name in (fsid.partition(MARKER)[0], scan.run.fsid if scan.run else ""):
                named[name] = (scan.patient, scan.visit)
        named.pop("", None)
        return named

    @cached_property
    def template_owners(self) -> Mapping[str, str]:
        """Patient of each template; "" for one that several patients' scans name."""
        named: dict[str, set[str]] = {}
        for scan in self.scans:
            if scan.run and scan.run.base:
                named.setdefault(scan.run.base, set()).add(scan.patient)
        return {base: next(iter(who)) if len(who) == 1 else "" for base, who in named.items()}

    def owner(self, run: Run) -> Owner:
        """Patient and visit of a run, as far as the visit table tells."""
        if run.stream == "base":
            return self.template_owners.get(run.fsid, ""), None
        return self.owners.get(run.fsid, (self.template_owners.get(run.base or "", ""), None))


def run_flags(runs: Runs, stream: str, most_holes: int) -> Iterator[Flag]:
    """Flag what the folders of runs show.

    Parameters
    ----------
    runs : Runs
    stream : "long" or "cross"
        Of the study; templates matter to longitudinal volumes only.
    most_holes : int
        Holes of both surfaces beyond which a scan is flagged.

    Yields
    ------
    Flag
        Rules run_unfinished (any run, of whatever stream, that recon-all.done, IsRunning and the log's last
        word together show not to be finished), template_members (a usable longitudinal run that its template
        does not list, or a listed time point without a longitudinal run; templates without base-tps tell
        nothing), holes and cross_unreadable (from the cross-sectional run of a usable scan's time point:
        longitudinal runs have no holes of their own).
    """
    yield from _unfinished(runs)
    if stream == "long":
        yield from _members(runs)
    yield from _holes(runs, most_holes)


def _unfinished(runs: Runs) -> Iterator[Flag]:
    kinds = {"long": "longitudinal run", "cross": "cross-sectional run", "base": "template"}
    for run in runs.runs:
        if run.state != "finished":
            patient, visit = runs.owner(run)
            yield Flag("run_unfinished", patient, visit, reason=f"{run.where} ({kinds[run.stream]}): {run.reason}")


def _members(runs: Runs) -> Iterator[Flag]:
    templates = {run.fsid: run for run in runs.runs if run.stream == "base" and run.members}
    measured = {(run.base, run.fsid) for run in runs.runs if run.stream == "long"}
    for scan in runs.scans:
        template = templates.get(scan.run.base or "") if scan.run else None
        if scan.run and template and scan.status == "usable" and scan.run.fsid not in template.members:
            reason = f"{scan.run.fsid} is not among the {len(template.members)} in {template.where}/base-tps; kept"
            yield Flag("template_members", scan.patient, scan.visit, reason=reason)
    for name, patient in runs.template_owners.items():
        for member in templates[name].members if name in templates else ():
            if (name, member) not in measured:
                reason = f"{name}/base-tps lists {member}, which has no longitudinal run"
                yield Flag("template_members", patient, runs.owners.get(member, ("", None))[1], reason=reason)


def _holes(runs: Runs, most: int) -> Iterator[Flag]:
    crossed = {run.fsid: run for run in runs.runs if run.stream == "cross"}
    for scan in runs.scans:
        run = crossed.get(scan.run.fsid) if scan.run and scan.status == "usable" else None
        path = run.path / "stats" / ASEG if run else None
        if run is None or path is None or not path.is_file():
            continue
        try:
            found = _count(read_stats(path))
        except (DataError, PermissionError) as error:
            why = error.faults[0].found if isinstance(error, DataError) else "no permission to read it"
            reason = f"{run.where}/stats/{ASEG}: {why}"
            yield Flag("cross_unreadable", scan.patient, scan.visit, reason=reason)
            continue
        if found > most:
            reason = f"{found:g} holes in the surfaces of {run.where} before mending; kept"
            yield Flag("holes", scan.patient, scan.visit, value=found, limit=most, unit="holes", reason=reason)


def _count(stats: StatsFile) -> float:
    """Holes of both surfaces; NaN where the file, as those of old versions, does not say."""
    both = stats.value("SurfaceHoles")
    if both is not None:
        return both.value
    sides = [stats.value(name) for name in ("lhSurfaceHoles", "rhSurfaceHoles")]
    return sum(side.value if side is not None else math.nan for side in sides)
