"""Forest plots: every structure's classical and Bayesian interval on one scale."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT, headline
from atrobayes.reports.contrast_table import split_flags
from atrobayes.reports.figures.forest import ForestWords, forest_svg
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import (
    MINUS,
    analysis_question,
    analysis_title,
    interval_name,
    listed,
    number,
    slug,
    structure_name,
    term_words,
)

_UNRELIABLE = {"gate_failed", "prior_only"}
_ENDS = ["estimate", "ci_low", "ci_high", "rope_low", "rope_high"]
_FULL = {
    "structure": "Structure", "term": "Term", "method": "Method", "engine": "Engine", "estimate": "Estimate",
    "median": "Median", "sd": "SD or SE", "ci_low": "Interval low", "ci_high": "Interval high", "hdi_low": "HDI low",
    "hdi_high": "HDI high", "df": "df", "statistic": "t", "p": "p", "q_bh": "q (BH)", "p_holm": "p (Holm)", "pd": "pd",
    "p_rope": "P(in ROPE)", "log_bf10": "log BF₁₀", "type_s": "Type S", "type_m": "Type M", "pull": "Pull",
    "shrinkage": "Shrinkage", "rhat": "R-hat", "ess_bulk": "ESS bulk", "ess_tail": "ESS tail",
    "divergences": "Divergences", "flags": "Flags",
}  # fmt: skip


def make(results: Results) -> Section:
    """One forest plot per analysis, and all numbers folded below."""
    analyses = list(results.estimates["analysis"].unique())
    figures = tuple(_figure(results, analysis) for analysis in analyses)
    tables = tuple(_all_numbers(results, analysis) for analysis in analyses)
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
        "(SD) of its own outcome over the rows analysed. Numbers in the outcome's own unit stand in the tables of "
        f"the next section. Grey: classical estimate with {classical}. Blue: posterior mean with {bayes}."
    )


def _figure(results: Results, analysis: str) -> Figure:
    rows = standardised(results.estimates[results.estimates["analysis"] == analysis])
    rows["clear"] = (rows["p"] < P_CUT) | (rows["pd"] > PD_CUT)
    rows["flagged"] = [bool(_UNRELIABLE & set(split_flags(flags))) for flags in rows["flags"]]
    broken = "Broken line: do not rely on it, see Diagnostics. " if rows["flagged"].any() else ""
    axis = _axis(rows)
    words = _words(results, analysis, rows, axis)
    name = slug("forest", analysis)
    caption = (
        f"{analysis_title(analysis)}. {analysis_question(analysis)} Horizontal axis: {axis}; negative means more loss "
        "of volume with more lesions (for the lateral ventricle the other way round: it grows where tissue shrinks). "
        f"Filled marker: clear (classical p < {P_CUT}; Bayesian pd > {PD_CUT}); open marker: not clear. {broken}"
        f"Panels have scales of their own. {words.rope[0].upper()}{words.rope[1:]}."
    )
    return Figure(name, forest_svg(name, rows, words), words.alt, caption)


def _words(results: Results, analysis: str, rows: pd.DataFrame, axis: str) -> ForestWords:
    panels = {term: _panel(term, results) for term in rows["term"].unique()}
    structures = {structure: structure_name(structure) for structure in rows["structure"].unique()}
    clear = rows[rows["clear"]].groupby("method")["structure"].size()
    alt = (
        f"Forest plot of {analysis_title(analysis)}: {len(structures)} structures, panels {listed(panels.values())}. "
        f"{clear.get('classical', 0)} classical and {clear.get('bayes', 0)} Bayesian rows are clear; numbers are in "
        "the contrast tables."
    )
    classical, bayes = (f"{name}: {interval_name(results.estimates, method)}" for name, method in _LEGEND)
    return ForestWords(panels, structures, axis, classical, bayes, _rope(rows), alt)


_LEGEND = (("classical", "classical"), ("Bayesian", "bayes"))


def _panel(term: str, results: Results) -> str:
    words = term_words(term, results.groups)
    return (
        f"interaction, {results.groups[0]} {MINUS} {results.groups[1]}" if words.startswith("interaction (") else words
    )


def _axis(rows: pd.DataFrame) -> str:
    sizes = listed(f"{size:g}" for size in sorted(rows["u"].dropna().unique()))
    units = listed(dict.fromkeys(unit.partition(" per ")[2] or unit for unit in rows["unit"] if unit))
    return f"slope in SD of the outcome per {'' if sizes == '1' else sizes + ' x '}{units}"


def _rope(rows: pd.DataFrame) -> str:
    high = rows["rope_high"].dropna().round(6).unique()
    size = f" (within ±{number(high[0], 2)} SD)" if len(high) == 1 else ""
    return f"yellow band: practically equivalent to none{size}"


def _all_numbers(results: Results, analysis: str) -> Table:
    rows = results.estimates[results.estimates["analysis"] == analysis]
    columns = {
        name: header for name, header in _FULL.items() if name in rows and not rows[name].replace("", None).isna().all()
    }
    cells = {
        header: rows[name] if rows[name].dtype != float else rows[name].map(number) for name, header in columns.items()
    }
    shown = pd.DataFrame(cells).assign(
        Structure=rows["structure"].map(structure_name),
        Term=rows["term"].map(lambda term: term_words(term, results.groups)),
    )
    units = listed(unit for unit in rows["unit"].unique() if unit)
    levels = (
        f"Classical interval: {interval_name(rows, 'classical')}. Bayesian interval: {interval_name(rows, 'bayes')}."
    )
    caption = f"All numbers: {analysis_title(analysis)}, in {units}. {levels}"
    return Table(slug("numbers", analysis), shown, caption, "estimates.tsv", folded=True)
