"""From forks to frames: the rows, numbers and scales that each set of choices leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.errors import DataError, StudyError
from atrobayes.models.analyses import RAW_OUTCOME, Analysis
from atrobayes.models.analysis_rows import Rows, joined, rows_of, structures_of
from atrobayes.models.coding import column_names, contrast_columns
from atrobayes.models.fork_rows import PATIENT_MEAN, change_rows
from atrobayes.models.forks import BASE, DEMOGRAPHIC, VISIT, Fork
from atrobayes.models.frame import UNGROUPED, Frame, Scales
from atrobayes.models.study_frames import frame_of_rows, groups_of
from atrobayes.study import Axis, Study

# what a frame depends on, and what its fit depends on beside it
_OF_THE_FRAME: tuple[Axis, ...] = (
    "outliers", "timing", "outcome", "intervals", "predictor", "covariates", "undetermined",
)  # fmt: skip
_OF_THE_FIT: tuple[Axis, ...] = ("prior", "random_effects")


@dataclass(frozen=True)
class ForkFrame:
    """A fork with its data.

    Attributes
    ----------
    fork : Fork
        With the reason if the data do not allow it.
    frame : Frame or None
        None if it is skipped. Of a fork whose posterior is taken from the run, the frame of the base.
    outcome : str
        Outcome as in changes.tsv.
    step : float
        Change of the frame's predictor whose fitted effect forks are compared by: u lesions of the base analysis
        against none.
    same_outcome : bool
        Whether the outcome is that of the base, in the same units.
    """

    fork: Fork
    frame: Frame | None
    outcome: str
    step: float
    same_outcome: bool


def fork_frames(study: Study, analysis: Analysis, forks: Sequence[Fork], cohort: xr.Dataset) -> tuple[ForkFrame, ...]:
    """Frames of the forks of one analysis.

    Parameters
    ----------
    study : Study
    analysis : Analysis
    forks : sequence of Fork
        As `plan_forks` gives them, the base first.
    cohort : Dataset

    Returns
    -------
    tuple of ForkFrame
        One for each fork. Forks that the data do not allow, or that come to the very rows and numbers of an earlier
        one, are skipped with the reason.

    Notes
    -----
    Forks with the outcome of the base keep its y_mean and s_y, and with the same predictor x_mean and u: their
    priors mean the same raw numbers. What differs has its own: s_y over the fork's rows, u = 3 for counts of the
    opening visit, log(1 + u) for log(1 + count). A dropped or winsorised count is the same predictor. Structures
    without a result in the base analysis are left out.
    """
    made = _Made(study, analysis, cohort)
    seen: dict[tuple[str, ...], str] = {}
    found = []
    for fork in forks:
        one = _framed(made, fork)
        if one.frame is not None and not fork.taken:
            key = (one.frame.digest, *(fork.level(axis) for axis in _OF_THE_FIT))
            twin = seen.setdefault(key, fork.id)
            if twin != fork.id:
                one = replace(one, fork=fork.skipped(f"the same rows and numbers as {twin}"), frame=None)
        found.append(one)
    return tuple(found)


def without_products(frame: Frame) -> Frame:
    """Drop what tells groups apart from the covariates of a split predictor: for all rows as one group."""
    names = [str(name) for name in frame.covariates["covariate"].to_numpy()]
    kept = np.array([not name.startswith(f"{PATIENT_MEAN}:") for name in names], dtype=bool)
    mean, sd = frame.scales.covariate_mean[kept], frame.scales.covariate_sd[kept]
    return replace(
        frame,
        covariates=frame.covariates[:, kept],
        scales=replace(frame.scales, covariate_mean=mean, covariate_sd=sd),
    )


def _framed(made: _Made, fork: Fork) -> ForkFrame:
    frame, reason = (None, fork.reason) if fork.reason else made.frame(fork)
    step = made.unit_of_base if frame is not None else np.nan
    return ForkFrame(
        fork=fork.skipped(reason) if reason else fork,
        frame=frame,
        outcome=made.outcome(fork)[0],
        step=float(np.log1p(step)) if fork.level("outliers") == "log1p" else step,
        same_outcome=made.same_outcome(fork),
    )


class _Made:
    """Tables and frames of one analysis, each made once."""

    def __init__(self, study: Study, analysis: Analysis, cohort: xr.Dataset) -> None:
        self.study, self.analysis, self.cohort = study, analysis, cohort
        self.tables: dict[tuple[str, bool], pd.DataFrame] = {}
        self.frames: dict[tuple[str, ...], tuple[Frame | None, str]] = {}

    @cached_property
    def base(self) -> tuple[Frame | None, str]:
        return self._build(self.study, self.analysis, None)

    @property
    def unit_of_base(self) -> float:
        assert self.base[0] is not None
        return self.base[0].scales.x_unit

    def outcome(self, fork: Fork) -> tuple[str, bool]:
        """Outcome of a fork, and whether a year's."""
        level = fork.level("outcome")
        return (self.analysis.outcome, True) if level == "annualised" else (level, False)

    def same_outcome(self, fork: Fork) -> bool:
        return self.outcome(fork) == (self.analysis.outcome, self.study.definitions.annualised)

    def frame(self, fork: Fork) -> tuple[Frame | None, str]:
        if fork.id == BASE or fork.taken or self.base[0] is None:
            return self.base
        key = tuple(fork.level(axis) for axis in _OF_THE_FRAME)
        if key not in self.frames:
            self.frames[key] = self._fork(fork, self.base[0])
        return self.frames[key]

    def _fork(self, fork: Fork, base: Frame) -> tuple[Frame | None, str]:
        try:
            frame, reason = self._build(self._study(fork), self._analysis(fork), fork)
        except (DataError, StudyError) as error:
            return None, f"{error.faults[0].found}, where {error.faults[0].expected} is needed"
        if frame is None:
            return None, reason
        known = [k for k, name in enumerate(frame.outcomes) if name in base.outcomes]
        if not known:
            return None, "no structure of the base analysis with volumes that differ"
        return self._scaled(fork, frame.select(np.arange(len(frame.x)), np.array(known)), base), ""

    def _build(self, study: Study, analysis: Analysis, fork: Fork | None) -> tuple[Frame | None, str]:
        whole, structures = self._table(study, analysis), structures_of(self.cohort)
        if fork is None:
            return self._framed(study, analysis, rows_of(study, analysis, whole, structures))
        reason = _unknown(whole, study, analysis)
        if reason:
            return None, reason
        given = rows_of(study, analysis, _undetermined(whole, fork), structures)
        rows, added = change_rows(given, fork, self._sides(given))
        reason = _nothing_left(fork, given, rows)
        if reason:
            return None, reason
        return self._framed(study, replace(analysis, covariates=(*analysis.covariates, *added)), rows)

    def _framed(self, study: Study, analysis: Analysis, rows: Rows) -> tuple[Frame | None, str]:
        framed = frame_of_rows(study, analysis, rows, self.cohort)
        return (framed.frames[0], "") if framed.frames else (None, framed.exclusions[-1].reason)

    def _table(self, study: Study, analysis: Analysis) -> pd.DataFrame:
        key = (analysis.outcome, study.definitions.annualised)
        if key not in self.tables:
            self.tables[key] = joined(study, analysis, self.cohort)
        return self.tables[key]

    def _study(self, fork: Fork) -> Study:
        told = {"lesion_timing": fork.level("timing")} if fork.level("timing") else {}
        definitions = self.study.definitions.model_copy(update={**told, "annualised": self.outcome(fork)[1]})
        # s_y as the study gives it is in the units of its own outcome
        own: dict[str, object] = {} if self.same_outcome(fork) else {"outcome_sd": {}}
        priors = self.study.priors.model_copy(update=own)
        return self.study.model_copy(update={"definitions": definitions, "priors": priors})

    def _analysis(self, fork: Fork) -> Analysis:
        outcome = self.outcome(fork)[0]
        further = {"demographic": DEMOGRAPHIC, "visit": (VISIT,)}.get(fork.level("covariates"), ())
        further = (*further, *(("etiv",) if outcome == RAW_OUTCOME else ()))
        own = self.analysis.covariates
        new = tuple(name for name in further if name not in {*own, self.analysis.predictor})
        label = self.analysis.predictor_label
        if fork.level("outliers") == "log1p":
            label = f"unit of log(1 + {label}s)"
        return replace(self.analysis, outcome=outcome, covariates=(*own, *new), predictor_label=label)

    def _sides(self, rows: Rows) -> pd.DataFrame:
        order = groups_of(self.cohort) if self.analysis.group else (UNGROUPED,)
        codes = rows.table["group"].map(order.index).to_numpy(int) if len(order) > 1 else np.zeros(len(rows.table), int)
        names = column_names(len(order))
        return pd.DataFrame(contrast_columns(len(order))[codes], index=rows.table.index, columns=list(names))

    def _scaled(self, fork: Fork, frame: Frame, base: Frame) -> Frame:
        """The frame on the scales of the base as far as it is about the same."""
        scales = frame.scales
        if self.same_outcome(fork):
            places = [base.outcomes.index(name) for name in frame.outcomes]
            scales = replace(scales, y_mean=base.scales.y_mean[places], y_sd=base.scales.y_sd[places])
        same_counts = fork.level("timing") in {"", self.study.definitions.lesion_timing}
        logs, split = fork.level("outliers") == "log1p", fork.level("predictor") == "split"
        unit = base.scales.x_unit if same_counts else scales.x_unit
        mean = base.scales.x_mean if same_counts and not (logs or split) else scales.x_mean
        scales = replace(scales, x_mean=mean, x_unit=float(np.log1p(unit)) if logs else unit)
        return replace(frame, scales=_of_covariates(scales, frame, base))


def _of_covariates(scales: Scales, frame: Frame, base: Frame) -> Scales:
    """The scales of the base for the covariates that it has too."""
    held = base.covariates["covariate"].to_numpy().tolist()
    mean, sd = scales.covariate_mean.copy(), scales.covariate_sd.copy()
    for k, name in enumerate(frame.covariates["covariate"].to_numpy().tolist()):
        if name in held:
            place = held.index(name)
            mean[k], sd[k] = base.scales.covariate_mean[place], base.scales.covariate_sd[place]
    return replace(scales, covariate_mean=mean, covariate_sd=sd)


def _undetermined(whole: pd.DataFrame, fork: Fork) -> pd.DataFrame:
    level = fork.level("undetermined")
    if level in {"", "missing"}:
        return whole
    return whole.assign(neda3=whole["neda3"].replace("undetermined", level))


def _unknown(whole: pd.DataFrame, study: Study, analysis: Analysis) -> str:
    """What the fork needs and no row has; "" where nothing is wanting."""
    needed = [*analysis.covariates, *(["years"] if study.definitions.annualised else [])]
    held = {name: whole[name].notna() & ~whole[name].isin(["", "n/a"]) for name in needed if name in whole}
    absent = [name for name in needed if name not in held or not held[name].any()]
    return f"no row with {' or '.join(absent)}" if absent else ""


def _nothing_left(fork: Fork, given: Rows, rows: Rows) -> str:
    """Why the choices of a fork leave nothing of rows that there were; "" where something is left."""
    if given.table.empty:
        return "no row with all that the fork needs"
    if rows.table.empty:
        return "no row is left"
    if fork.level("predictor") == "split" and not (rows.table[rows.predictor] != 0).any():
        return f"no patient whose {rows.predictor} differs from row to row"
    return ""
