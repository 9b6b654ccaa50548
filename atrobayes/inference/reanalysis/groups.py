"""Published slopes of one structure in several groups, shrunk together as the study's own models do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations

import numpy as np

from atrobayes.inference.reanalysis.precisions import DEPTH, precision_nodes
from atrobayes.models.marginals import Mixture

CORRELATION = 0.5  # prior correlation of two groups' slopes, as of a study
MOST_GROUPS = 3  # each of them brings an axis of the grid …
FEWEST_DF = 3  # … which is long where there are few degrees of freedom: three axes of fewer would take minutes
_COARSER = {2: 1.0, 3: 1.6}  # spacing: so much wider it is still good to 1e-8


def interaction(first: str, second: str) -> str:
    """Name of the term: first group's slope minus the second's."""
    return f"{first}-{second}"


def can_pool(df: np.ndarray, *, shared: bool) -> bool:
    """Whether `pool_groups` serves groups with these degrees of freedom (group,).

    Parameters
    ----------
    df : ndarray (group,)
    shared : bool
        As of `pool_groups`.
    """
    if not 1 < len(df) <= MOST_GROUPS:
        return False
    return len(df) == 2 or shared or bool(df.min() >= FEWEST_DF)


def pool_groups(
    names: Sequence[str],
    estimate: np.ndarray,
    se: np.ndarray,
    df: np.ndarray,
    prior_sd: float,
    *,
    shared: bool,
    correlation: float = CORRELATION,
) -> Mixture:
    """Posterior of the groups' slopes and of their differences.

    Parameters
    ----------
    names : sequence of str
        Two or three groups.
    estimate, se, df : ndarray (group,)
        Published. Different patients: errors are independent given the variances.
    prior_sd : float
        Of each group's slope, N(0, s).
    shared : bool
        The groups come from one model with one residual variance (their t statistics share its error), not from a
        regression each.
    correlation : float
        Prior correlation of two slopes: 0 pools nothing, towards 1 everything. Of two groups the difference is then
        N(0, s√(2(1 - ρ))).

    Returns
    -------
    Mixture
        One outcome; terms the groups, then each pair's `interaction`.
    """
    count = len(names)
    prior = prior_sd**2 * (correlation + (1 - correlation) * np.eye(count))
    if shared:
        lam, weight = _shared(estimate, se, float(df.min()), prior)
    else:
        lam, weight = _separate(estimate, se, df, prior)
    loc, covariance = _given(lam, estimate, se, prior)
    pairs = list(combinations(range(count), 2))
    contrasts = np.vstack([np.eye(count), *(np.eye(count)[[i]] - np.eye(count)[[j]] for i, j in pairs)])
    scale = np.sqrt(np.einsum("tg,ngh,th->tn", contrasts, covariance, contrasts))
    terms = (*names, *(interaction(names[i], names[j]) for i, j in pairs))
    return Mixture(("groups",), terms, weight[None], (contrasts @ loc)[None], scale[None]).compact()


def _shared(estimate: np.ndarray, se: np.ndarray, df: float, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """λ of every group (group, node), the same for all, and weights (node,)."""

    def log_factor(lam: np.ndarray) -> np.ndarray:
        return _log_marginal(np.broadcast_to(lam, (len(se), lam.shape[1])), estimate, se, prior)[None]

    lam, weight, _ = precision_nodes(np.array([df]), log_factor)
    return np.broadcast_to(lam, (len(se), lam.shape[1])), weight[0]


def _separate(estimate: np.ndarray, se: np.ndarray, df: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """λ of every group (group, node) on a product grid, and weights (node,).

    Each axis is laid out by its group alone, under its own prior; the joint density then weighs the product.
    """

    def log_factor(lam: np.ndarray) -> np.ndarray:
        variance = np.diag(prior)[:, None] + se[:, None] ** 2 / lam
        return np.asarray(-0.5 * (np.log(variance) + estimate[:, None] ** 2 / variance))

    lam, weight, _ = precision_nodes(df, log_factor, _COARSER[len(se)])
    with np.errstate(divide="ignore"):
        logs = np.log(weight)
    products = reduce(np.add.outer, logs)
    at = np.nonzero(products > products.max() - DEPTH)
    grid = np.stack([row[k] for row, k in zip(lam, at, strict=True)])
    # of each axis the density of λ and the rule's weights are left
    logs = logs - log_factor(lam)
    joint = sum(row[k] for row, k in zip(logs, at, strict=True)) + _log_marginal(grid, estimate, se, prior)
    weight = np.exp(joint - joint.max())
    return grid, weight / weight.sum()


def _log_marginal(lam: np.ndarray, estimate: np.ndarray, se: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Log density (node,) of the estimates given λ (group, node), up to a constant."""
    total = _totals(lam, se, prior)
    white = np.linalg.solve(total, np.broadcast_to(estimate[:, None], (len(total), len(se), 1)))[..., 0]
    return np.asarray(-0.5 * (np.linalg.slogdet(total)[1] + white @ estimate))


def _given(lam: np.ndarray, estimate: np.ndarray, se: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean (group, node) and covariance (node, group, group) given λ."""
    gain = np.swapaxes(np.linalg.solve(_totals(lam, se, prior), prior[None]), 1, 2)
    loc = gain @ estimate
    return loc.T, prior - gain @ prior


def _totals(lam: np.ndarray, se: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(node, group, group): covariance of the estimates given λ."""
    return prior + (se[:, None] ** 2 / lam).T[:, :, None] * np.eye(len(se))
