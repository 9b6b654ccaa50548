"""Who moves a result most, and how few take it away: rows of two looks, patients by number only."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from atrobayes.reports.flags import FLAG_MARKS, split_flags
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Table
from atrobayes.reports.trajectories import patient_numbers
from atrobayes.reports.wording import (
    MINUS,
    analysis_title,
    count,
    counted,
    decimals,
    fixed,
    probability,
    slug,
    structure_name,
    term_label,
)

_RESULT = ["structure", "term"]
_MARKED = {
    "prior_only": "without this patient a group has no rows, or none that differ in the predictor: what is left is the "
    "prior and the other group",
    "gate_failed": "without this patient the fit did not pass its checks; do not rely on this number",
}


def numbered(results: Results, influence: pd.DataFrame) -> pd.DataFrame:
    """Rows of influence.tsv without the patients' names.

    Parameters
    ----------
    results : Results
        Numbers the patients.
    influence : DataFrame
        Rows of one analysis.

    Returns
    -------
    DataFrame
        With `number` in the place of `patient`, and `most` and `lowest` (bool): whether a row is that of the patient
        who moves the result most, and of the one without whom the probability of its direction is lowest; the first
        of equals.
    """
    numbers = patient_numbers(results)
    rows = influence.assign(number=influence["patient"].map(numbers)).reset_index(drop=True)
    groups = rows.assign(size=rows["shift"].abs()).groupby(_RESULT, sort=False)
    most, lowest = groups["size"].idxmax(), groups["pd"].idxmin()
    return rows.drop(columns="patient").assign(most=rows.index.isin(most), lowest=rows.index.isin(lowest))


def influence_table(results: Results, analysis: str, rows: pd.DataFrame) -> Table:
    """Tabulate, for every result, the patient who moves it most and the one without whom its pd is lowest.

    Parameters
    ----------
    results : Results
    analysis : str
    rows : DataFrame
        As `numbered` gives them.
    """
    most, lowest = (rows[rows[name]].set_index(_RESULT) for name in ("most", "lowest"))
    lowest = lowest.loc[most.index]
    places = [decimals([(row.ci_high_all - row.ci_low_all) / 2]) for row in each_row(most)]
    units = most["unit"].unique()
    unit = f", {units[0]}" if len(units) == 1 else ""
    cells: dict[str, list[str]] = {
        "Structure": [structure_name(structure) for structure, _ in most.index],
        "Term": [term_label(term, results.groups) for _, term in most.index],
        **({} if unit else {"Unit": most["unit"].tolist()}),
        f"Everybody{unit}": list(map(fixed, most["estimate_all"], places)),
        "pd": list(map(probability, most["pd_all"])),
        "Moves it most: patient": [patient_cell(row) for row in each_row(most)],
        "Rows": list(map(count, most["n_obs"])),
        "Leverage": [fixed(value, 2) for value in most["leverage"]],
        "Estimate without": list(map(fixed, most["estimate"], places)),
        "Shift, SD": [f"{'+' if value > 0 else ''}{fixed(value, 2)}" for value in most["shift"]],
        "pd without": list(map(probability, most["pd"])),
        "Lowest pd without one": list(map(probability, lowest["pd"])),
        "… patient": [patient_cell(row) for row in each_row(lowest)],
    }
    seen = {flag for part in (most, lowest) for flags in part["flags"] for flag in split_flags(flags)}
    marked = "".join(f" {FLAG_MARKS[flag]} {words}." for flag, words in _MARKED.items() if flag in seen)
    details = (
        "normal errors throughout; pd: probability of the direction found with everybody. Shift: (without "
        f"{MINUS} with) / posterior SD with everybody. Leverage: largest hat value of the patient's rows, from 0 to 1."
        f"{marked}"
    )
    caption = f"{analysis_title(analysis)}: who moves each result most"
    return Table(slug("influence", analysis), pd.DataFrame(cells), caption, "influence.tsv", details, folded=True)


def sets_table(results: Results, analysis: str, sets: pd.DataFrame) -> Table:
    """Tabulate, for every result, how few patients turn its sign and take its pd below the limit.

    Parameters
    ----------
    results : Results
    analysis : str
    sets : DataFrame
        Rows of tipping_sets.tsv of one analysis.
    """
    sign, pd_rows = (sets[sets["kind"] == kind].set_index(_RESULT) for kind in ("sign", "pd"))
    pd_rows = pd_rows.loc[sign.index]
    limit = sets["pd_limit"].max()
    cells = {
        "Structure": [structure_name(structure) for structure, _ in sign.index],
        "Term": [term_label(term, results.groups) for _, term in sign.index],
        "pd": list(map(probability, sign["pd_before"])),
        f"pd below {limit:g} without": [set_cell(row, results) for row in each_row(pd_rows)],
        "… pd then": list(map(probability, pd_rows["pd_after"])),
        "Sign turns without": [set_cell(row, results) for row in each_row(sign)],
    }
    details = (
        "numbers of the patients in brackets, in the order they were left out; every set refitted exactly, normal "
        "errors. Sets of one and two are the fewest; larger ones were found greedily, so fewer may do."
    )
    caption = f"{analysis_title(analysis)}: how few patients take a result away"
    return Table(slug("tipping-sets", analysis), pd.DataFrame(cells), caption, "tipping_sets.tsv", details, folded=True)


def fragile_table(results: Results, analysis: str, sets: pd.DataFrame) -> tuple[Table, ...]:
    """Say in words what takes each result that is above the limit below it, the most fragile first; none, no table.

    Parameters
    ----------
    results : Results
    analysis : str
    sets : DataFrame
        Rows of tipping_sets.tsv of one analysis.
    """
    rows = sets[(sets["kind"] == "pd") & (sets["pd_before"] >= sets["pd_limit"])]
    if not len(rows):
        return ()
    rows = rows.sort_values("size", kind="stable", na_position="last")
    limit = rows["pd_limit"].iloc[0]
    cells = {
        "Structure": rows["structure"].map(structure_name),
        "Term": [term_label(term, results.groups) for term in rows["term"]],
        "pd with everybody": rows["pd_before"].map(probability),
        "What takes it below": [set_words(row) for row in each_row(rows)],
        "pd then": rows["pd_after"].map(probability),
        "Patients left out": [members(row, results) for row in each_row(rows)],
    }
    caption = f"{analysis_title(analysis)}: results with pd of at least {limit:g}, and how few patients they rest on"
    details = "normal errors; numbers of the patients as in patients.tsv, in the order they were left out."
    return (Table(slug("fragile", analysis), pd.DataFrame(cells), caption, "tipping_sets.tsv", details),)


def set_words(row: Any) -> str:
    """Say in words how few patients take a result below the limit of pd.

    Parameters
    ----------
    row : tuple
        Row of tipping_sets.tsv of kind "pd" and above the limit with everybody, columns as attributes.
    """
    whole = f"of {counted(row.n_patients, 'patient')}"
    if math.isnan(row.size):
        return f"no set of up to {count(row.most)} {whole} was found that takes pd below {row.pd_limit:g}"
    who = f"{count(row.size)} {whole}, left out, {'takes' if row.size == 1 else 'take'} pd below {row.pd_limit:g}"
    return f"{who}; found greedily, so fewer may do" if row.size > 2 else who


def set_cell(row: Any, results: Results) -> str:
    """Say the size and members of a tipping set: "3 of 46 (5, 12, 40)", or why there is none.

    Parameters
    ----------
    row : tuple
        Row of tipping_sets.tsv, columns as attributes.
    results : Results
    """
    if not math.isnan(row.size):
        return f"{count(row.size)} of {count(row.n_patients)} ({members(row, results)})"
    return "below with everybody" if row.pd_before < row.pd_limit else row.reason


def members(row: Any, results: Results) -> str:
    """Numbers of the patients of a tipping set, in the order they were left out, listed as in a sentence."""
    numbers = patient_numbers(results)
    if not row.patients:
        return "n/a"
    return ", ".join(count(numbers.get(who, math.nan)) for who in row.patients.split(","))


def patient_cell(row: Any) -> str:
    """Number of the patient of a row of `numbered`, with the marks of its flags behind."""
    return " ".join([count(row.number), *(FLAG_MARKS[flag] for flag in split_flags(row.flags))])
