"""Which visit each session of a BIDS dataset is, from its time and its name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from atrobayes.data_prep.clinical_dates import DAYS_PER_YEAR
from atrobayes.data_prep.visit_labels import label_count, label_years
from atrobayes.errors import DataError, Fault

_MONTHS = 12


def nominal_visits(
    path: Path, names: Sequence[str], days: Sequence[date | None], tolerance_months: float, first: int
) -> list[int]:
    """Tell the nominal year of each session of a patient from its time since the first.

    Parameters
    ----------
    path : Path
        The patient's table of sessions, for messages.
    names : sequence of str
        ses-Y of each session.
    days : sequence of date or None
        When each was; None where that is unknown.
    tolerance_months : float
        How far from its nominal year a session may lie.
    first : int
        The lowest number with which any patient's sessions are counted.

    Raises
    ------
    DataError
        If times do not tell sessions apart, or names say otherwise: the first session that is there need not be
        visit 0.
    """
    visits = _nominal_years(path, names, days, tolerance_months)
    _check_labels(path, names, visits, first)
    return visits


def _nominal_years(path: Path, names: Sequence[str], days: Sequence[date | None], tolerance: float) -> list[int]:
    """Nominal year nearest to each session's time since the first; an error where that does not tell them apart."""
    if len(names) == 1:
        return [0]
    known = [day for day in days if day is not None]
    if len(known) < len(days):
        undated = [name for name, day in zip(names, days, strict=True) if day is None]
        raise DataError(_untold(path, f"no time of {', '.join(undated)}"))
    since = [(day - min(known)).days / DAYS_PER_YEAR for day in known]
    nearest = [math.floor(years + 0.5) for years in since]
    told = ", ".join(f"{name} at {years:.2f} years" for name, years in zip(names, since, strict=True))
    far = any(abs(years - visit) * _MONTHS > tolerance for years, visit in zip(since, nearest, strict=True))
    if far or len(set(nearest)) < len(nearest):
        raise DataError(_untold(path, told))
    return nearest


def _check_labels(path: Path, names: Sequence[str], visits: Sequence[int], first: int) -> None:
    """Hold visits, which count from the first session there is, to what names say: it need not be visit 0.

    `first` is the lowest number with which any patient's sessions are counted.
    """
    for name, visit in zip(names, visits, strict=True):
        said, count = label_years(name.removeprefix("ses-")), label_count(name.removeprefix("ses-"))
        if said is not None and math.floor(said + 0.5) != visit:
            raise DataError(_untold(path, f"{name}, which would be visit {visit} by its time"))
        later = count is not None and (count > first or count > 1)
        if visit == 0 and (later or (len(names) == 1 and said is None and count is None)):
            raise DataError(_untold(path, f"{name} as the first session, which need not be visit 0"))


def _untold(path: Path, found: str) -> Fault:
    expected = "sessions near one nominal year each, or a column visit"
    todo = "add a column visit with the nominal year of each session: 0, 1, 2 …"
    return Fault(found, expected, todo, str(path), column="visit")
