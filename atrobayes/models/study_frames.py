"""From a study's cohort to the frames of one analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.ledger import Exclusion
from atrobayes.errors import Fault, StudyError
from atrobayes.models.analyses import Analysis
from atrobayes.models.analysis_rows import KEY, Rows, interval_rows
from atrobayes.models.clinical_rows import BASELINE, COUNTS, SCORES, baseline_rows, course_rows
from atrobayes.models.frame import UNGROUPED, Frame
from atrobayes.study import Study

_COURSES = {"counts": COUNTS, "scores": SCORES}


def fewest_rows(groups: int) -> int:
    """Rows below which nothing is fitted: an intercept and a slope a group, and two SDs."""
    return 2 * groups + 2


@dataclass(frozen=True)
class Framed:
    """Frames, or why there are none, and what was left out on the way.

    Attributes
    ----------
    frames : tuple of Frame
        Empty: the data do not allow the analysis; the last exclusion, rule `skipped`, says why.
    exclusions : tuple of Exclusion
        Stage `analysis`.
    """

    frames: tuple[Frame, ...]
    exclusions: tuple[Exclusion, ...]


def build_frames(study: Study, analysis: Analysis, cohort: xr.Dataset) -> Framed:
    """Frames of one analysis.

    Parameters
    ----------
    study : Study
        Its definitions say which visit's count an interval has, its priors the units.
    analysis : Analysis
    cohort : Dataset
        The Cohort.

    Returns
    -------
    Framed
        Rows whose predictor is missing, structures with too few values, and analyses for which nothing is left
        are named in `exclusions`.

    Raises
    ------
    StudyError
        If an analysis of the study's own names columns that are not there, or more than one row of a patient
        would enter a regression.
    """
    if analysis.kind == "groups":
        return _clinical(study, analysis, baseline_rows(cohort), cohort, [("groups", BASELINE)])
    if analysis.kind == "course":
        # a frame each: relapses have no visit 0, and so fewer terms
        each = [(kind, {name: unit}) for kind, units in _COURSES.items() for name, unit in units.items()]
        return _clinical(study, analysis, course_rows(cohort), cohort, each)
    return frame_of_rows(study, analysis, interval_rows(study, analysis, cohort), cohort)


def groups_of(cohort: xr.Dataset) -> tuple[str, ...]:
    """Labels of the study's groups in their order; "ALL" where it has none."""
    return tuple(json.loads(cohort.attrs["groups"])) or (UNGROUPED,)


def frame_of_rows(study: Study, analysis: Analysis, rows: Rows, cohort: xr.Dataset) -> Framed:
    """Frame of an analysis of intervals.

    Parameters
    ----------
    study : Study
        Its priors' units, and what its definitions make of the unit of an outcome.
    analysis : Analysis
    rows : Rows
        As `interval_rows` gives them.
    cohort : Dataset
        Order of the groups, and what is known of the structures.

    Returns
    -------
    Framed
        One frame, or the reason why there is none.

    Raises
    ------
    StudyError
        If more than one row of a patient would enter a regression.
    """
    order = groups_of(cohort) if analysis.group else (UNGROUPED,)
    fewest = fewest_rows(len(order))
    usable = [name for name in rows.structures if _enough(rows.table[name], fewest)]
    reason = _impossible(analysis, rows, fewest) or ("" if usable else "no structure with volumes that differ")
    if reason:
        return Framed((), (*rows.exclusions, _skipped(analysis, reason)))
    table = rows.table[rows.table[usable].notna().any(axis=1)]
    _check_one_row_each(study, analysis, table)
    left_out = [_too_few(analysis, name, fewest) for name in rows.structures if name not in usable]
    if analysis.group:
        left_out += [_no_rows(analysis, label) for label in order if label not in set(table["group"])]
    unit = study.priors.predictor_unit
    timing = study.definitions.lesion_timing
    frame = Frame.from_table(
        table.sort_values(KEY),
        outcomes=usable,
        predictor=rows.predictor,
        group="group" if analysis.group else None,
        groups=order if analysis.group else None,
        patient="patient",
        covariates=analysis.covariates,
        kind=analysis.kind,
        analysis=analysis.id,
        unit=analysis.unit(study.definitions.annualised),
        predictor_unit=unit if unit is not None and analysis.kind != "comparison" else analysis.predictor_unit(timing),
        outcome_sd=study.priors.outcome_sd,
        orientation=dict(
            zip(cohort["structure"].to_numpy().tolist(), cohort["orientation"].to_numpy().tolist(), strict=True)
        ),
        redefined=cohort["structure"].to_numpy()[cohort["redefined"].to_numpy()].tolist(),
    )
    return Framed((frame,), (*rows.exclusions, *left_out))


def _clinical(
    study: Study,
    analysis: Analysis,
    table: pd.DataFrame,
    cohort: xr.Dataset,
    outcomes: Sequence[tuple[str, Mapping[str, str]]],
) -> Framed:
    order = groups_of(cohort)
    if analysis.kind == "groups" and len(order) < 2:
        return Framed((), (_skipped(analysis, "one group only: nothing to compare"),))
    frames, left_out = [], []
    for kind, units in outcomes:
        usable = [name for name in units if _enough(table[name], fewest_rows(len(order)))]
        left_out += [_too_few_values(analysis, name, fewest_rows(len(order))) for name in units if name not in usable]
        if usable:
            frames.append(_clinical_frame(study, analysis, kind, table, order, {name: units[name] for name in usable}))
    if not frames:
        left_out.append(_skipped(analysis, "no clinical variable with values that differ"))
    return Framed(tuple(frames), tuple(left_out))


def _clinical_frame(
    study: Study, analysis: Analysis, kind: str, table: pd.DataFrame, order: Sequence[str], units: Mapping[str, str]
) -> Frame:
    return Frame.from_table(
        table[table[list(units)].notna().any(axis=1)],
        outcomes=list(units),
        group="group",
        groups=order,
        patient="patient",
        kind=kind,
        analysis=analysis.id,
        part=next(iter(units)) if analysis.kind == "course" else "",
        unit=list(units.values()),
        outcome_sd=study.priors.outcome_sd,
        exposure="years" if "years" in table else None,
    )


def _check_one_row_each(study: Study, analysis: Analysis, table: pd.DataFrame) -> None:
    if analysis.kind == "regression" and table["patient"].duplicated().any():
        todo = 'choose kind = "mixed", which has patient effects'
        fault = Fault("several rows of one patient", "one row a patient", todo, str(study.path), column=analysis.id)
        raise StudyError(fault)


def _enough(values: pd.Series, fewest: int) -> bool:
    return int(values.notna().sum()) >= fewest and float(values.max() - values.min()) > 0


def _impossible(analysis: Analysis, rows: Rows, fewest: int) -> str:
    """Why nothing can be fitted, as a noun phrase; "" where something can."""
    name = "patient-year" if analysis.visit_to is None else "patient"
    where = (
        "two consecutive visits"
        if analysis.visit_to is None
        else f"visits {analysis.visit_from} and {analysis.visit_to}"
    )
    if not rows.before:
        return f"no patient with usable scans at {where}"
    if rows.table.empty:
        return f"no {rows.predictor} in any {name}"
    if len(rows.table) < fewest:
        return f"{len(rows.table)} {name}s with {rows.predictor}, where {fewest} are the least"
    if np.ptp(rows.table[rows.predictor].to_numpy(float)) == 0:
        return f"the same {rows.predictor} in every {name}"
    return ""


def _skipped(analysis: Analysis, reason: str) -> Exclusion:
    return Exclusion("analysis", analysis=analysis.id, rule="skipped", reason=reason)


def _no_rows(analysis: Analysis, group: str) -> Exclusion:
    reason = f"no row of group {group}: its results show the prior and the other groups"
    return Exclusion("analysis", analysis=analysis.id, rule="group_without_rows", reason=reason)


def _too_few(analysis: Analysis, structure: str, fewest: int) -> Exclusion:
    reason = f"fewer than {fewest} rows with this volume, or all equal"
    return Exclusion("analysis", structure=structure, analysis=analysis.id, rule="too_few_volumes", reason=reason)


def _too_few_values(analysis: Analysis, name: str, fewest: int) -> Exclusion:
    reason = f"{name}: fewer than {fewest} values, or all equal"
    return Exclusion("analysis", analysis=analysis.id, rule="too_few_values", reason=reason)
