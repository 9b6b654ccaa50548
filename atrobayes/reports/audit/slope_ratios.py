"""Whether slopes over follow-ups of different length grow with time, as losses that accrue evenly would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from atrobayes.models import student_t
from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, both, fit_words, judge, span
from atrobayes.reports.audit.intervals import share, size
from atrobayes.reports.audit.named import fullest

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "slope_ratios"
# chance that any pair of the table is called inconsistent by sampling alone, at most
FALSE_ALARMS = 0.01
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WORDS = {word: k for k, word in enumerate(_COUNTS, start=1)}
_YEARS = {"year": 1.0, "yr": 1.0, "month": 1 / 12, "week": 7 / 365.25}
_LENGTH = re.compile(
    rf"(?<![a-z0-9])(?P<count>\d+(?:\.\d+)?|{'|'.join(_WORDS)})[ _-]*(?P<unit>{'|'.join(_YEARS)})s?(?![a-z])",
    re.IGNORECASE,
)
# lengths that are no follow-up: ages, and changes that are divided by their time already
_OTHER_TIME = re.compile(
    r"(?<![a-z])(ages?|aged|old|older|young|younger|annuali[sz]ed|annual|yearly|per|rate|duration|above|below|since)(?![a-z])",
    re.IGNORECASE,
)
_ASSUMPTIONS = (
    "one and the same predictor; change in proportion to time; ordinary regression with n − 2 degrees of freedom "
    "unless stated; estimates may be correlated in any way; a pair is called inconsistent by sampling alone in at most "
    f"{FALSE_ALARMS:.0%} of tables"
)


@dataclass(frozen=True)
class Slope:
    """A printed slope over a follow-up of known length.

    Attributes
    ----------
    row : PublishedEstimate
    estimate : Printed
    years : float
        Length of the follow-up.
    df : float
    """

    row: PublishedEstimate
    estimate: Printed
    years: float
    df: float

    def uncertainty(self, how: str, chance: float) -> float:
        """Largest half-width of the 1 − `chance` interval that the printed digits allow; infinite where p may be 1."""
        t = float(student_t.isf(chance / 2, self.df))
        if self.row.se is not None:
            return t * self.row.se.bounds(how)[1]
        assert self.row.p is not None
        p = share(self.row.p, how)[1]
        largest = size(self.estimate.bounds(how))[1]
        if p <= 0:
            return 0.0
        own = float(student_t.isf(p / 2, self.df))
        return largest * t / own if own > 0 else float("inf")

    def a_year(self, how: str, chance: float) -> Interval:
        """Slope per year of follow-up: what digits and sampling allow, at the level 1 − `chance`."""
        low, high = self.estimate.bounds(how)
        half = self.uncertainty(how, chance)
        return (low - half) / self.years, (high + half) / self.years


def check(published: Published) -> list[Finding]:
    """Compare slopes of one structure and group over follow-ups of different length, per year of follow-up.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each pair of analyses whose names differ only in the follow-up they state, such as "one_year" and
        "36 months". Inconsistent: no digits and no sampling variation make both grow with time. `implied`: what
        the longer slope would be if the shorter grew with time, with its 95 % interval.

    Notes
    -----
    Two intervals of levels 1 − a and 1 − b both hold their slopes with a chance of at least 1 − a − b however the two
    estimates are correlated (Bonferroni), so a and b are FALSE_ALARMS over twice the number of pairs.
    """
    sets: dict[tuple[str, str, str, str], list[PublishedEstimate]] = {}
    for row in fullest(published.estimates):
        found = follow_up(row.analysis)
        if found and row.term == "slope" and row.estimate is not None and not row.estimate.bound:
            sets.setdefault((found[1], row.structure, row.term, row.group), []).append(row)
    pairs = [pair for rows in sets.values() for pair in combinations(sorted(rows, key=_years), 2) if _differ(*pair)]
    usable = [slope_of(one) is not None and slope_of(other) is not None for one, other in pairs]
    chance = FALSE_ALARMS / (2 * max(sum(usable), 1))
    return [_finding(*pair, chance) for pair in pairs]


def follow_up(analysis: str) -> tuple[float, str] | None:
    """Length of follow-up that the name of an analysis states, and the rest of the name.

    Parameters
    ----------
    analysis : str
        Such as "two_year_t2" or "18-month change".

    Returns
    -------
    tuple of float and str, or None
        Years and what is left; None where the name states no length, more than one, or speaks of ages or of rates.
    """
    found = list(_LENGTH.finditer(analysis))
    if len(found) != 1 or _OTHER_TIME.search(analysis.replace("_", " ")):
        return None
    count = found[0]["count"].lower()
    years = float(_WORDS.get(count, 0) or count) * _YEARS[found[0]["unit"].lower()]
    rest = analysis[: found[0].start()] + "|" + analysis[found[0].end() :]
    return (years, rest) if years > 0 else None


def _years(row: PublishedEstimate) -> float:
    found = follow_up(row.analysis)
    return found[0] if found else 0.0


def _differ(one: PublishedEstimate, other: PublishedEstimate) -> bool:
    return _years(one) < _years(other)


def slope_of(row: PublishedEstimate) -> Slope | None:
    """A printed slope with what its uncertainty rests on; None where nothing tells how sure it is.

    Parameters
    ----------
    row : PublishedEstimate
        Of an analysis whose name states its follow-up.
    """
    df = row.df if row.df is not None else row.n - 2 if row.n is not None and model_of(row) != "mixed" else None
    if row.estimate is None or df is None or df <= 0 or not (row.se or row.p):
        return None
    return Slope(row, row.estimate, _years(row), float(df))


def _finding(one: PublishedEstimate, other: PublishedEstimate, chance: float) -> Finding:
    short, long = slope_of(one), slope_of(other)
    if short is None or long is None:
        message = "A slope stands without p, standard error or degrees of freedom: how sure it is cannot be told."
        return _written(one, other, "cannot_check", "", message)
    verdict, ways = judge(lambda how: long.a_year(how, chance), lambda how: short.a_year(how, chance))
    low, high = (end * long.years for end in short.a_year("rounded", 0.05))
    expected = short.estimate.value * long.years / short.years
    yearly = "; ".join(
        f"{slope.estimate.value / slope.years:.4g} (95 % {span(slope.a_year('rounded', 0.05))}) in {slope.row.analysis}"
        for slope in (short, long)
    )
    message = (
        f"{_ratio(short, long)} Per year: {yearly}. With digits and sampling these "
        f"{fit_words(verdict, ways)} as one yearly slope."
    )
    return _written(one, other, verdict, f"{expected:.4g} ({span((low, high))})", message)


def _ratio(short: Slope, long: Slope) -> str:
    low, high = short.estimate.bounds("rounded")
    even = f"even accrual gives {long.years / short.years:.3g}"
    if low <= 0 <= high:
        return f"The shorter slope may be 0 as printed: no ratio; {even}."
    ends = [a / b for a in long.estimate.bounds("rounded") for b in (low, high)]
    ratio = long.estimate.value / short.estimate.value
    return f"Ratio {ratio:.3g} (digits allow {span((min(ends), max(ends)), 3)}); {even}."


def _written(one: PublishedEstimate, other: PublishedEstimate, verdict: str, implied: str, message: str) -> Finding:
    texts = [row.estimate.text for row in (one, other) if row.estimate]
    return Finding(
        CHECK,
        verdict,
        both(one.source, other.source),
        both(one.analysis, other.analysis),
        one.structure,
        "estimate",
        one.group,
        "; ".join(texts),
        implied,
        _ASSUMPTIONS,
        message,
    )
