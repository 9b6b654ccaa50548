"""The Cohort: every clinical visit with its scan's volumes, as one labelled dataset; made, written, read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.clinical import Clinical
from atrobayes.data_prep.clinical_columns import PATIENT_COLUMNS, VISIT_COLUMNS, ClinicalColumn
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.quality_record import record_flags, short_flags
from atrobayes.data_prep.scan_reader import read_scans
from atrobayes.data_prep.scans import Scan, unclaimed_runs
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.structures import CATALOGUE_VERSION, Structure, resolve_structures
from atrobayes.errors import DataError, Fault
from atrobayes.files import SCHEMA_VERSION, atomic, sha256
from atrobayes.study import Study

_RECORD_COORDS = (
    "record_patient",
    "visit",
    "years",
    "date",
    "scan_status",
    "fsid",
    "freesurfer",
    "platform",
    "template",
)
_STRUCTURE_COORDS = ("label", "orientation", "contains", "redefined", "source")


@dataclass(frozen=True)
class Built:
    """A cohort and how it came about.

    Attributes
    ----------
    cohort : Dataset
        As `build_cohort` describes it.
    exclusions : tuple of Exclusion
        Visits without scans, scans without visits, scans and volumes left out.
    scans : tuple of Scan
        One per record, with the place every volume was read from.
    """

    cohort: xr.Dataset
    exclusions: tuple[Exclusion, ...]
    scans: tuple[Scan, ...]


def build_cohort(study: Study, clinical: Clinical, sources: Sequence[Source], jobs: int = 1) -> Built:
    """Join the clinical record with the volumes of its scans.

    Parameters
    ----------
    study : Study
    clinical : Clinical
    sources : sequence of Source
        All that the study names.
    jobs : int
        Processes that read scans at a time.

    Returns
    -------
    Built
        Its cohort has dims `record` (one per clinical visit, scanned or not; sorted by patient, visit),
        `structure`, `patient` (in the order of patients.tsv), and `assessment` where the study has EDSS of
        their own dates. `volume(record, structure)`, its two sides `left` and `right` (NaN where a structure
        is not made of two) and `etiv(record)` in mm³, NaN where no scan was read; a scan whose `scan_status`
        is not "usable" may have numbers and must not be analysed. Coordinate `patient` labels the dim
        patient, `record_patient` each record. Missing texts are "". Every variable has `units` and
        `long_name`. Attrs: schema_version, name, stream, structures_version; as JSON text: groups (labels in
        order), columns (known columns the two tables have), files (SHA-256 by relative path), flags (list of
        rule, patient, visit, reason).

    Raises
    ------
    StudyError
        If a structure is unknown.
    DataError
        If stats files are damaged, or a time point was run with two templates; all at once.
    """
    structures = resolve_structures(study)
    scans = read_scans(study, clinical.visits, sources, structures, jobs)
    cohort = xr.Dataset(
        _record_variables(clinical, scans)
        | _patient_variables(clinical)
        | _structure_variables(structures)
        | _assessment_variables(clinical),
        coords={
            "structure": ("structure", [item.id for item in structures], _attrs("", "Structure")),
            "patient": ("patient", _texts(clinical.patients["patient"]), _attrs("", "Patient")),
        },
        attrs=_cohort_attrs(study, clinical, scans),
    ).set_coords([*_RECORD_COORDS, *_STRUCTURE_COORDS])
    cohort.attrs["flags"] = json.dumps(short_flags(record_flags(cohort, study)), ensure_ascii=False)
    exclusions = [row for scan in scans for row in scan.exclusions]
    return Built(cohort, (*exclusions, *unclaimed_runs(study, clinical.visits, sources)), scans)


def write_cohort(path: Path, cohort: xr.Dataset, scratch: Path | None = None) -> None:
    """Write a cohort as netCDF4, whole or not at all; equal cohorts give equal bytes."""
    with atomic(path, scratch) as partial:
        cohort.to_netcdf(partial, engine="netcdf4", format="NETCDF4")


def read_cohort(path: Path) -> xr.Dataset:
    """Read a cohort that `write_cohort` wrote, into memory; texts come back as written, "" for missing.

    Raises
    ------
    DataError
        If the file is absent, is not netCDF, or has another schema version.
    """
    if not path.is_file():
        raise DataError(Fault("no such file", "a cohort", "run `atrobayes prep` first", str(path)))
    try:
        cohort = xr.load_dataset(path, engine="netcdf4", decode_times=False)
    except (OSError, ValueError) as error:
        raise DataError(Fault("a damaged file", "a cohort", "run `atrobayes prep` again", str(path))) from error
    version = cohort.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        todo = "run `atrobayes prep` again"
        raise DataError(Fault(f"schema version {version}", f"schema version {SCHEMA_VERSION}", todo, str(path)))
    return cohort


def _attrs(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _texts(values: Sequence[str] | pd.Series[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.str_)


_Variables = dict[str, tuple[Any, ...]]


def _record_variables(clinical: Clinical, scans: Sequence[Scan]) -> _Variables:
    visits = clinical.visits
    volumes = np.array([scan.volumes for scan in scans])
    variables = _columns("record", visits, VISIT_COLUMNS, clinical.visit_extras)
    patient = variables.pop("patient")
    return variables | {
        "record_patient": patient,
        "visit": ("record", visits["visit"].to_numpy(np.int64), _attrs("year", "Nominal visit")),
        "scan_status": ("record", _texts([scan.status for scan in scans]), _attrs("", "What became of the scan")),
        "freesurfer": ("record", _texts([scan.freesurfer for scan in scans]), _attrs("", "FreeSurfer version")),
        "platform": (
            "record",
            _texts([scan.run.platform if scan.run else "" for scan in scans]),
            _attrs("", "Build of FreeSurfer the scan was processed with"),
        ),
        "template": (
            "record",
            _texts([(scan.run.base or "") if scan.run else "" for scan in scans]),
            _attrs("", "Template (base) of a longitudinal run"),
        ),
        "volume": (("record", "structure"), volumes[..., 0], _attrs("mm^3", "Volume")),
        "left": (("record", "structure"), volumes[..., 1], _attrs("mm^3", "Left side")),
        "right": (("record", "structure"), volumes[..., 2], _attrs("mm^3", "Right side")),
        "etiv": (
            "record",
            np.array([scan.etiv for scan in scans]),
            _attrs("mm^3", "Estimated total intracranial volume"),
        ),
    }


def _patient_variables(clinical: Clinical) -> _Variables:
    variables = _columns("patient", clinical.patients, PATIENT_COLUMNS, clinical.patient_extras)
    del variables["patient"]
    return variables


def _columns(dim: str, frame: pd.DataFrame, known: Mapping[str, ClinicalColumn], extras: Sequence[str]) -> _Variables:
    variables: _Variables = {}
    for name, column in known.items():
        values = _texts(frame[name]) if column.missing == "" else frame[name].to_numpy(np.float64)
        variables[name] = (dim, values, _attrs(column.units, column.long_name))
    return variables | {name: (dim, _texts(frame[name]), _attrs("", name)) for name in extras}


def _assessment_variables(clinical: Clinical) -> _Variables:
    """EDSS of their own dates; nothing where the study has no such table."""
    table = clinical.assessments
    if table.empty:
        return {}
    return {
        "assessment_patient": ("assessment", _texts(table["patient"]), _attrs("", "Patient")),
        "assessment_date": ("assessment", _texts(table["date"]), _attrs("", "Date of the assessment")),
        "assessment_years": (
            "assessment",
            table["years"].to_numpy(np.float64),
            _attrs("year", "Time since visit 0"),
        ),
        "assessment_edss": ("assessment", table["edss"].to_numpy(np.float64), _attrs("1", "EDSS")),
    }


def _structure_variables(structures: Sequence[Structure]) -> _Variables:
    orientation = np.array([item.orientation for item in structures], dtype=np.int64)
    return {
        "label": ("structure", _texts([item.label for item in structures]), _attrs("", "Name for people")),
        "orientation": ("structure", orientation, _attrs("1", "1: shrinks with atrophy, -1: grows")),
        "contains": (
            "structure",
            _texts([",".join(item.contains) for item in structures]),
            _attrs("", "Structures that lie inside, comma-separated"),
        ),
        "redefined": (
            "structure",
            np.array([item.redefined for item in structures], dtype=np.bool_),
            _attrs("1", "Whether the study defines it otherwise than the catalogue"),
        ),
        "source": (
            "structure",
            _texts([item.formula for item in structures]),
            _attrs("", "What is added up; alternatives by version joined by |"),
        ),
    }


def _cohort_attrs(study: Study, clinical: Clinical, scans: Sequence[Scan]) -> dict[str, str]:
    files = {study.name_of(path): sha256(path) for path in clinical.files}
    read = dict(pair for scan in scans for pair in scan.files)
    files |= {name: sha256(path) for name, path in read.items()}
    columns = {"patients": clinical.patient_columns, "visits": clinical.visit_columns}
    return {
        "schema_version": SCHEMA_VERSION,
        "name": study.study.name,
        "stream": study.data.stream,
        "structures_version": CATALOGUE_VERSION,
        "groups": json.dumps(clinical.groups, ensure_ascii=False),
        "columns": json.dumps(columns),
        "files": json.dumps(files, ensure_ascii=False),
    }
