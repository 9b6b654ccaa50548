"""Frames of the built-in example and of changes to it, for tests of how analyses become frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from atrobayes.models.analyses import CATALOGUE, resolve_analyses
from atrobayes.models.frame import Frame
from atrobayes.models.study_frames import Framed, build_frames
from atrobayes.study import Study

T2 = "year_to_year_t2"
OWN = {"id": "mine", "kind": "mixed", "predictor": "age"}


def study(**tables: object) -> Study:
    return Study(path=Path("study.toml"), data={"subjects_dir": "subjects"}, **tables)


def framed(cohort: xr.Dataset, name: str, **tables: object) -> Framed:
    return build_frames(study(**tables), CATALOGUE[name], cohort)


def own(cohort: xr.Dataset, **changed: object) -> Framed:
    """Frames of an analysis of the study's own."""
    asked = study(analyses={"use": ["mine"], "own": [OWN | changed]})
    (analysis,) = resolve_analyses(asked)
    return build_frames(asked, analysis, cohort)


def only(result: Framed) -> Frame:
    (frame,) = result.frames
    return frame


def with_counts(cohort: xr.Dataset, name: str, values: object, where: np.ndarray | None = None) -> xr.Dataset:
    """The cohort with other values in one column of the record."""
    held = np.ones(cohort.sizes["record"], dtype=bool) if where is None else where
    return cohort.assign({name: ("record", np.where(held, values, cohort[name].to_numpy()))})


def at(cohort: xr.Dataset, patient: str, visit: int) -> np.ndarray:
    return ((cohort["record_patient"] == patient) & (cohort["visit"] == visit)).to_numpy()
