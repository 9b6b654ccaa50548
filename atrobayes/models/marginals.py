"""What is known of each term after a fit: one protocol, from exact mixtures or from draws.

All arrays are numpy with leading dims (outcome, term); values in the unit given at making.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.special import logsumexp, ndtri

from atrobayes.models.newton import solve_increasing
from atrobayes.models.normals import SQRT_2PI, Normals

CARRIES = 1e-14  # components with less weight are left out of distribution functions and intervals
CARRIES_OF_RULE = 1e-12  # … of averages over the posterior
# edges of the panels of `rule`, in SDs from the mean: the last holds all but BEYOND, or a further one does
EDGES = np.array([0.0, 1.0, 2.0, 3.0, 4.2, 6.0, 9.0, 14.0, 22.0, 34.0, 50.0, 75.0])
FEWEST_EDGES = 6
BEYOND = 1e-10
SETTLED = 1e-5  # SDs: a last step so small leaves an error of about its square


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

    @classmethod
    def join(cls, parts: Sequence[Mixture]) -> Mixture:
        """One after the other; where a part has fewer components, some of weight 0 are added."""
        most = max(part.weight.shape[1] for part in parts)
        first, labels = parts[0], tuple(label for part in parts for label in part.outcomes)

        def joined(pick: Callable[[Mixture], np.ndarray], filler: float) -> np.ndarray:
            arrays = [pick(part) for part in parts]
            room = (((0, 0),) * (one.ndim - 1) + ((0, most - one.shape[-1]),) for one in arrays)
            return np.concatenate([np.pad(one, r, constant_values=filler) for one, r in zip(arrays, room, strict=True)])

        return cls(
            labels,
            first.terms,
            joined(lambda part: part.weight, 0.0),
            joined(lambda part: part.loc, 0.0),
            joined(lambda part: part.scale, 1.0),
            None if first.sds is None else joined(_sds, 1.0),
        )

    def take(self, which: np.ndarray) -> Mixture:
        """Mixtures of some outcomes."""
        labels, sds = tuple(self.outcomes[o] for o in which), None if self.sds is None else self.sds[which]
        return Mixture(labels, self.terms, self.weight[which], self.loc[which], self.scale[which], sds)

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
        return self._mean

    def sd(self) -> np.ndarray:
        return self._sd

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return self.below(x[:, :, None])[..., 0]

    def below(self, x: np.ndarray, least: float = CARRIES) -> np.ndarray:
        """P(term <= x), x and result (outcome, term, point); components of weight `least` or less left out."""
        return np.stack([one.below(at) for one, at in zip(self._carrying(least), x, strict=True)])

    def density(self, x: np.ndarray, least: float = CARRIES) -> np.ndarray:
        """Density at x, x and result (outcome, term, point); components of weight `least` or less left out."""
        return np.stack([one.density(at) for one, at in zip(self._carrying(least), x, strict=True)])

    def log_pdf(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            logs = np.log(self.weight)[:, None, :] - np.log(self.scale * SQRT_2PI)
        logs -= 0.5 * ((x[:, :, None] - self.loc) / self.scale) ** 2
        return np.asarray(logsumexp(logs, axis=-1))

    def quantile(self, q: float) -> np.ndarray:
        if not 0 < q < 1:
            raise ValueError(f"a quantile's level lies between 0 and 1, not {q}")
        if q not in self._quantiles:
            self._quantiles[q] = self._quantile(q)
        return self._quantiles[q]

    def hdi(self, prob: float) -> tuple[np.ndarray, np.ndarray]:
        """Ends of equal density that hold `prob`, by Newton steps; NaN where these do not settle."""
        ends = np.stack([self.quantile((1 - prob) / 2), self.quantile((1 + prob) / 2)], axis=-1)
        for _ in range(60):
            step = self._step_to_equal_density(ends, prob)
            ends = ends + step
            settled = np.abs(step).sum(axis=-1) <= SETTLED * self._sd
            if settled.all():
                break
        lower, upper = (np.where(settled, ends[..., k], np.nan) for k in (0, 1))
        return lower, upper

    def rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Gauss–Legendre panels over the density, cut at 0; NaN where they miss some of the mass."""
        distance = EDGES[: self._edges_needed()]
        edges = self._mean[..., None] + self._sd[..., None] * np.append(-distance[:0:-1], distance)
        middle = np.clip(0.0, edges[..., :1], edges[..., -1:])
        edges = np.sort(np.concatenate([edges, middle], axis=-1), axis=-1)
        width = np.diff(edges, axis=-1)[..., None]
        nodes, weights = np.polynomial.legendre.leggauss(8)
        shape = (*self._mean.shape, -1)
        points = (edges[..., :-1, None] + width * (nodes + 1) / 2).reshape(shape)
        mass = self.density(points, CARRIES_OF_RULE) * (width * weights / 2).reshape(shape)
        whole = np.abs(mass.sum(axis=-1, keepdims=True) - 1) < 1e-6
        return points, np.where(whole, mass, np.nan)

    @cached_property
    def _mean(self) -> np.ndarray:
        return np.asarray((self.loc @ self.weight[:, :, None])[..., 0])

    @cached_property
    def _sd(self) -> np.ndarray:
        apart = self.loc - self._mean[:, :, None]
        np.square(apart, out=apart)
        apart += self.scale**2
        return np.asarray(np.sqrt(apart @ self.weight[:, :, None])[..., 0])

    @cached_property
    def _quantiles(self) -> dict[float, np.ndarray]:
        """By level: several columns of a table need the same."""
        return {}

    @cached_property
    def _components(self) -> dict[float, list[Normals]]:
        """By the weight that they must exceed."""
        return {}

    def _carrying(self, least: float) -> list[Normals]:
        if least not in self._components:
            parts = zip(self.weight, self.loc, self.scale, strict=True)
            self._components[least] = [Normals.carrying(*part, least) for part in parts]
        return self._components[least]

    def _quantile(self, q: float) -> np.ndarray:
        parts = self._carrying(CARRIES)

        def excess_and_slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            both = [one.below_and_density(at) for one, at in zip(parts, x[:, :, None], strict=True)]
            probability, density = (np.stack([pair[k][:, 0] for pair in both]) for k in (0, 1))
            return probability - q, density

        low, high = self._bracket(q)
        # Newton's error after a step is about the square of the step; far out a level is known to 1e-16 only
        precision = max(SETTLED, 1e-14 / min(q, 1 - q))
        start = self._mean + ndtri(q) * self._sd
        return solve_increasing(excess_and_slope, start, low, high, precision * self._sd)

    def _bracket(self, q: float) -> tuple[np.ndarray, np.ndarray]:
        ends = [one.loc + ndtri(q) / one.inverse for one in self._carrying(CARRIES)]
        return np.stack([end.min(axis=-1) for end in ends]), np.stack([end.max(axis=-1) for end in ends])

    def _edges_needed(self) -> int:
        """How many of EDGES hold all but BEYOND of every term."""
        for count in range(FEWEST_EDGES, len(EDGES)):
            far = EDGES[count - 1] * self._sd
            ends = self.below(np.stack([self._mean - far, self._mean + far], axis=-1))
            if (ends[..., 0] + 1 - ends[..., 1]).max() < BEYOND:
                return count
        return len(EDGES)

    def _step_to_equal_density(self, ends: np.ndarray, prob: float) -> np.ndarray:
        """(outcome, term, end)."""
        found = [one.below_density_slope(at) for one, at in zip(self._carrying(CARRIES), ends, strict=True)]
        below, f, g = (np.stack([triple[k] for triple in found]) for k in range(3))
        gap, unequal = prob - (below[..., 1] - below[..., 0]), f[..., 0] - f[..., 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            det = f[..., 1] * g[..., 0] - f[..., 0] * g[..., 1]
            low = (gap * g[..., 1] - f[..., 1] * unequal) / det
            high = (gap * g[..., 0] - f[..., 0] * unequal) / det
        limit = (ends[..., 1] - ends[..., 0]) / 4
        return np.stack([np.clip(np.nan_to_num(step), -limit, limit) for step in (low, high)], axis=-1)


def _sds(mixture: Mixture) -> np.ndarray:
    assert mixture.sds is not None
    return mixture.sds


def equal_weights(outcomes: tuple[str, ...], terms: tuple[str, ...], loc: np.ndarray, scale: np.ndarray) -> Mixture:
    """Average normals, one a draw.

    Parameters
    ----------
    outcomes, terms : tuple of str
    loc, scale : ndarray (outcome, term, node)
    """
    nodes = loc.shape[-1]
    return Mixture(outcomes, terms, np.full((len(outcomes), nodes), 1 / nodes), loc, scale)


@dataclass(frozen=True)
class Draws:
    """Marginals from Monte Carlo draws.

    Attributes
    ----------
    outcomes, terms : tuple of str
    values : ndarray (chain, draw, outcome, term)
    conditional : Mixture, optional
        Normals of the terms given each draw of everything else: their average is the density.
    """

    outcomes: tuple[str, ...]
    terms: tuple[str, ...]
    values: np.ndarray
    conditional: Mixture | None = None

    def mean(self) -> np.ndarray:
        return np.asarray(self.values.mean(axis=(0, 1)))

    def sd(self) -> np.ndarray:
        return np.asarray(self.values.std(axis=(0, 1), ddof=1))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((self.values <= x).mean(axis=(0, 1)))

    def quantile(self, q: float) -> np.ndarray:
        return np.asarray(np.quantile(self.values, q, axis=(0, 1)))

    def log_pdf(self, x: np.ndarray) -> np.ndarray:
        """Log density: of the conditional normals' average, else a kernel estimate, NaN beyond 3 SD from the mean."""
        if self.conditional is not None:
            return self.conditional.log_pdf(x)
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
