"""Posteriors of single published slopes, held against raw data, closed forms and brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from published_rows import about_zero, line, moments, printed, published
from scipy import integrate, stats
from scipy.special import logsumexp

from atrobayes.data_prep.printed import Printed, exactly, read_printed
from atrobayes.data_prep.published_tables import PublishedSummary, read_published
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.inference.reanalysis.columns import COLUMNS
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse
from atrobayes.inference.reanalysis.structures import nested_free
from atrobayes.inference.reanalysis.tipping import tip
from atrobayes.models.published import read_slopes, shared_scales


def log_likelihood_of_data(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Of slopes, from the rows: a flat intercept gives sigma to the power 1 - n, density 1/sigma is integrated."""
    left = y[:, None] - x[:, None] * beta
    rss = ((left - left.mean(axis=0)) ** 2).sum(axis=0)
    log_sigma = np.arange(-15, 8 + 45 / (len(y) - 1), 0.05)[:, None] + np.log(y.std())
    return np.asarray(logsumexp(-(len(y) - 1) * log_sigma - rss / (2 * np.exp(2 * log_sigma)), axis=0))


def in_full(value: float) -> Printed:
    """With every digit that the computer has."""
    return read_printed(repr(float(value)))


@pytest.mark.parametrize("n", [3, 4, 5, 7, 9, 16, 29, 40])
def test_estimate_p_and_n_say_all_that_the_data_say(n: int) -> None:
    """Otherwise a reanalysis of a table would answer another question than one of the patients."""
    rng = np.random.default_rng(20_270 + n)
    x = rng.gamma(2, 1, n)
    y = 0.3 * x + rng.normal(size=n)
    found = stats.linregress(x, y)
    row = {"estimate": in_full(found.slope), "p": in_full(found.pvalue), "n": n, "model": "ordinary"}
    table = reanalyse(published(row), Asked(rungs=(0.05, 0.25, 0.5, 2.5))).set_index("prior_s")
    for s, got in table.iterrows():
        prior_sd = s * y.std() / x.std()
        beta, weight = about_zero(12 * prior_sd, 40)
        logs = log_likelihood_of_data(x, y, beta) - 0.5 * (beta / prior_sd) ** 2
        expected = moments(beta, weight * np.exp(logs - logs.max()))
        assert expected["mean"] == pytest.approx(got["estimate"], rel=1e-10, abs=1e-10 * expected["sd"])
        assert expected["sd"] == pytest.approx(got["sd"], rel=1e-10)
        assert max(expected["above"], 1 - expected["above"]) == pytest.approx(got["pd"], abs=1e-10)
    assert found.stderr == pytest.approx(got["se"], rel=1e-10)


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
    beta, weight = about_zero(14 * s, 200)
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


@pytest.mark.parametrize(
    ("df", "se", "s"),
    [(57.0, 0.001, 0.01), (50.0, 1e-4, 0.02), (200.0, 0.02, 0.05), (7.0, 0.01, 0.01), (1.0, 1e-6, 0.01)],
)
def test_an_estimate_far_beyond_its_prior_is_integrated_where_the_mass_is(df: float, se: float, s: float) -> None:
    """With many degrees of freedom the mass lies where one that agrees with its prior has none."""
    mixture, _ = posterior(*(np.array([v]) for v in (1.0, se, df, s)))

    def log_density(beta: float) -> float:
        return float(-(df + 1) / 2 * np.log1p(((beta - 1) / se) ** 2 / df) - beta**2 / (2 * s**2))

    edges = np.unique([k * s for k in (*range(-12, 13, 2), 30)] + [1 + k * se for k in (-60, -9, -3, 0, 3, 9, 60)])
    top = max(log_density(beta) for beta in np.append(edges, np.linspace(0, 1, 2001)))

    def integral(power: int) -> float:
        pieces = pairwise(edges)
        values = (
            integrate.quad(lambda b: b**power * np.exp(log_density(b) - top), *ends, epsrel=1e-13) for ends in pieces
        )
        return sum(value for value, _ in values)

    assert integral(1) / integral(0) == pytest.approx(mixture.mean()[0, 0], rel=1e-10)


def test_the_bayes_factor_is_the_ratio_of_two_evidences() -> None:
    """Of a slope free to differ from 0 over one of 0: what Savage and Dickey's ratio at 0 has to be."""
    b, se, df, s = 0.3, 0.1, 7.0, 0.25
    table = reanalyse(published(printed("0.3", "0.02", n=9)), Asked(rungs=(s,)))
    row = table.iloc[0]
    b, se, df = row["published"], row["se"], row["df"]
    beta, weight = about_zero(14 * row["prior_sd"], 200)
    free = (stats.t.pdf((beta - b) / se, df) * stats.norm.pdf(beta, 0, row["prior_sd"])) @ weight
    assert np.log(free / stats.t.pdf(b / se, df)) == pytest.approx(row["log_bf10"], abs=1e-10)


def test_a_slope_of_the_paper_worked_out_by_hand() -> None:
    """Every column of the row that a reader looks at first, from three printed numbers and nothing of ours."""
    b, p, n, s = -0.02001, 0.09193, 9, 0.5  # Table 3: thalamus, CLAD
    t = stats.t.isf(p / 2, n - 2)
    se = abs(b) / t
    # ALEM: -0.00267, p = 0.62083, 7 patients
    other = 0.00267 / stats.t.isf(0.62083 / 2, 5) * np.hypot(np.sqrt(5), stats.t.isf(0.62083 / 2, 5))
    scale = max(se * np.sqrt(n - 2 + t**2), other)
    beta, weight = about_zero(12 * s * scale, 60)
    density = stats.t.pdf((beta - b) / se, n - 2) * stats.norm.pdf(beta, 0, s * scale)
    expected = moments(beta, weight * density)
    mass = weight * density / (weight @ density)
    theta, critical = beta / se, stats.t.isf(0.025, n - 2)
    up, down = stats.t.sf(critical - theta, n - 2), stats.t.cdf(-critical - theta, n - 2)
    table = reanalyse(read_published(), Asked(rungs=(s,), error_correlations=()))
    ((_, row),) = table[(table["row"] == 39) & (table["together"] == "alone")].iterrows()
    assert (b, p, n) == (row["published"], row["p"], row["n"])
    assert scale == pytest.approx(row["scale"], rel=1e-12)
    assert expected["mean"] == pytest.approx(row["estimate"], rel=1e-10)
    assert expected["sd"] == pytest.approx(row["sd"], rel=1e-10)
    assert 1 - expected["above"] == pytest.approx(row["pd"], abs=1e-10)
    assert (b - expected["mean"]) / se == pytest.approx(row["pull"], rel=1e-9)
    assert 1 - expected["mean"] / b == pytest.approx(row["shrinkage"], rel=1e-9)
    assert mass @ (up + down) == pytest.approx(row["p_sig_rep"], rel=1e-6)
    assert mass @ np.where(beta > 0, down, up) / (mass @ (up + down)) == pytest.approx(row["type_s"], rel=1e-6)
    inner, hdi_weight = line(row["hdi_low"], row["hdi_high"], 60)
    held = hdi_weight @ (stats.t.pdf((inner - b) / se, n - 2) * stats.norm.pdf(inner, 0, s * scale))
    assert 0.95 == pytest.approx(held / (weight @ density), abs=1e-9)
    for level, end in ((0.025, row["ci_low"]), (0.975, row["ci_high"])):
        parts = [line(-12 * s * scale, end, 60), line(end, 12 * s * scale, 60)]
        below, above = (w @ (stats.t.pdf((x - b) / se, n - 2) * stats.norm.pdf(x, 0, s * scale)) for x, w in parts)
        assert level == pytest.approx(below / (below + above), abs=1e-9)


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
        beta, weight = about_zero(12 * s, 40)
        likelihood = (
            stats.t.pdf((beta - b[k]) / se[k], df[k]) if np.isfinite(df[k]) else stats.norm.pdf((beta - b[k]) / se[k])
        )
        above = moments(beta, weight * likelihood * stats.norm.pdf(beta, 0, s))["above"]
        assert max(above, 1 - above) == pytest.approx(0.95, abs=1e-9)


def test_of_two_tipping_priors_the_one_nearer_to_the_usual_is_named() -> None:
    """Tails of few degrees of freedom make a sign surest under a prior that is neither narrow nor wide."""
    t = stats.t.isf(0.105 / 2, 1)
    found = tip(*(np.array([v]) for v in (1.0, 1 / t, 1.0, np.hypot(1, 1 / t))))
    assert found.prior_s[0] == pytest.approx(0.89, abs=0.01)
    assert ["narrower"] == list(found.reason)
    wide = np.array([100.0 * np.hypot(1, 1 / t)])
    mixture, _ = posterior(np.array([1.0]), np.array([1 / t]), np.array([1.0]), wide)
    assert 1 - mixture.cdf(np.zeros((1, 1)))[0, 0] < 0.95


def test_groups_share_the_wider_scale_and_everybody_has_their_own() -> None:
    """Groups with different priors would differ because of these."""
    rows = [
        printed("0.3", "0.02", n=9),
        printed("0.1", "0.40", n=20, group="B"),
        printed("0.2", "0.01", n=29, group="ALL"),
    ]
    slopes = read_slopes(published(*rows))
    own = [slope.scale for slope in slopes]
    assert [max(own[:2])] * 2 + [own[2]] == shared_scales(slopes)
    assert own[0] != own[1]


def test_degrees_of_freedom_of_mixed_models_are_patients_less_groups() -> None:
    """Rows are no patients; what the table states comes before that; without either only the normal is shown."""
    row = printed("0.3", "0.02", n=59) | {"model": "mixed"}
    both = published(row, row | {"group": "B", "n": 36})
    assert [13.0, np.inf] * 2 == [slope.df for slope in read_slopes(both, patients=15)]
    assert [np.inf] * 2 == [slope.df for slope in read_slopes(both)]
    named = [
        PublishedSummary(k, "T", "age", g, n, "mean", None, None, None)
        for k, (g, n) in enumerate((("A", 9), ("A", 8), ("B", 7)))
    ]
    with_sizes = type(both)(both.name, both.estimates, tuple(named))
    assert [14.0, np.inf] * 2 == [slope.df for slope in read_slopes(with_sizes)]
    assert [40.5, np.inf] == [slope.df for slope in read_slopes(published(row | {"df": 40.5}), patients=15)]


@pytest.fixture(scope="module")
def paper() -> pd.DataFrame:
    return reanalyse(read_published(), Asked(rungs=(0.25, 0.5, 2.5), error_correlations=(0.0, 0.9)))


def test_composites_of_the_paper_stay_alone_where_their_parts_are(paper: pd.DataFrame) -> None:
    """Deep grey matter holds the thalamus that it would be shrunk with."""
    for source, own in paper.groupby("source"):
        alone = set(own.loc[own["together"] == "alone", "structure"])
        together = set(own.loc[own["together"] == "structures", "structure"]) - {"common"}
        assert together in (set(), set(nested_free(sorted(alone)))), source
    table3 = paper[paper["source"] == "Table 3"].groupby("together")["structure"].agg(set)
    assert {"whole_brain", "total_gm", "dgm", "cerebellum"} == table3["alone"] - table3["structures"]
    assert {"common", "thalamus", "lateral_ventricle"} <= table3["structures"]


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
