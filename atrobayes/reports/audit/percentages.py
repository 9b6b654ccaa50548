"""Whether n whole people can give a printed percentage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.audit.whole_counts import largest_sizes
from atrobayes.reports.audit.whole_people import Grid, against_grid

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published

CHECK = "percentages"
_ASSUMPTIONS = "a share of n whole people, none missing or weighted"


def check(published: Published) -> list[Finding]:
    """Compare percentages with the shares that n people can give.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each percentage. `implied`: nearest possible percentages. The message lists the group sizes that fit.
    """
    largest = largest_sizes(published.summaries)
    return [
        against_grid(
            row,
            row.value,
            Grid(CHECK, 100 * (row.granularity or 1.0), "a number of whole people", _ASSUMPTIONS),
            largest.get(row.group),
        )
        for row in published.summaries
        if row.kind == "percent" and row.value is not None
    ]
