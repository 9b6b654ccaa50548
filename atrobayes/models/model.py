"""What a model is to the rest of the house, and the models there are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from atrobayes.models.frame import Frame
from atrobayes.models.priors import HalfStudentT, Priors

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Linear:
    """A Gaussian linear model with at most one random intercept, on the standardised scale.

    Given its SDs the coefficients are Gaussian, which is what quadrature integrates.

    Attributes
    ----------
    X : ndarray (row, coef)
        Design.
    coefs : tuple of str
        Names of its columns, the same as in the PyMC graph.
    patient : ndarray of int (row,) or None
        Who shares a random intercept; None: nobody.
    residual_block : ndarray of int (row,)
        Which residual SD a row has, 0 … b - 1.
    prior_mean, prior_sd : ndarray (coef,)
        Independent normal priors of the coefficients.
    sd_names : tuple of str
        Names of the SDs: the patient SD first if there is one, then the residual SDs.
    sd_priors : tuple of HalfStudentT
        Their priors, in the same order.
    terms : tuple of str
        Names of the reported terms.
    contrasts : ndarray (term, coef)
        Terms as combinations of coefficients.
    """

    X: np.ndarray
    coefs: tuple[str, ...]
    patient: np.ndarray | None
    residual_block: np.ndarray
    prior_mean: np.ndarray
    prior_sd: np.ndarray
    sd_names: tuple[str, ...]
    sd_priors: tuple[HalfStudentT, ...]
    terms: tuple[str, ...]
    contrasts: np.ndarray

    @property
    def term_prior_mean(self) -> np.ndarray:
        """(term,): prior mean of each term, standardised."""
        return np.asarray(self.contrasts @ self.prior_mean)

    @property
    def term_prior_sd(self) -> np.ndarray:
        """(term,): prior SD of each term, standardised."""
        return np.sqrt((self.contrasts * self.prior_sd) ** 2 @ np.ones(len(self.prior_sd)))


class Model(Protocol):
    """A model: what is believed and asked; it starts no sampler.

    Attributes
    ----------
    name, revision, method : str
        Key in CATALOGUE; changed when its meaning changes; its method in estimates.tsv.
    formula, family : str
        As a statistician would write it.
    """

    name: str
    revision: str
    method: str
    formula: str
    family: str

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:
        """Return what quadrature integrates; None where it cannot."""

    def graph(self, frame: Frame, priors: Priors) -> Any:
        """Build the PyMC graph for the frame's first outcome, which is the one observed variable."""

    def terms(self, draws: xr.Dataset, frame: Frame) -> xr.DataArray:
        """Combine the graph's draws into terms: (chain, draw, term), standardised."""

    def sds(self, draws: xr.Dataset) -> xr.DataArray:
        """Pick the graph's standard deviations: (chain, draw, sd), standardised."""


# name → module and class, imported on use
CATALOGUE: Mapping[str, tuple[str, str]] = MappingProxyType({"mixed": ("atrobayes.models.mixed", "Mixed")})


def get_model(name: str) -> Model:
    """Model of that name in CATALOGUE."""
    module, cls = CATALOGUE[name]
    model: Model = getattr(importlib.import_module(module), cls)()
    return model
