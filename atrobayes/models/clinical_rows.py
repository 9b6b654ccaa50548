"""Rows of the analyses whose outcomes are clinical: groups at baseline, and the course by visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.models.analysis_rows import patients

# variable → its unit
BASELINE = {
    "age": "years",
    "disease_duration": "years",
    "previous_dmts": "therapies",
    "relapses_before": "relapses",
    "edss": "points of EDSS",
    "new_t2": "T2 lesions",
    "new_gd": "Gd+ lesions",
}
COUNTS = {"new_t2": "new T2 lesions a year", "new_gd": "new Gd+ lesions a year", "relapses": "relapses a year"}
SCORES = {"edss": "points of EDSS"}


def baseline_rows(cohort: xr.Dataset) -> pd.DataFrame:
    """One row a patient: the variables of BASELINE, those of the record as at visit 0."""
    own = patients(cohort)
    record = _record(cohort)
    first = record[record["visit"] == 0].drop_duplicates("patient")
    table = own.merge(first[["patient", "edss", "new_t2", "new_gd"]], on="patient", how="left")
    return table.assign(visit_from=0, visit_to=0)


def course_rows(cohort: xr.Dataset) -> pd.DataFrame:
    """One row for each clinical visit, scanned or not.

    Returns
    -------
    DataFrame
        patient, group, visit_from and visit_to (both the visit), years since the previous visit (1 at visit 0;
        nominal where real times are unknown), new_t2, new_gd, relapses (none at visit 0) and edss.
    """
    record = _record(cohort).sort_values(["patient", "visit"], kind="stable")
    by_patient = record.groupby("patient", sort=False)
    real, nominal = by_patient["since_start"].diff(), by_patient["visit"].diff()
    years = real.where(real > 0, nominal).where(record["visit"] > 0, 1.0)
    # a later visit without an earlier row: the time its counts came about in is unknown
    known = record.assign(years=years, relapses=record["relapses"].where(record["visit"] > 0))
    known.loc[years.isna(), list(COUNTS)] = np.nan
    group = dict(zip(cohort["patient"].to_numpy().tolist(), cohort["group"].to_numpy().tolist(), strict=True))
    return known.assign(
        years=years.fillna(1.0), group=known["patient"].map(group), visit_from=known["visit"], visit_to=known["visit"]
    ).reset_index(drop=True)


def _record(cohort: xr.Dataset) -> pd.DataFrame:
    names = {"patient": "record_patient", "visit": "visit", "since_start": "years"}
    names |= {name: name for name in ("edss", "new_t2", "new_gd", "relapses")}
    return pd.DataFrame({own: cohort[held].to_numpy() for own, held in names.items()})
