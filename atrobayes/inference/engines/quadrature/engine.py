"""The quadrature engine: exact posteriors of Gaussian models with one random intercept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.quadrature.conditional import condition
from atrobayes.inference.engines.quadrature.exact import Problem, problems
from atrobayes.inference.engines.quadrature.solve import Refined, join
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.marginals import Mixture
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

MOST_SDS = 3


@dataclass(frozen=True)
class _Part:
    """Outcomes present in the same rows, with what was found for them."""

    problem: Problem
    refined: Refined


@dataclass(frozen=True)
class Quadrature:
    """Integrate over the SDs by Gauss–Legendre panels; no sampling, deterministic."""

    name: str = "quadrature"
    libraries: tuple[str, ...] = ("numpy", "scipy")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:
        """Refuse models that are not Gaussian and linear, or have more SDs than a grid can hold."""
        linear = None if model.joint else model.linear(frame.select(np.arange(len(frame.x)), np.array([0])), priors)
        if linear is None:
            return "it is not a Gaussian linear model with at most one random intercept"
        if len(linear.sd_names) > MOST_SDS:
            return f"it has {len(linear.sd_names)} standard deviations; at most {MOST_SDS} fit on the grid"
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Mixture]:
        """Integrate every outcome; also take independent draws for the tree."""
        parts = [_Part(problem, problem.solve()) for problem in problems(model, frame, priors)]
        linear, order = parts[0].problem.linear, np.argsort(np.concatenate([part.problem.outcomes for part in parts]))
        whole = join([part.refined for part in parts]).take(order)
        mixture = whole.solution.mixture.compact().scaled(frame.slope_scale)
        draws = [_draw(part, frame, settings, seed) for part in parts]
        coefficients, sds = (np.concatenate([pair[k] for pair in draws])[order] for k in (0, 1))
        posterior = _posterior(coefficients, sds, linear, frame, settings)
        groups = {
            "/": xr.Dataset(attrs={"engine": self.name, "engine_version": version("atrobayes")}),
            "/posterior": posterior,
            "/mixture": _mixture_dataset(mixture, whole, linear),
        }
        settings.progress(len(frame.outcomes), len(frame.outcomes))
        return xr.DataTree.from_dict(groups), mixture


def _draw(part: _Part, frame: Frame, settings: Settings, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Independent draws: coefficients (outcome, draw, coef) and SDs (outcome, draw, sd), standardised."""
    # a generator per outcome: draws do not depend (but for rounding) on which other outcomes there are
    rngs = [np.random.default_rng(derive(seed, frame.outcomes[outcome])) for outcome in part.problem.outcomes]
    sds = part.refined.solution.curves.draw(settings.chains * settings.draws, *rngs)
    coefficients = np.empty((*sds.shape[:2], len(part.problem.linear.coefs)))
    for k, rng in enumerate(rngs):
        own = np.moveaxis(np.maximum(sds[k : k + 1], 1e-12), 2, 0)
        coefficients[k] = condition(part.problem.linear, part.problem.sums, np.array([k]), list(own)).draw(rng)[0]
    return coefficients, sds


def _posterior(
    coefficients: np.ndarray, sds: np.ndarray, linear: Linear, frame: Frame, settings: Settings
) -> xr.Dataset:
    def chains(values: np.ndarray) -> np.ndarray:
        shaped = values.reshape(len(values), settings.chains, settings.draws, -1)
        return np.moveaxis(shaped, 0, 2)

    terms = np.einsum("tc,odc->odt", linear.contrasts, coefficients) * frame.slope_scale[:, None, None]
    dims = ("chain", "draw", "outcome")
    return xr.Dataset(
        {
            "terms": ((*dims, "term"), chains(terms), {"units": frame.units[0]}),
            "sds": ((*dims, "sd"), chains(sds * frame.scales.y_sd[:, None, None])),
            "coefficients": ((*dims, "coefficient"), chains(coefficients), {"units": "standardised"}),
        },
        coords={
            "chain": np.arange(settings.chains),
            "draw": np.arange(settings.draws),
            "outcome": list(frame.outcomes),
            "term": list(linear.terms),
            "sd": list(linear.sd_names),
            "coefficient": list(linear.coefs),
        },
    )


def _mixture_dataset(mixture: Mixture, found: Refined, linear: Linear) -> xr.Dataset:
    curves = found.solution.curves
    assert mixture.sds is not None
    return xr.Dataset(
        {
            "weight": (("outcome", "node"), mixture.weight),
            "loc": (("outcome", "term", "node"), mixture.loc),
            "scale": (("outcome", "term", "node"), mixture.scale),
            "sds": (("outcome", "sd", "node"), mixture.sds, {"units": "standardised"}),
            "log_evidence": ("outcome", found.solution.log_evidence),
            "reached": ("outcome", found.reached.astype(np.int8)),
            "panels": ("outcome", found.panels),
            "sd_mean": (("outcome", "sd"), curves.mean(), {"units": "standardised"}),
            "sd_sd": (("outcome", "sd"), curves.sd(), {"units": "standardised"}),
        }
        | {f"change_{kind}": ("outcome", values) for kind, values in found.change.items()},
        coords={"outcome": list(mixture.outcomes), "term": list(mixture.terms), "sd": list(linear.sd_names)},
    )
