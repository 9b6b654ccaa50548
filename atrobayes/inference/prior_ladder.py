"""Refits along a ladder of slope priors, and the prior at which a result tips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from atrobayes.inference.brief import Brief, brief
from atrobayes.inference.engines.quadrature.exact import Exact, exact, problems, solve
from atrobayes.models.frame import Frame
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

NARROWEST, WIDEST = 0.01, 100.0  # slope SDs between which a tipping prior is looked for
STEPS = 19  # first looks between these, evenly in log s: from one to the next times 1.7
PRECISION = 1e-5  # of log s
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "narrower": "narrower priors than prior_sd take pd below the limit",
        "wider": "wider priors than prior_sd take pd below the limit",
        "below": f"pd is below the limit with every prior SD from {NARROWEST:g} to {WIDEST:g}",
        "above": f"pd is above the limit with every prior SD from {NARROWEST:g} to {WIDEST:g}",
    }
)


@dataclass(frozen=True)
class Rung:
    """One width of the slope prior.

    Attributes
    ----------
    prior_sd : ndarray (outcome,)
        SD of a group's slope, standardised.
    found : Exact
    base : bool
        Whether it is the study's own prior.
    """

    prior_sd: np.ndarray
    found: Exact
    base: bool


@dataclass(frozen=True)
class Tipping:
    """The slope prior at which the probability of the base's direction is just at a limit.

    Attributes
    ----------
    prior_sd : ndarray (outcome, term)
        Standardised; NaN where there is none. Of several the one nearest to the base's, by ratio.
    crossings : ndarray of int (outcome, term)
        How many there are.
    reason : ndarray of str (outcome, term)
        A key of REASONS.
    found : Brief
        What the refit with that prior says; NaN where there is none.
    """

    prior_sd: np.ndarray
    crossings: np.ndarray
    reason: np.ndarray
    found: Brief


def base_slope_sd(frame: Frame, priors: Priors) -> np.ndarray:
    """(outcome,): SD of a group's slope prior, standardised, whichever scale it was given on."""
    return priors.slope_sd / frame.slope_scale if priors.raw else np.full(len(frame.outcomes), priors.slope_sd)


def with_slope_sd(priors: Priors, sd: float) -> Priors:
    """Give the groups' slopes another standardised SD, the same for all outcomes; all other priors stay."""
    return replace(priors, slope_sd=sd, raw=False)


def direction(base: Exact) -> np.ndarray:
    """(outcome, term): 1 or -1, the sign of the posterior mean that every pd of this look refers to."""
    return np.where(base.mixture.mean() > 0, 1.0, -1.0)


def ladder(model: Model, frame: Frame, priors: Priors, base: Exact, rungs: Sequence[float]) -> list[Rung]:
    """Refit with slope priors of several widths.

    Parameters
    ----------
    model : Model
        One that quadrature serves.
    frame : Frame
    priors : Priors
        The study's own.
    base : Exact
        Posterior with these: one of the rungs.
    rungs : sequence of float
        Standardised SDs of a group's slope; the mean of the groups' slopes and their deviations scale with it.

    Returns
    -------
    list of Rung
        From narrow to wide; the base once, among them. Where raw priors are, standardised, another for each
        outcome, the base is last.
    """
    own = base_slope_sd(frame, priors)
    others = [sd for sd in sorted(set(rungs)) if not np.all(own == sd)]
    rows = [Rung(np.full(len(own), sd), exact(model, frame, with_slope_sd(priors, sd)), base=False) for sd in others]
    rows.append(Rung(own, base, base=True))
    return rows if priors.raw else sorted(rows, key=lambda rung: float(rung.prior_sd[0]))


def tipping(model: Model, frame: Frame, priors: Priors, base: Exact, limit: float, interval: float) -> Tipping:
    """Find, for every outcome and term, the slope prior at which P(direction of the base) is at a limit.

    Parameters
    ----------
    model : Model
        One that quadrature serves.
    frame : Frame
    priors : Priors
        The study's own.
    base : Exact
        Posterior with these.
    limit : float
        Probability, such as 0.95.
    interval : float
        Probability inside the equal-tailed interval of what is found.

    Returns
    -------
    Tipping

    Notes
    -----
    Looked for between prior SDs of 0.01 and 100: STEPS refits evenly in log s, then Brent's method on further
    refits where the limit is crossed. Two crossings within one step would be missed.
    """
    sign = direction(base)
    own = np.log(base_slope_sd(frame, priors))
    at = np.linspace(np.log(NARROWEST), np.log(WIDEST), STEPS)
    looks = [_excess(exact(model, frame, _at(priors, x)), sign, limit) for x in at]
    excess = np.stack(looks, axis=-1)
    change = np.diff(excess >= 0, axis=-1)
    rows = np.full((*sign.shape, 5), np.nan)
    prior_sd, reason = np.full(sign.shape, np.nan), np.where(excess[..., 0] >= 0, "above", "below").astype("U8")
    for k, t in zip(*np.nonzero(change.any(axis=-1)), strict=True):
        step = _nearest(at, excess[k, t], np.flatnonzero(change[k, t]), own[k])
        one = frame.select(np.flatnonzero(~np.isnan(frame.y.to_numpy()[:, k])), np.array([k]))
        ends = {float(at[i]): float(excess[k, t, i]) for i in (step, step + 1)}
        x, found = _crossing(_refit(model, one, priors), partial(_cell, sign=sign[[k]], limit=limit, t=t), ends)
        prior_sd[k, t], reason[k, t] = np.exp(x), "wider" if excess[k, t, step] >= 0 else "narrower"
        rows[k, t] = _cells(brief(found.mixture, interval), t)
    return Tipping(prior_sd, change.sum(axis=-1), reason, Brief(*np.moveaxis(rows, -1, 0)))


def _at(priors: Priors, log_sd: float) -> Priors:
    return with_slope_sd(priors, float(np.exp(log_sd)))


def _excess(found: Exact, sign: np.ndarray, limit: float) -> np.ndarray:
    """(outcome, term): P(direction) less the limit, as normal quantiles: nearly a straight line in log s."""
    below = found.mixture.cdf(np.zeros_like(sign))
    return np.asarray(ndtri(np.clip(np.where(sign > 0, 1 - below, below), 1e-12, 1 - 1e-12)) - ndtri(limit))


def _cell(found: Exact, sign: np.ndarray, limit: float, t: int) -> float:
    return float(_excess(found, sign, limit)[0, t])


def _nearest(at: np.ndarray, excess: np.ndarray, steps: np.ndarray, own: float) -> int:
    """Step whose crossing, by a straight line, is nearest to the base's prior."""
    share = excess[steps] / (excess[steps] - excess[steps + 1])
    return int(steps[np.argmin(np.abs(at[steps] + share * (at[steps + 1] - at[steps]) - own))])


def _refit(model: Model, one: Frame, priors: Priors) -> Callable[[float], Exact]:
    """Posterior of one outcome at a log SD; the sums are gathered once."""
    (problem,) = problems(model, one, with_slope_sd(priors, 1.0))

    def at(log_sd: float) -> Exact:
        linear = model.linear(one, _at(priors, log_sd))
        assert linear is not None
        return solve([replace(problem, linear=linear)])

    return at


def _crossing(
    refit: Callable[[float], Exact], excess: Callable[[Exact], float], known: dict[float, float]
) -> tuple[float, Exact]:
    """Root between two points where the excess is known, and the posterior there."""
    from scipy.optimize import brentq

    low, high = known
    refits: dict[float, Exact] = {}

    def remembered(x: float) -> float:
        if x not in known:
            refits[x] = refit(x)
            known[x] = excess(refits[x])
        return known[x]

    root = float(brentq(remembered, low, high, xtol=PRECISION))
    return root, refits[root] if root in refits else refit(root)


def _cells(found: Brief, t: int) -> np.ndarray:
    return np.array([values[0, t] for values in (found.mean, found.sd, found.low, found.high, found.above)])
