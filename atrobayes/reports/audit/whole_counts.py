"""Which means, medians and percentages whole people can have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.reports.audit.finding import Interval

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import PublishedSummary

_SLACK = 1e-9


def fits(interval: Interval, step: float) -> bool:
    """Whether a whole multiple of a step lies in an interval, ends included.

    Parameters
    ----------
    interval : tuple of two floats
    step : float
        Above 0.
    """
    low, high = (end / step for end in interval)
    return math.ceil(low - _SLACK * max(abs(low), 1)) <= high + _SLACK * max(abs(high), 1)


def neighbours(value: float, step: float) -> tuple[float, float]:
    """Largest multiple of a step not above a value, and the next one.

    Parameters
    ----------
    value, step : float
    """
    below = math.floor(value / step + _SLACK)
    return below * step, (below + 1) * step


def ways(value: Printed, step: float) -> dict[str, bool]:
    """Whether a multiple of a step fits the printed digits, for each of ROUNDINGS.

    Parameters
    ----------
    value : Printed
    step : float
    """
    return {how: fits(value.bounds(how), step) for how in ROUNDINGS}


def says_nothing(value: Printed, step: float) -> bool:
    """Whether every number printed with these digits has a multiple of the step: nothing could be found."""
    return bool(value.bound) or step <= value.unit * (1 + _SLACK)


def fitting_sizes(value: Printed, whole: float, largest: int) -> list[int]:
    """Group sizes, up to the largest, in which the printed digits are possible.

    Parameters
    ----------
    value : Printed
        Mean or percentage, rounded.
    whole : float
        Step of a sum over the group: of a mean the granularity, of a percentage 100 times it.
    largest : int
    """
    return [n for n in range(1, largest + 1) if fits(value.bounds("rounded"), whole / n)]


def sizes_words(sizes: Sequence[int], largest: int) -> str:
    """Say which group sizes fit, such as "8, 16 to 18 of 1 to 33".

    Parameters
    ----------
    sizes : sequence of int
        Ascending.
    largest : int
    """
    if not sizes:
        return f"none of n = 1 to {largest} fits"
    if len(sizes) == largest:
        return f"every n from 1 to {largest} fits"
    return f"of n = 1 to {largest} fit {', '.join(_runs(sizes))}"


def largest_sizes(rows: Iterable[PublishedSummary]) -> dict[str, int]:
    """Largest n printed for each group.

    Parameters
    ----------
    rows : iterable of PublishedSummary
    """
    largest: dict[str, int] = {}
    for row in rows:
        if row.n is not None:
            largest[row.group] = max(row.n, largest.get(row.group, 0))
    return largest


def _runs(sizes: Sequence[int]) -> list[str]:
    runs = ([size for _, size in run] for _, run in groupby(enumerate(sizes), lambda item: item[1] - item[0]))
    return [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
