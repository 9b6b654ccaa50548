"""Student's t as normals of random precision, integrated by the trapezoidal rule in the log of that precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, logsumexp

# the integrand is analytic within π/2 of the real line, where it grows by exp(df/2) at most: at this spacing of log λ
# the rule's error, exp(df/2 - π²/spacing), is below 1e-12, and where many degrees of freedom narrow it, it is spaced
# by its own SD
SPACING = 0.22
SPACING_IN_SDS = 0.5
DEPTH = 36.0  # nodes whose log weight is so far below the highest are left out: exp(-36) = 2e-16
_SEARCH = np.linspace(-160.0, 12.0, 345)
# many degrees of freedom leave a narrow range about 0, unless an estimate lies far from its prior
_SEARCH_IN_SDS = np.linspace(-30.0, 30.0, 241)


def precision_nodes(
    df: np.ndarray, log_factor: Callable[[np.ndarray], np.ndarray], coarser: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes for integrals over λ ~ Gamma(df/2, rate df/2) times a factor.

    Parameters
    ----------
    df : ndarray (problem,)
        Degrees of freedom; infinite: the one node λ = 1.
    log_factor : callable
        Log of the factor at λ: from (problem, node) to (problem, node). It varies no faster than powers of λ.
    coarser : float
        Factor of the spacing.

    Returns
    -------
    precision : ndarray (problem, node)
        λ.
    weight : ndarray (problem, node)
        Normalised posterior weight of each node.
    log_integral : ndarray (problem,)
        Log of the integral of the factor.
    """
    finite = np.isfinite(df)
    free = np.where(finite, df, 1.0)[:, None]
    low, high = _range(free, log_factor, len(df))
    step = coarser * np.minimum(SPACING, SPACING_IN_SDS * np.sqrt(2 / free[:, 0]))
    count = int(np.ceil(((high - low) / step)[finite].max(initial=0.0))) + 1
    u = np.where(finite[:, None], low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count), 0.0)
    step = (high - low) / max(count - 1, 1)
    logs = _log_density(u, free) + np.log(np.where(step > 0, step, 1.0))[:, None]
    # a normal likelihood: everything on the first node
    logs = np.where(finite[:, None], logs, np.where(np.arange(count) == 0, 0.0, -np.inf))
    logs = logs + log_factor(np.exp(u))
    log_integral = logsumexp(logs, axis=1)
    return np.exp(u), np.exp(logs - log_integral[:, None]), log_integral


def _range(
    free: np.ndarray, log_factor: Callable[[np.ndarray], np.ndarray], problems: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of log λ between which the integrand is within DEPTH of its highest, (problem,) each."""
    sd = np.sqrt(2 / free)
    u = np.sort(np.hstack([np.broadcast_to(_SEARCH, (problems, len(_SEARCH))), sd * _SEARCH_IN_SDS]), axis=1)
    with np.errstate(over="ignore", under="ignore"):
        logs = _log_density(u, free) + log_factor(np.exp(u))
    inside = logs > logs.max(axis=1, keepdims=True) - DEPTH
    rows = np.arange(problems)
    first = np.maximum(inside.argmax(axis=1) - 1, 0)
    last = np.minimum(u.shape[1] - inside[:, ::-1].argmax(axis=1), u.shape[1] - 1)
    return u[rows, first], u[rows, last]


def _log_density(u: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Log density of u = log λ."""
    half = df / 2
    return np.asarray(half * np.log(half) - gammaln(half) + half * (u - np.exp(u)))
