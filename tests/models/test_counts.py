"""Counts by visit and group: the density as written down, terms by hand, known rates recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats

from atrobayes.errors import DataError
from atrobayes.inference.engine import Settings
from atrobayes.inference.fit import fit
from atrobayes.models.counts import COUNTS
from atrobayes.models.frame import Frame
from atrobayes.models.priors import Priors
from atrobayes.models.terms import terms_of

# no compiler to wait for
PYTHON = Mode(linker="py", optimizer="fast_compile")
RATES = {("CLAD", 0): 2.0, ("CLAD", 1): 0.5, ("ALEM", 0): 3.0, ("ALEM", 1): 0.2, ("ALEM", 2): 1.0}


def _frame(patients: int = 30, seed: int = 1, *, tau: float = 0.6, shape: float = 1.5) -> Frame:
    """Two groups, three visits; CLAD has no visit 2. RATES are those of the mean patient."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(patients):
        group, own = ("CLAD", "ALEM")[person % 2], tau * rng.normal()
        for visit in (0, 1, 2):
            if (group, visit) in RATES and (person + visit) % 7:
                years = 1.0 if visit == 0 else rng.uniform(0.8, 1.6)
                mean = years * np.exp(np.log(RATES[group, visit]) + own) * rng.gamma(shape) / shape
                rows.append((f"P{person:03d}", group, visit - 1, visit, years, rng.poisson(mean)))
    columns = ["patient", "group", "visit_from", "visit_to", "years", "new_t2"]
    return Frame.from_table(
        pd.DataFrame(rows, columns=columns),
        outcomes=["new_t2"],
        group="group",
        groups=("CLAD", "ALEM"),
        patient="patient",
        kind="counts",
        exposure="years",
    )


def _draws(frame: Frame, seed: int = 5) -> xr.Dataset:
    rng, shape = np.random.default_rng(seed), (2, 50)
    return xr.Dataset(
        {
            "log_rate": (("chain", "draw"), rng.normal(0, 1, shape)),
            "cell_effects": (("chain", "draw", "cell_effects_dim_0"), rng.normal(0, 1, (*shape, 5))),
            "dispersion": (("chain", "draw"), rng.uniform(0.1, 2, shape)),
            "patient_sd": (("chain", "draw"), rng.uniform(0.1, 1, shape)),
        }
    )


@pytest.mark.parametrize("centred", [False, True])
def test_log_density_of_the_graph_is_the_negative_binomial_written_down(centred: bool) -> None:
    """A shape for its inverse, or an offset left out, would turn rates into something else."""
    frame = _frame()
    graph = COUNTS.graph(frame, Priors(), centred=centred)
    density, start, rng = graph.compile_logp(mode=PYTHON), graph.initial_point(), np.random.default_rng(2)
    cell = np.array([2 * visit + code for visit, code in zip(frame.visits[:, 1], frame.group, strict=True)])
    cell = np.searchsorted(np.unique(cell), cell)
    y = frame.y.to_numpy()[:, 0]
    for _ in range(50):
        point = {name: np.asarray(rng.normal(0, 1, np.shape(value))) for name, value in start.items()}
        log_root, log_tau = point["dispersion_log__"], point["patient_sd_log__"]
        root, tau = np.exp(log_root), np.exp(log_tau)
        drawn = point["intercepts" if centred else "intercepts_raw"]
        own = drawn if centred else tau * drawn
        mean = frame.years * np.exp(point["log_rate"] + point["cell_effects"][cell] + own[frame.patient])
        shape = root**-2
        expected = (
            stats.norm.logpdf(point["log_rate"], 0, 1.5)
            + stats.norm.logpdf(point["cell_effects"]).sum()
            + stats.norm.logpdf(drawn, 0, tau if centred else 1).sum()
            + stats.halfnorm.logpdf([root, tau]).sum()
            + log_root
            + log_tau
            + stats.nbinom.logpmf(y, shape, shape / (shape + mean)).sum()
        )
        assert np.isclose(expected, density(point), rtol=1e-9, atol=0)


def test_log_density_is_finite_where_means_and_shapes_are_extreme() -> None:
    """A sampler that meets an overflow on its way reports divergences for a model that has none."""
    graph = COUNTS.graph(_frame(), Priors())
    gradient = graph.compile_dlogp(mode=PYTHON)
    start = graph.initial_point()
    for name, value in (("log_rate", 60.0), ("log_rate", -60.0), ("dispersion_log__", -9.0), ("dispersion_log__", 4.0)):
        assert np.isfinite(gradient({**start, name: np.asarray(value)})).all()


def test_rate_of_a_cell_is_the_mean_over_patients() -> None:
    """exp of the mean log rate is the rate of the median patient, well below the mean count beside it."""
    frame = _frame()
    draws = _draws(frame)
    terms = COUNTS.terms(draws, frame, Priors())
    assert [term.name for term in terms_of(frame)] == terms["term"].to_numpy().tolist()
    overall, tau = (draws[name].to_numpy()[1, 7] for name in ("log_rate", "patient_sd"))
    effect = draws["cell_effects"].to_numpy()[1, 7]
    patients = np.exp(overall + effect[3] + tau * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000))
    rate = terms.isel(chain=1, draw=7, outcome=0).sel(term="rate[ALEM,1]").item()
    assert patients.mean() == pytest.approx(rate, rel=1e-3)


def test_rate_ratio_is_first_group_over_second_at_the_same_visit() -> None:
    """Cells of other visits, or the ratio upside down, would say the opposite of the data."""
    frame = _frame()
    terms = COUNTS.terms(_draws(frame), frame, Priors()).isel(outcome=0)
    ratios = [name for name in terms["term"].to_numpy().tolist() if name.startswith("rate_ratio")]
    assert ["rate_ratio[CLAD/ALEM,0]", "rate_ratio[CLAD/ALEM,1]"] == ratios
    for visit in (0, 1):
        first, second = (terms.sel(term=f"rate[{group},{visit}]") for group in ("CLAD", "ALEM"))
        np.testing.assert_allclose(first / second, terms.sel(term=f"rate_ratio[CLAD/ALEM,{visit}]"))


def test_what_else_must_converge_is_on_the_log_scale() -> None:
    """Patient SD times the counts' SD would be no number of this model."""
    frame = _frame()
    draws = _draws(frame)
    sds = COUNTS.sds(draws, frame, Priors())
    assert ("chain", "draw", "outcome", "sd") == sds.dims
    for name in ("patient_sd", "dispersion", "log_rate"):
        np.testing.assert_array_equal(draws[name], sds.isel(outcome=0).sel(sd=name))


def test_no_term_claims_a_normal_prior() -> None:
    """A Bayes factor from a prior that is not the model's would be wrong, not absent."""
    frame = _frame()
    for values in COUNTS.term_priors(frame, Priors()):
        assert (1, len(terms_of(frame))) == values.shape
        assert np.isnan(values).all()


@pytest.mark.parametrize("wrong", [-1.0, 0.5, np.nan])
def test_a_count_that_is_none_is_refused(wrong: float) -> None:
    """-1 often stands for missing: as a number it would end up in the likelihood."""
    frame = _frame()
    y = frame.y.copy()
    y[4, 0] = wrong
    with pytest.raises(DataError, match=r"new_t2: found .*patient P00\d, visit \d.*whole number"):
        COUNTS.data(frame.with_outcomes(y), Priors())


@pytest.mark.slow
def test_known_rates_are_recovered() -> None:
    """The model would fit, but not what it says it fits."""
    frame = _frame(patients=120, seed=3)
    found = fit(COUNTS, frame, Priors(), engine="nutpie", settings=Settings(draws=500, tune=500, jobs=2))
    posterior = found.tree["posterior"].to_dataset().isel(outcome=0)
    drawn = {str(name): posterior["terms"].sel(term=name) for name in posterior["term"].to_numpy()}
    truth = {f"rate[{group},{visit}]": rate * np.exp(0.6**2 / 2) for (group, visit), rate in RATES.items()}
    truth["rate_ratio[CLAD/ALEM,1]"] = 2.5
    values = {name: (true, drawn[name]) for name, true in truth.items()}
    values["patient_sd"] = (0.6, posterior["sds"].sel(sd="patient_sd"))
    values["dispersion"] = (1.5**-0.5, posterior["sds"].sel(sd="dispersion"))
    assert {} == {
        name: (true, float(own.mean()), float(own.std()))
        for name, (true, own) in values.items()
        if not abs(true - float(own.mean())) < 4 * float(own.std())
    }
    # a posterior as wide as the prior would hold every truth
    assert float(drawn["rate[ALEM,0]"].std()) < 1
