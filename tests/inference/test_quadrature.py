"""The quadrature engine against integration by other means, and its own claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import cubature
from simulated import frame_of, long_table

from atrobayes.inference.engines.quadrature import solve
from atrobayes.inference.engines.quadrature.solve import Refined, integrate
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.linear import LinearModel
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import get_model
from atrobayes.models.priors import HalfStudentT, Priors

CASES = {
    "ordinary": {"seed": 1},
    "no patient variance": {"seed": 2, "tau": 0.0},
    "patient variance dominates": {"seed": 3, "tau": 20.0, "sigma": 0.5},
    "seven patients": {"seed": 4, "patients": 7, "most_visits": 2},
    "one row a patient": {"seed": 5, "most_visits": 1},
    "clear slopes": {"seed": 6, "slopes": (-3.0, 2.0), "sigma": 0.3},
}
# a mean other than 0 and an SD of its own: nothing of a prior may be lost
PRIORS = Priors(slope_mean=0.2, slope_sd=0.4, slope_correlation=0.3, patient_sd=HalfStudentT(4, 0.8), covariate_sd=0.6)


def _frame_for(model: str) -> Frame:
    """A frame for each Gaussian model; the mixed model's has covariates, one of them of the patient."""
    table = long_table(31, patients=24, most_visits=3 if model in {"mixed", "comparison_normal"} else 1)
    number = table["patient"].str[1:].astype(int)
    if model == "mixed":
        return frame_of(table.assign(age=20 + number % 7, visit=table.groupby("patient").cumcount()),
                        covariates=["age", "visit"])  # fmt: skip
    if model == "comparison_normal":
        return frame_of(table.assign(group="ALL", x=(table["x"] > 0).astype(float)), ("ALL",), kind="comparison")
    # groups that differ in spread: one residual SD for both would be another model
    own = table.assign(y0=table["y0"] * np.where(table["group"] == "CLAD", 1.0, 2.5))
    return frame_of(own, kind="regression" if model == "regression" else "groups")


def _integrated(frame: Frame, priors: Priors | None = None, model: LinearModel = MIXED) -> Refined:
    linear = model.linear(frame, priors or Priors())
    sums = gather(linear.X, frame.y_standardised, linear.patient, linear.residual_block)
    return integrate(linear, sums, frame.outcomes)


class BruteForce:
    """Spectral decomposition of the dense covariance and adaptive cubature over log SDs.

    Nothing is shared with the engine but the model: not the sums over patients, the panels, the
    coordinates nor the Cholesky factors.
    """

    def __init__(self, frame: Frame, priors: Priors, model: LinearModel = MIXED) -> None:
        self.linear = model.linear(frame, priors)
        self.X, self.y = self.linear.X, frame.y_standardised[:, 0]
        self.patients = self.linear.patient is not None
        if self.patients:
            Z = (frame.patient[:, None] == np.unique(frame.patient)).astype(float)
            self.eigen, vectors = np.linalg.eigh(Z @ Z.T)
            self.X, self.y = vectors.T @ self.X, vectors.T @ self.y
        # below these limits lies no mass that 1e-6 of anything could notice; the tests' data see to it
        dims = len(self.linear.sd_names)
        self.low, self.high = np.full(dims, np.log(1e-7)), np.full(dims, np.log(3e3))
        grid = np.stack(np.meshgrid(*[np.linspace(-6, 4, 200)] * dims), axis=-1).reshape(-1, dims)
        self.peak = self.given(grid)[0].max()

    def given(self, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log joint density of log SDs (point,), and mean and SD of the terms (point, term)."""
        sds = np.exp(logs)
        variance = sds[:, self.patients :][:, self.linear.residual_block] ** 2
        if self.patients:
            variance = variance + sds[:, :1] ** 2 * self.eigen.clip(0)
        prior = self.linear.prior_sd**2
        A = np.einsum("ni,mn,nj->mij", self.X, 1 / variance, self.X) + np.diag(1 / prior)
        centre = self.linear.prior_mean
        b = np.einsum("ni,mn,n->mi", self.X, 1 / variance, self.y) + centre / prior
        inverse = np.linalg.inv(A)
        mean = np.einsum("mij,mj->mi", inverse, b)
        log = -0.5 * (len(self.y) * np.log(2 * np.pi) + np.log(variance).sum(axis=1) + np.log(prior).sum())
        square = (self.y**2 / variance).sum(axis=1) + (centre**2 / prior).sum()
        log += -0.5 * (np.linalg.slogdet(A)[1] + square - (b * mean).sum(axis=1))
        for k, half_t in enumerate(self.linear.sd_priors):
            log += np.log(2) + stats.t.logpdf(sds[:, k] / half_t.scale, half_t.nu) - np.log(half_t.scale)
        C = self.linear.contrasts
        spread = np.sqrt(np.einsum("ti,mij,tj->mt", C, inverse, C))
        return log + logs.sum(axis=1), mean @ C.T, spread

    def expect(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Evidence, moments, and P(term < point) for points (point, term)."""

        def integrand(logs: np.ndarray) -> np.ndarray:
            log, mean, sd = self.given(logs)
            below = stats.norm.cdf((points - mean[:, None]) / sd[:, None]).reshape(len(logs), -1)
            sds = np.exp(logs)
            values = np.hstack([np.ones((len(logs), 1)), mean, mean**2 + sd**2, below, sds, sds**2])
            return np.exp(log - self.peak)[:, None] * values

        whole = self._integrate(integrand, self.high)
        estimate, terms, dims = whole / whole[0], points.shape[1], len(self.low)
        first, second = estimate[1 : 1 + terms], estimate[1 + terms : 1 + 2 * terms]
        sd_first, sd_second = estimate[-2 * dims : -dims], estimate[-dims:]
        return {
            "log_evidence": np.log(whole[0]) + self.peak,
            "mean": first,
            "sd": np.sqrt(second - first**2),
            "below": estimate[1 + 2 * terms : -2 * dims].reshape(points.shape),
            "sd_mean": sd_first,
            "sd_sd": np.sqrt(sd_second - sd_first**2),
        }

    def sd_below(self, which: int, point: float) -> float:
        """P(SD < point): the integral up to the point over the whole."""

        def integrand(logs: np.ndarray) -> np.ndarray:
            return np.exp(self.given(logs)[0] - self.peak)

        cut = self.high.copy()
        cut[which] = np.log(point)
        return float(self._integrate(integrand, cut) / self._integrate(integrand, self.high))

    def _integrate(self, integrand: Callable[[np.ndarray], np.ndarray], high: np.ndarray) -> np.ndarray:
        found = cubature(integrand, self.low, high, rtol=1e-8, atol=1e-13, max_subdivisions=20_000)
        assert found.status == "converged"
        return found.estimate


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_brute_force_integration(case: str) -> None:
    """Every posterior number of the product would be wrong."""
    _compare_with_brute_force(frame_of(long_table(**CASES[case])), MIXED)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed", "regression", "comparison_normal", "groups_normal"])
def test_every_gaussian_model_agrees_with_brute_force_integration(name: str) -> None:
    """Regressions, comparisons, or slopes with covariates would be wrong where the plain mixed model is right."""
    frame, model = _frame_for(name), get_model(name)
    expected = {"mixed": ["patient_sd", "residual_sd"], "comparison_normal": ["patient_sd", "residual_sd"],
                "regression": ["residual_sd[CLAD]", "residual_sd[ALEM]"], "groups_normal": ["residual_sd"]}  # fmt: skip
    assert expected[name] == list(model.linear(frame, PRIORS).sd_names)
    _compare_with_brute_force(frame, model)


def _compare_with_brute_force(frame: Frame, model: LinearModel) -> None:
    refined = _integrated(frame, PRIORS, model)
    mixture, curves = refined.solution.mixture, refined.solution.curves
    brute = BruteForce(frame, PRIORS, model)
    levels = np.array([0.025, 0.5, 0.975])
    points = np.stack([mixture.quantile(q)[0] for q in levels] + [np.zeros(len(mixture.terms))])
    expected = brute.expect(points)

    assert refined.reached.all()
    assert np.abs(mixture.mean()[0] - expected["mean"]).max() < 1e-4 * expected["sd"].min()
    np.testing.assert_allclose(mixture.sd()[0], expected["sd"], rtol=1e-4)
    # P(term < our quantile) is its level, up to 1e-4 posterior SDs times the density there
    for q, below in zip(levels, expected["below"], strict=False):
        density = np.exp(mixture.log_pdf(mixture.quantile(q)))[0]
        assert (np.abs(below - q) / (density * expected["sd"])).max() < 1e-4
    np.testing.assert_allclose(mixture.cdf(np.zeros((1, len(mixture.terms))))[0], expected["below"][3], atol=1e-5)
    assert abs(refined.solution.log_evidence[0] - expected["log_evidence"]) < 1e-4
    assert (np.abs(curves.mean()[0] - expected["sd_mean"]) / expected["sd_sd"]).max() < 1e-4
    np.testing.assert_allclose(curves.sd()[0], expected["sd_sd"], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["ordinary", "no patient variance"])
def test_quantiles_of_the_sds_agree_with_brute_force(case: str) -> None:
    """The patient SD shown to the reader would have the wrong interval, above all near 0."""
    frame = frame_of(long_table(**CASES[case]))
    curves = _integrated(frame).solution.curves
    brute = BruteForce(frame, Priors())
    for q in (0.025, 0.975):
        for which, point in enumerate(curves.quantile(q)[0]):
            # 1e-4 posterior SDs of an SD are about 4e-5 in probability
            assert abs(q - brute.sd_below(which, point)) < 4e-5
            at = curves.quantile(q)
            assert abs(curves.cdf(at)[0, which] - q) < 1e-6


@pytest.mark.slow
def test_residual_sds_of_three_and_four_patients_agree_with_brute_force() -> None:
    """Towards an SD of 0 the density falls too steeply for a polynomial in its log: quantiles of the SD were off."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"patient": list("abcdefg"), "group": ["CLAD"] * 4 + ["ALEM"] * 3, "x": rng.poisson(2, 7)})
    noise = {f"y{k}": rng.normal(size=7) + 0.3 * rng.normal() * table["x"] for k in range(9)}
    frame = frame_of(table.assign(**noise), kind="regression")
    refined = _integrated(frame, model=get_model("regression"))
    assert refined.reached.all()
    curves = refined.solution.curves.take(np.array([8]))
    brute = BruteForce(frame.select(np.arange(7), np.array([8])), Priors(), get_model("regression"))
    brute.low = np.full(2, np.log(1e-3))  # below, the sums of brute force have no digits left
    for q in (0.025, 0.5, 0.975):
        for which, point in enumerate(curves.quantile(q)[0]):
            assert abs(q - brute.sd_below(which, point)) < 4e-5


def test_many_outcomes_at_once_are_each_as_alone() -> None:
    """A structure's posterior would depend on which other structures are in the study."""
    frame = frame_of(long_table(7, outcomes=4))
    together = _integrated(frame).solution
    alone = _integrated(frame.select(np.arange(len(frame.x)), np.array([2]))).solution
    np.testing.assert_allclose(together.mixture.mean()[2], alone.mixture.mean()[0], rtol=1e-9)
    np.testing.assert_allclose(together.log_evidence[2], alone.log_evidence[0], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_unit_of_the_outcome_changes_the_unit_of_the_slope_only(scale: float) -> None:
    """Volumes in ml instead of mm³ would lead to other conclusions."""
    table = long_table(8)
    plain, other = frame_of(table), frame_of(table.assign(y0=table["y0"] * scale))
    a, b = (_integrated(frame).solution.mixture.scaled(frame.slope_scale) for frame in (plain, other))
    np.testing.assert_allclose(a.mean() * scale, b.mean(), rtol=1e-9)
    np.testing.assert_allclose(a.sd() * scale, b.sd(), rtol=1e-9)


def test_unit_of_the_predictor_changes_the_unit_of_the_slope_only() -> None:
    """A slope per three lesions would be reported as one per lesion."""
    table = long_table(8)
    plain, other = frame_of(table), frame_of(table.assign(x=3 * table["x"]), predictor_unit=3.0)
    a, b = (_integrated(frame).solution.mixture.scaled(frame.slope_scale) for frame in (plain, other))
    np.testing.assert_allclose(a.mean(), 3 * b.mean(), rtol=1e-9)


def test_order_of_rows_and_labels_of_patients_do_not_matter() -> None:
    """Sorting a table would change its results."""
    table = long_table(9)
    shuffled = table.sample(frac=1, random_state=3).assign(patient=lambda t: "Z" + t["patient"].str[::-1])
    a, b = (_integrated(frame_of(one)).solution.mixture for one in (table, shuffled))
    np.testing.assert_allclose(a.mean(), b.mean(), rtol=1e-9)


@pytest.mark.parametrize("prior", ["sceptical", "regularising"])
def test_swapping_the_groups_names_changes_labels_and_signs_only(prior: str) -> None:
    """Which treatment is written first would change what the posterior says of it."""
    table = long_table(10)
    priors = replace(Priors(), slope_sd={"sceptical": 0.25, "regularising": 0.5}[prior])
    swapped = table.assign(group=table["group"].map({"CLAD": "ALEM", "ALEM": "CLAD"}))
    a = _integrated(frame_of(table), priors).solution
    b = _integrated(frame_of(swapped), priors).solution
    order = [1, 0, 2]
    signs = np.array([1, 1, -1])
    np.testing.assert_allclose(a.mixture.mean()[0], (b.mixture.mean()[0] * signs)[order], rtol=1e-9)
    np.testing.assert_allclose(a.mixture.sd()[0], b.mixture.sd()[0][order], rtol=1e-9)
    np.testing.assert_allclose(a.log_evidence, b.log_evidence, rtol=1e-12)


def test_bayes_factor_of_the_interaction_is_the_ratio_of_two_evidences() -> None:
    """The Savage-Dickey ratio would not be a Bayes factor."""
    frame = frame_of(long_table(11))
    linear = MIXED.linear(frame, Priors())
    without = replace(
        linear,
        X=linear.X[:, :3],
        coefs=linear.coefs[:3],
        prior_mean=linear.prior_mean[:3],
        prior_sd=linear.prior_sd[:3],
        contrasts=linear.contrasts[:, :3],
    )
    evidences = []
    for model in (linear, without):
        contrasts = np.eye(len(model.coefs))[:2]
        model = replace(model, contrasts=contrasts, terms=("a", "b"))  # noqa: PLW2901 - terms with spread
        sums = gather(model.X, frame.y_standardised, model.patient, model.residual_block)
        evidences.append(integrate(model, sums, frame.outcomes).solution.log_evidence[0])
    posterior = _integrated(frame).solution.mixture
    savage_dickey = stats.norm.logpdf(0, 0, linear.prior_sd[3]) - posterior.log_pdf(np.zeros((1, 3)))[0, 2]
    assert abs(evidences[0] - evidences[1] - savage_dickey) < 1e-6


def test_without_patient_effects_and_wide_priors_it_is_the_t_of_regression() -> None:
    """The limit in which Bayes and least squares must agree would be missed."""
    frame = frame_of(long_table(12, patients=60, most_visits=1, tau=0.0))
    priors = Priors(slope_sd=1e3, slope_correlation=0.0, intercept_mean_sd=1e4, intercept_difference_sd=1e4)
    mixed = MIXED.linear(frame, priors)
    linear = replace(
        mixed, patient=None, sd_names=("residual_sd",), sd_priors=(replace(priors.residual_sd, scale=1e4),)
    )
    sums = gather(linear.X, frame.y_standardised, None, linear.residual_block)
    mixture = integrate(linear, sums, frame.outcomes).solution.mixture
    X, y = linear.X, frame.y_standardised[:, 0]
    beta, (square,), *_ = np.linalg.lstsq(X, y)
    # p(sigma) = const, not 1/sigma, so one degree of freedom less
    df = len(y) - 4 - 1
    cov = np.linalg.inv(X.T @ X) * square / df
    for t, contrast in enumerate(linear.contrasts):
        expected = contrast @ beta + np.sqrt(contrast @ cov @ contrast) * stats.t.ppf(0.975, df)
        assert abs(mixture.quantile(0.975)[0, t] - expected) < 2e-5


def test_a_rule_that_cannot_reach_the_tolerance_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that is not exact enough would be shown as exact."""
    monkeypatch.setitem(solve.TOLERANCE, "mean", 0.0)
    monkeypatch.setattr(solve, "MOST_PANELS", solve.FIRST_PANELS)
    assert not _integrated(frame_of(long_table(1))).reached.any()


def test_draws_come_from_the_same_posterior() -> None:
    """What ArviZ shows of a fit would differ from the numbers in the tables."""
    refined = _integrated(frame_of(long_table(13)))
    curves = refined.solution.curves
    draws = curves.draw(40_000, np.random.default_rng(1))[0]
    # independent draws: the empirical distribution may stray by 1.95/sqrt(n) at the 0.1 % level
    for k in range(2):
        levels = np.array([curves.cdf(np.full((1, 2), q))[0, k] for q in np.quantile(draws[:, k], [0.05, 0.5, 0.95])])
        assert np.abs(levels - [0.05, 0.5, 0.95]).max() < 1.95 / np.sqrt(len(draws))
    expected = np.corrcoef(draws.T)[0, 1]
    nodes = refined.solution.mixture.weight[0].reshape(curves.log_density.shape[1:])
    assert expected < 0  # total variance is known better than its split
    assert nodes.sum() == pytest.approx(1.0)
