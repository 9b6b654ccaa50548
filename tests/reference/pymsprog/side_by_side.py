"""Our EDSS progression beside pymsprog's recorded answers, every difference under the rule that explains it.

Reads cases.csv, relapses.csv, output.tsv and events.tsv, writes differences.tsv: how often which answer of ours met
which of pymsprog's, and why they differ. A difference has a class only if the class's rule gives pymsprog's very
answer; the class "unexplained" is there to stay empty.

    python tests/reference/pymsprog/side_by_side.py
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from atrobayes.data_prep.clinical_dates import DAYS_PER_YEAR
from atrobayes.data_prep.definitions import Assessment, edss_progression, edss_threshold

HERE = Path(__file__).parent
HEADER = ("way", "ours", "pymsprog", "class", "n")
CONFIRMS = 168
TOLERATED = (168 - 7, 168 + 2 * 365.25)
NEAR_RELAPSE = 30


class Score(NamedTuple):
    day: int
    visit: int | None
    edss: float  # NaN unknown

    @property
    def known(self) -> bool:
        return not math.isnan(self.edss)


class Asked:
    """One interval of a course, as the rules see it."""

    def __init__(self, scores: Sequence[Score], relapses: Sequence[int], visit_from: int, reference: str) -> None:
        self.scores, self.relapses = scores, relapses
        self.visit_from, self.reference = visit_from, reference
        at = {score.visit: score for score in scores}
        self.start = at[0 if reference == "baseline" else visit_from]
        self.closing = at[visit_from + 1]
        self.known = [score for score in scores if score.known]

    @cached_property
    def ours(self) -> str:
        return ours(self.scores, self.visit_from, self.reference)

    @cached_property
    def level(self) -> float:
        return self.start.edss + edss_threshold(self.start.edss)

    @cached_property
    def rise(self) -> bool:
        return self.ours != "unknown" and self.closing.edss >= self.level

    @cached_property
    def after(self) -> list[Score]:
        """Known scores later than the day of the rise."""
        return [score for score in self.known if score.day > self.closing.day]

    @cached_property
    def seen_between(self) -> list[Score]:
        """What pymsprog keeps of the course from the opening visit on."""
        return one_a_day(self.scores[self.scores.index(self.start) :])

    def stands_until(self, last: Score | None) -> str:
        """pymsprog's answer if the score `last` is the one that confirms."""
        if last is None:
            return "unconfirmed"
        fell = any(score.edss < self.level for score in self.after if score.day <= last.day)
        return "unconfirmed" if fell else "yes"

    def first_after(self, fits: Callable[[int, Score], bool]) -> Score | None:
        """First score that `fits`, by days since the rise and itself."""
        return next((score for score in self.after if fits(score.day - self.closing.day, score)), None)


def ours(scores: Sequence[Score], visit_from: int, reference: str = "interval") -> str:
    course = [Assessment(score.visit, score.day / DAYS_PER_YEAR, score.edss) for score in scores]
    return edss_progression(course, visit_from, visit_from + 1, reference=reference)  # type: ignore[arg-type]


# the rules: what pymsprog should have said if this is why it differs, None if this cannot be why


def unknown_is_no(asked: Asked) -> str | None:
    return "no" if asked.ours == "unknown" else None


def refuted_is_unconfirmed(asked: Asked) -> str | None:
    return "unconfirmed" if asked.ours == "no" and asked.rise else None


def last_of_the_day(asked: Asked) -> str | None:
    if not twice_a_day(asked.scores):
        return None
    missing = [score for score in asked.scores if not score.known]
    again = Asked([*one_a_day(asked.scores), *missing], asked.relapses, asked.visit_from, asked.reference)
    return refuted_is_unconfirmed(again) or again.ours


def tolerance_early(asked: Asked) -> str | None:
    first = asked.first_after(lambda days, _: TOLERATED[0] <= days)
    early = asked.rise and first is not None and first.day - asked.closing.day < CONFIRMS
    return asked.stands_until(first) if early else None


def tolerance_late(asked: Asked) -> str | None:
    first = asked.first_after(lambda days, _: TOLERATED[0] <= days)
    return "unconfirmed" if asked.rise and first and first.day - asked.closing.day > TOLERATED[1] else None


def dip_ignored(asked: Asked) -> str | None:
    first = asked.first_after(lambda days, _: days >= CONFIRMS)
    return "yes" if asked.rise and asked.ours == "no" and first and first.edss >= asked.level else None


def not_sustained(asked: Asked) -> str | None:
    return "unconfirmed" if asked.ours == "yes" and any(score.edss < asked.level for score in asked.after) else None


def followed_briefly(asked: Asked) -> str | None:
    return "unconfirmed" if asked.ours == "unconfirmed" and asked.after else None


def reference_near_relapse(asked: Asked) -> str | None:
    return "no" if near_relapse(asked, asked.start) else None


def confirmation_near_relapse(asked: Asked) -> str | None:
    first = asked.first_after(lambda days, _: days >= CONFIRMS)
    valid = asked.first_after(lambda days, score: days >= CONFIRMS and not near_relapse(asked, score))
    return asked.stands_until(valid) if asked.rise and first and near_relapse(asked, first) else None


def rise_between_visits(asked: Asked) -> str | None:
    seen = asked.seen_between
    found = asked.start in seen and any(rise.day < asked.closing.day for rise in confirmed_rises(seen))
    return "yes" if found else None


def reference_first_known(asked: Asked) -> str | None:
    seen = asked.seen_between
    if asked.start in seen or not seen:
        return None
    if any(rise.day <= asked.closing.day for rise in confirmed_rises(seen)):
        return "yes"
    level = seen[0].edss + edss_threshold(seen[0].edss)
    return "unconfirmed" if asked.closing in seen and asked.closing.edss >= level else "no"


def twice_a_day(scores: Sequence[Score]) -> bool:
    return len(one_a_day(scores)) < sum(score.known for score in scores)


def near_relapse(asked: Asked, score: Score) -> bool:
    return any(0 <= score.day - day < NEAR_RELAPSE for day in asked.relapses)


def one_a_day(scores: Sequence[Score]) -> list[Score]:
    """What pymsprog keeps: of each day the last row with an EDSS."""
    return list({score.day: score for score in scores if score.known}.values())


def confirmed_rises(kept: Sequence[Score]) -> Iterator[Score]:
    """Rises above the first score that stand until one 24 weeks later."""
    level = kept[0].edss + edss_threshold(kept[0].edss)
    for place, score in enumerate(kept[1:], start=1):
        later = kept[place:]
        last = next((one.day for one in later if one.day - score.day >= CONFIRMS), None)
        if last is not None and all(one.edss >= level for one in later if one.day <= last):
            yield score


RULES: dict[str, tuple[Callable[[Asked], str | None], ...]] = {
    "nearest": (),
    "from_visit_0": (),
    "all_between": (reference_first_known, rise_between_visits),
    "tolerance": (tolerance_early, tolerance_late),
    "endpoint_only": (dip_ignored,),
    "sustained": (not_sustained,),
    "imputed": (followed_briefly,),
    "relapses": (reference_near_relapse, confirmation_near_relapse),
}


def classify(asked: Asked, way: str, theirs: str) -> str:
    """ "same", or the first rule that gives pymsprog's answer."""
    if theirs == answer(asked, way):
        return "same"
    rules = (unknown_is_no, refuted_is_unconfirmed, *RULES[way], last_of_the_day)
    return next((rule.__name__ for rule in rules if rule(asked) == theirs), "unexplained")


def answer(asked: Asked, way: str) -> str:
    """Ours; where pymsprog imputes, rises that nobody could confirm count as progressions."""
    return "yes" if (way, asked.ours) == ("imputed", "unconfirmed") else asked.ours


def first_in_course(scores: Sequence[Score], event: dict[str, str] | None) -> tuple[str, str, str]:
    """Where the first progression from visit 0 is found: at a visit, between visits or nowhere."""
    visits = {score.visit: score.day for score in scores if score.visit is not None}
    mine = next((visits[k + 1] for k in range(len(visits) - 1) if ours(scores, k, "baseline") == "yes"), None)
    theirs = int(event["day"]) if event else None
    places = [
        "nowhere" if day is None else "at a visit" if day in visits.values() else "between" for day in (mine, theirs)
    ]
    return places[0], places[1], "same" if mine == theirs else _why_first(scores, theirs)


def _why_first(scores: Sequence[Score], theirs: int | None) -> str:
    kept = one_a_day(scores)
    rise = next(confirmed_rises(kept), None)
    if theirs != (rise.day if rise else None):
        return "unexplained"
    if scores[0] not in kept:
        return "reference_first_known"
    if rise and rise.visit is None:
        return "rise_between_visits"
    return "last_of_the_day" if twice_a_day(scores) else "unexplained"


def roving(asked: Asked, events: Sequence[dict[str, str]]) -> tuple[str, str, str]:
    """Whether a progression begins in the interval; pymsprog's reference moves with every confirmed event."""
    opening, closing = asked.start.day, asked.closing.day
    within = [event for event in events if event["event"] == "CDW" and opening < int(event["day"]) <= closing]
    mine, theirs = ("yes" if asked.ours == "yes" else "no"), ("yes" if within else "no")
    if mine == theirs:
        return mine, theirs, "same"
    return mine, theirs, _why_roving(asked, events, within)


def _why_roving(asked: Asked, events: Sequence[dict[str, str]], within: Sequence[dict[str, str]]) -> str:
    opening, closing = asked.start.day, asked.closing.day
    if within and int(within[0]["day"]) < closing:
        return "rise_between_visits"
    if any(int(event["day"]) < closing <= int(event["confirmed_day"]) for event in events):
        return "inside_confirmation"
    first = next(score.day for score in asked.known)
    moved = [int(event["confirmed_day"]) for event in events if int(event["confirmed_day"]) < closing]
    if max(moved, default=first) != opening:
        return "reference_elsewhere"
    return "last_of_the_day" if twice_a_day(asked.scores) else "unexplained"


def differences() -> Counter[tuple[str, str, str, str]]:
    """How often each pair of answers occurred, by way of asking and class."""
    courses, relapses = _courses(), _relapses()
    found: Counter[tuple[str, str, str, str]] = Counter()
    events = _table("events.tsv", "\t")
    for row in _table("output.tsv", "\t"):
        name, visit_from = row["course"], int(row["visit_from"])
        for way in RULES:
            reference = "baseline" if way == "from_visit_0" else "interval"
            asked = Asked(courses[name], relapses.get(name, []), visit_from, reference)
            found[way, answer(asked, way), row[way], classify(asked, way, row[way])] += 1
        asked = Asked(courses[name], [], visit_from, "interval")
        own = [event for event in events if (event["way"], event["course"]) == ("roving", name)]
        found["roving", *roving(asked, own)] += 1
    for name, scores in courses.items():
        first = next((event for event in events if (event["way"], event["course"]) == ("first_fixed", name)), None)
        found["first_fixed", *first_in_course(scores, first)] += 1
    return found


def _courses() -> dict[str, list[Score]]:
    courses: dict[str, list[Score]] = {}
    for row in _table("cases.csv", ","):
        visit = int(row["visit"]) if row["visit"] else None
        courses.setdefault(row["course"], []).append(Score(int(row["day"]), visit, float(row["edss"] or "nan")))
    return courses


def _relapses() -> dict[str, list[int]]:
    relapses: dict[str, list[int]] = {}
    for row in _table("relapses.csv", ","):
        relapses.setdefault(row["course"], []).append(int(row["day"]))
    return relapses


def _table(name: str, delimiter: str) -> list[dict[str, Any]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def text() -> str:
    """differences.tsv as it should be."""
    ways = [*RULES, "first_fixed", "roving"]
    rows = sorted(differences().items(), key=lambda row: (ways.index(row[0][0]), row[0]))
    return "".join("\t".join(map(str, row)) + "\n" for row in (HEADER, *((*key, n) for key, n in rows)))


if __name__ == "__main__":
    (HERE / "differences.tsv").write_text(text(), encoding="utf-8", newline="\n")
