"""Whether one result is printed under two names: a figure that carries another row's numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from atrobayes.reports.audit.coincidence import ALIKE, coincidence, shared_numbers
from atrobayes.reports.audit.finding import Finding, both
from atrobayes.reports.audit.named import NUMBERS, Name, name_of, same_model
from atrobayes.reports.audit.same_result import meeting
from atrobayes.reports.audit.slope_groups import EVERYBODY

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "two_names"
# coincidences expected by chance in one publication, below which they are no longer believed
RARE = 0.01
# the same among the rows compared with one that does not fit its own name elsewhere: that it is wrong is known, and
# only what it carries is asked
RARE_OF_SUSPECTS = 0.5
_ASSUMPTIONS = (
    f"results under two names differ at least as results of outcomes do that are correlated {ALIKE:g} and of one "
    "association and SD, and are independent between groups; two analyses do not rest on the very same rows of "
    "data; everybody is left out where groups are compared; what is expected fewer than "
    f"{RARE:g} times among all pairs of rows compared is no coincidence, or fewer than "
    f"{RARE_OF_SUSPECTS:g} times among those of a row that does not fit its own name elsewhere"
)

type Pair = tuple[PublishedEstimate, PublishedEstimate]


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of one source under one name: one for each group.

    Attributes
    ----------
    name : tuple of str
        Analysis, structure, term.
    rows : tuple of PublishedEstimate
    """

    name: tuple[str, str, str]
    rows: tuple[PublishedEstimate, ...]


type Comparison = tuple[Panel, Panel, list[tuple[Pair, float]]]


def check(published: Published) -> list[Finding]:
    """Look for rows of different names that carry the same digits, more of them than chance would bring together.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each pair of names found; if none, one that says how many were compared. Panels of one term are
        compared group by group, groups of one panel with each other.
    """
    compared = list(_compared(_panels(published)))
    found = [_found(same, expected) for same, expected in _beyond_chance(compared, _at_odds(published))]
    return found or ([_nothing_found(len(compared), published)] if compared else [])


def _beyond_chance(
    compared: Sequence[Comparison], suspects: set[PublishedEstimate]
) -> Iterator[tuple[list[Pair], float]]:
    """Rows of two panels that carry the same digits, and how many such coincidences were to be expected."""
    comparisons = Counter(panel for one, other, _ in compared for panel in (one, other))
    for one, other, chances in compared:
        same = _independent([(pair, chance) for pair, chance in chances if chance < 1])
        if not same:
            continue
        chance = math.prod(chance for _, chance in same)
        among_all = chance * len(compared)
        own = [chance * comparisons[panel] for panel in (one, other) if not suspects.isdisjoint(panel.rows)]
        if among_all < RARE or any(expected < RARE_OF_SUSPECTS for expected in own):
            yield [pair for pair, _ in same], min([among_all, *own])


def _at_odds(published: Published) -> set[PublishedEstimate]:
    """Rows whose numbers do not fit those of the same result elsewhere."""
    by_name: dict[Name, list[PublishedEstimate]] = {}
    for row in published.estimates:
        by_name.setdefault(name_of(row), []).append(row)
    pairs = (pair for rows in by_name.values() for pair in combinations(rows, 2))
    return {row for pair in pairs if same_model(*pair) and _apart(*pair) for row in pair}


def _apart(one: PublishedEstimate, other: PublishedEstimate) -> bool:
    shared = shared_numbers(one, other)
    return any(meeting(getattr(one, name), getattr(other, name))[0] == "inconsistent" for name in shared)


def _compared(panels: Sequence[Panel]) -> Iterator[Comparison]:
    """Pairs of panels that share numbers, with the chance that each pair of rows agrees as it does."""
    for one, other, pairs in _candidates(panels):
        chances = [(pair, chance) for pair in pairs if (chance := coincidence(*pair)) is not None]
        if chances:
            yield one, other, chances


def _panels(published: Published) -> list[Panel]:
    rows: dict[tuple[str, str, str, str], dict[str, PublishedEstimate]] = {}
    for row in published.estimates:
        rows.setdefault((row.source, row.analysis, row.structure, row.term), {}).setdefault(row.group, row)
    return [Panel((key[1], key[2], key[3]), tuple(by_group.values())) for key, by_group in rows.items()]


def _candidates(panels: Sequence[Panel]) -> Iterator[tuple[Panel, Panel, list[Pair]]]:
    for panel in panels:
        yield from ((panel, panel, [pair]) for pair in combinations(panel.rows, 2) if not _whole_and_part(*pair))
    for one, other in combinations(panels, 2):
        if one.name != other.name and one.name[2] == other.name[2]:
            by_group = {row.group: row for row in other.rows}
            yield one, other, [(row, by_group[row.group]) for row in one.rows if row.group in by_group]


def _independent(same: list[tuple[Pair, float]]) -> list[tuple[Pair, float]]:
    """Without everybody where groups are left: they are the same rows."""
    groups = [(pair, chance) for pair, chance in same if pair[0].group != EVERYBODY]
    return groups or same


def _whole_and_part(one: PublishedEstimate, other: PublishedEstimate) -> bool:
    """A single group is the whole: its rows are the same."""
    return EVERYBODY in {one.group, other.group} and one.n == other.n


def _found(pairs: Sequence[Pair], expected: float) -> Finding:
    one, other = pairs[0]
    printed = [_digits(pair[k] for pair in pairs) for k in (0, 1)]
    groups = "; ".join(both(first.group, second.group) for first, second in pairs)
    names = [f"{row.analysis} {row.structure} ({row.source})" for row in (one, other)]
    within = one.group != other.group
    message = (
        f"{names[0]} and {names[1]}{' carry the same digits for two groups' if within else ' carry the same digits'}: "
        f"{printed[0]} and {printed[1]}. Among the rows compared {expected:.1g} such coincidences would be expected: "
        "digits and names do not fit each other."
    )
    return Finding(
        CHECK,
        "inconsistent",
        both(one.source, other.source),
        both(one.analysis, other.analysis),
        both(one.structure, other.structure),
        ", ".join(shared_numbers(one, other)),
        groups,
        f"{printed[0]} | {printed[1]}",
        "other digits under another name",
        _ASSUMPTIONS,
        message,
    )


def _nothing_found(compared: int, published: Published) -> Finding:
    sources = "; ".join(dict.fromkeys(row.source for row in published.estimates))
    message = f"{compared} pairs of names compared: none carries the other's digits beyond what chance brings."
    return Finding(CHECK, "consistent", sources, "", "", "all", "", "", "", _ASSUMPTIONS, message)


def _digits(rows: Iterator[PublishedEstimate]) -> str:
    return "; ".join(
        f"{row.group} " + ", ".join(f"{name} {getattr(row, name).text}" for name in NUMBERS if getattr(row, name))
        for row in rows
    )
