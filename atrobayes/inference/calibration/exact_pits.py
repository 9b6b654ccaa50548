"""Posterior probability below the true value, exactly: what quadrature gives instead of a rank among draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from atrobayes.inference.calibration.prior_draws import values_of
from atrobayes.inference.calibration.reported import LOG_LIKELIHOOD, with_coefficients
from atrobayes.inference.engines.quadrature.conditional import condition
from atrobayes.inference.engines.quadrature.solve import Solution, integrate
from atrobayes.inference.sums import Sums, gather
from atrobayes.models.linear import Linear

TOGETHER = 20  # data sets integrated at once: joined, all take as much room as the one with the finest rule
DRAWS = 100  # that the log likelihood at the true values is ranked among


@dataclass(frozen=True)
class Ranked:
    """Where the true values lie in the posteriors of simulated data sets.

    Attributes
    ----------
    parameters : tuple of str
    pit : ndarray (simulation, parameter)
        Posterior probability below the true value; of a rank among draws the middle of its bin.
    bins : ndarray of int (parameter,)
        Bins of equal probability that the values fall in; 0: they are continuous.
    passed : ndarray of bool (simulation,)
        Whether the fit passed its gate.
    """

    parameters: tuple[str, ...]
    pit: np.ndarray
    bins: np.ndarray
    passed: np.ndarray


def exact_pits(fitted: Linear, y: np.ndarray, truth: xr.Dataset, rng: np.random.Generator) -> Ranked:
    """Fit simulated data sets and look up their true values.

    Parameters
    ----------
    fitted : Linear
        The model that is fitted; coefficients and SDs have the names of those that the data come from, of which it may
        lack some.
    y : ndarray (simulation, row)
        Standardised.
    truth : Dataset
        Parameters the data come from, as `draw_linear` gives them: (chain, draw, …).
    rng : Generator
        For the draws that the log likelihood is ranked among.

    Returns
    -------
    Ranked
        Every term, every other coefficient, every SD, and the log likelihood with the patients' intercepts integrated
        out: a test quantity that depends on the data too (Modrák et al. 2023, doi:10.1214/23-BA1404).
    """
    linear = with_coefficients(fitted)
    coefficients, sds = values_of(truth)["coefficients"], _sds(linear, truth)
    pieces = np.array_split(np.arange(len(y)), -(-len(y) // TOGETHER))
    found = [_together(linear, y[some], coefficients[some], sds[some], rng) for some in pieces]
    parameters = (*linear.terms, *linear.sd_names, LOG_LIKELIHOOD)
    bins = np.array([0] * (len(parameters) - 1) + [DRAWS + 1])
    pit, passed = (np.concatenate([pair[k] for pair in found]) for k in (0, 1))
    return Ranked(parameters, pit, bins, passed)


def _together(
    linear: Linear, y: np.ndarray, coefficients: np.ndarray, sds: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Of some data sets: probabilities (simulation, parameter), and whether the quadrature met its limits."""
    sums = gather(linear.X, y.T, linear.patient, linear.residual_block)
    refined = integrate(linear, sums, tuple(f"simulation {k}" for k in range(len(y))))
    terms = refined.solution.mixture.cdf(coefficients @ linear.contrasts.T)
    spreads = refined.solution.curves.cdf(sds)
    fit = _rank_of_fit(linear, sums, refined.solution, coefficients, sds, rng)
    return np.column_stack([terms, spreads, fit]), refined.reached


def _sds(linear: Linear, truth: xr.Dataset) -> np.ndarray:
    """(simulation, sd)."""
    own = values_of(truth)
    residual = own["residual_sd"]
    return residual if linear.patient is None else np.column_stack([own["patient_sd"], residual])


def _rank_of_fit(
    linear: Linear, sums: Sums, solution: Solution, coefficients: np.ndarray, sds: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(simulation,): where the log likelihood at the true values lies among that of independent draws."""
    drawn = np.maximum(solution.curves.draw(DRAWS, *rng.spawn(len(sds))), 1e-12)
    which = np.arange(len(sds))
    others = condition(linear, sums, which, list(np.moveaxis(drawn, 2, 0))).draw(rng)
    level = log_likelihood(linear, sums, coefficients[:, None], sds[:, None])
    below = (log_likelihood(linear, sums, others, drawn) < level).sum(axis=1)
    return np.asarray((below + 0.5) / (DRAWS + 1))


def log_likelihood(linear: Linear, sums: Sums, coefficients: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """Log density of data sets given coefficients and SDs, patients' intercepts integrated out.

    Parameters
    ----------
    linear : Linear
    sums : Sums
        The data, a data set as each outcome.
    coefficients : ndarray (simulation, draw, coef)
    sds : ndarray (simulation, draw, sd)
        Patient SD first if the model has one.

    Returns
    -------
    ndarray (simulation, draw)
        Up to a constant that depends on the number of rows alone.
    """
    first = 0 if linear.patient is None else 1
    total = np.zeros(coefficients.shape[:2])
    for part, (count, block, multiple) in enumerate(zip(sums.count, sums.block, sums.multiple, strict=True)):
        variance = sds[..., first + block] ** 2
        if multiple:
            variance = variance + multiple * sds[..., 0] ** 2
        squares = sums.yy[part][:, None] - 2 * np.einsum("odc,oc->od", coefficients, sums.xy[part])
        squares += np.einsum("odc,ce,ode->od", coefficients, sums.xx[part], coefficients)
        total -= 0.5 * (count * np.log(variance) + squares / variance)
    return total
