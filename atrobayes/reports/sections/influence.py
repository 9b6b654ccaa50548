"""Which patients carry the result: one left out at a time, and the fewest who take an answer away."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from atrobayes.reports.figures.influence import InfluenceWords, influence_svg
from atrobayes.reports.influence_rows import fragile_table, influence_table, numbered, sets_table
from atrobayes.reports.kinds import rows_of
from atrobayes.reports.loo_rows import loo_table, loo_words
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table, build
from atrobayes.reports.wording import (
    analysis_title,
    counted,
    interval_name,
    listed,
    slug,
    structure_name,
    term_label,
)

_TITLE = "Which patients carry the result"


def make(results: Results) -> Section:
    """One part per analysis: who moves each result most, and how few patients, left out, take it away."""
    influence, sets = results.look("influence"), results.look("tipping_sets")
    loo = results.look("patient_loo")
    if influence is None or not (len(influence) or (loo is not None and len(loo))):
        told = "No patient was left out; `atrobayes sensitivity STUDY.toml` leaves out each in turn."
        return Section("influence", _TITLE, "not_applicable", (told,))
    parts = tuple(
        build(
            partial(_part, str(name), influence, sets, loo),
            results,
            slug("influence-of", name),
            analysis_title(str(name)),
        )
        for name in dict.fromkeys([*influence["analysis"], *([] if loo is None else loo["analysis"])])
    )
    failed = any(part.status == "failed" for part in parts)
    return Section("influence", _TITLE, "warning" if failed else "ok", _reading(), parts=parts)


def _reading() -> tuple[str, ...]:
    return (
        "Each patient was left out in turn and everything fitted again, exactly, with the same priors on the same "
        "scale. If an answer goes when one patient goes, it is an answer about that patient. Somebody always moves a "
        "result most: what matters is how far, and whether the direction stays sure. A patient with large influence "
        "is no error and no reason to leave them out; look at the scans and the lesion counts first.",
        "Further patients were then left out until the sign of an estimate turned, or the probability of its direction "
        "(pd) fell below a limit: the smaller the set, the more the answer rests on few. Every set was refitted. Sets "
        "of one and two patients are the fewest possible, since all single patients were tried; larger sets were found "
        "greedily, one after another, so fewer patients may do. These are results with normal errors, also where the "
        "headline allows for outliers by Student-t errors. Patients are numbered as they stand in patients.tsv; the "
        "tables in the results folder have their names.",
    )


def _part(
    analysis: str, influence: pd.DataFrame, sets: pd.DataFrame | None, loo: pd.DataFrame | None, results: Results
) -> Section:
    own, of_sets, sampled = (
        pd.DataFrame() if table is None else table[table["analysis"] == analysis] for table in (influence, sets, loo)
    )
    paragraphs: list[str] = []
    tables: list[Table] = []
    figures: list[Figure] = []
    if len(own):
        rows = numbered(results, own)
        paragraphs, tables = [_most(rows, results)], [influence_table(results, analysis, rows)]
        figures = [_figure(results, analysis, rows)]
    if len(of_sets):
        paragraphs.insert(0, _fragile(of_sets))
        tables = [*fragile_table(results, analysis, of_sets), *tables, sets_table(results, analysis, of_sets)]
    if len(sampled):
        paragraphs.append(loo_words(sampled))
        tables.append(loo_table(results, analysis, sampled))
    name = slug("influence-of", analysis)
    return Section(name, analysis_title(analysis), "ok", tuple(paragraphs), tuple(tables), tuple(figures))


def _most(rows: pd.DataFrame, results: Results) -> str:
    """Who moves most results most, and the largest shift."""
    most = rows[rows["most"]]
    who, times = next(iter(most["number"].value_counts().items()))
    first = next(each_row(most.iloc[[int(most["shift"].abs().to_numpy().argmax())]]))
    size = f"{abs(first.shift):.1f}"
    return (
        f"Patient {who} moves {times} of {counted(len(most), 'result')} more than anybody else does; "
        f"{most['number'].nunique()} of {counted(rows['number'].nunique(), 'patient')} move at least one result most. "
        f"The largest shift is {size} posterior SDs: {_name(first, results)}, without patient {first.number}."
    )


def _fragile(sets: pd.DataFrame) -> str:
    """Of the results above the limit, how many a single patient takes below it."""
    rows = sets[sets["kind"] == "pd"]
    limit = float(rows["pd_limit"].iloc[0])
    above = rows[rows["pd_before"] >= limit]
    first = f"With everybody, {len(above)} of {counted(len(rows), 'result')} have pd of at least {limit:g}"
    if not len(above):
        return f"{first}: there is nothing that leaving patients out could take below it."
    taken = {
        "when one patient is left out": above["size"] == 1,
        "when two are": above["size"] == 2,
        "when three or more are": above["size"] > 2,
        "with no set that was tried": above["size"].isna(),
    }
    words = [f"{int(so.sum())} {when}" for when, so in taken.items() if so.any()]
    return f"{first}. Below it fall {listed(words)}."


def _name(row: Any, results: Results) -> str:
    return f"{structure_name(row.structure)}, {term_label(row.term, results.groups)}"


def _figure(results: Results, analysis: str, rows: pd.DataFrame) -> Figure:
    panels = {term: term_label(term, results.groups) for term in rows["term"].unique()}
    structures = {name: structure_name(name) for name in rows["structure"].unique()}
    interval = _interval(results, analysis)
    most = rows[rows["most"]]
    sizes = most["shift"].abs()
    alt = (
        f"Leave-one-patient-out of {analysis_title(analysis)}: {len(structures)} rows, panels "
        f"{listed(panels.values())}. The patient who moves a result most moves it by {sizes.median():.2f} posterior "
        f"SDs in the median, {sizes.max():.2f} at most."
    )
    caption = (
        f"{analysis_title(analysis)}, one patient left out at a time. Pale bar and tick: {interval} and estimate with "
        "everybody. Every small dot is the estimate without one patient; the orange one is that of the patient who "
        "moves the result most, with the patient's number. All in posterior SDs with everybody: 0 is no association, "
        "and a dot one unit from the tick has moved by one posterior SD. A dot beyond 0 has turned the sign."
    )
    words = InfluenceWords(panels, structures, interval, alt)
    name = slug("influence", analysis)
    return Figure(name, influence_svg(name, rows, words), alt, caption)


def _interval(results: Results, analysis: str) -> str:
    estimates = rows_of(results, analysis)
    method = "bayes_normal" if (estimates["method"] == "bayes_normal").any() else "bayes"
    return interval_name(estimates, method)
