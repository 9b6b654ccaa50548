"""The clinical record: patients, visits and events from their tables, checked, all faults at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from atrobayes.data_prep.clinical_checks import clinical_faults, identifiers
from atrobayes.data_prep.clinical_columns import VISIT_COLUMNS
from atrobayes.data_prep.clinical_dates import with_steroid_days, with_years
from atrobayes.data_prep.clinical_events import edss_assessments, with_relapse_counts
from atrobayes.data_prep.clinical_record import ClinicalTables, clinical_tables, has_groups
from atrobayes.data_prep.clinical_table import ClinicalTable
from atrobayes.data_prep.ledger import ALL
from atrobayes.errors import DataError, Fault
from atrobayes.study import Study


@dataclass(frozen=True)
class Clinical:
    """The clinical record, checked.

    Attributes
    ----------
    patients : DataFrame
        One row per patient in the file's order: the columns of `PATIENT_COLUMNS`, absent ones empty,
        then extra columns as text. Numbers are float64 with NaN, texts have "" for missing.
    visits : DataFrame
        One row per patient and visit, sorted by patient (as `patients`) and visit: the columns of
        `VISIT_COLUMNS`, then extra columns as text; indexed by line number. `years` are real years since visit
        0, from the dates where both visits have one; `relapses` from the table of relapses where the study has one, and
        `days_since_steroid` from `steroid_date`.
    assessments : DataFrame
        EDSS assessments of their own dates, as `edss_assessments` gives them; empty without such a table.
    groups : tuple of str
        Labels in the study's order; empty where there is no group column, or none is filled in (all patients are
        "ALL").
    patient_columns, visit_columns : tuple of str
        Known columns the files really have, and those of `visits` that were filled from other columns or tables.
    patient_extras, visit_extras : tuple of str
        Other columns, kept as text.
    notes : tuple of str
        Remarks for the user, such as an extra column that resembles a known one, or a table that is not read.
    files : tuple of Path
        Every file read.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    assessments: pd.DataFrame
    groups: tuple[str, ...]
    patient_columns: tuple[str, ...]
    visit_columns: tuple[str, ...]
    patient_extras: tuple[str, ...]
    visit_extras: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...] = ()


def read_clinical(
    study: Study, *, patients: ClinicalTable | None = None, visits: ClinicalTable | None = None
) -> Clinical:
    """Read and check the study's clinical tables.

    Parameters
    ----------
    study : Study
    patients, visits : ClinicalTable, optional
        In place of the tables that the study or its BIDS dataset names, see `patient_table` and `visit_table`.

    Raises
    ------
    DataError
        With every fault of all tables: file, line, column, what was found, what was expected. If a table holds
        names, birth dates or other identifiers, with these alone, and without saying them.
    """
    tables = clinical_tables(study)
    tables = replace(tables, patients=patients or tables.patients, visits=visits or tables.visits)
    _refuse(tables, identifiers(tables))
    _refuse(tables, list(clinical_faults(tables, study.study.groups)))
    return Clinical(
        patients=_patient_frame(tables.patients),
        visits=_visit_frame(tables),
        assessments=_assessments(tables),
        groups=_groups(tables.patients, study.study.groups),
        patient_columns=tables.patients.known,
        visit_columns=_visit_columns(tables),
        patient_extras=tables.patients.extras,
        visit_extras=tables.visits.extras,
        notes=tuple(note for table in tables.all for note in table.notes()) + tables.remarks + _unread(study),
        files=tables.files,
    )


def _refuse(tables: ClinicalTables, faults: Sequence[Fault]) -> None:
    """Stop if there are faults: table by table, line by line."""
    if faults:
        order = {str(table.path): place for place, table in enumerate(tables.all)}
        raise DataError(
            sorted(faults, key=lambda fault: (order.get(fault.file, len(order)), fault.file, fault.row or 0))
        )


def _groups(patients: ClinicalTable, groups: tuple[str, ...] | None) -> tuple[str, ...]:
    if not has_groups(patients):
        return ()
    return groups or tuple(dict.fromkeys(patients.cells["group"].tolist()))


def _patient_frame(patients: ClinicalTable) -> pd.DataFrame:
    frame = patients.cells.reset_index(drop=True)
    return frame if has_groups(patients) else frame.assign(group=ALL)


def _visit_frame(tables: ClinicalTables) -> pd.DataFrame:
    order = {name: place for place, name in enumerate(tables.patients.cells["patient"])}
    cells = tables.visits.cells
    keyed = cells.assign(visit=cells["visit"].astype("int64"), _place=cells["patient"].map(order))
    ordered = keyed.sort_values(["_place", "visit"]).drop(columns="_place")
    visits = with_steroid_days(ordered.reset_index(drop=True))
    if tables.relapses is not None:
        visits = with_relapse_counts(visits, tables.relapses.cells)
    return with_years(visits).set_axis(ordered.index.rename("line"))


def _visit_columns(tables: ClinicalTables) -> tuple[str, ...]:
    has = set(tables.visits.known)
    has |= {"relapses"} if tables.relapses is not None else set()
    has |= {"days_since_steroid"} if "steroid_date" in has else set()
    return tuple(name for name in VISIT_COLUMNS if name in has)


def _assessments(tables: ClinicalTables) -> pd.DataFrame:
    if tables.edss is None:
        kinds = {"patient": "str", "date": "str", "years": "float64", "edss": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    return edss_assessments(tables.edss.cells, tables.visits.cells, tables.patients.cells["patient"].tolist())


def _unread(study: Study) -> tuple[str, ...]:
    """Tables of events that lie beside the visits, but are not named."""
    named = {"relapses": study.data.relapses, "edss": study.data.edss}
    beside = {name: study.data.visits.parent / f"{name}.tsv" for name in named}
    return tuple(
        f'{beside[name].name} is not read: name it in {study.path.name}, {name} = "{beside[name].name}" in [data]'
        for name, path in named.items()
        if path is None and beside[name].exists()
    )
