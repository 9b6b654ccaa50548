"""From enrolled patients to the rows of each analysis: what is left at each step, and counts that add up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from atrobayes.data_prep.ledger import ALL, LOST, RULES, Exclusion, nominal_years
from atrobayes.files import Column

# The same by status, where a cohort comes without its ledger.
_LOST_BY_STATUS = {
    "none": LOST["visit_without_scan"],
    "missing": LOST["scan_missing"],
    "unfinished": LOST["recon_unfinished"],
    "failed": "recon-all or its segmentation failed",
    "protocol": LOST["other_protocol"],
    "steroid": LOST["steroid_washout"],
}
_SCAN_STAGES = frozenset({"found", "processed", "usable"})
_NO_VOLUME = "no volume in the scans"
_NOT_FITTED = "the whole analysis skipped"

FLOW_COLUMNS = (
    Column("step", "Step, in the order of the unit's steps"),
    Column("unit", "What is counted", levels={
        "patients": "patients", "visits": "clinical visits and their scans", "patient-years": "nominal years",
        "intervals": "intervals between two visits, for one analysis",
    }),
    Column("analysis", "Analysis whose rows are counted; n/a: all of them"),
    Column("group", f"Group; {ALL}: all patients"),
    Column("n", "How many are left at this step"),
    Column("lost", "How many fewer than at the step before, of the same unit, analysis and group"),
    Column("reasons", "Why they are lost, each reason with its count; the counts sum to lost"),
)  # fmt: skip


@dataclass(frozen=True)
class Analysed:
    """Rows of one analysis of intervals, each by its patient and the visit that closes it.

    Attributes
    ----------
    analysis : str
        Its id.
    before : tuple of (patient, visit)
        Intervals with usable scans at both ends.
    rows : frozenset of (patient, visit)
        Those that are fitted, in one structure at least; empty where the whole analysis is skipped.
    """

    analysis: str
    before: tuple[tuple[str, int], ...]
    rows: frozenset[tuple[str, int]]


def flow(cohort: xr.Dataset, exclusions: Sequence[Exclusion], analysed: Sequence[Analysed] = ()) -> pd.DataFrame:
    """Count what is left at each step, by group and in total.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    exclusions : sequence of Exclusion
        Of the same cohort, those of lost patients and intervals included.
    analysed : sequence of Analysed
        Rows of each analysis of intervals.

    Returns
    -------
    DataFrame
        Columns of `FLOW_COLUMNS`; groups in the cohort's order, then ALL; ALL alone where there are no two
        groups. `lost` of a step is what the previous step of the same unit and analysis had more; `reasons`
        says why, such as "no aseg.stats 3, recon-all unfinished 1" (see `split_reasons`). Patient-years begin
        with the nominal years between a patient's first and last clinical visit.
    """
    group_of = dict(zip(cohort["patient"].to_numpy().tolist(), cohort["group"].to_numpy().tolist(), strict=True))
    labels = list(dict.fromkeys(label for label in group_of.values() if label != ALL))
    steps = _patient_steps(cohort) + _visit_steps(cohort, exclusions) + _year_steps(cohort, exclusions)
    steps += [step for item in analysed for step in _analysis_steps(item, exclusions)]
    rows = [
        {"step": step.name, "unit": step.unit, "analysis": step.analysis, "group": group}
        | _count(step, group, group_of)
        for step in steps
        for group in ([*labels, ALL] if len(labels) > 1 else [ALL])
    ]
    return pd.DataFrame(rows, columns=[column.name for column in FLOW_COLUMNS])


def split_reasons(reasons: str) -> dict[str, int]:
    """Read the column `reasons` of one row: count by reason."""
    return {words: int(count) for words, count in re.findall(r"(.+?) (\d+)(?:, |$)", reasons)}


@dataclass(frozen=True)
class _Step:
    name: str
    unit: str
    kept: tuple[str, ...]  # patient of each unit kept
    lost: tuple[tuple[str, str], ...] = ()  # patient and reason of each unit lost since the step before
    analysis: str = ""


def _patient_steps(cohort: xr.Dataset) -> list[_Step]:
    enrolled = tuple(cohort["patient"].to_numpy().tolist())
    owner, status = _records(cohort)
    pairs = list(zip(owner, status, strict=True))
    usable = set(_usable(cohort))
    reached = {
        "with a clinical visit": (set(owner), "no visit"),
        "with a scan": ({who for who, state in pairs if state != "none"}, "no scan"),
        "with a usable scan": ({who for who, state in pairs if state == "usable"}, "no usable scan"),
        "with a patient-year": (
            {who for who, year in nominal_years(cohort) if {(who, year), (who, year + 1)} <= usable},
            "no patient-year",
        ),
    }
    steps = [_Step("enrolled", "patients", enrolled)]
    for name, (there, reason) in reached.items():
        steps.append(_step(name, "patients", [(who, "" if who in there else reason) for who in steps[-1].kept]))
    return steps


def _visit_steps(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> list[_Step]:
    owner, status = _records(cohort)
    steps = [_Step("clinical visits", "visits", tuple(owner))]
    left = list(zip(owner, status, _scan_reasons(cohort, exclusions), strict=True))
    for name, losing in (
        ("scanned", {"none"}),
        ("finished", {"missing", "unfinished", "failed"}),
        ("usable", {"protocol", "steroid"}),
    ):
        steps.append(_step(name, "visits", [(who, why if state in losing else "") for who, state, why in left]))
        left = [(who, state, why) for who, state, why in left if state not in losing]
    return steps


def _scan_reasons(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> list[str]:
    """Why the scan of each record is lost, "" if it is not."""
    told = {
        (item.patient, item.visit): LOST[item.rule]
        for item in exclusions
        if item.stage in _SCAN_STAGES and item.rule in LOST
    }
    _, status = _records(cohort)
    return [told.get(key, _LOST_BY_STATUS.get(state, "")) for key, state in zip(_keys(cohort), status, strict=True)]


def _year_steps(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> list[_Step]:
    lost = {
        (item.patient, item.visit): LOST[item.rule]
        for item in exclusions
        if item.stage == "interval" and item.rule in LOST
    }
    years = nominal_years(cohort)
    marked = [(who, lost.get((who, visit + 1), "")) for who, visit in years]
    return [
        _Step("nominal years followed", "patient-years", tuple(who for who, _ in years)),
        _step("patient-years", "patient-years", marked),
    ]


def _analysis_steps(item: Analysed, exclusions: Sequence[Exclusion]) -> list[_Step]:
    told: dict[tuple[str, int | None], str] = {}
    for row in exclusions:
        if row.stage == "analysis" and row.analysis == item.analysis and row.patient:
            # the first of several reasons to leave a row out is the one that is counted
            told.setdefault((row.patient, row.visit), RULES[row.rule].lost)
    other = _NO_VOLUME if item.rows else _NOT_FITTED
    marked = [(who, "" if (who, visit) in item.rows else told.get((who, visit), other)) for who, visit in item.before]
    before = _Step("intervals", "intervals", tuple(who for who, _ in item.before), analysis=item.analysis)
    return [before, _step("intervals analysed", "intervals", marked, item.analysis)]


def _records(cohort: xr.Dataset) -> tuple[list[str], list[str]]:
    return cohort["record_patient"].to_numpy().tolist(), cohort["scan_status"].to_numpy().tolist()


def _keys(cohort: xr.Dataset) -> list[tuple[str, int]]:
    return list(zip(cohort["record_patient"].to_numpy().tolist(), cohort["visit"].to_numpy().tolist(), strict=True))


def _usable(cohort: xr.Dataset) -> list[tuple[str, int]]:
    return [key for key, state in zip(_keys(cohort), _records(cohort)[1], strict=True) if state == "usable"]


def _step(name: str, unit: str, marked: Sequence[tuple[str, str]], analysis: str = "") -> _Step:
    kept = tuple(who for who, reason in marked if not reason)
    return _Step(name, unit, kept, tuple((who, reason) for who, reason in marked if reason), analysis)


def _count(step: _Step, group: str, group_of: Mapping[str, str]) -> dict[str, Any]:
    inside = group_of if group == ALL else {who for who, label in group_of.items() if label == group}
    reasons = Counter(reason for who, reason in step.lost if who in inside)
    return {
        "n": sum(who in inside for who in step.kept),
        "lost": reasons.total(),
        "reasons": ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())),
    }
