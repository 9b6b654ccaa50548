"""Everything a linear model leaves open drawn from its prior, and data sets drawn given that.

Written without the models' graphs, so that a prior or a likelihood which a graph states otherwise than it is meant
shows as miscalibration; only the names of variables are those of the graphs. All on the standardised scale.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from atrobayes.models.linear import Linear
from atrobayes.models.priors import HalfStudentT, Priors


def draw_linear(linear: Linear, size: int, rng: np.random.Generator, priors: Priors | None = None) -> xr.Dataset:
    """Draw all parameters of a linear model.

    Parameters
    ----------
    linear : Linear
    size : int
        How many times.
    rng : Generator
    priors : Priors, optional
        Where errors are Student-t: with the prior of their degrees of freedom. Absent: normal errors.

    Returns
    -------
    Dataset
        coefficients, residual_sd, and patient_sd, intercepts_raw, nu where there are such: (chain, draw, …), one chain,
        a draw for each data set to come.
    """
    coefs, sds = len(linear.coefs), linear.sd_priors
    found = {"coefficients": linear.prior_mean + linear.prior_sd * rng.normal(size=(size, coefs))}
    if linear.patient is not None:
        found["patient_sd"] = half_student(sds[0], size, rng)
        found["intercepts_raw"] = rng.normal(size=(size, linear.patients))
        sds = sds[1:]
    found["residual_sd"] = np.stack([half_student(prior, size, rng) for prior in sds], axis=-1)
    if priors is not None:
        found["nu"] = rng.gamma(priors.nu_shape, 1 / priors.nu_rate, size)
    return as_draws(found)


def draw_linear_outcomes(linear: Linear, parameters: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Draw one data set for each draw of the parameters.

    Parameters
    ----------
    linear : Linear
    parameters : Dataset
        As `draw_linear` gives them.
    rng : Generator

    Returns
    -------
    ndarray (draw, row)
        Standardised.
    """
    own = values_of(parameters)
    mean = own["coefficients"] @ linear.X.T
    if linear.patient is not None:
        mean = mean + own["patient_sd"][:, None] * own["intercepts_raw"][:, linear.patient]
    noise = rng.standard_t(own["nu"][:, None], size=mean.shape) if "nu" in own else rng.normal(size=mean.shape)
    return np.asarray(mean + own["residual_sd"][:, linear.residual_block] * noise)


def half_student(prior: HalfStudentT, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw standard deviations from their prior: (size,)."""
    return np.asarray(prior.scale * np.abs(rng.standard_t(prior.nu, size)))


def as_draws(found: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Name the axes of arrays (draw, …) as a sampler of one chain would.

    Parameters
    ----------
    found : mapping of str to ndarray (draw, …)
        By name of the variable.
    """

    def dims(name: str, values: np.ndarray) -> tuple[str, ...]:
        return ("chain", "draw", *(f"{name}_dim_{axis}" for axis in range(values.ndim - 1)))

    return xr.Dataset({name: (dims(name, values), values[None]) for name, values in found.items()})


def values_of(parameters: xr.Dataset) -> dict[str, np.ndarray]:
    """Arrays (draw, …) of a single chain, by name of the variable."""
    return {str(name): values.isel(chain=0).to_numpy() for name, values in parameters.items()}
