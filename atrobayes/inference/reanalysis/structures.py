"""Published slopes of several structures shrunk together, for an assumed correlation of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.engines.quadrature import panels
from atrobayes.inference.reanalysis.precisions import precision_nodes
from atrobayes.models.marginals import Mixture
from atrobayes.models.normals import SQRT_2PI

COMMON = "common"
FEWEST = 3  # fewer say nothing about how much structures differ
PER_PANEL = 3.0  # of the axis of the SD between structures: so long each panel is good to 1e-8
FARTHEST = 8.5  # half-normal SDs, beyond which 2e-17 lies


def nested_free(structures: Sequence[str]) -> tuple[str, ...]:
    """Structures that may be pooled: known ones that contain none of the others.

    Parameters
    ----------
    structures : sequence of str
        Ids. What a name outside the catalogue overlaps with is not known, so it is not among them; nor are
        composites, where a part of theirs is given too. Without their parts they are structures like others.
    """
    named = dict.fromkeys(structures)
    return tuple(one for one in named if one in CATALOGUE and named.keys().isdisjoint(CATALOGUE[one].contains))


@dataclass(frozen=True)
class Pooled:
    """Posterior of structures shrunk together.

    Attributes
    ----------
    mixture : Mixture
        One outcome; terms COMMON and the structures in their order, on the scale given.
    between_mean, between_low, between_high : float
        Posterior mean and equal-tailed 95 % interval of the SD between structures.
    log_evidence : float
    """

    mixture: Mixture
    between_mean: float
    between_low: float
    between_high: float
    log_evidence: float


def pool(
    names: Sequence[str],
    estimate: np.ndarray,
    se: np.ndarray,
    df: float,
    prior_sd: float,
    correlation: float,
    panel_count: int = 0,
) -> Pooled:
    """Shrink structures towards a common slope as far as the estimates say.

    Parameters
    ----------
    names : sequence of str
    estimate, se : ndarray (structure,)
        Standardised, oriented so that atrophy has the same sign everywhere.
    df : float
        Of all of them, from the same rows; infinite: normal.
    prior_sd : float
        s: the common slope is N(0, s), the structures' SD half-N(0, s).
    correlation : float
        Assumed correlation of the errors of any two structures, on the oriented scale; above -1/(structures - 1),
        below 1.
    panel_count : int
        Panels of 24 nodes for the SD between structures; 0: as many as its range needs.

    Returns
    -------
    Pooled

    Notes
    -----
    Estimates are multivariate t about the true slopes, scale matrix diag(se) R diag(se), R equicorrelated. Given its
    precision λ and the SD τ between structures everything is normal; both are integrated on a grid.
    """
    spread, base = np.linalg.eigh(_errors(se, correlation))
    axis = _Axis.of(float(np.sqrt(spread[0])), prior_sd)
    tau, tau_weight = axis.nodes(prior_sd, panel_count or axis.panels)
    # rotated, the errors are independent
    turned, ones = base.T @ estimate, base.T @ np.ones(len(se))

    def given(lam: np.ndarray) -> _Given:
        return _given(lam[:, None, :], tau[:, None, None], spread[:, None], (turned[:, None], ones[:, None]), prior_sd)

    lam, weight, log_integral = precision_nodes(np.full(len(tau), df), lambda lam: given(lam).log_marginal)
    log_tau = log_integral + np.log(tau_weight)
    log_evidence = float(logsumexp(log_tau))
    of_tau = np.exp(log_tau - log_evidence)
    joint = (weight * of_tau[:, None]).ravel()
    loc, scale = (np.moveaxis(part, 1, 0).reshape(1, len(names) + 1, -1) for part in _terms(given(lam), base))
    mixture = Mixture(("structures",), (COMMON, *names), joint[None], loc, scale).compact()
    low, high = axis.quantiles(of_tau)
    return Pooled(mixture, float(tau @ of_tau), low, high, log_evidence)


@dataclass(frozen=True)
class _Given:
    """Posterior given τ and λ: (τ, node) of what is common, in the rotated basis (τ, structure, node) of the rest."""

    log_marginal: np.ndarray
    common: np.ndarray
    common_variance: np.ndarray
    loc: np.ndarray
    variance: np.ndarray
    follow: np.ndarray


def _given(
    lam: np.ndarray, tau: np.ndarray, spread: np.ndarray, rotated: tuple[np.ndarray, np.ndarray], prior_sd: float
) -> _Given:
    b, one = rotated
    error = spread / lam
    total = error + tau**2
    precision = prior_sd**-2 + (one**2 / total).sum(axis=1)
    weighted = (one * b / total).sum(axis=1)
    common = weighted / precision
    quadratic = (b**2 / total).sum(axis=1) - weighted * common
    log_det = np.log(total).sum(axis=1) + np.log(precision) + 2 * np.log(prior_sd)
    log_marginal = -0.5 * (quadratic + log_det) - len(spread) * np.log(SQRT_2PI)
    follow = error / total * one  # how far a structure follows the common slope
    return _Given(log_marginal, common, 1 / precision, tau**2 * b / total, tau**2 * error / total, follow)


def _terms(part: _Given, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and SDs (τ, term, node) of the common slope and the structures."""
    common, variance = part.common[:, None], part.common_variance[:, None]
    follow = base @ part.follow
    loc = np.concatenate([common, base @ part.loc + follow * common], axis=1)
    return loc, np.sqrt(np.concatenate([variance, base**2 @ part.variance + follow**2 * variance], axis=1))


def _errors(se: np.ndarray, correlation: float) -> np.ndarray:
    between = np.full((len(se), len(se)), correlation)
    np.fill_diagonal(between, 1.0)
    return se[:, None] * between * se


@dataclass(frozen=True)
class _Axis:
    """The SD between structures as τ = unit · sinh(end · x), x from 0 to 1."""

    unit: float
    end: float

    @classmethod
    def of(cls, error: float, prior_sd: float) -> _Axis:
        """Close where the smallest error (of any direction) is wide, far up to the prior's end."""
        unit = min(error, prior_sd) / 2
        return cls(unit, float(np.arcsinh(FARTHEST * prior_sd / unit)))

    @property
    def panels(self) -> int:
        return max(2, int(np.ceil(self.end / PER_PANEL)))

    def nodes(self, prior_sd: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes τ and weights under half-N(0, s)."""
        at = self.end * panels.nodes(count)
        tau = self.unit * np.sinh(at)
        density = np.sqrt(2 / np.pi) / prior_sd * np.exp(-0.5 * (tau / prior_sd) ** 2)
        return tau, panels.weights(count) * self.end * self.unit * np.cosh(at) * density

    def quantiles(self, weight: np.ndarray) -> tuple[float, float]:
        """Ends of the equal-tailed 95 % interval."""
        density = weight / panels.weights(len(weight) // panels.ORDER)
        at = panels.invert(np.stack([density, density]), np.array([0.025, 0.975]))
        low, high = self.unit * np.sinh(self.end * at)
        return float(low), float(high)
