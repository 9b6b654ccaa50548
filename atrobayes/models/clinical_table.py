"""Clinical variables described: groups before treatment, course by visit, NEDA by year; nothing is tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.files import Column, write_table
from atrobayes.models.clinical_rows import BASELINE, SCORES, baseline_rows, course_rows
from atrobayes.models.neda_bounds import COLUMNS as NEDA_COLUMNS
from atrobayes.models.neda_bounds import EVERYBODY, UNITS, neda_bounds

# of these the share of patients with at least one is told
COUNTED = frozenset({"new_t2", "new_gd", "relapses", "relapses_before"})
_COURSE_UNITS = {"new_t2": "new T2 lesions", "new_gd": "new Gd+ lesions", "relapses": "relapses", **SCORES}
COLUMNS = (
    Column(
        "table",
        "Which of three tables the row belongs to.",
        levels={
            "baseline": "patients before treatment",
            "course": "patients at each visit",
            "neda": "patient-years with and without NEDA and EDSS progression",
        },
    ),
    Column("variable", "Clinical variable, as in patients.tsv, visits.tsv or intervals.tsv."),
    Column("group", "Group; ALL: all patients together."),
    Column("visit", "Nominal visit; counts came about since the visit before; of a year, the closing one.", "year"),
    Column("n", "Patients in whom the variable is known; neda: all patient-years.", "count"),
    Column("mean", "Mean.", "column unit"),
    Column("sd", "Standard deviation (n - 1).", "column unit"),
    Column("median", "Median.", "column unit"),
    Column("q1", "Lower quartile (linear between order statistics).", "column unit"),
    Column("q3", "Upper quartile (linear between order statistics).", "column unit"),
    Column("share_any", "Share of these patients with at least one; lesions and relapses only.", "proportion"),
    Column("unit", "Unit of mean, sd, median and quartiles; neda: what `yes` says of a patient-year."),
    *NEDA_COLUMNS,
)


def clinical_table(cohort: xr.Dataset, groups: Sequence[str], intervals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Describe every clinical variable before treatment, lesions, relapses and EDSS at every visit, NEDA in every year.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    groups : sequence of str
        Labels in order; with fewer than two there are rows for all patients only.
    intervals : DataFrame, optional
        The patient-years, from `patient_years` or intervals.tsv; without them the table says nothing of NEDA.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`. Counts are as found, not divided by the time they came about in. Variables
        that are known in nobody, at visits in nobody, have no rows.
    """
    parts = [("baseline", baseline_rows(cohort), BASELINE)]
    course = course_rows(cohort)
    parts += [("course", course[course["visit"] == visit], _COURSE_UNITS) for visit in np.unique(course["visit"])]
    rows = [row for part in parts for row in _rows(*part, groups)]
    if intervals is not None:
        rows += _neda_rows(intervals, groups)
    return pd.DataFrame(rows, columns=[column.name for column in COLUMNS])


def write_clinical(
    cohort: xr.Dataset, groups: Sequence[str], intervals: pd.DataFrame, out: Path, scratch: Path | None = None
) -> Path:
    """Write clinical.tsv with its sidecar.

    Parameters
    ----------
    cohort : Dataset
    groups : sequence of str
        In the order of the study file.
    intervals : DataFrame
        The patient-years.
    out : Path
        Results folder.
    scratch : Path, optional
        Where the file is written before it gets its name.

    Returns
    -------
    Path
        Of the table.
    """
    path = out / "clinical.tsv"
    write_table(path, clinical_table(cohort, groups, intervals), COLUMNS, scratch)
    return path


def _rows(name: str, table: pd.DataFrame, units: dict[str, str], groups: Sequence[str]) -> Iterator[dict[str, Any]]:
    visit = int(table["visit_to"].iloc[0]) if len(table) else 0
    for variable, unit in units.items():
        if not table[variable].notna().any():
            continue
        for label in (*groups, EVERYBODY) if len(groups) > 1 else (EVERYBODY,):
            own = table if label == EVERYBODY else table[table["group"] == label]
            named = {"table": name, "variable": variable, "group": label, "visit": visit, "unit": unit}
            yield named | _described(own[variable].dropna().to_numpy(float), counted=variable in COUNTED)


def _neda_rows(intervals: pd.DataFrame, groups: Sequence[str]) -> Iterator[dict[str, Any]]:
    for row in neda_bounds(intervals, groups).to_dict("records"):
        yield {str(name): value for name, value in row.items()} | {"table": "neda", "unit": UNITS[row["variable"]]}


def _described(values: np.ndarray, *, counted: bool) -> dict[str, float]:
    if not len(values):
        return {"n": 0}
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        "median": float(median),
        "q1": float(q1),
        "q3": float(q3),
        "share_any": float((values > 0).mean()) if counted else float("nan"),
    }
