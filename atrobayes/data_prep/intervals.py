"""Cohort to intervals between visits, and the change of every structure in each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.assessments import EdssCourses, Time
from atrobayes.data_prep.definitions import edss_progression, neda3, neda4
from atrobayes.data_prep.ledger import ALL, Exclusion, nominal_years
from atrobayes.files import Column
from atrobayes.study import Definitions

_STATES = {"yes": "yes", "no": "no"}

INTERVAL_COLUMNS = (
    Column("patient", "Patient"),
    Column("group", f"Treatment group; {ALL} where the study has no groups"),
    Column("visit_from", "Visit that opens the interval", "year"),
    Column("visit_to", "Visit that closes it", "year"),
    Column("years", "Real time between the two visits; n/a where neither dates nor years tell", "year"),
    Column("new_t2_from", "New or enlarging T2 lesions at the opening visit", "lesions"),
    Column("new_t2_to", "New or enlarging T2 lesions at the closing visit", "lesions"),
    Column("new_gd_from", "New gadolinium-enhancing lesions at the opening visit", "lesions"),
    Column("new_gd_to", "New gadolinium-enhancing lesions at the closing visit", "lesions"),
    Column("relapses", "Relapses since the visit before the closing one", "relapses"),
    Column("edss_from", "EDSS at the opening visit"),
    Column("edss_to", "EDSS at the closing visit"),
    Column(
        "edss_progression",
        "Whether the EDSS at the closing visit is a rise that lasts; EDSS between visits only confirms it; "
        "n/a: an EDSS is missing",
        levels=_STATES | {"unconfirmed": "a rise without an assessment late enough to confirm it"},
    ),
    Column(
        "neda3",
        "No relapse, new Gd or T2 lesion, or EDSS progression",
        levels={"yes": "no activity", "no": "activity", "undetermined": "none found, but something is unknown"},
    ),
    Column("neda3_failed", "Kinds of activity found: relapse, gd, t2, edss; comma-separated"),
    Column(
        "neda4",
        "NEDA-3 and a whole-brain loss of at most 0.4 % in a year",
        levels={"yes": "no activity", "no": "activity", "undetermined": "none found, but something is unknown"},
    ),
)

CHANGE_COLUMNS = (
    Column("patient", "Patient"),
    Column("visit_from", "Visit that opens the interval", "year"),
    Column("visit_to", "Visit that closes it", "year"),
    Column("structure", "Structure"),
    Column("volume_from", "Volume at the opening visit", "mm^3"),
    Column("volume_to", "Volume at the closing visit", "mm^3"),
    Column("etiv", "eTIV, estimated total intracranial volume, at the closing visit", "mm^3"),
    Column("etiv_from", "eTIV, estimated total intracranial volume, at the opening visit", "mm^3"),
    Column("change_pct_etiv", "100 (volume_to / etiv - volume_from / etiv_from); a year's if annualised", "%"),
    Column("change_pct", "100 (volume_to - volume_from) / volume_from; a year's if annualised", "%"),
)


def patient_years(cohort: xr.Dataset, definitions: Definitions) -> pd.DataFrame:
    """List the patient-years: consecutive nominal visits k, k + 1 with usable scans at both.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    definitions : Definitions
        Of the study file.

    Returns
    -------
    DataFrame
        Columns of `INTERVAL_COLUMNS`, sorted by patient (the cohort's order) and visit. Counts and EDSS
        are NaN where unknown, `edss_progression` and `neda3_failed` "".
    """
    usable = _usable(cohort)
    pairs = [(who, year, year + 1) for who, year in nominal_years(cohort) if {(who, year), (who, year + 1)} <= usable]
    return _interval_frame(cohort, definitions, pairs)


def spanning(cohort: xr.Dataset, definitions: Definitions, visit_from: int, visit_to: int) -> pd.DataFrame:
    """List the intervals from one visit to another, whatever lies between.

    Parameters
    ----------
    cohort : Dataset
        As `build_cohort` makes it.
    definitions : Definitions
        How EDSS progression and NEDA are read.
    visit_from, visit_to : int
        Nominal years.

    Returns
    -------
    DataFrame
        One row for each patient with usable scans at both visits, in the form of `patient_years`: relapses,
        lesions and EDSS are those of the closing visit.
    """
    usable = _usable(cohort)
    patients = cohort["patient"].to_numpy().tolist()
    pairs = [(who, visit_from, visit_to) for who in patients if {(who, visit_from), (who, visit_to)} <= usable]
    return _interval_frame(cohort, definitions, pairs)


def lost_years(cohort: xr.Dataset) -> tuple[Exclusion, ...]:
    """Ledger rows for nominal years between a patient's first and last visit that are no patient-years.

    One row a year: rule missed_visit if a visit has no clinical row or no scan, else scan_unusable; the
    reason names both.
    """
    status = _status(cohort)
    rows = []
    for who, year in nominal_years(cohort):
        ends = {visit: status.get((who, visit), "") for visit in (year, year + 1)}
        bad = {visit: state for visit, state in ends.items() if state != "usable"}
        if not bad:
            continue
        rule = "missed_visit" if {"", "none"} & set(bad.values()) else "scan_unusable"
        reason = "; ".join(_end_lost(visit, state) for visit, state in bad.items())
        rows.append(Exclusion("interval", who, year + 1, rule=rule, reason=reason))
    return tuple(rows)


def _end_lost(visit: int, status: str) -> str:
    plain = {"": f"no row for visit {visit}", "none": f"no scan at visit {visit}"}
    return plain.get(status, f"scan at visit {visit} left out ({status})")


def changes(cohort: xr.Dataset, intervals: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """Change of every structure in every interval.

    Parameters
    ----------
    cohort : Dataset
    intervals : DataFrame
        From `patient_years` or `spanning`.
    definitions : Definitions
        `annualised` divides both changes by the real years of the interval; NaN where those are unknown.

    Returns
    -------
    DataFrame
        Columns of `CHANGE_COLUMNS`, by interval, then structure (the cohort's order). -1 in `change_pct`
        means one percent of the opening volume lost; NaN where a volume is missing.
    """
    place = _places(cohort)
    start = [place[who, visit] for who, visit in zip(intervals["patient"], intervals["visit_from"], strict=True)]
    end = [place[who, visit] for who, visit in zip(intervals["patient"], intervals["visit_to"], strict=True)]
    volume, etiv = cohort["volume"].to_numpy(), cohort["etiv"].to_numpy()
    before, after = volume[start], volume[end]
    years = intervals["years"].to_numpy(np.float64)[:, None] if definitions.annualised else 1.0
    relative = 100 * (after / etiv[end][:, None] - before / etiv[start][:, None]) / years
    structures = cohort["structure"].to_numpy()
    repeated = intervals[["patient", "visit_from", "visit_to"]].loc[intervals.index.repeat(len(structures))]
    return repeated.reset_index(drop=True).assign(
        structure=np.tile(structures, len(intervals)),
        volume_from=before.ravel(),
        volume_to=after.ravel(),
        etiv=np.repeat(etiv[end], len(structures)),
        etiv_from=np.repeat(etiv[start], len(structures)),
        change_pct_etiv=relative.ravel(),
        change_pct=(_percent_change(before, after) / years).ravel(),
    )


def _percent_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Percentage of the opening volume; an opening volume of 0 has none."""
    known: np.ndarray = np.where(before > 0, before, np.nan)
    percent: np.ndarray = 100 * (after - known) / known
    return percent


def _keys(cohort: xr.Dataset) -> list[tuple[str, int]]:
    return list(zip(cohort["record_patient"].to_numpy().tolist(), cohort["visit"].to_numpy().tolist(), strict=True))


def _places(cohort: xr.Dataset) -> dict[tuple[str, int], int]:
    return {key: place for place, key in enumerate(_keys(cohort))}


def _status(cohort: xr.Dataset) -> dict[tuple[str, int], str]:
    return dict(zip(_keys(cohort), cohort["scan_status"].to_numpy().tolist(), strict=True))


def _usable(cohort: xr.Dataset) -> set[tuple[str, int]]:
    return {key for key, status in _status(cohort).items() if status == "usable"}


def _interval_frame(
    cohort: xr.Dataset, definitions: Definitions, pairs: Sequence[tuple[str, int, int]]
) -> pd.DataFrame:
    builder = _Intervals(cohort, definitions)
    rows = [builder.row(*pair) for pair in pairs]
    frame = pd.DataFrame(rows, columns=[column.name for column in INTERVAL_COLUMNS])
    return frame.astype({"visit_from": "int64", "visit_to": "int64"} | dict.fromkeys(_NUMBERS, "float64"))


_NUMBERS = ("years", "new_t2_from", "new_t2_to", "new_gd_from", "new_gd_to", "relapses", "edss_from", "edss_to")


class _Intervals:
    """A cohort's record, laid out for looking up visits."""

    def __init__(self, cohort: xr.Dataset, definitions: Definitions) -> None:
        self.definitions = definitions
        self.place = _places(cohort)
        self.values = {name: cohort[name].to_numpy() for name in ("new_t2", "new_gd", "relapses", "edss", "years")}
        self.dates: list[str] = cohort["date"].to_numpy().tolist()
        self.group = dict(zip(cohort["patient"].to_numpy().tolist(), cohort["group"].to_numpy().tolist(), strict=True))
        has_brain = "whole_brain" in cohort["structure"].to_numpy()
        self.brain = cohort["volume"].sel(structure="whole_brain").to_numpy() if has_brain else None
        self.courses = EdssCourses(cohort)

    def row(self, patient: str, visit_from: int, visit_to: int) -> dict[str, Any]:
        start, end = self.place[patient, visit_from], self.place[patient, visit_to]
        closing = self._time(end)
        years = self._time(start).until(closing)
        at = {name: (float(values[start]), float(values[end])) for name, values in self.values.items()}
        progression = edss_progression(
            self.courses.of(patient, closing),
            visit_from,
            visit_to,
            reference=self.definitions.edss_reference,
            confirmation_weeks=self.definitions.edss_confirmation_weeks,
        )
        counts = at["relapses"][1], at["new_gd"][1], at["new_t2"][1]
        neda = neda3(*counts, progression, unconfirmed=self.definitions.unconfirmed)
        return {
            "patient": patient,
            "group": self.group[patient],
            "visit_from": visit_from,
            "visit_to": visit_to,
            "years": years,
            "new_t2_from": at["new_t2"][0],
            "new_t2_to": at["new_t2"][1],
            "new_gd_from": at["new_gd"][0],
            "new_gd_to": at["new_gd"][1],
            "relapses": at["relapses"][1],
            "edss_from": at["edss"][0],
            "edss_to": at["edss"][1],
            "edss_progression": "" if progression == "unknown" else progression,
            "neda3": neda.status,
            "neda3_failed": ",".join(neda.failed),
            "neda4": neda4(neda.status, self._brain_change(start, end) / years if years else math.nan),
        }

    def _time(self, place: int) -> Time:
        return Time(self.dates[place], float(self.values["years"][place]))

    def _brain_change(self, start: int, end: int) -> float:
        if self.brain is None:
            return math.nan
        return float(_percent_change(self.brain[[start]], self.brain[[end]])[0])
