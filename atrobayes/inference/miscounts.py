"""Lesions miscounted by one: what of a result is left when counts are as sure as a second reader's would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from atrobayes.inference.brief import Brief
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.study import Sensitivity

RANGE = (0.025, 0.975)


@dataclass(frozen=True)
class Miscounted:
    """What refits to miscounted data say of every term; all arrays (outcome, term).

    Attributes
    ----------
    estimate, sd, pd : ndarray
        Posterior mean, SD and probability of the direction found as counted, averaged over the data sets.
    range_low, range_high : ndarray
        2.5 and 97.5 % quantile of the posterior mean over the data sets: no posterior interval.
    share_sign, share_clear : ndarray
        Share of data sets whose estimate has the sign it has as counted, and of those in which that sign is also
        sure: its probability exceeds `Robust.fork_pd`.
    """

    estimate: np.ndarray
    sd: np.ndarray
    pd: np.ndarray
    range_low: np.ndarray
    range_high: np.ndarray
    share_sign: np.ndarray
    share_clear: np.ndarray


def no_counts(frame: Frame) -> str:
    """Why there is nothing to miscount, in words; "" where there is."""
    if frame.kind not in {"mixed", "regression"}:
        return "the predictor is a state, not a count"
    whole = bool(np.all((frame.x == np.round(frame.x)) & (frame.x >= 0)))
    # ages in whole years have no 0, and a yes or no has nothing above 1
    return "" if whole and frame.x.min() == 0 and frame.x.max() > 1 else "the predictor is not a count of lesions"


def miscount(counts: np.ndarray, probability: float, rng: np.random.Generator) -> np.ndarray:
    """Miscount each count for itself.

    Parameters
    ----------
    counts : ndarray (row,)
    probability : float
        With half of it a count is one too high, with the other half one too low. A count of 0 cannot be too low
        and stays 0, so that it is miscounted with half the probability only.
    rng : Generator

    Returns
    -------
    ndarray (row,)
    """
    level = rng.random(len(counts))
    step = np.where(level < probability / 2, 1.0, np.where(level < probability, -1.0, 0.0))
    return np.maximum(counts + step, 0.0)


def miscounted_frames(frame: Frame, choices: Choices, wanted: Sensitivity) -> Iterator[Frame]:
    """Give `wanted.miscounts` frames with miscounted lesions, the same for all parts of an analysis.

    The scales stay: priors mean the same raw numbers.
    """
    rng = np.random.default_rng(derive(choices.seed, frame.analysis, "miscounts"))
    for _ in range(wanted.miscounts):
        yield replace(frame, x=miscount(frame.x, wanted.miscounted, rng))


def refit_miscounted(frame: Frame, choices: Choices, wanted: Sensitivity, base: Brief) -> Miscounted:
    """Refit every outcome to data sets with miscounted lesions.

    Parameters
    ----------
    frame : Frame
        One that `no_counts` has nothing to say of.
    choices : Choices
    wanted : Sensitivity
        Probability and number of data sets.
    base : Brief
        What the data say as counted.

    Notes
    -----
    The counts as they stand hold their own errors already, which draw slopes towards 0. Further errors show how much
    hangs on single counts; they do not undo the first ones (Carroll et al. 2006, doi:10.1201/9781420010138).
    """
    model, sign = get_model(GAUSSIAN[frame.kind]), np.sign(base.mean)
    found = [exact(model, one, choices.priors).mixture for one in miscounted_frames(frame, choices, wanted)]
    means, sds = (np.array([getattr(one, name)() for one in found]) for name in ("mean", "sd"))
    below = np.array([one.cdf(np.zeros_like(sign)) for one in found])
    sure = np.where(sign > 0, 1 - below, below)
    low, high = np.quantile(means, RANGE, axis=0)
    return Miscounted(
        means.mean(axis=0),
        sds.mean(axis=0),
        sure.mean(axis=0),
        low,
        high,
        (np.sign(means) == sign).mean(axis=0),
        (sure > wanted.robust.fork_pd).mean(axis=0),
    )
