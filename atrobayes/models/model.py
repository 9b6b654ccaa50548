"""What a model is to the rest of the house, and the models there are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.priors import Priors

if TYPE_CHECKING:
    import xarray as xr


class Model(Protocol):
    """A model: what is believed and asked; it starts no sampler.

    Attributes
    ----------
    name, revision, method : str
        Key in CATALOGUE; changed when its meaning changes; its method in estimates.tsv.
    formula, family : str
        As a statistician would write it.
    joint : bool
        All outcomes of a frame are one data set, fitted together; else one graph serves them one by one.
    template : str
        Graphs of one template and equal shapes of their free variables differ in data only, so that one
        compilation serves them.
    """

    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def formula(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def joint(self) -> bool: ...
    @property
    def template(self) -> str: ...

    def frame(self, frame: Frame) -> Frame:
        """Take of a frame what the model speaks of, such as structures of which none contains another."""

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:
        """Return what quadrature integrates; None where it cannot."""

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
        """Build the PyMC graph of the frame's first outcome (joint: of all), every number of `data` as `pm.Data`.

        One variable is observed, named "response"; its data are called "y".
        """

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:
        """Give the numbers of that graph, by the names of its `pm.Data`."""

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Combine draws of the graph's free variables into terms: (chain, draw, outcome, term), raw units.

        The frame has one outcome unless the model is joint. A vector variable `v` has the dim `v_dim_0`.
        """

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Pick what else must have converged, SDs in raw units first: (chain, draw, outcome, sd)."""

    def term_priors(self, frame: Frame, priors: Priors) -> tuple[np.ndarray, np.ndarray]:
        """Prior mean and SD of every term (outcome, term), raw units; NaN where the prior is not normal."""


# name → module and its value, imported on use
CATALOGUE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "mixed": ("atrobayes.models.mixed", "MIXED"),
        "mixed_robust": ("atrobayes.models.mixed_robust", "MIXED_ROBUST"),
        "regression": ("atrobayes.models.regression", "REGRESSION"),
        "regression_robust": ("atrobayes.models.regression", "REGRESSION_ROBUST"),
        "comparison": ("atrobayes.models.comparison", "COMPARISON"),
        "comparison_normal": ("atrobayes.models.comparison", "COMPARISON_NORMAL"),
        "groups": ("atrobayes.models.comparison", "GROUPS"),
        "groups_normal": ("atrobayes.models.comparison", "GROUPS_NORMAL"),
        "structures_pooled": ("atrobayes.models.structures_pooled", "STRUCTURES_POOLED"),
        "counts": ("atrobayes.models.counts", "COUNTS"),
        "ordinal": ("atrobayes.models.ordinal", "ORDINAL"),
    }
)


def get_model(name: str) -> Model:
    """Model of that name in CATALOGUE."""
    module, value = CATALOGUE[name]
    model: Model = getattr(importlib.import_module(module), value)
    return model
