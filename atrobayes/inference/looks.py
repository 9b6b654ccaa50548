"""The looks at a fit beyond its estimates, one module each; every one of them is many independent small fits."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN, parts
from atrobayes.models.frame import Frame
from atrobayes.study import Sensitivity

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.files import Column

# table → module with COLUMNS and look(frame, choices, wanted), imported on use
LOOKS: Mapping[str, str] = MappingProxyType(
    {
        "prior_sensitivity": "atrobayes.inference.prior_look",
        "influence": "atrobayes.inference.influence",
        "tipping_sets": "atrobayes.inference.tipping_sets",
        "checks": "atrobayes.inference.predictive",
        "definitions": "atrobayes.inference.definition_look",
    }
)
# table → module with COLUMNS, of looks at draws: see sampled_look
SAMPLED_LOOKS: Mapping[str, str] = MappingProxyType({"patient_loo": "atrobayes.inference.patient_loo"})


@dataclass(frozen=True)
class Look:
    """One look at one part of a frame: a piece of work that depends on nothing else.

    Attributes
    ----------
    table : str
        Key of LOOKS, the table its rows go to.
    frame : Frame
    choices : Choices
    wanted : Sensitivity
        As in the study file.
    """

    table: str
    frame: Frame
    choices: Choices
    wanted: Sensitivity

    def key(self) -> str:
        """SHA-256 of everything the rows depend on."""
        parts = [self.table, self.frame.digest, self.choices.identity(), self.wanted.model_dump_json()]
        # the labels of patients stand in the rows, and are no part of a frame's digest
        return hashlib.sha256(json.dumps([*parts, self.frame.patients]).encode()).hexdigest()

    def take(self) -> pd.DataFrame:
        """Rows of the table."""
        table: pd.DataFrame = importlib.import_module(LOOKS[self.table]).look(self.frame, self.choices, self.wanted)
        return table


def take(look: Look) -> pd.DataFrame:
    """Take a look: what is sent to other processes."""
    return look.take()


def columns(table: str) -> Sequence[Column]:
    """Columns of the table of a look."""
    own: Sequence[Column] = importlib.import_module({**LOOKS, **SAMPLED_LOOKS}[table]).COLUMNS
    return own


def looks_at(frame: Frame, choices: Choices, wanted: Sensitivity) -> tuple[Look, ...]:
    """All looks at a frame and its parts; none where quadrature does not serve its kind, or outcomes are clinical.

    Parameters
    ----------
    frame : Frame
    choices : Choices
    wanted : Sensitivity
    """
    if frame.kind not in GAUSSIAN or frame.kind == "groups":
        return ()
    return tuple(Look(table, part, choices, wanted) for table in LOOKS for part in parts(frame))
