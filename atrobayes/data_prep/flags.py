"""Things in a cohort that are kept but worth a look; flags never drop anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.clinical_dates import DAYS_PER_YEAR
from atrobayes.study import Study

ETIV_TOLERANCE = 1e-6

Flag = dict[str, Any]


def find_flags(cohort: xr.Dataset, study: Study) -> list[Flag]:
    """List what is odd: rule, patient, visit (None: all of them) and reason of each flag.

    Rules: etiv_varies (longitudinal stream: not one eTIV per patient), freesurfer_versions (a patient's
    scans made with different versions), visit_off_nominal (further from its nominal date than the study
    tolerates), steroid_unknown (how many usable scans have no days since steroids, where that column
    exists; patient "").
    """
    records = cohort[["years", "etiv", "days_since_steroid"]].to_dataframe()
    flags = [
        flag
        for patient, rows in records.groupby("record_patient", sort=False)
        for flag in _of_patient(str(patient), rows, study)
    ]
    asked = "days_since_steroid" in json.loads(cohort.attrs["columns"])["visits"]
    return flags + (_steroid_unknown(records) if asked else [])


def _steroid_unknown(records: pd.DataFrame) -> list[Flag]:
    count = int(((records["scan_status"] == "usable") & records["days_since_steroid"].isna()).sum())
    scans = "1 usable scan" if count == 1 else f"{count} usable scans"
    reason = f"{scans} without days since steroids; kept"
    return [_flag("steroid_unknown", "", None, reason)] if count else []


def _of_patient(patient: str, rows: pd.DataFrame, study: Study) -> Iterator[Flag]:
    usable = rows[rows["scan_status"] == "usable"]
    if study.data.stream == "long":
        yield from _etiv(patient, usable)
    yield from _versions(patient, usable)
    yield from _off_nominal(patient, rows, study.definitions.visit_tolerance_months)


def _etiv(patient: str, usable: pd.DataFrame) -> Iterator[Flag]:
    etiv = usable["etiv"].dropna().to_numpy(np.float64)
    if etiv.size and np.ptp(etiv) > ETIV_TOLERANCE * etiv.max():
        between = f"{etiv.min():.8g} to {etiv.max():.8g} mm^3"
        reason = f"longitudinal runs of one patient share one eTIV, these have {between}; kept"
        yield _flag("etiv_varies", patient, None, reason)


def _versions(patient: str, usable: pd.DataFrame) -> Iterator[Flag]:
    versions = sorted(set(usable["freesurfer"]) - {""})
    if len(versions) > 1:
        reason = f"scans processed with different versions of FreeSurfer ({', '.join(versions)}); kept"
        yield _flag("freesurfer_versions", patient, None, reason)


def _off_nominal(patient: str, rows: pd.DataFrame, tolerance_months: float) -> Iterator[Flag]:
    dated = bool((rows.loc[rows["visit"] == 0, "date"] != "").any())
    for visit, years, day in rows[["visit", "years", "date"]].itertuples(index=False, name=None):
        if abs(years - visit) * 12 > tolerance_months:
            source = "by the dates" if dated and day else "by the column years"
            real = f"{source} {_duration(years)}; kept (visit_tolerance_months = {tolerance_months:g})"
            nominal = f"nominally {visit} year{'s' * (visit != 1)} after visit 0"
            yield _flag("visit_off_nominal", patient, visit, f"{nominal}, {real}")


def _duration(years: float) -> str:
    """In the unit a person would use."""
    days = round(years * DAYS_PER_YEAR)
    if days < 60:
        return f"{days} day{'s' * (days != 1)}"
    return f"{years * 12:.3g} months" if years < 2 else f"{years:.3g} years"


def _flag(rule: str, patient: str, visit: int | None, reason: str) -> Flag:
    return {"rule": rule, "patient": patient, "visit": visit, "reason": reason}
