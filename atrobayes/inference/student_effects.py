"""Student-t rows of one patient with the patient's normal effect integrated out, for many draws at once.

An evenly spaced rule converges exponentially, at a rate set by how far beside the real line the integrand stays
analytic: Trefethen & Weideman (2014), doi:10.1137/130932132. Each draw gets as many nodes as its bound asks for.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

DIGITS = 20.0  # the relative error of a rule is about e^-DIGITS
WIDTH = 7.0  # patient SDs on each side of 0 and of where the rows pull the effect: beyond lies 3e-12
AT_ONCE = 2**18  # densities: more would leave the processor's cache
TINY = 1e-12
FARTHEST = 40.0  # patient SDs beside the real line that bounds are looked for
_PARTS = np.linspace(0.1, 0.98, 12)


def log_independent(residual: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Log density of rows without any effect of a patient.

    Parameters
    ----------
    residual, sigma : ndarray (draw, row)
    nu : ndarray (draw,)
        Degrees of freedom.

    Returns
    -------
    ndarray (draw,)
    """
    each = np.log1p((residual / sigma) ** 2 / nu[:, None])
    return np.asarray(_log_constant(sigma, nu) - (nu + 1) / 2 * each.sum(axis=1))


def log_marginal(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Log density of rows that share a normal effect with mean 0, integrated over it.

    Parameters
    ----------
    residual, sigma : ndarray (draw, row)
    tau, nu : ndarray (draw,)
        SD of the effect, degrees of freedom.

    Returns
    -------
    ndarray (draw,)
    """
    pulled = _pulled(residual, sigma, tau)
    width = WIDTH + np.abs(pulled)
    digits = DIGITS + _below_highest(residual, sigma, tau, nu, pulled)
    needed = 2 * width / _spacing(sigma, tau, nu, digits)
    # steps of √2: draws are taken together with those that need about as many
    steps = np.ceil(2 * np.log2(needed)).astype(np.int64)
    out = np.empty(len(tau))
    for step in np.unique(steps):
        nodes = math.ceil(2 ** (step / 2))
        which = np.flatnonzero(steps == step)
        for own in np.array_split(which, -(-len(which) * nodes // AT_ONCE)):
            out[own] = _ruled(residual[own], sigma[own], tau[own], nu[own], width[own], nodes)
    return out


def _pulled(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Effect that the rows would have with normal errors, in patient SDs."""
    return np.asarray(tau * (residual / sigma**2).sum(axis=1) / (1 + tau**2 * (sigma**-2.0).sum(axis=1)))


def _below_highest(
    residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray, pulled: np.ndarray
) -> np.ndarray:
    """By how much the log integrand stays below what it were if all rows agreed with an effect of 0.

    Large for patients that fit badly: their integrals are small, and an error is to be small beside them.
    """
    squares = ((residual - (tau * pulled)[:, None]) / sigma) ** 2 / nu[:, None]
    return np.asarray(pulled**2 / 2 + (nu + 1) / 2 * np.log1p(squares).sum(axis=1))


def _spacing(sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Spacing in patient SDs, by the best bound over lines beside the real one, short of the poles of Student's t."""
    poles = sigma.min(axis=1) * np.sqrt(nu) / np.maximum(tau, TINY)
    beside = np.minimum(poles, FARTHEST)[:, None] * _PARTS
    # of the highest value there: the normal's, and each row's Student-t
    growth = beside**2 / 2 - sigma.shape[1] * (nu[:, None] + 1) / 2 * np.log1p(-((beside / poles[:, None]) ** 2))
    return np.asarray((2 * np.pi * beside / (digits[:, None] + growth)).max(axis=1))


def _ruled(
    residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray, width: np.ndarray, nodes: int
) -> np.ndarray:
    z = width[:, None] * ((2 * np.arange(nodes) + 1) / nodes - 1)
    effect = tau[:, None] * z
    scale = sigma * np.sqrt(nu)[:, None]
    logs = np.zeros(effect.shape)
    for own, unit in zip(residual.T, scale.T, strict=True):  # in place: this is where the time goes
        squares = own[:, None] - effect
        squares /= unit[:, None]
        squares *= squares
        logs += np.log1p(squares, out=squares)
    logs *= -(nu[:, None] + 1) / 2
    z *= z
    z /= 2
    logs -= z
    highest = logs.max(axis=1, keepdims=True)
    logs -= highest
    whole = np.exp(logs, out=logs).sum(axis=1) * 2 * width / nodes / np.sqrt(2 * np.pi)
    return np.asarray(np.log(whole) + highest[:, 0] + _log_constant(sigma, nu))


def _log_constant(sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.asarray(sigma.shape[1] * constant - np.log(sigma).sum(axis=1))
