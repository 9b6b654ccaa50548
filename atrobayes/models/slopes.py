"""Slopes on a predictor by group, groups coded symmetrically: the columns that mixed models and regressions share."""

from __future__ import annotations

import numpy as np

from atrobayes.models.coding import column_names, contrast_columns, deviation_scale, term_weights
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.priors import Priors


def mixed_design(frame: Frame, priors: Priors) -> Linear:
    """Patients with random intercepts, one residual SD."""
    return _slopes(frame, priors, patient=True, blocks=False)


def regression_design(frame: Frame, priors: Priors) -> Linear:
    """One row a patient; each group its own residual SD, as separate regressions have."""
    return _slopes(frame, priors, patient=False, blocks=True)


def _slopes(frame: Frame, priors: Priors, *, patient: bool, blocks: bool) -> Linear:
    groups = len(frame.groups)
    side = contrast_columns(groups)[frame.group]
    x = frame.x_standardised[:, None]
    scale = deviation_scale(groups)
    weights = term_weights(frame.groups)
    sds = tuple(f"residual_sd[{label}]" for label in frame.groups) if blocks else ("residual_sd",)
    return Linear(
        X=np.hstack([np.ones_like(x), x, side, x * side]),
        coefs=_coefs(groups),
        patient=frame.patient if patient else None,
        patients=len(frame.patients) if patient else 0,
        residual_block=frame.group if blocks else np.zeros(len(frame.x), dtype=np.int64),
        prior_mean=np.array([0.0, priors.slope_mean] + [0.0] * (2 * (groups - 1))),
        prior_sd=np.array(
            [priors.intercept_mean_sd, priors.mean_slope_sd(groups)]
            + [priors.intercept_deviation_sd * scale] * (groups - 1)
            + [priors.slope_deviation_sd * scale] * (groups - 1)
        ),
        sd_names=("patient_sd", *sds) if patient else sds,
        sd_priors=(priors.patient_sd,) * patient + (priors.residual_sd,) * len(sds),
        terms=tuple(weights),
        contrasts=np.array([_contrast(weight, groups) for weight in weights.values()]),
    )


def _coefs(groups: int) -> tuple[str, ...]:
    names = column_names(groups)
    return ("Intercept", "x", *names, *(f"x:{name}" for name in names))


def _contrast(weight: np.ndarray, groups: int) -> np.ndarray:
    side = weight @ contrast_columns(groups)
    return np.concatenate([[0.0, weight.sum()], np.zeros(groups - 1), side])
