"""Leave one patient out, exactly, for every result: which patient carries it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.brief import Brief, brief
from atrobayes.inference.classical.regression import leverage
from atrobayes.inference.engines.quadrature.exact import Exact, solve
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.without_patients import PatientRows, by_patient
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.study import Sensitivity

FLAGS = {
    "prior_only": "without the patient a group the term rests on has no rows or no spread in the predictor: the row "
    "shows the prior and the other groups",
    "gate_failed": "refining the quadrature still changed the result by more than allowed",
}

COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure."),
    Column("term", "As in estimates.tsv."),
    Column("patient", "Who is left out; patients without the structure have no row. Scales and priors stay."),
    Column("n_obs", "Rows of that patient with the structure."),
    Column("estimate", "Posterior mean without the patient, normal errors.", "as unit"),
    Column("sd", "Posterior SD without the patient.", "as unit"),
    Column("ci_low", "Lower end of the equal-tailed interval without the patient, level as in the study.", "as unit"),
    Column("ci_high", "Upper end of that interval.", "as unit"),
    Column("pd", "Probability, without the patient, of the direction of the estimate with everybody."),
    Column("shift", "(estimate without - estimate with the patient) / posterior SD with the patient."),
    Column(
        "elpd",
        "Log predictive density of the patient's rows given all others, exact (a difference of log evidences), on the "
        "standardised scale of the fit; minus n_obs times log s_y it is that of raw units. Of a structure, whatever "
        "the term.",
    ),
    Column("pareto_k", "n/a: the fit without the patient was computed anew, not reweighted."),
    Column(
        "leverage",
        "Largest hat value of the patient's rows in the fixed-effects design (least squares, everybody): the share of "
        "a row's fitted value that is its own observation, from 0 to 1.",
    ),
    Column("unit", "Unit of estimate, sd and intervals."),
    Column("estimate_all", "Posterior mean with everybody.", "as unit"),
    Column("sd_all", "Posterior SD with everybody.", "as unit"),
    Column("ci_low_all", "Lower end of the interval with everybody.", "as unit"),
    Column("ci_high_all", "Upper end of the interval with everybody.", "as unit"),
    Column("pd_all", "Probability of direction with everybody."),
    Column("flags", "Comma-separated.", levels=FLAGS),
)
_TEXT = ("analysis", "structure", "term", "patient", "unit", "flags")


def look(frame: Frame, choices: Choices, wanted: Sensitivity) -> pd.DataFrame:  # noqa: ARG001 - the form of all looks
    """Leave each patient out in turn, every outcome and term of one part of a frame.

    Parameters
    ----------
    frame : Frame
        Of a kind that quadrature serves; others have no rows.
    choices : Choices
    wanted : Sensitivity
        Says nothing that matters here.

    Returns
    -------
    DataFrame
        Rows of influence.tsv, by structure, term and patient, in the frame's order.

    Notes
    -----
    The model is the one with normal errors, also where the headline has Student-t errors. A patient's elpd is the
    log evidence of everybody's data less that of the others': leave-one-group-out without approximation.
    """
    if frame.kind not in GAUSSIAN:
        return _table(pd.DataFrame())
    model = get_model(GAUSSIAN[frame.kind])
    found = [_left_out(rows, frame, choices.interval) for rows in by_patient(model, frame, choices.priors)]
    if not found:
        return _table(pd.DataFrame())
    rows = pd.concat(found, ignore_index=True).sort_values(["outcome", "which", "code"], kind="stable")
    return _table(rows)


@dataclass(frozen=True)
class _Base:
    """Posterior of a problem with everybody."""

    exact: Exact
    brief: Brief
    hats: np.ndarray


def _left_out(rows: PatientRows, frame: Frame, interval: float) -> pd.DataFrame:
    whole = solve([rows.problem])
    base = _Base(whole, brief(whole.mixture, interval), leverage(rows.linear.X))
    tables = [_without(code, rows, base, frame, interval) for code in rows.patients.tolist()]
    return pd.concat(tables, ignore_index=True)


def _without(code: int, rows: PatientRows, base: _Base, frame: Frame, interval: float) -> pd.DataFrame:
    """One row per outcome and term, in that order."""
    exact = solve([rows.without({code})])
    outcomes, terms, own = rows.problem.outcomes, rows.linear.terms, rows.patient == code
    numbers = _numbers(brief(exact.mixture, interval), base.brief)
    elpd = base.exact.log_evidence - exact.log_evidence
    can = rows.estimable({code})
    return pd.DataFrame(
        {
            "analysis": frame.analysis,
            "structure": np.repeat(np.array(rows.problem.names, dtype=object), len(terms)),
            "term": np.tile(np.array(terms, dtype=object), len(outcomes)),
            "patient": frame.patients[code],
            "n_obs": float(own.sum()),
            "elpd": np.repeat(elpd, len(terms)),
            "pareto_k": np.nan,
            "leverage": float(base.hats[own].max()),
            "unit": np.repeat(np.array([frame.units[k] for k in outcomes], dtype=object), len(terms)),
            "flags": [_flags(can[t], reached) for reached in exact.reached for t in range(len(terms))],
            "outcome": np.repeat(outcomes, len(terms)),
            "which": np.tile(np.arange(len(terms)), len(outcomes)),
            "code": code,
        }
        | {name: values.ravel() for name, values in numbers.items()}
    )


def _numbers(left: Brief, base: Brief) -> dict[str, np.ndarray]:
    """Columns (outcome, term) of numbers."""
    sign = np.where(base.mean < 0, -1, 1)
    return {
        "estimate": left.mean,
        "sd": left.sd,
        "ci_low": left.low,
        "ci_high": left.high,
        "pd": left.pd_of(sign),
        "shift": (left.mean - base.mean) / base.sd,
        "estimate_all": base.mean,
        "sd_all": base.sd,
        "ci_low_all": base.low,
        "ci_high_all": base.high,
        "pd_all": base.pd_of(sign),
    }


def _flags(can: np.bool_, reached: np.bool_) -> str:
    return ",".join(["prior_only"] * (not can) + ["gate_failed"] * (not reached))


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    names = [column.name for column in COLUMNS]
    types = {name: "str" if name in _TEXT else "float64" for name in names}
    return rows.reindex(columns=names).reset_index(drop=True).astype(types)
