"""Dates and years of visits: do they agree, are they in order, and how long is it between visits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

DAYS_PER_YEAR = 365.25
_AGREEMENT_DAYS = 14

_Finding = tuple[int, str, str, str, str]  # line, column, found, expected, todo


def years_between(date_from: str, date_to: str) -> float:
    """Years from one ISO date to another; NaN if either is ""."""
    if not date_from or not date_to:
        return math.nan
    return (date.fromisoformat(date_to) - date.fromisoformat(date_from)).days / DAYS_PER_YEAR


def date_faults(visits: pd.DataFrame) -> Iterator[_Finding]:
    """Find dates and years out of order, and rows where they disagree by more than two weeks.

    `visits` has patient, visit, date and years, one row per visit, indexed by line number.
    """
    for _, rows in visits[visits["visit"].notna()].groupby("patient", sort=False):
        ordered = rows.sort_values("visit")
        yield from _baseline_faults(ordered)
        yield from _order_faults(ordered)
        yield from _agreement_faults(ordered)


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


def _baseline_faults(rows: pd.DataFrame) -> Iterator[_Finding]:
    for line, years in rows.loc[rows["visit"] == 0, "years"].items():
        if years > 0:
            yield int(str(line)), "years", f"{years:g} at visit 0", "0: years count from visit 0", "mend it"


def _order_faults(rows: pd.DataFrame) -> Iterator[_Finding]:
    dated = rows[rows["date"] != ""]
    for before, line in zip(dated.index[:-1], dated.index[1:], strict=True):
        if dated.loc[line, "date"] <= dated.loc[before, "date"]:
            earlier = f"a date after {dated.loc[before, 'date']} (line {before})"
            yield int(line), "date", str(dated.loc[line, "date"]), earlier, "visits of a patient follow each other"
    timed = rows[rows["years"].notna()]
    for before, line in zip(timed.index[:-1], timed.index[1:], strict=True):
        if timed.loc[line, "years"] <= timed.loc[before, "years"]:
            earlier = f"more than {timed.loc[before, 'years']:g} (line {before})"
            yield int(line), "years", f"{timed.loc[line, 'years']:g}", earlier, "visits of a patient follow each other"


def _agreement_faults(rows: pd.DataFrame) -> Iterator[_Finding]:
    zero = rows["visit"] == 0
    known = rows.assign(years=rows["years"].where(~zero, 0.0))
    both = known[(known["date"] != "") & known["years"].notna()]
    for line in both.index[1:]:
        apart = years_between(both["date"].iloc[0], str(both.loc[line, "date"]))
        said = float(both.loc[line, "years"]) - float(both["years"].iloc[0])
        if abs(apart - said) * DAYS_PER_YEAR > _AGREEMENT_DAYS:
            found = f"{both.loc[line, 'years']:g} years, but the dates are {apart:.3g} years apart"
            yield int(line), "years", found, "years and dates that agree to two weeks", "mend one, or leave one out"
