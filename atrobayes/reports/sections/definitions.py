"""Definitions and missing data: whether an answer survives how things were counted, and what nobody saw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.reports.contrast import PD_CUT
from atrobayes.reports.definition_rows import BASE, KEY, definition_rows
from atrobayes.reports.figures.definitions import definitions_svg
from atrobayes.reports.kinds import kind_of
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import (
    analysis_title,
    between,
    counted,
    fixed,
    level,
    listed,
    number,
    slug,
    structure_name,
    term_label,
    term_words,
)

TITLE = "Definitions and missing data"


def make(results: Results) -> Section:
    """Plain words on every definition tried, one table of what moved, and a figure an analysis."""
    rows = definition_rows(results)
    if not (rows["series"] != BASE).any():
        words = "No other definition was tried. `atrobayes sensitivity STUDY.toml` tries them."
        return Section("definitions", TITLE, "not_applicable", (words,))
    beside = _beside_base(rows)
    looked = results.look("definitions")
    paragraphs = [_asked(), *_kept(beside)]
    tables = [_moves(beside)]
    if looked is not None:
        paragraphs += [*_miscounts(looked), *_unseen(looked)]
        tables += _tipping_points(results, looked)
    parts = tuple(_part(results, rows[rows["analysis"] == name], str(name)) for name in beside["analysis"].unique())
    return Section("definitions", TITLE, "ok", tuple(paragraphs), tuple(tables), parts=parts)


def _beside_base(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of other definitions with the base's estimate and pd beside."""
    base = rows.loc[rows["series"] == BASE, [*KEY, "estimate", "pd"]]
    return rows[rows["series"] != BASE].merge(base, on=KEY, suffixes=("", "_base"), validate="many_to_one")


def _asked() -> str:
    return (
        "An answer rests on definitions that others might have made differently: what counts as a lesion, which years "
        "enter, what becomes of years that nobody can classify or nobody saw. Here each is changed, one at a time, "
        "and everything is fitted again. None of these is the right one; the question is whether the answer is the "
        "same."
    )


def _kept(beside: pd.DataFrame) -> list[str]:
    clear = beside[beside["pd_base"] > PD_CUT]
    whole = clear.groupby(KEY, sort=False)["pd"].min()
    if not len(whole):
        return [f"No result is sure of its sign as analysed (pd > {PD_CUT}), so none can cease to be."]
    turned = (np.sign(clear["estimate"]) != np.sign(clear["estimate_base"])).groupby(clear["series"]).sum()
    kept = int((whole > PD_CUT).sum())
    signs = "none of them turns its sign" if not turned.sum() else f"{counted(int(turned.sum()), 'time')} a sign turns"
    return [
        f"{counted(len(whole), 'result is', 'results are')} sure of the sign as analysed (normal errors, pd > {PD_CUT}"
        f"). {kept} of them {'stays' if kept == 1 else 'stay'} so under every definition tried; {signs}."
    ]


def _moves(beside: pd.DataFrame) -> Table:
    cells = []
    order = beside["analysis"].map({name: k for k, name in enumerate(beside["analysis"].unique())})
    for (analysis, label), own in beside.iloc[np.argsort(order, kind="stable")].groupby(
        ["analysis", "label"], sort=False
    ):
        clear = own["pd_base"] > PD_CUT
        same = np.sign(own["estimate"]) == np.sign(own["estimate_base"])
        cells.append(
            {
                "Analysis": analysis_title(str(analysis)),
                "Changed": str(label),
                "Same sign": f"{int(same.sum())} of {len(own)}",
                "Clear as analysed": str(int(clear.sum())),
                "of these still clear": str(int((clear & (own["pd"] > PD_CUT)).sum())),
                "Furthest move, SD": number(float((own["estimate"] - own["estimate_base"]).abs().max()), 2),
            }
        )
    details = (
        f"Every structure and term is a result. Clear: pd > {PD_CUT}, of the sign it has as analysed; of miscounts the "
        "average pd. Furthest move: largest change of an estimate, in SDs of the outcome for u lesions or the state. "
        "Normal errors throughout; for comparisons that is not the headline, which has Student-t errors."
    )
    return Table("definitions-moves", pd.DataFrame(cells), "Results under other definitions", "", details)


def _miscounts(looked: pd.DataFrame) -> list[str]:
    rows = looked[(looked["look"] == "miscounts") & np.isfinite(looked["estimate"])]
    if not len(rows):
        return []
    chance = number(float(str(rows["setting"].iloc[0]).partition("=")[2]), 2)
    firm, whole = int((rows["share_sign"] >= 0.95).sum()), len(rows)
    return [
        f"Miscounted lesions. Counts were changed at random in {counted(rows['data_sets'].max(), 'data set')}: each "
        f"with probability {chance} by one, half of the time up, half of the time down (a count of 0 can only go "
        "up, so that it changes half as often). The estimate kept its sign in at least 95% of the data sets in "
        f"{firm} of {whole} results. "
        "The counts as they stand have errors of their own, which draw slopes towards 0; that is not undone here, "
        "only the spread that further miscounts cause is shown."
    ]


def _unseen(looked: pd.DataFrame) -> list[str]:
    rows = looked[(looked["look"] == "dropout") & np.isfinite(looked["estimate"])]
    return [*([_filled(looked, rows)] if len(rows) else []), *_not_looked_at(looked)]


def _filled(looked: pd.DataFrame, rows: pd.DataFrame) -> str:
    places: dict[float, list[str]] = {}
    for name, filled in rows.groupby("analysis", sort=False)["filled"].max().items():
        places.setdefault(float(filled), []).append(analysis_title(str(name)))
    years = listed(f"{counted(filled, 'patient-year')} ({listed(names)})" for filled, names in places.items())
    ends = between(float(rows["delta"].min()), float(rows["delta"].max()), 2)
    ever = looked[looked["setting"] == "tipping_pd"]
    sure = ever[~ever["reason"].str.startswith("pd is below")]
    tips = int(np.isfinite(sure["delta"]).sum())
    return (
        f"Years nobody saw. Patients lack {years} between their first and the study's last visit. These were filled in "
        "as the model predicts them from the patient's other years, then shifted, all by the same amount from "
        f"{ends} SD of the outcome (negative: more atrophy than predicted, as if those who fare worse leave). Of "
        f"{counted(len(sure), 'result')} sure of the sign without a shift (by the limit of the study file), {tips} "
        f"{'is' if tips == 1 else 'are'} no longer sure at some shift in that range. Patients without any patient-year "
        "are not among the rows and cannot be filled in."
    )


def _not_looked_at(looked: pd.DataFrame) -> list[str]:
    out = looked[(looked["look"] == "dropout") & (looked["setting"] == "left_out")].drop_duplicates("analysis")
    return [
        f"No unseen years are filled in for {listed(analysis_title(str(name)) for name in own['analysis'])}: {reason}."
        for reason, own in out.groupby("reason", sort=False)
    ]


def _tipping_points(results: Results, looked: pd.DataFrame) -> list[Table]:
    kinds = {"tipping_pd": "no longer sure", "tipping_sign": "changes its sign"}
    rows = looked[looked["setting"].isin(kinds) & np.isfinite(looked["delta"])]
    if not len(rows):
        return []
    frame = pd.DataFrame(
        [
            {
                "Analysis": analysis_title(row.analysis),
                "Structure": structure_name(row.structure),
                "Term": term_words(row.term, results.groups),
                "The result": kinds[row.setting],
                "at a shift of, SD": fixed(row.delta, 2),
            }
            for row in each_row(rows)
        ]
    )
    details = (
        "Shift of the changes nobody saw, in SDs of the outcome, nearest to 0; negative: more atrophy than predicted. "
        "Results that are not listed hold over the range tried, or were not sure at the start."
    )
    return [
        Table(
            "definitions-tipping",
            frame,
            "Shifts of unseen years that tip a result",
            "definitions.tsv",
            details,
            folded=True,
        )
    ]


def _part(results: Results, rows: pd.DataFrame, analysis: str) -> Section:
    name = slug("definitions", analysis)
    return Section(
        name, analysis_title(analysis), tables=(_numbers(results, rows, name),), figures=(_figure(results, rows, name),)
    )


def _figure(results: Results, rows: pd.DataFrame, name: str) -> Figure:
    analysis = str(rows["analysis"].iloc[0])
    series = dict(zip(rows["series"], rows["label"], strict=True))
    panels = {str(term): term_label(str(term), results.groups) for term in rows["term"].unique()}
    structures = {str(one): structure_name(str(one)) for one in rows["structure"].unique()}
    title = analysis_title(analysis)
    alt = f"{title}: {len(structures)} structures, each estimate {listed(series.values())}; numbers in the table below."
    caption = (
        f"{title}. Posterior means with {_level(results)} equal-tailed posterior intervals, of miscounts the average "
        "estimate with the range of estimates over the miscounted data sets (2.5 to 97.5%, no posterior interval). "
        "Where the lines of a structure lie over each other, the definition does not matter for it."
    )
    axis = _axis(results, rows, analysis)
    drawing = definitions_svg(name, rows, panels=panels, structures=structures, series=series, axis=axis, alt=alt)
    return Figure(name, drawing, alt, caption)


def _level(results: Results) -> str:
    for table in (results.look("definitions"), results.look("sensitivity")):
        if table is not None:
            return level(table)
    return ""


def _axis(results: Results, rows: pd.DataFrame, analysis: str) -> str:
    if kind_of(results, analysis) == "comparison":
        return "difference in SD of the outcome, years with activity less years without"
    sizes = listed(f"{size:.3g}" for size in sorted(rows["u"].dropna().unique()))
    lesions = listed(dict.fromkeys(unit.partition(" per ")[2] for unit in rows["unit"]))
    return f"effect in SD of the outcome of {sizes} × one {lesions}"


def _numbers(results: Results, rows: pd.DataFrame, name: str) -> Table:
    """Structures and terms down, definitions across, the base first."""
    labels = dict.fromkeys(rows["label"])
    cells = []
    for (structure, term), own in rows.groupby(["structure", "term"], sort=False):
        held = {row.label: f"{fixed(row.estimate, 2)} ({between(row.low, row.high, 2)})" for row in each_row(own)}
        named = {"Structure": structure_name(str(structure)), "Term": term_words(str(term), results.groups)}
        cells.append(named | {label[0].upper() + label[1:]: held.get(label, "n/a") for label in labels})
    details = (
        f"In SDs of the outcome, with {_level(results)} equal-tailed posterior intervals; of miscounts with the range "
        "of estimates. In raw units: definitions.tsv and sensitivity.tsv."
    )
    return Table(f"{name}-numbers", pd.DataFrame(cells), "All numbers", "", details, folded=True)
