"""How few patients, left out, turn a result: sets found greedily, each of them evaluated exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.engines.quadrature.exact import Exact, solve
from atrobayes.inference.estimate import Choices
from atrobayes.inference.influence import FLAGS
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.without_patients import Contributions, PatientRows, by_patient
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.study import Sensitivity

LEAST_TRIED = 5
SHARE_TRIED = 5  # a fifth of the patients, where that is more

KINDS = {
    "sign": "the posterior mean changes its sign",
    "pd": "the probability of the direction of the result with everybody falls below pd_limit",
}

COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure."),
    Column("term", "As in estimates.tsv."),
    Column("kind", "What leaving the set out does.", levels=KINDS),
    Column(
        "size",
        "Patients in the set. 1 and 2 are the fewest that do it: all single patients are tried, exactly. Larger sets "
        "are found greedily, one patient after another, so fewer may do.",
    ),
    Column("patients", "Who they are, in the order they were taken out, comma-separated."),
    Column("n_patients", "Patients with the structure."),
    Column("most", "Largest set tried: five patients or a fifth of them, whichever is more."),
    Column("pd_limit", "Probability of direction that kind pd is about; n/a for kind sign."),
    Column("pd_before", "Probability of direction with everybody, normal errors."),
    Column("pd_after", "Probability of the same direction without the set, computed exactly."),
    Column("estimate_before", "Posterior mean with everybody.", "as unit"),
    Column("estimate_after", "Posterior mean without the set, computed exactly.", "as unit"),
    Column("unit", "Unit of the estimates."),
    Column("flags", "Comma-separated, of the fit without the set.", levels=FLAGS),
    Column("reason", "Why there is no set, where there is none."),
)
_TEXT = ("analysis", "structure", "term", "kind", "patients", "unit", "flags", "reason")


def look(frame: Frame, choices: Choices, wanted: Sensitivity) -> pd.DataFrame:
    """Find the sets of one part of a frame, both kinds for every outcome and term.

    Parameters
    ----------
    frame : Frame
        Of a kind that quadrature serves; others have no rows.
    choices : Choices
    wanted : Sensitivity
        `robust.least_pd` is the limit of kind "pd".

    Returns
    -------
    DataFrame
        Rows of tipping_sets.tsv, by structure, term and kind.

    Notes
    -----
    The first patient is the one whose removal, computed exactly, goes furthest. Every further one is chosen in closed
    form given the SDs at their posterior means without the set so far; then the set is evaluated exactly. The
    question is that of Broderick, Giordano & Meager (2020), doi:10.48550/arXiv.2011.14999, who answer it to first
    order; refitting each set is affordable here.
    """
    if frame.kind not in GAUSSIAN:
        return _table([])
    found = []
    for rows in by_patient(get_model(GAUSSIAN[frame.kind]), frame, choices.priors):
        singles = {code: solve([rows.without({code})]) for code in rows.patients.tolist()}
        whole = solve([rows.problem])
        for k, outcome in enumerate(rows.problem.outcomes.tolist()):
            states = {frozenset({code}): _State.of(exact, k) for code, exact in singles.items()}
            search = _Search(rows.of(k), {frozenset(): _State.of(whole, k)} | states)
            found.append((outcome, _of_outcome(search, frame, outcome, wanted.robust.least_pd)))
    return _table([cells for _, own in sorted(found, key=lambda pair: pair[0]) for cells in own])


@dataclass(frozen=True)
class _State:
    """Posterior of one outcome without a set of patients: mean and P(> 0) of the terms, means of the SDs."""

    mean: np.ndarray
    above: np.ndarray
    sds: np.ndarray
    reached: bool

    @classmethod
    def of(cls, exact: Exact, k: int) -> _State:
        mixture = exact.mixture.take(np.array([k]))
        assert mixture.sds is not None
        mean = mixture.mean()
        below = mixture.cdf(np.zeros_like(mean))
        return cls(mean[0], 1 - below[0], mixture.sds[0] @ mixture.weight[0], bool(exact.reached[k]))

    def pd(self, term: int, sign: int) -> float:
        return float(self.above[term] if sign > 0 else 1 - self.above[term])


@dataclass(frozen=True)
class _Search:
    """Sets of one outcome, each integrated once for all terms and kinds."""

    rows: PatientRows
    states: dict[frozenset[int], _State] = field(repr=False)

    @property
    def most(self) -> int:
        count = len(self.rows.patients)
        return min(max(LEAST_TRIED, count // SHARE_TRIED), count - 1)

    def without(self, out: tuple[int, ...]) -> _State:
        key = frozenset(out)
        if key not in self.states:
            self.states[key] = _State.of(solve([self.rows.without(out)]), 0)
        return self.states[key]

    def first(self, score: Callable[[_State], float]) -> int:
        """Patient whose removal alone gives the lowest score, exactly."""
        return min(self.rows.patients.tolist(), key=lambda code: score(self.states[frozenset({code})]))


@dataclass(frozen=True)
class _Goal:
    """What shall be turned."""

    kind: str
    term: int
    sign: int
    limit: float

    def score(self, state: _State) -> float:
        """How far from turned: the lower, the nearer."""
        return self.sign * float(state.mean[self.term]) if self.kind == "sign" else state.pd(self.term, self.sign)

    def turned(self, state: _State) -> bool:
        return self.score(state) < (0.0 if self.kind == "sign" else self.limit)

    def next(self, contributions: Contributions, sds: np.ndarray, out: tuple[int, ...]) -> int:
        """Patient whose removal, the SDs held, goes furthest."""
        contrast = contributions.linear.contrasts[self.term]
        candidates, mean, sd = contributions.without_one_more(sds, out, contrast)
        # given the SDs the direction's probability is that of a normal: it falls with mean over SD
        return int(candidates[np.argmin(self.sign * mean / (sd if self.kind == "pd" else 1.0))])


def _of_outcome(search: _Search, frame: Frame, outcome: int, limit: float) -> list[dict[str, Any]]:
    whole, contributions = search.without(()), Contributions.of(search.rows)
    cells = []
    for term, name in enumerate(search.rows.linear.terms):
        sign = -1 if whole.mean[term] < 0 else 1
        common: dict[str, Any] = {
            "analysis": frame.analysis,
            "structure": frame.outcomes[outcome],
            "term": name,
            "unit": frame.units[outcome],
            "n_patients": float(len(search.rows.patients)),
            "most": float(search.most),
            "pd_before": whole.pd(term, sign),
            "estimate_before": float(whole.mean[term]),
        }
        for kind in KINDS:
            goal = _Goal(kind, term, sign, limit)
            own = {"kind": kind, "pd_limit": limit if kind == "pd" else np.nan}
            cells.append(common | own | _found(goal, search, contributions, frame.patients))
    return cells


def _found(goal: _Goal, search: _Search, contributions: Contributions, labels: tuple[str, ...]) -> dict[str, Any]:
    if goal.turned(search.without(())):
        return {"reason": f"pd is below {goal.limit:g} with everybody"}
    out = _greedy(goal, search, contributions)
    if out is None:
        return {"reason": f"not within {search.most} patients"}
    state, can = search.without(out), search.rows.estimable(out)[goal.term]
    return {
        "size": float(len(out)),
        "patients": ",".join(labels[code] for code in out),
        "pd_after": state.pd(goal.term, goal.sign),
        "estimate_after": float(state.mean[goal.term]),
        "flags": ",".join(["prior_only"] * (not can) + ["gate_failed"] * (not state.reached)),
    }


def _greedy(goal: _Goal, search: _Search, contributions: Contributions) -> tuple[int, ...] | None:
    """Set that turns the goal, or None where the largest one tried does not."""
    out: tuple[int, ...] = (search.first(goal.score),)
    while not goal.turned(search.without(out)):
        if len(out) == search.most:
            return None
        out = (*out, goal.next(contributions, search.without(out).sds, out))
    return out


def _table(cells: list[dict[str, Any]]) -> pd.DataFrame:
    names = [column.name for column in COLUMNS]
    types = {name: "str" if name in _TEXT else "float64" for name in names}
    filled = [dict.fromkeys(_TEXT, "") | one for one in cells]
    return pd.DataFrame(filled, columns=names).astype(types)
