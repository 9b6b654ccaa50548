"""Independent draws of coefficients and SDs from an exact posterior: what replicated data are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atrobayes.inference.engines.quadrature.conditional import condition
from atrobayes.inference.engines.quadrature.exact import Problem

LEAST_SD = 1e-12


@dataclass(frozen=True)
class Drawn:
    """Independent draws from the joint posterior, standardised.

    Attributes
    ----------
    coefficients : ndarray (outcome, draw, coef)
    mean : ndarray (outcome, draw, coef)
        Posterior mean of the coefficients given the SDs of the draw.
    sds : ndarray (outcome, draw, sd)
        Patient SD first if the model has one, then the residual SDs.
    """

    coefficients: np.ndarray
    mean: np.ndarray
    sds: np.ndarray

    def mirrored(self) -> Drawn:
        """The same SDs, the coefficients on the other side of their mean: as likely, and the two average to it."""
        return Drawn(2 * self.mean - self.coefficients, self.mean, self.sds)


def draw(problem: Problem, size: int, rngs: Sequence[np.random.Generator]) -> Drawn:
    """Solve a problem and draw from its posterior.

    Parameters
    ----------
    problem : Problem
    size : int
        Draws of each outcome.
    rngs : sequence of Generator
        One for each outcome of the problem: what is drawn does not depend on the other outcomes.
    """
    sds = np.maximum(problem.solve().solution.curves.draw(size, *rngs), LEAST_SD)
    shape = (*sds.shape[:2], len(problem.linear.coefs))
    coefficients, mean = np.empty(shape), np.empty(shape)
    for k, rng in enumerate(rngs):
        given = condition(problem.linear, problem.sums, np.array([k]), list(np.moveaxis(sds[k : k + 1], 2, 0)))
        coefficients[k] = given.draw(rng)[0]
        mean[k] = given.terms(np.eye(shape[2]))[0][0].T
    return Drawn(coefficients, mean, sds)
