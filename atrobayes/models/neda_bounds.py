"""Shares of patient-years with NEDA, and how far what is unknown could move them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column

EVERYBODY = "ALL"
UNITS = {"neda3": "with NEDA-3", "neda4": "with NEDA-4", "edss_progression": "with an EDSS progression"}
# how intervals.tsv says that a variable is neither yes nor no
_UNKNOWN = {"neda3": "undetermined", "neda4": "undetermined", "edss_progression": ""}

COLUMNS = (
    Column("n_yes", "Patient-years of which the variable is true; table neda only.", "count"),
    Column("n_no", "Patient-years of which it is not true; table neda only.", "count"),
    Column("n_undetermined", "Patient-years of which something needed to tell is unknown; table neda only.", "count"),
    Column(
        "n_unconfirmed",
        "Patient-years with an EDSS rise that no assessment is late enough to confirm; the study file says how NEDA "
        "counts them.",
        "count",
    ),
    Column("share_yes", "Share of patient-years with NEDA among those determined.", "proportion"),
    Column("share_worst", "The same share of all patient-years, if every undetermined one had activity.", "proportion"),
    Column("share_best", "The same share of all patient-years, if no undetermined one had activity.", "proportion"),
)


def neda_bounds(intervals: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Count patient-years with and without NEDA, and bound the share with it.

    Parameters
    ----------
    intervals : DataFrame
        As `patient_years` makes them or intervals.tsv holds them; longer intervals are passed over.
    groups : sequence of str
        Labels in order; with fewer than two there are rows for all patients only.

    Returns
    -------
    DataFrame
        A row for each variable of `UNITS`, closing visit and group: variable, group, visit, n (all patient-years)
        and the columns of `COLUMNS`. The true share of NEDA lies between `share_worst` and `share_best`, whatever
        the unknown counts, scores and brain changes were; `share_yes` takes the determined patient-years for
        typical. EDSS progressions are counted only. A variable known of no patient-year has no rows.
    """
    years = intervals[intervals["visit_to"] == intervals["visit_from"] + 1]
    rows = [row for variable in UNITS if _known(years, variable).any() for row in _rows(years, variable, groups)]
    names = ["variable", "group", "visit", "n", *(column.name for column in COLUMNS)]
    return pd.DataFrame(rows, columns=names)


def _known(years: pd.DataFrame, variable: str) -> pd.Series:
    return years[variable] != _UNKNOWN[variable]


def _rows(years: pd.DataFrame, variable: str, groups: Sequence[str]) -> Iterator[dict[str, Any]]:
    for visit in np.unique(years["visit_to"].to_numpy(int)).tolist():
        at_visit = years[years["visit_to"] == visit]
        for label in (*groups, EVERYBODY) if len(groups) > 1 else (EVERYBODY,):
            own = at_visit if label == EVERYBODY else at_visit[at_visit["group"] == label]
            named = {"variable": variable, "group": label, "visit": visit}
            yield named | _counted(own[variable], variable)


def _counted(states: pd.Series, variable: str) -> dict[str, Any]:
    held = {"n_yes": "yes", "n_no": "no", "n_undetermined": _UNKNOWN[variable]}
    counts = {"n": len(states)} | {name: int((states == state).sum()) for name, state in held.items()}
    if variable == "edss_progression":
        return counts | {"n_unconfirmed": int((states == "unconfirmed").sum())}
    n, yes, unknown = counts["n"], counts["n_yes"], counts["n_undetermined"]
    return counts | {
        "share_yes": _share(yes, n - unknown),
        "share_worst": _share(yes, n),
        "share_best": _share(yes + unknown, n),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
