"""Student's t by scipy.special: importing scipy.stats costs a run two seconds."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, stdtr, stdtrit


def cdf(x: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """P(T <= x)."""
    return np.asarray(stdtr(df, x))


def sf(x: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """P(T > x), without loss far out."""
    return np.asarray(stdtr(df, -np.asarray(x)))


def isf(q: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Point that T exceeds with probability q."""
    return -np.asarray(stdtrit(df, q))


def pdf(x: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Density at x."""
    half = np.asarray(df) / 2
    log = -0.5 * np.log(df) - betaln(0.5, half) - (half + 0.5) * np.log1p(np.asarray(x) ** 2 / df)
    return np.asarray(np.exp(log))
