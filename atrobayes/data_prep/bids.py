"""Patients and visits of a BIDS dataset: participants.tsv and every sub-X_sessions.tsv, as our own tables have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from atrobayes.data_prep.bids_visits import nominal_visits
from atrobayes.data_prep.clinical_dates import DAYS_PER_YEAR
from atrobayes.data_prep.privacy import identifier_faults, identifier_in, read_discreetly
from atrobayes.data_prep.visit_labels import label_count
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.files import MISSING

PARTICIPANTS = "participants.tsv"
# BIDS: a date before 1925 was shifted so that only the time between visits is true
_SHIFTED_BEFORE = 1925
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:T.*)?", re.ASCII)
# the spellings BIDS allows; "other" has no word in our tables, so it is missing
_SEX = {"m": "M", "male": "M", "f": "F", "female": "F", "o": MISSING, "other": MISSING}


class Origin(NamedTuple):
    """Where a row stood.

    Attributes
    ----------
    path : Path
    line : int
        The header is line 1.
    """

    path: Path
    line: int


@dataclass(frozen=True)
class BidsTables:
    """What a BIDS dataset says of patients and visits, as `ClinicalTable` takes it.

    Attributes
    ----------
    patients, visits : DataFrame
        As text, `n/a` where missing; the index is each row's number, from 2.
    patient_origins, visit_origins : mapping of int to (Path, int)
        By row number the file and line a row came from; 1 stands for the header.
    files : tuple of Path
        Every file read.
    notes : tuple of str
        Remarks for the user.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    patient_origins: Mapping[int, Origin]
    visit_origins: Mapping[int, Origin]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def bids_tables(root: Path, tolerance_months: float = 6) -> BidsTables:
    """Read participants.tsv and every sub-X/sub-X_sessions.tsv.

    `participant_id` becomes patient without its `sub-`; sex M or F from any spelling BIDS allows ("other" is
    missing). `session_id` Y of X gives fsid `sub-X_ses-Y`, unless there is a column fsid. `acq_time` becomes date,
    unless there is a column date; where it was shifted to before 1925, years since visit 0 are given in its place.
    visit is the column `visit`, else the nominal year nearest to the time since the first session, unless names of
    sessions say otherwise. Other columns are kept under their names.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    tolerance_months : float
        How far from its nominal year a session without a column `visit` may lie.

    Returns
    -------
    BidsTables

    Raises
    ------
    DataError
        If tables or their names tell who a patient is, with that alone; if a file is missing or damaged, or the visit
        of sessions cannot be told; all at once.
    """
    faults: list[Fault] = []
    files = sorted(root.glob("sub-*/sub-*_sessions.tsv")) if root.is_dir() else []
    _refuse_named(root, files)
    read = {path: attempt(lambda path=path: read_discreetly(path), faults) for path in (root / PARTICIPANTS, *files)}  # type: ignore[misc]
    _refuse_identifiers({path: table for path, table in read.items() if table is not None})
    participants = read.pop(root / PARTICIPANTS)
    patients = (
        None if participants is None else attempt(lambda: _participants(root / PARTICIPANTS, participants), faults)
    )
    if not files:
        todo = "write one for each participant, with session_id and visit or acq_time"
        faults.append(Fault("no such file", "a table of sessions", todo, str(root / "sub-*" / "sub-*_sessions.tsv")))
    tables = _all_sessions(read, tolerance_months, faults)
    if faults or patients is None:
        raise DataError(faults)
    visits, origins = _stacked(tables)
    return BidsTables(
        patients=patients,
        visits=visits,
        patient_origins={line: Origin(root / PARTICIPANTS, line) for line in [1, *patients.index.tolist()]},
        visit_origins=origins,
        files=(root / PARTICIPANTS, *files),
        notes=_without_sessions(patients, visits),
    )


def sessions_file(root: Path, patient: str) -> Path:
    """Path of a patient's table of sessions."""
    return root / f"sub-{patient}" / f"sub-{patient}_sessions.tsv"


def _refuse_named(root: Path, files: Sequence[Path]) -> None:
    """Stop at folders and files named after persons: any other fault would name them."""
    kinds = [kind for path in files if (kind := identifier_in(path.relative_to(root).as_posix()))]
    if kinds:
        found = f"{kinds[0]} in the name of {len(kinds)} of {len(files)} tables of sessions"
        raise DataError(Fault(found, "no identifiers", "rename these files and their folders", str(root)))


def _refuse_identifiers(tables: Mapping[Path, pd.DataFrame]) -> None:
    """Stop at what tells who a patient is, before another fault can repeat it."""
    found = [fault for path, table in tables.items() for fault in identifier_faults(path, table)]
    if found:
        raise DataError(found)


def _participants(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    _check_key(path, table, "participant_id")
    table = table.rename(columns={"participant_id": "patient"})
    table["patient"] = table["patient"].str.removeprefix("sub-")
    if "sex" in table:
        table["sex"] = [_SEX.get(cell.lower(), cell) for cell in table["sex"]]
    return table


def _all_sessions(
    read: Mapping[Path, pd.DataFrame | None], tolerance_months: float, faults: list[Fault]
) -> list[tuple[Path, pd.DataFrame]]:
    """Visits of every table that is sound; what is wrong with the others is added to `faults`."""
    tables = {path: table for path, table in read.items() if table is not None}
    labels = [label for table in tables.values() if "session_id" in table for label in table["session_id"]]
    first = min((count for label in labels if (count := label_count(_bare(label))) is not None), default=0)
    sessions = {
        path: attempt(lambda path=path, table=table: _sessions(path, table, tolerance_months, first), faults)  # type: ignore[misc]
        for path, table in tables.items()
    }
    return [(path, table) for path, table in sessions.items() if table is not None]


def _sessions(path: Path, table: pd.DataFrame, tolerance_months: float, first: int) -> pd.DataFrame:
    subject = path.name.removesuffix("_sessions.tsv")
    _check_key(path, table, "session_id")
    _refuse_doubled(path, table)
    names = [f"ses-{_bare(name)}" for name in table["session_id"]]
    moments = table["acq_time"] if "acq_time" in table else pd.Series(MISSING, index=table.index, dtype="str")
    days = [_day(cell) for cell in moments]
    if "visit" not in table:
        visits = nominal_visits(path, names, days, tolerance_months, first)
        table = table.assign(visit=pd.Series([str(visit) for visit in visits], index=table.index, dtype="str"))
    if "acq_time" in table:
        table = _with_times(table.drop(columns="acq_time"), moments, days)
    if "fsid" not in table:
        table = table.assign(fsid=pd.Series([f"{subject}_{name}" for name in names], index=table.index, dtype="str"))
    return table.assign(patient=subject.removeprefix("sub-")).drop(columns="session_id")


def _bare(session: str) -> str:
    return session.removeprefix("ses-")


def _check_key(path: Path, table: pd.DataFrame, key: str) -> None:
    if key not in table:
        raise DataError(Fault("no such column", f"a column {key!r}, as BIDS asks for", "add it", str(path), 1, key))
    missing = [
        Fault("nothing", f"a {key.replace('_', ' ')}", "fill it in", str(path), line, key)
        for line in table.index[table[key] == MISSING]
    ]
    if missing:
        raise DataError(missing)
    ours = {"participant_id": "patient", "session_id": "patient"}[key]
    if ours in table:
        todo = "rename it: the patient is told by participant_id and the name of the file"
        raise DataError(Fault(f"the column {ours!r}", "a name that is free", todo, str(path), 1, ours))


def _refuse_doubled(path: Path, table: pd.DataFrame) -> None:
    doubled = table.index[table["session_id"].duplicated()]
    faults = [
        Fault(f"{table.loc[line, 'session_id']} again", "it once", "keep one row", str(path), line, "session_id")
        for line in doubled
    ]
    if faults:
        raise DataError(faults)


def _day(cell: str) -> date | None:
    """Day of a moment such as 2021-03-31T08:15:00; None where there is none, or none that can be read."""
    match = _DAY.fullmatch(cell)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _with_times(table: pd.DataFrame, moments: pd.Series[str], days: Sequence[date | None]) -> pd.DataFrame:
    """Dates, or years where dates were shifted: a shifted date says nothing but how long it is between two."""
    if any(day is not None and day.year < _SHIFTED_BEFORE for day in days):
        return table if "years" in table else table.assign(years=_years(table, days))
    if "date" in table:
        return table
    # what cannot be read stands as it is, for the reader of dates to refuse
    cells = [cell if day is None else day.isoformat() for cell, day in zip(moments, days, strict=True)]
    return table.assign(date=pd.Series(cells, index=table.index, dtype="str"))


def _years(table: pd.DataFrame, days: Sequence[date | None]) -> pd.Series[str]:
    """Years since visit 0, `n/a` where there is no such visit."""
    first = [day for visit, day in zip(table["visit"], days, strict=True) if visit == "0" and day is not None]
    cells = [f"{(day - first[0]).days / DAYS_PER_YEAR:.6g}" if first and day is not None else MISSING for day in days]
    return pd.Series(cells, index=table.index, dtype="str")


def _stacked(read: Sequence[tuple[Path, pd.DataFrame]]) -> tuple[pd.DataFrame, dict[int, Origin]]:
    places = [Origin(path, line) for path, table in read for line in table.index.tolist()]
    stacked = pd.concat([table for _, table in read]).fillna(MISSING)
    stacked.index = pd.RangeIndex(2, 2 + len(stacked), name="line")
    origins = {1: Origin(read[0][0], 1)} | dict(enumerate(places, start=2))
    return stacked.astype("str"), origins


def _without_sessions(patients: pd.DataFrame, visits: pd.DataFrame) -> tuple[str, ...]:
    seen = frozenset(visits["patient"])
    bare = [name for name in patients["patient"] if name not in seen]
    if not bare:
        return ()
    shown = ", ".join(bare[:3]) + (" …" if len(bare) > 3 else "")
    return (f"{PARTICIPANTS}: {len(bare)} of {len(patients)} participants have no sessions.tsv ({shown})",)
