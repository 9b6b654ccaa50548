"""The clinical course as the paper describes it: mean counts and median scores by visit and group, nothing tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.models import estimates
from atrobayes.models.frame import Frame
from atrobayes.models.terms import Term, terms_of


def classical_course(frame: Frame) -> pd.DataFrame:
    """Describe counts and scores by visit and group.

    Parameters
    ----------
    frame : Frame
        Of kind counts or scores.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, method `classical`, engine `descriptive`: counts over the years in which they came
        about; medians; ratio of two rates (n/a where the second is 0). Neither intervals nor p: the paper has none.
    """
    return estimates.table(
        [
            estimates.constants(frame, term, k)
            | {"method": "classical", "engine": "descriptive", "estimate": _value(frame, term, k)}
            for k in range(len(frame.outcomes))
            for term in terms_of(frame)
        ]
    )


def _value(frame: Frame, term: Term, k: int) -> float:
    y = frame.y.to_numpy()[:, k]
    rows = term.rows & ~np.isnan(y)
    if not rows.any():
        return float("nan")
    if frame.kind == "scores":
        return float(np.median(y[rows]))
    if not term.name.startswith("rate_ratio"):
        return _rate(frame, y, rows)
    first, second = (_rate(frame, y, rows & (frame.group == g)) for g in (0, 1))
    return first / second if second > 0 else float("nan")


def _rate(frame: Frame, y: np.ndarray, rows: np.ndarray) -> float:
    return float(y[rows].sum() / frame.years[rows].sum()) if rows.any() else float("nan")
