"""What is wrong between the rows and the tables of the clinical record."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pandas as pd

from atrobayes.data_prep.clinical_dates import date_faults
from atrobayes.data_prep.clinical_events import edss_faults, event_faults, relapse_faults, timing_faults
from atrobayes.data_prep.clinical_record import ClinicalTables, has_groups
from atrobayes.data_prep.clinical_table import HEADER, ClinicalTable
from atrobayes.data_prep.ledger import ALL
from atrobayes.data_prep.privacy import birth_date_faults, first_dates, identifier_faults
from atrobayes.data_prep.visit_labels import look_like_months
from atrobayes.errors import Fault


def identifiers(tables: ClinicalTables) -> list[Fault]:
    """What tells who a patient is: nothing else is said of tables that hold any of it."""
    patients, visits = tables.patients, tables.visits
    first = first_dates(visits.text) if {"patient", "date"} <= set(visits.known) else {}
    found = [(table, fault) for table in tables.all for fault in identifier_faults(table.path, table.text)]
    found += [(patients, fault) for fault in birth_date_faults(patients.path, patients.text, first)]
    if first:
        dated = frozenset({"date", "steroid_date"})
        found += [(visits, fault) for fault in birth_date_faults(visits.path, visits.text, first, dated)]
    return [table.placed(fault) for table, fault in found]


def clinical_faults(tables: ClinicalTables, groups: tuple[str, ...] | None) -> Iterator[Fault]:
    """Every fault of the tables: each by itself, then between its rows, then between the tables.

    Parameters
    ----------
    tables : ClinicalTables
    groups : tuple of str or None
        Labels that the study names, None if it names none.
    """
    patients, visits = tables.patients, tables.visits
    for table in tables.all:
        yield from table.faults
    if patients.readable:
        yield from _patient_faults(patients, groups)
    if patients.readable and visits.readable:
        yield from _visit_faults(visits, patients)
        yield from _column_clashes(patients, visits)
        for events in tables.events:
            yield from event_faults(events, patients) if events.readable else ()
            yield from timing_faults(events, visits) if events.readable else ()
        if tables.relapses and tables.relapses.readable:
            yield from relapse_faults(tables.relapses, visits)
        if tables.edss and tables.edss.readable:
            yield from edss_faults(tables.edss, visits)


def _patient_faults(patients: ClinicalTable, groups: tuple[str, ...] | None) -> Iterator[Fault]:
    if patients.cells.empty:
        yield patients.fault(None, "", "no rows", "a row for each patient", "fill in the table")
    yield from patients.doubled(patients.cells[["patient"]], "patient", "keep one row for each patient")
    if has_groups(patients) or (groups and "group" in patients.known):
        for line, label in patients.cells["group"].items():
            yield from _group_fault(patients, int(str(line)), str(label), groups)
    elif groups:
        expected = "a column 'group', as study.toml names groups"
        yield patients.fault(HEADER, "group", "no such column", expected, "add it, or remove study.groups")


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
    yield from visits.doubled(visits.cells[["patient", "visit"]], "visit", "keep one row for each visit")
    yield from _months(visits)
    # a row given twice is one fault: its scan and date are not held against its twin
    once = visits.cells[~_repeats(visits.cells)]
    yield from visits.doubled(once[["fsid"]], "fsid", "one scan belongs to one visit")
    yield from visits.unknown_patients(patients)
    for row, column, found, expected, todo in date_faults(once, visits.places):
        yield visits.fault(row, column, found, expected, todo)


def _months(visits: ClinicalTable) -> Iterator[Fault]:
    nominal = sorted(set(visits.cells["visit"].dropna()))
    if look_like_months(nominal):
        found = ", ".join(f"{visit:g}" for visit in nominal)
        todo = "visit is the nominal year; these look like months: divide by 12 (real times go into date or years)"
        yield visits.fault(None, "visit", found, "the nominal year (0, 1, 2 …)", todo)


def _repeats(cells: pd.DataFrame) -> pd.Series[bool]:
    return cells.duplicated(["patient", "visit"]) & cells["patient"].ne("") & cells["visit"].notna()


def _column_clashes(patients: ClinicalTable, visits: ClinicalTable) -> Iterator[Fault]:
    todo = "rename or remove it"
    for name in visits.extras:
        if name in patients.columns or name in patients.extras:
            yield visits.fault(HEADER, name, f"the column {name!r}", f"it in {patients.path.name} only", todo)
    for name in patients.extras:
        if name in visits.columns:
            yield patients.fault(HEADER, name, f"the column {name!r}", f"it in {visits.path.name} only", todo)
