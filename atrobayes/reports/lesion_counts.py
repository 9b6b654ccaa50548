"""How many lesions the slopes rest on: intervals by number of lesions."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.flags import MIXED_ENGINE
from atrobayes.reports.results import Results

_VISITS = {"to": "closing", "from": "opening"}
_MOST = 3


def lesion_counts(results: Results) -> pd.DataFrame:
    """Count the yearly intervals with 0, 1, 2, 3 or more lesions.

    Parameters
    ----------
    results : Results
        Uses intervals.tsv and the predictors named in the estimates.

    Returns
    -------
    DataFrame
        analysis, visit (opening or closing), group ("all" and each), "0", "1", "2", "3+", most (the highest
        count). Mixed models only; those whose predictor is no count of intervals.tsv at one of the two visits are
        left out.
    """
    yearly = results.estimates[results.estimates["engine"] == MIXED_ENGINE]
    predictors = yearly.drop_duplicates("analysis").set_index("analysis")["predictor"]
    years = results.intervals[results.intervals["visit_to"] == results.intervals["visit_from"] + 1]
    rows: list[dict[str, object]] = []
    for analysis, predictor in predictors.items():
        visit = _VISITS.get(predictor.rpartition("_")[2])
        if visit and predictor in years:
            known = years.assign(lesions=years[predictor]).dropna(subset="lesions")
            named = {"analysis": analysis, "visit": visit}
            rows += [named | _counts(known, group) for group in ("all", *results.groups)]
    return pd.DataFrame(rows)


def _counts(known: pd.DataFrame, group: str) -> dict[str, object]:
    lesions = known["lesions"] if group == "all" else known.loc[known["group"] == group, "lesions"]
    exact = {str(n): int((lesions == n).sum()) for n in range(_MOST)}
    return {"group": group} | exact | {f"{_MOST}+": int((lesions >= _MOST).sum()), "most": lesions.max()}
