"""The width of the slope prior at which the sign of a published slope is no longer sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atrobayes.inference.prior_ladder import NARROWEST, STEPS, WIDEST
from atrobayes.inference.reanalysis.alone import posterior

LIMIT = 0.95
BASE = 0.5
_HALVINGS = 40


@dataclass(frozen=True)
class Tipping:
    """Prior widths at which P(sign of the published slope) is just at LIMIT.

    Attributes
    ----------
    prior_s : ndarray (slope,)
        Standardised; NaN where there is none. Of several the one nearest to the base's, by ratio.
    reason : ndarray of str (slope,)
        A key of `prior_ladder.REASONS`.
    """

    prior_s: np.ndarray
    reason: np.ndarray


def tip(estimate: np.ndarray, se: np.ndarray, df: np.ndarray, scale: np.ndarray) -> Tipping:
    """Find the tipping prior of each slope.

    Parameters
    ----------
    estimate, se, df, scale : ndarray (slope,)
        Published numbers and the scale of the prior.
    """
    numbers = np.stack([estimate, se, df, scale])
    at = np.linspace(np.log(NARROWEST), np.log(WIDEST), STEPS)
    excess = np.stack([_excess(np.full(len(estimate), x), *numbers) for x in at], axis=-1)
    change = np.diff(excess >= 0, axis=-1) != 0
    prior_s = np.full(len(estimate), np.nan)
    reason = np.where(excess[:, 0] >= 0, "above", "below").astype("U8")
    which = np.flatnonzero(change.any(axis=-1))
    if len(which):
        middles = (at[1:] + at[:-1]) / 2
        step = np.where(change[which], np.abs(middles - np.log(BASE)), np.inf).argmin(axis=-1)
        prior_s[which] = np.exp(_bisect(at[step], at[step + 1], numbers[:, which]))
        reason[which] = np.where(excess[which, step] >= 0, "wider", "narrower")
    return Tipping(prior_s, reason)


def _bisect(low: np.ndarray, high: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    rises = _excess(high, *numbers) >= 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        up = (_excess(middle, *numbers) >= 0) == rises
        low, high = np.where(up, low, middle), np.where(up, middle, high)
    return (low + high) / 2


def _excess(log_s: np.ndarray, estimate: np.ndarray, se: np.ndarray, df: np.ndarray, scale: np.ndarray) -> np.ndarray:
    mixture, _ = posterior(np.abs(estimate), se, df, np.exp(log_s) * scale)
    above = 1 - mixture.cdf(np.zeros((len(estimate), 1)))[:, 0]
    return np.asarray(above - LIMIT)
