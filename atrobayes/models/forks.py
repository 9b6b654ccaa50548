"""Forks: one analysis under other choices, planned before any data are looked at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import get_args

from atrobayes.models.analyses import TIMED, Analysis
from atrobayes.study import Axis, Sensitivity, Study

BASE = "base"
AXES: tuple[Axis, ...] = get_args(Axis)
# levels that take sampling are not fitted anew, but taken from the run: one at a time
TAKEN = frozenset({"likelihood", "pooling"})
DEMOGRAPHIC = ("age", "sex", "disease_duration")
VISIT = "visit_from"
_KINDS = frozenset({"mixed", "regression", "comparison"})
_COUNTED = frozenset({*TIMED, *(f"{name}_{end}" for name in TIMED for end in ("from", "to"))})
# the choices that every study makes alike
_USUAL: Mapping[Axis, str] = MappingProxyType(
    {
        "likelihood": "normal",
        "outliers": "keep",
        "intervals": "all",
        "random_effects": "intercept",
        "predictor": "counted",
        "covariates": "none",
        "pooling": "none",
        "undetermined": "missing",
    }
)


@dataclass(frozen=True)
class Fork:
    """One set of choices for one analysis.

    Attributes
    ----------
    analysis : str
        Id of the analysis.
    id : str
        "base", or what differs from it, such as "prior=wide+outliers=log1p", in the order of `AXES`.
    levels : tuple of str
        Level of every axis, in the order of `AXES`; "" where the axis does not apply to the analysis.
    reason : str
        Why it is not fitted; "" where it is.
    """

    analysis: str
    id: str
    levels: tuple[str, ...]
    reason: str = ""

    def level(self, axis: Axis) -> str:
        """Level of one axis; "" where it does not apply."""
        return self.levels[AXES.index(axis)]

    @property
    def taken(self) -> bool:
        """Whether its posterior is not fitted anew, but taken from the run of the base analysis."""
        return self.level("likelihood") == "student_t" or self.level("pooling") == "partial"

    def skipped(self, reason: str) -> Fork:
        """Give the same fork, not to be fitted."""
        return replace(self, reason=reason)


def plan_forks(study: Study, analysis: Analysis, wanted: Sensitivity, *, everything: bool = False) -> tuple[Fork, ...]:
    """Plan the forks of one analysis.

    Parameters
    ----------
    study : Study
        Its own choices are the base, whether the axes list them or not.
    analysis : Analysis
    wanted : Sensitivity
        Axes, pairs and the most forks that are fitted.
    everything : bool
        The full product of the axes that are fitted anew, however many forks that makes.

    Returns
    -------
    tuple of Fork
        The base first; then one axis at a time, in the order of `AXES`; then the declared pairs, or all the rest of
        the product. Levels that cannot apply to the analysis are one skipped fork each, and part of no combination.
        Skipped forks do not count towards `most_forks`. None at all for analyses of clinical variables.
    """
    if analysis.kind not in _KINDS:
        return ()
    axes = _Axes(study, analysis, wanted)
    changes = [{}, *axes.singles(), *(axes.product() if everything else axes.pairs())]
    found = {fork.id: fork for fork in map(axes.fork, changes)}
    return tuple(found.values()) if everything else _limited(tuple(found.values()), wanted.most_forks)


Changes = Mapping[Axis, str]


@dataclass(frozen=True)
class _Axes:
    study: Study
    analysis: Analysis
    wanted: Sensitivity

    def base(self, axis: Axis) -> str:
        if axis == "prior":
            slope = self.study.priors.slope
            return slope if isinstance(slope, str) else "own"
        if axis == "timing":
            return self.study.definitions.lesion_timing
        if axis == "outcome":
            return "annualised" if self.study.definitions.annualised else self.analysis.outcome
        return _USUAL[axis]

    def others(self, axis: Axis) -> list[str]:
        return [level for level in getattr(self.wanted, axis) if level != self.base(axis)]

    def free(self, axis: Axis) -> list[str]:
        return [level for level in self.others(axis) if not _barred(self.analysis, axis, level)]

    def singles(self) -> list[Changes]:
        return [{axis: level} for axis in AXES for level in self.others(axis)]

    def pairs(self) -> Iterator[Changes]:
        for one, other in self.wanted.pairs:
            if one != other:
                for first, second in itertools.product(self.free(one), self.free(other)):
                    yield {one: first, other: second}

    def product(self) -> Iterator[Changes]:
        axes = [axis for axis in AXES if axis not in TAKEN]
        for levels in itertools.product(*([self.base(axis), *self.free(axis)] for axis in axes)):
            both = zip(axes, levels, strict=True)
            yield {axis: level for axis, level in both if level != self.base(axis)}

    def fork(self, changes: Changes) -> Fork:
        differs = [f"{axis}={changes[axis]}" for axis in AXES if axis in changes]
        levels = tuple(changes.get(axis) or self._shown(axis) for axis in AXES)
        return Fork(self.analysis.id, "+".join(differs) or BASE, levels, self._reason(changes))

    def _shown(self, axis: Axis) -> str:
        return "" if _off_axis(self.analysis, axis) else self.base(axis)

    def _reason(self, changes: Changes) -> str:
        reasons = [_barred(self.analysis, axis, level) for axis, level in changes.items()]
        if len(changes) > 1 and TAKEN & set(changes):
            reasons.append("takes sampling, and is looked at by itself only")
        if self._loses_its_prior(changes):
            reasons.append("the study states its prior in units of its own outcome and predictor")
        return next(filter(None, reasons), "")

    def _loses_its_prior(self, changes: Changes) -> bool:
        slope = self.study.priors.slope
        raw = not isinstance(slope, str) and slope.scale == "raw" and "prior" not in changes
        return raw and ("outcome" in changes or changes.get("outliers") == "log1p")


def _limited(forks: Sequence[Fork], most: int) -> tuple[Fork, ...]:
    kept, count = [], 0
    for fork in forks:
        count += not fork.reason
        beyond = not fork.reason and count > most
        kept.append(fork.skipped(f"beyond the most forks that the study allows, {most}") if beyond else fork)
    return tuple(kept)


def _off_axis(analysis: Analysis, axis: Axis) -> str:
    """Why no level of the axis but the base's applies to the analysis; "" where one may."""
    state, span = analysis.kind == "comparison", analysis.visit_to is not None
    reasons: dict[Axis, tuple[bool, str]] = {
        "outliers": (
            state or analysis.predictor not in _COUNTED,
            f"{analysis.predictor} is {'a state' if state else 'no lesion count'}: it has no large counts",
        ),
        "timing": (
            analysis.predictor not in TIMED,
            f"{analysis.predictor} does not depend on the visit that lesions are counted at",
        ),
        "intervals": (span, f"every row is the interval from visit {analysis.visit_from} to visit {analysis.visit_to}"),
        "random_effects": (analysis.kind == "regression", "one row a patient: there is no patient effect"),
        "predictor": (
            analysis.kind != "mixed",
            f"{analysis.predictor} is a state, not split" if state else "one row a patient: there is no deviation",
        ),
        "pooling": (
            analysis.kind != "mixed",
            "slopes of patients with several rows are the only ones that a model shrinks over structures",
        ),
        "undetermined": (analysis.predictor != "neda3", "the analysis is not about NEDA-3"),
    }
    applies_not, reason = reasons.get(axis, (False, ""))
    return reason if applies_not else ""


def _barred(analysis: Analysis, axis: Axis, level: str) -> str:
    """Why a level cannot apply to the analysis; "" where it can."""
    if axis == "covariates":
        taken = {analysis.predictor, *analysis.covariates}
        if level == "demographic" and taken.issuperset(DEMOGRAPHIC):
            return "the analysis already has all of them"
        if level == "visit" and VISIT in taken:
            return "the analysis already has it"
        if level == "visit" and analysis.visit_to is not None:
            return f"every row opens with visit {analysis.visit_from}"
    return _off_axis(analysis, axis)
