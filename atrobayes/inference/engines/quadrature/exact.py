"""Exact posteriors without tree or draws: what thousands of variants of one fit are summarised from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atrobayes.inference.engines.quadrature.solve import Refined, integrate, join
from atrobayes.inference.sums import Sums, gather
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.marginals import Mixture
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors


@dataclass(frozen=True)
class Problem:
    """Outcomes that are present in the same rows, with all that quadrature needs of them.

    Attributes
    ----------
    outcomes : ndarray of int (outcome,)
        Their places in the frame.
    names : tuple of str
        Their labels.
    linear : Linear
        Design and priors, standardised.
    sums : Sums
        The data, standardised.
    slope_scale : ndarray (outcome,)
        A standardised term times this is the term in the frame's units.
    """

    outcomes: np.ndarray
    names: tuple[str, ...]
    linear: Linear
    sums: Sums
    slope_scale: np.ndarray

    def solve(self) -> Refined:
        """Posterior on the standardised scale, refined until it rests."""
        return integrate(self.linear, self.sums, self.names)


@dataclass(frozen=True)
class Exact:
    """Exact posterior of some outcomes.

    Attributes
    ----------
    mixture : Mixture
        Terms in raw units; its `sds` standardised.
    log_evidence : ndarray (outcome,)
        Log density of the data, standardised, with everything integrated out.
    reached : ndarray of bool (outcome,)
        Whether the quadrature met its limits.
    """

    mixture: Mixture
    log_evidence: np.ndarray
    reached: np.ndarray


def problems(model: Model, frame: Frame, priors: Priors) -> list[Problem]:
    """Split a frame into problems: outcomes that share rows and, standardised, priors.

    Parameters
    ----------
    model : Model
        One that quadrature serves.
    frame : Frame
    priors : Priors
        Raw ones are another for each outcome.
    """
    found = frame.patterns()
    each = [(rows, np.array([k])) for rows, outcomes in found for k in outcomes] if priors.raw else found
    return [_problem(model, frame, priors, rows, outcomes) for rows, outcomes in each]


def solve(parts: Sequence[Problem]) -> Exact:
    """Integrate the problems of one frame; the outcomes are in the frame's order.

    Parameters
    ----------
    parts : sequence of Problem
        As `problems` gives them, or changed in their priors or data.
    """
    order = np.argsort(np.concatenate([part.outcomes for part in parts]))
    whole = join([part.solve() for part in parts]).take(order)
    scale = np.concatenate([part.slope_scale for part in parts])[order]
    solution = whole.solution
    return Exact(solution.mixture.compact().scaled(scale), solution.log_evidence, whole.reached)


def exact(model: Model, frame: Frame, priors: Priors) -> Exact:
    """Integrate every outcome of a frame.

    Parameters
    ----------
    model : Model
        One that quadrature serves.
    frame : Frame
    priors : Priors
    """
    return solve(problems(model, frame, priors))


def _problem(model: Model, frame: Frame, priors: Priors, rows: np.ndarray, outcomes: np.ndarray) -> Problem:
    some = frame.select(rows, outcomes)
    linear = model.linear(some, priors)
    assert linear is not None
    sums = gather(linear.X, some.y_standardised, linear.patient, linear.residual_block)
    return Problem(outcomes, some.outcomes, linear, sums, some.slope_scale)
