"""The clinical course: relapses, lesions and EDSS by visit and group."""

from __future__ import annotations

import math
import re

import pandas as pd

from atrobayes.models.clinical_table import clinical_table
from atrobayes.models.neda_bounds import EVERYBODY
from atrobayes.reports.all_numbers import all_numbers
from atrobayes.reports.analyses.neda import neda_tables, neda_words
from atrobayes.reports.analyses.words import no_headline
from atrobayes.reports.contrast import headline
from atrobayes.reports.figures.course import CourseWords, course_svg
from atrobayes.reports.kinds import rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import (
    analysis_question,
    analysis_title,
    between,
    count,
    decimals,
    fixed,
    interval_name,
    number,
    probability,
    slug,
    structure_name,
)

_CELL = re.compile(r"(rate|median|rate_ratio)\[(.*),(-?\d+)\]", flags=re.DOTALL)


def part(results: Results, analysis: str) -> Section:
    """Tables of what was seen and of NEDA, figure and table of the posterior rates and medians, rate ratios."""
    cells = course_cells(rows_of(results, analysis))
    name, title = slug("analysis", analysis), analysis_title(analysis)
    paragraphs = (analysis_question(analysis), *no_headline(results, analysis), *_reading(cells), *neda_words(results))
    described = (_seen(results), *neda_tables(results))
    tables = [*described, *_rates(results, cells), *_ratios(results, cells), all_numbers(results, analysis)]
    return Section(name, title, "ok", paragraphs, tuple(tables), (_figure(results, analysis, cells),))


def course_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Headline rows of a course with what their term names.

    Parameters
    ----------
    rows : DataFrame
        Rows of the estimates.

    Returns
    -------
    DataFrame
        The rows with `kind` (rate, median or rate_ratio), `of` (the group, or "A/B") and `visit`.
    """
    both = pd.concat([headline(rows, method) for method in ("classical", "bayes")])
    parts = [_CELL.fullmatch(term) for term in both["term"]]
    named = [match.groups() if match else ("", "", "-1") for match in parts]
    kinds = pd.DataFrame(named, columns=["kind", "of", "visit"], index=both.index).astype({"visit": int})
    return both.join(kinds)


def _reading(cells: pd.DataFrame) -> tuple[str, ...]:
    text = (
        "The first table says what was seen. Counts are lesions found and relapses since the visit before; at visit 0 "
        "they tell of the time before treatment. Nothing is tested classically here, and no verdict is given."
    )
    if not (cells["method"] == "bayes").any():
        return (text,)
    return (
        text,
        "Rates are counts per year of observation. The posterior of a rate is that of a negative binomial model in "
        "which visits and groups differ freely and patients have their own level; that of a median EDSS is of a "
        "cumulative logit model. A rate ratio is the first group's rate over the second's; 1 means equal. Groups were "
        "not randomised: a ratio is an association.",
    )


def _seen(results: Results) -> Table:
    table = clinical_table(results.cohort, results.groups)
    course = table[table["table"] == "course"].set_index(["visit", "group", "variable"])
    groups = results.groups if len(results.groups) > 1 else (EVERYBODY,)
    rows = [
        _seen_row(course, visit, group)
        for visit in dict.fromkeys(course.index.get_level_values("visit"))
        for group in groups
    ]
    details = "Share and means over the patients in whom the count is known."
    return Table("course-seen", pd.DataFrame(rows), "Seen at each visit.", "clinical.tsv", details)


def _seen_row(course: pd.DataFrame, visit: int, group: str) -> dict[str, str]:
    def of(variable: str, column: str) -> float:
        place = (visit, group, variable)
        return float(course[column].get(place, math.nan))

    known = [of(variable, "n") for variable in ("relapses", "new_t2", "new_gd", "edss")]
    quartiles = f"{number(of('edss', 'q1'))} to {number(of('edss', 'q3'))}"
    median = number(of("edss", "median"))
    return {
        "Visit": str(visit),
        "Group": "all patients" if group == EVERYBODY else group,
        "Patients": count(pd.Series(known).max()),
        "With a relapse, %": _percent(of("relapses", "share_any")),
        "Mean new T2 lesions": number(of("new_t2", "mean")),
        "Mean new Gd+ lesions": number(of("new_gd", "mean")),
        "Median EDSS (quartiles)": median if median == "n/a" else f"{median} ({quartiles})",
    }


def _percent(share: float) -> str:
    return "n/a" if pd.isna(share) else f"{100 * share:.0f}"


def _rates(results: Results, cells: pd.DataFrame) -> list[Table]:
    own = cells[cells["kind"].isin(["rate", "median"])].dropna(subset="estimate")
    if not (own["method"] == "bayes").any():
        return []
    wide = own.set_index(["structure", "visit", "of", "method"])
    rows = []
    for structure, visit, of in dict.fromkeys(own.set_index(["structure", "visit", "of"]).index):
        place = (structure, visit, of)
        seen = wide["estimate"].get((*place, "classical"), float("nan"))
        told = wide.loc[[(*place, "bayes")]].iloc[0] if (*place, "bayes") in wide.index else None
        rows.append(
            {
                "Variable": structure_name(structure),
                "Visit": str(visit),
                "Group": "all patients" if of == EVERYBODY else of,
                "Seen": number(seen),
                "Posterior median": "n/a" if told is None else number(told["median"]),
                interval_name(results.estimates, "bayes"): "n/a" if told is None else _interval(told),
                "Unit": str(own.loc[own["structure"] == structure, "unit"].iloc[0]),
            }
        )
    caption = "Rates a year and median EDSS by visit and group, as seen and by the posterior"
    return [Table("course-rates", pd.DataFrame(rows), caption, "estimates.tsv", folded=True)]


def _ratios(results: Results, cells: pd.DataFrame) -> list[Table]:
    own = cells[cells["kind"] == "rate_ratio"]
    bayes = own[own["method"] == "bayes"].dropna(subset="estimate")
    if not len(bayes):
        return []
    seen = own[own["method"] == "classical"].set_index(["structure", "term"])["estimate"]
    rows = [
        {
            "Variable": structure_name(str(row["structure"])),
            "Visit": str(row["visit"]),
            "Ratio": str(row["of"]).replace("/", " / "),
            "Seen": number(seen.get((row["structure"], row["term"]), float("nan"))),
            "Posterior median": number(row["median"]),
            interval_name(results.estimates, "bayes"): _interval(row),
            "pd": probability(row["pd"]),
        }
        for _, row in bayes.iterrows()
    ]
    caption = "Rate ratios between the groups at each visit."
    details = "Seen is n/a where the second group had none."
    return [Table("course-ratios", pd.DataFrame(rows), caption, "estimates.tsv", details)]


def _interval(row: pd.Series) -> str:
    low, high = float(row["ci_low"]), float(row["ci_high"])
    return (
        between(low, high, max(decimals([(high - low) / 2], (low, high)), 0))
        if high < 100
        else (f"{fixed(low, 2)} to {number(high)}")
    )


def _figure(results: Results, analysis: str, cells: pd.DataFrame) -> Figure:
    own = cells[cells["kind"].isin(["rate", "median"])]
    panels = {
        str(structure): f"{structure_name(str(structure))}{', a year' if kind == 'rate' else ', median'}"
        for structure, kind in dict(zip(own["structure"], own["kind"], strict=True)).items()
    }
    groups = {group: "all patients" if group == EVERYBODY else group for group in dict.fromkeys(own["of"])}
    alt = f"Course by visit of {', '.join(panels.values())}, one line per group; the numbers are in the tables below."
    drawn = (own["method"] == "bayes").any()
    bars = f"posterior median with {interval_name(results.estimates, 'bayes')}" if drawn else ""
    name = slug("course", analysis)
    words = CourseWords(panels, groups, "as seen", bars, alt)
    caption = (
        f"{analysis_title(analysis)}. Open markers: what was seen (counts per year of observation; median EDSS)."
        f"{' Filled markers and bars: ' + bars + '.' if drawn else ''} Counts at visit 0 tell of the time before "
        "treatment; bars that leave the panel end at its border."
    )
    return Figure(name, course_svg(name, own, words), alt, caption)
