"""The paper's linear mixed model: REML, Satterthwaite degrees of freedom, slopes as contrasts of one model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.classical.kenward_roger import kenward_roger
from atrobayes.inference.classical.regression import LARGE_LEVERAGE, few_patients, leverage
from atrobayes.inference.classical.reml import Reml, fit_reml
from atrobayes.inference.classical.two_groups import t_test
from atrobayes.models import estimates
from atrobayes.models.coding import term_weights
from atrobayes.models.frame import Frame
from atrobayes.models.terms import terms_of

Procedure = Callable[[np.ndarray], tuple[float, float, float]]


def classical_mixed(
    frame: Frame, interval: float = 0.95, *, headline_only: bool = False, patient_effects: bool = True
) -> pd.DataFrame:
    """Fit change ~ lesions * group (+ covariates) + (1 | patient) by REML to every outcome.

    Parameters
    ----------
    frame : Frame
        Raw units throughout.
    interval : float
        Level of the confidence intervals.
    headline_only : bool
        Only the rows `classical`.
    patient_effects : bool
        False: rows as if of different patients, which is least squares on all groups together, with rows minus
        coefficients degrees of freedom.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv: `classical` (Satterthwaite), `classical_kr` (Kenward-Roger) and `classical_z` (the
        standard error taken as known). Where a group has no spread in the predictor, its slope and its differences
        are not estimable, and so is everything where nothing is left for an error: NaN and flagged. A covariate
        that the other columns determine is left out. Flags as for regressions, and `singular`.

    Notes
    -----
    Satterthwaite as in lmerTest: Kuznetsova, Brockhoff, Christensen (2017), doi:10.18637/jss.v082.i13.
    At a singular fit this gives every contrast n - p degrees of freedom, as if rows were patients; Kenward-Roger,
    whose standard errors grow by what not knowing the patient SD adds, is then the one to read first.
    """
    ways = _Ways(interval, headline_only, patient_effects)
    rows: dict[int, list[dict[str, Any]]] = {}
    for present, outcomes in frame.patterns():
        shared = _shared(frame, present)
        rows |= {int(k): _outcome_rows(frame, int(k), shared, ways) for k in outcomes}
    return estimates.table([row for k in sorted(rows) for row in rows[k]])


@dataclass(frozen=True)
class _Ways:
    interval: float
    headline_only: bool
    patient_effects: bool


@dataclass(frozen=True)
class _Shared:
    """What outcomes that are present in the same rows share; `flags` for each term, in the order of the terms."""

    present: np.ndarray
    X: np.ndarray
    slope_column: list[int | None]
    flags: list[str]


def _shared(frame: Frame, present: np.ndarray) -> _Shared:
    X, slope_column = _design(frame.select(present, np.array([0])))
    return _Shared(present, X, slope_column, [_flags(frame, term.rows & present) for term in terms_of(frame)])


def satterthwaite(fit: Reml, contrast: np.ndarray) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom of one contrast (coef,) of the coefficients."""
    variance = float(contrast @ fit.cov @ contrast)
    gradient = np.array([contrast @ by @ contrast for by in (fit.cov_by_theta, fit.cov_by_sigma)])
    df = 2 * variance**2 / float(gradient @ fit.sd_cov @ gradient)
    return float(contrast @ fit.beta), float(np.sqrt(variance)), df


def _outcome_rows(frame: Frame, k: int, shared: _Shared, ways: _Ways) -> list[dict[str, Any]]:
    X, y = shared.X, frame.y.to_numpy()[shared.present, k]
    patient = frame.patient[shared.present] if ways.patient_effects else np.arange(len(y))
    # on a scale of one: the degrees of freedom must not depend on the outcome's unit
    centre, scale = y.mean(), y.std(ddof=1)
    fit = fit_reml(X, (y - centre) / scale, patient) if _leaves_something(X, (y - centre) / scale) else None
    procedures = _procedures(X, patient, fit, ways.headline_only) if fit else dict.fromkeys(("classical",))
    singular = fit is not None and fit.singular and ways.patient_effects
    engine = "reml" if ways.patient_effects else "ols"
    common = {"engine": engine, "ci_prob": ways.interval, "ci_kind": "confidence"}
    weights = term_weights(frame.groups)
    rows = []
    for term, marks in zip(terms_of(frame), shared.flags, strict=True):
        contrast = _contrast(weights[term.name], shared.slope_column, X.shape[1])
        estimable = fit is not None and contrast is not None
        flags = ",".join(filter(None, ["singular" * singular, marks])) if estimable else "not_estimable"
        of_term = estimates.constants(frame, term, k) | common | {"flags": flags}
        for method, procedure in procedures.items():
            row = of_term | {"method": method}
            if procedure is not None and contrast is not None:
                estimate, error, df = procedure(contrast)
                row |= t_test(scale * estimate, scale * error, df, ways.interval).cells()
                row |= {"df": df if np.isfinite(df) else np.nan}  # a normal test has none
            rows.append(row)
    return rows


def _procedures(X: np.ndarray, patient: np.ndarray, fit: Reml, headline_only: bool) -> dict[str, Procedure | None]:
    by_satterthwaite = partial(satterthwaite, fit)
    if headline_only:
        return {"classical": by_satterthwaite}

    def normal(contrast: np.ndarray) -> tuple[float, float, float]:
        return (*by_satterthwaite(contrast)[:2], np.inf)

    return {
        "classical": by_satterthwaite,
        "classical_kr": kenward_roger(X, patient, fit).test,
        "classical_z": normal,
    }


def _flags(frame: Frame, rows: np.ndarray) -> str:
    large, few = _leverage(frame, rows) > LARGE_LEVERAGE, few_patients(frame, rows)
    return ",".join(["leverage"] * large + ["few_patients"] * few)


def _leverage(frame: Frame, rows: np.ndarray) -> float:
    """Largest hat value of a row in the simple regression of its group."""
    groups = [rows & (frame.group == g) for g in np.unique(frame.group[rows])]
    designs = [np.column_stack([np.ones(inside.sum()), frame.x[inside]]) for inside in groups]
    return max((float(leverage(X).max()) for X in designs), default=0.0)


def _leaves_something(X: np.ndarray, y: np.ndarray) -> bool:
    """Whether coefficients leave rows and spread to estimate an error from."""
    residual = y - X @ np.linalg.lstsq(X, y)[0]
    return len(y) > X.shape[1] and float(residual @ residual) > 1e-14 * len(y)


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
    return _with_covariates(np.column_stack(columns), frame.covariates_standardised), slope_column


def _with_covariates(X: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Add the covariates that the columns so far do not determine."""
    for column in covariates.T:
        wider = np.column_stack([X, column])
        if np.linalg.matrix_rank(wider) > X.shape[1]:
            X = wider
    return X


def _contrast(weights: np.ndarray, slope_column: list[int | None], size: int) -> np.ndarray | None:
    contrast = np.zeros(size)
    for weight, column in zip(weights, slope_column, strict=True):
        if weight and column is None:
            return None
        if column is not None:
            contrast[column] = weight
    return contrast
