"""What kind of question each analysis of a results folder asks, told from its rows."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from atrobayes.reports.results import Results

Kind = Literal["slopes", "comparison", "groups", "course"]


def analyses_of(results: Results) -> list[str]:
    """Ids of the analyses, in the order of estimates.tsv."""
    return [str(name) for name in results.estimates["analysis"].unique()]


def rows_of(results: Results, analysis: str) -> pd.DataFrame:
    """Rows of estimates.tsv of one analysis."""
    return results.estimates[results.estimates["analysis"] == analysis]


def contrast_of(results: Results, analysis: str) -> pd.DataFrame:
    """Rows of `Results.contrast` of one analysis."""
    return results.contrast[results.contrast["analysis"] == analysis].reset_index(drop=True)


def kind_of(results: Results, analysis: str) -> Kind:
    """Tell what an analysis asks.

    Parameters
    ----------
    results : Results
        Uses the estimates.
    analysis : str
        Id of the analysis.

    Returns
    -------
    {"slopes", "comparison", "groups", "course"}
        Slopes on a predictor; rows with activity against rows without; groups against each other; counts and
        scores by visit and group.
    """
    rows = rows_of(results, analysis)
    terms = rows["term"]
    if terms.str.startswith(("rate", "median")).any():
        return "course"
    if terms.str.startswith("difference").any():
        return "comparison" if (rows["predictor"] != "").any() else "groups"
    return "slopes"
