"""Where to integrate over the SDs: a box per outcome, cut into panels.

Each SD is written as C sinh t: near 0 the node spacing is even in the SD (its posterior may have
mass right down to 0, which a logarithm would lose), far out it is even in the logarithm (tails).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from atrobayes.inference.engines.quadrature import panels

C = 0.25  # SDs are in SDs of the outcome: those well below a quarter of it count as near 0
WIDEST = float(np.arcsinh(1e3 / C))
DEPTH = 35.0  # the box holds all that is within e^-35 of the highest density
SCAN = 33


@dataclass(frozen=True)
class Box:
    """Range of t for each outcome and SD: `low`, `high` (outcome, sd)."""

    low: np.ndarray
    high: np.ndarray

    def doubled(self) -> Box:
        """Twice as wide, not below 0."""
        width = self.high - self.low
        low = np.maximum(0.0, self.low - width / 2)
        return Box(low, low + 2 * width)

    def take(self, outcomes: np.ndarray) -> Box:
        """The boxes of some outcomes."""
        return Box(self.low[outcomes], self.high[outcomes])

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Product rule of `count` panels a side.

        Returns
        -------
        t : ndarray (outcome, node, sd)
        log_weight : ndarray (outcome, node)
        """
        axis = panels.nodes(count)
        dims = self.low.shape[1]
        unit = np.stack(np.meshgrid(*[axis] * dims, indexing="ij"), axis=-1).reshape(-1, dims)
        weight = np.log(np.stack(np.meshgrid(*[panels.weights(count)] * dims, indexing="ij"))).sum(axis=0).ravel()
        width = self.high - self.low
        return self.low[:, None] + width[:, None] * unit, weight + np.log(width).sum(axis=1)[:, None]


def to_sd(t: np.ndarray) -> np.ndarray:
    """SD at t."""
    return C * np.sinh(t)


def log_jacobian(t: np.ndarray) -> np.ndarray:
    """Log of d SD / d t, summed over the last axis."""
    return np.asarray(np.log(C * np.cosh(t)).sum(axis=-1))


def find_box(log_density: Callable[[np.ndarray], np.ndarray], outcomes: int, dims: int) -> Box:
    """Zoom in on where the density is, by repeated coarse scans.

    Parameters
    ----------
    log_density : callable
        Log density of t: (outcome, node, sd) → (outcome, node).
    outcomes, dims : int
        Numbers of outcomes and of SDs.
    """
    box = Box(np.zeros((outcomes, dims)), np.full((outcomes, dims), WIDEST))
    offsets = (np.arange(SCAN) + 0.5) / SCAN
    unit = np.stack(np.meshgrid(*[offsets] * dims, indexing="ij"), axis=-1).reshape(-1, dims)
    for _ in range(20):
        width = box.high - box.low
        logs = log_density(box.low[:, None] + width[:, None] * unit).reshape(outcomes, *[SCAN] * dims)
        following = _narrow(box, logs)
        settled = np.all((following.high - following.low) > 0.7 * width)
        box = following
        if settled:
            break
    return box


def _narrow(box: Box, logs: np.ndarray) -> Box:
    low, high = box.low.copy(), box.high.copy()
    top = logs.max(axis=tuple(range(1, logs.ndim)))
    for k in range(low.shape[1]):
        others = tuple(axis for axis in range(1, logs.ndim) if axis != k + 1)
        kept = logs.max(axis=others) > (top - DEPTH)[:, None]
        first, last = kept.argmax(axis=1), SCAN - 1 - kept[:, ::-1].argmax(axis=1)
        cell = (box.high[:, k] - box.low[:, k]) / SCAN
        # one cell more on each side: what lies between two scan points is not lost
        low[:, k] = np.maximum(0.0, box.low[:, k] + (first - 1) * cell)
        high[:, k] = box.low[:, k] + (last + 2) * cell
    return Box(low, high)
