"""Forest plots: every structure's classical and Bayesian interval on one scale."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.all_numbers import all_numbers, glossary
from atrobayes.reports.contrast import P_CUT, PD_CUT, contrast, headline
from atrobayes.reports.figures.forest import ForestWords, forest_svg
from atrobayes.reports.flags import split_flags
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section
from atrobayes.reports.wording import (
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
_LEGEND = (("classical", "classical"), ("Bayesian", "bayes"))


def make(results: Results) -> Section:
    """One forest plot per analysis, and all numbers folded below."""
    analyses = list(results.estimates["analysis"].unique())
    figures = tuple(_figure(results, analysis) for analysis in analyses)
    tables = (*(all_numbers(results, analysis) for analysis in analyses), glossary(results))
    return Section("estimates", "Estimates", "ok", (_reading(results),), tables, figures)


def standardised(estimates: pd.DataFrame) -> pd.DataFrame:
    """Headline rows with estimate, interval and ROPE in SD of the outcome per u lesions.

    Parameters
    ----------
    estimates : DataFrame
        As `Results.estimates`; u and s_y may stand in the classical or the Bayesian row.

    Returns
    -------
    DataFrame
        Each number times u / s_y of its analysis and structure; NaN where these are unknown.
    """
    rows = pd.concat([headline(estimates, method) for method in ("classical", "bayes")], ignore_index=True)
    scales = rows.groupby(["analysis", "structure"], sort=False)[["u", "s_y"]].transform("max")
    factor = scales["u"] / scales["s_y"]
    return rows.assign(u=scales["u"], **{name: rows[name] * factor for name in _ENDS})


def _reading(results: Results) -> str:
    bayes, classical = interval_name(results.estimates, "bayes"), interval_name(results.estimates, "classical")
    return (
        "Structures differ in size by a factor of a thousand, so the plots show every slope in standard deviations "
        "(SD) of its own outcome over the rows analysed; numbers in the outcome's own unit are in the next "
        f"section. Grey: classical estimate with {classical}. Blue: posterior mean with {bayes}. Negative means more "
        "loss of volume with more lesions (for the lateral ventricle the other way round: it grows where tissue "
        "shrinks). Slopes of groups share one scale, an interaction has its own. Where classical and Bayesian verdict "
        "part, the row is shaded. The yellow band, ROPE, holds what is negligible by convention."
    )


def _figure(results: Results, analysis: str) -> Figure:
    estimates = results.estimates[results.estimates["analysis"] == analysis]
    verdicts = contrast(estimates)[["structure", "term", "verdict"]]
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
    clear = rows[rows["clear"]].groupby("method")["structure"].size()
    alt = (
        f"Forest plot of {analysis_title(analysis)}: {len(structures)} structures, panels {listed(panels.values())}. "
        f"{clear.get('classical', 0)} classical and {clear.get('bayes', 0)} Bayesian rows are clear; numbers are in "
        "the contrast tables."
    )
    classical, bayes = (f"{name}: {interval_name(results.estimates, method)}" for name, method in _LEGEND)
    marked = {verdict: VERDICT_WORDS[verdict] for verdict in _MARKED if (rows["verdict"] == verdict).any()}
    return ForestWords(panels, structures, _axis(rows), classical, bayes, _rope(rows), marked, alt)


def _axis(rows: pd.DataFrame) -> str:
    sizes = listed(f"{size:g}" for size in sorted(rows["u"].dropna().unique()))
    units = listed(dict.fromkeys(unit.partition(" per ")[2] or unit for unit in rows["unit"] if unit))
    return f"slope in SD of the outcome per {'' if sizes == '1' else sizes + ' x '}{units}"


def _rope(rows: pd.DataFrame) -> str:
    high = rows["rope_high"].dropna().round(6).unique()
    size = f" (within ±{number(high[0], 2)} SD)" if len(high) == 1 else ""
    return f"yellow band: negligible by convention{size}"
