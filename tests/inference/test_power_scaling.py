"""Power-scaling against closed forms, doubled data, integration by other means and ArviZ's weighted draws."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import cubature, quad
from simulated import frame_of, long_table

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.quadrature.exact import Exact, Problem, exact, problems, solve
from atrobayes.inference.fit import fit
from atrobayes.inference.importance import importance
from atrobayes.inference.power_scaling import (
    ALL_PRIORS,
    LIKELIHOOD,
    Yardstick,
    coefficients_of,
    half_student_to_power,
    power_scaled,
    power_scalings,
    sensitivity,
    verdict,
)
from atrobayes.inference.sums import Sums
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.marginals import Mixture
from atrobayes.models.model import get_model
from atrobayes.models.priors import HalfStudentT, Priors

MIXED, REGRESSION = get_model("mixed"), get_model("regression")
# a mean other than 0 and an SD of its own: nothing of a prior may be lost
PRIORS = Priors(slope_mean=0.2, slope_sd=0.4, slope_correlation=0.3, patient_sd=HalfStudentT(4, 0.8), covariate_sd=0.6)


def frame(covariates: bool = False, **kind: object) -> Frame:
    table = long_table(11, patients=14, outcomes=2)
    number = table["patient"].str[1:].astype(int)
    return frame_of(table.assign(age=20 + number % 7), covariates=["age"] if covariates else [], **kind)


def solved(part: Problem | None) -> Exact:
    assert part is not None
    return solve([part])


def known_sd(mean: float, sd: float, y: np.ndarray) -> Problem:
    """One coefficient, the mean of y; a prior that pins the residual SD to 1 by ten million rows of perfect fit."""
    rows = 1e7
    linear = Linear(
        X=np.ones((len(y), 1)), coefs=("mean",), patient=None, patients=0,
        residual_block=np.zeros(len(y), dtype=np.int64), prior_mean=np.array([mean]), prior_sd=np.array([sd]),
        sd_names=("residual_sd",), sd_priors=(HalfStudentT(3, 1),), terms=("mean",), contrasts=np.ones((1, 1)),
    )  # fmt: skip
    # the second part speaks of the SD alone: its sum of squares is its number of rows
    sums = Sums(
        count=np.array([len(y), rows]), block=np.zeros(2, dtype=np.int64), multiple=np.zeros(2),
        xx=np.array([[[float(len(y))]], [[0.0]]]), xy=np.array([[[y.sum()]], [[0.0]]]),
        yy=np.array([[(y**2).sum()], [rows]]),
    )  # fmt: skip
    return Problem(np.array([0]), ("y",), linear, sums, np.ones(1))


@pytest.mark.parametrize("alpha", [0.8, 1.25, 2.0])
@pytest.mark.parametrize(("block", "of_prior", "of_data"), [("slopes", 1, 0), (LIKELIHOOD, 0, 1)])
def test_a_known_sd_gives_the_conjugate_posterior(alpha: float, block: str, of_prior: int, of_data: int) -> None:
    """If this failed, the priors of a report would count more or less than it says."""
    y = np.array([0.3, 1.9, 0.8, 2.2, 0.1])
    precision, data = alpha**of_prior / 0.7**2, alpha**of_data * len(y)
    found = solved(power_scaled(known_sd(-0.4, 0.7, y), block, alpha)).mixture
    assert (precision * -0.4 + data * y.mean()) / (precision + data) == pytest.approx(found.mean()[0, 0], abs=1e-6)
    assert (precision + data) ** -0.5 == pytest.approx(found.sd()[0, 0], rel=1e-6)


@pytest.mark.parametrize("nu", [1.0, 3.0, 7.5])
@pytest.mark.parametrize("alpha", [0.6, 1.0, 1.7])
def test_a_half_student_t_to_a_power_is_proportional_to_its_density_to_that_power(nu: float, alpha: float) -> None:
    """If this failed, the SDs' priors would be scaled by something else than the power stated."""
    prior, x = HalfStudentT(nu, 1.3), np.array([0.0, 0.4, 1.0, 3.0, 20.0])
    power = half_student_to_power(prior, alpha)
    assert power is not None
    wanted = alpha * stats.t.logpdf(x / prior.scale, prior.nu)
    given = stats.t.logpdf(x / power.scale, power.nu)
    assert np.ptp(wanted - given) < 1e-12


def test_a_prior_with_too_heavy_a_tail_gives_no_posterior_and_no_sensitivity() -> None:
    """If this failed, a half-Cauchy's square root, which is no distribution, would be reported like one."""
    assert half_student_to_power(HalfStudentT(1, 1), 0.5) is None
    priors = replace(PRIORS, patient_sd=HalfStudentT(1, 1))
    parts = problems(MIXED, frame(), priors)
    rows = {(one.block, one.alpha): one for one in power_scalings(parts, solve(parts), 2.0)}
    for block in ("sds", ALL_PRIORS):
        assert rows[block, 0.5].found is None
        assert rows[block, 2.0].found is not None
        assert np.isnan(rows[block, 2.0].sensitivity).all()
    assert np.isfinite(rows["slopes", 0.5].sensitivity).all()


@pytest.mark.parametrize("block", ["slopes", "intercepts", "sds", "covariates", ALL_PRIORS, LIKELIHOOD])
def test_the_power_one_changes_nothing(block: str) -> None:
    """If this failed, scaling would change more than what it scales."""
    (part,) = problems(MIXED, frame(covariates=True), PRIORS)
    base, same = solve([part]).mixture, solved(power_scaled(part, block, 1.0, covariates=1)).mixture
    for name in ("mean", "sd"):
        assert np.abs(getattr(base, name)() - getattr(same, name)()).max() < 1e-12


def test_blocks_of_priors_share_the_coefficients_out() -> None:
    """If this failed, a prior would be scaled twice or never."""
    (part,) = problems(MIXED, frame(covariates=True), PRIORS)
    masks = coefficients_of(part.linear, 1)
    assert part.linear.coefs == ("Intercept", "x", "side", "x:side", "age")
    assert [False, True, False, True, False] == masks["slopes"].tolist()
    assert [True, False, True, False, False] == masks["intercepts"].tolist()
    assert [False, False, False, False, True] == masks["covariates"].tolist()
    assert "covariates" not in coefficients_of(part.linear, 0)


def test_the_likelihood_squared_is_every_row_twice() -> None:
    """If this failed, "the data count twice" would not mean that."""
    rows = frame(kind="regression")
    (part,) = problems(REGRESSION, rows, PRIORS)
    twice = rows.select(np.tile(np.arange(len(rows.x)), 2), np.arange(2))
    wanted, found = exact(REGRESSION, twice, PRIORS).mixture, solved(power_scaled(part, LIKELIHOOD, 2.0)).mixture
    assert wanted.mean() == pytest.approx(found.mean(), abs=1e-10)
    assert wanted.sd() == pytest.approx(found.sd(), rel=1e-8)


def test_the_likelihood_squared_is_every_patient_twice() -> None:
    """If this failed, the patients' intercepts would have been counted as a prior here and as data there."""
    table = long_table(11, patients=14, outcomes=2)
    rows = frame_of(table)
    (part,) = problems(MIXED, rows, PRIORS)
    both = np.tile(np.arange(len(rows.x)), 2)
    again = np.concatenate([rows.patient, rows.patient + len(rows.patients)])
    names = (*rows.patients, *(f"{name}'" for name in rows.patients))
    twice = replace(rows.select(both, np.arange(2)), patient=again, patients=names)
    wanted, found = exact(MIXED, twice, PRIORS).mixture, solved(power_scaled(part, LIKELIHOOD, 2.0)).mixture
    assert wanted.mean() == pytest.approx(found.mean(), abs=1e-10)
    assert wanted.sd() == pytest.approx(found.sd(), rel=1e-8)


@pytest.mark.parametrize(("block", "alpha"), [(ALL_PRIORS, 0.7), (LIKELIHOOD, 1.6), ("sds", 1.6)])
def test_a_small_mixed_case_agrees_with_brute_force(block: str, alpha: float) -> None:
    """If this failed, the exact posteriors of scaled priors would be exact posteriors of something else."""
    rows = frame_of(long_table(5, patients=8).assign(group="ALL"), ("ALL",))
    (part,) = problems(MIXED, rows, PRIORS)
    found = solved(power_scaled(part, block, alpha)).mixture.scaled(1 / rows.slope_scale)
    mean, sd = brute_force(rows, block, alpha)
    assert mean == pytest.approx(found.mean()[0, 0], abs=1e-5)
    assert sd == pytest.approx(found.sd()[0, 0], abs=1e-5)


def brute_force(rows: Frame, block: str, alpha: float) -> tuple[float, float]:
    """Mean and SD of the slope: densities to their powers as they stand, adaptive cubature over the log SDs."""
    y, X = rows.y_standardised[:, 0], np.column_stack([np.ones(len(rows.x)), rows.x_standardised])
    same = (rows.patient[:, None] == rows.patient).astype(float)
    prior_power = alpha if block == ALL_PRIORS else 1.0
    sd_power = alpha if block in {ALL_PRIORS, "sds"} else 1.0
    data_power = alpha if block == LIKELIHOOD else 1.0
    centre, inverse = np.array([0.0, 0.2]), np.diag(prior_power / np.array([2.5, 0.4]) ** 2)

    def moments(logs: np.ndarray) -> np.ndarray:
        """(point, degree): density of both log SDs but for a factor, times moments of the slope given them."""
        tau, sigma = np.exp(logs).T
        V = tau[:, None, None] ** 2 * same + sigma[:, None, None] ** 2 * np.eye(len(y))
        XV = np.swapaxes(np.linalg.solve(V, np.broadcast_to(X, (len(V), *X.shape))), 1, 2)
        Vy = np.linalg.solve(V, np.broadcast_to(y[:, None], (len(V), len(y), 1)))[..., 0]
        A, b = data_power * XV @ X + inverse, data_power * XV @ y + inverse @ centre
        m = np.linalg.solve(A, b[..., None])[..., 0]
        log = data_power * (-0.5 * np.linalg.slogdet(V)[1] - 0.5 * Vy @ y)
        log += -0.5 * np.linalg.slogdet(A)[1] + 0.5 * (b * m).sum(axis=1)
        log += sd_power * (stats.t.logpdf(tau / 0.8, 4) + stats.t.logpdf(sigma, 3)) + logs.sum(axis=1)
        first, second = m[:, 1], np.linalg.inv(A)[:, 1, 1] + m[:, 1] ** 2
        return np.exp(log)[:, None] * np.stack([np.ones_like(first), first, second], axis=1)

    whole, first, second = cubature(moments, [-13.0, -2.5], [3.0, 2.5], rtol=1e-8, atol=0).estimate
    return first / whole, float(np.sqrt(second / whole - (first / whole) ** 2))


def normal(mean: float, sd: float) -> Mixture:
    return Mixture(("y",), ("slope",), np.ones((1, 1)), np.full((1, 1, 1), mean), np.full((1, 1, 1), sd))


def test_distances_are_those_of_the_definition() -> None:
    """If this failed, the threshold of 0.05 would be held against another number than it was made for."""
    p, q, low, high = stats.norm(0.2, 1.1), stats.norm(0.5, 1.0), -3.0, 4.0

    def apart(x: float, sign: int) -> float:
        both = (p.cdf(x), q.cdf(x)) if sign > 0 else (p.sf(x), q.sf(x))
        return sum(one * np.log2(one / (sum(both) / 2)) for one in both)

    def whole(x: float, sign: int) -> float:
        return float(p.cdf(x) + q.cdf(x)) if sign > 0 else float(p.sf(x) + q.sf(x))

    wanted = max(
        np.sqrt(quad(apart, low, high, args=(sign,))[0] / quad(whole, low, high, args=(sign,))[0]) for sign in (1, -1)
    )
    yardstick = Yardstick.of(normal(0.2, 1.1), (np.full((1, 1), low), np.full((1, 1), high)))
    assert wanted == pytest.approx(yardstick.distance(normal(0.5, 1.0))[0, 0], rel=1e-6)


def test_a_distance_is_nothing_to_itself_and_knows_no_sign_or_unit() -> None:
    """If this failed, a structure would look more sensitive for being measured in mm³, or for growing."""
    base, other = normal(0.2, 1.1), normal(0.5, 1.0)
    assert Yardstick.of(base).distance(base)[0, 0] == 0
    wanted = Yardstick.of(base).distance(other)[0, 0]
    assert wanted == pytest.approx(Yardstick.of(normal(-200.0, 1100)).distance(normal(-500.0, 1000))[0, 0], rel=1e-6)


def test_a_sensitivity_hardly_depends_on_the_power_it_is_taken_at() -> None:
    """If this failed, the study's power would move results across the threshold, which was made for 1.01."""
    parts = problems(MIXED, frame(), PRIORS)
    base = solve(parts)
    near, far = ({one.block: one.sensitivity for one in power_scalings(parts, base, power)} for power in (1.01, 1.25))
    for block, values in near.items():
        assert values == pytest.approx(far[block], rel=0.03, abs=0.002)


@pytest.mark.parametrize(
    ("prior", "likelihood", "word"),
    [(0.049, 0.2, "ok"), (0.05, 0.05, "conflict"), (0.2, 0.01, "strong_prior"), (np.nan, 0.1, ""), (0.1, np.nan, "")],
)
def test_verdicts_are_those_of_the_convention(prior: float, likelihood: float, word: str) -> None:
    """If this failed, the report's words would part from ArviZ's."""
    assert word == verdict(prior, likelihood)


def test_a_prior_far_from_the_data_is_called_a_conflict() -> None:
    """If this failed, a prior that fights the data would pass unnoticed."""
    rows = frame_of(long_table(7, patients=30, slopes=(-2.0, -2.0), sigma=0.5))
    parts = problems(MIXED, rows, Priors(slope_mean=0.5, slope_sd=0.1))
    found = {one.block: one.sensitivity[0, 0] for one in power_scalings(parts, solve(parts), 1.25)}
    assert verdict(found["slopes"], found[LIKELIHOOD]) == "conflict"


def test_sensitivity_is_missing_where_a_posterior_is() -> None:
    """If this failed, half a difference would be reported as a whole one."""
    base = normal(0, 1)
    assert np.isnan(sensitivity(Yardstick.of(base), None, base, 1.25)).all()


@cache
def by_weighting() -> tuple[list[str], np.ndarray]:
    """Blocks, and ArviZ's sensitivities (seed, block, outcome, term) from independent draws of the exact posterior."""
    rows = frame(covariates=True)
    own = [
        fit(MIXED, rows, PRIORS, engine="quadrature", settings=Settings(draws=2000, chains=2), seed=seed)
        for seed in range(1, 7)
    ]
    found = [importance(one, rows, PRIORS) for one in own]
    blocks = found[0]["block"].unique().tolist()
    values = [one["sensitivity"].to_numpy().reshape(len(rows.outcomes), -1, len(blocks)) for one in found]
    return blocks, np.moveaxis(np.stack(values), -1, 1)


def t_statistics() -> np.ndarray:
    """Exact sensitivities less the mean of ArviZ's, in its standard errors."""
    blocks, several = by_weighting()
    parts = problems(MIXED, frame(covariates=True), PRIORS)
    exactly = {one.block: one.sensitivity for one in power_scalings(parts, solve(parts), 1.01, 1)}
    wanted = np.stack([exactly[block] for block in blocks])
    # ArviZ's distances of 4,000 draws span another range each time, and are never below 0: a floor of their own size
    error = several.std(axis=0, ddof=1) / np.sqrt(len(several)) + 0.015 * wanted + 3e-4
    return (wanted - several.mean(axis=0)) / error


def test_weighted_draws_agree_with_the_exact_sensitivities() -> None:
    """If this failed, sampled and exact rows of one table would be on two scales."""
    assert np.abs(t_statistics()).max() < 4


def test_the_comparison_with_weighted_draws_sees_a_wrong_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this failed, the agreement above would hold of anything."""
    from atrobayes.inference import power_scaling

    right = power_scaling.power_scaled
    monkeypatch.setattr(
        power_scaling, "power_scaled", lambda part, block, alpha, extra=0: right(part, block, alpha**1.2, extra)
    )
    assert np.abs(t_statistics()).max() > 6
