"""NUTS through Bambi and quadrature: two unrelated algorithms, one posterior."""

from __future__ import annotations

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm
from simulated import frame_of, long_table

from atrobayes.inference.engine import Settings, get_engine
from atrobayes.inference.engines.quadrature.solve import integrate
from atrobayes.inference.fit import fit
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import Mixed
from atrobayes.models.priors import HalfStudentT, Priors

# fixed before looking
SEED = 20_261
LEVELS = (0.025, 0.5, 0.975)
PROBABILITY = 0.0005


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
def chains() -> xr.Dataset:
    settings = Settings(draws=10_000, tune=2000, chains=4, target_accept=0.95, jobs=2)
    tree, _ = get_engine("nutpie").run(Mixed(), five_data_sets(), Priors(), settings, SEED)
    return tree["posterior"].to_dataset()


def deviations(chains: xr.Dataset, priors: Priors) -> np.ndarray:
    """|difference| / MCSE of mean, SD and three quantiles, of all terms and SDs of all data sets."""
    frame = five_data_sets()
    linear = Mixed().linear(frame, priors)
    sums = gather(linear.X, frame.y_standardised, linear.patient, linear.residual_block)
    solution = integrate(linear, sums, frame.outcomes).solution
    mixture = solution.mixture.scaled(frame.slope_scale)
    sd_scale = frame.scales.y_sd[:, None]
    out = []
    for name, exact, scale in (("terms", mixture, 1.0), ("sds", solution.curves, sd_scale)):
        draws = chains[[name]]
        found = {
            "mean": (draws[name].mean(("chain", "draw")), exact.mean() * scale, az.mcse(draws, method="mean")),
            "sd": (draws[name].std(("chain", "draw"), ddof=1), exact.sd() * scale, az.mcse(draws, method="sd")),
        }
        for q in LEVELS:
            error = az.mcse(draws, method="quantile", prob=q)
            found[f"q{q}"] = (draws[name].quantile(q, ("chain", "draw")), exact.quantile(q) * scale, error)
        out += [((a - b) / error[name]).to_numpy().ravel() for a, b, error in found.values()]
    return np.concatenate(out)


def agree(z: np.ndarray) -> bool:
    """The family-wise rule: no deviation too large for the number of comparisons, and none systematic."""
    return bool(np.abs(z).max() < norm.isf(PROBABILITY / len(z)) and np.sqrt(np.mean(z**2)) < 1.3)


@pytest.mark.slow
def test_quadrature_and_nuts_agree(chains: xr.Dataset) -> None:
    """One of the two engines would compute another posterior than the one described."""
    assert chains.sizes["chain"] * chains.sizes["draw"] >= 20_000
    assert max(float(az.rhat(chains)[name].max()) for name in ("terms", "sds")) < 1.005
    z = deviations(chains, Priors())
    assert len(z) == 125
    assert agree(z), (np.abs(z).max(), np.sqrt(np.mean(z**2)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [{"slope_sd": 0.6}, {"slope_correlation": 0.2}, {"patient_sd": HalfStudentT(3, 0.5)}],
    ids=str,
)
def test_the_comparison_notices_a_wrong_prior(chains: xr.Dataset, wrong: dict) -> None:
    """A comparison too weak to see a wrong prior would prove nothing."""
    assert not agree(deviations(chains, replace(Priors(), **wrong)))


@pytest.mark.slow
def test_pymc_and_a_structure_missing_in_some_rows_go_through_the_same_door() -> None:
    """The second NUTS engine, or missing volumes, would break or change a result."""
    frame = frame_of(long_table(3, outcomes=2))
    y = frame.y.copy()
    y[4, 1] = np.nan
    frame = frame.with_outcomes(y)
    settings = Settings(draws=500, tune=500, chains=2)
    exact = fit(Mixed(), frame, Priors(), engine="quadrature", settings=settings)
    sampled = fit(Mixed(), frame, Priors(), engine="pymc", settings=settings)
    assert "pymc" == sampled.history["engine"]["name"]
    # 1,000 draws: a mean is known to about 0.05 posterior SDs
    apart = (exact.marginals.mean() - sampled.marginals.mean()) / exact.marginals.sd()
    assert np.abs(apart).max() < 0.25
    assert sampled.verdict.kind == "nuts"
    assert np.isfinite(sampled.verdict.table["rhat"].to_numpy()).all()


@pytest.mark.slow
def test_nutpie_draws_are_the_same_whatever_the_number_of_cores() -> None:
    """A result would depend on the machine it is computed on."""
    frame = frame_of(long_table(SEED, patients=52, tau=0.6))
    trees = [
        get_engine("nutpie").run(Mixed(), frame, Priors(), Settings(draws=200, tune=200, jobs=jobs), 1)[0]
        for jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*(tree["posterior"]["terms"].to_numpy() for tree in trees))
