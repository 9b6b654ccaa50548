"""Published slopes of several structures or groups shrunk together, held against brute force and NUTS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from published_rows import line, printed, published
from scipy import stats

from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.reanalysis.groups import pool_groups
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse
from atrobayes.inference.reanalysis.structures import nested_free, pool

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


def test_structures_that_grow_with_atrophy_are_turned_before_they_are_pooled() -> None:
    """A ventricle that widens would speak against shrinking tissue, and pull it towards zero."""
    tissue = [printed("-0.30", "0.010", n=20, structure=name) for name in ("thalamus", "caudate", "putamen")]
    ventricle = printed("0.30", "0.010", n=20, structure="lateral_ventricle")
    one = [Asked(rungs=(0.5,), error_correlations=(0.3,))]
    found = reanalyse(published(*tissue, ventricle), *one).query("together == 'structures'").set_index("structure")
    assert -found.loc["thalamus", "estimate"] == pytest.approx(found.loc["lateral_ventricle", "estimate"], rel=1e-12)
    assert found.loc["common", "estimate"] < 0


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
