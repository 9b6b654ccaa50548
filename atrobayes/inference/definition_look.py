"""What a result owes to how lesions were counted and to visits that were missed: definitions.tsv."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.brief import Brief, brief
from atrobayes.inference.dropout import Shifted, fill_in, no_unseen, sure_excess, tipping
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.miscounts import no_counts, refit_miscounted
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.models import estimates
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.terms import Term, terms_of
from atrobayes.study import Sensitivity

_LOOKS = {
    "base": "as analysed, with normal errors",
    "miscounts": "lesion counts one too high or too low: with half the probability miscounted each, counts of 0 never "
    "too low; numbers are averages over the miscounted data sets",
    "dropout": "patient-years nobody saw filled in: from a patient's first one up to the study's latest visit",
}
_SETTINGS = {
    "base": "as analysed",
    "miscounted=P": "P: probability of a miscount",
    "delta=D": "changes nobody saw are D SDs of the outcome above what the model predicts from the patient's other "
    "years; D < 0 is more atrophy; 0 is missing at random",
    "tipping_pd": "shift nearest to 0 at which the sign is no longer sure; column delta",
    "tipping_sign": "shift nearest to 0 at which the estimate changes its sign; column delta",
    "left_out": "not looked at; column reason",
}
COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure; n/a in rows that say why an analysis was left out."),
    Column("term", "As in estimates.tsv."),
    Column("look", "What was tried.", levels=_LOOKS),
    Column("setting", "How.", levels=_SETTINGS),
    Column("delta", "Shift of the changes nobody saw; negative is more atrophy.", "SD of the outcome"),
    Column("n_obs", "Rows the term rests on, without those filled in.", "count"),
    Column("n_patients", "Patients these rows come from.", "count"),
    Column("filled", "Patient-years filled in, of the groups of the term.", "count"),
    Column("data_sets", "Miscounted data sets the row is about.", "count"),
    Column("estimate", "Posterior mean; of miscounts its average over the data sets.", "as unit"),
    Column("sd", "Posterior SD; of miscounts its average.", "as unit"),
    Column("ci_low", "Lower end of the equal-tailed posterior interval; n/a of miscounts.", "as unit"),
    Column("ci_high", "Upper end of the equal-tailed posterior interval; n/a of miscounts.", "as unit"),
    Column("ci_prob", "Level of the posterior interval."),
    Column("pd", "Probability of the direction that the term has as analysed; of miscounts its average."),
    Column("range_low", "2.5 % quantile of the posterior mean over the miscounted data sets.", "as unit"),
    Column("range_high", "97.5 % quantile of the posterior mean over the miscounted data sets.", "as unit"),
    Column("share_sign", "Share of miscounted data sets whose estimate has the sign it has as analysed."),
    Column("share_clear", "Share of miscounted data sets in which that sign is sure: pd above robust.fork_pd."),
    Column("unit", "Unit of estimate, sd, the interval and the range."),
    Column("u", "Lesions the prior speaks of."),
    Column("s_y", "SD of the outcome over all rows of the analysis.", "as the outcome"),
    Column("reason", "Why there is no number, where there is none."),
)


def look(frame: Frame, choices: Choices, wanted: Sensitivity) -> pd.DataFrame:
    """Refit one part of an analysis to miscounted lesions, and with the years filled in that nobody saw.

    Parameters
    ----------
    frame : Frame
        Of kind mixed, regression or comparison; comparisons with normal errors, which are not those of their
        headline.
    choices : Choices
        Priors, seed and level of the intervals.
    wanted : Sensitivity
        `miscounted`, `miscounts`, `dropout_shift` and `robust`.

    Returns
    -------
    DataFrame
        Rows of definitions.tsv: by look, then structure and term; of dropout by shift. A look that does not apply is
        one row with its reason.
    """
    base = brief(exact(get_model(GAUSSIAN[frame.kind]), frame, choices.priors).mixture, choices.interval)
    rows = _posterior(frame, base, base, {"look": "base", "setting": "base", "ci_prob": choices.interval})
    rows += _left_out(frame, "miscounts", no_counts(frame)) or _miscounts(frame, choices, wanted, base)
    rows += _left_out(frame, "dropout", no_unseen(frame)) or _dropout(frame, choices, wanted, base)
    names = [column.name for column in COLUMNS]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(**{name: table[name].fillna("") for name in ("structure", "term", "unit", "reason")})


def _cells(frame: Frame) -> Iterator[tuple[int, int, Term]]:
    for k in range(len(frame.outcomes)):
        for t, term in enumerate(terms_of(frame)):
            yield k, t, term


def _constants(frame: Frame, term: Term, k: int) -> dict[str, Any]:
    row = estimates.constants(frame, term, k)
    return {name: value for name, value in row.items() if name != "predictor"}


def _rows(frame: Frame, columns: dict[str, np.ndarray], named: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each structure and term, its numbers taken from arrays (outcome, term)."""
    return [
        _constants(frame, term, k) | named | {name: float(values[k, t]) for name, values in columns.items()}
        for k, t, term in _cells(frame)
    ]


def _posterior(frame: Frame, found: Brief, base: Brief, named: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {
        "estimate": found.mean,
        "sd": found.sd,
        "ci_low": found.low,
        "ci_high": found.high,
        "pd": found.pd_of(np.sign(base.mean)),
    }
    return _rows(frame, columns, named)


def _left_out(frame: Frame, name: str, reason: str) -> list[dict[str, Any]]:
    return [{"analysis": frame.analysis, "look": name, "setting": "left_out", "reason": reason}] if reason else []


def _miscounts(frame: Frame, choices: Choices, wanted: Sensitivity, base: Brief) -> list[dict[str, Any]]:
    found = refit_miscounted(frame, choices, wanted, base)
    setting = f"miscounted={wanted.miscounted:g}"
    return _rows(frame, asdict(found), {"look": "miscounts", "setting": setting, "data_sets": float(wanted.miscounts)})


def _dropout(frame: Frame, choices: Choices, wanted: Sensitivity, base: Brief) -> list[dict[str, Any]]:
    shifted = fill_in(frame, choices, wanted)
    named = {"look": "dropout", "ci_prob": choices.interval}
    rows = [
        row
        for delta, found in zip(shifted.deltas, shifted.briefs, strict=True)
        for row in _posterior(frame, found, base, named | {"setting": f"delta={delta:g}", "delta": delta})
    ]
    filled = {term.name: float(shifted.filled[np.unique(frame.group[term.rows])].sum()) for term in terms_of(frame)}
    rows += _tipping_points(frame, wanted, base, shifted)
    return [row | {"filled": filled[row["term"]]} for row in rows]


def _tipping_points(frame: Frame, wanted: Sensitivity, base: Brief, shifted: Shifted) -> list[dict[str, Any]]:
    sign, least = np.sign(base.mean), wanted.robust.least_pd
    kinds = {
        "tipping_pd": (sure_excess(shifted, sign, least), f"pd is below {least:g} without any shift"),
        "tipping_sign": (np.array([one.mean for one in shifted.briefs]) * sign, "the estimate is as good as 0"),
    }
    nothing = f"not between {shifted.deltas[0]:g} and {shifted.deltas[-1]:g} SD"
    at_0 = shifted.deltas.index(0.0)
    return [
        _constants(frame, term, k)
        | {"look": "dropout", "setting": setting, "delta": delta}
        | {"reason": "" if np.isfinite(delta) else already if excess[at_0, k, t] <= 0 else nothing}
        for setting, (excess, already) in kinds.items()
        for k, t, term in _cells(frame)
        for delta in [tipping(shifted.deltas, excess[:, k, t])]
    ]
