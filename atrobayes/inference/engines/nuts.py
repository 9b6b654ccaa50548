"""What the NUTS engines share: one graph per template, the data swapped from outcome to outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

# takes the numbers of the graph and a seed, gives posterior and sample_stats
Sampler = Callable[[dict[str, np.ndarray], int], xr.DataTree]
STATS = ("diverging", "energy", "n_steps", "step_size")


@dataclass(frozen=True)
class Work:
    """One data set for a sampler: one outcome, or all of a joint model.

    Attributes
    ----------
    frame : Frame
        Its rows and outcomes.
    seed : int
        Its own.
    """

    frame: Frame
    seed: int


def pieces(model: Model, frame: Frame, seed: int) -> list[Work]:
    """Split a frame into what is sampled at once; seeds do not depend on what else is there."""
    if model.joint:
        return [Work(frame, derive(seed, model.name))]
    values = ~np.isnan(frame.y.to_numpy())
    return [
        Work(frame.select(np.flatnonzero(values[:, k]), np.array([k])), derive(seed, outcome))
        for k, outcome in enumerate(frame.outcomes)
    ]


def build(model: Model, frame: Frame, priors: Priors) -> Any:
    """Build the model's graph, ready for any engine."""
    import pytensor

    # with fast-math on, a cold and a warm compilation cache give different draws
    pytensor.config.numba__fastmath = False
    return model.graph(frame, priors)


def graph_key(model: Model, graph: Any) -> str:
    """Name what one compilation serves: graphs of one template whose free variables have equal shapes."""
    point = graph.initial_point()
    return "/".join([model.template, *(f"{name}{np.shape(value)}" for name, value in sorted(point.items()))])


def run_nuts(
    sampler: ModuleType,
    compile_sampler: Callable[[Any, str], Sampler],
    model: Model,
    frame: Frame,
    priors: Priors,
    settings: Settings,
    seed: int,
) -> tuple[xr.DataTree, Draws]:
    """Sample every outcome.

    Parameters
    ----------
    sampler : module
        What samples: its name and version go into the history.
    compile_sampler : callable
        Takes a graph and its key, gives a Sampler.
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
    found = []
    for piece in pieces(model, frame, seed):
        graph = build(model, piece.frame, priors)
        sample = compile_sampler(graph, graph_key(model, graph))
        tree = sample(model.data(piece.frame, priors), piece.seed)
        found.append(_tidy(tree, model, piece.frame, priors))
        settings.progress(len(found), len(frame.outcomes))
    posterior, stats = (xr.concat([pair[i] for pair in found], dim="outcome") for i in (0, 1))
    posterior = posterior.transpose("chain", "draw", "outcome", ...)
    groups = {"/": xr.Dataset(attrs=_ran(sampler)), "/posterior": posterior, "/sample_stats": stats}
    terms = posterior["terms"]
    names = (tuple(terms[dim].to_numpy().tolist()) for dim in ("outcome", "term"))
    return xr.DataTree.from_dict(groups), Draws(*names, terms.to_numpy())


def _ran(sampler: ModuleType) -> dict[str, str]:
    """Name and version as the module that sampled says them."""
    return {"engine": sampler.__name__, "engine_version": str(sampler.__version__)}


def _tidy(tree: xr.DataTree, model: Model, frame: Frame, priors: Priors) -> tuple[xr.Dataset, xr.Dataset]:
    """Posterior in raw units, and the sampler's record, once for each outcome."""
    draws = tree["posterior"].to_dataset()
    posterior = xr.Dataset({"terms": model.terms(draws, frame, priors), "sds": model.sds(draws, frame, priors)})
    stats = tree["sample_stats"].to_dataset()
    # the rest of a sampler's record, times of day among it, would make equal runs differ
    stats = stats[[name for name in STATS if name in stats]].reset_coords(drop=True).drop_attrs()
    own = list(posterior["terms"]["outcome"].to_numpy())
    return posterior, xr.concat([stats] * len(own), dim="outcome").assign_coords(outcome=own)
