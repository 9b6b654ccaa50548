"""patients.tsv and visits.tsv: text first, then every cell and row checked, all faults at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from atrobayes.data_prep.clinical_columns import PATIENT_COLUMNS, VISIT_COLUMNS
from atrobayes.data_prep.clinical_dates import date_faults, with_years
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
        `VISIT_COLUMNS`, then extra columns as text. `years` are real years since visit 0, from the
        dates where both visits have one.
    groups : tuple of str
        Labels in the study's order; empty where there is no group column (all patients are "ALL").
    patient_columns, visit_columns : tuple of str
        Known columns the files really have.
    patient_extras, visit_extras : tuple of str
        Other columns, kept as text.
    notes : tuple of str
        Remarks for the user, such as an extra column that resembles a known one.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    groups: tuple[str, ...]
    patient_columns: tuple[str, ...]
    visit_columns: tuple[str, ...]
    patient_extras: tuple[str, ...]
    visit_extras: tuple[str, ...]
    notes: tuple[str, ...]


def read_clinical(study: Study) -> Clinical:
    """Read and check the study's two clinical tables.

    Raises
    ------
    DataError
        With every fault of both files: file, line, column, what was found, what was expected.
    """
    patients, visits = (
        ClinicalTable(study.data.patients, PATIENT_COLUMNS),
        ClinicalTable(study.data.visits, VISIT_COLUMNS),
    )
    faults = patients.faults + visits.faults
    if patients.readable and visits.readable:
        faults += _patient_faults(patients, study.study.groups)
        faults += _visit_faults(visits, patients)
        faults += _column_clashes(patients, visits)
    if faults:
        raise DataError(sorted(faults, key=lambda fault: (fault.file != str(patients.path), fault.row or 0)))
    groups = _groups(patients, study.study.groups)
    return Clinical(
        patients=_patient_frame(patients),
        visits=_visit_frame(visits, patients),
        groups=groups,
        patient_columns=patients.known,
        visit_columns=visits.known,
        patient_extras=patients.extras,
        visit_extras=visits.extras,
        notes=patients.notes() + visits.notes(),
    )


def _patient_faults(patients: ClinicalTable, groups: tuple[str, ...] | None) -> Iterator[Fault]:
    if patients.cells.empty:
        yield patients.fault(None, "", "no rows", "a row for each patient", "fill in the table")
    yield from _twice(patients, ["patient"], "patient", "keep one row for each patient")
    if "group" in patients.known:
        for line, label in patients.cells["group"].items():
            yield from _group_fault(patients, int(str(line)), str(label), groups)
    elif groups:
        expected = "a column 'group', as study.toml names groups"
        yield patients.fault(1, "group", "no such column", expected, "add it, or remove study.groups")


def _group_fault(patients: ClinicalTable, line: int, label: str, groups: tuple[str, ...] | None) -> Iterator[Fault]:
    expected = f"one of {', '.join(groups)}" if groups else "a group label"
    if not label:
        yield patients.fault(line, "group", "nothing", expected, "fill it in, or remove the patient")
    elif label == ALL:
        yield patients.fault(line, "group", repr(label), expected, f"{ALL} stands for all patients: use another label")
    elif groups and label not in groups:
        near = difflib.get_close_matches(label.upper(), [name.upper() for name in groups], n=1)
        hint = next((name for name in groups if near and name.upper() == near[0]), "")
        todo = f"did you mean {hint!r}?" if hint else "mend the label, or add it to study.groups"
        yield patients.fault(line, "group", f"the unknown group {label!r}", expected, todo)


def _visit_faults(visits: ClinicalTable, patients: ClinicalTable) -> Iterator[Fault]:
    if visits.cells.empty:
        yield visits.fault(None, "", "no rows", "a row for each visit", "fill in the table")
    yield from _twice(visits, ["patient", "visit"], "visit", "keep one row for each visit")
    yield from _months(visits)
    # a row given twice is one fault: its scan and date are not held against its twin
    once = visits.cells[~_repeats(visits.cells)]
    yield from _twice(visits, ["fsid"], "fsid", "one scan belongs to one visit", once)
    enrolled = [name for name in patients.cells["patient"] if name]
    for line, name in visits.cells["patient"].items():
        if name and name not in enrolled:
            near = difflib.get_close_matches(name, enrolled, n=1)
            todo = f"did you mean {near[0]!r}?" if near else f"add the patient to {patients.path.name}"
            yield visits.fault(
                int(str(line)), "patient", f"the unknown patient {name!r}", "a patient of the study", todo
            )
    for line, column, found, expected, todo in date_faults(once):
        yield visits.fault(line, column, found, expected, todo)


def _months(visits: ClinicalTable) -> Iterator[Fault]:
    nominal = sorted(set(visits.cells["visit"].dropna()))
    if nominal and nominal[-1] >= 12 and all(visit % 6 == 0 for visit in nominal):
        found = ", ".join(f"{visit:g}" for visit in nominal)
        todo = "visit is the nominal year; these look like months: divide by 12 (real times go into date or years)"
        yield visits.fault(None, "visit", found, "the nominal year (0, 1, 2 …)", todo)


def _repeats(cells: pd.DataFrame) -> pd.Series[bool]:
    return cells.duplicated(["patient", "visit"]) & cells["patient"].ne("") & cells["visit"].notna()


def _twice(
    table: ClinicalTable, names: Sequence[str], column: str, todo: str, rows: pd.DataFrame | None = None
) -> Iterator[Fault]:
    first: dict[tuple[str, ...], int] = {}
    for row in (table.cells if rows is None else rows)[list(names)].itertuples():
        key = tuple(map(_key_text, row[1:]))
        if "" in key:
            continue
        if key in first:
            what = ", ".join(f"{name} {text}" for name, text in zip(names, key, strict=True))
            yield table.fault(int(row[0]), column, f"{what} again (first on line {first[key]})", "it once", todo)
        else:
            first[key] = int(row[0])


def _key_text(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


def _column_clashes(patients: ClinicalTable, visits: ClinicalTable) -> Iterator[Fault]:
    todo = "rename or remove it"
    for name in visits.extras:
        if name in patients.columns or name in patients.extras:
            yield visits.fault(1, name, f"the column {name!r}", f"it in {patients.path.name} only", todo)
    for name in patients.extras:
        if name in visits.columns:
            yield patients.fault(1, name, f"the column {name!r}", f"it in {visits.path.name} only", todo)


def _groups(patients: ClinicalTable, groups: tuple[str, ...] | None) -> tuple[str, ...]:
    if "group" not in patients.known:
        return ()
    return groups or tuple(dict.fromkeys(patients.cells["group"].tolist()))


def _patient_frame(patients: ClinicalTable) -> pd.DataFrame:
    frame = patients.cells.reset_index(drop=True)
    return frame if "group" in patients.known else frame.assign(group=ALL)


def _visit_frame(visits: ClinicalTable, patients: ClinicalTable) -> pd.DataFrame:
    order = {name: place for place, name in enumerate(patients.cells["patient"])}
    keyed = visits.cells.assign(visit=visits.cells["visit"].astype("int64"), _place=visits.cells["patient"].map(order))
    return with_years(keyed.sort_values(["_place", "visit"], ignore_index=True).drop(columns="_place"))
