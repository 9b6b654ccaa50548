"""From posteriors of published slopes to the numbers reported of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from atrobayes.models.estimands import replication
from atrobayes.models.marginals import Mixture

# in place of a normal likelihood in the formulas of a t test: of one more digit nothing would change
MANY = 1e8


def summarise(mixture: Mixture, interval: float, published: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Numbers reported of every term.

    Parameters
    ----------
    mixture : Mixture
    interval : float
        Level of both intervals.
    published : mapping of str to ndarray (outcome, term)
        "estimate", "se" and "df" of the published slopes; NaN where nothing is published.

    Returns
    -------
    dict of str to ndarray (outcome, term)
        By the names of columns of reanalysis.tsv.
    """
    mean = mixture.mean()
    above = 1 - mixture.cdf(np.zeros_like(mean))
    hdi_low, hdi_high = mixture.hdi(interval)
    b, se = published["estimate"], published["se"]
    with np.errstate(divide="ignore", invalid="ignore"):
        shrinkage = np.where(np.abs(b) >= se, 1 - mean / b, np.nan)
    return {
        "estimate": mean,
        "median": mixture.quantile(0.5),
        "sd": mixture.sd(),
        "ci_low": mixture.quantile((1 - interval) / 2),
        "ci_high": mixture.quantile((1 + interval) / 2),
        "hdi_low": hdi_low,
        "hdi_high": hdi_high,
        "pd": np.maximum(above, 1 - above),
        "pull": (b - mean) / se,
        "shrinkage": shrinkage,
    } | replication(mixture, se, np.minimum(published["df"], MANY))


def in_units(mixture: Mixture, factor: np.ndarray) -> Mixture:
    """Multiply each term by a factor, which may be negative.

    Parameters
    ----------
    mixture : Mixture
    factor : ndarray (term,)
    """
    by = factor[None, :, None]
    return Mixture(
        mixture.outcomes, mixture.terms, mixture.weight, mixture.loc * by, mixture.scale * np.abs(by), mixture.sds
    )
