"""A study begun: study.toml and tables of patients and visits, filled in as far as folders and BIDS tell."""

from __future__ import annotations

import json
import os.path
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atrobayes.data_prep.bids import bids_tables
from atrobayes.data_prep.clinical_columns import PATIENT_COLUMNS, VISIT_COLUMNS, ClinicalColumn
from atrobayes.data_prep.clinical_table import ClinicalTable
from atrobayes.data_prep.new_folder import new_folder
from atrobayes.data_prep.privacy import identifier_faults
from atrobayes.data_prep.run_names import TimePoint, read_names
from atrobayes.data_prep.subjects_dir import Run, find_runs
from atrobayes.errors import DataError
from atrobayes.files import MISSING, Column, write_table, write_text

# the columns a study needs filled in; others may be added
_PATIENTS = ("patient", "group", "sex", "age", "disease_duration", "previous_dmts", "relapses_before")
_VISITS = ("patient", "visit", "date", "fsid", "new_t2", "new_gd", "relapses", "edss", "days_since_steroid")

_STUDY = """\
# Begun by atrobayes init. Fill in patients.tsv and visits.tsv; n/a stands for unknown and is never read as zero.
# What is still missing, and which analyses the data allow: atrobayes check {file}
format = 1

[study]
name = {name}
# groups = ["A", "B"]                # labels of patients.tsv, column group; the interaction is first minus second.
                                     # As long as no group is filled in, all patients are one group
seed = 1

[data]                               # paths are relative to this file
subjects_dir = {subjects}
patients = "patients.tsv"
visits = "visits.tsv"                # date: day of the visit, 2021-03-31; or a column years, since visit 0
# relapses = "relapses.tsv"          # relapses with their own dates, in place of the column relapses
# edss = "edss.tsv"                  # EDSS between the visits
{bids}structures = "paper"                 # or "all", or a list of ids
stream = "{stream}"{pad}# or "{other}"

[definitions]
steroid_weeks = 8                    # scans closer to steroids than this are left out
edss_confirmation_weeks = 24
lesion_timing = "end"                # counts of the visit that closes the interval; or "start"

[analyses]
# use = ["year_to_year_t2"]          # default: all that the data allow

[priors]
slope = "regularising"               # or "wide", "sceptical", {{ normal = [0, 0.3] }}

[inference]
engine = "auto"                      # "quadrature" leaves out what must be sampled: sooner done
"""


@dataclass(frozen=True)
class Begun:
    """What was found and written.

    Attributes
    ----------
    patients, visits : int
        Rows written.
    states : mapping of str to int
        How many of the time points are finished, unfinished, failed, or absent: listed by a template or by BIDS,
        without a run of the stream.
    rule : str
        How patient and visit were told.
    notes : tuple of str
        Remarks for the user.
    """

    patients: int
    visits: int
    states: Mapping[str, int]
    rule: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Tables:
    patients: pd.DataFrame
    visits: pd.DataFrame
    states: Mapping[str, int]
    rule: str
    notes: tuple[str, ...] = ()


def begin_study(
    folder: Path,
    subjects_dir: Path,
    *,
    stream: str = "long",
    pattern: str | None = None,
    first_visit: int | None = None,
    bids: Path | None = None,
) -> Begun:
    """Write study.toml, patients.tsv and visits.tsv for the runs of a SUBJECTS_DIR.

    Parameters
    ----------
    folder : Path
        New or empty.
    subjects_dir : Path
    stream : "long" or "cross"
    pattern, first_visit : optional
        How names of time points are read, see `read_names`.
    bids : Path, optional
        BIDS dataset to take patients and visits from, in place of names; what it tells besides is written too.

    Returns
    -------
    Begun
        Every time point is written, finished or not; columns that nothing tells are n/a.

    Raises
    ------
    UsageError
        If the folder holds anything, or the pattern is none; nothing is written then.
    DataError
        If patient and visit cannot be told, or the tables would hold identifiers of persons.
    """
    with new_folder(folder) as draft:
        runs = find_runs(subjects_dir)
        tables = (
            _from_bids(bids, runs, stream) if bids else _from_names(subjects_dir, runs, stream, pattern, first_visit)
        )
        _write(draft / "patients.tsv", tables.patients, PATIENT_COLUMNS)
        _write(draft / "visits.tsv", tables.visits, VISIT_COLUMNS)
        write_text(draft / "study.toml", _study_text(folder, subjects_dir, stream, bids))
    return Begun(len(tables.patients), len(tables.visits), tables.states, tables.rule, tables.notes)


def _from_names(
    subjects_dir: Path, runs: Sequence[Run], stream: str, pattern: str | None, first_visit: int | None
) -> _Tables:
    reading = read_names(subjects_dir, runs, stream, pattern, first_visit)
    points = reading.points
    patients = list(dict.fromkeys(point.patient for point in points))
    visits = pd.DataFrame([(point.patient, str(point.visit), point.fsid) for point in points])
    notes = [*_loose(runs, stream, {point.fsid for point in points}), *_late(points)]
    return _Tables(
        _with_columns(pd.DataFrame({"patient": patients}, dtype="str"), _PATIENTS),
        _with_columns(visits.set_axis(["patient", "visit", "fsid"], axis=1), _VISITS),
        Counter(point.state for point in points),
        reading.rule,
        tuple(notes),
    )


def _from_bids(root: Path, runs: Sequence[Run], stream: str) -> _Tables:
    read = bids_tables(root)
    tables = (
        ClinicalTable(root / "participants.tsv", PATIENT_COLUMNS, text=read.patients, origins=read.patient_origins),
        ClinicalTable(root / "sessions.tsv", VISIT_COLUMNS, text=read.visits, origins=read.visit_origins),
    )
    faults = [table.placed(fault) for table in tables for fault in identifier_faults(table.path, table.text)]
    if faults:
        raise DataError(faults)
    states = {run.fsid: run.state for run in runs if run.stream == stream}
    named = [name for name in read.visits["fsid"] if name != MISSING]
    return _Tables(
        _with_columns(read.patients, _PATIENTS),
        _with_columns(read.visits, _VISITS),
        Counter(states.get(name, "absent") for name in named),
        f"patient, visit and date: as {root.name} says; fsid: sub-PATIENT_ses-SESSION",
        (*read.notes, *_loose(runs, stream, set(named))),
    )


def _with_columns(text: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Known columns first, those that nothing tells n/a; then what there is besides."""
    absent = {name: MISSING for name in names if name not in text}
    rest = [str(name) for name in text if name not in names]
    return text.assign(**absent)[[*names, *rest]]


def _write(path: Path, table: pd.DataFrame, known: Mapping[str, ClinicalColumn]) -> None:
    write_table(path, table, [_column(str(name), known.get(str(name))) for name in table])


def _column(name: str, known: ClinicalColumn | None) -> Column:
    if known is None:
        return Column(name, "As in the table it was taken from")
    units = "" if known.units == "1" else known.units
    return Column(name, f"{known.long_name}: {known.expected}", units)


def _loose(runs: Sequence[Run], stream: str, written: set[str]) -> list[str]:
    """Runs of the other stream, or beside BIDS, that stand in no row."""
    loose = sorted({run.fsid for run in runs if run.stream != "base"} - written)
    mine = {run.fsid for run in runs if run.stream == stream}
    kinds = {
        stream: [name for name in loose if name in mine],
        _other(stream): [name for name in loose if name not in mine],
    }
    return [
        f"{len(names)} {kind} run{'s stand' if len(names) > 1 else ' stands'} in no row: {_some(names)}"
        for kind, names in kinds.items()
        if names
    ]


def _other(stream: str) -> str:
    return "cross" if stream == "long" else "long"


def _late(points: Sequence[TimePoint]) -> list[str]:
    first: dict[str, int] = {}
    for point in points:
        first[point.patient] = min(point.visit, first.get(point.patient, point.visit))
    late = [patient for patient, visit in first.items() if visit > 0]
    if not late:
        return []
    return [f"{len(late)} of {len(first)} patients have no scan at visit 0 (before treatment): {_some(late)}"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _study_text(folder: Path, subjects_dir: Path, stream: str, bids: Path | None) -> str:
    told = f"# bids = {_toml(_reach(folder, bids))}   # in place of patients and visits\n" if bids else ""
    return _STUDY.format(
        file=f"{folder.name}/study.toml",
        name=_toml(folder.absolute().name),
        subjects=_toml(_reach(folder, subjects_dir)),
        bids=told,
        stream=stream,
        pad=" " * (37 - len(f'stream = "{stream}"')),
        other=_other(stream),
    )


def _reach(folder: Path, place: Path) -> str:
    """Path from a study to what it reads: relative where both lie side by side and may move together."""
    relative = Path(os.path.relpath(place.absolute(), folder.absolute()))
    return (relative if relative.parts.count("..") <= 1 else place.absolute()).as_posix()


def _toml(text: str) -> str:
    """TOML's basic strings are JSON's."""
    return json.dumps(text, ensure_ascii=False)
