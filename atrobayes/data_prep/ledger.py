"""What was left out and why: one row for each thing, and counts that add up."""

from __future__ import annotations

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
        The same in few words, where a scan, a year or a row is lost by it: what the counts of `flow.flow` say, so
        without a comma; else "".
    """

    words: str
    lost: str = ""


# every rule that may stand in exclusions.tsv; a test holds this list to what the code writes
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "patient_without_visit": Rule("patient without a clinical visit"),
        "visit_without_scan": Rule("clinical visit without a scan", "no scan"),
        "scan_without_visit": Rule("FreeSurfer run that no visit names"),
        "scan_missing": Rule("FreeSurfer results not found", "scan not found"),
        "recon_unfinished": Rule("FreeSurfer run unfinished", "recon-all unfinished"),
        "recon_failed": Rule("FreeSurfer run ended with errors", "recon-all ended with errors"),
        "stats_missing": Rule("FreeSurfer run without aseg.stats", "no aseg.stats"),
        "quality_fail": Rule("segmentation failed quality control", "segmentation failed quality control"),
        "other_protocol": Rule("scan on another protocol", "scan on another protocol"),
        "steroid_washout": Rule("scan too soon after intravenous steroids", "scan too soon after steroids"),
        "source_missing": Rule("one structure not measured in a scan that was kept"),
        "etiv_missing": Rule("no intracranial volume in a scan that was kept"),
        "one_visit_only": Rule("patient with a single visit, so no year"),
        "missed_visit": Rule("no scan at one of the two visits", "no scan at one of the two visits"),
        "scan_unusable": Rule("scan at one of the two visits left out", "scan at one of the two visits left out"),
        "count_missing": Rule("number of lesions or other predictor not known", "predictor not known"),
        "state_unknown": Rule("not known whether there was disease activity", "activity not known"),
        "covariate_missing": Rule("a covariate not known", "covariate not known"),
        "outcome_missing": Rule("an outcome of the table not known"),
        "label_missing": Rule("group or patient of a row of the table not known"),
        "excluded": Rule("left out by the condition of this analysis", "left out by its condition"),
        "too_few_volumes": Rule("a structure measured in too few rows, or equal in all"),
        "too_few_values": Rule("a clinical variable known in too few patients or visits, or equal in all"),
        "group_without_rows": Rule("a group without any row in this analysis"),
        "skipped": Rule("the whole analysis, which the data do not allow"),
    }
)
LOST: Mapping[str, str] = MappingProxyType({name: rule.lost for name, rule in RULES.items() if rule.lost})


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


def lost_patients(cohort: xr.Dataset) -> tuple[Exclusion, ...]:
    """Ledger rows for patients who leave no other row on their way to a patient-year.

    Rule patient_without_visit where the visit table has no row of theirs; one_visit_only where it has one, after
    which no year follows.
    """
    visits: dict[str, set[int]] = {who: set() for who in cohort["patient"].to_numpy().tolist()}
    for who, visit in _visits(cohort):
        visits[who].add(visit)
    unseen = [
        Exclusion("found", who, rule="patient_without_visit", reason="no row in the visit table")
        for who, seen in visits.items()
        if not seen
    ]
    once = [
        Exclusion("interval", who, rule="one_visit_only", reason=f"only visit {min(seen)}: no year follows")
        for who, seen in visits.items()
        if len(seen) == 1
    ]
    return (*unseen, *once)


def nominal_years(cohort: xr.Dataset) -> list[tuple[str, int]]:
    """Every nominal year k to k + 1 between a patient's first and last clinical visit: (patient, k)."""
    visits: dict[str, list[int]] = {}
    for who, visit in _visits(cohort):
        visits.setdefault(who, []).append(visit)
    return [(who, year) for who, seen in visits.items() for year in range(min(seen), max(seen))]


def _visits(cohort: xr.Dataset) -> list[tuple[str, int]]:
    return list(zip(cohort["record_patient"].to_numpy().tolist(), cohort["visit"].to_numpy().tolist(), strict=True))


def _order(item: Exclusion) -> tuple[Any, ...]:
    visit = (item.visit is None, item.visit or 0)
    return (list(STAGES).index(item.stage), item.patient, visit, item.structure, item.analysis, item.rule, item.file)
