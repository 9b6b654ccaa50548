"""The classical rows of a frame, whatever its kind."""

from __future__ import annotations

import pandas as pd

from atrobayes.inference.classical.families import adjust
from atrobayes.inference.classical.mixed import classical_mixed
from atrobayes.models.frame import Frame


def classical(frame: Frame, interval: float = 0.95, seed: int = 1) -> pd.DataFrame:
    """Rerun the published procedures.

    Parameters
    ----------
    frame : Frame
    interval : float
        Level of the confidence intervals.
    seed : int
        Of permutations.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, the headline `classical` and what stands beside it, each method adjusted for the
        number of structures within its terms.
    """
    return adjust(_rows(frame, interval, seed))


def _rows(frame: Frame, interval: float, seed: int) -> pd.DataFrame:
    if frame.kind == "mixed":
        return classical_mixed(frame, interval)
    if frame.kind == "regression":
        from atrobayes.inference.classical.regression import classical_regression

        return classical_regression(frame, interval)
    if frame.kind == "comparison":
        from atrobayes.inference.classical.comparison import classical_comparison

        return classical_comparison(frame, interval, seed)
    if frame.kind == "groups":
        from atrobayes.inference.classical.comparison import classical_groups

        return classical_groups(frame, interval)
    from atrobayes.inference.classical.course import classical_course

    return classical_course(frame)
