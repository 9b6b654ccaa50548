"""EDSS courses for pymsprog and for us: those worked out by hand, and simulated ones with every awkwardness.

Writes cases.csv (course, visit, day, edss) and relapses.csv (course, day) beside this file; visit is empty between
visits. From the hand cases come those whose times are known and whose options are the default. Days are whole weeks
in the simulated courses, so that 24 weeks are met to the day.

    python tests/reference/pymsprog/make_data.py
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
HAND = HERE.parents[1] / "data_prep" / "edss_cases.tsv"
SEED, COURSES, VISITS = 20260, 240, 5
STARTS = (0, 0, 1, 1.5, 2, 2, 3, 3.5, 4.5, 5, 5.5, 6)
STEPS = (-1.5, -1, -0.5, 0, 0, 0, 0.5, 1, 1.5)
AFTER_A_VISIT = (8, 22, 23, 24, 24, 25, 30)  # weeks, about the 24 that confirm

Row = tuple[str, str, int, str]


def by_hand() -> Iterator[Row]:
    """Visit, day and EDSS as the table of hand cases tells them."""
    with HAND.open(encoding="utf-8", newline="") as stream:
        for number, case in enumerate(csv.DictReader(stream, delimiter="\t"), start=1):
            if "?" in case["course"] or (case["reference"], case["weeks"]) != ("interval", "24"):
                continue
            for item in case["course"].split():
                place, edss = item.split("=")
                visit, day = place.split("@")
                yield f"hand{number:02d}", visit.replace("+", ""), int(day), edss.replace("n/a", "")


def simulated(draw: random.Random, course: str) -> Iterator[Row]:
    """Yearly visits up to six weeks early or late, some assessments between them, one in eight or half without EDSS."""
    missing = 0.5 if draw.random() < 0.15 else 0.12
    weeks = [52 * visit + (_whole(draw, 13) - 6 if visit else 0) for visit in range(VISITS)]
    when = [(7 * week, str(visit)) for visit, week in enumerate(weeks)]
    when += [(7 * (week + _pick(draw, AFTER_A_VISIT)), "") for week in weeks[1:] if draw.random() < 0.45]
    when += [(when[-1][0], "")] if draw.random() < 0.1 else []  # twice on one day
    taken = {day for day, visit in when if visit}
    edss = _pick(draw, STARTS)
    for day, visit in sorted(when):
        if visit or day not in taken:
            told = "" if draw.random() < missing else f"{edss:g}"
            yield course, visit, day, told
            edss = _onto_scale(edss + _pick(draw, STEPS))


def relapses(draw: random.Random, course: str, days: list[int]) -> Iterator[tuple[str, int]]:
    """Up to three, each up to six weeks before an assessment."""
    yield from sorted({(course, _pick(draw, days) - 7 * _whole(draw, 7)) for _ in range(_whole(draw, 4))})


def _whole(draw: random.Random, below: int) -> int:
    # random() alone is promised to give the same numbers in every version of Python
    return int(draw.random() * below)


def _pick[T](draw: random.Random, items: Sequence[T]) -> T:
    return items[_whole(draw, len(items))]


def _onto_scale(edss: float) -> float:
    """0, 1, 1.5 … 10: there is no 0.5."""
    return 0 if edss < 1 else min(edss, 10)


def tables() -> dict[str, list[tuple[object, ...]]]:
    """Both tables by file name, header first."""
    draw = random.Random(SEED)  # noqa: S311 - no secret
    cases: list[tuple[object, ...]] = [("course", "visit", "day", "edss"), *by_hand()]
    attacks: list[tuple[object, ...]] = [("course", "day")]
    for number in range(1, COURSES + 1):
        course = f"sim{number:03d}"
        rows = list(simulated(draw, course))
        cases += rows
        attacks += relapses(draw, course, [row[2] for row in rows])
    return {"cases.csv": cases, "relapses.csv": attacks}


def text(table: list[tuple[object, ...]]) -> str:
    return "\n".join(",".join(map(str, row)) for row in table) + "\n"


if __name__ == "__main__":
    for name, table in tables().items():
        (HERE / name).write_text(text(table), encoding="utf-8", newline="\n")
