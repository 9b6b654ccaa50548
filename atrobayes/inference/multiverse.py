"""The multiverse: every fork of an analysis fitted classically and Bayesian, and what is reported of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.classical.classical import classical
from atrobayes.inference.engines.quadrature.exact import Exact, exact
from atrobayes.inference.estimate import Choices, in_order
from atrobayes.inference.plan import GAUSSIAN, parts
from atrobayes.models import estimates, superiority
from atrobayes.models.estimands import LEFT_OUT_IF_BRIEF, Rope, describe
from atrobayes.models.fork_frames import ForkFrame, without_products
from atrobayes.models.forks import AXES, BASE
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.model import get_model
from atrobayes.models.priors import SLOPE_SD, Priors
from atrobayes.models.terms import terms_of
from atrobayes.study import Sensitivity

_AXIS_COLUMNS = tuple(
    Column(f"axis_{axis}", f"{Sensitivity.model_fields[axis].description} n/a: no such choice in this analysis.")
    for axis in AXES
)
_ID = Column("fork", 'Choices that differ from the study\'s own, such as prior=wide+outliers=log1p; "base": none.')

COLUMNS: tuple[Column, ...] = (
    _ID,
    *(
        replace(column, description=f"{column.description} Given for the base only.")
        if column.name in LEFT_OUT_IF_BRIEF
        else column
        for column in estimates.COLUMNS
    ),
    *_AXIS_COLUMNS,
    Column(
        "effect",
        "Fitted effect of u lesions of the base analysis against none (of a state: against the other state): estimate "
        "for that change of the predictor, in SDs of the fork's outcome. What forks are compared by.",
        "SD of the outcome",
    ),
    Column("effect_low", "The same of ci_low.", "SD of the outcome"),
    Column("effect_high", "The same of ci_high.", "SD of the outcome"),
)
FORK_COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    _ID,
    *_AXIS_COLUMNS,
    Column(
        "status",
        "What became of it.",
        levels={"fitted": "its rows are in sensitivity.tsv", "skipped": "it has no rows; reason says why"},
    ),
    Column("reason", "Why a fork is skipped."),
    Column("n_obs", "Rows of the fork; of a skipped one n/a."),
    Column("n_patients", "Patients these rows come from."),
)
# level of an axis → methods of estimates.tsv whose posteriors it is, by kind of frame
_TAKEN = {
    "likelihood": {"mixed": "bayes_robust", "regression": "bayes_robust", "comparison": "bayes"},
    "pooling": {"mixed": "bayes_structures"},
}


@dataclass(frozen=True)
class ForkFit:
    """A fork to be fitted: a piece of work that depends on nothing else.

    Attributes
    ----------
    framed : ForkFrame
        With a frame.
    choices : Choices
        Those of the base; the fork says what differs.
    """

    framed: ForkFrame
    choices: Choices

    def key(self) -> str:
        """SHA-256 of everything the rows depend on."""
        frame, fork = self.framed.frame, self.framed.fork
        assert frame is not None
        own = [frame.digest, fork.id, fork.levels, self.framed.outcome, self.framed.step, self.framed.same_outcome]
        return hashlib.sha256(json.dumps([*own, self.choices.identity()]).encode()).hexdigest()


def fork_fits(framed: Sequence[ForkFrame], choices: Choices) -> tuple[ForkFit, ...]:
    """Pieces of work: the forks that are fitted anew.

    Parameters
    ----------
    framed : sequence of ForkFrame
        Of one or more analyses with the same choices.
    choices : Choices
    """
    return tuple(ForkFit(one, choices) for one in framed if one.frame is not None and not one.fork.taken)


def fit_fork(wanted: ForkFit) -> pd.DataFrame:
    """Fit one fork, with its groups and once more without them.

    Parameters
    ----------
    wanted : ForkFit

    Returns
    -------
    DataFrame
        Columns of `COLUMNS`: for every structure and term the headline classical row and the Bayesian row by
        quadrature (normal errors: method `bayes`, of comparisons `bayes_normal`), in the order of estimates.tsv.
        The base fork has the numbers of estimates.tsv; other forks leave LEFT_OUT_IF_BRIEF missing.
    """
    framed, choices = wanted.framed, wanted.choices
    assert framed.frame is not None
    effects = framed.fork.level("random_effects") != "none"
    own = [part if part is framed.frame else without_products(part) for part in parts(framed.frame)]
    tables = []
    for part in own:
        beside = classical(part, choices.interval, headline_only=True, patient_effects=effects)
        tables += [beside, _bayes(part, framed, choices, beside)]
    terms = [term.name for part in own for term in terms_of(part)]
    rows = in_order(pd.concat(tables, ignore_index=True), framed.frame, terms)
    return _as_fork(rows.assign(outcome=framed.outcome), framed)


def taken_forks(
    framed: Sequence[ForkFrame], estimated: pd.DataFrame
) -> tuple[tuple[ForkFrame, ...], dict[str, pd.DataFrame]]:
    """Forks with another likelihood, or pooled structures: posteriors that the run already has.

    Parameters
    ----------
    framed : sequence of ForkFrame
        Of one analysis.
    estimated : DataFrame
        Rows of estimates.tsv; those of other analyses are passed over.

    Returns
    -------
    tuple of ForkFrame
        The same forks, those of which the run has no posterior skipped with the reason.
    dict of str to DataFrame
        Id of each fork found to its rows: the Bayesian ones are that posterior's, the classical ones those of the
        base, which has no other.
    """
    found, rows = [], {}
    for one in framed:
        taken = _rows_of(one, estimated) if one.fork.taken and one.frame is not None else None
        if taken is not None and taken.empty:
            reason = "the run has no such posterior: it takes sampling, which quadrature leaves out"
            found.append(replace(one, fork=one.fork.skipped(reason), frame=None))
            continue
        if taken is not None:
            rows[one.fork.id] = _as_fork(taken, one)
        found.append(one)
    return tuple(found), rows


def forks_table(framed: Sequence[ForkFrame]) -> pd.DataFrame:
    """List forks with what became of them: columns of `FORK_COLUMNS`.

    Parameters
    ----------
    framed : sequence of ForkFrame
        Those of `taken_forks`, of one or more analyses.
    """
    rows = []
    for one in framed:
        fork, frame = one.fork, one.frame
        counts = (np.nan, np.nan) if frame is None else (len(frame.x), len(np.unique(frame.patient)))
        status = "skipped" if fork.reason else "fitted"
        rows.append((fork.analysis, fork.id, *fork.levels, status, fork.reason, *map(float, counts)))
    names = [column.name for column in FORK_COLUMNS]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(dict.fromkeys(names[:-2], "str") | dict.fromkeys(names[-2:], "float64"))


def _bayes(part: Frame, framed: ForkFrame, choices: Choices, beside: pd.DataFrame) -> pd.DataFrame:
    model, priors = _model(part, framed), _priors(framed, choices.priors)
    posterior = exact(model, part, priors)
    # a width in units of another outcome says nothing of this one
    rope = choices.rope if framed.same_outcome or choices.rope.raw is None else Rope(standardised=np.nan)
    prior = model.term_priors(part, priors)
    brief = framed.fork.id != BASE
    rows = describe(posterior.mixture, part, rope, choices.interval, beside, prior, brief=brief)
    if part.kind == "comparison":
        between, within = superiority.of_mixture(posterior.mixture, part.scales.y_sd)
        rows = rows.assign(prob_superiority=between, prob_superiority_within=within)
    flags = _flags(rows, part, posterior, beside)
    return rows.assign(method=model.method, engine="quadrature", prior=priors.name, flags=flags)


def _model(frame: Frame, framed: ForkFrame) -> LinearModel:
    model = get_model(GAUSSIAN[frame.kind])
    assert isinstance(model, LinearModel)
    return _without_patients(model) if framed.fork.level("random_effects") == "none" else model


def _without_patients(model: LinearModel) -> LinearModel:
    """The model with rows as if of different patients."""

    def design(frame: Frame, priors: Priors) -> Linear:
        whole = model.design(frame, priors)
        return replace(whole, patient=None, patients=0, sd_names=whole.sd_names[1:], sd_priors=whole.sd_priors[1:])

    return replace(model, design=design)


def _priors(framed: ForkFrame, base: Priors) -> Priors:
    level = framed.fork.level("prior")
    if level == base.name:
        return base
    return replace(base, name=level, slope_mean=0.0, slope_sd=SLOPE_SD[level], raw=False)


def _flags(rows: pd.DataFrame, frame: Frame, posterior: Exact, beside: pd.DataFrame) -> list[str]:
    """Flags of Bayesian rows, as a fit's have them."""
    reached = dict(zip(frame.outcomes, posterior.reached.tolist(), strict=True))
    flags = dict(zip(zip(beside["structure"], beside["term"], strict=True), beside["flags"], strict=True))
    found = []
    for structure, term in zip(rows["structure"], rows["term"], strict=True):
        marks = {
            "prior_only": "not_estimable" in flags[structure, term],
            "gate_failed": not reached[structure],
            "few_patients": "few_patients" in flags[structure, term],
        }
        found.append(",".join(name for name, is_so in marks.items() if is_so))
    return found


def _rows_of(one: ForkFrame, estimated: pd.DataFrame) -> pd.DataFrame:
    assert one.frame is not None
    axis = "likelihood" if one.fork.level("likelihood") == "student_t" else "pooling"
    own = estimated[estimated["analysis"] == one.fork.analysis]
    method = _TAKEN[axis][one.frame.kind]
    return own[own["method"].isin(["classical", method])] if (own["method"] == method).any() else own.iloc[:0]


def _as_fork(rows: pd.DataFrame, one: ForkFrame) -> pd.DataFrame:
    by = one.step / rows["s_y"]
    added: dict[str, Any] = {
        "effect": rows["estimate"] * by,
        "effect_low": rows["ci_low"] * by,
        "effect_high": rows["ci_high"] * by,
    }
    texts = {"fork": one.fork.id} | {f"axis_{axis}": one.fork.level(axis) for axis in AXES}
    added |= {name: pd.Series(text, index=rows.index, dtype="str") for name, text in texts.items()}
    whole = pd.concat([rows, pd.DataFrame(added)], axis=1)
    return whole[[column.name for column in COLUMNS]].reset_index(drop=True)
