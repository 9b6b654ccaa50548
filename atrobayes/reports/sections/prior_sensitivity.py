"""How much the priors carry: the ladder of slope priors, the tipping prior and power-scaling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.power_scaling import ALL_PRIORS, LIKELIHOOD, THRESHOLD
from atrobayes.reports.figures.prior_sensitivity import LadderWords, ladder_svg, power_svg
from atrobayes.reports.kinds import kind_of, rows_of
from atrobayes.reports.loo_rows import sampled_priors_table
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import (
    MINUS,
    analysis_title,
    between,
    counted,
    decimals,
    fixed,
    level,
    listed,
    number,
    probability,
    slug,
    structure_name,
    term_label,
)

ID, TITLE = "prior_sensitivity", "How much the priors carry"
READINGS = {
    "ok": "hardly moves with the priors",
    "conflict": "moves with priors and data (possible prior-data conflict)",
    "strong_prior": "moves with the priors only (possible strong prior or weak data)",
    "": "n/a",
}
_SAMPLED = (
    "Sampled fits, such as those with Student-t errors, were looked at too: their draws were weighted as if priors or "
    "data counted a little more or less, and nothing was refitted. That is the same sensitivity with the error of a "
    "finite number of draws; for models with the same errors both should agree."
)
_KEY = ["analysis", "structure", "term"]
_ENDS = ["estimate", "ci_low", "ci_high"]
_MOST_NAMED = 6


def make(results: Results) -> Section:
    """Words, a chart of all analyses, and for each analysis its ladder and a folded table."""
    told = results.look("prior_sensitivity")
    if told is None or not len(told):
        reason = "Not computed yet: `atrobayes sensitivity STUDY.toml` refits every result with other priors."
        return Section(ID, TITLE, "not_applicable", (reason,))
    exact = told[told["draws"].isna()]
    sampled = told[told["draws"].notna()]
    parts = [
        _analysis(results, name, exact[exact["analysis"] == name], sampled[sampled["analysis"] == name])
        for name in map(str, told["analysis"].unique())
    ]
    reading = (*(_reading(exact) if len(exact) else ()), *([_SAMPLED] if len(sampled) else []))
    return Section(ID, TITLE, "ok", reading, (), _power_figures(results, exact), tuple(parts))


def _reading(told: pd.DataFrame) -> tuple[str, ...]:
    rungs = _ladder(told)
    limit = _limit(told)
    low, high = (f"{value:.3g}" for value in (rungs["prior_sd"].min(), rungs["prior_sd"].max()))
    power = f"{told['alpha'].max():.3g}"
    return (
        "A Bayesian result blends the data with what was believed before, the prior (shown beside the posterior in the "
        "section Priors). Here each result is computed again with other priors. One that rests on the data hardly "
        "moves; one that moves says as much about the prior as about the patients.",
        f"The ladder: the slopes' prior, a normal around no association, is made narrower or wider, SD {low} to {high} "
        "on the standardised scale, all else equal. A narrow prior pulls every estimate towards nothing, so nearly "
        "every clear result tips at some prior. The tipping prior is the SD at which the probability of direction (pd, "
        f"here always of the sign found with the study's own prior) is just {limit:g}; the question is whether "
        "somebody would hold that prior. For a comparison the effect of the state has twice this SD.",
        f"Power-scaling: all priors, or the likelihood of the data, are raised to the power {power} and to 1 over it, "
        "as if they counted a little more or less, and the posterior is integrated again, exactly. The sensitivity is "
        f"how far it moves per doubling of the power; {THRESHOLD:g} is a conventional threshold (Kallioinen et al. "
        "2023, doi:10.1007/s11222-023-10366-5), not a test. A likelihood sensitivity below it means that the data say "
        "little. Prior-data conflict is a name for moving with both: often it means that the prior pulls a large "
        "estimate towards nothing, as a prior is meant to.",
        "All refits use normal errors and are exact up to numerical integration; for comparisons, whose headline has "
        "Student-t errors, they therefore belong to the row with normal errors.",
    )


def _analysis(results: Results, name: str, exact: pd.DataFrame, sampled: pd.DataFrame) -> Section:
    """One analysis; a look at its sampled fits stands behind the exact one, or alone."""
    said: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    if len(exact):
        said, tables, figures = _said(results, exact), (_table(results, exact),), (_ladder_figure(results, exact),)
    if len(sampled):
        said, tables = (*said, _sampled_said(sampled)), (*tables, sampled_priors_table(results, name, sampled))
    return Section(slug(ID, name), analysis_title(name), "ok", said, tables, figures)


def _sampled_said(sampled: pd.DataFrame) -> str:
    verdicts = sampled.loc[sampled["block"] == ALL_PRIORS, "verdict"]
    return f"Sampled fits, for comparison: {_counts(verdicts)}."


def _said(results: Results, told: pd.DataFrame) -> tuple[str, ...]:
    rungs, limit = _ladder(told), _limit(told)
    base = rungs[rungs["base"] == 1].set_index(_KEY)["pd"]
    by_result = rungs.groupby(_KEY, sort=False)["pd"]
    least, most = by_result.min().reindex(base.index), by_result.max().reindex(base.index)
    lost = base.index[(base >= limit) & (least < limit)].tolist()
    gained = int(((base < limit) & (most >= limit)).sum())
    clear = int((base >= limit).sum())
    text = (
        f"Results with a pd of at least {limit:g} under the study's own prior: {clear} of {len(base)}; that keep it "
        f"along the whole ladder: {clear - len(lost)}"
    )
    text += f". Lost on some rung: {_some(results, told, lost)}. " if lost else ". "
    text += f"Below {limit:g} with the study's own prior but not on every rung: {gained}. " if gained else ""
    return (text + _power_said(told),)


def _some(results: Results, told: pd.DataFrame, keys: list[tuple[str, str, str]]) -> str:
    tips = {(row.analysis, row.structure, row.term): row for row in each_row(told[told["look"] == "tipping"])}
    named = [
        f"{structure_name(key[1])}: {term_label(key[2], results.groups)}{_tip_words(tips[key])}"
        for key in keys[:_MOST_NAMED]
    ]
    rest = len(keys) - len(named)
    return "; ".join([*named, *([f"and {rest} more"] if rest else [])])


def _tip_words(row: Any) -> str:
    return "" if np.isnan(row.prior_sd) else f" (with priors {row.reason} than SD {number(row.prior_sd, 2)})"


def _power_said(told: pd.DataFrame) -> str:
    return f"Power-scaling, of {_counts(_sensitivities(told)['verdict'])}."


def _counts(verdicts: pd.Series) -> str:
    counts = [f"{words}: {(verdicts == name).sum()}" for name, words in READINGS.items() if name]
    return f"{counted(len(verdicts), 'result')}: {'; '.join(counts)}"


def _ladder(told: pd.DataFrame) -> pd.DataFrame:
    return told[told["look"] == "ladder"]


def _limit(told: pd.DataFrame) -> float:
    return float(told["limit"].dropna().iloc[0])


def _sensitivities(told: pd.DataFrame) -> pd.DataFrame:
    """One row a result: sensitivity to all priors, to the slopes' and to the likelihood, and the verdict."""
    power = told[told["look"] == "power"].drop_duplicates([*_KEY, "block"])
    wide = power.pivot_table(index=_KEY, columns="block", values="sensitivity", sort=False, dropna=False)
    verdicts = power[power["block"] == ALL_PRIORS].set_index(_KEY)["verdict"]
    both = {"prior": ALL_PRIORS, "slopes": "slopes", "likelihood": LIKELIHOOD}
    columns = {name: wide.get(block, np.nan) for name, block in both.items()}
    return pd.DataFrame(columns, index=wide.index).assign(verdict=verdicts.reindex(wide.index).fillna(""))


def _power_figures(results: Results, told: pd.DataFrame) -> tuple[Figure, ...]:
    rows = _sensitivities(told).dropna(subset=["prior", "likelihood"]).reset_index()
    if not len(rows):
        return ()
    rows = rows.assign(label=rows["structure"].map(structure_name))
    panels = {name: analysis_title(name) for name in rows["analysis"].unique()}
    terms = {term: term_label(term, results.groups) for term in rows["term"].unique()}
    apart = int((rows["verdict"] != "ok").sum())
    alt = (
        f"Scatter of {len(rows)} results, sensitivity to the priors against sensitivity to the data; {apart} of them "
        f"have a prior sensitivity of {THRESHOLD:g} or more."
    )
    name = slug(ID, "power")
    drawing = power_svg(name, rows, panels=panels, terms=terms, readings=READINGS, threshold=THRESHOLD, alt=alt)
    caption = (
        "Each point is one structure and term: how far its posterior moves per doubling of the weight of all priors "
        "(to the right) and of the data (upwards). Broken lines: the conventional threshold of "
        f"{THRESHOLD:g}. Left of the upright line a result hardly depends on its priors; to the right of it and below "
        "the level line it depends on the priors and hardly on the data. In each panel the points furthest to the "
        "right are named. Both axes are logarithmic; values beyond them are drawn at their ends."
    )
    return (Figure(name, drawing, alt, caption),)


def _ladder_figure(results: Results, told: pd.DataFrame) -> Figure:
    analysis = str(told["analysis"].iloc[0])
    rows = _in_sds(results, told[told["look"].isin(["ladder", "tipping"])])
    limit, name = _limit(told), slug(ID, analysis)
    words = _ladder_words(results, told, rows["u"], limit)
    caption = (
        f"{analysis_title(analysis)}: every result with slope priors from narrow (top line of a structure) to wide "
        f"(bottom line), posterior mean with {level(told)} equal-tailed posterior interval. Horizontal axis: "
        f"{words.axis}. Blue: the study's own prior. Orange, with a cross: the prior at which pd is just {limit:g}, "
        "where it lies within the ladder. Lines that keep their place say that the prior decides little."
    )
    return Figure(name, ladder_svg(name, rows.assign(clear=rows["pd"] >= limit), words), words.alt, caption)


def _in_sds(results: Results, rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers as effects of u lesions in SD of the outcome, so that structures share one scale."""
    estimates = rows_of(results, str(rows["analysis"].iloc[0]))
    scales = estimates.groupby("structure")[["u", "s_y"]].max().reindex(rows["structure"])
    factor = (scales["u"].fillna(1.0) / scales["s_y"]).to_numpy()
    return rows.assign(u=scales["u"].to_numpy(), **{name: rows[name] * factor for name in _ENDS})


def _ladder_words(results: Results, told: pd.DataFrame, u: pd.Series, limit: float) -> LadderWords:
    analysis, rungs = str(told["analysis"].iloc[0]), _ladder(told)
    panels = {term: term_label(term, results.groups) for term in told["term"].unique()}
    own = sorted(rungs.loc[rungs["base"] == 1, "prior_sd"].round(6).unique())
    others = sorted(rungs.loc[rungs["base"] == 0, "prior_sd"].round(6).unique())
    said = f"{own[0]:.3g}" if len(own) == 1 else f"{own[0]:.3g} to {own[-1]:.3g}"
    kept = f"{len(panels)} panels, {listed(panels.values())}"
    return LadderWords(
        panels=panels,
        rows={name: structure_name(name) for name in told["structure"].unique()},
        axis=_axis(results, analysis, u, told["unit"]),
        base=f"the study's slope prior, SD {said}",
        other=f"other priors, SD {listed(f'{sd:.3g}' for sd in others)} (narrow on top)",
        tip=f"tipping prior: pd = {limit:g}",
        below=f"open marker: pd below {limit:g}",
        alt=f"Intervals of {analysis_title(analysis)} along {len(own) + len(others)} priors, {kept}; the numbers are "
        "in the table below.",
    )


def _axis(results: Results, analysis: str, u: pd.Series, units: Iterable[str]) -> str:
    kind = kind_of(results, analysis)
    if kind == "groups":
        return "difference in SD of the variable"
    if kind == "comparison":
        return f"difference in SD of the outcome, years with activity {MINUS} years without"
    sizes = listed(f"{size:.3g}" for size in sorted(u.dropna().unique()))
    per = listed(dict.fromkeys(unit.partition(" per ")[2] or unit for unit in units))
    return f"slope in SD of the outcome per {per if sizes == '1' else f'{sizes} {per}s'}"


def _table(results: Results, told: pd.DataFrame) -> Table:
    analysis = str(told["analysis"].iloc[0])
    tips: dict[Any, Any] = told[told["look"] == "tipping"].set_index(_KEY).to_dict("index")
    moved: dict[Any, Any] = _sensitivities(told).to_dict("index")
    rungs = _ladder(told).sort_values("prior_sd", kind="stable")
    own: dict[Any, Any] = rungs[rungs["base"] == 1].drop_duplicates(_KEY).set_index(_KEY).to_dict("index")
    ladders: dict[tuple[str, str, str], dict[str, str]] = {key: {} for key in tips}
    for row in each_row(rungs.loc[rungs["base"] != 1, [*_KEY, "prior_sd", "pd"]]):
        ladders[row.analysis, row.structure, row.term][f"pd, prior SD {row.prior_sd:.3g}"] = probability(row.pd)
    rows = [_first(results, key, own[key]) | ladders[key] | _last(tip, moved[key]) for key, tip in tips.items()]
    units = listed(dict.fromkeys(told["unit"]))
    caption = f"Priors and results: {analysis_title(analysis)}"
    details = (
        f"Estimate in {units}, {level(told)} equal-tailed posterior interval; pd always of the sign of this estimate; "
        f"tipping prior: SD of a group's slope, standardised, at which pd is {_limit(told):g}; sensitivities per "
        "doubling of the power."
    )
    frame = pd.DataFrame(rows)
    return Table(slug(ID, "table", analysis), frame, caption, "prior_sensitivity.tsv", details, folded=True)


def _first(results: Results, key: tuple[str, str, str], base: Mapping[str, Any]) -> dict[str, str]:
    places = decimals([(base["ci_high"] - base["ci_low"]) / 2], (base["ci_low"], base["ci_high"]))
    return {
        "Structure": structure_name(key[1]),
        "Term": term_label(key[2], results.groups),
        "Estimate": fixed(base["estimate"], places),
        "Interval": between(base["ci_low"], base["ci_high"], places),
        "pd, own prior": probability(base["pd"]),
    }


def _last(tip: Mapping[str, Any], moved: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Tipping prior SD": number(tip["prior_sd"], 2),
        "pd below the limit with": _side(tip),
        "Sensitivity to slope prior": number(moved["slopes"], 2),
        "to all priors": number(moved["prior"], 2),
        "to the data": number(moved["likelihood"], 2),
        "Reading": READINGS[moved["verdict"]],
    }


def _side(tip: Mapping[str, Any]) -> str:
    words = {"narrower": "narrower priors", "wider": "wider priors", "below": "every prior", "above": "no prior"}
    many = f" (nearest of {number(tip['crossings'])})" if tip["crossings"] > 1 else ""
    return f"{words[tip['reason']]}{many}"
