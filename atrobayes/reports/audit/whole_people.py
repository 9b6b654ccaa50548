"""A printed mean or percentage against the sums that whole people can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atrobayes.reports.audit.finding import Finding, fit_words, verdict_of
from atrobayes.reports.audit.whole_counts import fitting_sizes, neighbours, says_nothing, sizes_words, ways

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import PublishedSummary


@dataclass(frozen=True)
class Grid:
    """What a printed number has to be a multiple of.

    Attributes
    ----------
    check : str
        Name of the check.
    whole : float
        n times the smallest step: of a mean the granularity, of a percentage 100 times it.
    of : str
        "a sum of whole steps", in the words of the quantity.
    assumptions : str
    """

    check: str
    whole: float
    of: str
    assumptions: str


def against_grid(row: PublishedSummary, value: Printed, grid: Grid, largest: int | None) -> Finding:
    """Judge one printed number by what n people can give.

    Parameters
    ----------
    row : PublishedSummary
    value : Printed
        What the row prints.
    grid : Grid
    largest : int or None
        Largest n to try for the group sizes that would fit.
    """
    sizes = sizes_words(fitting_sizes(value, grid.whole, largest), largest) if largest else "no n is printed to try"
    if row.n is None:
        return finding(row, grid, "cannot_check", "", f"No n is printed for {value.text}: {sizes}.")
    step = grid.whole / row.n
    if says_nothing(value, step):
        message = f"Any number printed like {value.text} has {grid.of} behind it with n = {row.n}: nothing to find."
        return finding(row, grid, "cannot_check", "", message)
    verdict, how = verdict_of(ways(value, step))
    below, above = neighbours(value.value, step)
    steps = round(below / step)
    implied = f"{below:.6g} or {above:.6g}"
    unit = grid.whole / row.n
    message = (
        f"{row.kind} {value.text} and n = {row.n} {fit_words(verdict, how)}: nearest are {steps} × {unit:.6g} = "
        f"{below:.6g} and {steps + 1} × {unit:.6g} = {above:.6g}; {sizes}."
    )
    return finding(row, grid, verdict, implied, message)


def finding(row: PublishedSummary, grid: Grid, verdict: str, implied: str, message: str) -> Finding:
    """Finding of a summary row.

    Parameters
    ----------
    row : PublishedSummary
    grid : Grid
    verdict, implied, message : str
    """
    n = "" if row.n is None else f", n {row.n}"
    printed = f"{row.value.text if row.value else ''}{n}"
    where = (row.source, "", row.quantity, row.kind, row.group)
    return Finding(grid.check, verdict, *where, printed, implied, grid.assumptions, message)
