"""Where to integrate over the SDs: a box per outcome, cut into panels.

Each SD is written as C sinh t: near 0 the node spacing is even in the SD (its posterior may have
mass right down to 0, which a logarithm would lose), far out it is even in the logarithm (tails).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from atrobayes.inference.engines.quadrature import panels

C = 0.1  # SDs are in SDs of the outcome: those well below a tenth of it count as near 0
WIDEST = float(np.arcsinh(1e3 / C))
DEPTH = 24.0  # the box holds all that is within e^-24 of the highest density
INSIDE, OUTSIDE = 12, 6  # nodes of the rule that measures what lies beyond the box
SCAN = {1: 33, 2: 17, 3: 13}  # points a side, by number of SDs
SETTLED = 0.7  # a scan that leaves so much of the box ends the search


@dataclass(frozen=True)
class Rule:
    """Product rule of each outcome, by its axes.

    Attributes
    ----------
    t, weight : tuple of ndarray (outcome, node of the axis)
        One of each for every SD.
    """

    t: tuple[np.ndarray, ...]
    weight: tuple[np.ndarray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes of each axis."""
        return tuple(t.shape[1] for t in self.t)

    def sds(self) -> list[np.ndarray]:
        """SD at the nodes of each axis, along its own axis of the grid."""
        return along_axes([to_sd(t) for t in self.t])

    def log_jacobian(self) -> np.ndarray:
        """(outcome, node of axis 1, node of axis 2, …): log of d SD / d t."""
        return np.asarray(sum(along_axes([log_jacobian(t) for t in self.t])))

    def log_weight(self) -> np.ndarray:
        """(outcome, node of axis 1, node of axis 2, …)."""
        with np.errstate(divide="ignore"):
            return np.asarray(sum(along_axes([np.log(weight) for weight in self.weight])))


@dataclass(frozen=True)
class Box:
    """Range of t for each outcome and SD: `low`, `high` (outcome, sd)."""

    low: np.ndarray
    high: np.ndarray

    def take(self, outcomes: np.ndarray) -> Box:
        """The boxes of some outcomes."""
        return Box(self.low[outcomes], self.high[outcomes])

    def doubled(self) -> Box:
        """Twice as wide, not below 0."""
        width = self.high - self.low
        low = np.maximum(0.0, self.low - width / 2)
        return Box(low, low + 2 * width)

    def rule(self, count: int) -> Rule:
        """Rule of `count` panels a side."""
        return _rule([(self.low, self.high, (panels.nodes(count), panels.weights(count)))])

    def beyond(self) -> Rule:
        """Coarse rule over twice the range, not below 0: OUTSIDE nodes on each side of the box, INSIDE within it."""
        wide, outside, inside = self.doubled(), panels.one(OUTSIDE), panels.one(INSIDE)
        return _rule([(wide.low, self.low, outside), (self.low, self.high, inside), (self.high, wide.high, outside)])


def _rule(pieces: Sequence[tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]]) -> Rule:
    t, weight = [], []
    for low, high, (nodes, weights) in pieces:
        width = (high - low)[..., None]
        # an empty piece counts nothing, but its nodes are not to be 0
        t.append(np.where(width > 0, low[..., None], 1.0) + width * nodes)
        weight.append(width * weights)
    whole = (np.moveaxis(np.concatenate(values, axis=-1), 1, 0) for values in (t, weight))
    return Rule(*(tuple(values) for values in whole))


def along_axes(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each array (outcome, node of its axis) along its own axis of the product grid."""
    dims = len(values)
    return [
        value.reshape(len(value), *(-1 if k == axis else 1 for k in range(dims))) for axis, value in enumerate(values)
    ]


def to_sd(t: np.ndarray) -> np.ndarray:
    """SD at t."""
    return C * np.sinh(t)


def log_jacobian(t: np.ndarray) -> np.ndarray:
    """Log of d SD / d t."""
    return np.log(C * np.cosh(t))


def find_box(log_density: Callable[[np.ndarray, Rule], np.ndarray], outcomes: int, dims: int) -> Box:
    """Zoom in on where the density is, by repeated coarse scans.

    Parameters
    ----------
    log_density : callable
        Which outcomes and a rule for them to their log density of t on its grid:
        (outcome, node of axis 1, node of axis 2, …).
    outcomes, dims : int
        Numbers of outcomes and of SDs.
    """
    box = Box(np.zeros((outcomes, dims)), np.full((outcomes, dims), WIDEST))
    offsets = (np.arange(SCAN[dims]) + 0.5) / SCAN[dims]
    moving = np.arange(outcomes)
    for _ in range(20):
        own = box.take(moving)
        width = own.high - own.low
        t = np.moveaxis(own.low[..., None] + width[..., None] * offsets, 1, 0)
        logs = log_density(moving, Rule(tuple(t), tuple(np.ones_like(t))))
        cells = _narrow(own, logs, trim=False)
        settled = np.all((cells.high - cells.low) > SETTLED * width, axis=1)
        trimmed = _narrow(own, logs, trim=True) if settled.any() else cells
        # each outcome stops by itself: its box does not depend on the others'
        box.low[moving] = np.where(settled[:, None], trimmed.low, cells.low)
        box.high[moving] = np.where(settled[:, None], trimmed.high, cells.high)
        moving = moving[~settled]
        if not len(moving):
            break
    return box


def _narrow(box: Box, logs: np.ndarray, *, trim: bool) -> Box:
    low, high = box.low.copy(), box.high.copy()
    for k in range(low.shape[1]):
        profile = logs.max(axis=tuple(axis for axis in range(1, logs.ndim) if axis != k + 1))
        over = profile - profile.max(axis=1, keepdims=True) + DEPTH
        cell = (box.high[:, k] - box.low[:, k]) / over.shape[1]
        low[:, k] = np.maximum(0.0, box.low[:, k] + cell * _first_above(over, trim=trim))
        high[:, k] = box.high[:, k] - cell * _first_above(over[:, ::-1], trim=trim)
    return Box(low, high)


def _first_above(over: np.ndarray, *, trim: bool) -> np.ndarray:
    """How many cells lie before 0 is crossed: from the last point below it, or by a line to the next point.

    The line is for a scan that is fine already: where the density falls steeply between two points, it may curve
    much and the line would cut it off.
    """
    rows, first = np.arange(len(over)), (over > 0).argmax(axis=1)
    above, below = over[rows, first], over[rows, np.maximum(first - 1, 0)]
    gentle = trim & (first > 0) & (above - below < DEPTH / 2)
    back = np.where(gentle, above / np.where(gentle, above - below, 1.0), 1.0)
    return np.asarray(first + 0.5 - back)
