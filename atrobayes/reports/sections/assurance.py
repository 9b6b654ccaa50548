"""A future study: the chance that it reaches the conclusion asked for."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.figures.assurance import AssuranceWords, assurance_svg
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import analysis_title, count, counted, number, structure_name, term_words

TITLE = "A future study"
_BLANK = "\N{NO-BREAK SPACE}"
_FEW = 4  # structures that are each said in a sentence
_HOW = (
    "Future patients are patients of this study, drawn with replacement within their group: lesions, missing visits "
    "and early ends come along, so dropout is as observed. In years beyond the observed ones a patient stays on with "
    "the group's observed probability, with the lesions of a row of the group's last observed year, drawn at random. "
    "Errors are taken as independent. Power at the posterior mean treats what is uncertain as known; the other two "
    "average over what the posterior leaves open, which is why they may level off below 100%: where there is little "
    "to find, no number of patients finds it."
)


def make(results: Results) -> Section:
    """Plain words, the curve with classical power beside it, and the table."""
    rows = results.look("assurance")
    if rows is None or rows.empty:
        said = "Not computed. `atrobayes design STUDY.toml` simulates the studies that [design] describes."
        return Section("assurance", TITLE, "not_applicable", (said,))
    first = next(each_row(rows))
    question = (
        f"What would a new study of the same kind find? The question is that of “{analysis_title(first.analysis)}”, "
        f"{term_words(first.term, results.groups)}; the study counts as successful when {_conclusion(first)}. "
        f"Assurance is the probability of that: {counted(first.simulations, 'study', 'studies')} of each size were "
        "simulated, each with a truth drawn from this study's posterior, and refitted with the same prior."
    )
    return Section("assurance", TITLE, "ok", (question, _found(rows), _HOW), (_table(rows),),
                   (_figure(rows, results),))  # fmt: skip


def _conclusion(row: object) -> str:
    kind, threshold, level = (getattr(row, name) for name in ("conclusion", "threshold", "ci_prob"))
    if kind == "width":
        return f"its {100 * level:g}% interval is narrower than {number(threshold)} SDs of the outcome, for u lesions"
    if kind == "rope":
        return (
            f"the probability that the effect lies outside the region of practical equivalence is above {threshold:g}"
        )
    return f"the probability of direction is above {threshold:g}"


def _found(rows: pd.DataFrame) -> str:
    """Of the largest study: each structure if they are few, else the lowest and the highest."""
    years = rows["years"].max()
    largest = rows[(rows["years"] == years) & (rows["patients"] == rows["patients"].max())]
    if len(largest) > _FEW:
        ranked = largest.sort_values("assurance", kind="stable")
        largest = ranked.iloc[[0, -1]]
        between = "the lowest and the highest of all structures"
    else:
        between = "every structure"
    said = "; ".join(
        f"{structure_name(row.structure)} {_percent(row.assurance, row.mc_error)}, "
        f"the classical test {_percent(row.power, row.power_mc_error)}"
        for row in each_row(largest)
    )
    size = f"{count(largest['patients'].iloc[0])} patients and {counted(years, 'year')}"
    return f"Assurance with {size}, ± one Monte Carlo standard error ({between}): {said}.{_turned(rows)}"


def _turned(rows: pd.DataFrame) -> str:
    if rows["conclusion"].iloc[0] == "width":
        return ""
    wrong = rows["wrong_direction"].max()
    if not wrong:
        return " No simulated study was successful with the sign opposite to the truth."
    return f" Of the studies of each size, at most {100 * wrong:.1f}% succeeded with the sign opposite to the truth."


def _figure(rows: pd.DataFrame, results: Results) -> Figure:
    structures = list(dict.fromkeys(rows["structure"]))
    series = {
        "assurance": f"assurance ({_short(rows.iloc[0])})",
        "power": "classical test p < 0.05, same simulated studies",
        "power_at_mean": "classical power at the posterior mean, taken as known",
    }
    alt = (
        f"Assurance and classical power of {len(structures)} structures against the number of patients, from "
        f"{count(rows['patients'].min())} to {count(rows['patients'].max())}."
    )
    words = AssuranceWords({name: structure_name(name) for name in structures}, series, alt)
    caption = (
        f"Probability that a future study succeeds, {term_words(str(rows['term'].iloc[0]), results.groups)}, by the "
        "number of patients enrolled (logarithmic axis) and structure. Blue: assurance, the truth drawn from this "
        "study's posterior; grey: the classical test in the same simulated studies; broken: its power if the posterior "
        "mean were the truth. Bars: 1.96 Monte Carlo standard errors to either side."
    )
    return Figure("assurance", assurance_svg("assurance", rows, words), alt, caption)


def _short(row: pd.Series) -> str:
    said = {"pd": "pd >", "rope": "outside the ROPE >", "width": "interval in SDs <"}
    return f"{said[str(row['conclusion'])]} {row['threshold']:g}"


def _table(rows: pd.DataFrame) -> Table:
    shown = [
        {
            "structure": structure_name(row.structure),
            "patients": count(row.patients),
            "years": count(row.years),
            "rows a study": count(row.rows_mean),
            "assurance": _percent(row.assurance, row.mc_error),
            "wrong sign": f"{100 * row.wrong_direction:.1f}%",
            "classical p < 0.05": _percent(row.power, row.power_mc_error),
            "power at the mean": _percent(row.power_at_mean, row.power_at_mean_mc_error),
        }
        for row in each_row(rows)
    ]
    details = "After ± one Monte Carlo standard error. Wrong sign: successful, with the sign opposite to the truth."
    return Table(
        "assurance", pd.DataFrame(shown), "Every size of study.", "assurance.tsv", details, folded=len(rows) > 16
    )


def _percent(rate: float, error: float) -> str:
    return f"{100 * rate:.1f}%{_BLANK}(±{_BLANK}{100 * error:.1f})"
