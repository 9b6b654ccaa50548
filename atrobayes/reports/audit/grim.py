"""Whether whole people can have a printed mean or median of counts or of a half-point scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrobayes.reports.audit.finding import Finding, fit_words, verdict_of
from atrobayes.reports.audit.whole_counts import largest_sizes, neighbours, ways
from atrobayes.reports.audit.whole_people import Grid, against_grid, finding

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedSummary

CHECK = "grim"
_MEAN = "every one of n people has a value in whole steps of {step:g}, none is missing or weighted"
_MEDIAN = "a median is one person's value or the middle between two, in whole steps of {step:g}"
_NO_STEP = "the quantity has no step: a mean of it can take any value"


def check(published: Published) -> list[Finding]:
    """Compare means with what sums of whole steps over n people allow, and medians with their scale.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each mean or median. `implied`: nearest possible values. The message lists the group sizes that fit.

    Notes
    -----
    Brown & Heathers (2017), doi:10.1177/1948550616673876.
    """
    largest = largest_sizes(published.summaries)
    return [
        _finding(row, row.value, largest.get(row.group))
        for row in published.summaries
        if row.kind in {"mean", "median"} and row.value is not None
    ]


def _finding(row: PublishedSummary, value: Printed, largest: int | None) -> Finding:
    if not row.granularity:
        grid = Grid(CHECK, 0.0, "", _NO_STEP)
        return finding(row, grid, "cannot_check", "", f"No step is given for the {row.kind} {value.text}.")
    if row.kind == "median":
        return _median(row, value, row.granularity)
    grid = Grid(CHECK, row.granularity, "a sum of whole steps", _MEAN.format(step=row.granularity))
    return against_grid(row, value, grid, largest)


def _median(row: PublishedSummary, value: Printed, step: float) -> Finding:
    # of an odd number of people the median is one of them
    own = step if row.n is not None and row.n % 2 else step / 2
    grid = Grid(CHECK, own, "", _MEDIAN.format(step=step))
    verdict, how = verdict_of(ways(value, own))
    below, above = neighbours(value.value, own)
    implied = f"{below:g} or {above:g}"
    who = "people of unknown number" if row.n is None else f"{row.n} people"
    message = f"Median {value.text} of {who} and steps of {own:g} {fit_words(verdict, how)}."
    return finding(row, grid, verdict, implied, message)
