"""Every number of an analysis, in raw units, and what the columns mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from atrobayes.models.estimates import COLUMNS
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import (
    analysis_title,
    between,
    decimals,
    fixed,
    interval_header,
    level,
    listed,
    number,
    p_cell,
    probability,
    slug,
    structure_name,
    term_label,
)

_RAW = {"estimate": "Estimate", "median": "Median", "sd": "SD or SE"}
_RANGES = {"ci": "{kinds}", "hdi": "{level} highest-density (HDI)", "rope": "ROPE"}
_OTHER: dict[str, tuple[str, Callable[[float], str]]] = {
    "df": ("df", number), "statistic": ("Statistic", number), "p": ("p", p_cell), "q_bh": ("q (BH)", p_cell),
    "p_holm": ("p (Holm)", p_cell), "r2": ("R²", number), "std_difference": ("Standardised difference", number),
    "prob_superiority": ("P(superiority)", probability),
    "prob_superiority_within": ("P(superiority) within", probability), "n_both": ("Patients with both", number),
    "pd": ("pd", probability), "p_rope": ("P(in ROPE)", probability),
    "log_bf10": ("log BF₁₀", number), "type_s": ("Type S", probability), "type_m": ("Type M", number),
    "p_sig_rep": ("P(p < 0.05 again)", probability), "pull": ("Pull", number), "shrinkage": ("Shrinkage", number),
    "rhat": ("R-hat", number), "ess_bulk": ("ESS bulk", number), "ess_tail": ("ESS tail", number),
    "divergences": ("Divergences", number),
}  # fmt: skip
_EXPLAINED = ("log_bf10", "type_s", "type_m", "p_sig_rep", "pull", "shrinkage", "rhat", "ess_bulk", "ess_tail")


def all_numbers(results: Results, analysis: str) -> Table:
    """Tabulate every estimate of an analysis, folded.

    Parameters
    ----------
    results : Results
        Uses the estimates.
    analysis : str
        Id of the analysis.

    Returns
    -------
    Table
        One row per structure, term, method and engine; columns that are missing in every row are left out.
        Numbers in the unit of the row share their decimals.
    """
    rows = results.estimates[results.estimates["analysis"] == analysis]
    cells: dict[str, Any] = {
        "Structure": rows["structure"].map(structure_name),
        "Term": rows["term"].map(lambda term: term_label(term, results.groups)),
        "Method": rows["method"],
        "Engine": rows["engine"],
    }
    cells |= _in_raw_units(rows)
    cells |= {header: rows[name].map(say) for name, (header, say) in _OTHER.items()}
    cells["Flags"] = rows["flags"].str.replace("_", " ")
    frame = pd.DataFrame(cells)
    frame = frame.loc[:, [not set(frame[name]) <= {"n/a", ""} for name in frame]]
    units = listed(unit for unit in rows["unit"].unique() if unit)
    caption = f"All numbers: {analysis_title(analysis)}, in {units}"
    return Table(slug("numbers", analysis), frame, caption, "estimates.tsv", folded=True)


def glossary(results: Results) -> Table:
    """Say what the less common columns of `all_numbers` mean, in the words of estimates.tsv."""
    described = {column.name: column.description for column in COLUMNS}
    shown = [name for name in _EXPLAINED if results.estimates[name].notna().any()]
    frame = pd.DataFrame(
        {"Column": [_OTHER[name][0] for name in shown], "Meaning": [described[name] for name in shown]}
    )
    return Table("glossary", frame, "What the columns of these tables mean", "estimates.json", folded=True)


def _in_raw_units(rows: pd.DataFrame) -> dict[str, Any]:
    places = [_decimals(row) for row in each_row(rows)]
    kinds = listed(dict.fromkeys(interval_header(rows, method) for method in rows["method"].unique()))
    headers = {name: text.format(kinds=kinds, level=level(rows)) for name, text in _RANGES.items()}
    ranges = {
        header: list(map(_range, rows[f"{name}_low"], rows[f"{name}_high"], places)) for name, header in headers.items()
    }
    return {header: list(map(fixed, rows[name], places)) for name, header in _RAW.items()} | ranges


def _decimals(row: Any) -> int:
    return decimals(
        [(row.ci_high - row.ci_low) / 2], (row.ci_low, row.ci_high, row.hdi_low, row.hdi_high, row.rope_high)
    )


def _range(low: float, high: float, places: int) -> str:
    return f"±{fixed(high, places)}" if -low == high else between(low, high, places)
