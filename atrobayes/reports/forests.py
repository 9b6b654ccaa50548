"""Forest plots of an analysis: every structure's classical and Bayesian interval on one scale."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT, headline
from atrobayes.reports.figures.forest import ForestWords, forest_svg
from atrobayes.reports.flags import split_flags
from atrobayes.reports.kinds import contrast_of, kind_of, rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure
from atrobayes.reports.wording import (
    MINUS,
    VERDICT_WORDS,
    analysis_title,
    interval_name,
    listed,
    number,
    slug,
    structure_name,
    term_label,
)

_UNRELIABLE = {"gate_failed", "prior_only"}
_ENDS = ["estimate", "ci_low", "ci_high", "rope_low", "rope_high"]
_MARKED = ("classical_only", "bayes_only", "opposite_sign")
_LEGEND = {
    "classical": "classical",
    "bayes": "Bayesian",
    "bayes_structures": "Bayesian, structures shrunk together",
    "bayes_normal": "Bayesian, normal errors",
}


def standardised(estimates: pd.DataFrame) -> pd.DataFrame:
    """Rows with estimate, interval and ROPE in SD of the outcome per u lesions.

    Parameters
    ----------
    estimates : DataFrame
        As `Results.estimates`, of one analysis or several; u and s_y may stand in the classical or the Bayesian row.

    Returns
    -------
    DataFrame
        Rows of the classical and the Bayesian headline and of the structures shrunk together; where an analysis has
        no Bayesian headline, the one with normal errors. Each number times u / s_y of its analysis and structure (u is
        1 where there is no predictor); NaN where s_y is unknown.
    """
    rows = pd.concat([headline(estimates, method) for method in _LEGEND], ignore_index=True)
    answered = set(rows.loc[rows["method"] == "bayes", "analysis"])
    rows = rows[(rows["method"] != "bayes_normal") | ~rows["analysis"].isin(answered)]
    scales = rows.groupby(["analysis", "structure"], sort=False)[["u", "s_y"]].transform("max")
    factor = scales["u"].fillna(1.0) / scales["s_y"]
    return rows.assign(u=scales["u"], **{name: rows[name] * factor for name in _ENDS})


def forest(results: Results, analysis: str) -> Figure:
    """Draw the forest plot of an analysis, a panel per term."""
    estimates = rows_of(results, analysis)
    verdicts = contrast_of(results, analysis)[["structure", "term", "verdict"]]
    rows = standardised(estimates).merge(verdicts, on=["structure", "term"], validate="many_to_one")
    rows["clear"] = (rows["p"] < P_CUT) | (rows["pd"] > PD_CUT)
    rows["flagged"] = [bool(_UNRELIABLE & set(split_flags(flags))) for flags in rows["flags"]]
    words = _words(results, analysis, rows)
    broken = " Broken line: do not rely on it, see Diagnostics." if rows["flagged"].any() else ""
    name = slug("forest", analysis)
    caption = (
        f"{analysis_title(analysis)}. Horizontal axis: {words.axis}. Filled marker: clear (classical p < {P_CUT}; "
        f"Bayesian pd > {PD_CUT}).{broken}"
    )
    return Figure(name, forest_svg(name, rows, words), words.alt, caption)


def _words(results: Results, analysis: str, rows: pd.DataFrame) -> ForestWords:
    panels = {term: term_label(term, results.groups) for term in rows["term"].unique()}
    structures = {structure: structure_name(structure) for structure in rows["structure"].unique()}
    series = {
        method: f"{name}: {interval_name(rows, method)}"
        for method, name in _LEGEND.items()
        if (rows["method"] == method).any()
    }
    clear = rows[rows["clear"]].groupby("method")["structure"].size()
    counts = listed(f"{clear.get(method, 0)} {_LEGEND[method]}" for method in series)
    alt = (
        f"Forest plot of {analysis_title(analysis)}: {len(structures)} rows, panels {listed(panels.values())}. "
        f"Clear are {counts}; the numbers are in the tables below."
    )
    marked = {verdict: VERDICT_WORDS[verdict] for verdict in _MARKED if (rows["verdict"] == verdict).any()}
    return ForestWords(panels, structures, _axis(results, analysis, rows), series, _rope(rows), marked, alt)


def _axis(results: Results, analysis: str, rows: pd.DataFrame) -> str:
    kind = kind_of(results, analysis)
    if kind == "groups":
        two = f", {results.groups[0]} {MINUS} {results.groups[1]}" if len(results.groups) == 2 else ""
        return f"difference in SD of the variable{two}"
    if kind == "comparison":
        return f"difference in SD of the outcome, years with activity {MINUS} years without"
    sizes = listed(f"{size:.3g}" for size in sorted(rows["u"].dropna().unique()))
    units = listed(dict.fromkeys(unit.partition(" per ")[2] or unit for unit in rows["unit"] if unit))
    return f"slope in SD of the outcome per {units if sizes == '1' else f'{sizes} {units}s'}"


def _rope(rows: pd.DataFrame) -> str:
    high = rows["rope_high"].dropna().round(6).unique()
    size = f" (within ±{number(high[0], 2)} SD)" if len(high) == 1 else ""
    return f"yellow band: negligible by convention{size}"
