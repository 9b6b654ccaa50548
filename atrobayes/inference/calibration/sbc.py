"""Simulation-based calibration: does a model find again what its own prior drew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atrobayes.inference.calibration.exact_pits import Ranked, exact_pits
from atrobayes.inference.calibration.reported import reporting_all
from atrobayes.inference.calibration.sampled_ranks import (
    SETTINGS,
    draw_from_prior,
    sampled_ranks,
    simulated_frames,
)
from atrobayes.inference.calibration.sbc_table import sbc_table, to_repeat
from atrobayes.inference.engine import choose_engine, get_engine
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import PLANS
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.model import Model, get_model
from atrobayes.models.structures_pooled import STRUCTURES_POOLED, unpoolable
from atrobayes.study import Calibration

EXACT_AT_ONCE = 100  # simulations of a piece of work
SAMPLED_AT_ONCE = 5


@dataclass(frozen=True)
class Chunk:
    """Some simulations of one model, the same whatever else is computed.

    Attributes
    ----------
    model : str
        Key of the models' CATALOGUE.
    number : int
        Its place among the chunks of that model.
    size : int
        Simulations in it.
    run : int
        0, or 1 where a failure is looked at again with new seeds.
    """

    model: str
    number: int
    size: int
    run: int = 0


def models_of(frame: Frame, choices: Choices) -> tuple[str, ...]:
    """Models that are calibrated on the design of a frame: all that its kind is fitted with.

    Parameters
    ----------
    frame : Frame
        A joint model is left out where it is a part without groups, or holds nothing to pool.
    choices : Choices
    """
    planned = [get_model(name) for name in PLANS[frame.kind].models]
    return tuple(model.name for model in planned if not model.joint or _poolable(model, frame, choices))


def is_exact(model_name: str, frame: Frame, choices: Choices) -> bool:
    """Whether quadrature serves a model on the design of a frame; else it is sampled, at a cost."""
    model = get_model(model_name)
    return _is_exact(model, template(model, frame), choices)


def chunks(model_name: str, frame: Frame, choices: Choices, wanted: Calibration, run: int = 0) -> tuple[Chunk, ...]:
    """Cut the simulations of one model into pieces of work.

    Parameters
    ----------
    model_name : str
    frame : Frame
    choices : Choices
    wanted : Calibration
        How many simulations.
    run : int
        As Chunk has it.
    """
    exactly = is_exact(model_name, frame, choices)
    simulations = wanted.simulations if exactly else wanted.sampled_simulations
    step = EXACT_AT_ONCE if exactly else SAMPLED_AT_ONCE
    starts = range(0, simulations, step)
    return tuple(Chunk(model_name, k, min(step, simulations - start), run) for k, start in enumerate(starts))


def pits(frame: Frame, choices: Choices, chunk: Chunk) -> pd.DataFrame:
    """Simulate from the prior and fit: one piece of work.

    Parameters
    ----------
    frame : Frame
        Whose rows, groups, predictor, missing values and scales the data sets have. Of several outcomes that are fitted
        one by one it is the one with most rows.
    choices : Choices
        Priors and seed; the engine for what needs sampling, nutpie where that is quadrature or "auto".
    chunk : Chunk

    Returns
    -------
    DataFrame
        model, analysis, part, run, chunk, simulation, parameter, pit (probability below the true value, of a rank the
        middle of its bin), bins (0: continuous), passed.

    Notes
    -----
    Talts et al. (2018), doi:10.48550/arXiv.1804.06788. With scales fixed, data are simulated from the priors they
    are fitted with; then these probabilities are uniform if the computation is right, whatever the design.
    """
    labels = (f"run {chunk.run}", f"chunk {chunk.number}")
    seed = derive(choices.seed, "sbc", chunk.model, frame.analysis, frame.part, *labels)
    ranked = _ranked(get_model(chunk.model), frame, choices, chunk.size, seed)
    simulations, parameters = ranked.pit.shape
    return pd.DataFrame(
        {
            "model": chunk.model,
            "analysis": frame.analysis,
            "part": frame.part,
            "run": chunk.run,
            "chunk": chunk.number,
            "simulation": np.repeat(np.arange(simulations), parameters),
            "parameter": np.tile(np.array(ranked.parameters, dtype=object), simulations),
            "pit": ranked.pit.ravel(),
            "bins": np.tile(ranked.bins, simulations),
            "passed": np.repeat(ranked.passed, parameters),
        }
    )


def template(model: Model, frame: Frame) -> Frame:
    """Rows that data sets are simulated for.

    Parameters
    ----------
    model : Model
    frame : Frame

    Returns
    -------
    Frame
        Of a joint model its outcomes, else the outcome with most rows and those rows.
    """
    if model.joint:
        return model.frame(frame)
    present = ~np.isnan(frame.y.to_numpy())
    most = int(present.sum(axis=0).argmax())
    return frame.select(np.flatnonzero(present[:, most]), np.array([most]))


def sbc(model_name: str, frame: Frame, choices: Choices, wanted: Calibration) -> pd.DataFrame:
    """Calibrate one model on the design of one frame, in this process.

    Parameters
    ----------
    model_name : str
        Key of the models' CATALOGUE.
    frame : Frame
    choices : Choices
    wanted : Calibration

    Returns
    -------
    DataFrame
        As `sbc_table` gives it; what left its band was repeated once.
    """
    first = _all(model_name, frame, choices, wanted, 0)
    again = [_all(model_name, frame, choices, wanted, 1)] if to_repeat(first) else []
    return sbc_table(pd.concat([first, *again], ignore_index=True))


def _all(model_name: str, frame: Frame, choices: Choices, wanted: Calibration, run: int) -> pd.DataFrame:
    pieces: Iterable[Chunk] = chunks(model_name, frame, choices, wanted, run)
    return pd.concat([pits(frame, choices, chunk) for chunk in pieces], ignore_index=True)


def _ranked(model: Model, frame: Frame, choices: Choices, size: int, seed: int) -> Ranked:
    base, priors = template(model, frame), choices.priors
    whole = reporting_all(model, base)
    rng = np.random.default_rng(seed)
    truth, y = draw_from_prior(whole, base, priors, size, rng)
    if _is_exact(model, base, choices):
        linear = model.linear(base, priors)
        assert linear is not None
        standardised = (y[..., 0] - base.scales.y_mean) / base.scales.y_sd
        return exact_pits(linear, standardised, truth, rng)
    asked = "nutpie" if choices.engine in {"auto", "quadrature"} else choices.engine
    engine = choose_engine(asked, model, base, priors)
    frames = simulated_frames(base, y, joint=model.joint)
    return sampled_ranks(whole, frames, truth, priors, engine, SETTINGS, seed)


def _is_exact(model: Model, base: Frame, choices: Choices) -> bool:
    return get_engine("quadrature").refuses(model, base, choices.priors) is None


def _poolable(model: Model, frame: Frame, choices: Choices) -> bool:
    return not frame.part and (model is not STRUCTURES_POOLED or unpoolable(frame, choices.priors) is None)
