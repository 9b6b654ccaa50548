"""Disjoint structures fitted together: their slopes shrink towards a common one as far as the data say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.models.coding import deviation_scale
from atrobayes.models.courses import drawn
from atrobayes.models.crossed import log_density
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.lkj import correlation_root, lkj_shapes, pairs_below
from atrobayes.models.priors import Priors
from atrobayes.models.slopes import mixed_design

if TYPE_CHECKING:
    import xarray as xr

# parts of the brain of which none contains another (a test holds them against the catalogue); outcomes by other
# names, a study's own structures among them, are not pooled, nor are these names where a study redefines them: nobody
# knows what they overlap with
POOLED = (
    "cortex",
    "total_wm",
    "thalamus",
    "caudate",
    "putamen",
    "pallidum",
    "hippocampus",
    "amygdala",
    "accumbens",
    "cerebellum",
    "lateral_ventricle",
)
# fewer say nothing about how much structures differ
FEWEST = 3
INTERCEPT_SD = 0.5
LKJ_ETA = 2.0
RANDOM = ("patient_sd", "patient_structure_sd", "interval_sd")


def pooled_outcomes(frame: Frame) -> tuple[str, ...]:
    """Outcomes of a frame that are pooled, in its order: those in POOLED, unless the study defines them otherwise."""
    return tuple(name for name in frame.outcomes if name in POOLED and name not in frame.redefined)


def unpoolable(frame: Frame, priors: Priors) -> str | None:
    """Say why nothing can be pooled, in words; None where it can.

    Parameters
    ----------
    frame : Frame
    priors : Priors
        Slopes of several structures have a scale in common only when standardised.
    """
    found = pooled_outcomes(frame)
    if len(found) < FEWEST:
        return f"{len(found)} structures that can be pooled, where {FEWEST} are the least"
    if priors.raw:
        return "the prior of the slopes is in raw units, which structures do not share"
    return None


@dataclass(frozen=True)
class StructuresPooled:
    """All disjoint structures in long format, standardised, every one oriented so that it shrinks with atrophy.

    Each structure's own effects (intercept, slope, and their group contrasts) deviate from the common ones with SDs
    and correlations learned from the data. What structures share by patient and by interval is a random intercept
    each: the structures of one pair of scans share its error.

    Attributes
    ----------
    name, revision, method, formula, family, joint, template
        As the Model contract has them.
    """

    name: str = "structures_pooled"
    revision: str = "1"
    method: str = "bayes_structures"
    formula: str = (
        "change ~ lesions * group + (lesions * group | structure) + (1 | patient) + (1 | patient:structure)"
        " + (1 | patient:interval)"
    )
    family: str = "gaussian"
    joint: bool = True
    template: str = "structures_pooled"

    def frame(self, frame: Frame) -> Frame:
        """Keep the outcomes that are pooled; without any, the frame has no outcome (see `unpoolable`)."""
        found = pooled_outcomes(frame)
        return frame.select(np.arange(len(frame.x)), np.array([frame.outcomes.index(name) for name in found], int))

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:  # noqa: ARG002 - the contract's
        """Return None: more SDs than quadrature has axes for."""
        return None

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
        """Build the PyMC graph of all outcomes, random intercepts integrated out.

        Free variables coefficients (coef,), structure_sd (coef,), structure_partial (pair,), structure_raw
        (structure, coef) or, centred, structure_effects, covariates (structure, covariate) and missing_errors where
        there are any, patient_sd, patient_structure_sd, interval_sd and residual_sd.
        """
        import pymc as pm

        data = self.data(frame, priors)
        structures = len(frame.outcomes)
        with pm.Model() as graph:
            held = {name: pm.Data(name, values) for name, values in data.items()}
            mean = held["X"] @ _slopes(held, structures, len(data["prior_mean"]), centred=centred).T
            if "Z" in held:
                shape = (structures, data["Z"].shape[1])
                mean = mean + held["Z"] @ pm.Normal("covariates", 0, held["covariate_sd"], shape=shape).T
            own, left = held["patient_prior"], held["residual_prior"]
            sds = [pm.HalfStudentT(name, nu=own[0], sigma=own[1]) for name in RANDOM]
            sds.append(pm.HalfStudentT("residual_sd", nu=left[0], sigma=left[1]))
            _observe(held, mean, sds, structures)
        return graph

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:
        """Give the numbers of the graph: one y for each value that is there, all outcomes below each other.

        Raises
        ------
        ValueError
            If `unpoolable` says why.
        """
        reason = unpoolable(frame, priors)
        if reason is not None:
            raise ValueError(reason)
        design = mixed_design(frame, priors)
        y = frame.y_standardised * frame.orientation
        rows = ~np.isnan(y).all(axis=1)
        y, patient = y[rows], frame.patient[rows]
        row, structure = np.nonzero(~np.isnan(y))
        numbers = {
            "y": y[row, structure],
            "row": row,
            "structure": structure,
            "member": (np.unique(patient)[:, None] == patient).astype(float),
            "X": design.X[rows],
            "prior_mean": design.prior_mean,
            "prior_sd": design.prior_sd,
            "structure_sd_prior": _structure_sd_prior(len(frame.groups), priors),
            "patient_prior": np.array([priors.patient_sd.nu, priors.patient_sd.scale], dtype=float),
            "residual_prior": np.array([priors.residual_sd.nu, priors.residual_sd.scale], dtype=float),
        }
        if frame.covariates.shape[1]:
            numbers |= {"Z": frame.covariates_standardised[rows], "covariate_sd": np.array(priors.covariate_sd)}
        missing = np.nonzero(np.isnan(y))
        if len(missing[0]):
            numbers |= dict(zip(("missing_row", "missing_structure"), missing, strict=True))
        return numbers

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Slopes of every structure, common part and its own, natural sign: (chain, draw, outcome, term)."""
        import xarray as xr

        design = mixed_design(frame, priors)
        common = drawn(draws, "coefficients")[:, :, None, :]
        slopes = (common + _own(draws)) @ design.contrasts.T
        values = slopes * (frame.slope_scale * frame.orientation)[:, None]
        coords = {"outcome": list(frame.outcomes), "term": list(design.terms)}
        return xr.DataArray(values, dims=("chain", "draw", "outcome", "term"), coords=coords)

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        """Standard deviations in each structure's units: (chain, draw, outcome, sd).

        Random intercepts and residuals, then `structure_sd[…]`: how much structures differ in each coefficient.
        """
        import xarray as xr

        design = mixed_design(frame, priors)
        names = (*RANDOM, "residual_sd")
        common = np.stack([drawn(draws, name) for name in names], axis=-1)
        between = drawn(draws, "structure_sd")
        is_slope = _is_slope(len(frame.groups))
        units = np.where(is_slope, frame.slope_scale[:, None], frame.scales.y_sd[:, None])
        values = [common[:, :, None, :] * frame.scales.y_sd[:, None], between[:, :, None, :] * units]
        labels = [*names, *(f"structure_sd[{coef}]" for coef in design.coefs)]
        coords = {"outcome": list(frame.outcomes), "sd": labels}
        return xr.DataArray(np.concatenate(values, axis=-1), dims=("chain", "draw", "outcome", "sd"), coords=coords)

    def term_priors(self, frame: Frame, priors: Priors) -> tuple[np.ndarray, np.ndarray]:
        """Prior means, raw units, (outcome, term); SDs are NaN: with an unknown SD between structures not normal."""
        design = mixed_design(frame, priors)
        mean = design.term_prior_mean * (frame.slope_scale * frame.orientation)[:, None]
        return mean, np.full_like(mean, np.nan)


STRUCTURES_POOLED = StructuresPooled()


def _slopes(held: dict[str, Any], structures: int, coefs: int, *, centred: bool) -> Any:
    """(structure, coef): common coefficients plus each structure's own deviations from them."""
    import pymc as pm
    import pytensor.tensor as pt

    common = pm.Normal("coefficients", held["prior_mean"], held["prior_sd"], shape=coefs)
    sd = pm.HalfNormal("structure_sd", held["structure_sd_prior"], shape=coefs)
    # LKJ by partial correlations: free of the SDs, which a packed Cholesky factor of the covariance is not, so that
    # sampling gets stuck where an SD is near 0
    shape = lkj_shapes(coefs, LKJ_ETA)
    share = pm.Beta("structure_partial", alpha=shape, beta=shape, shape=len(shape))
    partial = pt.zeros((coefs, coefs))[pairs_below(coefs)].set(2 * share - 1)
    cholesky = sd[:, None] * correlation_root(partial, pt)
    if centred:
        return common + pm.MvNormal("structure_effects", np.zeros(coefs), chol=cholesky, shape=(structures, coefs))
    return common + pm.Normal("structure_raw", 0, 1, shape=(structures, coefs)) @ cholesky.T


def _own(draws: xr.Dataset) -> np.ndarray:
    """(chain, draw, structure, coef): each structure's own deviations."""
    if "structure_effects" in draws:
        return drawn(draws, "structure_effects")
    sd, raw = drawn(draws, "structure_sd"), drawn(draws, "structure_raw")
    partial = np.zeros((*sd.shape, sd.shape[-1]))
    partial[(..., *pairs_below(sd.shape[-1]))] = 2 * drawn(draws, "structure_partial") - 1
    return raw @ np.swapaxes(sd[..., None] * correlation_root(partial, np), -1, -2)


def _observe(held: dict[str, Any], mean: Any, sds: list[Any], structures: int) -> None:
    """Values given the mean of each row and structure; errors of missing values are unknowns like any other."""
    import pymc as pm
    import pytensor.tensor as pt

    gaps = []
    if "missing_row" in held:
        gaps.append(pm.Flat("missing_errors", shape=len(held["missing_row"].get_value())))

    def logp(value: Any, expected: Any, *others: Any) -> Any:
        whole = pt.zeros((held["X"].shape[0], structures))
        error = whole[held["row"], held["structure"]].set(value - expected)
        if gaps:
            error = error[held["missing_row"], held["missing_structure"]].set(others[4])
        return log_density(error, held["member"], *others[:4])

    pm.CustomDist(
        "response",
        mean[held["row"], held["structure"]],
        *sds,
        *gaps,
        logp=logp,
        signature=f"(n),(),(),(),(){',(m)' * len(gaps)}->(n)",
        observed=held["y"],
    )


def _is_slope(groups: int) -> np.ndarray:
    """(coef,): whether a coefficient of `mixed_design` is a slope, not an intercept."""
    return np.array([False, True] + [False] * (groups - 1) + [True] * (groups - 1))


def _structure_sd_prior(groups: int, priors: Priors) -> np.ndarray:
    """(coef,): scales of the half-normal SDs between structures; a difference of two groups has that of its mean."""
    own = np.where(_is_slope(groups), priors.slope_sd, INTERCEPT_SD)
    own[2:] *= deviation_scale(groups) / np.sqrt(2)
    return own
