"""Parameters and data sets drawn from the priors of structures fitted together."""

from __future__ import annotations

import numpy as np
import xarray as xr

from atrobayes.inference.calibration.prior_draws import as_draws, half_student, values_of
from atrobayes.models.coding import deviation_scale
from atrobayes.models.frame import Frame
from atrobayes.models.priors import Priors
from atrobayes.models.slopes import mixed_design
from atrobayes.models.structures_pooled import INTERCEPT_SD, LKJ_ETA, RANDOM


def draw_pooled(frame: Frame, priors: Priors, size: int, rng: np.random.Generator) -> xr.Dataset:
    """Draw all parameters of `structures_pooled`.

    Parameters
    ----------
    frame : Frame
        The structures that are pooled.
    priors : Priors
    size : int
    rng : Generator

    Returns
    -------
    Dataset
        coefficients, structure_sd, structure_effects (each structure's own deviations), the SDs of random intercepts
        and of what is left, and `covariates` where there are any: (chain, draw, …).
    """
    design = mixed_design(frame, priors)
    coefs, structures = len(design.coefs), len(frame.outcomes)
    between = _structure_scales(len(frame.groups), priors) * np.abs(rng.normal(size=(size, coefs)))
    root = between[:, :, None] * lkj_root(coefs, LKJ_ETA, size, rng)
    found = {
        "coefficients": design.prior_mean + design.prior_sd * rng.normal(size=(size, coefs)),
        "structure_sd": between,
        "structure_effects": rng.normal(size=(size, structures, coefs)) @ np.swapaxes(root, 1, 2),
    }
    found |= {name: half_student(priors.patient_sd, size, rng) for name in RANDOM}
    found["residual_sd"] = half_student(priors.residual_sd, size, rng)
    if frame.covariates.shape[1]:
        found["covariates"] = priors.covariate_sd * rng.normal(size=(size, structures, frame.covariates.shape[1]))
    return as_draws(found)


def draw_pooled_outcomes(frame: Frame, priors: Priors, parameters: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Draw values of every structure, missing where the frame's are.

    Random intercepts by patient, by patient and structure, and by row (two scans, whose error all structures share).

    Parameters
    ----------
    frame : Frame
    priors : Priors
    parameters : Dataset
        As `draw_pooled` gives them.
    rng : Generator

    Returns
    -------
    ndarray (draw, row, structure)
        Standardised, in natural sign.
    """
    own = values_of(parameters)
    size, structures = own["structure_effects"].shape[:2]
    slopes = own["coefficients"][:, None, :] + own["structure_effects"]
    oriented = mixed_design(frame, priors).X @ np.swapaxes(slopes, 1, 2)
    if "covariates" in own:
        oriented += frame.covariates_standardised @ np.swapaxes(own["covariates"], 1, 2)
    people, rows = len(frame.patients), len(frame.x)
    shapes = {"patient_sd": (people, 1), "patient_structure_sd": (people, structures), "interval_sd": (rows, 1)}
    effects = {name: own[name][:, None, None] * rng.normal(size=(size, *shape)) for name, shape in shapes.items()}
    oriented += (effects["patient_sd"] + effects["patient_structure_sd"])[:, frame.patient] + effects["interval_sd"]
    oriented += own["residual_sd"][:, None, None] * rng.normal(size=oriented.shape)
    return np.where(np.isnan(frame.y.to_numpy()), np.nan, oriented * frame.orientation)


def lkj_root(effects: int, eta: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw Cholesky factors of LKJ(eta) correlation matrices, row by row.

    Parameters
    ----------
    effects : int
        Rows of a matrix.
    eta : float
        1: all correlation matrices are as likely; larger: small correlations are.
    size : int
        How many matrices.
    rng : Generator

    Returns
    -------
    ndarray (size, effect, effect)
        Lower triangular, rows of length 1.

    Notes
    -----
    The onion method of Lewandowski, Kurowicka & Joe (2009), doi:10.1016/j.jmva.2009.04.008: another way to the same
    distribution than the partial correlations of `models.lkj`.
    """
    root = np.zeros((size, effects, effects))
    root[:, 0, 0] = 1.0
    for k in range(1, effects):
        squared = rng.beta(k / 2, eta + (effects - 1 - k) / 2, size)
        direction = rng.normal(size=(size, k))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        root[:, k, :k] = np.sqrt(squared)[:, None] * direction
        root[:, k, k] = np.sqrt(1 - squared)
    return root


def _structure_scales(groups: int, priors: Priors) -> np.ndarray:
    """(coef,): half-normal scales of the SDs between structures; a contrast of groups as its mean."""
    own = np.array([INTERCEPT_SD, priors.slope_sd, *[INTERCEPT_SD] * (groups - 1), *[priors.slope_sd] * (groups - 1)])
    own[2:] *= deviation_scale(groups) / np.sqrt(2)
    return own
