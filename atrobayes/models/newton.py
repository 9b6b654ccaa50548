"""Solve increasing functions for many targets at once: Newton steps kept inside a shrinking bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def solve_increasing(
    excess_and_slope: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    tolerance: np.ndarray | float,
) -> np.ndarray:
    """Root of an increasing function, element by element.

    Parameters
    ----------
    excess_and_slope : callable
        Function and derivative at x, same shape as x.
    start, low, high : ndarray
        First guess and bracket.
    tolerance : ndarray or float
        A last step smaller than this ends the search; Newton's error is then far smaller still.

    Raises
    ------
    ArithmeticError
        If a root is not found in 200 steps.
    """
    x = np.clip(start, low, high)
    for _ in range(200):
        excess, slope = excess_and_slope(x)
        low, high = np.where(excess <= 0, x, low), np.where(excess >= 0, x, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = x - excess / slope
        # at the bracket's very edge a step of rounding size is a solution, not a failure
        inside = (newton >= low - tolerance) & (newton <= high + tolerance)
        following = np.where(inside, newton, (low + high) / 2)
        small = np.all(np.abs(following - x) <= tolerance)
        x = following
        if small:
            return x
    raise ArithmeticError("a quantile was not found; this is a bug")
