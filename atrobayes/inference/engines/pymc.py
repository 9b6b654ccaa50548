"""NUTS by PyMC's own sampler: slower, and nothing but PyMC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.nuts import Work, run_nuts
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors


@dataclass(frozen=True)
class PyMC:
    """The model's PyMC graph, sampled by PyMC itself, one chain after the other."""

    name: str = "pymc"
    libraries: tuple[str, ...] = ("pymc", "pytensor", "numba", "numpy", "scipy", "arviz")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:  # noqa: ARG002 - the contract's
        """Serve every model."""
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Draws]:
        """Sample every outcome."""
        import pymc as pm

        return run_nuts(pm, _sample, model, frame, priors, settings, seed)


def _sample(work: Sequence[Work], settings: Settings) -> Iterator[xr.DataTree]:
    import pymc as pm

    settings.note("compiling the model for PyMC")
    for one in work:
        with work[0].graph:
            pm.set_data(one.data)
            # one core: several would fork a process that has threads
            yield pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                cores=1,
                random_seed=one.seed,
                nuts_sampler="pymc",
                init="jitter+adapt_full" if settings.correlated else "jitter+adapt_diag",
                nuts={"target_accept": settings.target_accept},
                quiet=True,
                compute_convergence_checks=False,
            )
