"""Whether one result is printed under two names: a figure that carries another row's numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.reports.audit.finding import Finding, both, overlap
from atrobayes.reports.audit.named import NUMBERS
from atrobayes.reports.audit.slope_groups import EVERYBODY

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "two_names"
# coincidences expected by chance in one publication, below which they are no longer believed
RARE = 0.01
# two results correlated 0.9 agree in a digit √10 times as often as independent ones
_ALIKE = math.sqrt(10)
# decades over which sizes of numbers, and small p-values, spread
_DECADES = 5 * math.log(10)
_ASSUMPTIONS = (
    "results under two names are correlated 0.9 at most; sizes of estimates spread over five decades, p, |r| and R² "
    f"half evenly and half so; of p, r, R², se and interval the most telling counts; rarer than {RARE:g} expected "
    "among all pairs of rows compared is no coincidence"
)

type Pair = tuple[PublishedEstimate, PublishedEstimate]


@dataclass(frozen=True)
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
    panels = _panels(published)
    compared, alike = 0, []
    for pairs in _candidates(panels):
        chances = [(pair, chance) for pair in pairs if (chance := coincidence(*pair)) is not None]
        compared += bool(chances)
        same = [(pair, chance) for pair, chance in chances if chance < 1]
        if same:
            alike.append(([pair for pair, _ in same], math.prod(chance for _, chance in same)))
    found = [_found(pairs, chance * compared) for pairs, chance in alike if chance * compared < RARE]
    return found or ([_nothing_found(compared, published)] if compared else [])


def coincidence(one: PublishedEstimate, other: PublishedEstimate) -> float | None:
    """Chance that two unrelated rows carry the same digits in every number both print.

    Parameters
    ----------
    one, other : PublishedEstimate

    Returns
    -------
    float or None
        1 where they do not carry the same digits; None where they share no number.
    """
    chances: dict[str, float] = {}
    for name in NUMBERS:
        first, second = getattr(one, name), getattr(other, name)
        if first is None or second is None:
            continue
        if not same_digits(first, second):
            return 1.0
        chances[name] = _chance(name, first, second)
    if not chances:
        return None
    # given the estimate, one of the others determines the rest
    estimate = chances.pop("estimate", 1.0)
    return estimate * min(chances.values(), default=1.0)


def same_digits(one: Printed, other: Printed) -> bool:
    """Whether two numbers are the same as far as the one with fewer digits goes, however that was shortened.

    Parameters
    ----------
    one, other : Printed
    """
    if one.bound or other.bound or one.places == other.places:
        return (one.bound, one.value) == (other.bound, other.value)
    coarse, fine = sorted((one, other), key=lambda number: number.places)
    return any(overlap(coarse.bounds(how), (fine.value, fine.value)) for how in ROUNDINGS)


def _chance(name: str, one: Printed, other: Printed) -> float:
    """Width of what agrees times the density of unrelated numbers there."""
    if one.bound or other.bound:
        return 1.0
    coarse, fine = sorted((one, other), key=lambda number: number.places)
    width = coarse.unit * (1 if coarse.places == fine.places else 2)
    size = abs(fine.value)
    if size == 0:
        return 1.0
    spread = 1 / (size * _DECADES)
    density = 0.5 + 0.5 * spread if name in {"p", "r", "r2"} else spread
    return min(1.0, width * density * _ALIKE)


def _panels(published: Published) -> list[Panel]:
    rows: dict[tuple[str, str, str, str], dict[str, PublishedEstimate]] = {}
    for row in published.estimates:
        rows.setdefault((row.source, row.analysis, row.structure, row.term), {}).setdefault(row.group, row)
    return [Panel((key[1], key[2], key[3]), tuple(by_group.values())) for key, by_group in rows.items()]


def _candidates(panels: Sequence[Panel]) -> Iterator[list[Pair]]:
    for panel in panels:
        yield from ([pair] for pair in combinations(panel.rows, 2) if not _whole_and_part(*pair))
    for one, other in combinations(panels, 2):
        if one.name != other.name and one.name[2] == other.name[2]:
            by_group = {row.group: row for row in other.rows}
            yield [(row, by_group[row.group]) for row in one.rows if row.group in by_group]


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
        f"{printed[0]} and {printed[1]}. Among all rows compared {expected:.1g} such coincidences would be expected: "
        "digits and names do not fit each other."
    )
    return Finding(
        CHECK,
        "inconsistent",
        both(one.source, other.source),
        both(one.analysis, other.analysis),
        both(one.structure, other.structure),
        ", ".join(_shared(one, other)),
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


def _shared(one: PublishedEstimate, other: PublishedEstimate) -> list[str]:
    return [name for name in NUMBERS if getattr(one, name) and getattr(other, name)]


def _digits(rows: Iterator[PublishedEstimate]) -> str:
    return "; ".join(
        f"{row.group} " + ", ".join(f"{name} {getattr(row, name).text}" for name in NUMBERS if getattr(row, name))
        for row in rows
    )
