"""What was left out and why: one row for each thing, and counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd
import xarray as xr

from atrobayes.files import Column

STAGES = {
    "found": "a visit without a scan, or a scan without a visit",
    "processed": "FreeSurfer did not deliver the volume",
    "usable": "the scan must not be compared with the others",
    "interval": "a nominal year without a usable scan at both ends",
    "analysis": "left out of one analysis only",
}
ALL = "ALL"


@dataclass(frozen=True)
class Rule:
    """A rule of the ledger in words.

    Attributes
    ----------
    words : str
        Why something is left out, for readers of a report.
    lost : str
        The same in few words, where a scan or a year is lost by it: what the counts of `flow` say; else "".
    """

    words: str
    lost: str = ""


# every rule that may stand in exclusions.tsv; a test holds this list to what the code writes
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "visit_without_scan": Rule("clinical visit without a scan", "no scan"),
        "scan_without_visit": Rule("FreeSurfer run that no visit names"),
        "scan_missing": Rule("FreeSurfer results not found", "scan not found in the SUBJECTS_DIR"),
        "recon_unfinished": Rule("FreeSurfer run unfinished", "recon-all unfinished"),
        "recon_failed": Rule("FreeSurfer run ended with errors", "recon-all ended with errors"),
        "stats_missing": Rule("FreeSurfer run without aseg.stats", "no aseg.stats"),
        "quality_fail": Rule("segmentation failed quality control", "segmentation failed quality control"),
        "other_protocol": Rule("scan on another protocol", "scan on another protocol"),
        "steroid_washout": Rule("scan too soon after intravenous steroids", "scan too soon after steroids"),
        "source_missing": Rule("one structure not measured in a scan that was kept"),
        "etiv_missing": Rule("no intracranial volume in a scan that was kept"),
        "missed_visit": Rule("no scan at one of the two visits", "no scan at one of the two visits"),
        "scan_unusable": Rule("scan at one of the two visits left out", "scan at one of the two visits left out"),
        "count_missing": Rule("number of lesions or other predictor not known"),
        "state_unknown": Rule("not known whether there was disease activity"),
        "covariate_missing": Rule("a covariate not known"),
        "outcome_missing": Rule("an outcome of the table not known"),
        "label_missing": Rule("group or patient of a row of the table not known"),
        "excluded": Rule("left out by the condition of this analysis"),
        "too_few_volumes": Rule("a structure measured in too few rows, or equal in all"),
        "too_few_values": Rule("a clinical variable known in too few patients or visits, or equal in all"),
        "group_without_rows": Rule("a group without any row in this analysis"),
        "skipped": Rule("the whole analysis, which the data do not allow"),
    }
)
LOST: Mapping[str, str] = MappingProxyType({name: rule.lost for name, rule in RULES.items() if rule.lost})
# The same by status, where a cohort comes without its ledger.
_LOST_BY_STATUS = {
    "none": LOST["visit_without_scan"],
    "missing": LOST["scan_missing"],
    "unfinished": LOST["recon_unfinished"],
    "failed": "recon-all or its segmentation failed",
    "protocol": LOST["other_protocol"],
    "steroid": LOST["steroid_washout"],
}


@dataclass(frozen=True)
class Exclusion:
    """One thing left out.

    Attributes
    ----------
    stage : str
        found, processed, usable, interval or analysis.
    patient : str
        "" where it is not known whose it is.
    visit : int or None
        Nominal year; of an interval, the year that closes it.
    structure, analysis : str
        "" where all are meant.
    rule, reason : str
        The rule's name, and what was found, in words.
    file : str
        Path relative to the study's folder or the SUBJECTS_DIR; "" where none is meant.
    """

    stage: str
    patient: str = ""
    visit: int | None = None
    structure: str = ""
    analysis: str = ""
    rule: str = ""
    reason: str = ""
    file: str = ""


COLUMNS = (
    Column("stage", "How far the scan, interval or row had come", levels=STAGES),
    Column("patient", "Patient; n/a where the scan belongs to nobody in patients.tsv"),
    Column("visit", "Nominal visit; of an interval, the visit that closes it", "year"),
    Column("structure", "Structure left out; n/a: all of them"),
    Column("analysis", "Analysis it was left out of; n/a: all of them"),
    Column("rule", "Name of the rule that left it out"),
    Column("reason", "What was found"),
    Column("file", "File or folder, relative to the study's folder or the SUBJECTS_DIR"),
)


def to_frame(exclusions: Sequence[Exclusion]) -> pd.DataFrame:
    """Table of exclusions.tsv, sorted by stage (as `STAGES`), patient, visit, structure, analysis, rule, file."""
    ordered = sorted(exclusions, key=_order)
    # Built column by column with dtype object, so that a missing visit does not make visits floats.
    return pd.DataFrame(
        {column.name: pd.Series([getattr(item, column.name) for item in ordered], dtype=object) for column in COLUMNS}
    )


def flow(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> pd.DataFrame:
    """Count what is left at each step, by group and in total.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    exclusions : sequence of Exclusion
        Of the same cohort, those of lost intervals included.

    Returns
    -------
    DataFrame
        Columns step, unit, group, n, lost, reasons; groups in the cohort's order, then ALL; ALL alone where
        there are no two groups. `lost` of a step is what the previous step of the same unit had more;
        `reasons` says why, such as "no aseg.stats 3, recon-all unfinished 1", and its counts sum to `lost`.
        Patient-years begin with the nominal years between a patient's first and last clinical visit.
    """
    group_of = dict(zip(cohort["patient"].to_numpy().tolist(), cohort["group"].to_numpy().tolist(), strict=True))
    labels = list(dict.fromkeys(label for label in group_of.values() if label != ALL))
    steps = _patient_steps(cohort) + _visit_steps(cohort, exclusions) + _year_steps(cohort, exclusions)
    rows = [
        {"step": step.name, "unit": step.unit, "group": group} | _count(step, group, group_of)
        for step in steps
        for group in ([*labels, ALL] if len(labels) > 1 else [ALL])
    ]
    return pd.DataFrame(rows, columns=["step", "unit", "group", "n", "lost", "reasons"])


@dataclass(frozen=True)
class _Step:
    name: str
    unit: str
    kept: tuple[str, ...]  # patient of each unit kept
    lost: tuple[tuple[str, str], ...] = ()  # patient and reason of each unit lost since the step before


def _patient_steps(cohort: xr.Dataset) -> list[_Step]:
    enrolled = tuple(cohort["patient"].to_numpy().tolist())
    owner, status = _records(cohort)
    seen, scanned = set(owner), {who for who, state in zip(owner, status, strict=True) if state == "usable"}
    return [
        _Step("enrolled", "patients", enrolled),
        _step("with a clinical visit", "patients", [(who, "" if who in seen else "no visit") for who in enrolled]),
        _step(
            "with a usable scan",
            "patients",
            [(who, "" if who in scanned else "no usable scan") for who in enrolled if who in seen],
        ),
    ]


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
        if item.stage in {"found", "processed", "usable"} and item.rule in LOST
    }
    owner, status = _records(cohort)
    keys = zip(owner, cohort["visit"].to_numpy().tolist(), strict=True)
    return [told.get(key, _LOST_BY_STATUS.get(state, "")) for key, state in zip(keys, status, strict=True)]


def _year_steps(cohort: xr.Dataset, exclusions: Sequence[Exclusion]) -> list[_Step]:
    lost = {(item.patient, item.visit): LOST[item.rule] for item in exclusions if item.stage == "interval"}
    years = nominal_years(cohort)
    marked = [(who, lost.get((who, visit + 1), "")) for who, visit in years]
    return [
        _Step("nominal years followed", "patient-years", tuple(who for who, _ in years)),
        _step("patient-years", "patient-years", marked),
    ]


def nominal_years(cohort: xr.Dataset) -> list[tuple[str, int]]:
    """Every nominal year k to k + 1 between a patient's first and last clinical visit: (patient, k)."""
    visits: dict[str, list[int]] = {}
    for who, visit in zip(
        cohort["record_patient"].to_numpy().tolist(), cohort["visit"].to_numpy().tolist(), strict=True
    ):
        visits.setdefault(who, []).append(visit)
    return [(who, year) for who, seen in visits.items() for year in range(min(seen), max(seen))]


def _records(cohort: xr.Dataset) -> tuple[list[str], list[str]]:
    return cohort["record_patient"].to_numpy().tolist(), cohort["scan_status"].to_numpy().tolist()


def _step(name: str, unit: str, marked: Sequence[tuple[str, str]]) -> _Step:
    kept = tuple(who for who, reason in marked if not reason)
    return _Step(name, unit, kept, tuple((who, reason) for who, reason in marked if reason))


def _count(step: _Step, group: str, group_of: dict[str, str]) -> dict[str, Any]:
    inside = group_of if group == ALL else {who for who, label in group_of.items() if label == group}
    reasons = Counter(reason for who, reason in step.lost if who in inside)
    return {
        "n": sum(who in inside for who in step.kept),
        "lost": reasons.total(),
        "reasons": ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())),
    }


def _order(item: Exclusion) -> tuple[Any, ...]:
    visit = (item.visit is None, item.visit or 0)
    return (list(STAGES).index(item.stage), item.patient, visit, item.structure, item.analysis, item.rule, item.file)
