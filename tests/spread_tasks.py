"""Functions that tests spread over workers: other processes must be able to import them by name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from atrobayes.models.frame import Frame


@dataclass(frozen=True)
class Piece:
    """One item: its number, a folder where calls leave marks, and what happens to it."""

    number: int
    marks: Path
    seconds: float = 0.0

    def mark(self) -> None:
        (self.marks / f"{self.number}-{os.getpid()}-{uuid4().hex}").touch()

    def marked(self) -> bool:
        return any(self.marks.glob(f"{self.number}-*"))


def calls(marks: Path) -> list[int]:
    """Numbers of the items computed, once for each call."""
    return sorted(int(path.name.split("-")[0]) for path in marks.iterdir())


def workers(marks: Path) -> set[int]:
    """Processes that computed something."""
    return {int(path.name.split("-")[1]) for path in marks.iterdir()}


def mixed_columns(number: int) -> pd.DataFrame:
    """Numbers that a decimal rounding would change, the odd ones among them, texts, and holes."""
    draws = np.random.default_rng(number).normal(size=3)
    return pd.DataFrame(
        {
            "number": [number, number + 1, -number],
            "draw": draws,
            "odd": [np.nan, -0.0, np.inf],
            "thin": draws.astype(np.float32),
            "yes": [True, False, number > 2],
            "text": ["thalamus", None, "tab\tand “line”\nend"],
            "any": pd.Series([1, "x", None], dtype=object),
        }
    )


def marked(piece: Piece) -> pd.DataFrame:
    time.sleep(piece.seconds)
    piece.mark()
    return mixed_columns(piece.number)


def faulty(piece: Piece) -> pd.DataFrame:
    if piece.number == 3:
        raise ZeroDivisionError("no rows left")
    return marked(piece)


class HardToSendError(Exception):
    """An error that cannot be made anew from its text."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def hard_to_send(piece: Piece) -> pd.DataFrame:
    raise HardToSendError("out of", " range")


def threads(_: int) -> pd.DataFrame:
    """Threads of every BLAS library of the process."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    return pd.DataFrame({"threads": [library["num_threads"] for library in threadpool_info()]})


def deadly(piece: Piece) -> pd.DataFrame:
    if piece.number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return marked(piece)


def deadly_once(piece: Piece) -> pd.DataFrame:
    """The worker that first meets item 3 is killed in the middle of it."""
    first = piece.number == 3 and not piece.marked()
    piece.mark()
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    return mixed_columns(piece.number)


@dataclass(frozen=True)
class LeftOut:
    """A frame without one of its patients."""

    frame: Frame
    patient: str


def without_patient(left: LeftOut) -> pd.DataFrame:
    """Exact posterior of every term without the patient."""
    from atrobayes.inference.brief import brief
    from atrobayes.inference.engines.quadrature.exact import exact
    from atrobayes.models.model import get_model
    from atrobayes.models.priors import Priors

    some = left.frame.without_patient(left.patient)
    found = exact(get_model("mixed"), some, Priors()).mixture
    numbers = brief(found, 0.95)
    return pd.DataFrame(
        {
            "patient": left.patient,
            "structure": np.repeat(found.outcomes, len(found.terms)),
            "term": np.tile(found.terms, len(found.outcomes)),
            "estimate": numbers.mean.ravel(),
            "sd": numbers.sd.ravel(),
            "ci_low": numbers.low.ravel(),
            "pd": numbers.pd.ravel(),
        }
    )
