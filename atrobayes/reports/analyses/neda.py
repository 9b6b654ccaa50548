"""Patient-years with NEDA by group and year, and how far what is unknown could move their share."""

from __future__ import annotations

import math

import pandas as pd

from atrobayes.models.neda_bounds import EVERYBODY, neda_bounds
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import count, counted

_NAMES = {"neda3": "NEDA-3", "neda4": "NEDA-4"}


def neda_words(results: Results) -> tuple[str, ...]:
    """Say how NEDA is read, and how many EDSS rises nobody could confirm; nothing where nothing is known of it."""
    bounds = neda_bounds(results.intervals, results.groups)
    if not bounds["variable"].isin(_NAMES).any():
        return ()
    everybody = bounds[(bounds["variable"] == "edss_progression") & (bounds["group"] == EVERYBODY)]
    rises, progressions = everybody["n_unconfirmed"].sum(), everybody["n_yes"].sum()
    return (
        "NEDA-3: no relapse, no new gadolinium-enhancing or T2 lesion and no EDSS progression in the year. A year in "
        "which none of these was found, but something is unknown, is undetermined: the worst case counts all such "
        "years as years with activity, the best case none. NEDA-4 adds a whole-brain loss of at most 0.4% in a year; "
        "that limit was set with another method than FreeSurfer's.",
        f"EDSS: {counted(progressions, 'year')} with a confirmed progression, {counted(rises, 'year')} with a rise "
        "that no assessment is late enough to confirm, as is every rise at a patient's last assessment; NEDA counts "
        "such rises as the study file says.",
    )


def neda_tables(results: Results) -> tuple[Table, ...]:
    """Shares of patient-years with NEDA among those determined, and their bounds; none where nothing is known."""
    bounds = neda_bounds(results.intervals, results.groups)
    shown = bounds[bounds["variable"].isin(_NAMES) & (bounds["n"] > 0)]
    if len(results.groups) > 1:
        shown = shown[shown["group"] != EVERYBODY]
    if not len(shown):
        return ()
    rows = [
        {
            "Measure": _NAMES[row.variable],
            "Year": f"{row.visit - 1} to {row.visit}",
            "Group": "all patients" if row.group == EVERYBODY else row.group,
            "Patient-years": count(row.n),
            "With NEDA": count(row.n_yes),
            "Without": count(row.n_no),
            "Undetermined": count(row.n_undetermined),
            "With NEDA, % of determined": _percent(row.share_yes),
            "Worst to best case, %": f"{_percent(row.share_worst)} to {_percent(row.share_best)}",
        }
        for row in each_row(shown)
    ]
    return (Table("neda-bounds", pd.DataFrame(rows), "Patient-years with and without NEDA.", "clinical.tsv"),)


def _percent(share: float) -> str:
    return "n/a" if math.isnan(share) else f"{100 * share:.0f}"
