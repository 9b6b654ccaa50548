"""Mann–Whitney's test and the Hodges–Lehmann shift of rows with activity against rows without, as R's wilcox.test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri


@dataclass(frozen=True)
class MannWhitney:
    """Result of a Mann–Whitney test.

    Attributes
    ----------
    u : float
        Pairs of an active and a quiet row in which the active one is larger, ties counted ½.
    p : float
        Two-sided, by the normal approximation; NaN where all values are equal.
    superiority : float
        u as a share of all pairs: the probability that an active row is larger than a quiet one, ties ½.
    z : float
        Standardised u; positive where active rows tend to be larger.
    """

    u: float
    p: float
    superiority: float
    z: float


def mann_whitney(y: np.ndarray, active: np.ndarray) -> MannWhitney:
    """Test whether active rows tend to be larger or smaller than quiet ones, rows taken as independent.

    Parameters
    ----------
    y : ndarray
        (row,) values without NaN.
    active : ndarray
        (row,) bool, both states present.

    Returns
    -------
    MannWhitney
        Tie and continuity correction at every n.

    Notes
    -----
    The numbers of R's `wilcox.test(y[active], y[!active], exact = FALSE, correct = TRUE)`, its NaN for values
    all equal included. Mann & Whitney (1947), doi:10.1214/aoms/1177730491.
    """
    n_active, n_quiet = int(active.sum()), int((~active).sum())
    pairs = n_active * n_quiet
    u = float(midranks(y)[active].sum()) - n_active * (n_active + 1) / 2
    sigma = _sigma(n_active, n_quiet, _tie_sum(y))
    z = _corrected(u - pairs / 2) / sigma if sigma > 0 else float("nan")
    return MannWhitney(u=u, p=2 * float(ndtr(-abs(z))), superiority=u / pairs, z=z)


def hodges_lehmann(y: np.ndarray, active: np.ndarray, level: float) -> tuple[float, float, float]:
    """Shift of active against quiet rows: the median of all pairwise differences, with its interval.

    Parameters
    ----------
    y : ndarray
        (row,) values without NaN.
    active : ndarray
        (row,) bool, both states present.
    level : float
        Level of the interval, such as 0.95.

    Returns
    -------
    tuple of float
        Estimate, low and high, in units of y. The ends are NaN where all pairwise differences are equal.

    Notes
    -----
    R's `wilcox.test(exact = FALSE, correct = TRUE, conf.int = TRUE)` looks by `uniroot` (tolerance 1e-4 in units of
    y) for shifts d at which the standardised U of y[active] - d against y[!active] is 0 (estimate, no continuity
    correction) or ±z (ends, with it). That statistic is a falling step function which jumps at the pairwise
    differences, so an end is a jump, which is given here exactly. For the estimate the step can be 0 on a whole
    plateau, between the two middle differences of an even number of pairs: R returns whatever point of it its search
    meets, here it is the middle. As in R, an end that the number of rows cannot reach at the level is the
    smallest or largest difference. Hodges & Lehmann (1963), doi:10.1214/aoms/1177704172.
    """
    a, b = y[active], y[~active]
    differences = np.sort(np.subtract.outer(a, b), axis=None)
    estimate = float(np.median(differences))
    if differences[0] == differences[-1]:
        return estimate, float("nan"), float("nan")
    # away from the jumps only values tied within a sample are tied
    sigma = _sigma(len(a), len(b), _tie_sum(a) + _tie_sum(b))
    below = len(differences) / 2 - 0.5 - sigma * float(ndtri((1 + level) / 2))
    k = max(int(np.floor(below)), 0)
    return estimate, float(differences[k]), float(differences[-1 - k])


def midranks(y: np.ndarray) -> np.ndarray:
    """Ranks (row,) from 1, tied values sharing the mean of their ranks."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _corrected(deviation: float) -> float:
    """U less its expectation, half a pair nearer to it."""
    return deviation - 0.5 * float(np.sign(deviation))


def _tie_sum(y: np.ndarray) -> float:
    counts = np.unique(y, return_counts=True)[1].astype(float)
    return float((counts**3 - counts).sum())


def _sigma(n_active: int, n_quiet: int, tie_sum: float) -> float:
    """Standard deviation of U under the null hypothesis."""
    n = n_active + n_quiet
    # in whole numbers up to the root: all values tied is exactly 0
    return float(np.sqrt(n_active * n_quiet * (n**3 - n - tie_sum) / (12 * n * (n - 1))))
