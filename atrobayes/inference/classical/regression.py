"""The paper's ordinary regressions: each group by itself, slopes compared as independent estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.classical.two_groups import t_test, welch_df
from atrobayes.models import estimates
from atrobayes.models.coding import term_weights
from atrobayes.models.estimates import FEW_PATIENTS
from atrobayes.models.frame import Frame
from atrobayes.models.terms import terms_of

LARGE_LEVERAGE = 0.5


@dataclass(frozen=True)
class _Slope:
    """One group's fit on the scale of the standardised outcome; NaN where there is no slope."""

    estimate: float
    variance: float
    df: float
    r2: float
    leverage: float


_NO_SLOPE = _Slope(*[float("nan")] * 5)


def classical_regression(frame: Frame, interval: float = 0.95) -> pd.DataFrame:
    """Fit change ~ lesions (and covariates) by least squares in each group to every outcome.

    Parameters
    ----------
    frame : Frame
        Raw units throughout; one row a patient, or rows count as independent.
    interval : float
        Level of the confidence intervals.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, method `classical`, engine `ols`. Slopes: df is rows minus coefficients, r2 the share
        of the group's variance that its whole fit explains, covariates included. Interactions: difference of
        the separate slopes, each group with its own residual variance, Welch-Satterthwaite degrees of freedom.
        A covariate that a group's other columns determine is left out there. Not estimable: no spread in the
        predictor beyond the covariates, no row left for an error, or no error left.
        Flags: `leverage` where one row's hat value is above 0.5 in the fit of any group the term rests on;
        `few_patients` where such a group has fewer than ten.

    Notes
    -----
    Hat values above 0.5 are those that Huber (1981), doi:10.1002/0471725250, chapter 7, would avoid. Unlike the usual
    2p/n this limit does not fall with n: it marks slopes that one row decides, not rows that are merely unusual.
    """
    rows = [row for k in range(len(frame.outcomes)) for row in _outcome_rows(frame, k, interval)]
    return estimates.table(rows)


def leverage(X: np.ndarray) -> np.ndarray:
    """Hat values (row,) of a design (row, coef): the share of a row's fitted value that is its own observation.

    They lie between 0 and 1 and sum to the rank; at 1 the fit goes through the row whatever it says.
    """
    return (_basis(X) ** 2).sum(axis=1)


def few_patients(frame: Frame, rows: np.ndarray) -> bool:
    """Whether any group among these rows (boolean) has fewer than FEW_PATIENTS patients."""
    return any(
        len(np.unique(frame.patient[rows & (frame.group == g)])) < FEW_PATIENTS for g in np.unique(frame.group[rows])
    )


def _outcome_rows(frame: Frame, k: int, interval: float) -> list[dict[str, Any]]:
    present = ~np.isnan(frame.y.to_numpy()[:, k])
    y, scale = _standardised(frame.y.to_numpy()[:, k], present)
    covariates = frame.covariates.to_numpy()
    slopes = [
        _group_slope(frame.x[rows], y[rows], covariates[rows])
        for rows in (present & (frame.group == g) for g in range(len(frame.groups)))
    ]
    weights = term_weights(frame.groups)
    common = {"method": "classical", "engine": "ols", "ci_prob": interval, "ci_kind": "confidence"}
    rows = []
    for term in terms_of(frame):
        used = [(weight, slope) for weight, slope in zip(weights[term.name], slopes, strict=True) if weight]
        few = few_patients(frame, term.rows & present)
        rows.append(estimates.constants(frame, term, k) | common | _cells(used, scale, interval, few))
    return rows


def _standardised(y: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, float]:
    """Outcome on a scale of one: what counts as no residual must not depend on its unit."""
    if present.sum() < 2 or not (spread := float(y[present].std(ddof=1))):
        return np.zeros_like(y), 1.0
    return (y - y[present].mean()) / spread, spread


def _group_slope(x: np.ndarray, y: np.ndarray, covariates: np.ndarray) -> _Slope:
    if not len(x):
        return _NO_SLOPE
    others, own = _design(x, covariates)
    spread = float(np.sqrt(own @ own))
    df = len(x) - others.shape[1] - 1
    if spread == 0 or df < 1:
        return _NO_SLOPE
    X = np.column_stack([others, own / spread])
    residual = y - X @ (X.T @ y)
    left = float(residual @ residual)
    if left <= 1e-14 * len(y):
        return _NO_SLOPE
    return _Slope(
        estimate=float(own @ y) / spread**2,
        variance=left / df / spread**2,
        df=df,
        r2=1 - left / float(((y - y.mean()) ** 2).sum()),
        leverage=float((X**2).sum(axis=1).max()),
    )


def _design(x: np.ndarray, covariates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal columns of intercept and covariates, and what of x they do not determine (0: nothing left)."""
    others = _basis(np.column_stack([np.ones(len(x)), covariates - covariates.mean(axis=0)]))
    centred = x - x.mean()
    own = centred - others @ (others.T @ centred)
    return others, own if (own**2).sum() > 1e-20 * (centred**2).sum() else np.zeros_like(own)


def _basis(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns (row, rank) of the same space."""
    length = np.sqrt((columns**2).sum(axis=0))
    scaled = columns / np.where(length > 0, length, 1.0)
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    return left[:, size > 1e-10 * size.max()]


def _cells(used: list[tuple[float, _Slope]], scale: float, interval: float, few: bool) -> dict[str, Any]:
    """Result of a weighted sum of independent slopes."""
    if not all(np.isfinite(slope.variance) for _, slope in used):
        return {"flags": "not_estimable"}
    variances = np.array([weight**2 * slope.variance for weight, slope in used])
    df = welch_df(variances, np.array([slope.df for _, slope in used]))
    estimate = scale * sum(weight * slope.estimate for weight, slope in used)
    test = t_test(estimate, scale * float(np.sqrt(variances.sum())), df, interval)
    large = any(slope.leverage > LARGE_LEVERAGE for _, slope in used)
    return test.cells() | {
        "r2": used[0][1].r2 if len(used) == 1 else np.nan,
        "flags": ",".join(["leverage"] * large + ["few_patients"] * few),
    }
