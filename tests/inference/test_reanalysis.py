"""Posteriors of published slopes, held against raw data, closed forms and brute force."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp

from atrobayes.data_prep.printed import exactly, read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate, read_published
from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.inference.reanalysis.columns import COLUMNS
from atrobayes.inference.reanalysis.digits import digit_ranges
from atrobayes.inference.reanalysis.groups import pool_groups
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse
from atrobayes.inference.reanalysis.structures import nested_free, pool
from atrobayes.inference.reanalysis.tipping import tip
from atrobayes.models.published import read_slopes, shared_scales, standard_error

Numbers = dict[str, float]


def line(low: float, high: float, panels: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre panels: points and weights."""
    x, w = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (x + 1)).ravel(), (half * w).ravel()


def moments(beta: np.ndarray, mass: np.ndarray) -> Numbers:
    mass = mass / mass.sum()
    mean = float(beta @ mass)
    return {"mean": mean, "sd": float(np.sqrt((beta - mean) ** 2 @ mass)), "above": float(mass[beta > 0].sum())}


def of_data(x: np.ndarray, y: np.ndarray, prior_sd: float) -> Numbers:
    """From the rows themselves: intercept flat, sigma with density 1/sigma, both integrated out by numbers."""
    parts = [line(-12 * prior_sd, 0), line(0, 12 * prior_sd)]
    beta, weight = (np.concatenate(both) for both in zip(*parts, strict=True))
    left = y[:, None] - x[:, None] * beta
    left = left - left.mean(axis=0)  # the best intercept; a flat one leaves sigma to the power -(n - 1)
    rss = (left**2).sum(axis=0)
    log_sigma = np.linspace(-6, 9, 700)[:, None] + np.log(y.std())
    likelihood = logsumexp(-(len(y) - 1) * log_sigma - rss / (2 * np.exp(2 * log_sigma)), axis=0)
    return moments(beta, weight * np.exp(likelihood - likelihood.max() - 0.5 * (beta / prior_sd) ** 2))


def published(*rows: dict[str, object]) -> Published:
    usual = {"source": "Table 1", "analysis": "a", "structure": "thalamus", "term": "slope", "group": "A"}
    cells = [usual | row for row in rows]
    return Published("made up", tuple(PublishedEstimate(row=k + 2, **cell) for k, cell in enumerate(cells)))  # type: ignore[arg-type]


def printed(estimate: str, p: str, **other: object) -> dict[str, object]:
    return {"estimate": read_printed(estimate), "p": read_printed(p), "model": "ordinary"} | other


@pytest.mark.parametrize("n", [4, 7, 9, 59])
@pytest.mark.parametrize("prior_sd", [0.1, 0.5, 2.5])
def test_estimate_p_and_n_say_all_that_the_data_say(n: int, prior_sd: float) -> None:
    """Otherwise a reanalysis of a table would answer another question than one of the patients."""
    rng = np.random.default_rng(20_270 + n)
    x = rng.poisson(2, n).astype(float)
    y = 0.4 * x + rng.normal(size=n)
    found = stats.linregress(x, y)
    se = float(standard_error(found.slope, found.pvalue, n - 2))
    mixture, _ = posterior(*(np.array([v]) for v in (found.slope, se, n - 2.0, prior_sd)))
    expected = of_data(x, y, prior_sd)
    assert expected["mean"] == pytest.approx(mixture.mean()[0, 0], rel=1e-10, abs=1e-12)
    assert expected["sd"] == pytest.approx(mixture.sd()[0, 0], rel=1e-10)
    assert expected["above"] == pytest.approx(1 - mixture.cdf(np.zeros((1, 1)))[0, 0], abs=1e-10)
    assert se == pytest.approx(found.stderr, rel=1e-10)


def test_the_scale_of_an_ordinary_regression_is_that_of_its_rows() -> None:
    """The standardised prior would mean another thing than in the study's own models."""
    rng = np.random.default_rng(3)
    x, y = rng.poisson(2, 9).astype(float), rng.normal(size=9)
    found = stats.linregress(x, y)
    (slope,) = read_slopes(
        published({"n": 9, "model": "ordinary", "estimate": exactly(found.slope), "p": exactly(found.pvalue)})
    )
    assert y.std() / x.std() == pytest.approx(slope.scale, rel=1e-6)


def test_a_normal_likelihood_gives_the_closed_form() -> None:
    """Precision-weighted mean: the oldest result there is."""
    b, se, s, m = 0.3, 0.2, 0.5, -0.1
    mixture, log_evidence = posterior(*(np.array([v]) for v in (b, se, np.inf, s)), np.array([m]))
    total = se**-2 + s**-2
    assert (b / se**2 + m / s**2) / total == pytest.approx(mixture.mean()[0, 0], rel=1e-14)
    assert total**-0.5 == pytest.approx(mixture.sd()[0, 0], rel=1e-14)
    assert stats.norm.logpdf(b, m, np.hypot(s, se)) == pytest.approx(log_evidence[0], rel=1e-14)


@pytest.mark.parametrize(("df", "b", "s"), [(1.0, 0.3, 0.5), (5.0, -2.0, 0.25), (5000.0, 0.3, 0.5), (3.0, 10.0, 0.3)])
def test_a_t_likelihood_agrees_with_an_integral_over_the_slope(df: float, b: float, s: float) -> None:
    """Few degrees of freedom and an estimate far from the prior are where a rule over precisions could fail."""
    beta, weight = line(-14 * s, 0, 200)
    beta, weight = np.append(beta, -beta), np.append(weight, weight)
    density = stats.t.pdf((beta - b) / 0.2, df) / 0.2 * stats.norm.pdf(beta, 0, s)
    mixture, log_evidence = posterior(*(np.array([v]) for v in (b, 0.2, df, s)))
    expected = moments(beta, density * weight)
    assert np.log(density @ weight) == pytest.approx(log_evidence[0], abs=1e-11)
    assert expected["mean"] == pytest.approx(mixture.mean()[0, 0], rel=1e-11)
    assert expected["sd"] == pytest.approx(mixture.sd()[0, 0], rel=1e-10)


def test_a_flat_prior_gives_the_confidence_interval() -> None:
    """Without a prior nothing may be shrunk."""
    mixture, _ = posterior(*(np.array([v]) for v in (-0.3, 0.1, 7.0, np.inf)))
    expected = -0.3 + 0.1 * stats.t.ppf([0.025, 0.975], 7)
    assert expected == pytest.approx([mixture.quantile(q)[0, 0] for q in (0.025, 0.975)], rel=1e-9)


ESTIMATES = np.array([-0.6, -0.2, 0.1, -0.4])
ERRORS = np.array([0.25, 0.1, 0.2, 0.3])


def pooled_by_force(df: float, s: float, correlation: float) -> np.ndarray:
    """Means of the common slope and of the structures: all matrices written out, both SDs by plain rules."""
    count = len(ERRORS)
    errors = ERRORS[:, None] * (correlation + (1 - correlation) * np.eye(count)) * ERRORS
    tau, tau_weight = line(0, 8 * s, 12)
    u = np.linspace(-14, 4, 500) if np.isfinite(df) else np.zeros(1)
    log_lam = df / 2 * (u - np.exp(u)) if np.isfinite(df) else np.zeros(1)
    logs, means = [], []
    for t, w in zip(tau, tau_weight, strict=True):
        prior = s**2 + t**2 * np.eye(count)
        total = prior + errors / np.exp(u)[:, None, None]
        white = np.linalg.solve(total, np.broadcast_to(ESTIMATES[:, None], (len(u), count, 1)))[..., 0]
        ahead = np.log(w) - 0.5 * (t / s) ** 2 + log_lam
        logs.append(ahead - 0.5 * (np.linalg.slogdet(total)[1] + white @ ESTIMATES))
        means.append(np.column_stack([s**2 * white.sum(axis=1), white @ prior]))
    mass = np.exp(np.concatenate(logs) - np.max(logs))
    return np.asarray(mass @ np.concatenate(means) / mass.sum())


@pytest.mark.parametrize("df", [7.0, np.inf])
@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_structures_shrunk_together_agree_with_matrices_written_out(df: float, correlation: float) -> None:
    """The rotated formulas would pass every test of their own while pooling towards something else."""
    found = pool("abcd", ESTIMATES, ERRORS, df, 0.5, correlation)
    assert pooled_by_force(df, 0.5, correlation) == pytest.approx(found.mixture.mean()[0], rel=1e-8)


def test_shrinking_together_is_fine_enough() -> None:
    """A rule four times as fine may change nothing that is reported."""
    coarse, fine = (pool("abcd", ESTIMATES, ERRORS, 7.0, 0.5, 0.9, count) for count in (2, 8))
    assert fine.mixture.mean() == pytest.approx(coarse.mixture.mean(), rel=1e-8)
    assert fine.mixture.sd() == pytest.approx(coarse.mixture.sd(), rel=1e-8)
    assert (fine.between_mean, fine.between_low, fine.between_high) == pytest.approx(
        (coarse.between_mean, coarse.between_low, coarse.between_high), rel=1e-4
    )


def test_equal_estimates_are_shrunk_more_together_than_different_ones() -> None:
    """The SD between structures would not be learned."""
    equal = pool("abcd", np.full(4, -0.3), np.full(4, 0.1), np.inf, 0.5, 0.0)
    apart = pool("abcd", np.array([-0.9, 0.3, -0.6, 0.0]), np.full(4, 0.1), np.inf, 0.5, 0.0)
    assert equal.mixture.sd()[0, 1] < 0.8 * apart.mixture.sd()[0, 1]
    assert equal.between_high < apart.between_mean


def grid_of_groups(log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray], s: float) -> np.ndarray:
    """Means and SDs of both slopes and their difference, on a fine grid."""
    one, two = np.meshgrid(np.linspace(-5 * s, 5 * s, 1201), np.linspace(-5 * s, 5 * s, 1201), indexing="ij")
    prior = stats.multivariate_normal.logpdf(np.stack([one, two], -1), [0, 0], s**2 * np.array([[1, 0.5], [0.5, 1]]))
    logs = log_likelihood(one, two) + prior
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    values = [one, two, one - two]
    means = [(mass * v).sum() for v in values]
    return np.array([means, [np.sqrt((mass * (v - m) ** 2).sum()) for v, m in zip(values, means, strict=True)]])


def test_groups_of_separate_regressions_agree_with_a_grid() -> None:
    """The interaction is what the paper is about."""
    found = pool_groups("AB", np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 5.0]), 0.5, shared=False)
    expected = grid_of_groups(
        lambda a, b: stats.t.logpdf((a + 0.3) / 0.15, 7) + stats.t.logpdf((b - 0.1) / 0.2, 5),
        0.5,
    )
    assert expected == pytest.approx(np.array([found.mean()[0], found.sd()[0]]), rel=1e-5)
    assert ("A", "B", "A-B") == found.terms


def test_groups_of_one_model_share_its_error() -> None:
    """One variance estimate serves both slopes of a mixed model: their likelihood is one bivariate t."""
    found = pool_groups("AB", np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 7.0]), 0.5, shared=True)

    def bivariate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(-4.5 * np.log1p((((a + 0.3) / 0.15) ** 2 + ((b - 0.1) / 0.2) ** 2) / 7))

    assert grid_of_groups(bivariate, 0.5) == pytest.approx(np.array([found.mean()[0], found.sd()[0]]), rel=1e-5)


def test_the_order_of_groups_is_no_statement() -> None:
    """A first group that were the reference would get another prior than the rest."""
    b, se, df = np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 5.0])
    one = pool_groups("AB", b, se, df, 0.5, shared=False)
    other = pool_groups("BA", b[::-1], se[::-1], df[::-1], 0.5, shared=False)
    assert one.mean()[0, :2] == pytest.approx(other.mean()[0, 1::-1], rel=1e-12)
    assert one.mean()[0, 2] == pytest.approx(-other.mean()[0, 2], rel=1e-12)


def test_no_pooled_structure_contains_another() -> None:
    """A composite pooled with its parts would count the same tissue twice."""
    found = nested_free([*CATALOGUE, "a_structure_of_their_own"])
    assert len(found) > 5
    assert not [(a, b) for a in found for b in found if b in CATALOGUE[a].contains]
    assert ("cerebellum",) == nested_free(["cerebellum", "whole_brain"])
    assert ("cerebellar_cortex",) == nested_free(["cerebellum", "cerebellar_cortex", "their_own"])


def test_every_number_that_the_digits_allow_lies_within_their_range() -> None:
    """A reader would take a range for the worst case that is none."""
    slopes = read_slopes(published(printed("-0.004", "0.02", n=29), printed("-0.12", "0.3", n=9, group="B")))
    scales = np.array(shared_scales(slopes))
    ranges = digit_ranges(slopes, scales, 0.5, 0.95)
    rng = np.random.default_rng(8)
    for k, slope in enumerate(slopes):
        b = rng.uniform(*slope.estimates, 400)
        se = standard_error(b, rng.uniform(*slope.ps, 400), slope.df)
        scale = np.sqrt(b**2 + slope.residual_df * se**2)
        scale = scale if np.isclose(scales[k], slope.scale) else np.maximum(scale, scales[k])
        mixture, _ = posterior(b, se, np.full(400, slope.df), 0.5 * scale)
        above = 1 - mixture.cdf(np.zeros((400, 1)))[:, 0]
        for name, values in {
            "estimate": mixture.mean()[:, 0],
            "ci_low": mixture.quantile(0.025)[:, 0],
            "ci_high": mixture.quantile(0.975)[:, 0],
            "pd": np.maximum(above, 1 - above),
        }.items():
            least, most = ranges[f"{name}_least"][k], ranges[f"{name}_most"][k]
            slack = 0.01 * (most - least)
            assert least - slack <= values.min(), name
            assert values.max() <= most + slack, name
            assert 0.5 * (most - least) <= np.ptp(values), name


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
            scales = np.array(shared_scales(slopes))
            ranges = digit_ranges(slopes, scales, 0.5, 0.95)
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
    [("0.00", "0.04", 0.0, None), ("-0.12", "0.000", 0.0, None), ("-0.12", "1.00", None, np.inf), ("-0.1", "<0.001", 0.0, None)],
)  # fmt: skip
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


def test_the_tipping_prior_is_where_the_sign_is_95_percent_sure() -> None:
    """Prior widths on both sides of it must answer differently."""
    b, se, df, scale = (
        np.array(v) for v in ([-0.3, -0.05, 0.3], [0.1, 0.1, 0.1], [12.0, 12.0, np.inf], [1.0, 1.0, 2.0])
    )
    found = tip(b, se, df, scale)
    assert ["narrower", "below", "narrower"] == list(found.reason)
    assert np.isnan(found.prior_s[1])
    for k in (0, 2):
        s = found.prior_s[k] * scale[k]
        beta, weight = line(-12 * s, 0, 40)
        beta, weight = np.append(beta, -beta), np.append(weight, weight)
        likelihood = (
            stats.t.pdf((beta - b[k]) / se[k], df[k]) if np.isfinite(df[k]) else stats.norm.pdf((beta - b[k]) / se[k])
        )
        above = moments(beta, weight * likelihood * stats.norm.pdf(beta, 0, s))["above"]
        assert max(above, 1 - above) == pytest.approx(0.95, abs=1e-9)


@pytest.fixture(scope="module")
def paper() -> pd.DataFrame:
    return reanalyse(read_published(), Asked(rungs=(0.25, 0.5, 2.5), error_correlations=(0.0, 0.9)))


def test_composites_of_the_paper_stay_alone(paper: pd.DataFrame) -> None:
    """Deep grey matter holds the thalamus that it would be shrunk with."""
    alone = set(paper.loc[paper["together"] == "alone", "structure"])
    together = set(paper.loc[paper["together"] == "structures", "structure"])
    assert {"whole_brain", "total_gm", "dgm"} <= alone - together
    assert {"common", "thalamus", "lateral_ventricle"} <= together


def test_mixed_models_are_shown_with_both_likelihoods(paper: pd.DataFrame) -> None:
    """Their degrees of freedom are not published: one of two answers alone would be a choice not made by anyone."""
    table2 = paper[(paper["source"] == "Table 2") & (paper["together"] == "alone") & (paper["structure"] == "thalamus")]
    assert {"t", "normal"} == set(table2["likelihood"])
    assert {50.0} == set(table2["df"].dropna())
    assert {"t"} == set(paper.loc[paper["source"] == "Table 3", "likelihood"])


def test_a_single_printed_digit_is_carried_into_the_standard_error(paper: pd.DataFrame) -> None:
    """-0.004 may be -0.0035 or -0.0045: the standard error is known to an eighth."""
    row = paper[
        (paper["source"] == "Section 3.5") & (paper["structure"] == "thalamus") & (paper["prior_s"] == 0.5)
    ].iloc[0]
    assert 0.125 == pytest.approx(row["se_high"] / row["se"] - 1, abs=0.005)
    assert row["estimate_least"] < row["estimate"] < row["estimate_most"]


def test_every_prior_shrinks_and_wider_ones_less(paper: pd.DataFrame) -> None:
    """A ladder whose rungs are mixed up would tell the opposite of what holds."""
    alone = paper[(paper["together"] == "alone") & (paper["status"] == "posterior")]
    by_prior = alone.assign(share=alone["estimate"] / alone["published"]).groupby("prior_s")["share"]
    means = by_prior.mean()
    assert by_prior.min().gt(0).all()
    assert alone.eval("abs(estimate) <= abs(published)").all()
    assert list(means) == sorted(means)


def test_structures_that_grow_with_atrophy_are_turned_before_they_are_pooled() -> None:
    """A ventricle that widens would speak against shrinking tissue, and pull it towards zero."""
    tissue = [printed("-0.30", "0.010", n=20, structure=name) for name in ("thalamus", "caudate", "putamen")]
    ventricle = printed("0.30", "0.010", n=20, structure="lateral_ventricle")
    one = [Asked(rungs=(0.5,), error_correlations=(0.3,))]
    found = reanalyse(published(*tissue, ventricle), *one).query("together == 'structures'").set_index("structure")
    assert -found.loc["thalamus", "estimate"] == pytest.approx(found.loc["lateral_ventricle", "estimate"], rel=1e-12)
    assert found.loc["common", "estimate"] < 0


def test_the_table_has_its_columns_and_the_same_bytes_twice() -> None:
    """A result that differs from run to run cannot be checked by anyone."""
    rows = published(
        *(
            printed(f"-0.{k}1", "0.04", n=20, structure=name)
            for k, name in enumerate(("thalamus", "caudate", "putamen"))
        )
    )
    one, other = (reanalyse(rows) for _ in range(2))
    assert [column.name for column in COLUMNS] == list(one.columns)
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.slow
def test_nuts_agrees_with_quadrature_on_structures_shrunk_together() -> None:
    """An unrelated algorithm on the model as it is written down."""
    import arviz as az
    import pymc as pm

    df, s, correlation = 7.0, 0.5, 0.6
    found = pool("abcd", ESTIMATES, ERRORS, df, s, correlation)
    errors = ERRORS[:, None] * (correlation + (1 - correlation) * np.eye(4)) * ERRORS
    with pm.Model():
        common = pm.Normal("common", 0, s)
        between = pm.HalfNormal("between", s)
        theta = pm.Deterministic("theta", common + between * pm.Normal("raw", 0, 1, shape=4))
        pm.MvStudentT("y", nu=df, mu=theta, scale=errors, observed=ESTIMATES)
        drawn = pm.sample(2000, tune=1000, chains=4, cores=1, target_accept=0.97, random_seed=11, progressbar=False)
    chains = drawn["posterior"].dataset[["common", "theta", "between"]]
    means = chains.mean(("chain", "draw"))
    errors_of_means = az.mcse(chains, method="mean")
    expected = found.mixture.mean()[0]
    values = np.append(means["common"], means["theta"])
    assert np.all(np.abs(values - expected) < 4 * np.append(errors_of_means["common"], errors_of_means["theta"]))
    assert abs(float(means["between"]) - found.between_mean) < 4 * float(errors_of_means["between"])
    sds = chains.std(("chain", "draw"))
    assert found.mixture.sd()[0] == pytest.approx(np.append(sds["common"], sds["theta"]), rel=0.05)
