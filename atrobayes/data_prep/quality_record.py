"""Flags that the cohort's record tells: eTIV, versions, platforms, templates, dates, steroids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.data_prep.clinical_dates import DAYS_PER_YEAR
from atrobayes.data_prep.quality_flags import Flag
from atrobayes.study import Study

ETIV_TOLERANCE = 1e-6
# told one by one when data are prepared, and kept with the cohort; the others are counted
_COLUMNS = (
    "visit",
    "years",
    "date",
    "etiv",
    "scan_status",
    "template",
    "freesurfer",
    "platform",
    "days_since_steroid",
)
_Rows = Mapping[str, np.ndarray]  # of one patient, by name of the cohort's variable
TOLD = ("etiv_varies", "freesurfer_versions", "visit_off_nominal", "steroid_unknown")


def record_flags(cohort: xr.Dataset, study: Study) -> list[Flag]:
    """Flag what the record of a patient shows to be odd.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    study : Study
        Its stream decides whether eTIV must be constant, its tolerance how far a visit may be off.

    Returns
    -------
    list of Flag
        By patient, usable scans only: etiv_varies (longitudinal stream: not one eTIV; value: the range in
        percent of the smallest), freesurfer_versions, platforms and template_mixed (value: how many). Of any
        visit: visit_off_nominal (value: months off). Of the study: steroid_unknown (value: usable scans
        without days since steroids, where that column exists).
    """
    places: dict[str, list[int]] = {}
    for place, patient in enumerate(cohort["record_patient"].to_numpy().tolist()):
        places.setdefault(patient, []).append(place)
    columns = {name: cohort[name].to_numpy() for name in _COLUMNS}
    flags = [
        flag
        for patient, rows in places.items()
        for flag in _of_patient(patient, {name: values[rows] for name, values in columns.items()}, study)
    ]
    asked = "days_since_steroid" in json.loads(cohort.attrs["columns"])["visits"]
    return flags + (_steroid_unknown(columns) if asked else [])


def short_flags(flags: Sequence[Flag]) -> list[dict[str, Any]]:
    """Rule, patient, visit and reason of the flags that are told one by one, for the cohort's attribute."""
    names = ("rule", "patient", "visit", "reason")
    return [{name: getattr(flag, name) for name in names} for flag in flags if flag.rule in TOLD]


def _steroid_unknown(records: _Rows) -> list[Flag]:
    count = int(((records["scan_status"] == "usable") & np.isnan(records["days_since_steroid"])).sum())
    scans = "1 usable scan" if count == 1 else f"{count} usable scans"
    reason = f"{scans} without days since steroids; kept"
    return [Flag("steroid_unknown", value=count, limit=0, unit="scans", reason=reason)] if count else []


def _of_patient(patient: str, rows: _Rows, study: Study) -> Iterator[Flag]:
    kept = rows["scan_status"] == "usable"
    usable = {name: values[kept] for name, values in rows.items()}
    if study.data.stream == "long":
        yield from _etiv(patient, usable["etiv"])
        yield from _several("template_mixed", patient, usable["template"], "scans measured with different templates")
    versions = "scans processed with different versions of FreeSurfer"
    yield from _several("freesurfer_versions", patient, usable["freesurfer"], versions)
    yield from _several("platforms", patient, usable["platform"], "scans processed on different platforms")
    yield from _off_nominal(patient, rows, study.definitions.visit_tolerance_months)


def _etiv(patient: str, usable: np.ndarray) -> Iterator[Flag]:
    etiv = usable[~np.isnan(usable)]
    if etiv.size and np.ptp(etiv) > ETIV_TOLERANCE * etiv.max():
        between = f"{etiv.min():.8g} to {etiv.max():.8g} mm^3"
        reason = f"longitudinal runs of one patient share one eTIV, these have {between}; kept"
        value, limit = 100 * float(np.ptp(etiv)) / float(etiv.min()), 100 * ETIV_TOLERANCE
        yield Flag("etiv_varies", patient, value=value, limit=limit, unit="%", reason=reason)


def _several(rule: str, patient: str, names: np.ndarray, words: str) -> Iterator[Flag]:
    known = sorted(set(names.tolist()) - {""})
    if len(known) > 1:
        yield Flag(rule, patient, value=len(known), limit=1, reason=f"{words} ({', '.join(known)}); kept")


def _off_nominal(patient: str, rows: _Rows, tolerance_months: float) -> Iterator[Flag]:
    dated = bool((rows["date"][rows["visit"] == 0] != "").any())
    for visit, years, day in zip(*(rows[name].tolist() for name in ("visit", "years", "date")), strict=True):
        months = abs(years - visit) * 12
        if months > tolerance_months:
            source = "by the dates" if dated and day else "by the column years"
            real = f"{source} {_duration(years)}; kept (visit_tolerance_months = {tolerance_months:g})"
            nominal = f"nominally {visit} year{'s' * (visit != 1)} after visit 0"
            yield Flag(
                "visit_off_nominal",
                patient,
                visit,
                value=months,
                limit=tolerance_months,
                unit="months",
                reason=f"{nominal}, {real}",
            )


def _duration(years: float) -> str:
    """In the unit a person would use."""
    days = round(years * DAYS_PER_YEAR)
    if days < 60:
        return f"{days} day{'s' * (days != 1)}"
    return f"{years * 12:.3g} months" if years < 2 else f"{years:.3g} years"
