"""What printed digits leave open in posteriors of published slopes."""

from __future__ import annotations

import numpy as np
import pytest
from published_rows import printed, published
from scipy import stats

from atrobayes.data_prep.printed import read_printed
from atrobayes.inference.brief import brief
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.inference.reanalysis.digits import digit_ranges
from atrobayes.inference.reanalysis.reanalyse import reanalyse
from atrobayes.models.published import read_slopes, scales_of_others
from atrobayes.models.standard_errors import standard_error

NAMES = ("estimate", "ci_low", "ci_high", "pd")


@pytest.mark.parametrize(
    ("b", "p", "n"),
    [("-0.004", "0.02", 29), ("-0.12", "0.3", 9), ("0.1", "0.03", 5), ("1", "0.2", 3), ("0.3", "0.00001", 9)],
)
@pytest.mark.parametrize("others", [0.0, 0.95, 3.0])
@pytest.mark.parametrize("prior_s", [0.25, 2.5])
def test_every_number_that_the_digits_allow_lies_within_their_range(
    b: str, p: str, n: int, others: float, prior_s: float
) -> None:
    """A reader would take a range for the worst case that is none."""
    (slope,) = read_slopes(published(printed(b, p, n=n)))
    other = np.array([others * slope.scale])
    ranges = digit_ranges([slope], other, prior_s, 0.95)
    rng = np.random.default_rng(8)
    estimates, ps = rng.uniform(*slope.estimates, 300), rng.uniform(*slope.ps, 300)
    estimates[:100] = np.repeat(slope.estimates, 50)
    ps[100:200] = np.repeat(slope.ps, 50)
    se = standard_error(estimates, ps, slope.df)
    scale = np.maximum(np.sqrt(estimates**2 + slope.residual_df * se**2), other)
    found = brief(posterior(estimates, se, np.full(300, slope.df), prior_s * scale)[0], 0.95)
    for name, values in zip(NAMES, (found.mean, found.low, found.high, found.pd), strict=True):
        least, most = ranges[f"{name}_least"][0], ranges[f"{name}_most"][0]
        slack = 0.01 * (most - least)
        assert least - slack <= values.min(), name
        assert values.max() <= most + slack, name
        assert 0.9 * (most - least) <= np.ptp(values), name


def test_the_interval_of_a_standard_error_is_that_of_all_pairs_of_digits() -> None:
    """It is printed beside the standard error, and read as what the paper allows."""
    (slope,) = read_slopes(published(printed("-0.12", "0.3", n=9)))
    t = stats.t.isf(np.array([0.25, 0.35]) / 2, 7)
    assert [0.115 / t[0], 0.125 / t[1]] == pytest.approx(slope.ses, rel=1e-12)
    (interval,) = read_slopes(
        published(
            {"estimate": read_printed("-0.3"), "ci_low": read_printed("-0.5"), "ci_high": read_printed("-0.1"), "n": 9}
        )
    )
    wide = 2 * stats.t.isf(0.025, 7)
    assert [0.3 / wide, 0.5 / wide] == pytest.approx(interval.ses, rel=1e-12)


@pytest.mark.parametrize("others", [0.0, 1.01])
def test_a_printed_standard_error_is_carried_with_its_own_digits(others: float) -> None:
    """Its digits and those of the estimate are open independently of each other."""
    row = printed("0.31", "0.5", n=9) | {"p": None, "se": printed("0.2", "0.1")["estimate"]}
    (slope,) = read_slopes(published(row))
    assert (0.15, 0.25) == slope.ses
    other = np.array([others * slope.scale])
    ranges = digit_ranges([slope], other, 0.5, 0.95)
    rng = np.random.default_rng(8)
    b, se = rng.uniform(0.305, 0.315, 300), rng.uniform(0.15, 0.25, 300)
    b[:60], se[:60] = np.repeat((0.305, 0.315), 30), np.tile((0.15, 0.25), 30)
    found = posterior(b, se, np.full(300, 7.0), 0.5 * np.maximum(np.hypot(b, np.sqrt(7) * se), other))[0].mean()
    slack = 0.01 * np.ptp(found)
    assert [found.min(), found.max()] == pytest.approx(
        [ranges["estimate_least"][0], ranges["estimate_most"][0]], abs=slack
    )


def test_another_groups_scale_holds_where_the_slopes_own_falls_below_it() -> None:
    """The widest group's digits may leave it narrower than the next: the prior is then the other's."""
    slopes = read_slopes(published(printed("0.3", "0.02", n=9), printed("0.1", "0.40", n=20, group="B")))
    one, two = (slope.scale for slope in slopes)
    assert [two, one] == scales_of_others(slopes)


def test_the_loss_from_printed_digits_falls_tenfold_with_each() -> None:
    """With the digits that papers print, the range is small beside what the slope itself leaves open; said so."""
    rng = np.random.default_rng(5)
    lost = {}
    for digits in (1, 2, 3, 4):
        shares = []
        for _ in range(25):
            x, y = rng.poisson(2, 20).astype(float), rng.normal(size=20)
            fit = stats.linregress(x, y - 0.3 * x)
            text = [f"{value:.{digits - 1}e}" for value in (fit.slope, fit.pvalue)]
            slopes = read_slopes(published(printed(*text, n=20)))
            if slopes[0].refused:
                continue
            ranges = digit_ranges(slopes, np.zeros(1), 0.5, 0.95)
            exact, _ = posterior(
                *(np.array([v]) for v in (fit.slope, fit.stderr, 18.0, 0.5 * y_over_x(x, y - 0.3 * x)))
            )
            assert ranges["estimate_least"][0] <= exact.mean()[0, 0] <= ranges["estimate_most"][0]
            shares.append((ranges["estimate_most"][0] - ranges["estimate_least"][0]) / exact.sd()[0, 0])
        lost[digits] = np.median(shares)
    assert lost[2] < 0.2
    for digits in (2, 3, 4):
        assert 0.05 < lost[digits] / lost[digits - 1] < 0.2


def y_over_x(x: np.ndarray, y: np.ndarray) -> float:
    return float(y.std() / x.std())


@pytest.mark.parametrize(
    ("estimate", "p", "low", "high"),
    [
        ("0.00", "0.04", 0.0, None),
        ("-0.12", "0.000", 0.0, None),
        ("-0.12", "1.00", None, np.inf),
        ("0.00", "1.00", 0.0, np.inf),
        ("-0.1", "<0.001", 0.0, None),
        ("-0.1", ">0.05", None, np.inf),
    ],
)
def test_open_standard_errors_are_shown_and_give_no_posterior(
    estimate: str, p: str, low: float | None, high: float | None
) -> None:
    """p = 0.000 may be 0.0004 or 10 to the minus 9: a posterior from its middle would be made up."""
    table = reanalyse(published(printed(estimate, p, n=29)))
    assert 1 == len(table)
    row = table.iloc[0]
    assert "no posterior" in row["status"]
    assert low is None or low == row["se_low"]
    assert high is None or high == row["se_high"]
    assert np.isnan(row["estimate"])
