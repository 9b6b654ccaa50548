"""Priors at their limits: least squares where they say nothing, zero or one common slope where they say all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated import frame_of, long_table

from atrobayes.inference.classical.regression import classical_regression
from atrobayes.inference.engines.quadrature.solve import Solution, integrate
from atrobayes.inference.sums import gather
from atrobayes.models.comparison import GROUPS_NORMAL
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import HalfStudentT, Priors
from atrobayes.models.regression import REGRESSION

# flat over all that the data allow: slopes, intercepts, and the residual SD itself (not its logarithm)
FLAT = Priors(
    slope_sd=1e4, slope_correlation=0.0, intercept_mean_sd=1e5, intercept_difference_sd=1e5,
    residual_sd=HalfStudentT(3, 1e5),
)  # fmt: skip


def one_row_each(groups: tuple[str, ...] = ("CLAD", "ALEM"), rows: int = 12) -> Frame:
    """A regression's frame: one row a patient, each group its own spread."""
    table = long_table(12, patients=rows * len(groups), most_visits=1, tau=0.0)
    label = np.resize(groups, len(table))
    spread = np.array([1.0, 2.5, 0.6])[np.resize(np.arange(len(groups)), len(table))]
    return frame_of(table.assign(group=label, y0=table["y0"] * spread), groups, kind="regression", predictor_unit=3.0)


def solve(frame: Frame, linear: Linear) -> Solution:
    refined = integrate(
        linear, gather(linear.X, frame.y_standardised, linear.patient, linear.residual_block), frame.outcomes
    )
    assert refined.reached.all()
    return refined.solution


def test_under_flat_priors_a_regressions_slopes_are_t_around_least_squares() -> None:
    """The limit of flat priors, p(sigma) flat: t with n - 3 degrees of freedom, scale sqrt(RSS / (n - 3) / Sxx).

    This is not the t of the classical test, which has n - 2 and belongs to p(sigma) = 1 / sigma: no half-Student-t
    prior of an SD tends to that one. The estimate is the same.
    """
    frame = one_row_each()
    ours = solve(frame, REGRESSION.whole(frame, FLAT)).mixture.scaled(frame.slope_scale)
    classical = classical_regression(frame).set_index("term")
    for place, label in enumerate(frame.groups):
        inside = frame.group == place
        x, y = frame.x[inside], frame.y.to_numpy()[inside, 0]
        fit = stats.linregress(x, y)
        square, df = ((y - fit.intercept - fit.slope * x) ** 2).sum(), len(x) - 3
        scale = np.sqrt(square / df / ((x - x.mean()) ** 2).sum())
        posterior = stats.t(df, loc=fit.slope, scale=scale)
        for q in (0.025, 0.5, 0.975, 0.999):
            assert abs(posterior.ppf(q) - ours.quantile(q)[0, place]) < 1e-4 * posterior.std()
        assert np.isclose(classical.loc[f"slope[{label}]", "estimate"], ours.mean()[0, place], rtol=1e-4)
    # groups pool nothing: their difference is that of two independent slopes
    np.testing.assert_allclose(ours.mean()[0, 2], ours.mean()[0, 0] - ours.mean()[0, 1], rtol=1e-6)
    np.testing.assert_allclose(ours.sd()[0, 2] ** 2, (ours.sd()[0, :2] ** 2).sum(), rtol=1e-6)


def test_under_flat_priors_a_difference_of_groups_is_the_t_of_two_samples() -> None:
    """Again p(sigma) flat: one degree of freedom less than Student's t test has."""
    frame = replace(one_row_each(), kind="groups")
    ours = solve(frame, GROUPS_NORMAL.whole(frame, FLAT)).mixture.scaled(frame.slope_scale)
    a, b = (frame.y.to_numpy()[frame.group == place, 0] for place in (0, 1))
    df = len(a) + len(b) - 3
    square = sum(((part - part.mean()) ** 2).sum() for part in (a, b))
    scale = np.sqrt(square / df * (1 / len(a) + 1 / len(b)))
    # slope_scale holds u = 3, which a difference does not have
    posterior = stats.t(df, loc=(a.mean() - b.mean()) / 3, scale=scale / 3)
    for q in (0.025, 0.5, 0.975):
        assert abs(posterior.ppf(q) - ours.quantile(q)[0, 0]) < 1e-4 * posterior.std()


@pytest.mark.parametrize("groups", [("CLAD", "ALEM"), ("A", "B", "C")])
def test_without_pooling_a_regression_is_each_groups_own(groups: tuple[str, ...]) -> None:
    """A group's result would depend on the other's data though the study asked for no pooling.

    With rho = 0, and intercepts whose mean and deviations make them independent (variance of the mean = variance of
    a deviation over the number of groups), the joint posterior is the product of each group's.
    """
    size = len(groups)
    sd = 0.8
    joint = Priors(slope_correlation=0.0, intercept_difference_sd=sd * np.sqrt(2), intercept_mean_sd=sd / np.sqrt(size))
    frame = one_row_each(groups)
    together = solve(frame, REGRESSION.whole(frame, joint))
    evidence = 0.0
    for place in range(size):
        part = frame.select(frame.group == place, np.array([0])).without_groups()
        alone = solve(part, REGRESSION.whole(part, replace(joint, intercept_mean_sd=sd)))
        # the engine owes 1e-4 posterior SDs; it has three SDs to integrate over where the groups alone have one
        allowed = 1e-4 * alone.mixture.sd()[0, 0]
        assert abs(alone.mixture.mean()[0, 0] - together.mixture.mean()[0, place]) < allowed
        for q in (0.025, 0.975):
            assert abs(alone.mixture.quantile(q)[0, 0] - together.mixture.quantile(q)[0, place]) < allowed
        assert abs(alone.curves.mean()[0, 0] - together.curves.mean()[0, place]) < 1e-4 * alone.curves.sd()[0, 0]
        evidence += alone.log_evidence[0]
    assert abs(evidence - together.log_evidence[0]) < 1e-4


@pytest.mark.parametrize("model", [MIXED, REGRESSION], ids=lambda model: model.name)
def test_a_prior_at_zero_leaves_zero(model: object) -> None:
    """The narrower the prior, the less would be left of the data."""
    frame = one_row_each() if model is REGRESSION else frame_of(long_table(1))
    mixture = solve(frame, model.whole(frame, Priors(slope_sd=1e-5))).mixture
    assert np.abs(mixture.mean()).max() < 1e-7
    np.testing.assert_allclose(mixture.sd()[0], 1e-5, rtol=1e-3)


@pytest.mark.parametrize("model", [MIXED, REGRESSION], ids=lambda model: model.name)
def test_a_correlation_of_one_pools_the_groups_slopes_completely(model: object) -> None:
    """rho would not be the strength of pooling it is said to be."""
    frame = one_row_each() if model is REGRESSION else frame_of(long_table(1))
    linear = model.whole(frame, Priors(slope_correlation=1 - 1e-10))
    mixture = solve(frame, linear).mixture
    assert linear.coefs[-1] == "x:side"
    common = replace(
        linear, X=linear.X[:, :3], coefs=linear.coefs[:3], prior_mean=linear.prior_mean[:3],
        prior_sd=np.array([*linear.prior_sd[:1], 0.5, linear.prior_sd[2]]),
        terms=("slope",), contrasts=np.array([[0.0, 1.0, 0.0]]),
    )  # fmt: skip
    pooled = solve(frame, common).mixture
    for place in (0, 1):
        np.testing.assert_allclose(pooled.mean()[0, 0], mixture.mean()[0, place], rtol=1e-6)
        np.testing.assert_allclose(pooled.sd()[0, 0], mixture.sd()[0, place], rtol=1e-6)
    assert abs(mixture.mean()[0, 2]) < 1e-6
    # separately they are apart: pooling did something
    apart = solve(frame, model.whole(frame, Priors(slope_correlation=0.0))).mixture
    assert abs(apart.mean()[0, 2]) > 0.01


def test_a_raw_prior_is_the_standardised_one_that_it_equals_for_each_outcome() -> None:
    """The same belief, written in % of eTIV or in SDs, would lead to two posteriors."""
    from atrobayes.inference.engine import Settings
    from atrobayes.inference.fit import fit

    table = long_table(4, outcomes=3).assign(y1=lambda t: 40 * t["y1"])
    # one outcome with a gap: patterns of missing values and raw priors both split the outcomes
    table.loc[3, "y2"] = np.nan
    settings = Settings(draws=50, chains=2)
    for model, frame in ((MIXED, frame_of(table, predictor_unit=3.0)), (GROUPS_NORMAL, frame_of(table, kind="groups"))):
        raw = fit(model, frame, Priors(name="own", slope_sd=0.05, raw=True), engine="quadrature", settings=settings)
        for k, scale in enumerate(frame.slope_scale):
            one = frame.select(np.arange(len(table)), np.array([k]))
            equal = fit(model, one, Priors(name="own", slope_sd=0.05 / scale), engine="quadrature", settings=settings)
            for q in (0.025, 0.5, 0.975):
                ours, theirs = raw.marginals.quantile(q)[k], equal.marginals.quantile(q)[0]
                np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-9 * scale)
            for ours, theirs in zip(model.term_priors(frame, Priors(slope_sd=0.05, raw=True)),
                                    model.term_priors(one, Priors(slope_sd=0.05 / scale)), strict=True):  # fmt: skip
                np.testing.assert_allclose(theirs[0], ours[k], rtol=1e-12)
