"""Flags of quality control: the rules in words, one flag, and the table of all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from atrobayes.files import Column


@dataclass(frozen=True)
class QualityRule:
    """A rule of quality control in words.

    Attributes
    ----------
    words : str
        What was found, for readers of a report.
    look : str
        What to look at or do.
    """

    words: str
    look: str


# every rule that may stand in quality.tsv; a test holds this list to what the code writes
RULES: Mapping[str, QualityRule] = MappingProxyType(
    {
        "versions_between_groups": QualityRule(
            "the groups' scans were processed with different mixes of FreeSurfer versions",
            "process all scans with one version: a difference between groups may be one between versions",
        ),
        "platforms_between_groups": QualityRule(
            "the groups' scans were processed on different mixes of platforms",
            "process all scans on one platform: a difference between groups may be one between platforms",
        ),
        "freesurfer_versions": QualityRule(
            "scans of one patient processed with different versions of FreeSurfer",
            "process the patient's scans anew with one version: part of a change may be that of the program",
        ),
        "platforms": QualityRule(
            "scans of one patient processed on different platforms",
            "process the patient's scans anew on one platform",
        ),
        "etiv_varies": QualityRule(
            "not one intracranial volume (eTIV) for all longitudinal runs of a patient",
            "see whether all runs are longitudinal and of one template",
        ),
        "template_mixed": QualityRule(
            "scans of one patient measured with different templates",
            "run the longitudinal stream anew with one template",
        ),
        "template_members": QualityRule(
            "template and longitudinal runs do not name the same time points",
            "compare base-tps with the runs; make the template anew where a time point was added later",
        ),
        "run_unfinished": QualityRule(
            "a run of any stream that has not finished or ended with errors",
            "look at its recon-all.log; finish it or remove it",
        ),
        "cross_unreadable": QualityRule(
            "the cross-sectional run's aseg.stats is damaged, so its holes are not known",
            "run that step of recon-all again; the longitudinal volumes do not depend on this file",
        ),
        "holes": QualityRule(
            "many holes in the cross-sectional surfaces before mending",
            "look at skull strip, motion and the white matter's surface in that scan",
        ),
        "change_limit": QualityRule(
            "a yearly change beyond the structure's limit",
            "look at both scans' segmentation of the structure",
        ),
        "change_robust_z": QualityRule(
            "a yearly change far from the cohort's median",
            "look at both scans' segmentation of the structure",
        ),
        "ventricle_and_brain": QualityRule(
            "lateral ventricle and whole brain shrink together",
            "look at both scans: tissue that is lost leaves room for fluid; hydration, motion or contrast may differ",
        ),
        "asymmetry": QualityRule(
            "left-right asymmetry far from the cohort's median",
            "look at the smaller side's segmentation",
        ),
        "asymmetry_change": QualityRule(
            "a change of left-right asymmetry far from the cohort's median",
            "look at the structure in both scans: one side moved without the other",
        ),
        "visit_off_nominal": QualityRule(
            "a visit far from its nominal date",
            "check its date and its number",
        ),
        "steroid_unknown": QualityRule(
            "usable scans without days since steroids",
            "fill in days_since_steroid where a course of steroids is on record",
        ),
        "mask_reference_not_previous": QualityRule(
            "a lesion mask was compared with another scan than the one of the visit before",
            "compare it with the visit before, or read its counts as those of the longer time",
        ),
        "mask_without_reference": QualityRule(
            "a lesion mask without an earlier one to be compared with",
            "name the earlier visit's mask, or fill in new_t2 by hand: these lesions are not counted as new",
        ),
        "mask_count_differs": QualityRule(
            "lesions in the mask are not as many as the visit table says",
            "see which of the two is meant",
        ),
        "labels_differ": QualityRule(
            "volumes of the label image differ from those of the stats file",
            "see whether the image was edited after the statistics were made",
        ),
    }
)


@dataclass(frozen=True)
class Flag:
    """Something that is kept but worth a look.

    Attributes
    ----------
    rule : str
        A key of `RULES`.
    patient : str
        "": the whole study, or a run that belongs to no patient.
    visit : int or None
        Nominal visit; None: all of the patient's.
    visit_from : int or None
        Of a change, the visit it began at.
    structure : str
        "" where none is meant.
    value, limit : float
        What was found, and beyond what it is flagged, in `unit`; NaN where the rule has none.
    unit : str
    reason : str
        What was found, in words.
    """

    rule: str
    patient: str = ""
    visit: int | None = None
    visit_from: int | None = None
    structure: str = ""
    value: float = math.nan
    limit: float = math.nan
    unit: str = ""
    reason: str = ""


QUALITY_COLUMNS = (
    Column("rule", "Rule that flagged it", levels={name: rule.words for name, rule in RULES.items()}),
    Column("patient", "Patient; n/a: the whole study, or a run of nobody in the visit table"),
    Column("visit", "Nominal visit; of a change, the visit that closes it; n/a: all visits", "year"),
    Column("visit_from", "Of a change, the visit that opens it", "year"),
    Column("structure", "Structure; n/a: the whole scan"),
    Column("value", "What was found, in the unit of its row"),
    Column("limit", "Limit beyond which it is flagged, in the unit of its row"),
    Column("unit", "Unit of value and limit; robust z: distance from the cohort's median in robust SD"),
    Column("reason", "What was found, in words"),
)


def quality_table(flags: Sequence[Flag]) -> pd.DataFrame:
    """Table of quality.tsv, sorted by rule (as `RULES`), patient, visit, structure."""
    ordered = sorted(flags, key=_order)
    # dtype object, so that a missing visit does not make visits floats
    return pd.DataFrame(
        {
            column.name: pd.Series([getattr(flag, column.name) for flag in ordered], dtype=object)
            for column in QUALITY_COLUMNS
        }
    )


def _order(flag: Flag) -> tuple[Any, ...]:
    visits = [(visit is not None, visit or 0) for visit in (flag.visit, flag.visit_from)]
    return (list(RULES).index(flag.rule), flag.patient, *visits, flag.structure, flag.reason)
