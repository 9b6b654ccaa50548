"""Bad inputs: a good study, ways to spoil it, and tables of what each must come to."""

from __future__ import annotations

from . import clinical_files, clinical_rows, masks_and_bids, runs, stats, study_files, volume_tables

CASES = (
    *study_files.CASES,
    *clinical_files.CASES,
    *clinical_rows.CASES,
    *stats.CASES,
    *runs.CASES,
    *volume_tables.CASES,
    *masks_and_bids.CASES,
)
