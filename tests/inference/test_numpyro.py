"""NumPyro on the PyMC graph: equal densities, equal names, lanes that know nothing of each other."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr
from simulated import frame_of, long_table

from atrobayes.inference.engine import Settings, get_engine
from atrobayes.inference.engines import numpyro as engine
from atrobayes.inference.engines.nuts import build
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors

SETTINGS = Settings(draws=100, tune=100, chains=4)


def frame(outcomes: int = 3) -> Frame:
    """The last outcome is missing in a row, so that it makes a batch of its own."""
    whole = frame_of(long_table(5, patients=12, outcomes=outcomes))
    y = whole.y.copy()
    y[2, outcomes - 1] = np.nan
    return whole.with_outcomes(y)


@cache
def drawn(*outcomes: int) -> xr.Dataset:
    some = frame().select(np.arange(len(frame().x)), np.array(outcomes))
    tree, _ = get_engine("numpyro").run(get_model("mixed"), some, Priors(), SETTINGS, 1)
    return xr.merge([tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed", "mixed_robust"])
@pytest.mark.parametrize("centred", [False, True])
def test_log_density_and_variables_in_jax_are_those_of_the_graph(name: str, centred: bool) -> None:
    """NumPyro would sample another model than the one PyMC and nutpie sample."""
    import jax

    jax.config.update("jax_enable_x64", val=True)
    model, own = get_model(name), frame_of(long_table(6, patients=15))
    other = model.data(own, Priors(slope_sd=0.9))
    graph = build(model, frame_of(long_table(5, patients=15)), Priors(), centred=centred)
    log_density, constrained = engine._translate(graph, {key: other[key].shape for key in sorted(other)})
    point = {key: np.asarray(value + 0.3) for key, value in graph.initial_point().items()}
    values, numbers = [point[value.name] for value in graph.value_vars], [other[key] for key in sorted(other)]

    import pymc as pm

    pm.set_data(other, model=graph)
    assert np.isclose(graph.compile_logp(mode="FAST_COMPILE")(point), log_density(values, numbers), rtol=1e-10)
    shown = dict(zip([v.name for v in graph.free_RVs], constrained(values, numbers), strict=True))
    assert np.allclose(np.exp(point["patient_sd_log__"]), shown["patient_sd"])
    np.testing.assert_array_equal(point["coefficients"], shown["coefficients"])


@pytest.mark.slow
def test_draws_repeat() -> None:
    """A result could not be had twice."""
    first = drawn(0, 1, 2)
    drawn.cache_clear()
    xr.testing.assert_identical(first, drawn(0, 1, 2))


@pytest.mark.slow
def test_an_outcome_is_drawn_alike_whatever_stands_beside_it() -> None:
    """A structure's result would hang on which other structures are fitted."""
    for k in (0, 2):
        alone, beside = drawn(k), drawn(0, 1, 2)
        own = beside.sel(outcome=alone["outcome"].to_numpy())
        np.testing.assert_allclose(alone["energy"], own["energy"], rtol=1e-8)
        np.testing.assert_allclose(alone["terms"], own["terms"], rtol=1e-6)


@pytest.mark.slow
def test_what_is_recorded_is_in_double_precision_and_by_the_names_of_the_others() -> None:
    """Single precision, or a record that the gate cannot read."""
    stats = drawn(0, 1, 2)
    assert {"diverging", "energy", "n_steps", "step_size", "ebfmi", "rung"} <= set(stats)
    assert np.dtype("float64") == stats["terms"].dtype == stats["energy"].dtype
    assert {"outcome": 3, "chain": 4, "draw": 100} == {dim: stats["energy"].sizes[dim] for dim in stats["energy"].dims}
    # chains of one outcome are chains, not copies of each other
    assert 12 == len(np.unique(stats["terms"].isel(draw=-1, term=0)))
