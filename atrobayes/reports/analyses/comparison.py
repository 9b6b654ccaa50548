"""Years with activity against years without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.reports.all_numbers import all_numbers
from atrobayes.reports.analyses.words import opening, verdicts
from atrobayes.reports.contrast import headline
from atrobayes.reports.contrast_table import contrast_rows, intervals_in_words
from atrobayes.reports.forests import forest
from atrobayes.reports.kinds import contrast_of, rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import (
    MINUS,
    analysis_title,
    count,
    listed,
    p_cell,
    probability,
    slug,
    structure_name,
)

_QUIET_IS = {"neda3": "yes", "neda4": "yes"}  # what the column says of a year without activity


def part(results: Results, analysis: str) -> Section:
    """Question, years by state, forest plot, both answers, and what ranks and superiority say."""
    estimates = rows_of(results, analysis)
    rows = contrast_of(results, analysis)
    paragraphs = (
        *opening(results, analysis, "patient-years"),
        *_states(results, estimates),
        *verdicts(rows),
        _reading(),
    )
    title = analysis_title(analysis)
    details = f"in {listed(rows['unit'].unique())}: {intervals_in_words(results)}."
    both = contrast_rows(results, rows)
    name = slug("contrast", analysis)
    caption = f"{title}: years with activity {MINUS} years without,"
    tables = (
        Table(name, both, caption, "contrast.tsv", details, tuple(rows["verdict"])),
        _ranks(estimates),
        all_numbers(results, analysis),
    )
    return Section(slug("analysis", analysis), title, "ok", paragraphs, tables, (forest(results, analysis),))


def _reading() -> str:
    return (
        f"The difference is years with activity {MINUS} years without; the classical estimate is the Hodges-Lehmann "
        "shift. Mann-Whitney's p takes the years of one patient as independent, which they are not. Two further p do "
        "not: the clustered rank sum of Datta and Satten, and a permutation test that moves whole patients' years. "
        "Probability of superiority: how often a random year with activity has the larger value than a random year "
        "without, 0.5 being no difference; between two random patients, or within one and the same patient."
    )


def _states(results: Results, estimates: pd.DataFrame) -> tuple[str, ...]:
    column = str(estimates["predictor"].iloc[0])
    both = headline(estimates, "classical")["n_both"].dropna()
    told = f"Patients with years of both kinds: {_range(both)}." if len(both) else ""
    years = results.intervals[results.intervals["visit_to"] == results.intervals["visit_from"] + 1]
    if column in years:
        active, quiet = _counts(years[column], column)
        told = f"Yearly intervals with activity: {active}; without: {quiet}. {told}"
    return (told,) if told else ()


def _counts(values: pd.Series, column: str) -> tuple[int, int]:
    if pd.api.types.is_numeric_dtype(values):
        return int((values > 0).sum()), int((values == 0).sum())
    quiet = _QUIET_IS.get(column, "no")
    return int(values.isin({"yes", "no"} - {quiet}).sum()), int((values == quiet).sum())


def _ranks(estimates: pd.DataFrame) -> Table:
    ranks = headline(estimates, "classical").set_index("structure")
    columns: dict[str, Any] = {
        "Structure": [structure_name(str(name)) for name in ranks.index],
        "Mann-Whitney U": ranks["statistic"].map(lambda u: "n/a" if np.isnan(u) else f"{u:.10g}").to_numpy(),
        "p, Mann-Whitney": ranks["p"].map(p_cell).to_numpy(),
    }
    for method, words in {"classical_clustered": "p, clustered", "classical_permutation": "p, permutation"}.items():
        beside = headline(estimates, method).set_index("structure")["p"].reindex(ranks.index)
        columns[words] = beside.map(p_cell).to_numpy()
    columns["Superiority, U/(n₁n₂)"] = ranks["prob_superiority"].map(probability).to_numpy()
    for method, words in {"bayes": "Bayesian", "bayes_normal": "normal errors"}.items():
        answered = headline(estimates, method).set_index("structure")
        if len(answered):
            for name, which in {"prob_superiority": "between", "prob_superiority_within": "within"}.items():
                values = answered[name].reindex(ranks.index)
                columns[f"Superiority {which} patients, {words}"] = values.map(probability).to_numpy()
    columns["Patients with both"] = ranks["n_both"].map(count).to_numpy()
    analysis = str(estimates["analysis"].iloc[0])
    caption = f"{analysis_title(analysis)}: ranks and probability of superiority"
    return Table(slug("ranks", analysis), pd.DataFrame(columns), caption, "estimates.tsv")


def _range(counts: pd.Series) -> str:
    low, high = count(counts.min()), count(counts.max())
    return low if low == high else f"{low} to {high}"
