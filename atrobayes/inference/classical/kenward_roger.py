"""Kenward-Roger: standard errors and degrees of freedom that know the SDs were estimated from few patients.

The patient covariance ZZ' and the identity share their eigenvectors, so every matrix of the method is a
sum over the parts of `gather`: on patients' means of k rows the variance is sigma² (1 + k phi), phi = theta².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atrobayes.inference.classical.reml import Reml
from atrobayes.inference.sums import gather


@dataclass(frozen=True)
class KenwardRoger:
    """Small-sample inference on the coefficients of one REML fit, for any number of contrasts.

    Attributes
    ----------
    beta : ndarray (coef,)
    cov : ndarray (coef, coef)
        Of beta, with the variances as estimated.
    cov_adjusted : ndarray (coef, coef)
        The same, wider by what the estimation of the variances adds.
    cov_by_variance : ndarray (2, coef, coef)
        Derivatives of `cov` by the patient variance, counted in sums of the two, and by the residual variance,
        counted in residual variances.
    variance_cov : ndarray (2, 2)
        Covariance of the two, so counted, by their expected information.
    """

    beta: np.ndarray
    cov: np.ndarray
    cov_adjusted: np.ndarray
    cov_by_variance: np.ndarray
    variance_cov: np.ndarray

    def test(self, contrast: np.ndarray) -> tuple[float, float, float]:
        """Estimate, adjusted standard error and degrees of freedom of one contrast (coef,).

        For one contrast the method's F has scale 1 and m = 2 / A degrees of freedom: Satterthwaite's formula
        at the unadjusted covariance, by the expected information.
        """
        relative = (contrast @ self.cov_by_variance @ contrast) / (contrast @ self.cov @ contrast)
        df = 2 / float(relative @ self.variance_cov @ relative)
        return float(contrast @ self.beta), float(np.sqrt(contrast @ self.cov_adjusted @ contrast)), df


def kenward_roger(X: np.ndarray, patient: np.ndarray, fit: Reml) -> KenwardRoger:
    """Adjust a fit with one random intercept for the estimation of its variances.

    Parameters
    ----------
    X : ndarray (row, coef)
        Of full column rank, as given to `fit_reml`.
    patient : ndarray of int (row,)
        Without repeated patients only the sum of the two variances is known, and only it matters: the answer is
        that of ordinary regression, rows minus coefficients, exactly.
    fit : Reml
        Of these rows. At a singular fit the information is taken at patient variance 0: standard errors grow by
        what not knowing that variance adds; degrees of freedom fall below rows minus coefficients, often by little.

    Returns
    -------
    KenwardRoger

    Notes
    -----
    Kenward & Roger (1997), doi:10.2307/2533558; as pbkrtest: Halekoh & Højsgaard (2014), doi:10.18637/jss.v059.i09.
    """
    sums = gather(X, np.empty((len(X), 0)), patient, np.zeros(len(X), dtype=np.int64))
    variance = 1 + sums.multiple * fit.theta**2
    # V⁻¹G of each part, for residual variance 1; the patient variance counted in units of 1 / (1 + phi), so that
    # both rows stay near one however far the patients differ
    parts = np.array([sums.multiple * (1 + fit.theta**2), np.ones_like(variance)]) / variance
    cov = fit.cov / fit.sigma**2
    minus_P = _weighted(parts / variance, sums.xx)
    Q = _weighted(parts[:, None] * parts / variance, sums.xx)
    cov_by_variance = cov @ minus_P @ cov
    information = np.einsum("k,ik,jk->ij", sums.count, parts, parts) - 2 * np.einsum("ab,ijba->ij", cov, Q)
    information += np.einsum("iab,jba->ij", cov @ minus_P, cov @ minus_P)
    variance_cov = 2 * np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    gap = Q - np.einsum("iab,jbc->ijac", minus_P @ cov, minus_P)
    added = 2 * cov @ np.einsum("ij,ijab->ab", variance_cov, gap) @ cov
    return KenwardRoger(
        beta=fit.beta,
        cov=fit.cov,
        cov_adjusted=fit.cov + fit.sigma**2 * added,
        cov_by_variance=fit.sigma**2 * cov_by_variance,
        variance_cov=variance_cov,
    )


def _weighted(weights: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Sum over parts of weights (..., part) times cross-products (part, coef, coef)."""
    return np.tensordot(weights, products, axes=1)
