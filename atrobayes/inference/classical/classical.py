"""The classical rows of a frame, whatever its kind."""

from __future__ import annotations

import pandas as pd

from atrobayes.inference.classical.families import adjust
from atrobayes.inference.classical.mixed import classical_mixed
from atrobayes.models.frame import Frame


def classical(
    frame: Frame,
    interval: float = 0.95,
    seed: int = 1,
    *,
    headline_only: bool = False,
    patient_effects: bool = True,
) -> pd.DataFrame:
    """Rerun the published procedures.

    Parameters
    ----------
    frame : Frame
    interval : float
        Level of the confidence intervals.
    seed : int
        Of permutations.
    headline_only : bool
        Leave out what stands beside the method `classical`, which takes most of the time; for forks.
    patient_effects : bool
        Mixed models: False takes rows as if they were of different patients.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, the headline `classical` and what stands beside it, each method adjusted for the
        number of structures within its terms.
    """
    rows = _rows(frame, interval, seed, headline_only, patient_effects)
    return adjust(rows[rows["method"] == "classical"] if headline_only else rows)


def _rows(frame: Frame, interval: float, seed: int, headline_only: bool, patient_effects: bool) -> pd.DataFrame:
    if frame.kind == "mixed":
        return classical_mixed(frame, interval, headline_only=headline_only, patient_effects=patient_effects)
    if frame.kind == "regression":
        from atrobayes.inference.classical.regression import classical_regression

        return classical_regression(frame, interval)
    if frame.kind == "comparison":
        from atrobayes.inference.classical.comparison import classical_comparison

        return classical_comparison(frame, interval, seed, headline_only=headline_only)
    if frame.kind == "groups":
        from atrobayes.inference.classical.comparison import classical_groups

        return classical_groups(frame, interval)
    from atrobayes.inference.classical.course import classical_course

    return classical_course(frame)
