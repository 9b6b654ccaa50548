"""NUTS by nutpie: compiled once per template and shape, the data swapped in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.nuts import Sampler, run_nuts
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

# compiled graphs by key, for this process: a further design of the same shape costs nothing
_COMPILED: dict[str, Any] = {}


@dataclass(frozen=True)
class Nutpie:
    """The model's PyMC graph, sampled by nutpie on numba."""

    name: str = "nutpie"
    libraries: tuple[str, ...] = ("nutpie", "pymc", "pytensor", "bambi", "formulae", "numba", "numpy", "scipy", "arviz")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:  # noqa: ARG002 - the contract's
        """Serve every model."""
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Draws]:
        """Sample every outcome."""
        import nutpie

        def compile_sampler(graph: Any, key: str) -> Sampler:
            if key not in _COMPILED:
                _COMPILED[key] = nutpie.compile_pymc_model(graph)

            def sample(data: dict[str, np.ndarray], seed: int) -> xr.DataTree:
                tree: xr.DataTree = nutpie.sample(
                    _COMPILED[key].with_data(**data),
                    draws=settings.draws,
                    tune=settings.tune,
                    chains=settings.chains,
                    cores=settings.jobs,
                    seed=seed,
                    target_accept=settings.target_accept,
                    progress_bar=False,
                    save_warmup=False,
                )
                return tree

            return sample

        return run_nuts(nutpie, compile_sampler, model, frame, priors, settings, seed)
