"""Posterior predictive checks: whether patients as the model has them show what these patients show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.engines.quadrature.exact import Problem, problems
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.posterior_draws import draw
from atrobayes.inference.predicted_quantities import QUANTITIES, Quantity, quantities
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.study import Sensitivity

REPLICATES = 1000

COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure."),
    Column("part", "ALL: the model without groups; n/a: with them, if there are any."),
    Column("quantity", "What was compared.", levels=QUANTITIES),
    Column("observed", "Its value in the data.", "as unit"),
    Column("predicted", "Its median over the replicated data sets.", "as unit"),
    Column("low", "Lower end of the equal-tailed predictive interval of probability ci_prob.", "as unit"),
    Column("high", "Upper end of the equal-tailed predictive interval of probability ci_prob.", "as unit"),
    Column("ci_prob", "Level of the interval."),
    Column("p_above", "Posterior predictive tail probability P(replicated >= observed)."),
    Column("p_below", "Posterior predictive tail probability P(replicated <= observed)."),
    Column("p", "Two-sided: twice the smaller of p_above and p_below, at most 1."),
    Column("n", "Rows, patients or pairs of rows the quantity is computed from.", "count"),
    Column("patient", "Patient whose row is the largest loss or residual; n/a for other quantities."),
    Column("replicates", "Replicated data sets: no p can be told from 0 below 2 over their number.", "count"),
    Column("unit", "Unit of observed, predicted, low and high."),
)


def look(frame: Frame, choices: Choices, wanted: Sensitivity) -> pd.DataFrame:
    """Compare the data with data replicated from the posterior of the model with normal errors.

    Parameters
    ----------
    frame : Frame
        Of kind mixed, regression or comparison; comparisons are checked against normal errors, which are not
        those of their headline.
    choices : Choices
        Priors, seed and level of the intervals.
    wanted : Sensitivity
        Not used: there is nothing to choose.

    Returns
    -------
    DataFrame
        Rows of checks.tsv, by structure and quantity. Replicated data sets have the same rows, lesion counts and
        groups, and other patients: patient effects are drawn anew. The posterior has seen the data, so that p-values
        of what the model fits lie closer to ½ than uniform ones would.

    Notes
    -----
    Gelman, Meng and Stern (1996), Posterior predictive assessment of model fitness via realized discrepancies,
    Statistica Sinica 6:733.
    """
    del wanted
    model = get_model(GAUSSIAN[frame.kind])
    rows: dict[int, list[dict[str, Any]]] = {}
    for problem in problems(model, frame, choices.priors):
        rows |= _checked(problem, frame, choices)
    table = [row for k in sorted(rows) for row in rows[k]]
    return pd.DataFrame(table, columns=[column.name for column in COLUMNS])


def replicate(problem: Problem, rngs: list[np.random.Generator], size: int = REPLICATES) -> np.ndarray:
    """Draw new data sets on the problem's design from its posterior predictive distribution.

    Parameters
    ----------
    problem : Problem
    rngs : list of Generator
        One for each outcome.
    size : int
        Data sets.

    Returns
    -------
    ndarray (outcome, data set, row)
        Standardised; the patients' effects are drawn anew, so these are other patients with the same rows.
    """
    drawn, linear = draw(problem, size, rngs), problem.linear
    own = 0 if linear.patient is None else 1
    y = drawn.coefficients @ linear.X.T
    for k, rng in enumerate(rngs):
        if linear.patient is not None:
            _, code = np.unique(linear.patient, return_inverse=True)
            effect = drawn.sds[k, :, :1] * rng.standard_normal((size, code.max() + 1))
            y[k] += effect[:, code]
        y[k] += drawn.sds[k][:, own + linear.residual_block] * rng.standard_normal(y[k].shape)
    return y


def _checked(problem: Problem, frame: Frame, choices: Choices) -> dict[int, list[dict[str, Any]]]:
    """Rows by place of the outcome."""
    labels = [(frame.analysis, frame.part, "checks", name) for name in problem.names]
    rngs = [np.random.default_rng(derive(choices.seed, *label)) for label in labels]
    seen = frame.select(~np.isnan(frame.y.to_numpy()[:, problem.outcomes[0]]), problem.outcomes)
    raw = replicate(problem, rngs) * _by_outcome(seen.scales.y_sd) + _by_outcome(seen.scales.y_mean)
    observed = seen.y.to_numpy().T[:, None]
    found = quantities(seen, problem.linear.X, raw, choices.interval)
    each = [_compared(quantity, observed, raw, choices.interval) for quantity in found]
    return {
        int(place): [
            _row(seen, k, quantity, numbers, choices.interval) for quantity, numbers in zip(found, each, strict=True)
        ]
        for k, place in enumerate(problem.outcomes)
    }


def _by_outcome(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


def _compared(quantity: Quantity, observed: np.ndarray, replicated: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Numbers of a row, each (outcome,)."""
    seen, others = quantity.of(observed), quantity.of(replicated)
    low, middle, high = np.quantile(others, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=1)
    above, below = (others >= seen).mean(axis=1), (others <= seen).mean(axis=1)
    return {
        "observed": seen[:, 0],
        "predicted": middle,
        "low": low,
        "high": high,
        "p_above": above,
        "p_below": below,
        "p": np.minimum(1.0, 2 * np.minimum(above, below)),
    }


def _row(seen: Frame, k: int, quantity: Quantity, numbers: dict[str, np.ndarray], level: float) -> dict[str, Any]:
    named = {"analysis": seen.analysis, "structure": seen.outcomes[k], "part": seen.part, "quantity": quantity.name}
    rest = {
        "ci_prob": level,
        "n": float(quantity.n),
        "patient": "" if quantity.row is None else seen.patients[seen.patient[quantity.row[k]]],
        "replicates": float(REPLICATES),
        "unit": quantity.unit or seen.units[k].partition(" per ")[0],
    }
    return named | {name: float(values[k]) for name, values in numbers.items()} | rest
