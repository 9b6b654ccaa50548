"""Sampled fits of linear models, an outcome at a time: its draws, and the density of a patient's rows given each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atrobayes.errors import DataError, Fault
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit
from atrobayes.inference.look_keys import digest
from atrobayes.inference.student_effects import log_independent, log_marginal
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.model import get_model

if TYPE_CHECKING:
    import xarray as xr


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


@dataclass(frozen=True)
class Sampled:
    """One outcome of a fit, with all that looks at its draws need: what is sent to other processes.

    Attributes
    ----------
    model, engine : str
        Name of the linear model, and of what drew the posterior.
    frame : Frame
        Rows that have the outcome, and no other outcome.
    choices : Choices
        Priors and seed of the fit; settings of refits.
    draws : Draw
    terms : ndarray (chain, draw, term)
        Raw units.
    """

    model: str
    engine: str
    frame: Frame
    choices: Choices
    draws: Draw
    terms: np.ndarray

    def key(self) -> str:
        """SHA-256 of everything the looks depend on."""
        return digest(self)

    @property
    def linear_model(self) -> LinearModel:
        """The model."""
        model = get_model(self.model)
        assert isinstance(model, LinearModel)
        return model

    @property
    def patients(self) -> tuple[str, ...]:
        """Who has rows, in the order of the codes."""
        return tuple(self.frame.patients[code] for code in np.unique(self.frame.patient))

    def of_patient(self, who: str, draws: Draw | None = None) -> np.ndarray:
        """Log density of a patient's rows given each draw, the patient's effect integrated out.

        Parameters
        ----------
        who : str
        draws : Draw, optional
            Default: those of the fit.

        Returns
        -------
        ndarray (chain, draw)
        """
        own = self.frame.select(self.frame.patient == self.frame.patients.index(who), np.array([0]))
        linear = self.linear_model.whole(own, self.choices.priors)
        return log_predictive(linear, own.y_standardised[:, 0], draws or self.draws)

    def log_densities(self) -> np.ndarray:
        """`of_patient` of every patient: (patient, chain, draw). This is what takes time."""
        return np.stack([self.of_patient(who) for who in self.patients])


def sampled_outcomes(fitted: Fit, frame: Frame, choices: Choices) -> tuple[Sampled, ...]:
    """Cut a fit into its outcomes.

    Parameters
    ----------
    fitted : Fit
        Of a linear model, as made or read from its file.
    frame : Frame
        What it was fitted to.
    choices : Choices

    Returns
    -------
    tuple of Sampled
        In the frame's order.

    Raises
    ------
    DataError
        If the fit is of another frame, of a model that is not linear, or holds no coefficients.
    """
    _check(fitted, frame)
    posterior = fitted.tree["posterior"].to_dataset()
    return tuple(_cut(fitted, posterior, frame, choices, k) for k in range(len(frame.outcomes)))


def _cut(fitted: Fit, posterior: xr.Dataset, frame: Frame, choices: Choices, k: int) -> Sampled:
    one = frame.select(np.flatnonzero(~np.isnan(frame.y.to_numpy()[:, k])), np.array([k]))
    terms = posterior["terms"].sel(outcome=one.outcomes[0]).transpose("chain", "draw", "term").to_numpy()
    history = fitted.history
    return Sampled(history["model"], history["engine"]["name"], one, choices, Draw.of(posterior, one), terms)


def _check(fitted: Fit, frame: Frame) -> None:
    name, model = fitted.name, get_model(fitted.history["model"])
    if not isinstance(model, LinearModel):
        raise DataError(Fault(f"a fit of {model.name}", "a linear model", "leave it out", name))
    if fitted.history["frame_digest"] != frame.digest:
        raise DataError(Fault("a fit of other data", "the frame it was made from", "fit again", name))
    if not has_coefficients(fitted):
        todo = "remove the file and run `atrobayes fit STUDY.toml`"
        raise DataError(Fault("no coefficients", "a posterior of this version", todo, name))


def has_coefficients(fitted: Fit) -> bool:
    """Whether a fit holds draws of the coefficients, as all that NUTS makes of linear models now do."""
    return "coefficients" in fitted.tree["posterior"]


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
        Normal errors: closed form. Student-t errors: an evenly spaced rule over the effect, as fine as each draw
        needs.
    """
    residual = y - draws.beta @ linear.X.T
    first = 0 if linear.patient is None else 1
    sigma = draws.sds[..., first:][..., linear.residual_block]
    tau = draws.sds[..., 0] if first else np.zeros(residual.shape[:-1])
    if draws.nu is None:
        return _normal(residual, sigma[..., 0], tau)
    flat = residual.reshape(-1, len(y)), sigma.reshape(-1, len(y)), tau.ravel(), draws.nu.ravel()
    return (log_marginal(*flat) if first else log_independent(flat[0], flat[1], flat[3])).reshape(tau.shape)


def _normal(residual: np.ndarray, sigma: np.ndarray, tau: np.ndarray) -> np.ndarray:
    n = residual.shape[-1]
    whole = sigma**2 + n * tau**2
    squares = (residual**2).sum(axis=-1) - tau**2 / whole * residual.sum(axis=-1) ** 2
    log_det = 2 * (n - 1) * np.log(sigma) + np.log(whole)
    return np.asarray(-0.5 * (n * np.log(2 * np.pi) + log_det + squares / sigma**2))
