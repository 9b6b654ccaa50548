"""Power-scaling of sampled fits: the draws weighted, as ArviZ does it, instead of refitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln

from atrobayes.inference.engines.quadrature.conditional import log_half_student
from atrobayes.inference.fit import Fit
from atrobayes.inference.patient_loo import Draw, log_predictive
from atrobayes.inference.power_scaling import ALL_PRIORS, LIKELIHOOD, coefficients_of, verdict
from atrobayes.inference.prior_look import shared_cells, table
from atrobayes.models.frame import Frame
from atrobayes.models.linear import LinearModel
from atrobayes.models.model import get_model
from atrobayes.models.normals import SQRT_2PI
from atrobayes.models.priors import Priors

ALPHAS = (0.99, 1.01)  # ArviZ's own: so near to 1 the weights are always good


def importance(fitted: Fit, frame: Frame, priors: Priors) -> pd.DataFrame:
    """Sensitivity of a fit's terms to each block of priors and to the likelihood, from its draws.

    Parameters
    ----------
    fitted : Fit
        Of a linear model, as made or read from its file.
    frame : Frame
        What it was fitted to.
    priors : Priors
        What it was fitted with.

    Returns
    -------
    DataFrame
        Rows of prior_sensitivity.tsv, look "power", one for each structure, term and block; without estimates, as
        nothing is refitted. No rows where the model is not linear or the fit holds no coefficients.

    Notes
    -----
    `arviz.psense` with log densities computed here: Kallioinen et al. (2023), doi:10.1007/s11222-023-10366-5. The
    likelihood is that of the patients' rows with their intercepts averaged out, as in the exact version.
    """
    model = get_model(fitted.history["model"])
    if not isinstance(model, LinearModel) or "coefficients" not in fitted.tree["posterior"]:
        return table([])
    found = [_of_outcome(model, fitted, frame, priors, k) for k in range(len(frame.outcomes))]
    values = {block: np.stack([one[block] for one in found]) for block in found[0]}
    posterior = fitted.tree["posterior"]
    shared = shared_cells(frame, model.method) | {"look": "power", "alpha": ALPHAS[1]}
    shared |= {"draws": float(posterior.sizes["chain"] * posterior.sizes["draw"])}
    words = np.vectorize(verdict, otypes=[object])
    rows = [
        shared
        | {"block": block, "sensitivity": own}
        | ({} if block == LIKELIHOOD else {"verdict": words(own, values[LIKELIHOOD])})
        for block, own in values.items()
    ]
    return table(rows, values[LIKELIHOOD].shape)


def log_priors(model: LinearModel, frame: Frame, priors: Priors, draws: Draw) -> dict[str, np.ndarray]:
    """Log prior density of every draw, by block.

    Parameters
    ----------
    model : LinearModel
    frame : Frame
        One outcome.
    priors : Priors
    draws : Draw

    Returns
    -------
    dict of str to ndarray (chain, draw)
        In the order of `power_scaling.BLOCKS`; all priors together left out.
    """
    linear = model.whole(frame, priors)
    each = -0.5 * ((draws.beta - linear.prior_mean) / linear.prior_sd) ** 2 - np.log(linear.prior_sd * SQRT_2PI)
    masks = coefficients_of(linear, frame.covariates.shape[1])
    blocks = {name: each[..., mask].sum(axis=-1) for name, mask in masks.items() if name != ALL_PRIORS}
    of_sds = zip(linear.sd_priors, np.moveaxis(draws.sds, -1, 0), strict=True)
    blocks["sds"] = np.sum([log_half_student(prior, sd) for prior, sd in of_sds], axis=0)
    if draws.nu is not None:
        shape, rate = priors.nu_shape, priors.nu_rate
        constant = shape * np.log(rate) - gammaln(shape)
        blocks["sds"] = blocks["sds"] + constant + (shape - 1) * np.log(draws.nu) - rate * draws.nu
    return blocks


def log_likelihood(model: LinearModel, frame: Frame, priors: Priors, draws: Draw) -> np.ndarray:
    """Log density of all rows given each draw, the patients' intercepts averaged out: (chain, draw).

    Parameters
    ----------
    model : LinearModel
    frame : Frame
        One outcome, without missing values.
    priors : Priors
    draws : Draw
    """
    patients = [frame.select(frame.patient == code, np.array([0])) for code in np.unique(frame.patient)]
    each = [log_predictive(model.whole(own, priors), own.y_standardised[:, 0], draws) for own in patients]
    return np.asarray(np.sum(each, axis=0))


def _of_outcome(model: LinearModel, fitted: Fit, frame: Frame, priors: Priors, k: int) -> dict[str, np.ndarray]:
    """(term,) of each block."""
    one = frame.select(np.flatnonzero(~np.isnan(frame.y.to_numpy()[:, k])), np.array([k]))
    posterior = fitted.tree["posterior"].to_dataset()
    terms = posterior["terms"].sel(outcome=one.outcomes[0]).transpose("chain", "draw", "term").to_numpy()
    draws = Draw.of(posterior, one)
    return psense(terms, log_priors(model, one, priors, draws), log_likelihood(model, one, priors, draws))


def psense(terms: np.ndarray, priors: dict[str, np.ndarray], likelihood: np.ndarray) -> dict[str, np.ndarray]:
    """Compute ArviZ's sensitivities from draws and their log densities.

    Parameters
    ----------
    terms : ndarray (chain, draw, term)
    priors : dict of str to ndarray (chain, draw)
        Log density of each block.
    likelihood : ndarray (chain, draw)
        Log density of the data.

    Returns
    -------
    dict of str to ndarray (term,)
        By block, then all priors together, then the likelihood.
    """
    import arviz as az

    logs = {name: values[..., None] for name, values in priors.items()}
    held = {"posterior": {"terms": terms}, "log_prior": logs, "log_likelihood": {LIKELIHOOD: likelihood[..., None]}}
    tree = az.from_dict(held)

    def of(group: str, names: list[str]) -> np.ndarray:
        asked: dict[str, Any] = {"var_names": ["terms"], "group": group, "group_var_names": names, "alphas": ALPHAS}
        return np.asarray(az.psense(tree, **asked)["terms"].to_numpy())

    found = {name: of("prior", [name]) for name in priors} | {ALL_PRIORS: of("prior", list(priors))}
    return found | {LIKELIHOOD: of("likelihood", [LIKELIHOOD])}
