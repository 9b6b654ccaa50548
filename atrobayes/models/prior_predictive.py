"""What the priors say in quantities a clinician knows: ranges of a slope, of a year's change, of a rate."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri

from atrobayes.models import student_t
from atrobayes.models.priors import HalfStudentT

NODES = 24  # of each standard deviation
_FACTORS = 8  # of the degrees of freedom, and of a Student-t error's scale
_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"


def normal_range(mean: float, sd: float, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed range of a normal prior."""
    half = float(ndtri((1 + level) / 2)) * sd
    return mean - half, mean + half


def lognormal_range(sd: float, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed range of exp(normal(0, sd)): a rate or a ratio of rates."""
    low, high = normal_range(0.0, sd, level)
    return math.exp(low), math.exp(high)


def half_t_quantile(prior: HalfStudentT, q: np.ndarray | float) -> np.ndarray:
    """Quantile of a half-Student-t prior of an SD."""
    return prior.scale * student_t.isf((1 - np.asarray(q)) / 2, prior.nu)


@dataclass(frozen=True)
class Recorded:
    """Priors as the record of a fit has them, standardised.

    Attributes
    ----------
    intercept_mean_sd, intercept_difference_sd : float
        SD of the mean of the groups' intercepts, and of the difference of any two.
    patient_sd, residual_sd : HalfStudentT
    nu : tuple of float
        Shape and rate of the gamma prior of the degrees of freedom.
    """

    intercept_mean_sd: float
    intercept_difference_sd: float
    patient_sd: HalfStudentT
    residual_sd: HalfStudentT
    nu: tuple[float, float]

    def intercept_sd(self, groups: int) -> float:
        """SD of the intercept of one of `groups` groups."""
        return math.sqrt(self.intercept_mean_sd**2 + self.intercept_difference_sd**2 / 2 * (1 - 1 / groups))


def read_record(told: Mapping[str, str]) -> Recorded:
    """Read what `Priors.describe` wrote.

    Parameters
    ----------
    told : mapping of str to str
        `history["priors"]["standardised"]` of a fit.

    Raises
    ------
    ValueError, KeyError
        If the record says something else: our own mistake.
    """

    def numbers(key: str) -> list[float]:
        found = [float(text) for text in re.findall(_NUMBER, told[key].partition("(")[2])]
        if not found:
            raise ValueError(f"no numbers in the prior of {key}: {told[key]}")
        return found

    return Recorded(
        intercept_mean_sd=numbers("mean of the groups' intercepts")[1],
        intercept_difference_sd=numbers("difference of two intercepts")[1],
        patient_sd=_half_t(numbers("patient SD")),
        residual_sd=_half_t(numbers("residual SD")),
        nu=(numbers("degrees of freedom of Student-t errors")[0], numbers("degrees of freedom of Student-t errors")[1]),
    )


def _half_t(numbers: list[float]) -> HalfStudentT:
    nu, _, scale = numbers
    return HalfStudentT(nu, scale)


@dataclass(frozen=True)
class Year:
    """Prior predictive distribution of one row: normal given the SDs, which are integrated over their priors.

    Attributes
    ----------
    mean : float
        Its centre, standardised.
    fixed_sd : float
        SD of what the normal priors of intercept and slope add.
    variances : ndarray (node,)
        What patient and error add to fixed_sd², at each node.
    weights : ndarray (node,)
    """

    mean: float
    fixed_sd: float
    variances: np.ndarray
    weights: np.ndarray

    def cdf(self, value: float) -> float:
        """P(row <= value)."""
        spread = np.sqrt(self.fixed_sd**2 + self.variances)
        return float(self.weights @ ndtr((value - self.mean) / spread))

    def quantile(self, q: float) -> float:
        """Value that a row stays below with probability q."""
        from scipy.optimize import brentq

        far = 1.0
        while not self.cdf(self.mean - far) < q < self.cdf(self.mean + far):
            far *= 2
        return float(brentq(lambda value: self.cdf(value) - q, self.mean - far, self.mean + far, xtol=1e-10))


def year_prior(
    mean: float,
    fixed_sd: float,
    patient_sd: HalfStudentT | None,
    residual_sd: HalfStudentT,
    nu: tuple[float, float] | None = None,
) -> Year:
    """Predict a row from the priors alone, by numerical integration: no random draws.

    Parameters
    ----------
    mean, fixed_sd : float
        Mean and SD of intercept and slope together at that row.
    patient_sd : HalfStudentT or None
        None: no patient effect.
    residual_sd : HalfStudentT
    nu : tuple of float, optional
        Shape and rate of the gamma prior of the degrees of freedom; absent: normal errors.

    Returns
    -------
    Year
        Gauss-Legendre nodes on the quantiles of every SD (and of nu and the errors' scale): right to about three digits
        between the 1st and the 99th percentile.
    """
    level, weight = _nodes(NODES)
    error, error_weight = half_t_quantile(residual_sd, level) ** 2, weight
    if nu is not None:
        factor, own = _scale_factors(nu)
        error, error_weight = np.outer(error, factor).ravel(), np.outer(weight, own).ravel()
    if patient_sd is None:
        return Year(mean, fixed_sd, error, error_weight)
    patient = half_t_quantile(patient_sd, level) ** 2
    return Year(mean, fixed_sd, np.add.outer(patient, error).ravel(), np.outer(weight, error_weight).ravel())


def _nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    level, weight = np.polynomial.legendre.leggauss(count)
    return (level + 1) / 2, weight / 2


def _scale_factors(nu: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Factors of a Student-t error's variance over nu and its gamma mixture, and their weights."""
    level, weight = _nodes(_FACTORS)
    half = gammaincinv(nu[0], level) / nu[1] / 2
    factor = half[:, None] / gammaincinv(half[:, None], level)
    return factor.ravel(), np.outer(weight, weight).ravel()
