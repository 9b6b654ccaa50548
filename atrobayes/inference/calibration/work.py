"""Simulation-based calibration as pieces of work: which model on which design, cut into chunks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from atrobayes.inference.calibration.sbc import Chunk, chunks, is_exact, models_of, pits
from atrobayes.inference.estimate import Choices
from atrobayes.models.frame import Frame
from atrobayes.study import Calibration


@dataclass(frozen=True)
class Simulations:
    """Some simulations of one model on one design.

    Attributes
    ----------
    frame : Frame
    choices : Choices
    chunk : Chunk
    """

    frame: Frame
    choices: Choices
    chunk: Chunk

    def key(self) -> str:
        """SHA-256 of everything the ranks depend on."""
        chunk = self.chunk
        own = [chunk.model, chunk.number, chunk.size, chunk.run, self.frame.digest, self.choices.identity()]
        return hashlib.sha256(json.dumps(own).encode()).hexdigest()


def simulate(work: Simulations) -> pd.DataFrame:
    """Simulate and fit: what is sent to other processes."""
    return pits(work.frame, work.choices, work.chunk)


def designs(asked: Iterable[tuple[Frame, Choices]], *, sampling: bool) -> tuple[tuple[str, Frame, Choices], ...]:
    """Choose a design for each model: that of the first frame it is fitted to.

    Parameters
    ----------
    asked : iterable of (Frame, Choices)
        In the order of the analyses.
    sampling : bool
        Also models that quadrature cannot serve.

    Returns
    -------
    tuple of (str, Frame, Choices)
        Name of the model, and what it is calibrated on: ranks do not depend on the design if a model is right.
    """
    found: dict[str, tuple[str, Frame, Choices]] = {}
    for frame, choices in asked:
        for model in models_of(frame, choices):
            if model not in found and (sampling or is_exact(model, frame, choices)):
                found[model] = (model, frame, choices)
    return tuple(found.values())


def work_of(of: Sequence[tuple[str, Frame, Choices]], wanted: Calibration, run: int = 0) -> tuple[Simulations, ...]:
    """All pieces of work of some models, in their order.

    Parameters
    ----------
    of : sequence of (str, Frame, Choices)
        As `designs` gives them.
    wanted : Calibration
    run : int
        1: once more, with new seeds.
    """
    return tuple(
        Simulations(frame, choices, chunk)
        for model, frame, choices in of
        for chunk in chunks(model, frame, choices, wanted, run)
    )
