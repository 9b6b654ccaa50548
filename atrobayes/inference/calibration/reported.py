"""Models that also report what estimates.tsv does not need: what calibration ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from atrobayes.models.courses import drawn, of_outcome
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.model import Model
from atrobayes.models.ordinal import Ordinal, levels
from atrobayes.models.priors import Priors
from atrobayes.models.slopes import mixed_design
from atrobayes.models.structures_pooled import StructuresPooled

LOG_LIKELIHOOD = "log_likelihood"


def reporting_all(model: Model, frame: Frame) -> Model:
    """Give the same model with every parameter among its terms and SDs.

    Parameters
    ----------
    model : Model
    frame : Frame
        The base analysis: its scores stay the levels of an ordinal model.

    Returns
    -------
    Model
        Same priors, likelihood and graph.
    """
    if isinstance(model, LinearModel):
        return LinearReported(**_fields(model))
    if isinstance(model, StructuresPooled):
        return PooledReported(**_fields(model))
    if isinstance(model, Ordinal):
        return replace(model, scores=tuple(levels(frame).tolist()))
    return model


@dataclass(frozen=True)
class LinearReported(LinearModel):
    """A linear model with its coefficients among the terms, and the log likelihood of sampled ones beside the SDs.

    Attributes
    ----------
    name, revision, method, formula, family, design, joint
        As LinearModel has them.
    """

    def whole(self, frame: Frame, priors: Priors) -> Linear:
        """Add each coefficient that is no term already."""
        return with_coefficients(super().whole(frame, priors))

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Add the log likelihood given the patients' intercepts: a function of parameters and data."""
        own = super().sds(draws, frame, priors)
        value = _log_likelihood(self.whole(frame, priors), frame.y_standardised[:, 0], draws)
        return xr.concat([own, of_outcome([value], [LOG_LIKELIHOOD], "sd", frame)], dim="sd")


@dataclass(frozen=True)
class PooledReported(StructuresPooled):
    """Structures fitted together with the coefficients they have in common beside the SDs.

    Attributes
    ----------
    name, revision, method, formula, family, joint, template
        As StructuresPooled has them.
    """

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Add the common coefficients, standardised."""
        own = super().sds(draws, frame, priors)
        common = drawn(draws, "coefficients")[:, :, None, :]
        values = np.broadcast_to(common, (*common.shape[:2], len(frame.outcomes), common.shape[-1]))
        labels = [f"common[{coef}]" for coef in mixed_design(frame, priors).coefs]
        coords = {"outcome": list(frame.outcomes), "sd": labels}
        return xr.concat([own, xr.DataArray(values, dims=("chain", "draw", "outcome", "sd"), coords=coords)], dim="sd")


def with_coefficients(linear: Linear) -> Linear:
    """Add as terms the coefficients that are not, up to a factor, terms already."""
    eye = np.eye(len(linear.coefs))
    known = [np.flatnonzero(contrast) for contrast in linear.contrasts]
    alone = {int(place[0]) for place in known if len(place) == 1}
    new = [k for k in range(len(eye)) if k not in alone]
    names = tuple(linear.coefs[k] for k in new)
    return replace(linear, terms=(*linear.terms, *names), contrasts=np.vstack([linear.contrasts, eye[new]]))


def _fields(model: Any) -> Mapping[str, Any]:
    return {field.name: getattr(model, field.name) for field in fields(model)}


def _log_likelihood(linear: Linear, y: np.ndarray, draws: xr.Dataset) -> np.ndarray:
    """(chain, draw): of all rows, given everything else."""
    mean = drawn(draws, "coefficients") @ linear.X.T
    if linear.patient is not None:
        mean = mean + _intercepts(draws)[..., linear.patient]
    sigma = drawn(draws, "residual_sd")[..., linear.residual_block]
    if "nu" not in draws:
        return np.asarray(stats.norm.logpdf(y, mean, sigma)).sum(axis=-1)
    return np.asarray(stats.t.logpdf(y, drawn(draws, "nu")[..., None], mean, sigma)).sum(axis=-1)


def _intercepts(draws: xr.Dataset) -> np.ndarray:
    """(chain, draw, patient), however they were sampled."""
    if "intercepts" in draws:
        return drawn(draws, "intercepts")
    return drawn(draws, "patient_sd")[..., None] * drawn(draws, "intercepts_raw")
