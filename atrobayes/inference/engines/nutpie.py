"""NUTS by nutpie: compiled once per template and shape, the data swapped in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.compiled import compile_graph
from atrobayes.inference.engines.nuts import Work, run_nuts
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

# versions whose compilation `compile_graph` repeats, test by test; any other compiles by itself, more slowly
LINKED = ("0.16.11",)
# graphs and what was compiled of them, by key, for this process: a further design of the same shape costs nothing
_COMPILED: dict[str, tuple[Any, Any]] = {}


@dataclass(frozen=True)
class Nutpie:
    """The model's PyMC graph, sampled by nutpie on numba."""

    name: str = "nutpie"
    libraries: tuple[str, ...] = ("nutpie", "pymc", "pytensor", "numba", "numpy", "scipy", "arviz")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:  # noqa: ARG002 - the contract's
        """Serve every model."""
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Draws]:
        """Sample every outcome."""
        import nutpie

        return run_nuts(nutpie, _sample, model, frame, priors, settings, seed)


def _sample(work: Sequence[Work], settings: Settings) -> Iterator[xr.DataTree]:
    import nutpie
    import pymc as pm

    for one in work:
        if one.key not in _COMPILED:
            settings.note("compiling the model for nutpie, once")
            quick = nutpie.__version__ in LINKED
            _COMPILED[one.key] = one.graph, (compile_graph if quick else nutpie.compile_pymc_model)(one.graph)
        graph, compiled = _COMPILED[one.key]
        # the chains' starting points come from the graph, so its numbers must be this data set's too
        pm.set_data(one.data, model=graph)
        yield nutpie.sample(
            compiled.with_data(**one.data),
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=settings.jobs,
            seed=one.seed,
            target_accept=settings.target_accept,
            adaptation="low_rank" if settings.correlated else "diag",
            progress_bar=False,
            save_warmup=False,
        )
