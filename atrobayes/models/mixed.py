"""Gaussian mixed model: yearly changes on lesions by group, patients with random intercepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.models.coding import column_names, contrast_columns, deviation_scale, term_weights
from atrobayes.models.frame import Frame
from atrobayes.models.model import Linear
from atrobayes.models.priors import HalfStudentT, Priors

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Mixed:
    """change ~ lesions * group + (1 | patient), normal errors, groups coded symmetrically."""

    name: str = "mixed"
    revision: str = "1"
    method: str = "bayes"
    formula: str = "change ~ lesions * group + (1 | patient)"
    family: str = "gaussian"

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:
        """Design, priors and terms on the standardised scale."""
        groups = len(frame.groups)
        side = contrast_columns(groups)[frame.group]
        x = frame.x_standardised[:, None]
        mean_slope_sd, scale = priors.mean_slope_sd(groups), deviation_scale(groups)
        weights = term_weights(frame.groups)
        return Linear(
            X=np.hstack([np.ones_like(x), x, side, x * side]),
            coefs=_coefs(groups),
            patient=frame.patient,
            residual_block=np.zeros(len(frame.x), dtype=np.int64),
            prior_mean=np.array([0.0, priors.slope_mean] + [0.0] * (2 * (groups - 1))),
            prior_sd=np.array(
                [priors.intercept_mean_sd, mean_slope_sd]
                + [priors.intercept_deviation_sd * scale] * (groups - 1)
                + [priors.slope_deviation_sd * scale] * (groups - 1)
            ),
            sd_names=("patient_sd", "residual_sd"),
            sd_priors=(priors.patient_sd, priors.residual_sd),
            terms=tuple(weights),
            contrasts=np.array([_contrast(weight, groups) for weight in weights.values()]),
        )

    def graph(self, frame: Frame, priors: Priors) -> Any:
        """Build the same model with Bambi; the response is the graph's one observed variable."""
        import bambi as bmb
        import pandas as pd

        linear = self.linear(frame, priors)
        assert linear is not None
        names = column_names(len(frame.groups))
        table = pd.DataFrame({"y": frame.y_standardised[:, 0], "x": frame.x_standardised, "patient": frame.patient})
        table["patient"] = pd.Categorical(table["patient"])
        table[list(names)] = contrast_columns(len(frame.groups))[frame.group]
        own = {
            coef: bmb.Prior("Normal", mu=float(mean), sigma=float(sd))
            for coef, mean, sd in zip(linear.coefs, linear.prior_mean, linear.prior_sd, strict=True)
        }
        spread = bmb.Prior("Normal", mu=0, sigma=_half_student(priors.patient_sd))
        model = bmb.Model(
            f"y ~ {_right_hand_side(names)} + (1|patient)",
            table,
            priors=own | {"1|patient": spread, "sigma": _half_student(priors.residual_sd)},
            family=self.family,
            center_predictors=False,
        )
        model.build()
        return model.backend.model

    def terms(self, draws: xr.Dataset, frame: Frame) -> xr.DataArray:
        """Slopes of the groups and their differences: (chain, draw, term), standardised."""
        import xarray as xr

        groups = len(frame.groups)
        weights = term_weights(frame.groups)
        beta = xr.concat([draws[coef] for coef in _coefs(groups)], dim="coef", coords="minimal", compat="override")
        matrix = np.array([_contrast(weight, groups) for weight in weights.values()])
        contrasts = xr.DataArray(matrix, dims=("term", "coef"), coords={"term": list(weights)})
        return xr.dot(contrasts, beta, dim="coef").transpose("chain", "draw", "term")

    def sds(self, draws: xr.Dataset) -> xr.DataArray:
        """Patient and residual SD: (chain, draw, sd), standardised."""
        import xarray as xr

        both = xr.concat([draws["1|patient_sigma"], draws["sigma"]], dim="sd", coords="minimal", compat="override")
        return both.assign_coords(sd=["patient_sd", "residual_sd"]).transpose("chain", "draw", "sd")


def _coefs(groups: int) -> tuple[str, ...]:
    names = column_names(groups)
    return ("Intercept", "x", *names, *(f"x:{name}" for name in names))


def _contrast(weight: np.ndarray, groups: int) -> np.ndarray:
    side = weight @ contrast_columns(groups)
    return np.concatenate([[0.0, weight.sum()], np.zeros(groups - 1), side])


def _right_hand_side(names: tuple[str, ...]) -> str:
    return f"x * ({' + '.join(names)})" if names else "x"


def _half_student(prior: HalfStudentT) -> Any:
    import bambi as bmb

    return bmb.Prior("HalfStudentT", nu=prior.nu, sigma=prior.scale)
