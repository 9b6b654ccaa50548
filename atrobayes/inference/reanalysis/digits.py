"""What printed digits leave open: the range of every reported number over all that would have been printed so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from atrobayes.inference.brief import brief
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.models.published import Slope, slope_scale

RANGES = ("estimate", "ci_low", "ci_high", "pd")
ENDS = ("least", "most")


def digit_ranges(slopes: Sequence[Slope], others: np.ndarray, prior_s: float, interval: float) -> dict[str, np.ndarray]:
    """Range of each slope's posterior mean, interval and probability of direction over its printed digits.

    Parameters
    ----------
    slopes : sequence of Slope
        None of them refused.
    others : ndarray (slope,)
        Largest scale of the groups that share its prior, as the printed values have it; 0 where there are none.
    prior_s : float
        Standardised prior SD.
    interval : float
        Level of the equal-tailed interval.

    Returns
    -------
    dict of str to ndarray (slope,)
        "estimate_least", "estimate_most" and so on for RANGES, over a grid of pairs of estimate and p (or standard
        error) with all its corners. The prior's scale follows the slope's own, down to the other groups'.
    """
    pairs = [slope.allowed(float(other)) for slope, other in zip(slopes, others, strict=True)]
    start = np.cumsum([0, *(len(own) for own in pairs)])
    b, se = np.array([pair for own in pairs for pair in own]).reshape(-1, 2).T
    scale = np.array(
        [
            max(slope_scale(*pair, slope.residual_df), other)
            for slope, other, own in zip(slopes, others, pairs, strict=True)
            for pair in own
        ]
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
