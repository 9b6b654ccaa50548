"""What small groups can show, against exact distributions and simulation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import nct, pearsonr

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate
from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.audit.small_n import check, showing, smallest_r


def test_the_smallest_r_is_that_of_tables() -> None:
    """Critical values of r as in any statistics book: 0.666 at n = 9, 0.754 at n = 7."""
    np.testing.assert_allclose([0.997, 0.754, 0.666, 0.361], [smallest_r(n) for n in (3, 7, 9, 30)], atol=6e-4)
    x = np.array([1.0, -1, 0, 0, 2, 0, 1])
    y = np.array([1.0, 0, 0, -1, 2, 1, -1])
    r, p = pearsonr(x, y)
    np.testing.assert_allclose(abs(r), smallest_r(len(x), p))


@pytest.mark.parametrize("n", [3, 4, 7, 9, 95])
@pytest.mark.parametrize("rho", [0.1, 0.5])
def test_power_is_that_of_the_noncentral_t(n: int, rho: float) -> None:
    """The chance to see an association would be wrong."""
    shift = np.sqrt(n) * rho / np.sqrt(1 - rho**2)
    limit = smallest_r(n) * np.sqrt((n - 2) / (1 - smallest_r(n) ** 2))
    right, wrong = nct.sf(limit, n - 2, shift), nct.cdf(-limit, n - 2, shift)
    found = showing(n, rho)
    np.testing.assert_allclose(right + wrong, found.power, rtol=2e-6)
    np.testing.assert_allclose(wrong / (right + wrong), found.wrong_sign, rtol=1e-4, atol=1e-10)


@pytest.mark.parametrize(("n", "rho"), [(9, 0.3), (7, 0.5), (30, 0.1)])
def test_exaggeration_is_that_of_simulated_regressions(n: int, rho: float) -> None:
    """The reader would be told a wrong factor: slopes of 200,000 data sets on fixed counts, kept at p < 0.05."""
    rng = np.random.default_rng(n)
    x = rng.poisson(2, size=n).astype(float)
    x -= x.mean()
    spread = x @ x
    # unit residual SD; the predictor explains rho² of the variance at these counts
    slope = rho / np.sqrt(1 - rho**2) / np.sqrt(spread / n)
    y = slope * x + rng.normal(size=(200_000, n))
    y -= y.mean(axis=1, keepdims=True)
    b = y @ x / spread
    r = b * np.sqrt(spread) / np.sqrt((y**2).sum(axis=1))
    found = np.abs(r) > smallest_r(n)
    size = np.abs(b[found]) / slope
    expected, known = showing(n, rho), 4 / np.sqrt(found.sum())
    assert abs(found.mean() - expected.power) < known * expected.power
    assert abs(size.mean() - expected.exaggeration) < known * size.std()
    assert abs((b[found] < 0).mean() - expected.wrong_sign) < known * np.sqrt(expected.wrong_sign)


def _rows(*p_and_r2: tuple[str, str]) -> Iterator[PublishedEstimate]:
    for k, (p, r2) in enumerate(p_and_r2):
        numbers = {"p": read_printed(p), "r2": read_printed(r2)}
        yield PublishedEstimate(k, "Table", "first", f"s{k}", "slope", "A", 9, **numbers)


def _found(*p_and_r2: tuple[str, str]) -> Finding:
    (finding,) = check(Published("", tuple(_rows(*p_and_r2))))
    return finding


def test_p_and_r_stand_on_the_same_side_of_the_limit() -> None:
    """With n = 9 the limit is R² = 0.444: a p below 0.05 beside R² = 0.35 would pass."""
    finding = _found(("0.0014", "0.79"), ("0.092", "0.35"), ("0.05", "0.44"))
    assert ("consistent", "n 9; p < 0.05 in 1 of 3") == (finding.verdict, finding.printed)
    assert "no |r| below 0.666" in finding.message
    wrong = _found(("0.0014", "0.79"), ("0.012", "0.35"))
    assert "inconsistent" == wrong.verdict
    assert "s1" in wrong.message
    assert "inconsistent" == _found(("0.092", "0.55")).verdict
    # the limit is 0.44407
    assert "only_under" == _found(("0.0499", "0.4440")).verdict


def test_a_bound_of_p_is_counted_by_what_it_says() -> None:
    """A p printed as > 0.01 would count as significant."""
    found = check(Published("", tuple(_rows(("<0.05", "0.7"), (">0.01", "0.1"), (">0.02", "0.1")))))
    assert any("p < 0.05 in 1 of 3" in finding.printed for finding in found)
