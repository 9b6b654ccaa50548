"""Slopes over follow-ups of different length."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate
from atrobayes.reports.audit.slope_ratios import check, follow_up, slope_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one_year_t2", (1.0, "|_t2")),
        ("three_year_t2", (3.0, "|_t2")),
        ("24-month change", (2.0, "| change")),
        ("t2 after 1.5 years", (1.5, "t2 after |")),
        ("year_to_year_t2", None),
        ("one_year_or_two_years", None),
        ("stone_yearly", None),
        ("relapse_years", None),
    ],
)
def test_names_tell_the_follow_up(name: str, expected: tuple[float, str] | None) -> None:
    """Analyses of different predictors would be compared, or lengths misread."""
    assert expected == follow_up(name)


def _row(analysis: str, estimate: str, p: str | None, model: str = "", se: str | None = None) -> PublishedEstimate:
    numbers = {"estimate": estimate, "p": p, "se": se}
    printed = {name: read_printed(text) if text else None for name, text in numbers.items()}
    return PublishedEstimate(2, "Table", analysis, "deep", "slope", "A", 22, model=model, **printed)  # type: ignore[arg-type]


def test_the_interval_of_a_slope_is_that_of_its_p() -> None:
    """se = |b|/t(p): at the level of p itself the interval ends at 0, but for the digits; and a printed se is used."""
    slope = slope_of(_row("two_year", "0.300000", "0.010000"))
    assert slope is not None
    np.testing.assert_allclose([0, 0.3], slope.a_year("rounded", 0.01), atol=2e-5)
    given = slope_of(_row("two_year", "0.300000", None, se="0.100000"))
    assert given is not None
    half = t.isf(0.025, 20) * 0.1
    np.testing.assert_allclose([(0.3 - half) / 2, (0.3 + half) / 2], given.a_year("rounded", 0.05), atol=2e-6)


def test_slopes_are_compared_per_year() -> None:
    """Even accrual would be doubted, or six times as much in three years as in one pass where it cannot be chance."""
    short = _row("one_year", "0.0100", None, se="0.0005")
    verdicts = {
        long: check(Published("", (short, _row("three_year", long, None, se="0.0010"))))[0].verdict
        for long in ("0.0300", "0.0350", "0.0600", "-0.0300")
    }
    expected = {"0.0300": "consistent", "0.0350": "consistent", "0.0600": "inconsistent", "-0.0300": "inconsistent"}
    assert expected == verdicts
    (finding,) = check(Published("", (short, _row("three_year", "0.0600", "0.2"))))
    assert ("consistent", "0.0100; 0.0600") == (finding.verdict, finding.printed)
    assert "Ratio 6 (digits allow 5.97 to 6.04); even accrual gives 3." in finding.message


def test_mixed_models_without_df_and_other_predictors_are_left_alone() -> None:
    """Degrees of freedom would be made up, and lesions of different kinds compared."""
    short, long = _row("one_year", "0.01", "0.02"), _row("three_year", "0.03", "0.02", model="mixed")
    assert ["cannot_check"] == [finding.verdict for finding in check(Published("", (short, long)))]
    assert [] == check(Published("", (short, _row("three_year_gd", "0.03", "0.02"))))
