"""What is true in the example: the slopes that the analyses try to find."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.example_anatomy import STRUCTURES, loss_per_lesion
from atrobayes.data_prep.example_groups import PLANS

UNITS = {"year_to_year_t2": "% of eTIV per new T2 lesion", "year_to_year_gd": "% of eTIV per new Gd+ lesion"}


def yearly_intervals(patients: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Pair consecutive visits with usable scans at both.

    Parameters
    ----------
    patients, visits : DataFrame
        As `draw_clinical` gives them.

    Returns
    -------
    DataFrame
        patient, group, visit_from, visit_to, and new_t2 and new_gd found at visit_to; the
        columns `opens` and `closes` hold the two visits' index in `visits`.
    """
    usable = visits.loc[visits["status"] == "usable", ["patient", "visit", "new_t2", "new_gd"]]
    opening = usable[["patient"]].assign(visit_from=usable["visit"], visit_to=usable["visit"] + 1, opens=usable.index)
    closing = usable.rename(columns={"visit": "visit_to"}).assign(closes=usable.index)
    pairs = opening.merge(closing, on=["patient", "visit_to"], validate="one_to_one")
    return pairs.merge(patients[["patient", "group"]], on="patient", validate="many_to_one")


def true_slopes(patients: pd.DataFrame, visits: pd.DataFrame, null: bool) -> pd.DataFrame:
    """Slopes of the year-to-year analyses that the volumes were made with.

    Parameters
    ----------
    patients, visits : DataFrame
        As `draw_clinical` gives them.
    null : bool
        Lesions cost nothing: all slopes are zero.

    Returns
    -------
    DataFrame
        analysis, structure, term, value, unit. `year_to_year_t2` holds the losses
        themselves. Gd+ lesions cost nothing of their own but are T2 lesions too: the slope
        of `year_to_year_gd` is that loss times the least-squares slope of new T2 on new Gd+
        lesions over the group's intervals; NaN where these have no spread.
    """
    gd = _t2_per_gd(yearly_intervals(patients, visits))
    rows = []
    for analysis, factors in (("year_to_year_t2", (1.0, 1.0)), ("year_to_year_gd", gd)):
        for structure in STRUCTURES:
            losses = (0.0, 0.0) if null else loss_per_lesion(structure)
            first, second = (loss * factor for loss, factor in zip(losses, factors, strict=True))
            terms = [f"slope[{plan.label}]" for plan in PLANS] + ["interaction"]
            values = (first, second, first - second)
            rows += [
                (analysis, structure, term, value, UNITS[analysis]) for term, value in zip(terms, values, strict=True)
            ]
    return pd.DataFrame(rows, columns=["analysis", "structure", "term", "value", "unit"])


def _t2_per_gd(intervals: pd.DataFrame) -> tuple[float, float]:
    groups = [intervals[intervals["group"] == plan.label] for plan in PLANS]
    first, second = (_least_squares(group["new_gd"].to_numpy(), group["new_t2"].to_numpy()) for group in groups)
    return first, second


def _least_squares(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if len(np.unique(x)) < 2:
        return float("nan")
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))
