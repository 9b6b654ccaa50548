"""Means, medians and percentages of whole people, by hand and by brute force."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedSummary
from atrobayes.reports.audit import grim, percentages
from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.audit.whole_counts import fits, fitting_sizes, sizes_words


def _finding(kind: str, value: str, n: int | None, step: float | None = 1.0, largest: int = 33) -> Finding:
    row = PublishedSummary(2, "Table", "lesions", "A", n, kind, read_printed(value), step, None)
    other = PublishedSummary(3, "Table", "age", "A", largest, "mean", read_printed("40"), None, None)
    check = percentages.check if kind == "percent" else grim.check
    return check(Published("", (), (row, other)))[0]


@pytest.mark.parametrize(
    ("kind", "value", "n", "step", "expected"),
    [
        ("mean", "2.24", 33, 1.0, "consistent"),  # 74/33 = 2.2424
        ("mean", "2.27", 33, 1.0, "consistent"),  # 75/33 = 2.2727
        ("mean", "2.25", 33, 1.0, "only_under"),  # 74/33 = 2.2424, rounded up
        ("mean", "2.26", 33, 1.0, "inconsistent"),
        ("mean", "3.97", 19, 0.5, "consistent"),  # 75.5/19 = 3.9737
        ("mean", "3.97", 19, 1.0, "inconsistent"),
        ("mean", "0.5", 13, 1.0, "cannot_check"),  # steps of 1/13 are finer than the digit
        ("mean", "37.7", 33, None, "cannot_check"),
        ("mean", "0.56", None, 1.0, "cannot_check"),
        ("median", "3.5", 13, 0.5, "consistent"),
        ("median", "3.25", 13, 0.5, "inconsistent"),
        ("median", "3.25", 12, 0.5, "consistent"),
        ("median", "2.5", 13, 1.0, "inconsistent"),
        ("percent", "84.8", 33, None, "consistent"),  # 28/33
        ("percent", "84.9", 33, None, "only_under"),
        ("percent", "85.2", 33, None, "inconsistent"),
        ("percent", "73", 33, 1.0, "consistent"),  # 24/33 = 72.7
        ("percent", "12.5", None, 1.0, "cannot_check"),
        ("percent", "100", 19, 1.0, "consistent"),
    ],
)
def test_verdicts_are_as_by_hand(kind: str, value: str, n: int | None, step: float | None, expected: str) -> None:
    """A mean that n people cannot have would pass, or one they can have would be doubted."""
    assert expected == _finding(kind, value, n, step).verdict


def test_sizes_that_fit_are_listed() -> None:
    """The reader would not learn that 12.5 % is one of 8, two of 16, three of 24 or four of 32."""
    assert "of n = 1 to 33 fit 8, 16, 24, 32." in _finding("percent", "12.5", None).message
    assert "every n from 1 to 33 fits" in _finding("mean", "0", None).message
    # 1/n and 2/n to two digits, by hand: 1/9 = 0.111, 2/18, 2/19 = 0.105
    assert [9, 18, 19] == fitting_sizes(read_printed("0.11"), 1.0, 19)
    assert "none of n = 1 to 5 fits" == sizes_words([], 5)
    assert "of n = 1 to 9 fit 2, 4 to 6" == sizes_words([2, 4, 5, 6], 9)


def test_what_fits_is_what_sums_can_give() -> None:
    """Ends of intervals would be lost to floating point: every mean of 1 to 60 people against all sums, both ways."""
    for n in range(1, 61):
        for step in (1.0, 0.5):
            exact = [Decimal(k) * Decimal(repr(step)) / n for k in range(4 * n)]
            possible = {m.quantize(Decimal("0.01"), way) for m in exact for way in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
            for hundredths in np.arange(0, 200, 7):
                text = f"{hundredths / 100:.2f}"
                found = fits(read_printed(text).bounds("rounded"), step / n)
                if Decimal(text) in possible:
                    assert found, (n, step, text)
                elif found:  # only a half, which rounds to the even neighbour, may fit beyond
                    halves = {m for m in exact if abs(m - Decimal(text)) == Decimal("0.005")}
                    assert halves, (n, step, text)
