"""Things in a cohort that are kept but worth a look; flags never drop anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

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
    reason = f"{count} usable scans without days since steroids, kept"
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
        reason = f"eTIV runs from {etiv.min():.8g} to {etiv.max():.8g} mm^3 over the patient's longitudinal runs"
        yield _flag("etiv_varies", patient, None, reason)


def _versions(patient: str, usable: pd.DataFrame) -> Iterator[Flag]:
    versions = sorted(set(usable["freesurfer"]) - {""})
    if len(versions) > 1:
        yield _flag("freesurfer_versions", patient, None, f"scans made with FreeSurfer {', '.join(versions)}")


def _off_nominal(patient: str, rows: pd.DataFrame, tolerance_months: float) -> Iterator[Flag]:
    for visit, years in zip(rows["visit"].tolist(), rows["years"].tolist(), strict=True):
        if abs(years - visit) * 12 > tolerance_months:
            yield _flag("visit_off_nominal", patient, visit, f"{years:.3g} years after visit 0")


def _flag(rule: str, patient: str, visit: int | None, reason: str) -> Flag:
    return {"rule": rule, "patient": patient, "visit": visit, "reason": reason}
