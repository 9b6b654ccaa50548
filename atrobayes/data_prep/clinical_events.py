"""Relapses and EDSS assessments with their own dates: placed between the visits, counted, and held against them.

A table of relapses, once given, is the complete record: a patient without a row in it had none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from atrobayes.data_prep.clinical_columns import RowRule
from atrobayes.data_prep.clinical_dates import AGREEMENT_DAYS, DAYS_PER_YEAR
from atrobayes.data_prep.clinical_table import ClinicalTable
from atrobayes.errors import Fault

ASSESSMENT_COLUMNS = ("patient", "date", "years", "edss")

EVENT_RULES = (
    RowRule(
        "date",
        ("date", "years"),
        lambda rows: rows["date"].ne("") | rows["years"].notna(),
        "a date, or years since visit 0",
        "fill in one of the two, or remove the row",
    ),
)


def with_relapse_counts(visits: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Set `relapses` of each visit to the relapses since the patient's previous visit.

    Parameters
    ----------
    visits : DataFrame
        patient, visit, date, years and relapses, a row for each visit, in any order.
    events : DataFrame
        The complete record of relapses: patient, date and years (since visit 0), one or both of them.

    Returns
    -------
    DataFrame
        `visits` with the relapses after the day of the previous visit, up to and including the day of this one:
        0 for a patient without events. NaN at visit 0; as it was where the day of this or the previous visit is
        unknown, and at a patient's first row if that is a later visit.
    """
    baselines = _baselines(visits)
    ordered = _timed(visits, baselines).sort_values(["patient", "visit"])
    before = ordered.groupby("patient")[["day", "since"]].shift()
    known = _has_time(ordered) & _has_time(before)
    met = _meetings(ordered.join(before.add_suffix("_before")), _timed(events, baselines))
    since_last = (_days_after(met, "_before") > 0) & (_days_after(met) <= 0)
    counted = since_last.groupby(met["row"]).sum().reindex(ordered.index, fill_value=0).astype("float64")
    relapses = visits["relapses"].mask(visits["visit"] == 0)
    return visits.assign(relapses=counted.where(known).reindex(visits.index).fillna(relapses))


def edss_assessments(events: pd.DataFrame, visits: pd.DataFrame, patients: Sequence[str]) -> pd.DataFrame:
    """EDSS assessments of their own dates in years since visit 0.

    Parameters
    ----------
    events : DataFrame
        patient, date, years and edss of the assessments.
    visits : DataFrame
        patient, visit, date and years of the visits.
    patients : sequence of str
        Every patient, in the order wanted.

    Returns
    -------
    DataFrame
        patient, date ("" where only years are given), years since visit 0 (from the dates where visit 0 has one;
        negative before it; NaN where neither is known) and edss, by patient, then of time.
    """
    baselines = _baselines(visits)
    dated = [
        (_ordinal(day) - baselines.get(patient, math.nan)) / DAYS_PER_YEAR
        for patient, day in zip(events["patient"], events["date"], strict=True)
    ]
    years = pd.Series(dated, index=events.index, dtype="float64").fillna(events["years"])
    order = {patient: place for place, patient in enumerate(patients)}
    keyed = events.assign(years=years, _place=events["patient"].map(order))
    ordered = keyed.sort_values(["_place", "years", "date"], ignore_index=True)
    return ordered[list(ASSESSMENT_COLUMNS)]


def event_faults(events: ClinicalTable, patients: ClinicalTable) -> Iterator[Fault]:
    """Find what is wrong with a table of events as it stands: unknown patients, and events given twice."""
    yield from events.unknown_patients(patients)
    cells = events.cells
    day = cells["date"].mask(cells["date"].eq(""), cells["years"].map(_years_text))
    keys = pd.DataFrame({"patient": cells["patient"], "day": day})
    yield from events.doubled(keys, "date", "keep one row for each day")


def timing_faults(events: ClinicalTable, visits: ClinicalTable) -> Iterator[Fault]:
    """Find events that cannot be placed between the visits, or whose date and years disagree.

    Only patients whose visits have legible times are judged.
    """
    rows = _legible(visits)
    baselines = _baselines(rows)
    timed = _timed(events.cells, baselines)
    met = _meetings(_timed(rows, baselines), timed)
    nowhere = set(met.loc[_has_time(met) & _has_time(met, "_event") & _days_after(met).isna(), "row_event"])
    event: Any
    for event in timed.itertuples():
        days, dated, row = event.dated_days, event.date != "", _number(event.Index)
        if abs(days - event.years * DAYS_PER_YEAR) > AGREEMENT_DAYS:
            found = f"{event.years:g} years, but {event.date} is {days / DAYS_PER_YEAR:.3g} years after visit 0"
            expected = "years and a date that agree to two weeks"
            yield events.fault(row, "years", found, expected, "mend one, or leave one out")
        elif row in nowhere:
            found = f"{'a date' if dated else 'years'}, but visit 0 of {event.patient} has no date"
            expected = "a time that can be compared with those of the visits"
            todo = f"give visit 0 a date in {visits.path.name}, or {'years' if dated else 'a date'} here"
            yield events.fault(row, "date" if dated else "years", found, expected, todo)


def relapse_faults(events: ClinicalTable, visits: ClinicalTable) -> Iterator[Fault]:
    """Find visits whose own count of relapses is not that of the table of relapses."""
    rows = _legible(visits)
    counted = with_relapse_counts(rows, events.cells)["relapses"]
    for row, own, found in zip(rows.index, rows["relapses"], counted, strict=True):
        if own != found and not math.isnan(own) and not math.isnan(found):
            said = f"{own:g}, but {events.path.name} has {found:g} since the previous visit"
            yield visits.fault(int(row), "relapses", said, "the same in both", "mend one, or leave relapses n/a")


def edss_faults(events: ClinicalTable, visits: ClinicalTable) -> Iterator[Fault]:
    """Find assessments on the day of a visit that has another EDSS."""
    rows = _legible(visits)
    baselines = _baselines(rows)
    met = _meetings(_timed(rows, baselines), _timed(events.cells, baselines))
    differ = met["edss"].ne(met["edss_event"]) & met["edss"].notna() & met["edss_event"].notna()
    pair: Any
    for pair in met[differ & (_days_after(met) == 0)].itertuples():
        found = f"{pair.edss_event:g}, but visit {pair.visit:g} of that day has {pair.edss:g}"
        todo = f"mend one of the two ({visits.path.name}, {visits.places(_number(pair.row))})"
        yield events.fault(_number(pair.row_event), "edss", found, "one EDSS on one day", todo)


def _legible(visits: ClinicalTable) -> pd.DataFrame:
    """Visits of patients whose rows all have a legible visit, date and years, each visit once."""
    bad = [row for row, name in visits.illegal if name in {"visit", "date", "years"}]
    cells = visits.cells
    rows = cells[~cells["patient"].isin(cells.loc[bad, "patient"]) & cells["visit"].notna()]
    return rows.drop_duplicates(["patient", "visit"])


def _ordinal(day: str) -> float:
    return float(date.fromisoformat(day).toordinal()) if day else math.nan


def _baselines(visits: pd.DataFrame) -> Mapping[str, float]:
    """Day of visit 0 of each patient, as an ordinal; NaN without a date."""
    rows = visits[visits["visit"] == 0]
    return {patient: _ordinal(day) for patient, day in zip(rows["patient"], rows["date"], strict=True)}


def _timed(rows: pd.DataFrame, baselines: Mapping[str, float]) -> pd.DataFrame:
    """Rows with their time on two scales, NaN where unknown: `day`, the date, and `since`, days since visit 0.

    Dates can be compared as they are, a date and years where visit 0 has a date.
    """
    baseline = rows["patient"].map(baselines).astype("float64")
    day = rows["date"].map(_ordinal).astype("float64")
    # years of visit 0 need not be given
    zero = rows["visit"].eq(0) if "visit" in rows else pd.Series(False, index=rows.index)
    given = (rows["years"] * DAYS_PER_YEAR).round().mask(zero, 0.0)
    dated = day - baseline
    return rows.assign(dated_days=dated, day=day, since=dated.fillna(given))


def _meetings(visits: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Every visit with every event of its patient: their columns, with their index as `row`, those of events _event."""
    events = events.rename_axis("row").reset_index().add_suffix("_event")
    return (
        visits.rename_axis("row").reset_index().merge(events, left_on="patient", right_on="patient_event", how="inner")
    )


def _days_after(met: pd.DataFrame, suffix: str = "") -> pd.Series[float]:
    """Days of the event after the visit, on whichever scale has both; NaN if none has."""
    days = met["day_event"] - met[f"day{suffix}"]
    return days.fillna(met["since_event"] - met[f"since{suffix}"])


def _has_time(rows: pd.DataFrame, suffix: str = "") -> pd.Series[bool]:
    return rows[f"day{suffix}"].notna() | rows[f"since{suffix}"].notna()


def _number(row: object) -> int:
    return int(str(row))


def _years_text(years: float) -> str:
    return "" if math.isnan(years) else f"{years:g} years"
