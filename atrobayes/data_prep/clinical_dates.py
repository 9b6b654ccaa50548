"""Dates and years of visits: do they agree, are they in order, and how long is it between visits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from atrobayes.data_prep.clinical_columns import RowRule

DAYS_PER_YEAR = 365.25
AGREEMENT_DAYS = 14

_Finding = tuple[int, str, str, str, str]  # row, column, found, expected, todo
_Places = Callable[..., str]  # says where rows stand


class _Row(NamedTuple):
    visit: float
    row: int
    date: str
    years: float

    @property
    def since_baseline(self) -> float:
        """Visit 0 is at year 0 whether or not its row says so."""
        return 0.0 if self.visit == 0 else self.years


def days_between(date_from: str, date_to: str) -> float:
    """Days from one ISO date to another; NaN if either is ""."""
    if not date_from or not date_to:
        return math.nan
    return float((date.fromisoformat(date_to) - date.fromisoformat(date_from)).days)


def years_between(date_from: str, date_to: str) -> float:
    """Years from one ISO date to another; NaN if either is ""."""
    return days_between(date_from, date_to) / DAYS_PER_YEAR


def _steroid_dated(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["steroid_date"].eq("") | rows["date"].ne("")


def _steroid_before_visit(rows: pd.DataFrame) -> pd.Series[bool]:
    # ISO dates are in order as texts; a visit without a date is the other rule's
    return rows["steroid_date"].le(rows["date"]) | rows["date"].eq("")


def _steroid_days_agree(rows: pd.DataFrame) -> pd.Series[bool]:
    given = rows["days_since_steroid"]
    dated = with_steroid_days(rows)["days_since_steroid"]
    return given.isna() | dated.lt(0) | given.eq(dated)


STEROID_RULES = (
    RowRule(
        "date",
        ("date", "steroid_date"),
        _steroid_dated,
        "the date of the visit, from which the days since steroid_date count",
        "fill it in, or give days_since_steroid in place of steroid_date",
    ),
    RowRule(
        "steroid_date",
        ("date", "steroid_date"),
        _steroid_before_visit,
        "a day up to the date of the visit",
        "mend one of the two dates, or write n/a",
    ),
    RowRule(
        "days_since_steroid",
        ("date", "steroid_date", "days_since_steroid"),
        _steroid_days_agree,
        "the days from steroid_date to date",
        "mend one, or leave days_since_steroid n/a",
    ),
)


def with_steroid_days(visits: pd.DataFrame) -> pd.DataFrame:
    """Set `days_since_steroid` from `steroid_date` where the row has one, and the visit's date; else keep it."""
    since = [days_between(steroid, day) for steroid, day in zip(visits["steroid_date"], visits["date"], strict=True)]
    dated = pd.Series(since, index=visits.index, dtype="float64")
    return visits.assign(days_since_steroid=dated.fillna(visits["days_since_steroid"]))


def date_faults(visits: pd.DataFrame, places: Callable[..., str]) -> Iterator[_Finding]:
    """Find dates and years out of order, and rows where they disagree by more than two weeks.

    Parameters
    ----------
    visits : DataFrame
        patient, visit, date and years, one row per visit, indexed by row number.
    places : function of int
        Says where rows stand, such as `ClinicalTable.places`.
    """
    rows: dict[str, list[_Row]] = {}
    for number, patient, visit, day, years in visits[["patient", "visit", "date", "years"]].itertuples(name=None):
        if not math.isnan(visit):
            rows.setdefault(patient, []).append(_Row(visit, number, day, years))
    for unordered in rows.values():
        ordered = sorted(unordered)
        yield from _baseline_faults(ordered)
        yield from _date_order_faults([row for row in ordered if row.date], places)
        yield from _years_order_faults([row for row in ordered if not math.isnan(row.years)], places)
        yield from _agreement_faults([row for row in ordered if row.date and not math.isnan(row.since_baseline)])


def with_years(visits: pd.DataFrame) -> pd.DataFrame:
    """Set `years` from the dates where the visit and the patient's visit 0 both have one; else keep it."""
    baseline = dict(visits.loc[visits["visit"] == 0, ["patient", "date"]].itertuples(index=False, name=None))
    dated = np.array(
        [years_between(str(baseline.get(row.patient, "")), str(row.date)) for row in visits.itertuples()],
        dtype=np.float64,
    )
    given = visits["years"].to_numpy(np.float64)
    zero = (visits["visit"] == 0).to_numpy()
    return visits.assign(years=np.where(zero, 0.0, np.where(np.isnan(dated), given, dated)))


def _baseline_faults(rows: list[_Row]) -> Iterator[_Finding]:
    for row in rows:
        if row.visit == 0 and row.years > 0:
            yield row.row, "years", f"{row.years:g} at visit 0", "0: years count from visit 0", "mend it"


def _date_order_faults(rows: list[_Row], places: _Places) -> Iterator[_Finding]:
    for before, row in pairwise(rows):
        if row.date <= before.date:
            yield (
                row.row,
                "date",
                row.date,
                f"a date after {before.date} ({places(before.row)})",
                _one_is_wrong(before, row, places),
            )


def _years_order_faults(rows: list[_Row], places: _Places) -> Iterator[_Finding]:
    for before, row in pairwise(rows):
        if row.years <= before.years:
            yield (
                row.row,
                "years",
                f"{row.years:g}",
                f"more than {before.years:g} ({places(before.row)})",
                _one_is_wrong(before, row, places),
            )


def _one_is_wrong(before: _Row, after: _Row, places: _Places) -> str:
    """Which of the two it is, only the user can know."""
    visits = f"visit {after.visit:g} is later than visit {before.visit:g}"
    return f"{visits}: one of the two rows is wrong ({places(*sorted((before.row, after.row)))})"


def _agreement_faults(rows: list[_Row]) -> Iterator[_Finding]:
    for row in rows[1:]:
        apart = years_between(rows[0].date, row.date)
        if abs(apart - row.since_baseline + rows[0].since_baseline) * DAYS_PER_YEAR > AGREEMENT_DAYS:
            found = f"{row.years:g} years, but the dates are {apart:.3g} years apart"
            yield row.row, "years", found, "years and dates that agree to two weeks", "mend one, or leave one out"
