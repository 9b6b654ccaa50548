"""Parameters and data sets drawn from the priors of counts and of ordinal scores."""

from __future__ import annotations

import numpy as np
import xarray as xr

from atrobayes.inference.calibration.prior_draws import as_draws, half_student, values_of
from atrobayes.models import counts, ordinal
from atrobayes.models.courses import cell_codes
from atrobayes.models.frame import Frame
from atrobayes.models.terms import cells


def draw_counts(frame: Frame, size: int, rng: np.random.Generator) -> xr.Dataset:
    """Draw all parameters of the counts model: as `models.counts.Counts.graph` names them."""
    return as_draws(
        {
            "log_rate": counts.LOG_RATE_SD * rng.normal(size=size),
            "cell_effects": counts.CELL_SD * rng.normal(size=(size, len(cells(frame)))),
            "dispersion": counts.DISPERSION_SD * np.abs(rng.normal(size=size)),
            "patient_sd": counts.PATIENT_SD * np.abs(rng.normal(size=size)),
            "intercepts_raw": rng.normal(size=(size, len(frame.patients))),
        }
    )


def draw_count_outcomes(frame: Frame, parameters: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Draw counts for each draw of the parameters: (draw, row).

    Notes
    -----
    A negative binomial count is a Poisson one whose mean varies as a gamma variable of shape 1 / dispersion².
    """
    own = values_of(parameters)
    log_mean = own["log_rate"][:, None] + own["cell_effects"][:, cell_codes(frame)] + np.log(frame.years)
    log_mean += own["patient_sd"][:, None] * own["intercepts_raw"][:, frame.patient]
    shape = own["dispersion"][:, None] ** -2
    return rng.poisson(np.exp(log_mean) * rng.gamma(shape, 1 / shape, size=log_mean.shape)).astype(float)


def draw_scores(frame: Frame, thresholds: int, size: int, rng: np.random.Generator) -> xr.Dataset:
    """Draw all parameters of the ordinal model: as `models.ordinal.Ordinal.graph` names them.

    Parameters
    ----------
    frame : Frame
    thresholds : int
        One fewer than there are levels.
    size : int
    rng : Generator

    Notes
    -----
    Independent normals restricted to ascending order are independent normals sorted.
    """
    return as_draws(
        {
            "cell_effects": ordinal.CELL_SD * rng.normal(size=(size, len(cells(frame)))),
            "thresholds": np.sort(ordinal.THRESHOLD_SD * rng.normal(size=(size, thresholds)), axis=1),
            "patient_sd": half_student(ordinal.PATIENT_SD, size, rng),
            "intercepts_raw": rng.normal(size=(size, len(frame.patients))),
        }
    )


def draw_score_outcomes(
    frame: Frame, levels: np.ndarray, parameters: xr.Dataset, rng: np.random.Generator
) -> np.ndarray:
    """Draw scores for each draw of the parameters, by how many thresholds a logistic variable exceeds.

    Parameters
    ----------
    frame : Frame
    levels : ndarray (level,)
        Scores, ascending.
    parameters : Dataset
        As `draw_scores` gives them.
    rng : Generator

    Returns
    -------
    ndarray (draw, row)
    """
    own = values_of(parameters)
    latent = own["cell_effects"][:, cell_codes(frame)] + rng.logistic(size=(len(own["patient_sd"]), len(frame.x)))
    latent += own["patient_sd"][:, None] * own["intercepts_raw"][:, frame.patient]
    return np.asarray(levels[(latent[..., None] > own["thresholds"][:, None, :]).sum(axis=-1)], dtype=float)
