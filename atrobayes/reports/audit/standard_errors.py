"""What printed digits say of degrees of freedom and standard errors."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Interval
from atrobayes.reports.audit.intervals import minus, over, share, size, t_of_p

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import PublishedEstimate

FEWEST = 3.0
UNKNOWN_DF = f"degrees of freedom are not printed: any from {FEWEST:g} (fewer where n is smaller) to infinity"
LEVEL = 0.95


def df_of(row: PublishedEstimate) -> Interval:
    """Degrees of freedom a row's test may have had.

    Parameters
    ----------
    row : PublishedEstimate
        Printed df come first, those of mixed models as rounded or cut off; then n - 2 of ordinary regressions.
    """
    if row.df is not None:
        slack = _df_slack(row)
        return max(row.df - slack, 1e-9), row.df + slack
    if model_of(row) == "ordinary" and row.n is not None:
        return row.n - 2, row.n - 2
    return min(FEWEST, max(row.n - 4, 1)) if row.n is not None else FEWEST, math.inf


def df_words(row: PublishedEstimate) -> str:
    """Say where the degrees of freedom come from."""
    if row.df is not None:
        return f"{row.df:g} degrees of freedom, as printed"
    low, high = df_of(row)
    return UNKNOWN_DF if math.isinf(high) else f"n - 2 = {low:g} degrees of freedom"


def half_width(row: PublishedEstimate, how: str) -> Interval | None:
    """Half the width of the printed interval; None where there is none.

    Parameters
    ----------
    row : PublishedEstimate
    how : str
        One of ROUNDINGS.
    """
    if row.ci_low is None or row.ci_high is None:
        return None
    low, high = minus(row.ci_high.bounds(how), row.ci_low.bounds(how))
    return max(low, 0.0) / 2, max(high, 0.0) / 2


def standard_error(row: PublishedEstimate, how: str, df: Interval) -> Interval | None:
    """Standard error of an estimate: as printed, else from its interval, else from its p.

    Parameters
    ----------
    row : PublishedEstimate
    how : str
        One of ROUNDINGS.
    df : tuple of two floats
        Degrees of freedom of its test.

    Returns
    -------
    tuple of two floats or None
        None where none of these is printed.
    """
    if row.se:
        low, high = row.se.bounds(how)
        return max(low, 0.0), high
    half = half_width(row, how)
    if half:
        return over(half, t_of_p((1 - LEVEL, 1 - LEVEL), df))
    if row.estimate and row.p:
        return over(size(row.estimate.bounds(how)), t_of_p(share(row.p, how), df))
    return None


def _df_slack(row: PublishedEstimate) -> float:
    """Whole df of a mixed model were shortened; those of a regression are exact."""
    places = -int(Decimal(repr(row.df)).normalize().as_tuple().exponent)
    if places <= 0:
        return 1.0 if model_of(row) != "ordinary" else 0.0
    return 10.0**-places
