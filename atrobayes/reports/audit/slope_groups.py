"""Which slopes of groups an interaction stands beside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

EVERYBODY = "ALL"


def pairs_of(published: Published) -> Iterator[tuple[PublishedEstimate, PublishedEstimate, PublishedEstimate]]:
    """Every interaction with the two slopes it is the difference of.

    Parameters
    ----------
    published : Published

    Yields
    ------
    tuple of three PublishedEstimate
        The interaction, and the slopes of its first and second group, of the same source, analysis and structure;
        interactions that lack one are left out.
    """
    slopes: dict[tuple[str, str, str], dict[str, PublishedEstimate]] = {}
    for row in published.estimates:
        if row.term == "slope":
            slopes.setdefault((row.source, row.analysis, row.structure), {}).setdefault(row.group, row)
    for row in published.estimates:
        if row.term == "interaction":
            of = slopes.get((row.source, row.analysis, row.structure), {})
            # names of groups may hold hyphens of their own
            pair = next((two for two in permutations(of, 2) if "-".join(two) == row.group), None)
            if pair:
                yield row, of[pair[0]], of[pair[1]]
