"""The contrast as it is shown: numbers to the decimals they deserve, verdicts in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from atrobayes.reports.flags import marks
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.wording import (
    VERDICT_WORDS,
    analysis_title,
    between,
    decimals,
    fixed,
    interval_header,
    interval_name,
    p_cell,
    probability,
    structure_name,
    term_label,
    unit_parts,
)

_NAMES = {"analysis": "Analysis", "structure": "Structure", "term": "Term"}
_METHODS = ("classical", "bayes")
BESIDE = {
    "bayes_robust": "Student-t errors",
    "bayes_normal": "Normal errors",
    "bayes_structures": "Structures together",
}
_SHORT = {"bayes_robust": "t errors", "bayes_normal": "normal errors", "bayes_structures": "together"}


def contrast_rows(
    results: Results, rows: pd.DataFrame, naming: Sequence[str] = ("structure",), *, brief: bool = False
) -> pd.DataFrame:
    """Text cells of contrast rows.

    Parameters
    ----------
    results : Results
        For interval names, groups and flags.
    rows : DataFrame
        Rows of `contrast`.
    naming : sequence of str
        Which of analysis, structure, term name a row.
    brief : bool
        Leave out P(in ROPE) and all but pd of the other Bayesian methods.

    Returns
    -------
    DataFrame
        Estimates and interval ends of a row have the same decimals. What is changed (% of eTIV) stands in the
        headers; where rows differ in what it is per, that has a column of its own. Flagged numbers carry marks.
    """
    parts = [unit_parts(unit) for unit in rows["unit"]]
    changes, per = ({part[place] for part in parts} for place in (0, 1))
    unit = f", {parts[0][0]}" if len(changes) == 1 else ""
    numbers = {method: _numbers(rows, method) for method in _METHODS}
    columns: dict[str, Any] = {_NAMES[name]: rows[name].map(_namer(name, results)) for name in naming}
    if not unit:
        columns["Unit"] = rows["unit"]
    elif len(per) > 1:
        columns["Per"] = [part[1] for part in parts]
    columns |= {
        f"Classical{unit}": _joined(numbers["classical"][0], marks(results, rows, "classical")),
        interval_header(results.estimates, "classical"): numbers["classical"][1],
        **_p_columns(rows),
        f"Bayesian{unit}": _joined(numbers["bayes"][0], marks(results, rows, "bayes")),
        interval_header(results.estimates, "bayes"): numbers["bayes"][1],
        "pd": rows["bayes_pd"].map(probability),
        **({} if brief else {"P(in ROPE)": rows["bayes_p_rope"].map(probability)}),
        **_beside(results, rows, brief=brief),
        "Verdict": rows["verdict"].map(VERDICT_WORDS),
    }
    return pd.DataFrame(columns)


def _p_columns(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """P and q; where a fit is singular Kenward-Roger's p stands first, with Satterthwaite's and its q beside it."""
    p, q = rows["classical_p"].map(p_cell), rows["classical_q_bh"].map(p_cell)
    if not rows["classical_flags"].str.contains("singular").any():
        return {"p": p, "q": q}
    return {"p, KR": rows["classical_kr_p"].map(p_cell), "p, Satt.": p, "q": q}


def _beside(results: Results, rows: pd.DataFrame, *, brief: bool) -> dict[str, list[str]]:
    """Mean and pd (`brief`: pd) of the other Bayesian methods that answered any of these rows."""
    columns: dict[str, list[str]] = {}
    for method, words in BESIDE.items():
        if rows[f"{method}_estimate"].notna().any():
            means = [
                fixed(value, row_decimals(row))
                for value, row in zip(rows[f"{method}_estimate"], each_row(rows), strict=True)
            ]
            behind = marks(results, rows, method)
            if not brief:
                columns[words] = _joined(means, behind)
            columns[f"pd, {_SHORT[method]}"] = _joined(
                list(map(probability, rows[f"{method}_pd"])), behind if brief else [""] * len(rows)
            )
    return columns


def intervals_in_words(results: Results) -> str:
    """Say what kind of interval stands beside which estimate, for a caption."""
    classical, bayes = (interval_name(results.estimates, method) for method in _METHODS)
    return f"classical estimate with {classical}, posterior mean with {bayes}"


def row_decimals(row: Any) -> int:
    """Decimals that suit one row of `contrast`: those of the narrower of its two intervals."""
    ends = (row.classical_ci_low, row.classical_ci_high, row.bayes_ci_low, row.bayes_ci_high)
    return decimals([(ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2], ends)


def _numbers(rows: pd.DataFrame, method: str) -> tuple[list[str], list[str]]:
    places = [row_decimals(row) for row in each_row(rows)]
    estimate, low, high = (rows[f"{method}_{name}"] for name in ("estimate", "ci_low", "ci_high"))
    return list(map(fixed, estimate, places)), list(map(between, low, high, places))


def _joined(numbers: Sequence[str], behind: Sequence[str]) -> list[str]:
    return [number + mark for number, mark in zip(numbers, behind, strict=True)]


def _namer(name: str, results: Results) -> Callable[[str], str]:
    if name == "term":
        return lambda term: term_label(term, results.groups)
    return {"analysis": analysis_title, "structure": structure_name}[name]
