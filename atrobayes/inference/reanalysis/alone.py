"""Posterior of single published slopes: a Student-t or normal likelihood under a normal prior."""

from __future__ import annotations

import numpy as np

from atrobayes.inference.reanalysis.precisions import precision_nodes
from atrobayes.models.marginals import Mixture
from atrobayes.models.normals import SQRT_2PI

TERM = "slope"


def posterior(
    estimate: np.ndarray, se: np.ndarray, df: np.ndarray, prior_sd: np.ndarray, prior_mean: np.ndarray | float = 0.0
) -> tuple[Mixture, np.ndarray]:
    """Posterior of slopes, each from its own published numbers.

    Parameters
    ----------
    estimate, se, df : ndarray (slope,)
        Published; df infinite: a normal likelihood.
    prior_sd, prior_mean : ndarray (slope,)
        Of the normal prior, in the slope's unit; an infinite SD is a flat prior.

    Returns
    -------
    mixture : Mixture
        One outcome a slope, one term.
    log_evidence : ndarray (slope,)
        Log density of the estimate, its standard error given; NaN under a flat prior.

    Notes
    -----
    t_df((β - b)/se) with df = n - 2 is the likelihood of the slope of an ordinary regression when the intercept has a
    flat prior, p(σ) ∝ 1/σ, and the slope's prior does not depend on σ. Student's t is a normal whose precision is
    λ/se² with λ ~ Gamma(df/2, df/2): given λ the posterior is normal, and what is left is an integral over λ.
    """
    precision = np.where(np.isinf(prior_sd), 0.0, prior_sd**-2.0)
    mean = np.broadcast_to(np.asarray(prior_mean, dtype=float), estimate.shape)

    def log_factor(lam: np.ndarray) -> np.ndarray:
        return _log_marginal(lam, estimate[:, None] - mean[:, None], se[:, None], precision[:, None])

    lam, weight, log_integral = precision_nodes(df, log_factor)
    own = lam / se[:, None] ** 2
    total = own + precision[:, None]
    loc = (own * estimate[:, None] + (precision * mean)[:, None]) / total
    labels = tuple(str(k) for k in range(len(estimate)))
    mixture = Mixture(labels, (TERM,), weight, loc[:, None, :], (1 / np.sqrt(total))[:, None, :])
    return mixture, np.where(precision > 0, log_integral, np.nan)


def _log_marginal(lam: np.ndarray, apart: np.ndarray, se: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Log N(b; m, s² + se²/λ) in a form that holds for flat priors and endless λ; flat: 1."""
    with np.errstate(divide="ignore"):
        variance = np.where(precision > 0, 1 / precision, 0.0) + se**2 / lam
        logs = -0.5 * (np.log(variance) + apart**2 / variance) - np.log(SQRT_2PI)
    return np.where(precision > 0, logs, 0.0)
