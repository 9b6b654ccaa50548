"""Our posteriors against Stan's: programs written by brms or by hand, run in R, on the same data and priors."""

from __future__ import annotations

from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from atrobayes.inference.engine import Settings, get_engine
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors

REFERENCE = Path(__file__).parents[1] / "reference" / "brms"
# fixed before looking
SEED = 7
PROBABILITY = 0.0005
DATASETS = ("regular", "heavy")
LEVELS = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
STATISTICS = ("mean", "sd", *LEVELS)
SETTINGS = Settings(draws=5000, tune=2000, chains=4, target_accept=0.95, jobs=2)


def stan(model: str, dataset: str) -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "posterior.tsv", sep="\t")
    return table[(table["model"] == model) & (table["dataset"] == dataset)].set_index("parameter")


def changes(dataset: str) -> Frame:
    """The standardised columns, which the frame's own standardisation leaves as they are."""
    table = pd.read_csv(REFERENCE / "changes.tsv", sep="\t")
    return Frame.from_table(
        table[table["dataset"] == dataset],
        outcomes=["y"],
        predictor="x",
        group="group",
        groups=("CLAD", "ALEM"),
        patient="patient",
        outcome_sd={"y": 1.0},
    )


def course(kind: str, value: str) -> Frame:
    table = pd.read_csv(REFERENCE / f"{kind}.tsv", sep="\t").rename(columns={value: "y"})
    table = table.assign(visit_from=table["visit"], visit_to=table["visit"], years=table.get("time", 1.0))
    groups = ("CLAD", "ALEM")
    return Frame.from_table(
        table, outcomes=["y"], group="group", groups=groups, patient="patient", kind=kind, exposure="years"
    )


def summary(draws: xr.DataArray) -> pd.DataFrame:
    """Statistics and their Monte Carlo errors of draws (chain, draw, parameter)."""
    data = draws.to_dataset(name="v")
    found = {"mean": draws.mean(("chain", "draw")), "sd": draws.std(("chain", "draw"), ddof=1)}
    errors = {name: az.mcse(data, method=name)["v"] for name in found}
    for name, level in LEVELS.items():
        found[name] = draws.quantile(level, ("chain", "draw"))
        errors[name] = az.mcse(data, method="quantile", prob=level)["v"]
    columns = found | {f"mcse_{name}": error for name, error in errors.items()}
    names = draws["parameter"].to_numpy()
    return pd.DataFrame({name: values.to_numpy() for name, values in columns.items()}, index=names)


def deviations(ours: pd.DataFrame, theirs: pd.DataFrame) -> np.ndarray:
    """(difference) / Monte Carlo error of both, every statistic of every parameter."""
    theirs = theirs.loc[ours.index]
    return np.concatenate(
        [
            ((ours[name] - theirs[name]) / np.hypot(ours.get(f"mcse_{name}", 0.0), theirs[f"mcse_{name}"])).to_numpy()
            for name in STATISTICS
        ]
    )


def agree(z: np.ndarray) -> bool:
    """The family-wise rule: no deviation too large for the number of comparisons, and none systematic."""
    return bool(np.abs(z).max() < norm.isf(PROBABILITY / len(z)) and np.sqrt(np.mean(z**2)) < 1.3)


def by_quadrature(dataset: str, priors: Priors) -> pd.DataFrame:
    _, mixture = get_engine("quadrature").run(get_model("mixed"), changes(dataset), priors, Settings(), SEED)
    columns = {"mean": mixture.mean(), "sd": mixture.sd()}
    columns |= {name: mixture.quantile(level) for name, level in LEVELS.items()}
    names = {"interaction": "x:side"}
    return pd.DataFrame({k: v[0] for k, v in columns.items()}, index=[names.get(t, t) for t in mixture.terms])


def sampled(model: str, frame: Frame) -> xr.DataArray:
    """Terms, then what else the model has: (chain, draw, parameter), by nutpie."""
    tree, _ = get_engine("nutpie").run(get_model(model), frame, Priors(), SETTINGS, SEED)
    draws = tree["posterior"].to_dataset().isel(outcome=0)
    assert float(az.rhat(draws[["terms"]])["terms"].max()) < 1.005
    parts = [draws[name].rename({dim: "parameter"}) for name, dim in (("terms", "term"), ("sds", "sd"))]
    return xr.concat(parts, dim="parameter", coords="minimal", compat="override").drop_attrs()


def test_quadrature_gives_the_posterior_of_stan() -> None:
    """The mixed model would not be the one written down, or its priors not those named."""
    z = np.concatenate([deviations(by_quadrature(name, Priors()), stan("gaussian", name)) for name in DATASETS])
    assert 30 == len(z)
    assert agree(z), z


def test_the_comparison_with_stan_notices_a_wrong_prior() -> None:
    """A comparison too weak to see a wrong prior would prove nothing."""
    assert not agree(deviations(by_quadrature("regular", Priors(slope_sd=0.6)), stan("gaussian", "regular")))


@pytest.mark.slow
def test_student_t_errors_give_the_posterior_of_stan() -> None:
    """The robust rows would come from another model than the one named."""
    ours = {
        name: summary(sampled("mixed_robust", changes(name))).rename({"interaction": "x:side"}) for name in DATASETS
    }
    z = np.concatenate([deviations(table, stan("student", name)) for name, table in ours.items()])
    assert 60 == len(z)
    assert agree(z), z


@pytest.mark.slow
def test_counts_give_the_posterior_of_stan() -> None:
    """Rates of lesions and relapses would come from another model than the one named."""
    draws = sampled("counts", course("counts", "count"))
    # Stan's log rates are those of a median patient: half the patients' variance lies between
    half = draws.sel(parameter="patient_sd") ** 2 / 2
    cells = [f"rate[{group},{visit}]" for group in ("CLAD", "ALEM") for visit in range(4)]
    rates = np.log(draws.sel(parameter=cells)) - half
    rates = rates.assign_coords(parameter=[f"log_rate[{i + 1}]" for i in range(8)])
    others = draws.sel(parameter=["patient_sd", "dispersion"]).assign_coords(
        parameter=["patient_sd", "inverse_sqrt_shape"]
    )
    ours = summary(xr.concat([rates, others], dim="parameter", coords="minimal", compat="override"))
    z = deviations(ours, stan("counts", "counts"))
    assert 50 == len(z)
    assert agree(z), z


@pytest.mark.slow
def test_scores_give_the_posterior_of_stan() -> None:
    """The EDSS of the groups would come from another model than the one named."""
    frame = course("scores", "score")
    draws = sampled("ordinal", frame)
    effects = [name for name in draws["parameter"].to_numpy() if name.startswith("effect[")]
    cells = [f"effect[{group},{visit}]" for group in ("CLAD", "ALEM") for visit in range(4)]
    assert set(effects) == set(cells)
    steps = [name for name in draws["parameter"].to_numpy() if name.startswith("threshold[")]
    names = [f"d[{i + 1}]" for i in range(8)] + [f"c[{i + 1}]" for i in range(7)] + ["patient_sd"]
    chosen = draws.sel(parameter=[*cells, *steps, "patient_sd"]).assign_coords(parameter=names)
    z = deviations(summary(chosen), stan("scores", "scores"))
    assert 80 == len(z)
    assert agree(z), z
