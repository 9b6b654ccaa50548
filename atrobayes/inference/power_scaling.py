"""Power-scaling: how a posterior moves when part of its prior, or its likelihood, counts a little more or less.

Exact for what quadrature serves: a normal prior to the power α is a normal, a half-Student-t a half-Student-t,
and a Gaussian likelihood that of α times the data, so each is another posterior of the same form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from atrobayes.inference.engines.quadrature.exact import Exact, Problem, solve
from atrobayes.models.linear import Linear
from atrobayes.models.marginals import Mixture
from atrobayes.models.priors import HalfStudentT

THRESHOLD = 0.05  # a convention: that of priorsense and of ArviZ
DRAWS = 4000  # how many draws span the range that distances are taken over
LIKELIHOOD, ALL_PRIORS = "likelihood", "all_priors"
BLOCKS: Mapping[str, str] = MappingProxyType(
    {
        "slopes": "prior of the coefficients that make up the terms: the groups' slopes, or the effect of the state",
        "intercepts": "prior of the other coefficients but covariates: the groups' intercepts",
        "sds": "priors of the patient SD, the residual SDs and, of Student-t errors, the degrees of freedom",
        "covariates": "prior of the covariates' slopes",
        ALL_PRIORS: "all of these together",
        LIKELIHOOD: "probability of the data given coefficients and SDs, the patients' intercepts averaged out",
    }
)
VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "ok": "the result hardly moves with this prior",
        "conflict": "it moves with this prior and with the data: possible prior-data conflict",
        "strong_prior": "it moves with this prior, hardly with the data: possible strong prior or weak likelihood",
    }
)
CARRIES = 1e-10  # components that carry less do not count where distances are known to 1e-4
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class Scaled:
    """One block to one power.

    Attributes
    ----------
    block : str
        A key of BLOCKS.
    alpha : float
        The power; 1 would be the posterior itself.
    found : Exact or None
        The posterior; None where a prior to that power is no distribution.
    sensitivity : ndarray (outcome, term)
        See `sensitivity`: of the block, the same for both of its powers.
    """

    block: str
    alpha: float
    found: Exact | None
    sensitivity: np.ndarray


def half_student_to_power(prior: HalfStudentT, alpha: float) -> HalfStudentT | None:
    """Half-Student-t whose density is proportional to that of `prior` to the power alpha.

    Parameters
    ----------
    prior : HalfStudentT
    alpha : float
        Positive.

    Returns
    -------
    HalfStudentT or None
        None where alpha (nu + 1) <= 1: the tail is then so heavy that no distribution has it.
    """
    nu = alpha * (prior.nu + 1) - 1
    return HalfStudentT(nu, prior.scale * math.sqrt(prior.nu / nu)) if nu > 0 else None


def coefficients_of(linear: Linear, covariates: int) -> dict[str, np.ndarray]:
    """Which coefficients each block of priors is about: masks (coef,).

    Parameters
    ----------
    linear : Linear
    covariates : int
        How many of its last columns are covariates.
    """
    slopes = (linear.contrasts != 0).any(axis=0)
    extra = np.arange(len(linear.coefs)) >= len(linear.coefs) - covariates
    whole = np.ones_like(slopes)
    masks = {"slopes": slopes, "intercepts": ~slopes & ~extra, "sds": ~whole, "covariates": extra, ALL_PRIORS: whole}
    return {name: mask for name, mask in masks.items() if covariates or name != "covariates"}


def power_scaled(problem: Problem, block: str, alpha: float, covariates: int = 0) -> Problem | None:
    """Raise one block of a problem to a power.

    Parameters
    ----------
    problem : Problem
    block : str
        A key of BLOCKS.
    alpha : float
        Positive.
    covariates : int
        How many of the last columns of the design are covariates.

    Returns
    -------
    Problem or None
        None where a prior to that power is no distribution.

    Notes
    -----
    The likelihood is that of the patients' rows, their intercepts averaged out; so α = 2 is a second patient
    with the same rows beside each, not the same patient measured twice.
    """
    if block == LIKELIHOOD:
        parts = {name: getattr(problem.sums, name) * alpha for name in ("count", "xx", "xy", "yy")}
        return replace(problem, sums=replace(problem.sums, **parts))
    linear, sds = problem.linear, problem.linear.sd_priors
    if block in {"sds", ALL_PRIORS}:
        powers = [half_student_to_power(prior, alpha) for prior in sds]
        sds = tuple(prior for prior in powers if prior is not None)
        if len(sds) < len(powers):
            return None
    narrowed = np.where(coefficients_of(linear, covariates)[block], math.sqrt(alpha), 1.0)
    return replace(problem, linear=replace(linear, prior_sd=linear.prior_sd / narrowed, sd_priors=sds))


def power_scalings(parts: Sequence[Problem], base: Exact, power: float, covariates: int = 0) -> list[Scaled]:
    """Raise each block to a power and to 1 over it, and integrate again.

    Parameters
    ----------
    parts : sequence of Problem
        All of one frame.
    base : Exact
        Their posterior.
    power : float
        Above 1.
    covariates : int
        How many of the last columns of the design are covariates.

    Returns
    -------
    list of Scaled
        By block in the order of BLOCKS, the lower power first.
    """
    blocks = [*coefficients_of(parts[0].linear, covariates), LIKELIHOOD]
    rows, yardstick = [], Yardstick.of(base.mixture)
    for block in blocks:
        lower, upper = (_solved(parts, block, alpha, covariates) for alpha in (1 / power, power))
        moved = sensitivity(yardstick, _mixture(lower), _mixture(upper), power)
        rows += [Scaled(block, alpha, one, moved) for alpha, one in ((1 / power, lower), (power, upper))]
    return rows


@dataclass(frozen=True)
class Yardstick:
    """Marginals that others are held against, over one range each.

    Attributes
    ----------
    x : ndarray (outcome, term, point)
        Nodes of a rule that spans the range.
    below : ndarray (outcome, term, point)
        P(term <= x).
    """

    x: np.ndarray
    below: np.ndarray

    @classmethod
    def of(cls, base: Mixture, span: tuple[np.ndarray, np.ndarray] | None = None) -> Yardstick:
        """Take the marginals over a range.

        Parameters
        ----------
        base : Mixture
        span : tuple of ndarray (outcome, term), optional
            Ends of the range; default: the medians of the smallest and the largest of 4,000 draws.
        """
        outermost = 0.5 ** (1 / DRAWS)
        low, high = span or (base.quantile(1 - outermost), base.quantile(outermost))
        x = low[..., None] + (high - low)[..., None] * (_NODES + 1) / 2
        return cls(x, base.below(x, CARRIES))

    def distance(self, other: Mixture) -> np.ndarray:
        """Cumulative Jensen-Shannon distance of other marginals.

        Parameters
        ----------
        other : Mixture
            Of the same outcomes and terms.

        Returns
        -------
        ndarray (outcome, term)
            Between 0 (the same) and 1; the larger of that of the terms and that of their negatives.

        Notes
        -----
        Nguyen & Vreeken (2015), doi:10.1007/978-3-319-23525-7_11; normalised as in Kallioinen et al. (2023).
        """
        below = other.below(self.x, CARRIES)
        return np.maximum(_distance(self.below, below), _distance(1 - self.below, 1 - below))


def sensitivity(base: Yardstick, lower: Mixture | None, upper: Mixture | None, power: float) -> np.ndarray:
    """Change of each marginal per doubling of the power, at the power 1.

    Parameters
    ----------
    base : Yardstick
        Of the posterior.
    lower, upper : Mixture or None
        With a block to the power 1/power and to the power; None where that is no distribution.
    power : float
        Above 1.

    Returns
    -------
    ndarray (outcome, term)
        Mean of the two distances from the base, over log2(power); NaN where one is not to be had. Above 0.05 the
        block is said to matter, by convention.

    Notes
    -----
    As priorsense and ArviZ's `psense` compute it, but from distribution functions, not from weighted draws:
    Kallioinen et al. (2023), doi:10.1007/s11222-023-10366-5.
    """
    if lower is None or upper is None:
        return np.full(base.x.shape[:2], np.nan)
    return (base.distance(lower) + base.distance(upper)) / (2 * math.log2(power))


def verdict(prior: float, likelihood: float) -> str:
    """What two sensitivities are taken to say: a key of VERDICTS, or "" where one is missing.

    Parameters
    ----------
    prior, likelihood : float
        Sensitivity of one term to a block of priors and to the likelihood.
    """
    if math.isnan(prior + likelihood):
        return ""
    if prior < THRESHOLD:
        return "ok"
    return "conflict" if likelihood >= THRESHOLD else "strong_prior"


def _solved(parts: Sequence[Problem], block: str, alpha: float, covariates: int) -> Exact | None:
    changed = [power_scaled(part, block, alpha, covariates) for part in parts]
    whole = [part for part in changed if part is not None]
    return solve(whole) if len(whole) == len(changed) else None


def _mixture(found: Exact | None) -> Mixture | None:
    return None if found is None else found.mixture


def _distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Of two functions at the nodes of a rule that spans the range."""
    p, q = np.maximum(p, 0.0), np.maximum(q, 0.0)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = sum(np.where(one > 0, one * np.log2(one / middle), 0.0) for one in (p, q))
    return np.sqrt(np.maximum(apart @ _WEIGHTS, 0.0) / ((p + q) @ _WEIGHTS))
