"""How many lesions the slopes rest on: intervals by number of lesions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.reports.results import FitRecord, Results

_VISITS = {"to": "closing", "from": "opening"}
_MOST = 3


def lesion_counts(results: Results) -> pd.DataFrame:
    """Count the yearly intervals with 0, 1, 2, 3 or more lesions.

    Parameters
    ----------
    results : Results
        Uses intervals.tsv, the predictors named in the estimates, and the fits' histories.

    Returns
    -------
    DataFrame
        analysis, visit (opening or closing), group ("all" and each), "0", "1", "2", "3+", most (the highest
        count). Which visit's count an analysis used is known by the mean its fit has stored; analyses
        for which neither visit gives that mean are left out.
    """
    predictors = results.estimates.drop_duplicates("analysis").set_index("analysis")["predictor"]
    years = results.intervals[results.intervals["visit_to"] == results.intervals["visit_from"] + 1]
    rows: list[dict[str, object]] = []
    fits = {str(fit.history.get("analysis", "")): fit for fit in results.fits}
    for analysis, predictor in predictors.items():
        end = _end(years, predictor, fits[analysis]) if analysis in fits else ""
        if end:
            known = years.assign(lesions=years[f"{predictor}_{end}"]).dropna(subset="lesions")
            named = {"analysis": analysis, "visit": _VISITS[end]}
            rows += [named | _counts(known, group) for group in ("all", *results.groups)]
    return pd.DataFrame(rows)


def _end(years: pd.DataFrame, predictor: str, fit: FitRecord) -> str:
    mean = fit.history.get("scales", {}).get("predictor_mean", np.nan)
    for end in _VISITS:
        column = f"{predictor}_{end}"
        if column in years and np.isclose(years[column].mean(), mean, rtol=1e-6, atol=0):
            return end
    return ""


def _counts(known: pd.DataFrame, group: str) -> dict[str, object]:
    lesions = known["lesions"] if group == "all" else known.loc[known["group"] == group, "lesions"]
    exact = {str(n): int((lesions == n).sum()) for n in range(_MOST)}
    return {"group": group} | exact | {f"{_MOST}+": int((lesions >= _MOST).sum()), "most": lesions.max()}
