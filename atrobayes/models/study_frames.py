"""From a study's patient-years to the frame of one analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atrobayes.data_prep.ledger import ALL, Exclusion
from atrobayes.models.analyses import UNIT_AT_START, Analysis
from atrobayes.models.frame import Frame
from atrobayes.study import Study


def fewest_rows(groups: int) -> int:
    """Rows below which nothing is fitted: an intercept and a slope a group, and two SDs."""
    return 2 * groups + 2


@dataclass(frozen=True)
class Framed:
    """A frame, or why there is none, and what was left out on the way.

    Attributes
    ----------
    frame : Frame or None
        None: the data do not allow the analysis; the last exclusion says why.
    exclusions : tuple of Exclusion
        Stage `analysis`.
    """

    frame: Frame | None
    exclusions: tuple[Exclusion, ...]


def build_frame(
    study: Study,
    analysis: Analysis,
    intervals: pd.DataFrame,
    changes: pd.DataFrame,
    groups: Sequence[str],
) -> Framed:
    """Rows of one year-to-year analysis.

    Parameters
    ----------
    study : Study
        Its definitions say which visit's count an interval has, its priors the units.
    analysis : Analysis
    intervals, changes : DataFrame
        As in intervals.tsv and changes.tsv.
    groups : sequence of str
        Order of the groups; empty: one group of all.

    Returns
    -------
    Framed
        Patient-years whose count is missing, structures with too few values, and analyses for which nothing
        is left are named in `exclusions`.
    """
    predictor = f"{analysis.predictor}_{'to' if study.definitions.lesion_timing == 'end' else 'from'}"
    years = intervals[intervals["visit_to"] - intervals["visit_from"] == 1]
    known = years[predictor].notna()
    left_out = [_no_count(analysis, predictor, row.patient, row.visit_to) for row in years[~known].itertuples()]
    key = ["patient", "visit_from", "visit_to"]
    wide = changes.pivot_table(index=key, columns="structure", values=analysis.outcome, sort=False, dropna=False)
    table = years[known].merge(wide.reset_index(), on=key, how="left", validate="one_to_one")
    order = tuple(groups) or (ALL,)
    fewest = fewest_rows(len(order))
    structures = list(dict.fromkeys(changes["structure"]))
    usable = [name for name in structures if _enough(table[name], fewest)]
    reason = _impossible(years, table, predictor, fewest) or ("" if usable else "no structure with volumes that differ")
    if reason:
        return Framed(None, (*left_out, Exclusion("analysis", analysis=analysis.id, rule="skipped", reason=reason)))
    left_out += [_too_few(analysis, name, fewest) for name in structures if name not in usable]
    table = table[table[usable].notna().any(axis=1)]
    left_out += [_no_rows(analysis, label) for label in order if label not in set(table["group"])]
    frame = Frame.from_table(
        table.sort_values(key),
        outcomes=usable,
        predictor=predictor,
        group="group",
        groups=order,
        patient="patient",
        analysis=analysis.id,
        unit=analysis.unit(study.definitions.annualised),
        predictor_unit=_unit(study, analysis),
        outcome_sd=study.priors.outcome_sd,
    )
    return Framed(frame, tuple(left_out))


def _unit(study: Study, analysis: Analysis) -> float:
    if study.priors.predictor_unit is not None:
        return study.priors.predictor_unit
    return analysis.predictor_unit if study.definitions.lesion_timing == "end" else UNIT_AT_START


def _enough(values: pd.Series, fewest: int) -> bool:
    return int(values.notna().sum()) >= fewest and float(values.max() - values.min()) > 0


def _impossible(years: pd.DataFrame, table: pd.DataFrame, predictor: str, fewest: int) -> str:
    """Why nothing can be fitted, as a noun phrase; "" where something can."""
    if years.empty:
        return "no patient with usable scans at two consecutive visits"
    if years[predictor].isna().all():
        return f"no count of {predictor.rsplit('_', 1)[0]} in any patient-year"
    if len(table) < fewest:
        return f"{len(table)} patient-years with a count of lesions, where {fewest} are the least"
    if np.ptp(table[predictor].to_numpy(float)) == 0:
        return f"the same {predictor} in every patient-year"
    return ""


def _no_count(analysis: Analysis, predictor: str, patient: object, visit: object) -> Exclusion:
    return Exclusion(
        "analysis",
        patient=str(patient),
        visit=int(str(visit)),
        analysis=analysis.id,
        rule="count_missing",
        reason=f"no {predictor}: missing is not zero",
    )


def _no_rows(analysis: Analysis, group: str) -> Exclusion:
    reason = f"no patient-year of group {group}: its rows show the prior and the other groups"
    return Exclusion("analysis", analysis=analysis.id, rule="group_without_rows", reason=reason)


def _too_few(analysis: Analysis, structure: str, fewest: int) -> Exclusion:
    reason = f"fewer than {fewest} patient-years with this volume, or all equal"
    return Exclusion("analysis", structure=structure, analysis=analysis.id, rule="too_few_volumes", reason=reason)
