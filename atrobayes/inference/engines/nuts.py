"""What the NUTS engines share: one graph per design, the response swapped from outcome to outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

RESPONSE = "response"
# takes the standardised outcome and a seed, gives posterior and sample_stats
Sampler = Callable[[np.ndarray, int], xr.DataTree]
STATS = ("diverging", "energy", "n_steps", "step_size")


def swappable(model: Model, frame: Frame, priors: Priors) -> tuple[Any, Any]:
    """Build the model's graph with its one observed variable held in a shared array.

    Returns
    -------
    pymc.Model, pytensor shared variable
        Setting the second changes the data of the first.
    """
    import pytensor

    # with fast-math on, a cold and a warm compilation cache give different draws
    pytensor.config.numba__fastmath = False
    graph = model.graph(frame, priors).copy()
    (observed,) = graph.observed_RVs
    response = pytensor.shared(frame.y_standardised[:, 0].copy(), name=RESPONSE, shape=(None,))
    graph.rvs_to_values[observed] = response
    graph.values_to_rvs[response] = observed
    return graph, response


def run_nuts(
    sampler: ModuleType,
    compile_sampler: Callable[[Any, Any], Sampler],
    model: Model,
    frame: Frame,
    priors: Priors,
    settings: Settings,
    seed: int,
) -> tuple[xr.DataTree, Draws]:
    """Sample every outcome; one compilation for each pattern of missing values.

    Parameters
    ----------
    sampler : module
        What samples: its name and version go into the history.
    compile_sampler : callable
        Takes graph and response of `swappable`, gives a Sampler.
    model : Model
    frame : Frame
    priors : Priors
    settings : Settings
    seed : int
        Each outcome's own is derived from it and the outcome's name.

    Returns
    -------
    tree : DataTree
        As the engine contract has it.
    marginals : Draws
        Raw units.
    """
    by_outcome: dict[int, tuple[xr.Dataset, xr.Dataset]] = {}
    for rows, outcomes in frame.patterns():
        some = frame.select(rows, outcomes)
        with _quiet_build():
            sample = compile_sampler(*swappable(model, some, priors))
        for k, outcome in enumerate(outcomes):
            tree = sample(some.y_standardised[:, k].copy(), derive(seed, frame.outcomes[outcome]))
            by_outcome[outcome] = _tidy(tree, model, some, k)
            settings.progress(len(by_outcome), len(frame.outcomes))
    ordered = [by_outcome[k] for k in range(len(frame.outcomes))]
    labels = xr.DataArray(list(frame.outcomes), dims="outcome", name="outcome")
    posterior, stats = (xr.concat([pair[i] for pair in ordered], dim=labels) for i in (0, 1))
    posterior = posterior.transpose("chain", "draw", "outcome", ...)
    groups = {"/": xr.Dataset(attrs=_ran(sampler)), "/posterior": posterior, "/sample_stats": stats}
    terms = posterior["terms"]
    return xr.DataTree.from_dict(groups), Draws(
        frame.outcomes, tuple(terms["term"].to_numpy().tolist()), terms.to_numpy()
    )


def _ran(sampler: ModuleType) -> dict[str, str]:
    """Name and version as the module that sampled says them."""
    return {"engine": sampler.__name__, "engine_version": str(sampler.__version__)}


def _tidy(tree: xr.DataTree, model: Model, frame: Frame, k: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Posterior of one outcome in raw units, and the sampler's record."""
    draws = tree["posterior"].to_dataset()
    posterior = xr.Dataset(
        {
            "terms": model.terms(draws, frame) * frame.slope_scale[k],
            "sds": model.sds(draws) * frame.scales.y_sd[k],
        }
    )
    posterior["terms"].attrs["units"] = frame.unit
    stats = tree["sample_stats"].to_dataset()
    # the rest of a sampler's record, times of day among it, would make equal runs differ
    return posterior, stats[[name for name in STATS if name in stats]].reset_coords(drop=True).drop_attrs()


@contextmanager
def _quiet_build() -> Iterator[None]:
    """Bambi looks for string columns in a way pandas warns about; nothing of ours is to be warned of."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*select_dtypes.*")
        warnings.filterwarnings("ignore", message=".*'object' dtype.*")
        yield
