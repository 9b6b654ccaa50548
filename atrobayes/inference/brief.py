"""The few numbers of a posterior that its variants are compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atrobayes.models.marginals import Marginals


@dataclass(frozen=True)
class Brief:
    """What a variant of a fit says of every term.

    Attributes
    ----------
    mean, sd : ndarray (outcome, term)
        Posterior mean and SD, raw units.
    low, high : ndarray (outcome, term)
        Ends of the equal-tailed interval.
    above : ndarray (outcome, term)
        P(term > 0).
    """

    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray
    above: np.ndarray

    @property
    def pd(self) -> np.ndarray:
        """(outcome, term): probability of direction, max(P(term > 0), P(term < 0))."""
        return np.maximum(self.above, 1 - self.above)

    def pd_of(self, sign: np.ndarray) -> np.ndarray:
        """Probability of a given direction: what was found before a change, which may have turned it.

        Parameters
        ----------
        sign : ndarray (outcome, term)
            1 or -1.
        """
        return np.where(sign > 0, self.above, 1 - self.above)


def brief(marginals: Marginals, interval: float) -> Brief:
    """Summarise marginals.

    Parameters
    ----------
    marginals : Marginals
    interval : float
        Probability inside the equal-tailed interval.
    """
    mean = marginals.mean()
    return Brief(
        mean,
        marginals.sd(),
        marginals.quantile((1 - interval) / 2),
        marginals.quantile((1 + interval) / 2),
        1 - marginals.cdf(np.zeros_like(mean)),
    )
