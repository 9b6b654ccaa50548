"""NUTS by three programs and quadrature: unrelated algorithms, one posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import arviz as az
import numpy as np
import nutpie
import pytest
import xarray as xr
from scipy.stats import norm
from simulated import frame_of, long_table

from atrobayes.inference.diagnose import MOST_RHAT
from atrobayes.inference.engine import Settings, get_engine
from atrobayes.inference.engines.compiled import compile_graph
from atrobayes.inference.engines.nuts import build, graph_key
from atrobayes.inference.engines.quadrature.solve import integrate
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.store import Store
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import get_model
from atrobayes.models.priors import HalfStudentT, Priors

# fixed before looking
SEED = 20_261
LEVELS = (0.025, 0.5, 0.975)
PROBABILITY = 0.0005
STATISTICS = 2 + len(LEVELS)


def slopes_frame() -> Frame:
    return frame_of(long_table(SEED, patients=40))


def one_row_frame(kind: str, **columns: str) -> Frame:
    table = long_table(SEED, patients=40, most_visits=1)
    groups = ("CLAD", "ALEM")
    return Frame.from_table(
        table, outcomes=["y0"], group="group", groups=groups, patient="patient", kind=kind, **columns
    )


def states_frame() -> Frame:
    table = long_table(SEED, patients=40).eval("x = 1.0 * (x > 0)")
    return Frame.from_table(table, outcomes=["y0"], predictor="x", patient="patient", kind="comparison")


# a model more: one line. The first engine that serves it is what the others are held against
MODELS: dict[str, Callable[[], Frame]] = {
    "mixed": slopes_frame,
    "regression": lambda: one_row_frame("regression", predictor="x"),
    "comparison_normal": states_frame,
    "groups_normal": lambda: one_row_frame("groups"),
    "mixed_robust": slopes_frame,
    "regression_robust": lambda: one_row_frame("regression", predictor="x"),
    "comparison": states_frame,
    "groups": lambda: one_row_frame("groups"),
}
SETTINGS = Settings(draws=2000, tune=1000, chains=4, target_accept=0.95, jobs=2)
# PyMC's own sampler takes ten times as long for a draw
SHORT = replace(SETTINGS, draws=750, tune=500)

# by (table, statistic): value and its Monte Carlo error
Summary = dict[tuple[str, str], tuple[xr.DataArray | np.ndarray, xr.DataArray | float]]


def of_chains(chains: xr.Dataset) -> Summary:
    out: Summary = {}
    for name in ("terms", "sds"):
        draws = chains[[name]]
        values = draws[name]
        out[name, "mean"] = values.mean(("chain", "draw")), az.mcse(draws, method="mean")[name]
        out[name, "sd"] = values.std(("chain", "draw"), ddof=1), az.mcse(draws, method="sd")[name]
        for q in LEVELS:
            error = az.mcse(draws, method="quantile", prob=q)[name]
            out[name, f"q{q}"] = values.quantile(q, ("chain", "draw")), error
    return {key: (value.to_numpy(), error.to_numpy()) for key, (value, error) in out.items()}


def by_quadrature(name: str, frame: Frame, priors: Priors) -> Summary:
    linear = get_model(name).linear(frame, priors)
    assert linear is not None
    sums = gather(linear.X, frame.y_standardised, linear.patient, linear.residual_block)
    solution = integrate(linear, sums, frame.outcomes).solution
    mixture = solution.mixture.scaled(frame.slope_scale)
    out: Summary = {}
    for table, exact, scale in (("terms", mixture, 1.0), ("sds", solution.curves, frame.scales.y_sd[:, None])):
        out[table, "mean"], out[table, "sd"] = (exact.mean() * scale, 0.0), (exact.sd() * scale, 0.0)
        out |= {(table, f"q{q}"): (exact.quantile(q) * scale, 0.0) for q in LEVELS}
    return out


def deviations(one: Summary, other: Summary) -> np.ndarray:
    """|difference| / Monte Carlo error of mean, SD and three quantiles, of all terms and SDs."""
    return np.concatenate(
        [((value - other[key][0]) / np.hypot(error, other[key][1])).ravel() for key, (value, error) in one.items()]
    )


def agree(z: np.ndarray) -> bool:
    """The family-wise rule: no deviation too large for the number of comparisons, and none systematic."""
    return bool(np.abs(z).max() < norm.isf(PROBABILITY / len(z)) and np.sqrt(np.mean(z**2)) < 1.3)


@cache
def sampled(name: str, engine: str, priors: Priors = Priors()) -> Summary:  # noqa: B008 - frozen
    tree, _ = get_engine(engine).run(
        get_model(name), MODELS[name](), priors, SHORT if engine == "pymc" else SETTINGS, SEED
    )
    chains = tree["posterior"].to_dataset()
    assert max(float(az.rhat(chains)[part].max()) for part in ("terms", "sds")) < MOST_RHAT
    return of_chains(chains)


@cache
def everything() -> np.ndarray:
    """Deviations of every engine from the first one that serves, over all models."""

    def each() -> Iterator[np.ndarray]:
        for name, frame in MODELS.items():
            exact = get_model(name).linear(frame(), Priors()) is not None
            reference = by_quadrature(name, frame(), Priors()) if exact else sampled(name, "nutpie")
            for engine in ("nutpie", "numpyro", "pymc") if exact else ("numpyro", "pymc"):
                yield deviations(sampled(name, engine), reference)

    return np.concatenate(list(each()))


@pytest.mark.slow
def test_all_engines_agree_on_all_models() -> None:
    """One of the engines would compute another posterior than the one described."""
    z = everything()
    assert 0 == len(z) % STATISTICS
    assert len(z) > 300
    assert agree(z), (np.abs(z).max(), np.sqrt(np.mean(z**2)))


@pytest.mark.slow
def test_the_comparison_notices_a_wrong_prior_in_one_sampler() -> None:
    """A comparison too weak to see a wrong prior would prove nothing."""
    wrong = sampled("groups", "numpyro", replace(Priors(), slope_sd=0.5 * Priors().slope_sd))
    assert not agree(np.append(everything(), deviations(wrong, sampled("groups", "nutpie"))))


def five_data_sets() -> Frame:
    """One design, five data sets: from no patient variance to 64 times the residual variance."""
    table = long_table(SEED, patients=52, tau=0.6)
    rng = np.random.default_rng(SEED)
    code = table["patient"].astype("category").cat.codes.to_numpy()
    people, noise = rng.normal(size=(code.max() + 1, 5)), rng.normal(size=(len(table), 5))
    spreads = {"none": (0.0, 1.0), "small": (0.3, 1.0), "even": (1.0, 1.0), "large": (3.0, 1.0), "most": (4.0, 0.5)}
    slope = np.where(table["group"] == "CLAD", -0.2, 0.1) * table["x"]
    return frame_of(
        table.drop(columns="y0").assign(
            **{
                f"y {name}": slope + tau * people[code, k] + sigma * noise[:, k]
                for k, (name, (tau, sigma)) in enumerate(spreads.items())
            }
        )
    )


@pytest.fixture(scope="module")
def chains() -> Summary:
    settings = Settings(draws=10_000, tune=2000, chains=4, target_accept=0.95, jobs=2)
    tree, _ = get_engine("nutpie").run(MIXED, five_data_sets(), Priors(), settings, SEED)
    posterior = tree["posterior"].to_dataset()
    assert max(float(az.rhat(posterior)[name].max()) for name in ("terms", "sds")) < MOST_RHAT
    return of_chains(posterior)


@pytest.mark.slow
def test_quadrature_and_nuts_agree_from_no_patient_variance_to_a_large_one(chains: Summary) -> None:
    """Quadrature would fail at the edge, where a patient SD of zero is likely."""
    z = deviations(chains, by_quadrature("mixed", five_data_sets(), Priors()))
    assert len(z) == 125
    assert agree(z), (np.abs(z).max(), np.sqrt(np.mean(z**2)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [{"slope_sd": 0.6}, {"slope_correlation": 0.2}, {"patient_sd": HalfStudentT(3, 0.5)}],
    ids=str,
)
def test_the_comparison_notices_a_wrong_prior(chains: Summary, wrong: dict) -> None:
    """A comparison too weak to see a wrong prior would prove nothing."""
    assert not agree(deviations(chains, by_quadrature("mixed", five_data_sets(), replace(Priors(), **wrong))))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    """Two outcomes, one of them missing in a row, by nutpie; kept in a file."""
    frame = frame_of(long_table(3, outcomes=2))
    y = frame.y.copy()
    y[4, 1] = np.nan
    folder: Path = tmp_path_factory.mktemp("nuts")
    return fit(
        MIXED,
        frame.with_outcomes(y),
        Priors(),
        engine="nutpie",
        settings=Settings(draws=2000, tune=1000, jobs=2),
        store=Store(folder / "posterior", folder / "scratch"),
    )


@pytest.mark.slow
def test_bayes_factors_from_draws_are_those_of_quadrature(short: Fit) -> None:
    """Evidence would hang on the width of a kernel; averaged normals leave the error of the SDs' draws alone."""
    frame = frame_of(long_table(3, outcomes=2))
    y = frame.y.copy()
    y[4, 1] = np.nan
    exact = fit(MIXED, frame.with_outcomes(y), Priors(), engine="quadrature").marginals
    drawn = short.marginals
    assert isinstance(drawn, Draws)
    zero = np.zeros_like(exact.mean())
    error = np.abs(drawn.log_pdf(zero) - exact.log_pdf(zero))
    kernel = np.abs(replace(drawn, conditional=None).log_pdf(zero) - exact.log_pdf(zero))
    normals = drawn.conditional
    assert normals is not None
    density = norm.pdf(0, normals.loc, normals.scale).reshape(*zero.shape, *drawn.values.shape[:2])
    mcse = az.mcse(xr.DataArray(density, dims=("outcome", "term", "chain", "draw"), name="density").to_dataset())
    assert (error / (mcse["density"].to_numpy() / density.mean((2, 3)))).max() < 4
    assert np.sqrt((error**2).mean()) < np.sqrt(np.nanmean(kernel**2)) / 5
    # beyond 3 SD a kernel says nothing, the normals still do
    far = exact.mean() + 4 * exact.sd()
    assert np.isnan(replace(drawn, conditional=None).log_pdf(far)).all()
    np.testing.assert_allclose(drawn.log_pdf(far), exact.log_pdf(far), atol=0.3)


@pytest.mark.slow
def test_what_draws_say_of_densities_survives_a_reload(short: Fit, tmp_path: Path) -> None:
    """A report made from the file would print other Bayes factors than the run."""
    short.write(tmp_path / "fit.nc")
    back = Fit.read(tmp_path / "fit.nc").marginals
    zero = np.zeros_like(back.mean())
    np.testing.assert_array_equal(short.marginals.log_pdf(zero), back.log_pdf(zero))


@pytest.mark.slow
def test_priors_on_whole_numbers_do_not_cut_those_that_follow() -> None:
    """A scale of 1.5 would be sampled as 1 where a graph with a scale of 1 was compiled before."""
    keys = []
    for scale in (1, 1.5, 2):
        priors = Priors(residual_sd=HalfStudentT(3, scale))
        data = MIXED.data(slopes_frame(), priors)
        keys.append(graph_key(MIXED, build(MIXED, slopes_frame(), priors), data))
        assert data["residual_prior"].tolist() == [[3, scale]]
    assert keys[0] == keys[2]
    assert keys[0] != keys[1] or data["residual_prior"].dtype.kind == "f"


@pytest.mark.slow
def test_compiled_entries_draw_what_nutpie_itself_draws() -> None:
    """Keeping the linked code on disk would have changed the model."""
    graph = build(MIXED, slopes_frame(), Priors())
    keywords = {"draws": 50, "tune": 50, "chains": 2, "cores": 1, "seed": 1, "progress_bar": False}
    ours, theirs = (
        nutpie.sample(compiled, **keywords)["posterior"].to_dataset()
        for compiled in (compile_graph(graph), nutpie.compile_pymc_model(graph))
    )
    xr.testing.assert_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["nutpie", "numpyro"])
def test_draws_depend_on_neither_cores_nor_what_was_sampled_before(engine: str) -> None:
    """A result would depend on the machine, or on what else was fitted in the same run."""
    # no more draws than the gate asks for: no rung is climbed
    settings = Settings(draws=100, tune=100, jobs=1)

    def terms(priors: Priors, jobs: int) -> np.ndarray:
        tree, _ = get_engine(engine).run(MIXED, slopes_frame(), priors, replace(settings, jobs=jobs), 1)
        return tree["posterior"]["terms"].to_numpy()

    first = terms(Priors(), 1)
    other = terms(replace(Priors(), slope_mean=0.7, residual_sd=HalfStudentT(3, 9)), 1)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first, terms(Priors(), 2))
