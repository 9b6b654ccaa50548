"""Sentences that several kinds of analyses share."""

from __future__ import annotations

import pandas as pd

from atrobayes.models.estimates import METHODS
from atrobayes.reports.cohort_flow import sizes
from atrobayes.reports.contrast import headline
from atrobayes.reports.contrast_table import BESIDE, contrast_rows, intervals_in_words
from atrobayes.reports.kinds import rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Table
from atrobayes.reports.verdict_words import verdicts_in_words
from atrobayes.reports.wording import analysis_question, analysis_title, listed, slug

_CALM = ("neither", "not_tested")


def opening(results: Results, analysis: str, noun: str) -> tuple[str, ...]:
    """Question, rows by group, and, where there is none, why there is no Bayesian headline.

    Parameters
    ----------
    results : Results
    analysis : str
    noun : str
        What a row is, in the plural, such as "patient-years".
    """
    return (analysis_question(analysis), _rows(results, analysis, noun), *no_headline(results, analysis))


def no_headline(results: Results, analysis: str) -> tuple[str, ...]:
    """Say that the headline posterior is not there; empty where it is."""
    methods = set(rows_of(results, analysis)["method"])
    if "bayes" in methods:
        return ()
    beside = [words for name, words in BESIDE.items() if name in methods]
    instead = f" What it can fit stands beside: {listed(beside).lower()}." if beside else ""
    return (
        "The Bayesian headline of this analysis was not computed: the engine asked for does not fit that model (run "
        f"with engine auto to have it), so classical and Bayesian are not compared here.{instead}",
    )


def both_answers(results: Results, rows: pd.DataFrame, analysis: str, naming: tuple[str, ...]) -> tuple[Table, ...]:
    """Tabulate both answers: the rows that either calls clear, and every row folded.

    Parameters
    ----------
    results : Results
    rows : DataFrame
        Rows of `contrast` of the analysis.
    analysis : str
    naming : tuple of str
        Which of structure and term name a row.
    """
    details = f"in {listed(rows['unit'].unique())}: {intervals_in_words(results)}."
    told = rows[~rows["verdict"].isin(_CALM)]
    title = analysis_title(analysis)
    tables = [
        _table(results, part, naming, f"{title}: {what}", details, slug(stem, analysis), folded=folded)
        for part, what, stem, folded in (
            (told, "rows that p or pd calls clear,", "contrast", False),
            (rows, "every row, classical and Bayesian side by side", "contrast-all", True),
        )
        if len(part)
    ]
    return tuple(tables)


def verdicts(rows: pd.DataFrame) -> tuple[str, ...]:
    """Count the verdicts of rows of `contrast`; empty where nothing was compared."""
    return (verdicts_in_words(rows),) if (rows["verdict"] != "not_tested").any() else ()


def method_words(method: str) -> str:
    """What a method of estimates.tsv is."""
    return METHODS.get(method, method)


def _table(
    results: Results,
    rows: pd.DataFrame,
    naming: tuple[str, ...],
    caption: str,
    details: str,
    name: str,
    *,
    folded: bool,
) -> Table:
    shown = contrast_rows(results, rows, naming, brief=not folded)
    return Table(name, shown, caption, "contrast.tsv", details, tuple(rows["verdict"]), folded)


def _rows(results: Results, analysis: str, noun: str) -> str:
    rows = headline(rows_of(results, analysis), "classical")
    counts, patients = (sizes(rows, results.groups, column) for column in ("n_obs", "n_patients"))
    groups = [f"{group} {counts[group]} of {patients[group]}" for group in results.groups if counts[group] != "n/a"]
    split = f" ({'; '.join(groups)})" if groups else ""
    same = counts == patients
    if same:
        own = [f"{group} {counts[group]}" for group in results.groups if counts[group] != "n/a"]
        return f"Rows: {counts['all']} patients, one row each{f' ({listed(own)})' if own else ''}."
    return f"Rows: {counts['all']} {noun} of {patients['all']} patients{split}."
