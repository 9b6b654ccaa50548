"""Leave one patient out by draws: densities against scipy, sums against exact quadrature, refits where it matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from simulated import frame_of, long_table

from atrobayes.errors import DataError
from atrobayes.inference.engine import Settings
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.influence import look
from atrobayes.inference.patient_loo import COLUMNS, LARGE_K, patient_loo
from atrobayes.inference.sampled import Draw, log_predictive
from atrobayes.models.comparison import COMPARISON
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.mixed import MIXED
from atrobayes.models.mixed_robust import MIXED_ROBUST
from atrobayes.models.priors import Priors
from atrobayes.models.regression import REGRESSION, REGRESSION_ROBUST
from atrobayes.study import Sensitivity

SEED = 5_03  # fixed before looking
PLANTED = "P001"
REPEATS = 6
STANDARD_ERRORS = 5.0
# of importance sampling with a few hundred effective draws, which is biased by about its variance
BIAS = 0.02


def frame(*, planted: bool = False) -> Frame:
    """Ten patients; planted: one of them with many lesions and changes far off along the slope."""
    table = long_table(SEED, patients=10)
    own = table["patient"] == PLANTED
    if planted:
        table.loc[own, "x"] = 8.0
        table.loc[own, "y0"] += 6.0
    return frame_of(table)


def one_patient(model, rows: Frame, who: int = 2) -> tuple[Linear, np.ndarray]:
    own = rows.select(rows.patient == who, np.array([0]))
    assert 3 == len(own.x)
    return model.whole(own, Priors()), own.y_standardised[:, 0]


def some_draws(linear: Linear, *, nu: bool) -> Draw:
    rng = np.random.default_rng(SEED)
    sds = np.exp(rng.normal(-0.5, 0.8, (2, 3, len(linear.sd_names))))
    sds[0, 0, 0], sds[1, 2, -1] = 3.0, 0.02  # one draw with a sharp peak, one with next to no residual
    beta = rng.normal(size=(2, 3, len(linear.coefs)))
    return Draw(beta, sds, rng.gamma(2.0, 5.0, (2, 3)) + 0.5 if nu else None)


@pytest.mark.parametrize("model", [MIXED, REGRESSION])
def test_normal_rows_have_the_density_of_a_multivariate_normal(model) -> None:
    """Every importance weight would be wrong."""
    linear, y = one_patient(model, frame())
    draws = some_draws(linear, nu=False)
    found = log_predictive(linear, y, draws)
    assert (2, 3) == found.shape
    for place in np.ndindex(2, 3):
        sds = draws.sds[place]
        mixed = linear.patient is not None
        own = sds[1:][linear.residual_block] if mixed else sds[linear.residual_block]
        cov = np.diag(own**2) + (sds[0] ** 2 if mixed else 0.0)
        expected = stats.multivariate_normal.logpdf(y, linear.X @ draws.beta[place], cov)
        np.testing.assert_allclose(expected, found[place], rtol=1e-9)


@pytest.mark.parametrize("model", [MIXED_ROBUST, REGRESSION_ROBUST])
def test_student_rows_have_the_density_that_adaptive_integration_finds(model) -> None:
    """A patient's effect would be integrated out on a rule too coarse for peaked draws."""
    linear, y = one_patient(model, frame())
    draws = some_draws(linear, nu=True)
    found = log_predictive(linear, y, draws)
    for place in np.ndindex(2, 3):
        sds, nu, residual = draws.sds[place], draws.nu[place], y - linear.X @ draws.beta[place]
        if linear.patient is None:
            expected = stats.t.logpdf(residual, nu, scale=sds[linear.residual_block]).sum()
        else:
            expected = np.log(by_scipy(residual, sds[0], sds[1], nu))
        np.testing.assert_allclose(expected, found[place], atol=1e-7)


@pytest.mark.parametrize(
    ("rows", "tau", "sigma", "nu"),
    [
        ((6.0, 6.5, -1.0), 0.5, 0.1, 4.0),
        ((8.0, 8.5), 0.6, 0.5, 30.0),
        ((0.2,), 3.0, 0.02, 3.0),
        ((4.0, -4.0), 1.0, 0.3, 12.0),
    ],
)
def test_patients_that_fit_badly_have_the_density_that_adaptive_integration_finds(
    rows: tuple[float, ...], tau: float, sigma: float, nu: float
) -> None:
    """Of the very patients that matter the small densities would be lost beside the rule's error."""
    base, _ = one_patient(MIXED_ROBUST, frame())
    linear = replace(base, X=np.zeros((len(rows), len(base.coefs))), patient=np.zeros(len(rows), dtype=int),
                     residual_block=np.zeros(len(rows), dtype=int))  # fmt: skip
    one = np.ones((1, 1))
    draws = Draw(np.zeros((1, 1, len(base.coefs))), np.array([[[tau, sigma]]]), nu * one)
    expected = np.log(by_scipy(np.array(rows), tau, sigma, nu))
    assert expected == pytest.approx(log_predictive(linear, np.array(rows), draws).item(), abs=1e-7)


def by_scipy(residual: np.ndarray, tau: float, sigma: float, nu: float) -> float:
    def density(effect: float) -> float:
        return float(stats.t.pdf((residual - effect) / sigma, nu).prod() / sigma ** len(residual)) * stats.norm.pdf(
            effect, scale=tau
        )

    end = 9 * tau + np.abs(residual).max()
    points = np.unique(np.append(residual, 0.0))
    return float(integrate.quad(density, -end, end, points=points, limit=400, epsabs=0, epsrel=1e-10)[0])


def exact_elpd(rows: Frame) -> pd.Series:
    table = look(rows, Choices(), Sensitivity())
    return table[table["term"] == "interaction"].set_index("patient")["elpd"]


def by_draws(rows: Frame, seed: int, draws: int = 250) -> pd.DataFrame:
    settings = Settings(draws=draws)
    fitted = fit(MIXED, rows, Priors(), settings=settings, seed=seed)
    return patient_loo(fitted, rows, Choices(settings=settings, seed=seed)).set_index("patient")


def test_draws_find_the_exact_density_of_every_patient() -> None:
    """What NUTS fits say of their patients would not be what exact fits say."""
    rows = frame()
    repeats = [by_draws(rows, seed) for seed in range(REPEATS)]
    elpd = np.stack([one["elpd"] for one in repeats])
    error = elpd.std(axis=0, ddof=1) / np.sqrt(REPEATS)
    expected = exact_elpd(rows)[repeats[0].index].to_numpy()
    allowed = STANDARD_ERRORS * error + BIAS
    assert (np.abs(elpd.mean(axis=0) - expected) < allowed).all()
    # most of them without a refit
    assert sum((one["refitted"] == "no").sum() for one in repeats) > 0.7 * elpd.size


def test_a_planted_patient_is_found_by_its_k_and_refitted() -> None:
    """The weights of the one patient who matters would be trusted although they rest on a few draws."""
    rows = frame(planted=True)
    table = by_draws(rows, 1, draws=2000)
    assert table.loc[PLANTED, "pareto_k"] > LARGE_K
    assert "yes" == table.loc[PLANTED, "refitted"]
    assert ((table["pareto_k"] > LARGE_K) == (table["refitted"] == "yes")).all()
    # the refit's 8,000 independent draws
    assert abs(table.loc[PLANTED, "elpd"] - exact_elpd(rows)[PLANTED]) < 0.2


def test_without_the_refit_the_planted_patient_would_look_less_surprising(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refits that change nothing would only cost time."""
    rows = frame(planted=True)
    monkeypatch.setattr("atrobayes.inference.patient_loo.LARGE_K", np.inf)
    table = by_draws(rows, 1, draws=2000)
    assert "no" == table.loc[PLANTED, "refitted"]
    assert table.loc[PLANTED, "elpd"] - exact_elpd(rows)[PLANTED] > 0.3


def test_a_patient_without_a_structure_has_no_row_of_it() -> None:
    """A patient's density would be that of no data."""
    table = long_table(SEED, patients=8, outcomes=2)
    table.loc[table["patient"] == "P004", "y1"] = np.nan
    rows = frame_of(table)
    settings = Settings(draws=100)
    found = patient_loo(fit(MIXED, rows, Priors(), settings=settings), rows, Choices(settings=settings))
    assert [column.name for column in COLUMNS] == list(found.columns)
    names = {name: set(own["patient"]) for name, own in found.groupby("structure")}
    assert {"P004"} == names["y0"] - names["y1"]
    assert np.isfinite(found["elpd"]).all()


def test_fits_of_other_data_or_without_coefficients_are_refused() -> None:
    """Densities of one data set under the posterior of another would be written down."""
    rows = frame()
    fitted = fit(MIXED, rows, Priors(), settings=Settings(draws=100))
    with pytest.raises(DataError, match="other data"):
        patient_loo(fitted, rows.without_patient("P003"), Choices())
    bare = fitted.tree.copy()
    bare["posterior"] = bare["posterior"].to_dataset().drop_vars("coefficients")
    with pytest.raises(DataError, match="no coefficients"):
        patient_loo(replace(fitted, tree=bare), rows, Choices())
    with pytest.raises(DataError, match="a linear model"):
        patient_loo(replace(fitted, history=fitted.history | {"model": "counts"}), rows, Choices())


@pytest.mark.slow
@pytest.mark.parametrize("model", [MIXED_ROBUST, COMPARISON])
def test_nuts_fits_of_student_errors_name_the_planted_patient(model) -> None:
    """The headline of comparisons and the robust slopes, which quadrature cannot fit, would have no such look."""
    rows = frame(planted=True)
    if model is COMPARISON:
        table = long_table(SEED, patients=10).eval("x = 1.0 * (x > 0)")
        table.loc[table["patient"] == PLANTED, "y0"] += 12.0
        rows = Frame.from_table(table, outcomes=["y0"], predictor="x", patient="patient", kind="comparison")
    settings = Settings(draws=1000, tune=1000)
    fitted: Fit = fit(model, rows, Priors(), engine="nutpie", settings=settings)
    table = patient_loo(fitted, rows, Choices(settings=settings)).set_index("patient")
    assert PLANTED == table["elpd"].idxmin()
    assert table.loc[PLANTED, "pareto_k"] > LARGE_K
    assert ((table["pareto_k"] > LARGE_K) == (table["refitted"] == "yes")).all()
