"""How much the priors carry: power-scaling, the ladder of slope priors and the tipping prior, as one table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.brief import Brief, brief
from atrobayes.inference.engine import refusal
from atrobayes.inference.engines.quadrature.exact import Exact, problems, solve
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.power_scaling import ALL_PRIORS, BLOCKS, LIKELIHOOD, VERDICTS, Scaled, power_scalings, verdict
from atrobayes.inference.prior_ladder import REASONS, Rung, Tipping, base_slope_sd, direction, ladder, tipping
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.terms import terms_of
from atrobayes.study import Sensitivity

LOOKS = {
    "power": "a block of priors, or the likelihood, to the power alpha",
    "ladder": "the slope prior made narrower or wider",
    "tipping": "the slope prior at which pd is at the limit; n/a with the reason where there is none",
}
COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure, or the clinical variable where there is none."),
    Column("term", "As in estimates.tsv."),
    Column("method", "Model, as in estimates.tsv: the Gaussian one refitted exactly, or one that was sampled."),
    Column(
        "engine",
        "What computed it: quadrature, which refits exactly, or the sampler whose draws were weighted instead of "
        "refitted (column draws).",
    ),
    Column("look", "What is changed.", levels=LOOKS),
    Column("block", "What is raised to a power; n/a for the ladder and the tipping prior.", levels=BLOCKS),
    Column("alpha", "The power; 1 would be the posterior itself."),
    Column("prior_sd", "SD of a group's slope prior, standardised (half that of a 0/1 state or of two groups)."),
    Column("base", "1: the study's own prior, 0: another one; n/a where the look is not the ladder."),
    Column("estimate", "Posterior mean with that prior or likelihood.", "as unit"),
    Column("sd", "Posterior SD.", "as unit"),
    Column("ci_low", "Lower end of the equal-tailed posterior interval.", "as unit"),
    Column("ci_high", "Upper end of the equal-tailed posterior interval.", "as unit"),
    Column("ci_prob", "Level of the interval."),
    Column("pd", "Posterior probability of the direction that the study's own prior gives."),
    Column(
        "sensitivity",
        "Change of the posterior per doubling of alpha, cumulative Jensen-Shannon distance "
        "(doi:10.1007/s11222-023-10366-5); above 0.05 the block is said to matter, a convention.",
    ),
    Column("verdict", "What a prior's sensitivity is taken to say beside the likelihood's.", levels=VERDICTS),
    Column("limit", "pd that the tipping prior is sought for."),
    Column("crossings", "Priors at which pd is at the limit; prior_sd is the one nearest to the study's own."),
    Column("reason", "Where pd is below the limit; for power: why there is no posterior.", levels={
        **REASONS, "improper": "a prior to that power is no distribution"
    }),
    Column("reached", "1: the quadrature met its limits of precision; n/a for a tipping prior and without posterior."),
    Column("draws", "Posterior draws a sensitivity was computed from, by weighting; n/a where the refit is exact."),
    Column("unit", "Unit of estimate, its interval and sd."),
)  # fmt: skip
TEXT = frozenset({"analysis", "structure", "term", "method", "engine", "look", "block", "verdict", "reason", "unit"})


def look(frame: Frame, choices: Choices, wanted: Sensitivity) -> pd.DataFrame:
    """Refit one part of one analysis with other priors.

    Parameters
    ----------
    frame : Frame
        One of `plan.parts`.
    choices : Choices
    wanted : Sensitivity
        Gives the powers, the ladder and, as `robust.least_pd`, the limit of the tipping prior.

    Returns
    -------
    DataFrame
        Rows of prior_sensitivity.tsv: by structure and term, then power by block, ladder from narrow to wide,
        tipping prior. None where no Gaussian model that quadrature serves asks the frame's question.
    """
    name = GAUSSIAN.get(frame.kind)
    if name is None or refusal("quadrature", get_model(name), frame, choices.priors) is not None:
        return table([])
    model, own = get_model(name), base_slope_sd(frame, choices.priors)
    parts = problems(model, frame, choices.priors)
    base = solve(parts)
    made = _Made(frame, model.method, choices.interval, direction(base))
    limit = wanted.robust.least_pd
    looks = [
        *made.power(power_scalings(parts, base, wanted.power, frame.covariates.shape[1]), own),
        *(made.rung(rung) for rung in ladder(model, frame, choices.priors, base, wanted.ladder)),
        made.tipping(tipping(model, frame, choices.priors, base, limit, choices.interval), limit),
    ]
    return table(looks, base.mixture.mean().shape)


# all rows of one look by column: constants, or arrays that are broadcast over (outcome, term)
Cells = dict[str, Any]


def table(looks: Sequence[Cells], shape: tuple[int, int] = (0, 0)) -> pd.DataFrame:
    """Tabulate looks: a row for each outcome, term and look, in this order; what a look lacks is missing.

    Parameters
    ----------
    looks : sequence of dict
        By column: a constant, or an array that is broadcast over (outcome, term).
    shape : tuple of int
        Numbers of outcomes and terms.
    """

    def column(name: str) -> np.ndarray:
        missing = "" if name in TEXT else np.nan
        cells = [np.broadcast_to(one.get(name, missing), shape).ravel() for one in looks]
        return np.stack(cells, axis=-1).ravel() if cells else np.array([])

    kinds = {column.name: "str" if column.name in TEXT else "float64" for column in COLUMNS}
    return pd.DataFrame({name: column(name) for name in kinds}).astype(kinds)


def shared_cells(frame: Frame, method: str, engine: str) -> Cells:
    """Give the cells of every look at one frame: what is estimated, by which method and engine, in which unit.

    Parameters
    ----------
    frame : Frame
    method, engine : str
        As in estimates.tsv.
    """
    terms = terms_of(frame)
    return {
        "analysis": frame.analysis,
        "structure": np.array(frame.outcomes, dtype=object)[:, None],
        "term": np.array([term.name for term in terms], dtype=object),
        "unit": np.array([[term.unit or unit for term in terms] for unit in frame.units], dtype=object),
        "method": method,
        "engine": engine,
    }


@dataclass(frozen=True)
class _Made:
    """Makes the cells of one frame's looks."""

    frame: Frame
    method: str
    interval: float
    sign: np.ndarray

    def power(self, scaled: Sequence[Scaled], own: np.ndarray) -> list[Cells]:
        data = next(one.sensitivity for one in scaled if one.block == LIKELIHOOD)
        return [self._scaled(one, own, data) for one in scaled]

    def rung(self, rung: Rung) -> Cells:
        changed = {"look": "ladder", "prior_sd": rung.prior_sd[:, None], "base": float(rung.base)}
        return self._shared() | changed | self._posterior(rung.found)

    def tipping(self, tips: Tipping, limit: float) -> Cells:
        changed = {"look": "tipping", "prior_sd": tips.prior_sd, "limit": limit}
        told = {"crossings": tips.crossings, "reason": tips.reason}
        return self._shared() | changed | told | self._brief(tips.found)

    def _scaled(self, one: Scaled, own: np.ndarray, data: np.ndarray) -> Cells:
        scales_slopes = one.block in {"slopes", ALL_PRIORS}
        prior_sd = own[:, None] / math.sqrt(one.alpha) if scales_slopes else own[:, None]
        words = np.vectorize(verdict, otypes=[object])(one.sensitivity, data)
        changed = {"look": "power", "block": one.block, "alpha": one.alpha, "prior_sd": prior_sd}
        told = {"sensitivity": one.sensitivity, "verdict": "" if one.block == LIKELIHOOD else words}
        found = {"reason": "improper"} if one.found is None else self._posterior(one.found)
        return self._shared() | changed | told | found

    def _shared(self) -> Cells:
        return shared_cells(self.frame, self.method, "quadrature") | {"ci_prob": self.interval}

    def _posterior(self, found: Exact) -> Cells:
        reached = found.reached.astype(float)[:, None]
        return self._brief(brief(found.mixture, self.interval)) | {"reached": reached}

    def _brief(self, found: Brief) -> Cells:
        ends = {"ci_low": found.low, "ci_high": found.high}
        return {"estimate": found.mean, "sd": found.sd, **ends, "pd": found.pd_of(self.sign)}
