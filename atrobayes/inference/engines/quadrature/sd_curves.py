"""Posterior of the standard deviations on a quadrature rule: marginals and independent draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from atrobayes.inference.engines.quadrature import panels
from atrobayes.inference.engines.quadrature.grid import C, to_sd

FINER = 4  # log densities are interpolated to so many times the panels before they are integrated
FINER_FOR_DRAWS = 2  # a draw need not be placed as exactly as a quantile
FLOOR = -600.0  # below the highest log density: no mass, but still a number to interpolate


@dataclass(frozen=True)
class SdCurves:
    """Joint posterior density of the SDs, in t (SD = C sinh t), at the nodes of a product rule.

    Attributes
    ----------
    outcomes, names : tuple of str
        Labels of outcomes and of SDs.
    low, high : ndarray (outcome, sd)
        Range of t.
    log_density : ndarray (outcome, node of SD 1, node of SD 2, …)
        Log density of t, up to a constant.
    """

    outcomes: tuple[str, ...]
    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray

    def take(self, which: np.ndarray) -> SdCurves:
        """Curves of some outcomes."""
        labels = tuple(self.outcomes[o] for o in which)
        return SdCurves(labels, self.names, self.low[which], self.high[which], self.log_density[which])

    def mean(self) -> np.ndarray:
        """(outcome, sd)."""
        return self._moment(lambda sd: sd)

    def sd(self) -> np.ndarray:
        """(outcome, sd): posterior SD of each SD."""
        centre = self.mean()
        return np.sqrt(self._moment(lambda sd: (sd - centre[..., None]) ** 2))

    def quantile(self, q: float) -> np.ndarray:
        """(outcome, sd)."""
        level = np.full(len(self.outcomes), q)
        unit = np.stack([panels.invert(self._fine[k], level) for k in range(len(self.names))], axis=1)
        return to_sd(self._t(unit))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """P(SD <= x), x and result (outcome, sd)."""
        unit = np.clip((np.arcsinh(x / C) - self.low) / (self.high - self.low), 0, 1)
        out = []
        for k in range(len(self.names)):
            curve = self._fine[k]
            out.append(panels.cumulate(curve, unit[:, k]) / (curve @ panels.weights(FINER * self._panels)))
        return np.stack(out, axis=1)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent draws from the joint posterior: (outcome, draw, sd), axis by axis."""
        unit = np.empty((len(self.outcomes), size, len(self.names)))
        for o, log_density in enumerate(self.log_density):
            level = rng.uniform(size=(size, len(self.names)))
            rest = log_density[None]
            for k in range(len(self.names)):
                curve = self._finer(self._integrate(rest, k + 1), FINER_FOR_DRAWS)
                curve = np.broadcast_to(curve, (size, curve.shape[1]))
                unit[o, :, k] = panels.invert(curve, level[:, k])
                along = panels.interpolate(self._panels, unit[o, :, k])
                rest = np.einsum("dn,dn...->d...", along, np.broadcast_to(rest, (size, *rest.shape[1:])))
        return to_sd(self.low[:, None] + (self.high - self.low)[:, None] * unit)

    @property
    def _panels(self) -> int:
        return int(self.log_density.shape[1] // panels.ORDER)

    def _t(self, unit: np.ndarray) -> np.ndarray:
        return np.asarray(self.low + (self.high - self.low) * unit)

    def _integrate(self, joint: np.ndarray, done: int) -> np.ndarray:
        """Integrate the last axes out: (curve, node), log density; `done` axes were conditioned on or kept."""
        log_weight = np.log(panels.weights(self._panels))
        for _ in range(len(self.names) - done):
            joint = logsumexp(joint + log_weight, axis=-1)
        return joint

    @cached_property
    def _marginals(self) -> list[np.ndarray]:
        """(outcome, node) for each SD: log marginal density of its unit coordinate."""
        axes = range(1, len(self.names) + 1)
        return [self._integrate(np.moveaxis(self.log_density, axis, 1), 1) for axis in axes]

    @cached_property
    def _fine(self) -> list[np.ndarray]:
        """(outcome, finer node) for each SD: marginal density of its unit coordinate, the highest about 1."""
        return [self._finer(curve) for curve in self._marginals]

    def _finer(self, curve: np.ndarray, finer: int = FINER) -> np.ndarray:
        """Densities (curve, finer node) from log densities (curve, node), the highest about 1."""
        level = np.maximum(curve - curve.max(axis=1, keepdims=True), FLOOR)
        values = level @ panels.interpolate(self._panels, panels.nodes(finer * self._panels)).T
        # where it falls steeply a polynomial overshoots; nothing stands much above a panel's highest node
        highest = level.reshape(len(curve), self._panels, panels.ORDER).max(axis=2)
        return np.exp(np.minimum(values, np.repeat(highest, finer * panels.ORDER, axis=1) + 1))

    def _moment(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        nodes, weights = panels.nodes(self._panels), panels.weights(self._panels)
        sd = to_sd(self.low[..., None] + (self.high - self.low)[..., None] * nodes)
        logs = np.stack(self._marginals, axis=1)
        mass = np.exp(logs - logs.max(axis=-1, keepdims=True)) * weights
        return np.asarray((function(sd) * mass).sum(axis=-1) / mass.sum(axis=-1))
