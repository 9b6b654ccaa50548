"""Which intervals each analysis rests on, of those with usable scans: what the flow of a study counts."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from atrobayes.data_prep.flow import Analysed
from atrobayes.data_prep.ledger import nominal_years
from atrobayes.models.analyses import Analysis
from atrobayes.models.frame import Frame
from atrobayes.models.study_frames import Framed


def analysed_rows(cohort: xr.Dataset, framed: Mapping[Analysis, Framed]) -> tuple[Analysed, ...]:
    """Rows of every analysis of intervals, before and after what it leaves out.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    framed : mapping of Analysis to Framed
        As `build_frames` gives them.

    Returns
    -------
    tuple of Analysed
        Analyses of clinical variables have no intervals, and are not among them.
    """
    return tuple(
        Analysed(analysis.id, _before(cohort, analysis), frozenset(row for frame in one.frames for row in _rows(frame)))
        for analysis, one in framed.items()
        if analysis.kind not in {"groups", "course"}
    )


def _before(cohort: xr.Dataset, analysis: Analysis) -> tuple[tuple[str, int], ...]:
    owner, visit, status = (cohort[name].to_numpy().tolist() for name in ("record_patient", "visit", "scan_status"))
    usable = {(who, at) for who, at, state in zip(owner, visit, status, strict=True) if state == "usable"}
    if analysis.visit_to is None:
        pairs = [(who, year, year + 1) for who, year in nominal_years(cohort)]
    else:
        pairs = [(who, analysis.visit_from, analysis.visit_to) for who in cohort["patient"].to_numpy().tolist()]
    return tuple((who, last) for who, first, last in pairs if {(who, first), (who, last)} <= usable)


def _rows(frame: Frame) -> list[tuple[str, int]]:
    return [(frame.patients[code], int(visit)) for code, visit in zip(frame.patient, frame.visits[:, 1], strict=True)]
