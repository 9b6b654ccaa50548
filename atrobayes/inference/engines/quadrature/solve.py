"""Integrate, then refine until neither a finer nor a wider rule changes what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atrobayes.inference.diagnose import TOLERANCE
from atrobayes.inference.engines.quadrature import panels
from atrobayes.inference.engines.quadrature.conditional import Conditional, condition
from atrobayes.inference.engines.quadrature.grid import OUTSIDE, Box, Rule, find_box
from atrobayes.inference.engines.quadrature.sd_curves import SdCurves
from atrobayes.inference.sums import Sums
from atrobayes.models.linear import Linear
from atrobayes.models.marginals import Mixture

FIRST_PANELS = 1
MOST_PANELS = 8
MOST_NODES = 600_000
BEYOND = 1e-8  # a box beyond which more mass lies is doubled
MOST_DOUBLINGS = 4
LEVELS_OF_QUANTILES = (0.025, 0.5, 0.975)
Z_OF_QUANTILES = np.array([-1.96, 0.0, 1.96])
NODES_AT_ONCE = 40_000  # more would leave the processor's cache, fewer spend their time in numpy's calls
LEAST_DENSITY = 0.05  # of a normal distribution, times its SD, at the outer quantiles
CARRIES = 1e-10  # components that carry less do not count where 1e-6 is looked for


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

    def take(self, which: np.ndarray) -> Solution:
        """Some outcomes."""
        return Solution(self.mixture.take(which), self.curves.take(which), self.log_evidence[which])


@dataclass(frozen=True)
class Refined:
    """A solution and how much refining it further changed it.

    Attributes
    ----------
    solution : Solution
    change : dict of str to ndarray (outcome,)
        Largest change of each kind, in the units of TOLERANCE (posterior SDs, probability, log evidence), by
        halving the spacing and by doubling the range.
    panels : ndarray of int (outcome,)
        Panels a side.
    """

    solution: Solution
    change: dict[str, np.ndarray]
    panels: np.ndarray

    @property
    def reached(self) -> np.ndarray:
        """(outcome,): whether every change is within TOLERANCE."""
        return _within(self.change)

    def take(self, which: np.ndarray) -> Refined:
        """Some outcomes."""
        change = {kind: values[which] for kind, values in self.change.items()}
        return Refined(self.solution.take(which), change, self.panels[which])


@dataclass(frozen=True)
class _Problem:
    linear: Linear
    sums: Sums
    names: tuple[str, ...]

    def condition(self, outcomes: np.ndarray, rule: Rule) -> tuple[Conditional, np.ndarray]:
        """Also the log density of t on the rule's grid."""
        given = condition(self.linear, self.sums, outcomes, rule.sds())
        return given, given.log_joint.reshape(-1, *rule.shape) + rule.log_jacobian()


def integrate(linear: Linear, sums: Sums, names: tuple[str, ...], count: int = FIRST_PANELS) -> Refined:
    """Posterior of every outcome, each on a rule that is fine enough for it.

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
        Where `reached` is false even the finest rule tried (MOST_PANELS a side or more) changed by more than
        TOLERANCE.
    """
    problem = _Problem(linear, sums, names)
    step = max(1, NODES_AT_ONCE // (2 * count * panels.ORDER) ** len(linear.sd_names))
    chunks = np.array_split(np.arange(len(names)), -(-len(names) // step))
    return join([_refine(problem, chunk, count) for chunk in chunks])


def join(found: Sequence[Refined]) -> Refined:
    """One after the other; curves of outcomes on coarser rules are carried over to the finest."""
    most = max(int(one.panels.max(initial=0)) for one in found)
    curves = [one.solution.curves.resampled(most) for one in found]
    solution = Solution(
        Mixture.join([one.solution.mixture for one in found]),
        SdCurves.join(curves),
        np.concatenate([one.solution.log_evidence for one in found]),
    )
    change = {kind: np.concatenate([one.change[kind] for one in found]) for kind in TOLERANCE}
    return Refined(solution, change, np.concatenate([one.panels for one in found]))


def _within(change: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(np.all([change[kind] <= limit for kind, limit in TOLERANCE.items()], axis=0))


def _refine(problem: _Problem, outcomes: np.ndarray, count: int) -> Refined:
    """Halve the spacing until that changes nothing; outcomes for which it does not any more rest."""
    box = _box(problem, outcomes)
    for _ in range(MOST_DOUBLINGS):
        coarse = _solve(problem, outcomes, box, count)
        beyond = _beyond(problem, outcomes, box, coarse)
        short = (beyond["probability"] > BEYOND)[:, None]
        if not short.any():
            break
        wide = box.doubled()
        box = Box(np.where(short, wide.low, box.low), np.where(short, wide.high, box.high))
    found, rested, left = [], [], np.arange(len(outcomes))
    while len(left):
        fine = _solve(problem, outcomes[left], box.take(left), 2 * count)
        halved = _changes(coarse, fine)
        change = {kind: np.maximum(halved[kind], beyond[kind][left]) for kind in TOLERANCE}
        rests = _within(change) | (count >= MOST_PANELS) | ((4 * count * panels.ORDER) ** box.low.shape[1] > MOST_NODES)
        if rests.any():
            found.append(Refined(coarse, change, np.full(len(left), count)).take(np.flatnonzero(rests)))
            rested.append(left[rests])
        coarse, left, count = fine.take(np.flatnonzero(~rests)), left[~rests], 2 * count
    return join(found).take(np.argsort(np.concatenate(rested)))


def _box(problem: _Problem, outcomes: np.ndarray) -> Box:
    def log_density(which: np.ndarray, rule: Rule) -> np.ndarray:
        return problem.condition(outcomes[which], rule)[1]

    return find_box(log_density, len(outcomes), len(problem.linear.sd_names))


def _solve(problem: _Problem, outcomes: np.ndarray, box: Box, count: int) -> Solution:
    rule = box.rule(count)
    given, log_density = problem.condition(outcomes, rule)
    mass, log_evidence = _normalised(log_density + rule.log_weight())
    labels = tuple(problem.names[o] for o in outcomes)
    mixture = Mixture(labels, problem.linear.terms, mass, *given.terms(problem.linear.contrasts), _sds(rule))
    return Solution(mixture, SdCurves(labels, problem.linear.sd_names, box.low, box.high, log_density), log_evidence)


def _normalised(log_mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(outcome, node), adding up to one, and the log of what they added up to."""
    flat = log_mass.reshape(len(log_mass), -1)
    highest = flat.max(axis=1)
    mass = np.exp(flat - highest[:, None])
    whole = mass.sum(axis=1)
    return mass / whole[:, None], highest + np.log(whole)


def _sds(rule: Rule) -> np.ndarray:
    """(outcome, sd, node)."""
    return np.stack([np.broadcast_to(sd, (len(sd), *rule.shape)).reshape(len(sd), -1) for sd in rule.sds()], axis=1)


def _beyond(problem: _Problem, outcomes: np.ndarray, box: Box, within: Solution) -> dict[str, np.ndarray]:
    """Change of each kind (outcome,) that what lies beyond the box, up to twice its range, would make."""
    rule = box.beyond()
    given, log_density = problem.condition(outcomes, rule)
    inside = (slice(None), *[slice(OUTSIDE, -OUTSIDE)] * len(rule.shape))
    mass = np.exp(log_density + rule.log_weight() - within.log_evidence.reshape(-1, *[1] * len(rule.shape)))
    mass[inside] = 0.0
    mass = mass.reshape(len(outcomes), -1)
    whole = mass.sum(axis=1)
    loc, scale = given.terms(problem.linear.contrasts)
    mixture, curves, sds = within.mixture, within.curves, _sds(rule)
    of_terms = _moved(mass, loc, scale**2, mixture.mean(), mixture.sd())
    of_sds = _moved(mass, sds, np.zeros(1), curves.mean(), curves.sd())
    return {
        "mean": np.maximum(of_terms[0], of_sds[0]),
        "sd": np.maximum(of_terms[1], of_sds[1]),
        # of a normal distribution: a quantile moves by no more than the mass over the density there
        "quantile": whole / LEAST_DENSITY,
        "probability": whole,
        "log_evidence": np.log1p(whole),
    }


def _moved(
    mass: np.ndarray, loc: np.ndarray, variance: np.ndarray, mean: np.ndarray, sd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Largest change of mean and SD (outcome,), in SDs, if some mass is added."""
    apart = loc - mean[..., None]
    total = 1 + mass.sum(axis=1)[:, None]
    shift = np.einsum("on,okn->ok", mass, apart) / total
    second = (sd**2 + np.einsum("on,okn->ok", mass, variance + apart**2)) / total - shift**2
    return (np.abs(shift) / sd).max(axis=1), np.abs(np.sqrt(second) / sd - 1).max(axis=1)


def _changes(a: Solution, b: Solution) -> dict[str, np.ndarray]:
    """Largest change of each kind between two rules, in posterior SDs where it is of that kind."""
    mean, sd = b.mixture.mean(), b.mixture.sd()
    # next to the quantiles, and at 0
    at = np.concatenate([mean[..., None] + sd[..., None] * Z_OF_QUANTILES, np.zeros((*mean.shape, 1))], axis=2)
    gap = np.abs(a.mixture.below(at, CARRIES) - b.mixture.below(at, CARRIES))
    density = b.mixture.density(at, CARRIES)[..., :-1]
    of_terms = {
        "mean": a.mixture.mean() - mean,
        "sd": a.mixture.sd() - sd,
        "quantile": (gap[..., :-1] / density).max(axis=-1),
    }
    far = np.flatnonzero(_largest(of_terms["quantile"], sd) > TOLERANCE["quantile"])
    if len(far):
        of_terms["quantile"][far] = _moved_quantiles(a.mixture.take(far), b.mixture.take(far))
    of_sds = {
        "mean": a.curves.mean() - b.curves.mean(),
        "sd": a.curves.sd() - b.curves.sd(),
        "quantile": np.abs(b.curves.apart(a.curves, LEVELS_OF_QUANTILES)).max(axis=-1),
    }
    worst = {kind: np.maximum(_largest(of_terms[kind], sd), _largest(of_sds[kind], b.curves.sd())) for kind in of_terms}
    worst["probability"] = gap[..., -1].max(axis=1)
    worst["log_evidence"] = np.abs(a.log_evidence - b.log_evidence)
    return worst


def _moved_quantiles(a: Mixture, b: Mixture) -> np.ndarray:
    """(outcome, term), by the density at the quantiles: of a peak on wide tails little is left at 1.96 SD."""
    at = np.stack([b.quantile(level) for level in LEVELS_OF_QUANTILES], axis=-1)
    gap = np.abs(a.below(at, CARRIES) - b.below(at, CARRIES))
    return np.asarray((gap / b.density(at, CARRIES)).max(axis=-1))


def _largest(change: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return np.asarray((np.abs(change) / unit).max(axis=1))
