"""The contrast as it is shown: numbers with unit, intervals with level and kind, verdicts in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from atrobayes.reports.contrast import KEY, headline
from atrobayes.reports.results import Results
from atrobayes.reports.wording import (
    VERDICT_WORDS,
    analysis_title,
    between,
    interval_name,
    number,
    p_cell,
    probability,
    structure_name,
    term_words,
)

_NAMES = {"analysis": "Analysis", "structure": "Structure", "term": "Term"}
FLAG_MARKS = {
    "singular": "ˢ",
    "gate_failed": "†",
    "prior_only": "ᵖ",
    "not_estimable": "ⁿ",
    "few_patients": "ᶠ",
    "leverage": "ˡ",
}
FLAG_WORDS = {
    "singular": "singular classical fit (patient variance estimated as zero)",
    "gate_failed": "the fit did not pass its checks; do not rely on this number",
    "prior_only": "no information in the data; the row shows the prior",
    "not_estimable": "a group without spread in the predictor; no classical estimate",
    "few_patients": "few patients",
    "leverage": "a single patient carries much of the estimate",
}


def contrast_rows(results: Results, rows: pd.DataFrame, naming: Sequence[str] = ("structure",)) -> pd.DataFrame:
    """Text cells of contrast rows.

    Parameters
    ----------
    results : Results
        For interval names, groups and flags.
    rows : DataFrame
        Rows of `contrast`.
    naming : sequence of str
        Which of analysis, structure, term name a row.

    Returns
    -------
    DataFrame
        The unit stands in the headers where all rows share it, else in a column of its own.
        Flagged numbers carry the marks of `FLAG_MARKS`.
    """
    units = list(rows["unit"].unique())
    unit = f", {units[0]}" if len(units) == 1 else ""
    marks = {method: _marks(results, rows, method) for method in ("classical", "bayes")}
    columns: dict[str, Any] = {_NAMES[name]: rows[name].map(_namer(name, results)) for name in naming}
    if not unit:
        columns["Unit"] = rows["unit"]
    columns |= {
        f"Classical estimate{unit}": rows["classical_estimate"].map(number) + marks["classical"],
        f"Classical {interval_name(results.estimates, 'classical')}": _between(rows, "classical"),
        "p": rows["classical_p"].map(p_cell),
        "q": rows["classical_q_bh"].map(p_cell),
        f"Posterior mean{unit}": rows["bayes_estimate"].map(number) + marks["bayes"],
        f"Bayesian {interval_name(results.estimates, 'bayes')}": _between(rows, "bayes"),
        "pd": rows["bayes_pd"].map(probability),
        "P(in ROPE)": rows["bayes_p_rope"].map(probability),
        "Verdict": rows["verdict"].map(VERDICT_WORDS),
    }
    return pd.DataFrame(columns)


def flags_in_words(results: Results) -> str:
    """Explain the marks that occur in this folder; "" where there are none."""
    present = {flag for flags in results.estimates["flags"].unique() for flag in split_flags(flags)}
    return "; ".join(f"{mark} {FLAG_WORDS[flag]}" for flag, mark in FLAG_MARKS.items() if flag in present)


def split_flags(flags: str) -> list[str]:
    """Split the flags of one row."""
    return [flag.strip() for flag in flags.split(",") if flag.strip()]


def _namer(name: str, results: Results) -> Callable[[str], str]:
    if name == "term":
        return lambda term: term_words(term, results.groups)
    return {"analysis": analysis_title, "structure": structure_name}[name]


def _between(rows: pd.DataFrame, method: str) -> list[str]:
    return [between(low, high) for low, high in zip(rows[f"{method}_ci_low"], rows[f"{method}_ci_high"], strict=True)]


def _marks(results: Results, rows: pd.DataFrame, method: str) -> list[str]:
    flags = headline(results.estimates, method).set_index(list(KEY))["flags"].to_dict()
    keys = rows[list(KEY)].itertuples(index=False, name=None)
    return ["".join(FLAG_MARKS.get(flag, "") for flag in split_flags(flags.get(key, ""))) for key in keys]
