"""The paper's linear mixed model: REML, Satterthwaite degrees of freedom, slopes as contrasts of one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.classical.reml import Reml, fit_reml
from atrobayes.models import estimates, student_t
from atrobayes.models.coding import term_weights
from atrobayes.models.frame import Frame
from atrobayes.models.terms import terms_of


def classical_mixed(frame: Frame, interval: float = 0.95) -> pd.DataFrame:
    """Fit change ~ lesions * group + (1 | patient) by REML to every outcome.

    Parameters
    ----------
    frame : Frame
        Raw units throughout.
    interval : float
        Level of the confidence intervals.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, method `classical`. Where a group has no spread in the predictor, its slope
        and its differences are not estimable, and so is everything where nothing is left for an error: NaN and flagged.

    Notes
    -----
    Satterthwaite as in lmerTest: Kuznetsova, Brockhoff, Christensen (2017), doi:10.18637/jss.v082.i13.
    At a singular fit this gives every contrast n - p degrees of freedom, as if rows were patients.
    """
    rows = [row for k in range(len(frame.outcomes)) for row in _outcome_rows(frame, k, interval)]
    return estimates.table(rows)


def satterthwaite(fit: Reml, contrast: np.ndarray) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom of one contrast (coef,) of the coefficients."""
    variance = float(contrast @ fit.cov @ contrast)
    gradient = np.array([contrast @ by @ contrast for by in (fit.cov_by_theta, fit.cov_by_sigma)])
    df = 2 * variance**2 / float(gradient @ fit.sd_cov @ gradient)
    return float(contrast @ fit.beta), float(np.sqrt(variance)), df


def _outcome_rows(frame: Frame, k: int, interval: float) -> list[dict[str, Any]]:
    some = frame.select(~frame.y[:, k].isnull().to_numpy(), np.array([k]))
    X, slope_column = _design(some)
    y = some.y.to_numpy()[:, 0]
    # on a scale of one: the degrees of freedom must not depend on the outcome's unit
    centre, scale = y.mean(), y.std(ddof=1)
    fit = fit_reml(X, (y - centre) / scale, some.patient) if _leaves_something(X, (y - centre) / scale) else None
    rows = []
    for term in terms_of(frame):
        row: dict[str, Any] = estimates.constants(frame, term, k)
        contrast = _contrast(term_weights(frame.groups)[term.name], slope_column, X.shape[1])
        if fit is None or contrast is None:
            flag = "not_estimable"
        else:
            flag = "singular" if fit.singular else ""
            estimate, error, df = satterthwaite(fit, contrast)
            row |= _test(scale * estimate, scale * error, df, interval)
        rows.append(row | {"method": "classical", "engine": "reml", "flags": flag} | _interval(interval))
    return rows


def _leaves_something(X: np.ndarray, y: np.ndarray) -> bool:
    """Whether coefficients leave rows and spread to estimate an error from."""
    residual = y - X @ np.linalg.lstsq(X, y)[0]
    return len(y) > X.shape[1] and float(residual @ residual) > 1e-14 * len(y)


def _interval(level: float) -> dict[str, Any]:
    return {"ci_prob": level, "ci_kind": "confidence"}


def _design(frame: Frame) -> tuple[np.ndarray, list[int | None]]:
    """Intercept and slope for each group; which column holds each group's slope (None: no spread in x)."""
    columns: list[np.ndarray] = []
    slope_column: list[int | None] = []
    for g in range(len(frame.groups)):
        inside = frame.group == g
        if not inside.any():
            slope_column.append(None)
            continue
        columns.append(inside.astype(float))
        x = frame.x[inside]
        spread = bool((x != x[0]).any())
        slope_column.append(len(columns) if spread else None)
        if spread:
            # centred within the group: the same column space, better conditioned
            columns.append(np.where(inside, frame.x - x.mean(), 0.0))
    return np.column_stack(columns), slope_column


def _contrast(weights: np.ndarray, slope_column: list[int | None], size: int) -> np.ndarray | None:
    contrast = np.zeros(size)
    for weight, column in zip(weights, slope_column, strict=True):
        if weight and column is None:
            return None
        if column is not None:
            contrast[column] = weight
    return contrast


def _test(estimate: float, error: float, df: float, interval: float) -> dict[str, float]:
    statistic = estimate / error
    half = error * float(student_t.isf((1 - interval) / 2, df))
    return {
        "estimate": estimate,
        "sd": error,
        "df": df,
        "statistic": statistic,
        "p": 2 * float(student_t.sf(abs(statistic), df)),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }
