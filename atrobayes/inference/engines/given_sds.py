"""Normals of the terms given drawn SDs: what draws say of a density, without a kernel estimate."""

from __future__ import annotations

import numpy as np
import xarray as xr

from atrobayes.inference.engines.quadrature.conditional import condition
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Mixture, equal_weights
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors


def term_normals(model: Model, frame: Frame, priors: Priors, sds: xr.DataArray) -> Mixture | None:
    """Condition the terms on every draw of the SDs.

    Parameters
    ----------
    model : Model
    frame : Frame
        One outcome, without missing values.
    priors : Priors
    sds : DataArray (chain, draw, outcome, sd)
        Raw units, as `Model.sds` gives them.

    Returns
    -------
    Mixture or None
        One normal a draw, raw units; None where the terms are not normal given the SDs.

    Notes
    -----
    Averaging conditional densities over draws: Gelfand & Smith (1990), doi:10.1080/01621459.1990.10476213.
    """
    linear = None if model.joint else model.linear(frame, priors)
    if linear is None:
        return None
    sums = gather(linear.X, frame.y_standardised, linear.patient, linear.residual_block)
    nodes = sds.sel(sd=list(linear.sd_names)).stack(node=("chain", "draw")).transpose("sd", "outcome", "node")
    standardised = list(np.maximum(nodes.to_numpy() / frame.scales.y_sd[:, None], 1e-12))
    loc, scale = condition(linear, sums, np.array([0]), standardised).terms(linear.contrasts)
    return equal_weights(frame.outcomes, linear.terms, loc, scale).scaled(frame.slope_scale)
