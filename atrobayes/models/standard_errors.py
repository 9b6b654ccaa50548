"""Standard error of a published slope, from whatever is printed beside it, and what its digits leave open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atrobayes.models import student_t
from atrobayes.models.published_model import model_of

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import PublishedEstimate

Interval = tuple[float, float]
HOW = "rounded"
LEVEL = 0.95  # of printed confidence intervals
_NOTHING = (math.nan, math.nan)


@dataclass(frozen=True)
class Found:
    """A standard error and where it comes from.

    Attributes
    ----------
    se : float
        From the printed numbers; NaN where they give none.
    ses : tuple of two floats
        Lowest and highest that the digits allow; may end at 0 or infinity; NaN where nothing is printed.
    ps : tuple of two floats
        Of p, where it comes from p; else NaN.
    said : str
        Its origin, or why there is none.
    """

    se: float
    ses: Interval
    ps: Interval
    said: str

    @property
    def open(self) -> bool:
        """Whether the digits allow it to be 0 or without end."""
        return self.ses[0] <= 0 or math.isinf(self.ses[1])


def standard_error(estimate: np.ndarray | float, p: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Standard error from an estimate and its two-sided p: |b| / t_df(1 - p/2).

    Parameters
    ----------
    estimate, p, df : ndarray or float
        Broadcast against each other; df infinite: the normal distribution.

    Returns
    -------
    ndarray
        0 where p is 0, infinite where p is 1; NaN where the estimate is 0 and p is 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # at p = 1 the quantile is 0 and may carry a minus sign
        return np.abs(estimate) / np.abs(student_t.isf(np.asarray(p) / 2, df))


def error_of(row: PublishedEstimate, df: float) -> Found:
    """Find the standard error of a slope: as printed, else from p, else from the interval.

    Parameters
    ----------
    row : PublishedEstimate
        With an estimate.
    df : float
        Degrees of freedom of its likelihood; infinite: normal; NaN: not known.

    Returns
    -------
    Found
        The first of these that the digits do not leave open; where all are, the first.
    """
    unknown = _unknown(row, df)
    if unknown:
        return Found(math.nan, _NOTHING, _NOTHING, f"{unknown}: no posterior")
    said = [found for found in (_as_printed(row), _of_p(row, df), _of_interval(row, df)) if found]
    none = Found(math.nan, _NOTHING, _NOTHING, "no p, standard error or interval is printed: no posterior")
    return next((found for found in said if not found.open), said[0] if said else none)


def _unknown(row: PublishedEstimate, df: float) -> str:
    """Say what is missing for a likelihood or for the scale of its prior; "" where nothing is."""
    if math.isnan(df):
        return "neither n nor df is printed"
    if df <= 0:
        return "no degrees of freedom are left"
    # of an ordinary regression the df tell n
    known = row.n is None and model_of(row) != "mixed"
    return "" if known or (row.n is not None and row.n > 2) else "without an n of 3 or more the prior has no scale"


def _as_printed(row: PublishedEstimate) -> Found | None:
    if row.se is None:
        return None
    low, high = row.se.bounds(HOW)
    return Found(row.se.value, (max(low, 0.0), high), _NOTHING, "standard error as printed")


def _of_p(row: PublishedEstimate, df: float) -> Found | None:
    if row.p is None:
        return None
    assert row.estimate is not None
    low, high = row.p.bounds(HOW)
    ps = max(low, 0.0), min(high, 1.0)
    ses = _se_of_p(row.estimate.bounds(HOW), ps, df)
    if row.p.bound:
        return Found(math.nan, ses, ps, "only a bound of p is printed")
    return Found(float(standard_error(row.estimate.value, row.p.value, df)), ses, ps, "standard error from p")


def _se_of_p(estimates: Interval, ps: Interval, df: float) -> Interval:
    """Interval of |b| / t(p) over both intervals; at b = 0 with p = 1 it is open on both sides."""
    low, high = estimates
    least, most = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    if least == 0:
        return 0.0, (math.inf if ps[1] >= 1 else float(standard_error(most, ps[1], df)))
    return float(standard_error(least, ps[0], df)), float(standard_error(most, ps[1], df))


def _of_interval(row: PublishedEstimate, df: float) -> Found | None:
    if row.ci_low is None or row.ci_high is None:
        return None
    wide = 2 * float(student_t.isf((1 - LEVEL) / 2, df))
    (a, b), (c, d) = row.ci_low.bounds(HOW), row.ci_high.bounds(HOW)
    ses = max(c - b, 0.0) / wide, (d - a) / wide
    return Found((row.ci_high.value - row.ci_low.value) / wide, ses, _NOTHING, "standard error from the interval")
