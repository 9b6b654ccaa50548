"""Gauss–Legendre panels on the unit interval: integrate, interpolate, accumulate, invert.

A function known at the nodes of a panel is the polynomial through them, in Legendre form;
integrals up to any point then have a closed form.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre

from atrobayes.models.newton import solve_increasing

ORDER = 24  # high: a posterior density is smooth, and one such panel mostly holds it
_NODES, _WEIGHTS = legendre.leggauss(ORDER)
_DEGREES = np.arange(ORDER)
# values at the nodes → Legendre coefficients
_TO_COEF = ((2 * _DEGREES + 1) / 2)[:, None] * (legendre.legvander(_NODES, ORDER - 1) * _WEIGHTS[:, None]).T


def nodes(panels: int) -> np.ndarray:
    """(panels · ORDER,): nodes in (0, 1); the ends are never among them."""
    return np.asarray(((np.arange(panels)[:, None] + (_NODES + 1) / 2) / panels).ravel())


def weights(panels: int) -> np.ndarray:
    """(panels · ORDER,): weights, adding up to one."""
    return np.tile(_WEIGHTS / (2 * panels), panels)


@cache
def one(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of one panel of another order."""
    x, weight = legendre.leggauss(order)
    return (x + 1) / 2, weight / 2


def interpolate(panels: int, at: np.ndarray) -> np.ndarray:
    """(point, node): matrix that takes values at the nodes to values at the points `at` in [0, 1]."""
    panel, local = _place(panels, at)
    inside = legendre.legvander(local, ORDER - 1) @ _TO_COEF
    matrix = np.zeros((len(at), panels, ORDER))
    matrix[np.arange(len(at)), panel] = inside
    return matrix.reshape(len(at), panels * ORDER)


def cumulate(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Integrals from 0.

    Parameters
    ----------
    values : ndarray (curve, node)
        Each curve at the nodes.
    at : ndarray (curve, point)
        Upper ends, in [0, 1].
    """
    panels = values.shape[1] // ORDER
    panel, local = _place(panels, at)
    rows = np.arange(len(at))[:, None]
    own = values.reshape(len(values), panels, ORDER)[rows, panel] @ _TO_COEF.T
    return np.asarray(_below(values, panels)[rows, panel] + (_integral(local) * own).sum(axis=-1) / (2 * panels))


def invert(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Where each curve's integral from 0 reaches `level` of its whole: Newton inside a bracket.

    Parameters
    ----------
    values : ndarray (curve, node)
        Densities at the nodes, not necessarily normalised.
    level : ndarray (curve,)
        In (0, 1).

    Returns
    -------
    ndarray (curve,)
        Points in [0, 1].
    """
    panels = values.shape[1] // ORDER
    below, rows = _below(values, panels), np.arange(len(level))
    target = level * below[:, -1]
    panel = np.clip((below[:, 1:] < target[:, None]).sum(axis=1), 0, panels - 1)
    rest = (target - below[rows, panel]) * 2 * panels
    own = values.reshape(len(values), panels, ORDER)[rows, panel] @ _TO_COEF.T

    def excess_and_slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = (legendre.legvander(x, ORDER - 1) * own).sum(axis=1)
        return (_integral(x) * own).sum(axis=1) - rest, slope

    ends = np.ones(len(level))
    x = solve_increasing(excess_and_slope, np.zeros(len(level)), -ends, ends, 1e-11)
    return np.asarray((panel + (x + 1) / 2) / panels)


def _place(panels: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    panel = np.clip((at * panels).astype(np.int64), 0, panels - 1)
    return panel, 2 * (at * panels - panel) - 1


def _below(values: np.ndarray, panels: int) -> np.ndarray:
    """(curve, panels + 1): integral up to each panel's start, and the whole."""
    masses = values.reshape(len(values), panels, ORDER) @ _WEIGHTS / (2 * panels)
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(masses, axis=1)], axis=1)


def _integral(x: np.ndarray) -> np.ndarray:
    """(…, degree): integrals of the Legendre polynomials from -1 to x."""
    P = legendre.legvander(x, ORDER)
    return np.concatenate([(x + 1)[..., None], (P[..., 2:] - P[..., :-2]) / (2 * _DEGREES[1:] + 1)], axis=-1)
