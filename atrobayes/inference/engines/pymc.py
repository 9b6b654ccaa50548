"""NUTS by PyMC's own sampler: slower, and nothing but PyMC."""

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


@dataclass(frozen=True)
class PyMC:
    """The model's PyMC graph, sampled by PyMC itself, one chain after the other."""

    name: str = "pymc"
    libraries: tuple[str, ...] = ("pymc", "pytensor", "bambi", "formulae", "numba", "numpy", "scipy", "arviz")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:  # noqa: ARG002 - the contract's
        """Serve every model."""
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Draws]:
        """Sample every outcome."""
        import pymc as pm

        def compile_sampler(graph: Any, _key: str) -> Sampler:
            def sample(data: dict[str, np.ndarray], seed: int) -> xr.DataTree:
                with graph:
                    pm.set_data(data)
                    # one core: several would fork a process that has threads
                    tree: xr.DataTree = pm.sample(
                        draws=settings.draws,
                        tune=settings.tune,
                        chains=settings.chains,
                        cores=1,
                        random_seed=seed,
                        nuts_sampler="pymc",
                        nuts={"target_accept": settings.target_accept},
                        quiet=True,
                        compute_convergence_checks=False,
                    )
                return tree

            return sample

        return run_nuts(pm, compile_sampler, model, frame, priors, settings, seed)
