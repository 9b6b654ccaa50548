"""A study's files to its cohort, intervals, changes and ledger: the whole of data preparation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from atrobayes.data_prep.clinical import Clinical, read_clinical
from atrobayes.data_prep.cohort import build_cohort, write_cohort
from atrobayes.data_prep.flow import FLOW_COLUMNS, flow
from atrobayes.data_prep.intervals import CHANGE_COLUMNS, INTERVAL_COLUMNS, changes, lost_years, patient_years
from atrobayes.data_prep.ledger import COLUMNS, Exclusion, lost_patients, to_frame
from atrobayes.data_prep.lesion_counts import LESION_COLUMNS, mask_counts, with_mask_counts
from atrobayes.data_prep.plausible import missing_notes, study_faults, unused_notes
from atrobayes.data_prep.quality import check_quality, find_quality, quality_note
from atrobayes.data_prep.quality_flags import QUALITY_COLUMNS, Flag, quality_table
from atrobayes.data_prep.quality_labels import label_flags
from atrobayes.data_prep.sources import open_sources
from atrobayes.data_prep.structures import resolve_structures
from atrobayes.data_prep.volume_table import VOLUME_COLUMNS, volume_table
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.files import write_table
from atrobayes.study import Study

_NEDA = "NEDA-3 stays undetermined unless other activity is found"
# What a study loses with a column it does not have.
_LOST_WITHOUT = {
    "new_t2": f"the analysis by new T2 lesions is skipped, and {_NEDA}",
    "new_gd": f"the analysis by new gadolinium-enhancing lesions is skipped, and {_NEDA}",
    "relapses": _NEDA,
    "edss": _NEDA,
}


@dataclass(frozen=True)
class Prepared:
    """What data preparation makes of a study.

    Attributes
    ----------
    cohort : Dataset
        The Cohort, as `build_cohort` describes it.
    intervals : DataFrame
        Patient-years, columns `INTERVAL_COLUMNS`.
    changes : DataFrame
        Change of each structure in each patient-year, columns `CHANGE_COLUMNS`.
    volumes : DataFrame
        Every volume and the file and lines it was read from, columns `VOLUME_COLUMNS`.
    lesions : DataFrame
        Lesions counted in masks, columns `LESION_COLUMNS`; empty where the study names no mask.
    exclusions : tuple of Exclusion
        Everything left out, and why.
    flow : DataFrame
        What is left at each step, by group, up to the patient-years; columns `FLOW_COLUMNS`.
    quality : tuple of Flag
        What is kept but worth a look; see `quality.find_quality`.
    notes : tuple of str
        Remarks for the user; nothing in them is left out or changed.
    """

    cohort: xr.Dataset
    intervals: pd.DataFrame
    changes: pd.DataFrame
    volumes: pd.DataFrame
    lesions: pd.DataFrame
    exclusions: tuple[Exclusion, ...]
    flow: pd.DataFrame
    quality: tuple[Flag, ...]
    notes: tuple[str, ...]


def prepare(study: Study, jobs: int = 1) -> Prepared:
    """Read and check everything a study names, and join it.

    Parameters
    ----------
    study : Study
        As `read_study` gives it.
    jobs : int
        Processes that read scans at a time, where there are thousands; the result does not depend on it.

    Returns
    -------
    Prepared
        Nothing is written yet: see `write_prepared`.

    Raises
    ------
    DataError
        With all faults of study file, clinical tables and SUBJECTS_DIR at once; or, where those are
        sound, of all stats files at once.
    """
    faults: list[Fault] = []
    structures = attempt(lambda: resolve_structures(study), faults)
    clinical = attempt(lambda: read_clinical(study), faults)
    sources = attempt(lambda: open_sources(study, structures or ()), faults)
    attempt(lambda: check_quality(study, structures or ()), faults)
    counts = None if clinical is None else mask_counts(study, clinical.visits)
    faults += counts.faults if counts else ()
    if faults or structures is None or clinical is None or sources is None or counts is None:
        raise DataError(faults)
    clinical = with_mask_counts(clinical, counts)
    built = build_cohort(study, clinical, sources, jobs)
    cohort = built.cohort
    if wrong := study_faults(study, cohort, built.exclusions, structures):
        raise DataError(wrong)
    exclusions = (*built.exclusions, *lost_patients(cohort), *lost_years(cohort))
    labels = label_flags(built.scans) if study.quality.labels else ()
    quality = find_quality(study, built, sources, structures, (*counts.flags, *labels))
    intervals = patient_years(cohort, study.definitions)
    return Prepared(
        cohort=cohort,
        intervals=intervals,
        changes=changes(cohort, intervals, study.definitions),
        volumes=volume_table(cohort, built.scans),
        lesions=counts.table,
        exclusions=exclusions,
        flow=flow(cohort, exclusions),
        quality=quality,
        notes=_notes(study, clinical, cohort, exclusions, quality, unused_notes(sources, built.scans, structures)),
    )


def write_prepared(prepared: Prepared, out: Path, scratch: Path | None = None) -> None:
    """Write cohort.nc and the tables that `Prepared` holds, with their sidecars, into `out`."""
    write_cohort(out / "cohort.nc", prepared.cohort, scratch)
    write_table(out / "exclusions.tsv", to_frame(prepared.exclusions), COLUMNS, scratch)
    write_table(out / "flow.tsv", prepared.flow, FLOW_COLUMNS, scratch)
    write_table(out / "quality.tsv", quality_table(prepared.quality), QUALITY_COLUMNS, scratch)
    write_table(out / "volumes.tsv", prepared.volumes, VOLUME_COLUMNS, scratch)
    write_table(out / "lesions.tsv", prepared.lesions, LESION_COLUMNS, scratch)
    write_table(out / "intervals.tsv", prepared.intervals, INTERVAL_COLUMNS, scratch)
    write_table(out / "changes.tsv", prepared.changes, CHANGE_COLUMNS, scratch)


def _notes(
    study: Study,
    clinical: Clinical,
    cohort: xr.Dataset,
    exclusions: tuple[Exclusion, ...],
    quality: tuple[Flag, ...],
    unused: Sequence[str],
) -> tuple[str, ...]:
    return (
        *clinical.notes,
        *_absent_columns(study, clinical),
        *missing_notes(cohort, exclusions),
        *unused,
        *filter(None, [quality_note(quality)]),
        *_flag_notes(cohort),
        *_loose_scans(exclusions),
    )


def _absent_columns(study: Study, clinical: Clinical) -> list[str]:
    name = study.data.visits.name
    empty = clinical.visits.isna().all()
    notes = [
        f"{name} has no {'value in' if column in clinical.visit_columns else 'column'} {column}: {lost}"
        for column, lost in _LOST_WITHOUT.items()
        if empty[column]
    ]
    if not {"date", "years"} & set(clinical.visit_columns):
        notes.append(f"{name} has neither date nor years: real times are unknown and no EDSS progression is confirmed")
    return notes


def _flag_notes(cohort: xr.Dataset) -> list[str]:
    return [_flag_note(flag) for flag in json.loads(cohort.attrs["flags"])]


def _flag_note(flag: Mapping[str, Any]) -> str:
    when = "" if flag["visit"] is None else f", visit {flag['visit']}"
    return f"{flag['patient']}{when}: {flag['reason']}" if flag["patient"] else flag["reason"]


def _loose_scans(exclusions: tuple[Exclusion, ...]) -> list[str]:
    rules = Counter(item.rule for item in exclusions)
    words = {
        "scan_without_visit": ("scan belongs", "scans belong", "to no row of the visit table"),
        "scan_missing": ("scan is named", "scans are named", "but not found"),
    }
    return [
        f"{rules[rule]} {one if rules[rule] == 1 else many} {rest}: see exclusions.tsv"
        for rule, (one, many, rest) in words.items()
        if rules[rule]
    ]
