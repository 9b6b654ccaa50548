"""Verdicts: which clear results stand whatever is chosen, whoever is left out and whatever is believed before."""

from __future__ import annotations

from typing import Any

import pandas as pd

from atrobayes.reports.contrast import P_CUT
from atrobayes.reports.fork_words import share_cell
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section, Table
from atrobayes.reports.trajectories import patient_numbers
from atrobayes.reports.wording import (
    MINUS,
    analysis_title,
    counted,
    listed,
    p_cell,
    probability,
    structure_name,
    term_label,
)

_TITLE = "How robust each answer is"
_SAID = {
    "robust": "robust",
    "not_robust": "clear, but not robust",
    "not_clear": "not clear to begin with",
    "not_assessed": "not assessed",
}
_CLASSES = {"robust": "both_clear", "not_robust": "classical_only"}


def make(results: Results) -> Section:
    """Say the verdict of every headline result in plain words, the clear ones first, with the rule."""
    table = results.look("verdicts")
    if table is None or not len(table):
        told = "No verdicts were asked for; `atrobayes sensitivity STUDY.toml` gives them."
        return Section("robustness", _TITLE, "not_applicable", (told,))
    first = table.iloc[0]
    headline = (table["pd"] > first["fork_pd"]) | (table["p"] < P_CUT)
    paragraphs = (_rule(first), _counts(table), _named(table, results), _limits())
    cuts = f"pd > {first['fork_pd']:g} or classical p < {P_CUT}"
    tables = [
        *_said(results, table[headline], f"Verdicts on the results with {cuts}."),
        *_numbers(results, table[headline], "verdict-numbers", f"Numbers behind the verdicts, results with {cuts}."),
        *_numbers(results, table[~headline], "verdict-numbers-others", "Numbers behind the verdicts, other results."),
    ]
    return Section("robustness", _TITLE, "ok", tuple(filter(None, paragraphs)), tuple(tables))


def _rule(first: pd.Series) -> str:
    return (
        f"A clear result (pd > {first['fork_pd']:g}) is called robust if it has the same sign in at least "
        f"{share_cell(first['least_share_sign'])} of the forks, pd > {first['fork_pd']:g} with that sign in at least "
        f"{share_cell(first['least_share_pd'])} of them, and no single patient left out and no prior of the ladder "
        f"takes its pd below {first['least_pd']:g}. This is a convention, set in the study file under [sensitivity] "
        "robust. What is not clear to begin with has nothing that could be robust."
    )


def _counts(table: pd.DataFrame) -> str:
    tally = table["verdict"].value_counts()
    parts = [f"{tally[verdict]} {words}" for verdict, words in _SAID.items() if verdict in tally]
    fragile = table[table["verdict"] == "not_robust"]
    first = f"Of {counted(len(table), 'result')}: {listed(parts)}."
    if not len(fragile):
        return first
    failed = {
        "forks disagree on the sign": fragile["share_sign"] < fragile["least_share_sign"],
        "too few forks are clear": fragile["share_pd"] < fragile["least_share_pd"],
        "it hangs on one patient": fragile["pd_without_patient"] < fragile["least_pd"],
        "it hangs on the prior": fragile["pd_weakest_prior"] < fragile["least_pd"],
    }
    why = listed(f"{words} ({int(rows.sum())})" for words, rows in failed.items() if rows.any())
    return f"{first} Why not robust, several reasons being possible for one result: {why}."


def _named(table: pd.DataFrame, results: Results) -> str:
    robust = table[table["verdict"] == "robust"]
    names = [
        f"{structure_name(row.structure)}, {term_label(row.term, results.groups)} ({analysis_title(row.analysis)}; "
        f"{_sign(row)})"
        for row in each_row(robust)
    ]
    return f"Robust, with the sign of the association: {'; '.join(names)}." if names else ""


def _limits() -> str:
    return (
        "Robust does not mean true: a choice nobody listed, a bias common to all forks, or chance in these patients "
        "is not ruled out, and every result remains an association. Not robust does not mean absent: it says on what "
        "the answer hangs. Patients and priors are looked at with normal errors, for comparisons too, whose headline "
        "has Student-t errors. Patients are numbered as they stand in patients.tsv."
    )


def _said(results: Results, rows: pd.DataFrame, caption: str) -> list[Table]:
    if not len(rows):
        return []
    numbers = patient_numbers(results)
    cells = [
        _names(row, results.groups) | {"Verdict": _SAID[row.verdict], "In words": words(row, numbers)}
        for row in each_row(rows)
    ]
    classes = tuple(_CLASSES.get(verdict, "") for verdict in rows["verdict"])
    return [Table("verdicts", pd.DataFrame(cells), caption, "verdicts.tsv", "", classes)]


def _numbers(results: Results, rows: pd.DataFrame, name: str, caption: str) -> list[Table]:
    if not len(rows):
        return []
    numbers = patient_numbers(results)
    cells = pd.DataFrame([_cells(row, results.groups, numbers) for row in each_row(rows)])
    details = (
        "Forks: those that answer. Same sign, clear: shares of these with the sign of the result, and with that sign "
        f"and a pd above the cut-off; p < {P_CUT}: share of the classical forks, beside the rule. Weakest patient, "
        "weakest prior: whose leaving out, or which SD of the slope prior (standardised), makes pd smallest."
    )
    return [Table(name, cells, caption, "verdicts.tsv", details, folded=True)]


def _names(row: Any, groups: tuple[str, ...]) -> dict[str, str]:
    result = f"{structure_name(row.structure)}, {term_label(row.term, groups)}"
    return {"Result": result, "Analysis": analysis_title(row.analysis)}


def _cells(row: Any, groups: tuple[str, ...], numbers: dict[str, int]) -> dict[str, str]:
    patient = numbers.get(row.weakest_patient)
    prior = f"SD {row.weakest_prior}: pd {probability(row.pd_weakest_prior)}" if row.weakest_prior else "n/a"
    return _names(row, groups) | {
        "Sign": _sign(row),
        "pd": probability(row.pd),
        "Classical p": p_cell(row.p),
        "Verdict": _SAID[row.verdict],
        "Forks": "n/a" if pd.isna(row.n_forks) else f"{row.n_forks:.0f}",
        "Same sign": share_cell(row.share_sign),
        "Clear": share_cell(row.share_pd),
        f"p < {P_CUT}": share_cell(row.share_p),
        "Weakest patient": "n/a" if patient is None else f"no. {patient}: pd {probability(row.pd_without_patient)}",
        "Weakest prior": prior,
    }


def _sign(row: Any) -> str:
    return "n/a" if pd.isna(row.sign) else MINUS if row.sign < 0 else "+"


def words(row: Any, numbers: dict[str, int]) -> str:
    """Say a verdict in a sentence that can be read alone.

    Parameters
    ----------
    row : Any
        Row of verdicts.tsv with its columns as attributes.
    numbers : dict of str to int
        Numbers of the patients, as `patient_numbers`.
    """
    if row.verdict == "robust":
        return (
            f"It keeps its sign in {share_cell(row.share_sign)} of {row.n_forks:.0f} forks and is clear in "
            f"{share_cell(row.share_pd)}; no patient left out and no prior tried takes its pd below {row.least_pd:g}."
        )
    if row.verdict == "not_clear":
        beside = f", though p is below {P_CUT}" if row.p < P_CUT else ""
        return f"Its pd is not above {row.fork_pd:g} with the study's own choices{beside}: nothing to be robust about."
    patient = numbers.get(row.weakest_patient)
    reasons = row.reasons.replace(
        "without one patient", "without one patient" if patient is None else f"without patient no. {patient}"
    )
    lead = "With the study's own choices it is clear, but " if row.verdict == "not_robust" else "No verdict: "
    return f"{lead}{reasons}."
