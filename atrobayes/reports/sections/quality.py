"""What is kept but worth a look: flags by rule, and every patient's volumes over time."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from atrobayes.data_prep.quality_flags import RULES
from atrobayes.reports.figures.quality import trajectories_svg
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Status, Table
from atrobayes.reports.trajectories import patient_numbers, trajectories
from atrobayes.reports.wording import counted, number, structure_name

_CONFOUNDED = {"versions_between_groups": "versions of FreeSurfer", "platforms_between_groups": "platforms"}
_OF_THE_STUDY = frozenset({*_CONFOUNDED, "steroid_unknown"})


def make(results: Results) -> Section:
    """Flags by rule, all of them folded, and a card for each patient."""
    flags = results.quality
    confounded = flags["rule"].isin(_CONFOUNDED).any()
    paragraphs = (_counted(flags), *_confounding(flags), *_within(flags), *_chance(flags))
    tables = (_by_rule(flags), _every(results)) if len(flags) else ()
    status: Status = "warning" if confounded else "ok"
    return Section("quality", "Quality of the scans over time", status, paragraphs, tables, _figure(results))


def _counted(flags: pd.DataFrame) -> str:
    kept = "Flags say where to look; nothing is left out because of one."
    if not len(flags):
        return f"{kept} No rule flagged anything, or the data it needs are not there. All rules stand in quality.json."
    patients = flags.loc[flags["patient"] != "", "patient"].nunique()
    rules = flags["rule"].nunique()
    return (
        f"{kept} {counted(len(flags), 'flag')} by {counted(rules, 'rule')} of {len(RULES)}, in "
        f"{counted(patients, 'patient')}. The other rules found nothing, or lack the data they need; all stand in "
        "quality.json."
    )


def _confounding(flags: pd.DataFrame) -> list[str]:
    """Say what may pass for a difference between groups; the reason names versions and groups, no patient."""
    return [
        f"The groups' scans were processed with different mixes of {_CONFOUNDED[row.rule]} "
        f"({row.reason.removesuffix('; kept')}). A difference between the groups may be one between these: process "
        "all scans alike before reading it."
        for row in each_row(flags[flags["rule"].isin(_CONFOUNDED)])
    ]


def _within(flags: pd.DataFrame) -> list[str]:
    mixed = flags.loc[flags["rule"].isin(["freesurfer_versions", "platforms"]), "patient"].nunique()
    return [
        f"{counted(mixed, 'patient has', 'patients have')} scans processed with different versions or platforms: "
        "part of these changes may be the program's."
    ] * bool(mixed)


def _chance(flags: pd.DataFrame) -> list[str]:
    scores = flags[flags["unit"] == "robust z"]
    if not len(scores):
        return []
    return [
        "A robust z is the distance from the cohort's median in 1.4826 median absolute deviations, so that what is "
        f"odd does not hide itself. Of normal values one in 2,000 lies beyond 3.5; {len(scores)} here "
        f"{'lies' if len(scores) == 1 else 'lie'} beyond the limit."
    ]


def _by_rule(flags: pd.DataFrame) -> Table:
    rows = [
        {
            "What was found": _sentence(rule.words),
            "Flags": str(len(own)),
            "Patients": "all" if name in _OF_THE_STUDY else str(own.loc[own["patient"] != "", "patient"].nunique()),
            "What to do": _sentence(rule.look),
        }
        for name, rule in RULES.items()
        if len(own := flags[flags["rule"] == name])
    ]
    return Table("quality-rules", pd.DataFrame(rows), "Flags by rule", "quality.tsv")


def _every(results: Results) -> Table:
    numbers = patient_numbers(results)
    rows = [
        {
            "Patient": _owner(row, numbers),
            "Visit": _visits(row),
            "Structure": structure_name(row.structure) if row.structure else "",
            "What was found": _sentence(RULES[row.rule].words if row.rule in RULES else row.rule.replace("_", " ")),
            "Value": _measured(row.value, row.unit),
            "Limit": _measured(row.limit, row.unit),
        }
        for row in each_row(results.quality)
    ]
    details = "Patients by their place in patients.tsv, since no patient is named here; reasons stand in the file."
    return Table("quality-flags", pd.DataFrame(rows), "All flags", "quality.tsv", details, folded=True)


def _owner(row: Any, numbers: dict[str, int]) -> str:
    if row.rule in _OF_THE_STUDY:
        return "all"
    return str(numbers[row.patient]) if row.patient in numbers else "none in the visit table"


def _visits(row: Any) -> str:
    visit, start = row.visit, row.visit_from
    if math.isnan(visit):
        return ""
    return f"{visit:g}" if math.isnan(start) else f"{start:g} to {visit:g}"


def _measured(value: float, unit: str) -> str:
    return "" if math.isnan(value) else f"{number(value)} {unit}".strip()


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _figure(results: Results) -> tuple[Figure, ...]:
    rows = trajectories(results)
    if not len(rows):
        return ()
    names = {name: structure_name(str(name)) for name in rows["structure"].unique()}
    patients, flagged = rows["number"].nunique(), rows.loc[rows["flagged"], "number"].nunique()
    alt = (
        f"Volumes of {counted(patients, 'patient')} over their usable scans, in percent of the first; "
        f"{flagged} with a flagged scan here."
    )
    rest = len(results.cohort["patient"]) - patients
    caption = (
        "One card a patient, numbered as in patients.tsv (no patient is named here): volume in percent of the first "
        "usable scan, against years since that scan; all cards have the same scales, whose half-width the key says, "
        f"and are {number(float(rows['years'].max()), 2)} years wide. Grey lines: 100 %. Triangles: beyond the lane's "
        "edge. Orange points: a flag of this structure, or of the whole scan, at this visit; of a change, at the visit "
        "that closes it. Orange numbers: patients with any flag, also one of a structure that is not drawn here."
    )
    if rest:
        fewer = counted(rest, "patient has", "patients have")
        caption += f" {fewer} fewer than two usable scans and no card."
    return (Figure("trajectories", trajectories_svg("trajectories", rows, names, alt), alt, caption),)
