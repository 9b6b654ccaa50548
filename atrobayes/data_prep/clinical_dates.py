"""Dates and years of visits: do they agree, are they in order, and how long is it between visits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

DAYS_PER_YEAR = 365.25
_AGREEMENT_DAYS = 14

_Finding = tuple[int, str, str, str, str]  # line, column, found, expected, todo


class _Row(NamedTuple):
    visit: float
    line: int
    date: str
    years: float

    @property
    def since_baseline(self) -> float:
        """Visit 0 is at year 0 whether or not its row says so."""
        return 0.0 if self.visit == 0 else self.years


def years_between(date_from: str, date_to: str) -> float:
    """Years from one ISO date to another; NaN if either is ""."""
    if not date_from or not date_to:
        return math.nan
    return (date.fromisoformat(date_to) - date.fromisoformat(date_from)).days / DAYS_PER_YEAR


def date_faults(visits: pd.DataFrame) -> Iterator[_Finding]:
    """Find dates and years out of order, and rows where they disagree by more than two weeks.

    `visits` has patient, visit, date and years, one row per visit, indexed by line number.
    """
    rows: dict[str, list[_Row]] = {}
    for line, patient, visit, day, years in visits[["patient", "visit", "date", "years"]].itertuples(name=None):
        if not math.isnan(visit):
            rows.setdefault(patient, []).append(_Row(visit, line, day, years))
    for unordered in rows.values():
        ordered = sorted(unordered)
        yield from _baseline_faults(ordered)
        yield from _date_order_faults([row for row in ordered if row.date])
        yield from _years_order_faults([row for row in ordered if not math.isnan(row.years)])
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
            yield row.line, "years", f"{row.years:g} at visit 0", "0: years count from visit 0", "mend it"


def _date_order_faults(rows: list[_Row]) -> Iterator[_Finding]:
    for before, row in pairwise(rows):
        if row.date <= before.date:
            yield (
                row.line,
                "date",
                row.date,
                f"a date after {before.date} (line {before.line})",
                _one_is_wrong(before, row),
            )


def _years_order_faults(rows: list[_Row]) -> Iterator[_Finding]:
    for before, row in pairwise(rows):
        if row.years <= before.years:
            yield (
                row.line,
                "years",
                f"{row.years:g}",
                f"more than {before.years:g} (line {before.line})",
                _one_is_wrong(before, row),
            )


def _one_is_wrong(before: _Row, after: _Row) -> str:
    """Which of the two it is, only the user can know."""
    first, last = sorted((before.line, after.line))
    visits = f"visit {after.visit:g} is later than visit {before.visit:g}"
    return f"{visits}: one of the two rows is wrong (lines {first} and {last})"


def _agreement_faults(rows: list[_Row]) -> Iterator[_Finding]:
    for row in rows[1:]:
        apart = years_between(rows[0].date, row.date)
        if abs(apart - row.since_baseline + rows[0].since_baseline) * DAYS_PER_YEAR > _AGREEMENT_DAYS:
            found = f"{row.years:g} years, but the dates are {apart:.3g} years apart"
            yield row.line, "years", found, "years and dates that agree to two weeks", "mend one, or leave one out"
