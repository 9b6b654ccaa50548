"""Probability of superiority: how often a row with activity has the larger value than one without.

For two random patients their effects and errors are drawn anew; `within` takes both rows of one patient.
The quantity that U over the number of pairs estimates.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincinv, ndtr

from atrobayes.models.marginals import Mixture

NODES = 16  # for each of the two errors


def of_mixture(mixture: Mixture, y_sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means for a Gaussian comparison by quadrature, exact given its nodes.

    Parameters
    ----------
    mixture : Mixture
        One term, the difference, in raw units; SDs (patient, residual) standardised.
    y_sd : ndarray (outcome,)
        s_y.

    Returns
    -------
    between, within : ndarray (outcome,)
        P(Y1 > Y0) of two random patients, and of one.
    """
    assert mixture.sds is not None
    loc, scale = (values[:, 0] / y_sd[:, None] for values in (mixture.loc, mixture.scale))
    residual = mixture.sds[:, -1] ** 2
    patient = mixture.sds[:, 0] ** 2 if mixture.sds.shape[1] == 2 else np.zeros_like(residual)
    # the mean of a normal distribution function over a normal argument is one again
    both = (ndtr(loc / np.sqrt(2 * (own + residual) + scale**2)) for own in (patient, 0.0))
    between, within = ((mixture.weight * values).sum(axis=1) for values in both)
    return between, within


def of_draws(
    difference: np.ndarray, patient_sd: np.ndarray, residual_sd: np.ndarray, nu: np.ndarray | None
) -> tuple[float, float]:
    """Posterior means from draws.

    Parameters
    ----------
    difference, patient_sd, residual_sd : ndarray (draw,)
        In one unit.
    nu : ndarray (draw,) or None
        Degrees of freedom of Student-t errors; None: normal errors.

    Returns
    -------
    between, within : float
        As in `of_mixture`.
    """
    if nu is None:
        spread, weight = 2 * residual_sd[:, None] ** 2, np.ones((len(difference), 1))
    else:
        factor, weight = _two_factors(nu)
        spread = residual_sd[:, None] ** 2 * factor
    between, within = (
        float((weight * ndtr(difference[:, None] / np.sqrt(2 * own[:, None] ** 2 + spread))).sum(axis=1).mean())
        for own in (patient_sd, np.zeros_like(patient_sd))
    )
    return between, within


def _two_factors(nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance of the difference of two Student-t errors given their gamma factors, and weights: (draw, node) each.

    A Student-t error is normal given a gamma factor; the factors are integrated over their quantiles.
    """
    level, weight = np.polynomial.legendre.leggauss(NODES)
    inverse = (nu[:, None] / 2) / gammaincinv(nu[:, None] / 2, (level + 1) / 2)
    total = inverse[:, :, None] + inverse[:, None, :]
    return total.reshape(len(nu), -1), np.broadcast_to(np.outer(weight, weight).ravel() / 4, (len(nu), NODES**2))
