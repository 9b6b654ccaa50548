"""Leave one patient out of a fit by its draws: importance sampling, and exact refits where that may not be trusted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import gammaln, logsumexp

from atrobayes.errors import DataError, Fault
from atrobayes.files import Column
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit, fit
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors

LARGE_K = 0.7
FEWEST_NODES, MOST_NODES = 32, 2048
SETTLED = 1e-6  # of a log density, between a rule and one twice as fine
WIDTH = 9.0  # patient SDs on each side that a patient's effect is integrated over: beyond lies 1e-19

COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("part", "Part of the analysis, such as ALL; n/a: with its groups."),
    Column("method", "As in estimates.tsv."),
    Column("engine", "What drew the posterior."),
    Column("structure", "Id of the structure."),
    Column("patient", "Who is left out; patients without the structure have no row."),
    Column("n_obs", "Rows of that patient with the structure."),
    Column(
        "elpd",
        "Log predictive density of the patient's rows given all others, the patient's effect integrated out, on the "
        "standardised scale of the fit; minus n_obs times log s_y it is that of raw units.",
    ),
    Column("pareto_k", f"Shape of the importance weights' tail. Above {LARGE_K} they may not be trusted."),
    Column(
        "refitted",
        "Where elpd comes from.",
        levels={"yes": f"a fit without the patient: pareto_k was above {LARGE_K}", "no": "importance sampling"},
    ),
)


def patient_loo(fitted: Fit, frame: Frame, choices: Choices) -> pd.DataFrame:
    """Leave each patient out of a fit, every outcome.

    Parameters
    ----------
    fitted : Fit
        Of a linear model, as made or read from its file.
    frame : Frame
        What it was fitted to.
    choices : Choices
        Priors and seed of the fit; settings of the refits.

    Returns
    -------
    DataFrame
        Rows of patient_loo.tsv, by structure and patient.

    Raises
    ------
    DataError
        If the fit is of another frame, of a model that is not linear, or holds no coefficients.

    Notes
    -----
    Pareto-smoothed importance sampling: Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4. Whole patients
    are left out, with their effect integrated out given each draw; given the effect the weights would be far worse.
    """
    model = _checked(fitted, frame)
    rows: list[dict[str, Any]] = []
    for k in range(len(frame.outcomes)):
        one = frame.select(np.flatnonzero(~np.isnan(frame.y.to_numpy()[:, k])), np.array([k]))
        draws = Draw.of(fitted.tree["posterior"].to_dataset(), one)
        rows.extend(_of_outcome(model, one, draws, fitted, choices))
    return pd.DataFrame(rows, columns=[column.name for column in COLUMNS])


@dataclass(frozen=True)
class Draw:
    """Draws of one outcome, standardised.

    Attributes
    ----------
    beta : ndarray (chain, draw, coef)
    sds : ndarray (chain, draw, sd)
        Patient SD first if the model has one, then the residual SDs.
    nu : ndarray (chain, draw) or None
        Degrees of freedom of the errors; None: normal.
    """

    beta: np.ndarray
    sds: np.ndarray
    nu: np.ndarray | None

    @classmethod
    def of(cls, posterior: xr.Dataset, frame: Frame) -> Draw:
        """Of a posterior in raw units and the frame with that outcome only."""
        own = posterior.sel(outcome=frame.outcomes[0])
        names = own["sd"].to_numpy().tolist()
        sds, beta = (own[name].transpose("chain", "draw", ...).to_numpy() for name in ("sds", "coefficients"))
        shape = [name == "nu" for name in names]
        nu = sds[..., shape.index(True)] if any(shape) else None
        return cls(beta, sds[..., ~np.array(shape)] / frame.scales.y_sd[0], nu)


def log_predictive(linear: Linear, y: np.ndarray, draws: Draw) -> np.ndarray:
    """Log density of one patient's rows given each draw, the patient's effect integrated out.

    Parameters
    ----------
    linear : Linear
        Design of that patient's rows.
    y : ndarray (row,)
        Standardised.
    draws : Draw

    Returns
    -------
    ndarray (chain, draw)
        Normal errors: closed form. Student-t errors: an evenly spaced rule over the effect, made finer for those
        draws where that still changes anything.
    """
    residual = y - draws.beta @ linear.X.T
    first = 0 if linear.patient is None else 1
    sigma = draws.sds[..., first:][..., linear.residual_block]
    tau = draws.sds[..., 0] if first else np.zeros(residual.shape[:-1])
    if draws.nu is None:
        return _normal(residual, sigma[..., 0], tau)
    flat = residual.reshape(-1, len(y)), sigma.reshape(-1, len(y)), tau.ravel(), draws.nu.ravel()
    return (_student(*flat) if first else _log_student(flat[0], flat[1], flat[3])).reshape(tau.shape)


def _normal(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray) -> np.ndarray:
    n = residual.shape[-1]
    whole = sigma**2 + n * tau**2
    squares = (residual**2).sum(axis=-1) - tau**2 / whole * residual.sum(axis=-1) ** 2
    log_det = 2 * (n - 1) * np.log(sigma) + np.log(whole)
    return np.asarray(-0.5 * (n * np.log(2 * np.pi) + log_det + squares / sigma**2))


def _log_student(residual: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Log density of rows (…, row) together, nu (…,)."""
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    each = -np.log(sigma) - (nu[..., None] + 1) / 2 * np.log1p((residual / sigma) ** 2 / nu[..., None])
    return np.asarray(residual.shape[-1] * constant + each.sum(axis=-1))


def _student(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Integral over the patient's effect, of draws (draw,)."""
    out, left, nodes = np.full(len(tau), np.nan), np.arange(len(tau)), FEWEST_NODES
    coarse = _ruled(residual, sigma, tau, nu, nodes)
    while len(left):
        nodes *= 2
        fine = _ruled(residual[left], sigma[left], tau[left], nu[left], nodes)
        rests = (np.abs(fine - coarse) <= SETTLED) | (nodes >= MOST_NODES)
        out[left[rests]] = fine[rests]
        left, coarse = left[~rests], fine[~rests]
    return out


def _ruled(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray, nu: np.ndarray, nodes: int) -> np.ndarray:
    # an evenly spaced rule converges exponentially here, and a normal's tails end it
    z = (np.arange(nodes) + 0.5) / nodes * 2 * WIDTH - WIDTH
    log_weight = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) + np.log(2 * WIDTH / nodes)
    apart = residual[:, None, :] - (tau[:, None] * z)[..., None]
    logs = _log_student(apart, sigma[:, None, :], np.broadcast_to(nu[:, None], apart.shape[:-1]))
    return np.asarray(logsumexp(logs + log_weight, axis=-1))


def _checked(fitted: Fit, frame: Frame) -> LinearModel:
    model, name = get_model(fitted.history["model"]), fitted.name
    if not isinstance(model, LinearModel):
        raise DataError(Fault(f"a fit of {model.name}", "a linear model", "leave it out", name))
    if fitted.history["frame_digest"] != frame.digest:
        raise DataError(Fault("a fit of other data", "the frame it was made from", "fit again", name))
    if "coefficients" not in fitted.tree["posterior"]:
        todo = "remove the file and run `atrobayes fit STUDY.toml`"
        raise DataError(Fault("no coefficients", "a posterior of this version", todo, name))
    return model


def _of_outcome(
    model: LinearModel, frame: Frame, draws: Draw, fitted: Fit, choices: Choices
) -> Iterator[dict[str, Any]]:
    patients = [frame.patients[code] for code in np.unique(frame.patient)]
    logs = np.stack([_of_patient(model, frame, who, choices.priors, draws) for who in patients])
    elpd, k = _importance(logs)
    history = fitted.history
    common = {name: history[name] for name in ("analysis", "part", "method")}
    common |= {"engine": history["engine"]["name"], "structure": frame.outcomes[0]}
    for place, who in enumerate(patients):
        again = bool(k[place] > LARGE_K) and len(patients) > 1
        value = _refitted(model, frame, who, fitted, choices) if again else float(elpd[place])
        own = {"patient": who, "n_obs": float((frame.patient == frame.patients.index(who)).sum()), "elpd": value}
        yield common | own | {"pareto_k": float(k[place]), "refitted": "yes" if again else "no"}


def _of_patient(model: LinearModel, frame: Frame, who: str, priors: Priors, draws: Draw) -> np.ndarray:
    """Log predictive density (chain, draw) of a patient's rows."""
    own = frame.select(frame.patient == frame.patients.index(who), np.array([0]))
    return log_predictive(model.whole(own, priors), own.y_standardised[:, 0], draws)


def _importance(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log predictive density and Pareto-k (patient,) from log densities (patient, chain, draw)."""
    import arviz as az

    held = {"log_likelihood": {"rows": np.moveaxis(logs, 0, -1)}, "posterior": {"rows": np.moveaxis(logs, 0, -1)}}
    with warnings.catch_warnings():
        # that some k are large is not a surprise here: those patients are refitted
        warnings.simplefilter("ignore", UserWarning)
        found = az.loo(az.from_dict(held), pointwise=True, var_name="rows")
    return found.elpd_i.to_numpy(), found.pareto_k.to_numpy()


def _refitted(model: LinearModel, frame: Frame, who: str, fitted: Fit, choices: Choices) -> float:
    """Exact: the posterior without the patient, averaged over its draws."""
    left = frame.without_patient(who)
    engine = fitted.history["engine"]["name"]
    # a refit is one of many: it has a seed of its own through its analysis' name
    own = replace(left, analysis=f"{left.analysis} without {who}")
    new = fit(model, own, choices.priors, engine=engine, settings=choices.settings, seed=choices.seed)
    logs = _of_patient(model, frame, who, choices.priors, Draw.of(new.tree["posterior"].to_dataset(), left))
    return float(logsumexp(logs) - np.log(logs.size))
