"""Linear models with at most one random intercept: the one description that every engine computes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.models.frame import Frame
from atrobayes.models.priors import HalfStudentT, Priors

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Linear:
    """A linear model with at most one random intercept, on the standardised scale.

    Given its SDs, and with normal errors, the coefficients are Gaussian: that is what quadrature integrates.

    Attributes
    ----------
    X : ndarray (row, coef)
        Design.
    coefs : tuple of str
        Names of its columns.
    patient : ndarray of int (row,) or None
        Who shares a random intercept; None: nobody.
    patients : int
        How many there are to draw intercepts for, with rows or without.
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
    patients: int
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

    def with_covariates(self, frame: Frame, priors: Priors) -> Linear:
        """Add a column for each covariate of the frame; the terms do not involve them."""
        extra = frame.covariates_standardised
        names = tuple(map(str, frame.covariates["covariate"].to_numpy().tolist()))
        return replace(
            self,
            X=np.hstack([self.X, extra]),
            coefs=(*self.coefs, *names),
            prior_mean=np.append(self.prior_mean, np.zeros(len(names))),
            prior_sd=np.append(self.prior_sd, np.full(len(names), priors.covariate_sd)),
            contrasts=np.hstack([self.contrasts, np.zeros((len(self.terms), len(names)))]),
        )


Design = Callable[[Frame, Priors], Linear]


@dataclass(frozen=True)
class LinearModel:
    """A design with normal or Student-t errors.

    Attributes
    ----------
    name, revision, method, formula, family
        As the Model contract has them; family "gaussian" or "t".
    design : callable
        Frame and standardised priors to Linear.
    joint : bool
        As the Model contract has it: each outcome is fitted for itself.
    """

    name: str
    revision: str
    method: str
    formula: str
    family: str
    design: Design
    joint: bool = False

    @property
    def template(self) -> str:
        """Graphs of one template differ in data and shapes only."""
        return f"linear_{self.family}"

    def frame(self, frame: Frame) -> Frame:
        """Take the frame as it is."""
        return frame

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:
        """Return what quadrature integrates; None with Student-t errors, which it cannot."""
        return self.whole(frame, priors) if self.family == "gaussian" else None

    def whole(self, frame: Frame, priors: Priors) -> Linear:
        """Design, priors and terms on the standardised scale, whatever the errors."""
        own = priors.standardised(frame.slope_scale)
        return self.design(frame, own).with_covariates(frame, own)

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
        """Build the PyMC graph of the frame's first outcome, all numbers of `data` held as `pm.Data`."""
        from atrobayes.models.linear_graph import build_graph

        return build_graph(self.data(frame, priors), self.whole(frame, priors).patients, self.family, centred=centred)

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:
        """Give the numbers of the graph for the frame's first outcome."""
        linear = self.whole(frame, priors)
        first = 0 if linear.patient is None else 1
        numbers = {
            "y": frame.y_standardised[:, 0],
            "X": linear.X,
            "block": linear.residual_block,
            "prior_mean": linear.prior_mean,
            "prior_sd": linear.prior_sd,
            "residual_prior": np.array([[prior.nu, prior.scale] for prior in linear.sd_priors[first:]], dtype=float),
        }
        if linear.patient is not None:
            prior = linear.sd_priors[0]
            numbers |= {"patient": linear.patient, "patient_prior": np.array([prior.nu, prior.scale], dtype=float)}
        if self.family == "t":
            numbers |= {"nu_prior": np.array([priors.nu_shape, priors.nu_rate], dtype=float)}
        return numbers

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Combine draws of the coefficients into terms: (chain, draw, outcome, term), raw units."""
        import xarray as xr

        linear = self.whole(frame, priors)
        contrasts = xr.DataArray(linear.contrasts, dims=("term", "coef"), coords={"term": list(linear.terms)})
        terms = xr.dot(_vector(draws["coefficients"], "coef"), contrasts, dim="coef")
        return terms.expand_dims(outcome=list(frame.outcomes)) * _by_outcome(frame.slope_scale)

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Standard deviations, raw units, and `nu` of Student-t errors: (chain, draw, outcome, sd)."""
        import xarray as xr

        linear = self.whole(frame, priors)
        own = [] if linear.patient is None else [draws["patient_sd"].expand_dims("sd")]
        own = [values * float(frame.scales.y_sd[0]) for values in (*own, _vector(draws["residual_sd"], "sd"))]
        shape = [draws["nu"].expand_dims("sd")] if self.family == "t" else []
        names = [*linear.sd_names, *["nu"] * len(shape)]
        sds = xr.concat([*own, *shape], dim="sd", coords="minimal", compat="override").assign_coords(sd=names)
        return sds.expand_dims(outcome=list(frame.outcomes))

    def term_priors(self, frame: Frame, priors: Priors) -> tuple[np.ndarray, np.ndarray]:
        """Prior mean and SD of every term, raw units: two arrays (outcome, term)."""
        # raw priors differ, once standardised, from outcome to outcome
        rows, each = np.arange(len(frame.x)), range(len(frame.outcomes)) if priors.raw else range(0)
        designs = [self.whole(one, priors) for one in [frame.select(rows, np.array([k])) for k in each] or [frame]]
        mean, sd = (
            np.array([one.term_prior_mean for one in designs]),
            np.array([one.term_prior_sd for one in designs]),
        )
        return mean * frame.slope_scale[:, None], sd * frame.slope_scale[:, None]


def _vector(draws: xr.DataArray, dim: str) -> xr.DataArray:
    """Name the dim of a vector variable, which PyMC calls `<variable>_dim_0`."""
    own = f"{draws.name}_dim_0"
    return draws.drop_vars(own, errors="ignore").rename({own: dim})


def _by_outcome(values: np.ndarray) -> Any:
    import xarray as xr

    return xr.DataArray(values, dims="outcome")
