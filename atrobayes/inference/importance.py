"""Power-scaling of sampled fits: the draws weighted, as ArviZ does it, instead of refitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln

from atrobayes.inference.engines.quadrature.conditional import log_half_student
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit
from atrobayes.inference.power_scaling import ALL_PRIORS, LIKELIHOOD, coefficients_of, verdict
from atrobayes.inference.prior_look import shared_cells, table
from atrobayes.inference.sampled import Draw, Sampled, has_coefficients, sampled_outcomes
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
    if not isinstance(get_model(fitted.history["model"]), LinearModel) or not has_coefficients(fitted):
        return table([])
    outcomes = sampled_outcomes(fitted, frame, Choices(priors=priors))
    return pd.concat([power_scaled(one, one.log_densities()) for one in outcomes], ignore_index=True)


def power_scaled(sampled: Sampled, log_densities: np.ndarray) -> pd.DataFrame:
    """Sensitivity of one outcome's terms to each block of priors and to the likelihood.

    Parameters
    ----------
    sampled : Sampled
    log_densities : ndarray (patient, chain, draw)
        Of its patients.

    Returns
    -------
    DataFrame
        Rows of prior_sensitivity.tsv, look "power".
    """
    model, frame, draws = sampled.linear_model, sampled.frame, sampled.draws
    values = psense(sampled.terms, log_priors(model, frame, sampled.choices.priors, draws), log_densities.sum(axis=0))
    shared = shared_cells(frame, model.method, sampled.engine) | {"look": "power", "alpha": ALPHAS[1]}
    shared |= {"draws": float(np.prod(sampled.terms.shape[:2]))}
    words = np.vectorize(verdict, otypes=[object])
    rows = [
        shared
        | {"block": block, "sensitivity": own}
        | ({} if block == LIKELIHOOD else {"verdict": words(own, values[LIKELIHOOD])})
        for block, own in values.items()
    ]
    return table(rows, (1, len(values[LIKELIHOOD])))


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
