"""What is known of each term after a fit: one protocol, from exact mixtures or from draws.

All arrays are numpy with leading dims (outcome, term); values in the unit given at making.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from atrobayes.models.newton import solve_increasing

SQRT_2PI = np.sqrt(2 * np.pi)
_TAIL = (1e-10, 1e-7, 1e-5, 1e-3, 0.02, 0.15)
CUTS = (*_TAIL, 0.5, *(1 - q for q in reversed(_TAIL)))


class Marginals(Protocol):
    """Marginal posteriors of the terms of every outcome."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Labels of the outcomes."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Labels of the terms."""

    def mean(self) -> np.ndarray:
        """(outcome, term)."""

    def sd(self) -> np.ndarray:
        """(outcome, term)."""

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """P(term <= x), x and result (outcome, term)."""

    def quantile(self, q: float) -> np.ndarray:
        """(outcome, term)."""

    def log_pdf(self, x: np.ndarray) -> np.ndarray:
        """Log density at x (outcome, term); NaN where it cannot be had."""

    def hdi(self, prob: float) -> tuple[np.ndarray, np.ndarray]:
        """Shortest interval that holds `prob`: lower and upper ends (outcome, term)."""

    def rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and weights (outcome, term, point) each: the posterior mean of f is sum(f(points) · weights).

        f may have kinks or jumps at 0 and nowhere else.
        """


@dataclass(frozen=True)
class Mixture:
    """Marginals as finite mixtures of normals, one component per node of a quadrature rule.

    Attributes
    ----------
    outcomes, terms : tuple of str
    weight : ndarray (outcome, node)
        Non-negative, adding up to one.
    loc, scale : ndarray (outcome, term, node)
    sds : ndarray (outcome, sd, node), optional
        The standard deviations each component is conditional on, standardised.
    """

    outcomes: tuple[str, ...]
    terms: tuple[str, ...]
    weight: np.ndarray
    loc: np.ndarray
    scale: np.ndarray
    sds: np.ndarray | None = None

    def scaled(self, factor: np.ndarray) -> Mixture:
        """Multiply the terms of each outcome by a positive factor (outcome,); the SDs stay standardised."""
        by = factor[:, None, None]
        return replace(self, loc=self.loc * by, scale=self.scale * by)

    def compact(self) -> Mixture:
        """Drop components that carry nothing (weight below 1e-16): the same posterior in less room."""
        order = np.argsort(-self.weight, axis=1, kind="stable")
        order = order[:, : int((self.weight > 1e-16).sum(axis=1).max())]
        weight = np.take_along_axis(self.weight, order, axis=1)
        loc, scale, sds = (
            None if values is None else np.take_along_axis(values, order[:, None, :], axis=2)
            for values in (self.loc, self.scale, self.sds)
        )
        assert loc is not None
        assert scale is not None
        return replace(self, weight=weight / weight.sum(axis=1, keepdims=True), loc=loc, scale=scale, sds=sds)

    def mean(self) -> np.ndarray:
        return np.einsum("on,otn->ot", self.weight, self.loc)

    def sd(self) -> np.ndarray:
        apart = self.loc - self.mean()[:, :, None]
        return np.sqrt(np.einsum("on,otn->ot", self.weight, self.scale**2 + apart**2))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.einsum("on,otn->ot", self.weight, ndtr(self._z(x)))

    def log_pdf(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            logs = np.log(self.weight)[:, None, :] - 0.5 * self._z(x) ** 2 - np.log(self.scale * SQRT_2PI)
        return np.asarray(logsumexp(logs, axis=-1))

    def quantile(self, q: float) -> np.ndarray:
        if not 0 < q < 1:
            raise ValueError(f"a quantile's level lies between 0 and 1, not {q}")
        low, high = self._bracket(q)
        sd = self.sd()

        def excess_and_slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            probability, density = self._cdf_and_pdf(x)
            return probability - q, density

        # far out a level is known to 1e-16 only, its place to that over the density there
        precision = max(1e-9, 1e-14 / min(q, 1 - q))
        return solve_increasing(excess_and_slope, self.mean() + ndtri(q) * sd, low, high, precision * sd)

    def offset(self, q: float, x: np.ndarray) -> np.ndarray:
        """How far the quantile of level q lies from a nearby x, to first order: (outcome, term)."""
        probability, density = self._cdf_and_pdf(x)
        return (q - probability) / density

    def hdi(self, prob: float) -> tuple[np.ndarray, np.ndarray]:
        """Ends of equal density that hold `prob`, by Newton steps; NaN where these do not settle."""
        lower, upper = self.quantile((1 - prob) / 2), self.quantile((1 + prob) / 2)
        for _ in range(60):
            step_low, step_high = self._step_to_equal_density(lower, upper, prob)
            lower, upper = lower + step_low, upper + step_high
            settled = np.abs(step_low) + np.abs(step_high) <= 1e-10 * self.sd()
            if settled.all():
                break
        return np.where(settled, lower, np.nan), np.where(settled, upper, np.nan)

    def rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Gauss–Legendre panels over the density, cut at quantiles and at 0; NaN where they miss some of the mass."""
        edges = np.stack([self.quantile(q) for q in CUTS], axis=-1)
        middle = np.clip(0.0, edges[..., :1], edges[..., -1:])
        edges = np.sort(np.concatenate([edges, middle], axis=-1), axis=-1)
        width = np.diff(edges, axis=-1)[..., None]
        nodes, weights = np.polynomial.legendre.leggauss(8)
        shape = (*edges.shape[:-1], -1)
        points = (edges[..., :-1, None] + width * (nodes + 1) / 2).reshape(shape)
        lengths = (width * weights / 2).reshape(shape)
        density = np.stack([self._cdf_and_pdf(points[..., k])[1] for k in range(points.shape[-1])], axis=-1)
        mass = density * lengths
        whole = np.abs(mass.sum(axis=-1, keepdims=True) - 1) < 1e-6
        return points, np.where(whole, mass, np.nan)

    def _cdf_and_pdf(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = self._z(x)
        density = np.einsum("on,otn->ot", self.weight, np.exp(-0.5 * z**2) / self.scale) / SQRT_2PI
        return np.einsum("on,otn->ot", self.weight, ndtr(z)), density

    def _z(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((x[:, :, None] - self.loc) / self.scale)

    def _bracket(self, q: float) -> tuple[np.ndarray, np.ndarray]:
        ends = self.loc + ndtri(q) * self.scale
        carries = np.broadcast_to((self.weight > 0)[:, None, :], ends.shape)
        return np.where(carries, ends, np.inf).min(axis=-1), np.where(carries, ends, -np.inf).max(axis=-1)

    def _step_to_equal_density(
        self, lower: np.ndarray, upper: np.ndarray, prob: float
    ) -> tuple[np.ndarray, np.ndarray]:
        (f_low, g_low), (f_high, g_high) = self._density_and_slope(lower), self._density_and_slope(upper)
        gap = prob - (self.cdf(upper) - self.cdf(lower))
        unequal = f_low - f_high
        with np.errstate(divide="ignore", invalid="ignore"):
            det = f_high * g_low - f_low * g_high
            step_low = (gap * g_high - f_high * unequal) / det
            step_high = (gap * g_low - f_low * unequal) / det
        limit = (upper - lower) / 4
        return np.clip(np.nan_to_num(step_low), -limit, limit), np.clip(np.nan_to_num(step_high), -limit, limit)

    def _density_and_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = self._z(x)
        density = self.weight[:, None, :] * np.exp(-0.5 * z**2) / (self.scale * SQRT_2PI)
        return density.sum(axis=-1), -(density * z / self.scale).sum(axis=-1)


@dataclass(frozen=True)
class Draws:
    """Marginals from Monte Carlo draws.

    Attributes
    ----------
    outcomes, terms : tuple of str
    values : ndarray (chain, draw, outcome, term)
    """

    outcomes: tuple[str, ...]
    terms: tuple[str, ...]
    values: np.ndarray

    def mean(self) -> np.ndarray:
        return np.asarray(self.values.mean(axis=(0, 1)))

    def sd(self) -> np.ndarray:
        return np.asarray(self.values.std(axis=(0, 1), ddof=1))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((self.values <= x).mean(axis=(0, 1)))

    def quantile(self, q: float) -> np.ndarray:
        return np.asarray(np.quantile(self.values, q, axis=(0, 1)))

    def log_pdf(self, x: np.ndarray) -> np.ndarray:
        """Log of a kernel density; NaN further than 3 SD from the mean, where draws say nothing of it."""
        from scipy.stats import gaussian_kde

        out = np.full_like(x, np.nan)
        for index in zip(*np.nonzero(np.abs(x - self.mean()) < 3 * self.sd()), strict=True):
            out[index] = np.log(gaussian_kde(self.values[(..., *index)].ravel())(x[index])[0])
        return out

    def hdi(self, prob: float) -> tuple[np.ndarray, np.ndarray]:
        """Shortest interval between two draws that holds `prob` of them."""
        ranked = np.sort(self.values.reshape(-1, *self.values.shape[2:]), axis=0)
        inside = int(np.ceil(prob * len(ranked)))
        start = np.argmin(ranked[inside - 1 :] - ranked[: len(ranked) - inside + 1], axis=0)[None]
        ends = np.take_along_axis(ranked, start, axis=0), np.take_along_axis(ranked, start + inside - 1, axis=0)
        return ends[0][0], ends[1][0]

    def rule(self) -> tuple[np.ndarray, np.ndarray]:
        points = np.moveaxis(self.values.reshape(-1, *self.values.shape[2:]), 0, -1)
        return points, np.full(points.shape, 1 / points.shape[-1])
