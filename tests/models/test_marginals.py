"""Marginals: mixtures against closed forms and draws, both through one protocol."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from atrobayes.models.marginals import Draws, Mixture
from atrobayes.models.newton import solve_increasing


def normal(mean: float = 0.4, sd: float = 1.5) -> Mixture:
    return Mixture(("a",), ("t",), np.ones((1, 1)), np.full((1, 1, 1), mean), np.full((1, 1, 1), sd))


def skewed() -> Mixture:
    weight = np.array([[0.7, 0.3, 0.0]])
    return Mixture(("a",), ("t",), weight, np.array([[[0.0, 2.0, 99.0]]]), np.array([[[1.0, 3.0, 1.0]]]))


def test_one_component_is_the_normal_distribution() -> None:
    """Means, intervals and probabilities would not be those of the posterior."""
    exact, ours = stats.norm(0.4, 1.5), normal()
    assert np.isclose(exact.mean(), ours.mean()[0, 0])
    assert np.isclose(exact.std(), ours.sd()[0, 0])
    for q in (1e-10, 0.025, 0.5, 0.8, 1 - 1e-9):
        assert np.isclose(exact.ppf(q), ours.quantile(q)[0, 0], atol=1e-6)
    assert np.isclose(exact.cdf(0.1), ours.cdf(np.array([[0.1]]))[0, 0])
    assert np.isclose(exact.logpdf(40.0), ours.log_pdf(np.array([[40.0]]))[0, 0])


def test_mixture_moments_and_quantiles_agree_with_numeric_integration() -> None:
    """A skewed posterior would get the summary of a symmetric one."""
    x = np.linspace(-20, 30, 400_001)
    density = 0.7 * stats.norm.pdf(x) + 0.3 * stats.norm.pdf(x, 2, 3)
    mean = np.trapezoid(x * density, x)
    assert np.isclose(mean, skewed().mean()[0, 0])
    assert np.isclose(np.sqrt(np.trapezoid((x - mean) ** 2 * density, x)), skewed().sd()[0, 0])
    cdf = np.cumsum(density) * (x[1] - x[0])
    assert np.isclose(np.interp(0.975, cdf, x), skewed().quantile(0.975)[0, 0], atol=1e-3)


def test_highest_density_interval_is_the_shortest_that_holds_its_probability() -> None:
    """The interval's name would promise what it is not."""
    mixture = skewed()
    low, high = (end[0, 0] for end in mixture.hdi(0.95))
    inside = mixture.cdf(np.array([[high]])) - mixture.cdf(np.array([[low]]))
    assert np.isclose(0.95, inside[0, 0], atol=1e-9)
    ends = [mixture.log_pdf(np.array([[end]]))[0, 0] for end in (low, high)]
    assert np.isclose(*ends, atol=1e-6)
    widths = [(mixture.quantile(p + 0.95) - mixture.quantile(p))[0, 0] for p in np.linspace(0.0005, 0.0495, 99)]
    assert high - low <= min(widths) + 1e-9
    assert high - low < mixture.quantile(0.975)[0, 0] - mixture.quantile(0.025)[0, 0]


def test_highest_density_interval_of_a_symmetric_posterior_is_the_equal_tailed_one() -> None:
    """Two intervals that must coincide would not."""
    low, high = normal().hdi(0.9)
    assert np.isclose(normal().quantile(0.05), low)
    assert np.isclose(normal().quantile(0.95), high)


def heavy() -> Mixture:
    """Student's t with three degrees of freedom, as a scale mixture."""
    precision = stats.chi2.ppf((np.arange(400) + 0.5) / 400, 3) / 3
    return Mixture(
        ("a",), ("t",), np.full((1, 400), 1 / 400), np.full((1, 1, 400), 0.3), 1 / np.sqrt(precision)[None, None]
    )


@pytest.mark.parametrize("mixture", [normal(), skewed(), heavy(), normal(50.0, 1.0), normal(-0.01, 1e-3)], ids=str)
def test_rule_integrates_functions_with_a_kink_at_zero(mixture: Mixture) -> None:
    """Expected sizes and error rates come from this rule."""
    points, weights = mixture.rule()
    assert np.isclose(1, weights.sum(), atol=1e-8)
    assert np.isclose(mixture.mean(), (points * weights).sum(axis=-1), rtol=1e-7)
    folded = sum(
        w * stats.foldnorm.mean(abs(m) / s, scale=s)
        for w, m, s in zip(mixture.weight[0], mixture.loc[0, 0], mixture.scale[0, 0], strict=True)
    )
    assert np.isclose(folded, (np.abs(points) * weights).sum(), rtol=1e-7)
    assert np.isclose(1 - mixture.cdf(np.zeros((1, 1)))[0, 0], ((points > 0) * weights).sum(), atol=1e-8)


def test_a_shape_the_rule_cannot_integrate_is_missing_not_wrong() -> None:
    """Error rates would be printed that lack half of the posterior."""
    weight = np.array([[0.999, 0.001]])
    spiked = Mixture(("a",), ("t",), weight, np.zeros((1, 1, 2)), np.array([[[1.0, 200.0]]]))
    assert np.isnan(spiked.rule()[1]).all()


def test_dropping_empty_components_changes_nothing() -> None:
    """A smaller file would hold another posterior."""
    small = skewed().compact()
    assert 2 == small.weight.shape[1]
    for q in (0.001, 0.3, 0.975):
        assert np.isclose(skewed().quantile(q), small.quantile(q), rtol=1e-12)


def test_mixtures_set_one_after_the_other_are_each_as_before() -> None:
    """An outcome on a coarser rule than the others would get another posterior beside them."""
    both = Mixture.join([normal(), skewed()])
    assert np.isfinite(both.scale).all()
    assert (both.scale > 0).all()
    for k, alone in enumerate((normal(), skewed())):
        for one in (both, both.take(np.array([1, 0]))):
            o = k if one is both else 1 - k
            assert np.isclose(alone.mean(), one.mean()[o], rtol=1e-14)
            assert np.isclose(alone.sd(), one.sd()[o], rtol=1e-14)
            assert np.isclose(alone.quantile(0.975), one.quantile(0.975)[o], rtol=1e-9)
            assert np.isclose(alone.log_pdf(np.zeros((1, 1))), one.log_pdf(np.zeros((2, 1)))[o], rtol=1e-12)


def test_quantile_and_distribution_function_are_each_others_inverse() -> None:
    """Newton would stop short of the quantile."""
    for mixture in (normal(), skewed(), heavy()):
        for q in (1e-4, 0.025, 0.3, 0.975):
            assert np.isclose(q, mixture.cdf(mixture.quantile(q))[0, 0], rtol=1e-9)


def test_draws_and_the_mixture_they_come_from_agree() -> None:
    """The same posterior would be reported differently by engine."""
    mixture, rng = skewed(), np.random.default_rng(1)
    component = rng.choice(3, size=(4, 25_000), p=mixture.weight[0])
    values = rng.normal(mixture.loc[0, 0][component], mixture.scale[0, 0][component])[:, :, None, None]
    draws = Draws(("a",), ("t",), values)
    # 100,000 draws: standard errors of mean and quantiles are below 0.02
    assert np.isclose(mixture.mean(), draws.mean(), atol=0.06)
    assert np.isclose(mixture.sd(), draws.sd(), atol=0.06)
    for q in (0.025, 0.5, 0.975):
        assert np.isclose(mixture.quantile(q), draws.quantile(q), atol=0.12)
    for ours, theirs in zip(mixture.hdi(0.9), draws.hdi(0.9), strict=True):
        assert np.isclose(ours, theirs, atol=0.25)
    zero = np.zeros((1, 1))
    assert np.isclose(mixture.log_pdf(zero), draws.log_pdf(zero), atol=0.05)
    points, weights = draws.rule()
    assert np.isclose(draws.mean(), (points * weights).sum())


def test_draws_say_nothing_of_a_density_far_from_them() -> None:
    """A Bayes factor would be made of a kernel density's tail."""
    values = np.random.default_rng(2).normal(5.0, 1.0, size=(2, 500, 1, 1))
    assert np.isnan(Draws(("a",), ("t",), values).log_pdf(np.zeros((1, 1)))[0, 0])


def test_solver_finds_roots_where_newton_alone_would_leave() -> None:
    """Quantiles in flat tails would be lost."""
    found = solve_increasing(
        lambda x: (np.arctan(x - 3.0), 1 / (1 + (x - 3.0) ** 2)),
        np.array([900.0]),
        np.array([-1000.0]),
        np.array([1000.0]),
        1e-12,
    )
    assert np.isclose(3.0, found[0])
