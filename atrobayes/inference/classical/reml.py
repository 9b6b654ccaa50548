"""REML for linear models with one random intercept, by sums over patients.

With theta = patient SD / residual SD and phi = theta², the covariance is sigma² (I + phi ZZ').
Everything depends on the data through cross-products W (within patients) and B_k (patients' means,
k rows each): X'V⁻¹X = W + sum_k B_k / (1 + k phi), so deviance and derivatives have closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atrobayes.inference.sums import gather
from atrobayes.models.newton import solve_increasing

LARGEST_THETA = 1e6
SINGULAR_THETA = 1e-4  # what lme4's isSingular calls singular


@dataclass(frozen=True)
class Reml:
    """A fit of one outcome.

    Attributes
    ----------
    theta, sigma : float
        Patient SD over residual SD, and residual SD.
    beta : ndarray (coef,)
    cov : ndarray (coef, coef)
        Of beta, with the SDs as estimated.
    cov_by_theta, cov_by_sigma : ndarray (coef, coef)
        Derivatives of `cov`.
    sd_cov : ndarray (2, 2)
        Asymptotic covariance of (theta, sigma).
    """

    theta: float
    sigma: float
    beta: np.ndarray
    cov: np.ndarray
    cov_by_theta: np.ndarray
    cov_by_sigma: np.ndarray
    sd_cov: np.ndarray

    @property
    def singular(self) -> bool:
        """Whether the patient SD is estimated as nothing."""
        return self.theta < SINGULAR_THETA


@dataclass(frozen=True)
class _Profile:
    """Deviance as a function of phi, sigma profiled out: values and derivatives at one phi."""

    M: np.ndarray
    M1: np.ndarray
    beta: np.ndarray
    square: float
    square1: float
    square2: float
    logs1: float
    logs2: float


class _Data:
    def __init__(self, X: np.ndarray, y: np.ndarray, patient: np.ndarray) -> None:
        sums = gather(X, y[:, None], patient, np.zeros(len(y), dtype=np.int64))
        augmented = np.concatenate([sums.xx, sums.xy[:, 0, :, None]], axis=2)
        last = np.concatenate([sums.xy[:, 0, :], sums.yy], axis=1)
        self.parts = np.concatenate([augmented, last[:, None, :]], axis=1)
        self.k, self.count = sums.multiple, sums.count
        self.free = sums.rows - X.shape[1]

    def profile(self, phi: float) -> _Profile:
        """Closed forms at phi; tr and Schur-complement derivatives of the augmented cross-products."""
        inverse = 1 / (1 + self.k * phi)
        A, A1, A2 = (
            np.tensordot(w, self.parts, axes=1) for w in (inverse, -self.k * inverse**2, 2 * self.k**2 * inverse**3)
        )
        M, M1, M2 = A[:-1, :-1], A1[:-1, :-1], A2[:-1, :-1]
        beta = np.linalg.solve(M, A[:-1, -1])
        v = np.append(-beta, 1.0)
        gap = (A1 @ v)[:-1]
        solved = np.linalg.solve(M, M1)
        return _Profile(
            M=M,
            M1=M1,
            beta=beta,
            square=float(v @ A @ v),
            square1=float(v @ A1 @ v),
            square2=float(v @ A2 @ v - 2 * gap @ np.linalg.solve(M, gap)),
            logs1=float(self.count @ (self.k * inverse) + np.trace(solved)),
            logs2=float(
                -self.count @ (self.k * inverse) ** 2 + np.trace(np.linalg.solve(M, M2)) - np.trace(solved @ solved)
            ),
        )

    def deviance(self, theta: np.ndarray) -> np.ndarray:
        """Profiled deviance at each theta, up to a constant."""
        phi = np.asarray(theta)[:, None] ** 2
        A = np.tensordot(1 / (1 + self.k * phi), self.parts, axes=1)
        M, b = A[:, :-1, :-1], A[:, :-1, -1]
        square = A[:, -1, -1] - (b * np.linalg.solve(M, b[..., None])[..., 0]).sum(axis=1)
        logs = np.log1p(self.k * phi) @ self.count + np.linalg.slogdet(M)[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            # far out rounding may leave nothing of the residual: not the lowest deviance
            return logs + self.free * np.log(square)

    def slopes(self, theta: float) -> tuple[float, float]:
        """First and second derivative of the profiled deviance by theta."""
        at = self.profile(theta**2)
        ratio1, ratio2 = at.square1 / at.square, at.square2 / at.square
        by_phi = at.logs1 + self.free * ratio1
        by_phi2 = at.logs2 + self.free * (ratio2 - ratio1**2)
        return 2 * theta * by_phi, 2 * by_phi + 4 * theta**2 * by_phi2


def fit_reml(X: np.ndarray, y: np.ndarray, patient: np.ndarray) -> Reml:
    """Fit y = X beta + patient + error by REML.

    Parameters
    ----------
    X : ndarray (row, coef)
        Of full column rank.
    y : ndarray (row,)
        On a scale of about one: how well the Hessian can be inverted depends on it.
    patient : ndarray of int (row,)
        Without repeated patients the patient SD cannot be told from the residual SD and is taken as 0.

    Returns
    -------
    Reml

    Notes
    -----
    Bates, Mächler, Bolker, Walker (2015), doi:10.18637/jss.v067.i01.
    """
    data = _Data(X, y, patient)
    theta = _best_theta(data)
    at = data.profile(theta**2)
    sigma = float(np.sqrt(at.square / data.free))
    inverse = np.linalg.inv(at.M)
    return Reml(
        theta=theta,
        sigma=sigma,
        beta=at.beta,
        cov=sigma**2 * inverse,
        cov_by_theta=-(sigma**2) * 2 * theta * inverse @ at.M1 @ inverse,
        cov_by_sigma=2 * sigma * inverse,
        sd_cov=_sd_covariance(data, at, theta, sigma),
    )


def _best_theta(data: _Data) -> float:
    """Lowest deviance: the scan finds every dip wider than a quarter of theta, Newton its bottom."""
    if not (data.k > 1).any():
        return 0.0
    scan = np.concatenate([[0.0], np.geomspace(1e-3, LARGEST_THETA, 91)])
    best = int(np.nanargmin(data.deviance(scan)))
    low, high = scan[max(best - 1, 0)], scan[min(best + 1, len(scan) - 1)]
    if best == 0 and data.slopes(scan[1])[0] > 0:
        return 0.0

    def slope_and_curvature(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = data.slopes(float(theta[0]))
        return np.array([first]), np.array([second])

    ends = np.array([low]), np.array([high])
    # rounding leaves of the residual spread, beside a patient spread theta times as large, so many digits only
    precision = max(1e-10, 1e-15 * scan[best] ** 2)
    return float(solve_increasing(slope_and_curvature, np.array([scan[best]]), *ends, precision * high)[0])


def _sd_covariance(data: _Data, at: _Profile, theta: float, sigma: float) -> np.ndarray:
    """Twice the inverse Hessian of the deviance in (theta, sigma): what decides the degrees of freedom."""
    by_theta2 = 2 * at.logs1 + 4 * theta**2 * at.logs2
    by_theta2 += (2 * at.square1 + 4 * theta**2 * at.square2) / sigma**2
    crossed = -4 * theta * at.square1 / sigma**3
    by_sigma2 = -2 * data.free / sigma**2 + 6 * at.square / sigma**4
    hessian = np.array([[by_theta2, crossed], [crossed, by_sigma2]])
    values, vectors = np.linalg.eigh(hessian)
    # as lmerTest: directions in which the deviance does not curve upwards carry no information
    kept = values > 1e-8 * values.max()
    return 2 * (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
