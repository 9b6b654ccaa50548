"""When visits and EDSS assessments took place: a patient's course of EDSS, timed from one of the visits."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import xarray as xr

from atrobayes.data_prep.clinical_dates import years_between
from atrobayes.data_prep.definitions import Assessment

BETWEEN = ("assessment_patient", "assessment_date", "assessment_years", "assessment_edss")


class Time(NamedTuple):
    """A day as far as it is known: its date ("" unknown) and its years since visit 0 (NaN unknown)."""

    date: str
    years: float

    def until(self, later: Time) -> float:
        """Years to a later day: from the dates where both have one, else from the years; NaN if neither tells."""
        dated = years_between(self.date, later.date)
        return later.years - self.years if math.isnan(dated) else dated


class _Edss(NamedTuple):
    visit: int | None
    time: Time
    edss: float


class EdssCourses:
    """Every EDSS of a cohort by patient, at visits and, where the study has such a table, between them.

    Parameters
    ----------
    cohort : Dataset
        The Cohort. Assessments between visits are its variables `assessment_patient`, `assessment_date` (""
        unknown), `assessment_years` (since visit 0) and `assessment_edss`, if it has them.
    """

    def __init__(self, cohort: xr.Dataset) -> None:
        self._courses: dict[str, list[_Edss]] = {}
        at_visits = ("record_patient", "date", "years", "edss", "visit")
        for who, date, years, edss, visit in zip(*_columns(cohort, at_visits), strict=True):
            self._courses.setdefault(who, []).append(_Edss(visit, Time(date, years), edss))
        if set(BETWEEN) <= set(cohort.variables):
            for who, date, years, edss in zip(*_columns(cohort, BETWEEN), strict=True):
                self._courses.setdefault(who, []).append(_Edss(None, Time(date, years), edss))

    def of(self, patient: str, origin: Time) -> list[Assessment]:
        """All EDSS of a patient, in no order, their years counted from `origin`."""
        course = self._courses.get(patient, [])
        return [Assessment(item.visit, origin.until(item.time), item.edss) for item in course]


def _columns(cohort: xr.Dataset, names: tuple[str, ...]) -> list[list[Any]]:
    return [cohort[name].to_numpy().tolist() for name in names]
