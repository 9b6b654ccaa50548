"""A cohort small enough to work out by hand: eight patients, three visits a year apart, two structures."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

PATIENTS = ("A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4")
VISITS = 3
YEARS = (0.0, 1.25, 2.0)
# new T2 lesions of each patient at visits 0, 1, 2
LESIONS = ((4, 0, 1), (7, 25, 0), (2, 1, 1), (0, 3, 2), (1, 2, 0), (30, 0, 0), (5, 1, 4), (3, 0, 6))
RELAPSES = ((0, 0, 1), (0, 1, 0), (0, 0, 0), (0, 0, 0), (0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 0, 0))
STRUCTURES = ("thalamus", "lateral_ventricle")


def hand_cohort(**changed: object) -> xr.Dataset:
    """The cohort; keywords are other values of its variables."""
    rng = np.random.default_rng(5)
    size = len(PATIENTS)
    etiv = np.repeat(1.4e6 + 2e4 * np.arange(size), VISITS)
    years = np.tile(YEARS, size)
    start = np.repeat(rng.normal(14_000, 800, (size, 2)), VISITS, axis=0)
    volume = start - 60 * years[:, None] + rng.normal(0, 40, (size * VISITS, 2))
    records = {
        "record_patient": np.repeat(PATIENTS, VISITS),
        "visit": np.tile(np.arange(VISITS), size),
        "date": np.full(size * VISITS, ""),
        "years": years,
        "scan_status": np.full(size * VISITS, "usable"),
        "new_t2": np.array(LESIONS, dtype=float).ravel(),
        "new_gd": np.array(LESIONS, dtype=float).ravel() // 2,
        "relapses": np.array(RELAPSES, dtype=float).ravel(),
        "edss": np.full(size * VISITS, 2.0),
        "etiv": etiv,
    }
    people = {
        "group": np.repeat(["CLAD", "ALEM"], 4),
        "sex": np.array(["F", "M", "F", "F", "M", "F", "F", "M"]),
        "age": np.array([31.0, 44.0, 28.0, 52.0, 39.0, 25.0, 47.0, 36.0]),
        "disease_duration": np.array([3.0, 9.0, 1.0, 12.0, 6.0, 2.0, 10.0, 4.0]),
    }
    structures = {"orientation": np.array([1, -1]), "redefined": np.array([False, False])}
    variables = {name: ("record", values) for name, values in records.items()}
    variables |= {name: ("patient", values) for name, values in people.items()}
    variables |= {name: ("structure", values) for name, values in structures.items()}
    whole = {"volume": (("record", "structure"), volume), **variables}
    whole |= {name: (whole[name][0], values) for name, values in changed.items()}
    coords = {"structure": list(STRUCTURES), "patient": list(PATIENTS)}
    return xr.Dataset(whole, coords=coords, attrs={"groups": json.dumps(["CLAD", "ALEM"])})


def counts(visit_from: int | None = None, end: bool = True) -> np.ndarray:
    """New T2 lesions of the patient-years, by patient and year; of one year where it is told."""
    whole = np.array(LESIONS, dtype=float)
    years = whole[:, 1:] if end else whole[:, :-1]
    return years.ravel() if visit_from is None else years[:, visit_from]


def change_mm3(cohort: xr.Dataset) -> np.ndarray:
    """(patient-year, structure)."""
    volume = cohort["volume"].to_numpy().reshape(len(PATIENTS), VISITS, 2)
    return (volume[:, 1:] - volume[:, :-1]).reshape(-1, 2)
