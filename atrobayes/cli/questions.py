"""What a study asks: are its names known, and which rows do the data give to each analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atrobayes.errors import Fault, StudyError, attempt
from atrobayes.study import Study

if TYPE_CHECKING:
    import xarray as xr

    from atrobayes.models.analyses import Analysis
    from atrobayes.models.study_frames import Framed


def name_faults(study: Study) -> list[Fault]:
    """Find unknown analyses, engines and structures of priors; unknown structures to measure are found by `prepare`."""
    from atrobayes.data_prep.structures import resolve_structures
    from atrobayes.inference.engine import ENGINES
    from atrobayes.models.analyses import resolve_analyses

    faults: list[Fault] = []
    attempt(lambda: resolve_analyses(study), faults)
    known = attempt(lambda: [structure.id for structure in resolve_structures(study)], [])
    faults += [
        _unknown(study, f"priors.outcome_sd.{name}", name, known)
        for name in study.priors.outcome_sd
        if known is not None and name not in known
    ]
    engines = ["auto", *ENGINES]
    if study.inference.engine not in engines:
        faults.append(_unknown(study, "inference.engine", study.inference.engine, engines))
    return faults


def frame_analyses(study: Study, cohort: xr.Dataset) -> dict[Analysis, Framed]:
    """Frames of every analysis the study asks for, or why there are none.

    Raises
    ------
    StudyError
        With the faults of all analyses of the study's own.
    """
    from atrobayes.models.analyses import resolve_analyses
    from atrobayes.models.study_frames import build_frames

    faults: list[Fault] = []
    asked = resolve_analyses(study)
    framed = {one: attempt(lambda one=one: build_frames(study, one, cohort), faults) for one in asked}  # type: ignore[misc]
    if faults:
        raise StudyError(faults)
    return {analysis: found for analysis, found in framed.items() if found is not None}


def _unknown(study: Study, key: str, name: str, known: Sequence[str]) -> Fault:
    return Fault(repr(name), f"one of {', '.join(known)}", "mend the name", str(study.path), column=key)
