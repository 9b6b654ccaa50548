"""What was asked and what came out, in plain words."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.cohort_flow import Flow, cohort_flow
from atrobayes.reports.contrast import P_CUT, PD_CUT, contrast, headline
from atrobayes.reports.contrast_table import contrast_rows
from atrobayes.reports.methods import engines_in_words
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section, Table
from atrobayes.reports.sections.diagnostics import checks_in_words, singular_in_words
from atrobayes.reports.wording import (
    analysis_question,
    analysis_title,
    between,
    counted,
    interval_name,
    listed,
    number,
    slug,
    structure_name,
    term_words,
)

_SAID = {
    "both_clear": f"clear by both (p < {P_CUT} and pd > {PD_CUT}, same direction)",
    "classical_only": f"clear classically only (p < {P_CUT} but pd ≤ {PD_CUT})",
    "bayes_only": f"clear by the posterior only (pd > {PD_CUT} but p ≥ {P_CUT})",
    "opposite_sign": "clear by both but with opposite signs",
    "neither": "clear by neither",
}


def make(results: Results) -> Section:
    """Summarise the whole report."""
    rows = contrast(results.estimates)
    unsupported = rows[rows["verdict"].isin(["classical_only", "opposite_sign"])]
    facts = pd.DataFrame(_facts(results, rows, unsupported), columns=["", "Answer"])
    tables = [
        Table("at-a-glance", facts, "The report at a glance"),
        *(_unsupported_table(results, str(name), part) for name, part in unsupported.groupby("analysis", sort=False)),
    ]
    return Section("summary", "Summary", "ok", (_association(),), tuple(tables))


def _facts(results: Results, rows: pd.DataFrame, unsupported: pd.DataFrame) -> list[tuple[str, str]]:
    flow = cohort_flow(results)
    return [
        ("What was asked", " ".join(analysis_question(name) for name in rows["analysis"].unique())),
        ("Who was studied", _who(flow)),
        ("Scans left out, and why", left_out_words(flow)),
        ("What was compared", _compared(rows)),
        ("What came out", _counts(rows)),
        (f"Classical p < {P_CUT} that the posterior does not bear out", _unsupported_words(results, unsupported)),
        ("Unit of a slope", _unit(results, rows)),
        ("Intervals", _intervals(results)),
        ("Engine", engines_in_words(results)),
        ("Checks", " ".join([checks_in_words(results), *singular_in_words(results)])),
    ]


def left_out_words(flow: Flow) -> str:
    """Say how many scans were left out and why."""
    total = int(flow.left_out["all"].sum()) if len(flow.left_out) else 0
    reasons = listed(f"{reason} ({row['all']})" for reason, row in flow.left_out.iterrows())
    first = f"{total} of {counted(flow.scans['all'], 'scan')} {'was' if total == 1 else 'were'} left out"
    return (
        f"{first}{': ' + reasons if total else ''}. {counted(flow.usable['all'], 'scan')} remained. "
        f"{counted(flow.no_scan['all'], 'clinical visit')} had no scan to begin with; these are not counted as left "
        "out."
    )


def _association() -> str:
    return (
        "Everything here is an association between lesions and volume change in the same patients. Treatment was not "
        "randomised, so no number in this report is an effect of treatment."
    )


def _who(flow: Flow) -> str:
    groups = [f"{flow.patients[group]} {group}" for group in flow.columns[1:]]
    inside = f" ({listed(groups)})" if groups else ""
    usable, yearly = counted(flow.usable["all"], "usable scan"), counted(flow.yearly["all"], "yearly interval")
    return f"{counted(flow.patients['all'], 'patient')}{inside}, {usable}, {yearly}."


def _compared(rows: pd.DataFrame) -> str:
    structures, terms, analyses = (rows[name].nunique() for name in ("structure", "term", "analysis"))
    return (
        f"{len(rows)} questions ({counted(structures, 'structure')}, {counted(terms, 'term')}, "
        f"{counted(analyses, 'analysis', 'analyses')}), each answered twice: by a classical p-value and by a Bayesian "
        "posterior."
    )


def _counts(rows: pd.DataFrame) -> str:
    tally = rows["verdict"].value_counts()
    parts = [f"{tally[verdict]} {words}" for verdict, words in _SAID.items() if verdict in tally]
    return f"Of {len(rows)}: {listed(parts)}. The cut-offs are conventions, not laws."


def _unsupported_words(results: Results, unsupported: pd.DataFrame) -> str:
    if not len(unsupported):
        return "None."
    parts = []
    for analysis, rows in unsupported.groupby("analysis", sort=False):
        names = [f"{structure_name(row.structure)}, {term_words(row.term, results.groups)}" for row in each_row(rows)]
        parts.append(f"{analysis_title(str(analysis))}: {'; '.join(names)}.")
    return f"{len(unsupported)}, listed with numbers below. {' '.join(parts)}"


def _unsupported_table(results: Results, analysis: str, rows: pd.DataFrame) -> Table:
    caption = (
        f"Classical p < {P_CUT} that the posterior does not bear out (pd ≤ {PD_CUT}, or the opposite sign): "
        f"{analysis_title(analysis)}. Not borne out does not mean shown to be absent."
    )
    shown = contrast_rows(results, rows, naming=("structure", "term"))
    return Table(slug("not-borne-out", analysis), shown, caption, "contrast.tsv", tuple(rows["verdict"]))


def _unit(results: Results, rows: pd.DataFrame) -> str:
    units = [unit for unit in rows["unit"].unique() if unit]
    example = headline(results.estimates, "bayes").iloc[:1]
    reading = ""
    for row in each_row(example):
        change = f"{number(row.estimate)} {row.unit}"
        reading = (
            f" For example, {change} ({structure_name(row.structure)}, {term_words(row.term, results.groups)}; "
            f"{interval_name(results.estimates, 'bayes')} {between(row.ci_low, row.ci_high)}) means: with each "
            f"further lesion, the change of that volume over the interval was on average {number(abs(row.estimate))} "
            f"points {'lower' if row.estimate < 0 else 'higher'}. A negative change is a loss of volume; the "
            "ventricle grows where tissue shrinks."
        )
    return f"{listed(units)}.{reading} eTIV is the estimated total intracranial volume."


def _intervals(results: Results) -> str:
    bayes, classical = interval_name(results.estimates, "bayes"), interval_name(results.estimates, "classical")
    return f"Bayesian: {bayes} (a credible interval). Classical: {classical}."
