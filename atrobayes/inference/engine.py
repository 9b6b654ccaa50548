"""Engine contract: how a posterior is computed, and which engines there are."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from atrobayes.errors import UsageError
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Marginals
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

if TYPE_CHECKING:
    import xarray as xr


def _silent(_done: int, _total: int) -> None:
    """Report no progress."""


def _unsaid(_what: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Settings:
    """How hard an engine works.

    Attributes
    ----------
    draws, tune, chains : int
        Per chain, per chain, and how many. Quadrature takes chains · draws independent draws for the tree.
    target_accept : float
        NUTS only.
    correlated : bool
        While tuning, NUTS learns correlations of parameters too, not their variances only: slower for each step, far
        fewer steps where an SD of patients is large against that of errors.
    jobs : int
        Cores; the numbers do not depend on it.
    progress : callable
        Told (outcomes done, outcomes in all).
    note : callable
        Told in words what takes long and cannot report progress, such as compiling.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.95
    correlated: bool = False
    jobs: int = 1
    progress: Callable[[int, int], None] = _silent
    note: Callable[[str], None] = _unsaid

    def identity(self) -> dict[str, float]:
        """Give what the numbers depend on."""
        return {
            "draws": self.draws,
            "tune": self.tune,
            "chains": self.chains,
            "target_accept": self.target_accept,
            "correlated": self.correlated,
        }


class Engine(Protocol):
    """An engine; adding one: one file, one line in ENGINES."""

    name: str
    libraries: tuple[str, ...]

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:
        """None: serves it; else the reason, in words for the user."""

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Marginals]:
        """Fit every outcome of the frame in one call.

        Returns
        -------
        tree : DataTree
            `posterior` with terms (chain, draw, outcome, term) and sds (chain, draw, outcome, sd) in raw
            units; the engine's own record in `sample_stats` or `mixture`; root attrs `engine` and
            `engine_version`, read back from what ran.
        marginals : Marginals
            Raw units.
        """


# name → module and class, imported on use; the order is that of preference for `auto`
ENGINES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "quadrature": ("atrobayes.inference.engines.quadrature.engine", "Quadrature"),
        "nutpie": ("atrobayes.inference.engines.nutpie", "Nutpie"),
        "pymc": ("atrobayes.inference.engines.pymc", "PyMC"),
        "numpyro": ("atrobayes.inference.engines.numpyro", "NumPyro"),
    }
)


def get_engine(name: str) -> Engine:
    """Engine of that name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if name not in ENGINES:
        raise UsageError(f"unknown engine {name!r}: expected auto, {', '.join(ENGINES)}")
    module, cls = ENGINES[name]
    engine: Engine = getattr(importlib.import_module(module), cls)()
    return engine


def choose_engine(name: str, model: Model, frame: Frame, priors: Priors) -> Engine:
    """Engine asked for, or for `auto` the first that serves the model.

    Parameters
    ----------
    name : str
        "auto" or a name in ENGINES.
    model : Model
    frame : Frame
    priors : Priors

    Returns
    -------
    Engine
        One that does not refuse.

    Raises
    ------
    UsageError
        If the engine asked for cannot serve the model; the message says why.
    """
    if name != "auto":
        engine = get_engine(name)
        reason = engine.refuses(model, frame, priors)
        if reason is not None:
            raise UsageError(f"engine {name!r} cannot fit {model.name!r}: {reason}")
        return engine
    return next(engine for engine in map(get_engine, ENGINES) if engine.refuses(model, frame, priors) is None)


def refusal(name: str, model: Model, frame: Frame, priors: Priors) -> str | None:
    """Say why the engine asked for cannot serve a model.

    Parameters
    ----------
    name : str
        "auto" or a name in ENGINES.
    model : Model
    frame : Frame
    priors : Priors

    Returns
    -------
    str or None
        In words; None where it can, as for `auto` some engine always can.

    Raises
    ------
    UsageError
        If there is no engine of that name.
    """
    return None if name == "auto" else get_engine(name).refuses(model, frame, priors)


def library_versions(engine: Engine) -> dict[str, str]:
    """Versions of what an engine computes with, atrobayes first."""
    return {name: _version(name) for name in ("atrobayes", *engine.libraries)}


# reading a package's metadata takes longer than integrating a posterior
_version = functools.cache(version)
