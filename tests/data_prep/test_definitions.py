"""EDSS progression, NEDA and washout against cases worked out by hand."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from atrobayes.data_prep.definitions import (
    Assessment,
    edss_progression,
    neda3,
    neda4,
    too_soon_after_steroid,
)


def yearly(*edss: float) -> list[Assessment]:
    return [Assessment(visit, float(visit), value) for visit, value in enumerate(edss)]


CASES: dict[str, tuple[list[Assessment], int, dict[str, Any], str]] = {
    "0 to 1 is below the 1.5 asked from 0": (yearly(0, 1, 1), 0, {}, "no"),
    "0 to 1.5, still there a year later": (yearly(0, 1.5, 1.5), 0, {}, "yes"),
    "1 to 1.5 is below the 1.0 asked from 1": (yearly(1, 1.5, 1.5), 0, {}, "no"),
    "1 to 2, still there": (yearly(1, 2, 2), 0, {}, "yes"),
    "5 to 5.5 is below the 1.0 asked up to 5": (yearly(5, 5.5, 5.5), 0, {}, "no"),
    "5 to 6, still there": (yearly(5, 6, 6), 0, {}, "yes"),
    "5.5 to 6 is the 0.5 asked above 5": (yearly(5.5, 6, 6), 0, {}, "yes"),
    "a rise that is gone a year later": (yearly(2, 3, 2.5), 0, {}, "no"),
    "a further rise confirms": (yearly(2, 3, 4), 0, {}, "yes"),
    "a rise at the last visit": (yearly(2, 2, 3), 1, {}, "unconfirmed"),
    "the second year of a rise is none from its own start": (yearly(2, 3, 3), 1, {}, "no"),
    "but it is from baseline": (yearly(2, 3, 3, 3), 1, {"reference": "baseline"}, "yes"),
    "a slow rise counts from baseline only": (yearly(2, 2.5, 3, 3), 1, {"reference": "baseline"}, "yes"),
    "a slow rise does not count year by year": (yearly(2, 2.5, 3, 3), 1, {}, "no"),
    "baseline unknown": (yearly(nan, 2, 3, 3), 1, {"reference": "baseline"}, "unknown"),
    "opening visit unknown": (yearly(nan, 3, 3), 0, {}, "unknown"),
    "closing visit unknown": (yearly(2, nan, 3), 0, {}, "unknown"),
    "confirming visit not assessed": (yearly(2, 3, nan), 0, {}, "unconfirmed"),
    "confirmed over a gap": (yearly(2, 3, nan, 3), 0, {}, "yes"),
    "12 weeks later is too early to confirm": (
        [Assessment(0, 0.0, 2), Assessment(1, 1.0, 3), Assessment(2, 1.0 + 12 / 52.1786, 3)], 0, {}, "unconfirmed",
    ),
    "12 weeks are enough if the study says so": (
        [Assessment(0, 0.0, 2), Assessment(1, 1.0, 3), Assessment(2, 1.0 + 12.01 / 52.1786, 3)],
        0, {"confirmation_weeks": 12}, "yes",
    ),
    "gone at 12 weeks, back at a year": (
        [Assessment(0, 0.0, 2), Assessment(1, 1.0, 3), Assessment(2, 1.2, 2), Assessment(3, 2.0, 3)], 0, {}, "no",
    ),
    "gone only after confirmation": (yearly(2, 3, 3, 2), 0, {}, "yes"),
    "exactly 24 weeks": ([Assessment(0, 0.0, 2), Assessment(1, 0.0, 3), Assessment(2, 168 / 365.25, 3)], 0, {}, "yes"),
    "no confirmation asked": (yearly(2, 2, 3), 1, {"confirmation_weeks": 0}, "yes"),
    "time unknown": ([Assessment(visit, nan, edss) for visit, edss in enumerate((2, 3, 3))], 0, {}, "unconfirmed"),
    "order of rows does not matter": (yearly(2, 3, 2.5)[::-1], 0, {}, "no"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_progression_by_hand(case: str) -> None:
    """Patients would be called worse, or not, against the definition in the methods section."""
    assessments, start, options, expected = CASES[case]
    assert expected == edss_progression(assessments, start, start + 1, **options)


NEDA3 = [
    ((0, 0, 0, "no"), "no", "yes", ()),
    ((1, 0, 0, "no"), "no", "no", ("relapse",)),
    ((0, 2, 3, "yes"), "no", "no", ("gd", "t2", "edss")),
    ((0, 0, nan, "no"), "no", "undetermined", ()),
    ((nan, nan, 1, "unknown"), "no", "no", ("t2",)),
    ((0, 0, 0, "unknown"), "no", "undetermined", ()),
    ((0, 0, 0, "unconfirmed"), "no", "yes", ()),
    ((0, 0, 0, "unconfirmed"), "yes", "no", ("edss",)),
    ((0, 0, 0, "unconfirmed"), "exclude", "undetermined", ()),
    ((0, 1, 0, "unconfirmed"), "exclude", "no", ("gd",)),
]


@pytest.mark.parametrize(("found", "unconfirmed", "status", "failed"), NEDA3)
def test_neda3_by_hand(found: Any, unconfirmed: Any, status: str, failed: tuple[str, ...]) -> None:
    """A missing count would pass as none, or activity found would be undone by something unknown."""
    neda = neda3(*found, unconfirmed=unconfirmed)
    assert (status, failed) == (neda.status, neda.failed)


@pytest.mark.parametrize(
    ("neda", "change", "expected"),
    [
        ("yes", -0.4, "yes"),
        ("yes", -0.41, "no"),
        ("yes", 0.3, "yes"),
        ("yes", nan, "undetermined"),
        ("no", nan, "no"),
        ("undetermined", -0.2, "undetermined"),
        ("undetermined", -0.5, "no"),
    ],
)
def test_neda4_by_hand(neda: Any, change: float, expected: str) -> None:
    """Brain loss at the limit would fall on the wrong side."""
    assert expected == neda4(neda, change)


def test_washout_ends_after_eight_weeks_and_unknown_days_keep_the_scan() -> None:
    """Scans would be lost for want of a date nobody has."""
    assert [True, False, False] == [too_soon_after_steroid(days, 8) for days in (55, 56, nan)]
