"""How many tests there were: expected false positives, adjusted p-values and the most a p-value can say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from atrobayes.reports.audit.finding import Finding, Interval, span
from atrobayes.reports.audit.intervals import share
from atrobayes.reports.audit.named import fullest

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "multiplicity"
SIGNIFICANT = 0.05
_FAMILY = (
    "a family is the structures of one analysis, term and group; a result printed in several places counts once; "
    "p uniform where nothing is associated; results that were not printed are not counted"
)
_HIGHEST_RATIO = "one p, uniform where nothing is associated, and likelier the smaller it is otherwise (Beta(ξ, 1))"

type Test = tuple[PublishedEstimate, Printed]


def check(published: Published) -> list[Finding]:
    """Count tests by family and adjust every printed p for the others of its family.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for all tests, one for each family, and one for each p < 0.05. They describe and compare nothing:
        every verdict is "consistent".
    """
    tests = [(row, row.p) for row in fullest(published.estimates) if row.p is not None]
    if not tests:
        return []
    families: dict[tuple[str, str, str], list[Test]] = {}
    for row, p in tests:
        families.setdefault((row.analysis, row.term, row.group), []).append((row, p))
    whole = _counted(tests, "", "", "in all")
    return [whole, *(finding for family in families.values() for finding in _family(family))]


def odds_bound(p: float) -> float:
    """Most that a p-value can say: the highest odds that anything but "no association" gives against it.

    Parameters
    ----------
    p : float
        Above 0.

    Returns
    -------
    float
        Bayes factor, 1 or more: −1/(e p ln p) below 1/e, else 1.

    Notes
    -----
    Vovk (1993); Sellke, Bayarri & Berger (2001), doi:10.1198/000313001300339950.
    """
    if p <= 0:
        return math.inf
    return -1 / (math.e * p * math.log(p)) if p < 1 / math.e else 1.0


def adjusted(p: Sequence[Printed]) -> list[tuple[Interval, Interval]]:
    """Adjusted p-values of a family, as far as the printed digits tell.

    Parameters
    ----------
    p : sequence of Printed
        All tests of the family.

    Returns
    -------
    list of pairs of intervals
        For each p: Benjamini–Hochberg and Holm, when rounded.

    Notes
    -----
    Both grow with every p of the family: the lowest p together give the lowest adjusted ones.
    """
    import pandas as pd

    from atrobayes.inference.classical.families import benjamini_hochberg, holm

    sides = [pd.Series([share(number, "rounded")[side] for number in p]) for side in (0, 1)]
    bh, fwer = ([by(side).tolist() for side in sides] for by in (benjamini_hochberg, holm))
    return list(zip(zip(*bh, strict=True), zip(*fwer, strict=True), strict=True))


def _family(tests: list[Test]) -> list[Finding]:
    row = tests[0][0]
    q = adjusted([p for _, p in tests])
    kept = [[r.structure for (r, _), pair in zip(tests, q, strict=True) if pair[k][1] < SIGNIFICANT] for k in (0, 1)]
    words = "; ".join(
        f"adjusted after {name} below {SIGNIFICANT}: {', '.join(names) or 'none'}"
        for name, names in zip(("Benjamini–Hochberg", "Holm"), kept, strict=True)
    )
    family = _counted(tests, row.analysis, row.group, f"of {row.term}s of {row.analysis} in {row.group}; {words}")
    return [family, *(_one(*test, *pair) for test, pair in zip(tests, q, strict=True) if test[1].below(SIGNIFICANT))]


def _counted(tests: Sequence[Test], analysis: str, group: str, words: str) -> Finding:
    number, below = len(tests), sum(p.below(SIGNIFICANT) for _, p in tests)
    expected = SIGNIFICANT * number
    return Finding(
        CHECK,
        "consistent",
        "; ".join(dict.fromkeys(row.source for row, _ in tests)),
        analysis,
        "; ".join(dict.fromkeys(row.structure for row, _ in tests)),
        "number of tests",
        group,
        f"{number} tests, {below} with p < {SIGNIFICANT}",
        f"{expected:.4g}",
        _FAMILY,
        f"{number} tests {words}; {below} have p < {SIGNIFICANT}, and {expected:.3g} would be expected if nothing "
        "were associated.",
    )


def _one(row: PublishedEstimate, p: Printed, bh: Interval, fwer: Interval) -> Finding:
    return Finding(
        CHECK,
        "consistent",
        row.source,
        row.analysis,
        row.structure,
        "p",
        row.group,
        p.text,
        span(bh),
        f"{_FAMILY}; {_HIGHEST_RATIO}",
        f"{row.term} p {p.text}: adjusted for its family {span(bh)} (Benjamini–Hochberg) and {span(fwer)} (Holm); "
        f"alone it multiplies the odds of an association by {_most(*share(p, 'rounded'))}.",
    )


def _most(low: float, high: float) -> str:
    """Most that p within these ends can do to the odds, in words."""
    if low > 0:
        return f"at most {_short(odds_bound(low))}"
    return f"{_short(odds_bound(high))} or more, no limit can be told"


def _short(factor: float) -> str:
    return f"{factor:.{2 if factor < 100 else 3}g}"
