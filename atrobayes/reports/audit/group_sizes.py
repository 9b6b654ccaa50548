"""Whether the sizes of the groups add up to the size printed for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.audit.slope_groups import EVERYBODY, pairs_of

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "group_sizes"
ASSUMES = "the groups named are all there are, and no row of data is in two of them"


def check(published: Published) -> list[Finding]:
    """Compare n of everybody, and of interactions, with the sum of the groups' n.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        Of estimates one for each source, analysis, structure and term, of summaries for each source and quantity.
    """
    return [*_of_estimates(published), *_of_interactions(published), *_of_summaries(published)]


def _of_estimates(published: Published) -> Iterator[Finding]:
    sizes: dict[tuple[str, str, str, str], dict[str, int | None]] = {}
    for row in published.estimates:
        if row.term != "interaction":
            key = row.source, row.analysis, row.structure, row.term
            sizes.setdefault(key, {})[row.group] = row.n
    for (source, analysis, structure, _), of in sizes.items():
        yield from _compared(source, analysis, structure, of)


def _of_interactions(published: Published) -> Iterator[Finding]:
    for row, first, second in pairs_of(published):
        of = {first.group: first.n, second.group: second.n}
        others = _others(published, row, of)
        # a joint fit of more groups than the two rests on the rows of all
        of |= others if row.n is not None and None not in others.values() and _whole(of | others) == row.n else {}
        yield _finding((row.source, row.analysis, row.structure, row.group), row.n, of)


def _others(published: Published, row: PublishedEstimate, of: dict[str, int | None]) -> dict[str, int | None]:
    place = (row.source, row.analysis, row.structure)
    return {
        one.group: one.n
        for one in published.estimates
        if one.term == "slope" and (one.source, one.analysis, one.structure) == place
        if one.group != EVERYBODY and one.group not in of
    }


def _whole(of: dict[str, int | None]) -> int:
    return sum(n or 0 for n in of.values())


def _of_summaries(published: Published) -> Iterator[Finding]:
    sizes: dict[tuple[str, str, str], dict[str, int | None]] = {}
    for row in published.summaries:
        sizes.setdefault((row.source, row.quantity, row.kind), {})[row.group] = row.n
    for (source, quantity, _), of in sizes.items():
        yield from _compared(source, "", quantity, of)


def _compared(source: str, analysis: str, structure: str, of: dict[str, int | None]) -> Iterator[Finding]:
    groups = {group: n for group, n in of.items() if group != EVERYBODY}
    if EVERYBODY in of and len(groups) > 1:
        yield _finding((source, analysis, structure, EVERYBODY), of[EVERYBODY], groups)


def _finding(place: tuple[str, str, str, str], total: int | None, groups: dict[str, int | None]) -> Finding:
    source, analysis, structure, group = place
    known = [n for n in groups.values() if n is not None]
    parts = ", ".join(f"{name} {'n/a' if n is None else n}" for name, n in groups.items())
    if total is None or len(known) < len(groups):
        verdict, message = "cannot_check", "not every n is printed"
    elif sum(known) != total and _some_add_up(known, total):
        verdict, message = "cannot_check", "some of the groups add up: others may be other divisions of the same rows"
    else:
        verdict = "consistent" if sum(known) == total else "inconsistent"
        sums = f"{' + '.join(map(str, known))} = {sum(known)}, and {total} is printed for {group}"
        message = f"{sums}: the numbers {'fit' if verdict == 'consistent' else 'do not fit'} each other"
    return Finding(
        check=CHECK,
        verdict=verdict,
        source=source,
        analysis=analysis,
        structure=structure,
        quantity="n",
        group=group,
        printed=f"{group} {'n/a' if total is None else total}; {parts}",
        implied="" if verdict == "cannot_check" else f"n = {sum(known)}",
        assumptions=ASSUMES,
        message=message,
    )


def _some_add_up(sizes: list[int], total: int) -> bool:
    """Whether two or more of the groups add up; by sums, not by subsets, of which thirty groups have a billion."""
    reached = {(0, 0)}
    for size in sizes:
        reached |= {(whole + size, min(many + 1, 2)) for whole, many in reached if whole + size <= total}
    return (total, 2) in reached
