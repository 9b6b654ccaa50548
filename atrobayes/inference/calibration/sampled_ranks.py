"""Ranks of true values among draws: for models that need sampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from atrobayes.inference.calibration.course_draws import (
    draw_count_outcomes,
    draw_counts,
    draw_score_outcomes,
    draw_scores,
)
from atrobayes.inference.calibration.exact_pits import DRAWS, Ranked
from atrobayes.inference.calibration.pooled_draws import draw_pooled, draw_pooled_outcomes
from atrobayes.inference.calibration.prior_draws import draw_linear, draw_linear_outcomes
from atrobayes.inference.diagnose import diagnose
from atrobayes.inference.engine import Engine, Settings
from atrobayes.inference.seeds import derive
from atrobayes.models.counts import Counts
from atrobayes.models.frame import Frame
from atrobayes.models.linear import LinearModel
from atrobayes.models.model import Model
from atrobayes.models.ordinal import Ordinal
from atrobayes.models.priors import Priors
from atrobayes.models.structures_pooled import StructuresPooled

# 4,000 draws pass the gate (ESS above 400) at the first attempt in most data sets; what they are thinned to, every
# fortieth, is then as good as independent
SETTINGS = Settings(draws=1000, tune=500, chains=4, target_accept=0.9)


def draw_from_prior(
    model: Model, frame: Frame, priors: Priors, size: int, rng: np.random.Generator
) -> tuple[xr.Dataset, np.ndarray]:
    """Draw parameters, and a data set for each.

    Parameters
    ----------
    model : Model
        An ordinal one with its scores fixed.
    frame : Frame
        Design and missing values; of one outcome unless the model is joint.
    priors : Priors
    size : int
        Number of data sets.
    rng : Generator

    Returns
    -------
    parameters : Dataset
        By the names of the model's graph: (chain, draw, …), one chain.
    y : ndarray (size, row, outcome)
        As a frame has it, raw units.

    Raises
    ------
    ValueError
        If nothing is known of how to draw from the model.
    """
    scales = frame.scales
    if isinstance(model, LinearModel):
        linear = model.whole(frame, priors)
        parameters = draw_linear(linear, size, rng, priors if model.family == "t" else None)
        y = draw_linear_outcomes(linear, parameters, rng)[..., None]
        return parameters, scales.y_mean + scales.y_sd * y
    if isinstance(model, StructuresPooled):
        parameters = draw_pooled(frame, priors, size, rng)
        return parameters, scales.y_mean + scales.y_sd * draw_pooled_outcomes(frame, priors, parameters, rng)
    if isinstance(model, Counts):
        parameters = draw_counts(frame, size, rng)
        return parameters, draw_count_outcomes(frame, parameters, rng)[..., None]
    if isinstance(model, Ordinal):
        levels = model.levels(frame)
        parameters = draw_scores(frame, len(levels) - 1, size, rng)
        return parameters, draw_score_outcomes(frame, levels, parameters, rng)[..., None]
    raise ValueError(f"no way to draw from the prior of {model.name}")


def simulated_frames(frame: Frame, y: np.ndarray, *, joint: bool) -> list[Frame]:
    """Put data sets on the frame's design, its scales fixed.

    Parameters
    ----------
    frame : Frame
    y : ndarray (simulation, row, outcome)
        Raw units.
    joint : bool
        All outcomes of a data set belong together.

    Returns
    -------
    list of Frame
        A frame for each joint data set; else one frame with a data set as each outcome.
    """
    if joint:
        return [frame.with_outcomes(frame.y.copy(data=one)) for one in y]
    names = [f"simulation {k}" for k in range(len(y))]
    scales = replace(
        frame.scales, y_mean=np.repeat(frame.scales.y_mean, len(y)), y_sd=np.repeat(frame.scales.y_sd, len(y))
    )
    outcomes = xr.DataArray(y[..., 0].T, dims=("row", "outcome"), coords={"outcome": names})
    return [frame.with_outcomes(outcomes, scales)]


def sampled_ranks(
    model: Model,
    frames: list[Frame],
    truth: xr.Dataset,
    priors: Priors,
    engine: Engine,
    settings: Settings,
    seed: int,
) -> Ranked:
    """Sample simulated data sets and rank their true values among the draws.

    Parameters
    ----------
    model : Model
        Fitted; it reports all that is ranked.
    frames : list of Frame
        As `simulated_frames` gives them.
    truth : Dataset
        Parameters the data come from: (chain, draw, …).
    priors : Priors
    engine : Engine
    settings : Settings
    seed : int

    Returns
    -------
    Ranked
        Ranks among DRAWS draws, evenly thinned; ties are broken at random.
    """
    rng = np.random.default_rng(derive(seed, "ties"))
    ranks, passed = [], []
    parameters: tuple[str, ...] = ()
    for number, frame in enumerate(frames):
        tree, _ = engine.run(model, frame, priors, settings, derive(seed, f"data {number}"))
        drawn = tree["posterior"].to_dataset()
        own = diagnose(tree).table["passed"].to_numpy()
        for k, one in enumerate([frame] if model.joint else [_only(frame, k) for k in range(len(frame.outcomes))]):
            at = truth.isel(draw=[number + k])
            true = xr.Dataset({"terms": model.terms(at, one, priors), "sds": model.sds(at, one, priors)})
            parameters, among = _values(drawn.sel(outcome=list(one.outcomes)))
            ranks.append(_rank(_values(true)[1], _thinned(among), rng))
            passed.append(bool(own.all() if model.joint else own[k]))
    pit = (np.array(ranks) + 0.5) / (DRAWS + 1)
    return Ranked(parameters, pit, np.full(len(parameters), DRAWS + 1), np.array(passed))


def _only(frame: Frame, outcome: int) -> Frame:
    return frame.select(np.arange(len(frame.x)), np.array([outcome]))


def _values(draws: xr.Dataset) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of parameters, and their draws (draw, parameter), chain after chain.

    SDs of a joint model are the same for every outcome, but for its units: those of the first are taken.
    """
    outcomes, terms, sds = (draws[name].to_numpy().tolist() for name in ("outcome", "term", "sd"))
    several = len(outcomes) > 1
    names = [f"{term} {outcome}" if several else term for outcome in outcomes for term in terms]
    of_terms = draws["terms"].transpose("chain", "draw", "outcome", "term").to_numpy()
    of_sds = draws["sds"].isel(outcome=0).transpose("chain", "draw", "sd").to_numpy()
    size = of_sds.shape[0] * of_sds.shape[1]
    return (*names, *sds), np.hstack([of_terms.reshape(size, -1), of_sds.reshape(size, -1)])


def _thinned(values: np.ndarray) -> np.ndarray:
    step = len(values) // DRAWS
    return values[step - 1 :: step][:DRAWS]


def _rank(true: np.ndarray, among: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(parameter,): how many draws are smaller; of those that are equal a random number."""
    smaller, equal = (among < true).sum(axis=0), (among == true).sum(axis=0)
    return np.asarray(smaller + rng.integers(0, equal + 1))
