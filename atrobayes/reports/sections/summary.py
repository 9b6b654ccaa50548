"""What was asked and what came out, in plain words."""

from __future__ import annotations

from typing import Any

import pandas as pd

from atrobayes.reports.cohort_flow import Flow, cohort_flow, patients_analysed
from atrobayes.reports.contrast import KEY, P_CUT, PD_CUT
from atrobayes.reports.contrast_table import contrast_rows, intervals_in_words, row_decimals
from atrobayes.reports.methods import engines_in_words
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section, Table
from atrobayes.reports.sections.diagnostics import checks_in_words
from atrobayes.reports.verdict_words import (
    UNSUPPORTED,
    chance_in_words,
    clear_in_words,
    unsupported_in_words,
    verdicts_by_analysis,
    verdicts_in_words,
)
from atrobayes.reports.wording import (
    analysis_question,
    analysis_title,
    between,
    count,
    counted,
    fixed,
    interval_name,
    listed,
    p_cell,
    probability,
    structure_name,
    term_words,
    unit_parts,
)

_FEW = 2  # so many questions are told in full


def make(results: Results) -> Section:
    """Summarise the whole report."""
    rows = results.contrast
    unsupported = rows[rows["verdict"].isin(UNSUPPORTED)]
    facts = pd.DataFrame(_facts(results, rows, unsupported), columns=["", "Answer"])
    tables = [Table("at-a-glance", facts, "The report at a glance"), _by_analysis(rows)]
    if len(unsupported):
        tables.append(_unsupported_table(results, unsupported))
    return Section("summary", "Summary", "ok", (_association(),), tuple(tables))


def _facts(results: Results, rows: pd.DataFrame, unsupported: pd.DataFrame) -> list[tuple[str, str]]:
    flow = cohort_flow(results)
    singular = _singular(results, unsupported)
    return [
        ("What was asked", _asked(rows)),
        ("Who was studied", _who(results, flow)),
        ("Scans left out, and why", left_out_words(flow)),
        ("What was compared", _compared(rows)),
        ("What came out", verdicts_in_words(rows)),
        ("Clear by both", clear_in_words(rows, results.groups)),
        ("How much could be chance", chance_in_words(results, rows)),
        (
            f"Classical p < {P_CUT} that the posterior does not bear out",
            unsupported_in_words(unsupported.assign(singular=singular)),
        ),
        ("How to read a number", _unit(results, rows)),
        ("Engine", engines_in_words(results)),
        ("Checks", checks_in_words(results)),
    ]


def _asked(rows: pd.DataFrame) -> str:
    names = [str(name) for name in rows["analysis"].unique()]
    if len(names) <= _FEW:
        return " ".join(map(analysis_question, names))
    titles = "; ".join(map(analysis_title, names))
    return f"{len(names)} analyses: {titles}. Each question stands with its analysis."


def _by_analysis(rows: pd.DataFrame) -> Table:
    details = (
        f"p and q are classical and of the whole analysis; expected by chance: {P_CUT} times the number of tests, if "
        "no association existed at all."
    )
    return Table(
        "by-analysis", verdicts_by_analysis(rows), "Verdicts and chance, by analysis.", "contrast.tsv", details
    )


def left_out_words(flow: Flow) -> str:
    """Say how many scans were left out and why."""
    total = int(flow.left_out["all"].sum()) if len(flow.left_out) else 0
    reasons = listed(f"{reason} ({count(row['all'])})" for reason, row in flow.left_out.iterrows())
    first = f"{total} of {counted(flow.scans['all'], 'scan')} {'was' if total == 1 else 'were'} left out"
    return (
        f"{first}{': ' + reasons if total else ''}. {counted(flow.usable['all'], 'scan')} remained. "
        f"{counted(flow.no_scan['all'], 'clinical visit')} had no scan to begin with; these are not counted as left "
        "out."
    )


def _association() -> str:
    return (
        "Everything here is an association, observed in the same patients. Treatment was not "
        "randomised, so no number in this report is an effect of treatment."
    )


def _who(results: Results, flow: Flow) -> str:
    usable, yearly = counted(flow.usable["all"], "usable scan"), counted(flow.yearly["all"], "yearly interval")
    enrolled = _with_groups(flow.patients, "patients enrolled")
    inside = patients_analysed(results)
    analysed = _with_groups(inside, "of them")
    outside = int(flow.patients["all"]) - int(flow.yearly_patients["all"])
    rest = f" {outside} had no usable scans at two consecutive visits." if outside else ""
    return f"{enrolled}; {analysed} with intervals in the largest analysis.{rest} {usable}, {yearly}."


def _with_groups(counts: pd.Series, noun: str) -> str:
    groups = [f"{value} {group}" for group, value in counts.items() if group != "all"]
    return f"{counts['all']} {noun}{f' ({listed(groups)})' if groups else ''}"


def _compared(rows: pd.DataFrame) -> str:
    told = rows[rows["verdict"] != "not_tested"]
    structures, analyses = (told[name].nunique() for name in ("structure", "analysis"))
    questions = (
        f"{len(told)} questions ({counted(structures, 'structure or variable', 'structures and variables')}, "
        f"{counted(analyses, 'analysis', 'analyses')}), each answered twice: by a classical p-value and by a Bayesian "
        "posterior."
    )
    return " ".join([questions, *_uncompared(rows)])


def _uncompared(rows: pd.DataFrame) -> list[str]:
    """Say why rows have no verdict: the engine left out the headline, or nothing is tested."""
    rest = rows[rows["verdict"] == "not_tested"]
    lone, plain = rest[rest["classical_p"].notna()], rest[rest["classical_p"].isna()]
    said = []
    if len(lone):
        titles = listed(analysis_title(str(name)) for name in lone["analysis"].unique())
        said.append(
            f"{len(lone)} have a p only, since the engine asked for does not fit their Bayesian headline ({titles})."
        )
    if len(plain):
        said.append(f"{len(plain)} rates, their ratios and medians are described, not tested.")
    return said


def _singular(results: Results, rows: pd.DataFrame) -> list[bool]:
    flags = results.flags.get("classical", {})
    return ["singular" in flags.get(key, "") for key in rows[list(KEY)].itertuples(index=False, name=None)]


def _unsupported_table(results: Results, rows: pd.DataFrame) -> Table:
    caption = f"Classical p < {P_CUT} that the posterior does not bear out (pd ≤ {PD_CUT}, or the opposite sign),"
    details = f"in {listed(rows['unit'].unique())}: {intervals_in_words(results)}."
    naming = [name for name in KEY if name != "analysis" or rows["unit"].nunique() < rows["analysis"].nunique()]
    shown = contrast_rows(results, rows, naming, brief=True)
    return Table("not-borne-out", shown, caption, "contrast.tsv", details, tuple(rows["verdict"]), folded=True)


def _unit(results: Results, rows: pd.DataFrame) -> str:
    slopes = rows[rows["term"].str.startswith(("slope", "interaction")) & rows["bayes_estimate"].notna()]
    yearly = slopes["unit"].map(lambda unit: unit_parts(unit)[0].endswith(" a year")).any()
    time = "divided by the real time between them" if yearly else "not divided by the real time between them"
    example = rows.loc[slopes["classical_p"].nsmallest(1).index]
    return " ".join(
        [
            f"Change is that between two visits, {time}; a slope is per further lesion. A negative change is a loss of "
            "volume; the ventricle grows where tissue shrinks. eTIV: estimated total intracranial volume.",
            *(_example(results, row) for row in each_row(example)),
            "Differences within a patient (year against year) and between patients are not separated.",
        ]
    )


def _example(results: Results, row: Any) -> str:
    places = row_decimals(row)
    change, per = unit_parts(row.unit)
    of = structure_name(row.structure)
    side = "lower" if row.bayes_estimate < 0 else "higher"
    size = fixed(abs(row.bayes_estimate), places)
    told = (
        f"the slope is {size} {row.unit} {side} in {results.groups[0]} than in {results.groups[1]}"
        if row.term == "interaction"
        else f"with each further {per}, the change was on average {size} {change} {side}"
    )
    return (
        f"Example, the slope with the smallest p ({analysis_title(row.analysis)}): {of}, "
        f"{term_words(row.term, results.groups)}, posterior mean "
        f"{fixed(row.bayes_estimate, places)} ({interval_name(results.estimates, 'bayes')} "
        f"{between(row.bayes_ci_low, row.bayes_ci_high, places)}; pd {probability(row.bayes_pd)}; classical p "
        f"{p_cell(row.classical_p)}) means: {told}."
    )
