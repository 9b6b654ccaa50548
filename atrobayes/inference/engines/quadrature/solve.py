"""Integrate, then refine until neither a finer nor a wider rule changes what is reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from atrobayes.inference.diagnose import TOLERANCE
from atrobayes.inference.engines.quadrature import panels
from atrobayes.inference.engines.quadrature.conditional import Conditional, condition
from atrobayes.inference.engines.quadrature.grid import Box, find_box, log_jacobian, to_sd
from atrobayes.inference.engines.quadrature.sd_curves import SdCurves
from atrobayes.inference.sums import Sums
from atrobayes.models.marginals import Mixture
from atrobayes.models.linear import Linear

FIRST_PANELS = 5
MOST_PANELS = 40
LEVELS_OF_QUANTILES = (0.025, 0.5, 0.975)
NODES_AT_ONCE = 200_000


@dataclass(frozen=True)
class Solution:
    """Posterior of some outcomes on one rule, standardised.

    Attributes
    ----------
    mixture : Mixture
        Terms.
    curves : SdCurves
        Standard deviations.
    log_evidence : ndarray (outcome,)
    """

    mixture: Mixture
    curves: SdCurves
    log_evidence: np.ndarray


@dataclass(frozen=True)
class Refined:
    """A solution and how much refining it further changed it.

    Attributes
    ----------
    solution : Solution
    change : dict of str to ndarray (outcome,)
        Largest change of each kind, in the units of TOLERANCE (posterior SDs, probability, log evidence).
    panels : int
        Panels a side.
    """

    solution: Solution
    change: dict[str, np.ndarray]
    panels: int

    @property
    def reached(self) -> np.ndarray:
        """(outcome,): whether every change is within TOLERANCE."""
        return _within(self.change)


def integrate(linear: Linear, sums: Sums, names: tuple[str, ...], count: int = FIRST_PANELS) -> Refined:
    """Posterior of every outcome, on one rule that is fine enough for all.

    Parameters
    ----------
    linear : Linear
    sums : Sums
        The data, all outcomes.
    names : tuple of str
        Labels of the outcomes.
    count : int
        Panels a side to begin with.

    Returns
    -------
    Refined
        Where `reached` is false even the finest rule tried (MOST_PANELS a side) changed by more than TOLERANCE.
    """
    everything = np.arange(len(names))
    box = _box(linear, sums, everything)
    change = _check(linear, sums, names, everything, box, count)
    failing = everything[~_within(change)]
    while len(failing) and count < MOST_PANELS:
        count *= 2
        again = _check(linear, sums, names, failing, box.take(failing), count)
        for kind, values in again.items():
            change[kind][failing] = values
        failing = failing[~_within(again)]
    return Refined(_solve(linear, sums, names, everything, box, count), change, count)


def _within(change: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(np.all([change[kind] <= limit for kind, limit in TOLERANCE.items()], axis=0))


def _check(
    linear: Linear, sums: Sums, names: tuple[str, ...], outcomes: np.ndarray, box: Box, count: int
) -> dict[str, np.ndarray]:
    """Change of each kind (outcome,) by halving the spacing and by doubling the range, some outcomes at a time."""
    step = max(1, NODES_AT_ONCE // (2 * count * panels.ORDER) ** len(linear.sd_names))
    parts = []
    for start in range(0, len(outcomes), step):
        some = np.arange(start, min(start + step, len(outcomes)))
        own = box.take(some)
        rules = ((own, count), (own, 2 * count), (own.doubled(), 2 * count))
        base, finer, wider = (_solve(linear, sums, names, outcomes[some], place, n) for place, n in rules)
        parts.append((_changes(base, finer), _changes(base, wider)))
    return {
        kind: np.concatenate([np.maximum(finer[kind], wider[kind]) for finer, wider in parts]) for kind in TOLERANCE
    }


def _box(linear: Linear, sums: Sums, outcomes: np.ndarray) -> Box:
    def log_density(t: np.ndarray) -> np.ndarray:
        return np.asarray(condition(linear, sums, outcomes, to_sd(t)).log_joint + log_jacobian(t))

    return find_box(log_density, len(outcomes), len(linear.sd_names))


def _solve(linear: Linear, sums: Sums, names: tuple[str, ...], outcomes: np.ndarray, box: Box, count: int) -> Solution:
    t, log_weight = box.nodes(count)
    sds = to_sd(t)
    given: Conditional = condition(linear, sums, outcomes, sds)
    log_density = given.log_joint + log_jacobian(t)
    log_mass = log_density + log_weight
    log_evidence = np.asarray(logsumexp(log_mass, axis=1))
    loc, scale = given.terms(linear.contrasts)
    labels = tuple(names[o] for o in outcomes)
    mixture = Mixture(
        labels, linear.terms, np.exp(log_mass - log_evidence[:, None]), loc, scale, np.moveaxis(sds, 2, 1)
    )
    size = count * panels.ORDER
    joint = log_density.reshape(-1, *[size] * len(linear.sd_names))
    return Solution(mixture, SdCurves(labels, linear.sd_names, box.low, box.high, joint), log_evidence)


def _changes(a: Solution, b: Solution) -> dict[str, np.ndarray]:
    """Largest change of each kind between two rules, in posterior SDs where it is of that kind."""
    zero = np.zeros_like(a.mixture.mean())
    quantiles = {q: a.mixture.quantile(q) for q in LEVELS_OF_QUANTILES}
    of_terms = {
        "mean": a.mixture.mean() - b.mixture.mean(),
        "sd": a.mixture.sd() - b.mixture.sd(),
        "quantile": np.concatenate([b.mixture.offset(q, x) for q, x in quantiles.items()], axis=1),
    }
    of_sds = {
        "mean": a.curves.mean() - b.curves.mean(),
        "sd": a.curves.sd() - b.curves.sd(),
        "quantile": np.concatenate([a.curves.quantile(q) - b.curves.quantile(q) for q in quantiles], axis=1),
    }
    worst = {
        kind: np.maximum(_largest(of_terms[kind], a.mixture.sd()), _largest(of_sds[kind], a.curves.sd()))
        for kind in of_terms
    }
    worst["probability"] = np.abs(a.mixture.cdf(zero) - b.mixture.cdf(zero)).max(axis=1)
    worst["log_evidence"] = np.abs(a.log_evidence - b.log_evidence)
    return worst


def _largest(change: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """(outcome,): largest change in posterior SDs; several changes of each parameter stand side by side."""
    return np.asarray((np.abs(change) / np.tile(unit, change.shape[1] // unit.shape[1])).max(axis=1))
