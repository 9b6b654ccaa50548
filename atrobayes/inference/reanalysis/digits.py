"""What printed digits leave open: the range of every reported number over all that would have been printed so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from atrobayes.inference.brief import brief
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.models.published import Slope, slope_scale

RANGES = ("estimate", "ci_low", "ci_high", "pd")
ENDS = ("least", "most")


def digit_ranges(slopes: Sequence[Slope], scales: np.ndarray, prior_s: float, interval: float) -> dict[str, np.ndarray]:
    """Range of each slope's posterior mean, interval and probability of direction over its printed digits.

    Parameters
    ----------
    slopes : sequence of Slope
        None of them refused.
    scales : ndarray (slope,)
        Of the priors, as the printed values have them.
    prior_s : float
        Standardised prior SD.
    interval : float
        Level of the equal-tailed interval.

    Returns
    -------
    dict of str to ndarray (slope,)
        "estimate_least", "estimate_most" and so on for RANGES, over a grid of pairs of estimate and p (or standard
        error) with all its corners. The prior's scale follows where it is the slope's own; other groups' stay as
        printed.
    """
    pairs = [slope.allowed() for slope in slopes]
    start = np.cumsum([0, *(len(own) for own in pairs)])
    b, se = np.array([pair for own in pairs for pair in own]).reshape(-1, 2).T
    scale = np.array(
        [_scale(slope, other, *pair) for slope, other, own in zip(slopes, scales, pairs, strict=True) for pair in own]
    )
    df = np.repeat([slope.df for slope in slopes], [len(own) for own in pairs])
    mixture, _ = posterior(b, se, df, prior_s * scale)
    found = brief(mixture, interval)
    reported = dict(zip(RANGES, (found.mean, found.low, found.high, found.pd), strict=True))
    return {
        f"{name}_{end}": np.array([cut(values[a:z]) for a, z in pairwise(start)])
        for name, values in reported.items()
        for end, cut in zip(ENDS, (np.min, np.max), strict=True)
    }


def _scale(slope: Slope, shared: float, estimate: float, se: float) -> float:
    own = slope_scale(estimate, se, slope.residual_df)
    return own if math.isclose(shared, slope.scale) else max(own, shared)
