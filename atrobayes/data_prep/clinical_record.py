"""The clinical tables of a study, each read and checked by itself."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import pandas as pd

from atrobayes.data_prep.bids import bids_tables
from atrobayes.data_prep.clinical_columns import (
    EDSS_COLUMNS,
    PATIENT_COLUMNS,
    RELAPSE_COLUMNS,
    VISIT_COLUMNS,
    ClinicalColumn,
    RowRule,
)
from atrobayes.data_prep.clinical_dates import STEROID_RULES
from atrobayes.data_prep.clinical_events import EVENT_RULES
from atrobayes.data_prep.clinical_table import ClinicalTable
from atrobayes.data_prep.mask_rows import CHANGE, FULL
from atrobayes.study import Study


@dataclass(frozen=True)
class ClinicalTables:
    """The clinical tables of a study, as read.

    Attributes
    ----------
    patients, visits : ClinicalTable
    relapses, edss : ClinicalTable or None
        None where the study does not name one.
    files : tuple of Path
        Every file read.
    remarks : tuple of str
        For the user, of what no single table tells.
    """

    patients: ClinicalTable
    visits: ClinicalTable
    relapses: ClinicalTable | None
    edss: ClinicalTable | None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[ClinicalTable, ...]:
        """Tables of events, those there are."""
        return tuple(table for table in (self.relapses, self.edss) if table is not None)

    @property
    def all(self) -> tuple[ClinicalTable, ...]:
        """Every table, in the order faults are told."""
        return (self.patients, self.visits, *self.events)


def clinical_tables(study: Study) -> ClinicalTables:
    """Read the clinical tables a study names, or those of its BIDS dataset.

    Raises
    ------
    DataError
        If the tables of a BIDS dataset cannot be joined; what else is wrong, the tables say.
    """
    events = event_tables(study)
    event_files = tuple(table.path for table in events if table is not None)
    if study.data.bids is None:
        files = (study.data.patients, study.data.visits, *event_files)
        return ClinicalTables(patient_table(study), visit_table(study), *events, files)
    read = bids_tables(study.data.bids, study.definitions.visit_tolerance_months)
    patients = patient_table(study, read.patients, read.patient_origins)
    visits = visit_table(study, read.visits, read.visit_origins)
    return ClinicalTables(patients, visits, *events, (*read.files, *event_files), read.notes)


def has_groups(patients: ClinicalTable) -> bool:
    """Whether patients are told apart; a column of groups that nobody has filled in yet does not."""
    return "group" in patients.known and bool(patients.cells["group"].ne("").any())


def event_tables(study: Study) -> tuple[ClinicalTable | None, ClinicalTable | None]:
    """Read the tables of relapses and of EDSS assessments; None for one that the study does not name."""
    return _event_table(study.data.relapses, RELAPSE_COLUMNS), _event_table(study.data.edss, EDSS_COLUMNS)


def patient_table(
    study: Study, text: pd.DataFrame | None = None, origins: Mapping[int, tuple[Path, int]] | None = None
) -> ClinicalTable:
    """Read the table of patients.

    Parameters
    ----------
    study : Study
    text, origins : optional
        Where its rows are not those of the study's own file, see `ClinicalTable`.
    """
    return ClinicalTable(study.data.patients, PATIENT_COLUMNS, text=text, origins=origins)


def visit_table(
    study: Study, text: pd.DataFrame | None = None, origins: Mapping[int, tuple[Path, int]] | None = None
) -> ClinicalTable:
    """Read the table of visits.

    Parameters
    ----------
    study : Study
    text, origins : optional
        Where its rows are not those of the study's own file, see `ClinicalTable`.
    """
    homes = (study.data.visits.parent, study.path.parent)
    masks = [rule for column in (FULL, CHANGE) for rule in _mask_rules(column, *homes)]
    rules = (*STEROID_RULES, *masks)
    return ClinicalTable(study.data.visits, VISIT_COLUMNS, rules=rules, text=text, origins=origins)


def _event_table(path: Path | None, columns: Mapping[str, ClinicalColumn]) -> ClinicalTable | None:
    return None if path is None else ClinicalTable(path, columns, rules=EVENT_RULES, extras_kept=False)


def _mask_rules(column: str, folder: Path, study_folder: Path) -> tuple[RowRule, RowRule]:
    """Masks lie in the study's folder: judged by the path as written, so links inside it may lead elsewhere."""

    def inside(text: str) -> bool:
        if PureWindowsPath(text).drive:
            return False
        place = Path(os.path.normpath(folder / text))
        return any(place.is_relative_to(os.path.normpath(home)) for home in (study_folder, folder))

    def relative(text: str) -> bool:
        return not (Path(text).is_absolute() and inside(text))  # elsewhere: the other rule's

    expected = f"a path from {folder.name or folder} that stays in the study's folder"
    return (
        _path_rule(column, inside, expected, "a path outside the study is not read: move the file"),
        _path_rule(column, relative, expected, "write it relative to the table's folder"),
    )


def _path_rule(column: str, keeps: Callable[[str], bool], expected: str, todo: str) -> RowRule:
    def kept(rows: pd.DataFrame) -> pd.Series[bool]:
        return rows[column].map(keeps).astype("bool")

    return RowRule(column, (column,), kept, expected, todo)
