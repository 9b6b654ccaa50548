"""The groups before treatment: the study's Table 1."""

from __future__ import annotations

from typing import Any

import pandas as pd

from atrobayes.models.clinical_table import clinical_table
from atrobayes.reports.all_numbers import all_numbers
from atrobayes.reports.analyses.words import no_headline, verdicts
from atrobayes.reports.contrast import headline
from atrobayes.reports.contrast_table import contrast_rows, intervals_in_words
from atrobayes.reports.forests import forest
from atrobayes.reports.kinds import contrast_of, rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import (
    analysis_question,
    analysis_title,
    count,
    fixed,
    number,
    p_cell,
    slug,
    structure_name,
)

_MEASURED_ENGINE = "t"


def part(results: Results, analysis: str) -> Section:
    """Table 1, the differences side by side, and a forest plot of them."""
    estimates = rows_of(results, analysis)
    rows = contrast_of(results, analysis)
    paragraphs = (
        analysis_question(analysis),
        *no_headline(results, analysis),
        "Age and disease duration: mean (SD), Student's t. Counts and EDSS: median (quartiles), Wilcoxon's rank sum "
        "with the Hodges-Lehmann shift. Standardised difference: difference of the means in pooled SDs; it describes "
        "these groups and does not depend on how many patients there are, as p does. Beyond 0.1 is often called "
        "imbalance. A p of 0.05 or more does not make groups comparable.",
        *verdicts(rows),
    )
    name, title = slug("analysis", analysis), analysis_title(analysis)
    tables = (
        _first_table(results, estimates),
        _differences(results, rows, analysis),
        all_numbers(results, analysis),
    )
    return Section(name, title, "ok", paragraphs, tables, (forest(results, analysis),))


def _first_table(results: Results, estimates: pd.DataFrame) -> Table:
    described = clinical_table(results.cohort, results.groups)
    described = described[described["table"] == "baseline"].set_index(["variable", "group"])
    headlines = headline(estimates, "classical")
    by_t = set(headlines.loc[headlines["engine"] == _MEASURED_ENGINE, "structure"])
    tests = {
        method: headline(estimates, method).set_index(["structure", "term"])
        for method in ("classical", "classical_welch")
    }
    terms = list(headlines["term"].unique())
    rows = []
    for variable in headlines["structure"].unique():
        row = {"Variable": structure_name(str(variable)), "Unit": str(described.loc[variable, "unit"].iloc[0])}
        row |= {f"{group}": _cell(described, variable, group, measured=variable in by_t) for group in results.groups}
        for term in terms if len(terms) == 1 else []:
            welch = tests["classical_welch"]["p"].get((variable, term), float("nan"))
            row |= {
                "p": p_cell(tests["classical"]["p"].get((variable, term), float("nan"))),
                "p, Welch": p_cell(float(welch)),
                "Standardised difference": number(
                    tests["classical"]["std_difference"].get((variable, term), float("nan")), 2
                ),
            }
        rows.append(row)
    details = "Mean (SD) where the test is Student's t, else median (quartiles); n patients."
    return Table("table-1", pd.DataFrame(rows), "Patients before treatment, by group.", "", details)


def _cell(described: pd.DataFrame, variable: str, group: str, *, measured: bool) -> str:
    if (variable, group) not in described.index:
        return "n/a"
    row: Any = described.loc[(variable, group)]
    places = 1
    if measured:
        text = f"{fixed(row['mean'], places)} ({fixed(row['sd'], places)})"
    else:
        text = f"{number(row['median'], 3)} ({number(row['q1'], 3)} to {number(row['q3'], 3)})"
    return f"{text}; {count(row['n'])}"


def _differences(results: Results, rows: pd.DataFrame, analysis: str) -> Table:
    naming = ("structure", "term") if len(rows["term"].unique()) > 1 else ("structure",)
    shown = contrast_rows(results, rows, naming).rename(columns={"Structure": "Variable"})
    between = f", {results.groups[0]} minus {results.groups[1]}" if len(results.groups) == 2 else ""
    caption = f"{analysis_title(analysis)}: differences{between}."
    details = f"{intervals_in_words(results).capitalize()}."
    return Table(slug("contrast", analysis), shown, caption, "contrast.tsv", details, tuple(rows["verdict"]))
