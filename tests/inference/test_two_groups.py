"""t tests of two groups: R, scipy, and a published example."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from atrobayes.inference.classical.two_groups import standardised_difference, student, t_test, welch, welch_df

REFERENCE = Path(__file__).parents[1] / "reference" / "ranks"
METHODS = {"student": student, "welch": welch}


@pytest.fixture(scope="module")
def samples() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    return {
        name: tuple(rows.loc[rows["sample"] == side, "value"].to_numpy(float) for side in ("x", "y"))
        for name, rows in data.groupby("dataset", sort=False)
    }


@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_r(method: str, samples: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Table 1 would not be what the field's statistics program prints."""
    rows = pd.read_csv(REFERENCE / "t_tests.tsv", sep="\t")
    rows = rows[rows["method"] == method].set_index("dataset")
    assert set(samples) == set(rows.index)
    for name, (a, b) in samples.items():
        expected = rows.loc[name, ["estimate", "se", "df", "t", "p", "ci_low", "ci_high"]].to_numpy(float)
        ours = dataclasses.astuple(METHODS[method](a, b, 0.95))
        np.testing.assert_allclose(expected, ours, rtol=1e-9, atol=1e-11)


def test_students_own_data_give_the_published_numbers() -> None:
    """The example of R's manual page t.test: extra hours of sleep with two drugs."""
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    ours = welch(first, second)
    np.testing.assert_allclose([-1.8608, 17.776, 0.07939], [ours.statistic, ours.df, ours.p], rtol=1e-4)
    np.testing.assert_allclose([-3.3654832, 0.2054832], [ours.low, ours.high], rtol=1e-6)


def test_agrees_with_scipy_at_other_levels_and_leaves_missing_values_out() -> None:
    """A missing age would make the whole row of Table 1 missing, or count as 0."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(40, 9, 33), rng.normal(36, 14, 19)
    for level in (0.8, 0.99):
        for equal, method in ((True, student), (False, welch)):
            expected = stats.ttest_ind(a, b, equal_var=equal)
            interval = expected.confidence_interval(level)
            ours = method(np.append(a, np.nan), np.append(np.nan, b), level)
            numbers = [expected.statistic, expected.pvalue, expected.df, interval.low, interval.high]
            np.testing.assert_allclose(numbers, [ours.statistic, ours.p, ours.df, ours.low, ours.high], rtol=1e-9)


def test_exchanging_the_groups_changes_the_sign_only() -> None:
    """The p-value of a difference would depend on which treatment is named first."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=12), rng.normal(1, 3, 7)
    for method in METHODS.values():
        one, other = method(a, b), method(b, a)
        assert one.p == other.p
        np.testing.assert_allclose((one.estimate, one.low), (-other.estimate, -other.high))


def test_without_spread_there_is_a_difference_but_no_test() -> None:
    """Rounding of equal values would be tested against, with p = 0."""
    a, b = np.full(5, 0.1), np.full(7, 0.1 * 3)
    for method in METHODS.values():
        result = method(a, b)
        assert np.isclose(-0.2, result.estimate)
        assert np.isnan([result.se, result.df, result.statistic, result.p, result.low, result.high]).all()
    assert np.isnan(standardised_difference(a, b))
    assert np.isnan(standardised_difference(np.zeros(3), np.zeros(4)))


def test_one_value_in_a_group_is_enough_for_student_and_too_little_for_welch() -> None:
    """R's rule; a traceback or a made-up variance would take its place."""
    one, some = np.array([2.0]), np.array([0.0, 1.0, 3.0])
    assert np.isclose(stats.t.sf(abs(student(one, some).statistic), 2) * 2, student(one, some).p)
    assert np.isnan(welch(one, some).p)
    assert np.isclose(2 - 4 / 3, welch(one, some).estimate)
    for method in METHODS.values():
        assert np.isnan(method(np.array([]), some).estimate)
        assert np.isnan(method(one, one).p)


def test_the_standardised_difference_is_in_pooled_sds() -> None:
    """Balance of the groups would be judged on another scale than readers know."""
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0, 8.0])
    # squares 2 and 20 over 5 degrees of freedom
    assert np.isclose((2 - 5) / np.sqrt(22 / 5), standardised_difference(a, b))
    # hence t = d sqrt(n1 n2 / (n1 + n2))
    assert np.isclose(student(a, b).statistic, standardised_difference(a, b) * np.sqrt(3 * 4 / 7))
    assert standardised_difference(a, b) == standardised_difference(np.append(a, np.nan), b)


def test_pooled_degrees_of_freedom_lie_between_the_smaller_part_and_the_sum() -> None:
    """An interval of a difference would be narrower than both its parts allow."""
    assert np.isclose(12, welch_df(np.array([0.3, 0.3]), np.array([6, 6])))
    assert np.isclose(5, welch_df(np.array([1.0, 0.0]), np.array([5, 9])))
    # (2 + 1)² / (2² / 5 + 1² / 9), in the smallest units
    assert np.isclose(9 / (4 / 5 + 1 / 9), welch_df(np.array([2e-200, 1e-200]), np.array([5, 9])))


def test_the_interval_ends_where_the_test_turns() -> None:
    """p < 0.05 and an interval without 0 would not go together."""
    test = t_test(1.0, 0.5, 3.7, 0.95)
    assert np.isclose(0.05, 2 * stats.t.sf((1.0 - test.low) / 0.5, 3.7))
    assert np.isclose(0.05, 2 * stats.t.sf((test.high - 1.0) / 0.5, 3.7))
