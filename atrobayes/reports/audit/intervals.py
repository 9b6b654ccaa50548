"""Arithmetic with intervals: what a test says when its numbers are known to their printed digits alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from atrobayes.reports.audit.finding import Interval

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed

EVERYTHING: Interval = (-math.inf, math.inf)


def within(interval: Interval, low: float, high: float) -> Interval | None:
    """Part of an interval that lies from `low` to `high`; None if there is none.

    Parameters
    ----------
    interval : tuple of two floats
    low, high : float
    """
    part = max(interval[0], low), min(interval[1], high)
    return part if part[0] <= part[1] else None


def share(number: Printed, how: str) -> Interval:
    """What a printed p or R² may be, from 0 to 1.

    Parameters
    ----------
    number : Printed
    how : str
        One of ROUNDINGS.
    """
    low, high = number.bounds(how)
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


def size(interval: Interval) -> Interval:
    """Interval of the absolute value."""
    low, high = interval
    ends = sorted((abs(low), abs(high)))
    return (0.0 if low <= 0 <= high else ends[0]), ends[1]


def plus(one: Interval, other: Interval) -> Interval:
    """Interval of a sum."""
    return one[0] + other[0], one[1] + other[1]


def minus(one: Interval, other: Interval) -> Interval:
    """Interval of a difference."""
    return one[0] - other[1], one[1] - other[0]


def over(one: Interval, other: Interval) -> Interval:
    """Interval of a quotient of numbers that are not negative; the second may reach 0.

    Parameters
    ----------
    one, other : tuple of two floats
        Of 0/0 nothing is known: it adds 0 below and infinity above.
    """
    low = one[0] / other[1] if other[1] > 0 else (0.0 if one[0] == 0 else math.inf)
    return (0.0 if math.isnan(low) else low), (one[1] / other[0] if other[0] > 0 else math.inf)


def times(one: Interval, other: Interval) -> Interval:
    """Interval of a product of numbers that are not negative; 0 times infinity is open on both sides."""
    low, high = one[0] * other[0], one[1] * other[1]
    return (0.0 if math.isnan(low) else low), (math.inf if math.isnan(high) else high)


def root_of_squares(one: Interval, other: Interval) -> Interval:
    """Interval of √(a² + b²), for standard errors of a difference."""
    return math.hypot(one[0], other[0]), math.hypot(one[1], other[1])


def p_of_t(t: Interval, df: Interval) -> Interval:
    """Interval of the two-sided p of a t statistic.

    Parameters
    ----------
    t : tuple of two floats
        Of its size, 0 or more.
    df : tuple of two floats
        Degrees of freedom, up to infinity: the normal distribution.
    """
    return _p(t[1], df[1]), _p(t[0], df[0])


def t_of_p(p: Interval, df: Interval) -> Interval:
    """Interval of the size of the t statistic that has a two-sided p.

    Parameters
    ----------
    p : tuple of two floats
    df : tuple of two floats
        Degrees of freedom, up to infinity: the normal distribution.
    """
    return _t(p[1], df[1]), _t(p[0], df[0])


def r_of_p(p: Interval, n: int) -> Interval:
    """Interval of the size of the correlation of n pairs that has a two-sided p."""
    return tuple(1.0 if math.isinf(t) else t / math.sqrt(n - 2 + t * t) for t in t_of_p(p, (n - 2, n - 2)))  # type: ignore[return-value]


def p_of_r(r: Interval, n: int) -> Interval:
    """Interval of the two-sided p of a correlation of n pairs; `r` is of its size."""
    low, high = (math.inf if one >= 1 else one * math.sqrt((n - 2) / (1 - one * one)) for one in r)
    return p_of_t((low, high), (n - 2, n - 2))


def _p(t: float, df: float) -> float:
    return float(2 * (ndtr(-t) if math.isinf(df) else stdtr(df, -t)))


def _t(p: float, df: float) -> float:
    if p <= 0:
        return math.inf
    return -float(ndtri(p / 2) if math.isinf(df) else stdtrit(df, p / 2)) if p < 1 else 0.0
