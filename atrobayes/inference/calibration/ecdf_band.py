"""Is a sample uniform: its ECDF against a band that holds everywhere at once."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, poisson

HALVINGS = 60
# attained tail probabilities are told apart from the same number computed another way
ROUNDING = 1e-9


@dataclass(frozen=True)
class Band:
    """Between which counts the ECDF of a uniform sample stays, everywhere at once.

    Attributes
    ----------
    at : ndarray (point,)
        Where the ECDF is looked at, 1/bins … 1 - 1/bins.
    low, high : ndarray of int (point,)
        Least and greatest count of values up to there that lie inside.
    """

    at: np.ndarray
    low: np.ndarray
    high: np.ndarray


@functools.cache
def band(count: int, bins: int, level: float) -> Band:
    """Find the narrowest band of equal pointwise probability that holds at least `level`.

    Parameters
    ----------
    count : int
        Size of the sample.
    bins : int
        Into how many bins of equal probability the values fall; 1 + draws for ranks among draws.
    level : float
        Probability that the ECDF of a uniform sample lies inside at every point.

    Returns
    -------
    Band

    Notes
    -----
    Säilynoja, Bürkner & Vehtari (2022), doi:10.1007/s11222-022-10090-6: binomial limits with the same tail probability
    at every point, as small as the level asks. That probability is computed, not simulated.
    """
    low, high = np.log(1e-12), np.log(1 - level)
    # one point holds its limits with 1 - tail: at a tail of 1 - level all points together hold `level` or less
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(count, bins, np.exp(middle)) >= level else (low, middle)
    lowest, highest = _limits(count, bins, float(np.exp(low)))
    return Band(_points(bins), lowest, highest)


def uniformity_p(histogram: np.ndarray) -> float:
    """Probability that a uniform sample strays from the diagonal somewhere at least as far as this one does.

    Parameters
    ----------
    histogram : ndarray of int (bin,)
        Counts in bins of equal probability.

    Returns
    -------
    float
        Smaller than 1 - level exactly where the ECDF leaves `band` at that level.
    """
    count, bins = int(histogram.sum()), len(histogram)
    below = np.cumsum(histogram)[:-1]
    at = _points(bins)
    rarest = 2 * np.minimum(binom.cdf(below, count, at), binom.sf(below - 1, count, at)).min()
    return float(np.clip(1 - _inside(count, bins, rarest * (1 + 10 * ROUNDING)), 0, 1))


def _points(bins: int) -> np.ndarray:
    return np.arange(1, bins) / bins


def _limits(count: int, bins: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts whose pointwise probability, both tails together, is `tail` or more."""
    low = np.asarray(binom.ppf(tail / 2 * (1 - ROUNDING), count, _points(bins))).astype(np.int64)
    return low, count - low[::-1]


def _inside(count: int, bins: int, tail: float) -> float:
    """Probability that the ECDF of a uniform sample is within these limits at every point.

    The bins' counts are independent Poisson ones given their sum: the path from bin to bin is a convolution, cut off at
    the limits.
    """
    low, high = _limits(count, bins, min(tail, 1.0))
    if (low > high).any():
        return 0.0
    step = poisson.pmf(np.arange(count + 1), count / bins)
    path, first = np.ones(1), 0
    for least, most in zip(low, high, strict=True):
        reached = np.convolve(path, step)
        path, first = reached[least - first : most - first + 1], least
    last = step[count - first - np.arange(len(path))]
    return float(path @ last / poisson.pmf(count, count))
