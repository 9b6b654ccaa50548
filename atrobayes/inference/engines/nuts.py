"""What the NUTS engines share: one graph per template, data swapped in, failing outcomes up the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.inference.diagnose import LADDER, LEAST_ESS, Rung, Verdict, diagnose, ebfmi
from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.given_sds import term_normals
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws, Mixture
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

STATS = ("diverging", "energy", "n_steps", "step_size")


@dataclass(frozen=True)
class Work:
    """One data set for a sampler: one outcome, or all of a joint model.

    Attributes
    ----------
    graph : pymc.Model
        Built for this data set.
    key : str
        One compilation serves all graphs of one key.
    data : dict of str to ndarray
        The graph's numbers.
    seed : int
        Its own.
    """

    graph: Any
    key: str
    data: dict[str, np.ndarray]
    seed: int


# gives posterior and sample_stats of each data set, in order; all have one key and data of equal shapes
Sampler = Callable[[Sequence[Work], Settings], Iterator[xr.DataTree]]


@dataclass(frozen=True)
class _Attempt:
    """What one rung gave for one data set."""

    posterior: xr.Dataset
    stats: xr.Dataset
    given: Mixture | None
    verdict: Verdict


def pieces(model: Model, frame: Frame) -> list[Frame]:
    """Split a frame into what is sampled at once: its outcomes, each with its own rows; a joint model's whole."""
    if model.joint:
        return [frame]
    values = ~np.isnan(frame.y.to_numpy())
    return [frame.select(np.flatnonzero(values[:, k]), np.array([k])) for k in range(len(frame.outcomes))]


def build(model: Model, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
    """Build the model's graph, ready for any engine.

    Parameters
    ----------
    model : Model
    frame : Frame
    priors : Priors
    centred : bool
        As `Model.graph` has it.
    """
    import pytensor

    # with fast-math on, a cold and a warm compilation cache give different draws
    pytensor.config.numba__fastmath = False
    return model.graph(frame, priors, centred=centred)


def graph_key(model: Model, graph: Any, data: dict[str, np.ndarray], *, centred: bool = False) -> str:
    """Name what one compilation serves: graphs of one template, shapes of free variables and types of data.

    Parameters
    ----------
    model : Model
    graph : pymc.Model
        Built by `build`.
    data : dict of str to ndarray
        Its numbers.
    centred : bool
        How it was built.
    """
    form = "centred" if centred else "as it is"
    shapes = [f"{name}{np.shape(value)}" for name, value in sorted(graph.initial_point().items())]
    # a graph built on whole numbers would cut the fractions off all that follow
    types = [f"{name}:{values.dtype.kind}" for name, values in sorted(data.items())]
    return "/".join([model.template, form, *shapes, *types])


def run_nuts(
    sampler: ModuleType,
    sample: Sampler,
    model: Model,
    frame: Frame,
    priors: Priors,
    settings: Settings,
    seed: int,
) -> tuple[xr.DataTree, Draws]:
    """Sample every outcome; those that fail the gate again, up the ladder.

    Parameters
    ----------
    sampler : module
        What samples: its name and version go into the history.
    sample : Sampler
    model : Model
    frame : Frame
    priors : Priors
    settings : Settings
    seed : int
        That of an outcome on a rung is derived from it, the outcome's name and the rung.

    Returns
    -------
    tree : DataTree
        As the engine contract has it; `sample_stats` has the rung each outcome was taken from, and `conditional`
        the normals of each term given the drawn SDs where the model has such.
    marginals : Draws
        Raw units.

    Notes
    -----
    An outcome that passes on no rung keeps the attempt with the smallest R-hat; the gate marks it. With no more
    than 400 draws asked for, an ESS above 400 is out of reach and no rung is climbed.
    """
    own = pieces(model, frame)
    best: dict[int, _Attempt] = {}
    pending = list(range(len(own)))
    for number, rung in enumerate(LADDER if settings.draws * settings.chains > LEAST_ESS else LADDER[:1]):
        work = {k: _work(model, own[k], priors, rung, _seed(seed, model, own[k], number)) for k in pending}
        for k, tree in _sample_alike(sample, work, rung.settings(settings)):
            attempt = _attempt(_thin(tree, rung.longer), model, own[k], priors, number)
            best[k] = min([*filter(None, [best.get(k)]), attempt], key=_badness)
            pending = [i for i in pending if i not in best or not best[i].verdict.passed]
            settings.progress(len(own) - len(pending), len(own))
        if not pending:
            break
    settings.progress(len(own), len(own))
    return _together(sampler, [best[k] for k in range(len(own))])


def _seed(seed: int, model: Model, piece: Frame, rung: int) -> int:
    return derive(seed, model.name if model.joint else piece.outcomes[0], f"rung {rung}")


def _work(model: Model, piece: Frame, priors: Priors, rung: Rung, seed: int) -> Work:
    graph = build(model, piece, priors, centred=rung.centred)
    data = model.data(piece, priors)
    return Work(graph, graph_key(model, graph, data, centred=rung.centred), data, seed)


def _sample_alike(sample: Sampler, work: dict[int, Work], settings: Settings) -> Iterator[tuple[int, xr.DataTree]]:
    """Hand over together what has one key and data of equal shapes."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for k, one in work.items():
        shapes = tuple((name, values.shape) for name, values in sorted(one.data.items()))
        alike.setdefault((one.key, *shapes), []).append(k)
    for members in alike.values():
        yield from zip(members, sample([work[k] for k in members], settings), strict=True)


def _attempt(tree: xr.DataTree, model: Model, frame: Frame, priors: Priors, rung: int) -> _Attempt:
    """Posterior in raw units, the sampler's record once for each outcome, and the gate's verdict."""
    draws = tree["posterior"].to_dataset()
    posterior = xr.Dataset({"terms": model.terms(draws, frame, priors), "sds": model.sds(draws, frame, priors)})
    if "coefficients" in draws and not model.joint:
        # what the predictive density of a patient's rows is computed from
        beta = draws["coefficients"].rename(coefficients_dim_0="coefficient").drop_vars("coefficient", errors="ignore")
        beta = beta.expand_dims(outcome=list(frame.outcomes)).assign_attrs(units="standardised")
        posterior["coefficients"] = beta
    stats = tree["sample_stats"].to_dataset().assign(rung=rung)
    own = list(posterior["terms"]["outcome"].to_numpy())
    stats = xr.concat([stats] * len(own), dim="outcome").assign_coords(outcome=own)
    whole = xr.DataTree.from_dict({"/posterior": posterior, "/sample_stats": stats})
    return _Attempt(posterior, stats, term_normals(model, frame, priors, posterior["sds"]), diagnose(whole))


def _badness(attempt: _Attempt) -> tuple[bool, float]:
    return not attempt.verdict.passed, float(np.nan_to_num(attempt.verdict.checks["largest R-hat"], nan=np.inf))


def _thin(tree: xr.DataTree, longer: int) -> xr.DataTree:
    """Keep every `longer`-th draw; a divergence among those left out stays counted, E-BFMI is of all."""
    posterior, stats = (tree[name].to_dataset().reset_coords(drop=True) for name in ("posterior", "sample_stats"))
    # the rest of a sampler's record, times of day among it, would make equal runs differ
    stats = stats[[name for name in STATS if name in stats]].drop_attrs()
    kept = {"draw": slice(longer - 1, None, longer)}
    blocks = stats[["diverging", "n_steps"]].drop_vars("draw", errors="ignore").astype(int).coarsen(draw=longer).sum()
    thinned = stats.isel(kept).assign(
        diverging=blocks["diverging"] > 0, n_steps=blocks["n_steps"], ebfmi=ebfmi(stats["energy"])
    )
    numbered = {"draw": np.arange(thinned.sizes["draw"]), "chain": np.arange(thinned.sizes["chain"])}
    parts = {"/posterior": posterior.isel(kept), "/sample_stats": thinned}
    return xr.DataTree.from_dict({name: part.assign_coords(numbered) for name, part in parts.items()})


def _together(sampler: ModuleType, found: list[_Attempt]) -> tuple[xr.DataTree, Draws]:
    posterior = xr.concat([one.posterior for one in found], dim="outcome").transpose("chain", "draw", "outcome", ...)
    stats = xr.concat([one.stats for one in found], dim="outcome")
    attrs = {"engine": sampler.__name__, "engine_version": str(sampler.__version__)}
    groups = {"/": xr.Dataset(attrs=attrs), "/posterior": posterior, "/sample_stats": stats}
    terms = posterior["terms"]
    outcomes, names = (tuple(terms[dim].to_numpy().tolist()) for dim in ("outcome", "term"))
    given = _stack([one.given for one in found])
    if given is not None:
        dims = ("outcome", "term", "node")
        coords = {"outcome": list(outcomes), "term": list(names)}
        groups["/conditional"] = xr.Dataset({"loc": (dims, given.loc), "scale": (dims, given.scale)}, coords=coords)
    return xr.DataTree.from_dict(groups), Draws(outcomes, names, terms.to_numpy(), given)


def _stack(found: list[Mixture | None]) -> Mixture | None:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    weight, loc, scale = (np.concatenate([getattr(one, name) for one in known]) for name in ("weight", "loc", "scale"))
    outcomes = tuple(outcome for one in known for outcome in one.outcomes)
    return replace(known[0], outcomes=outcomes, weight=weight, loc=loc, scale=scale)
