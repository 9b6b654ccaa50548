"""What the models predict: whether made-up patients look like these patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.reports.check_words import MEANINGS, expectation, quantity_words
from atrobayes.reports.figures.checks import checks_svg
from atrobayes.reports.kinds import kind_of
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.trajectories import patient_numbers
from atrobayes.reports.wording import (
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
)

TITLE = "What the models predict"
_MANY = 0.2  # of an analysis' structures: more than chance alone is likely to put outside


def make(results: Results) -> Section:
    """Plain words, one table of counts, what it means where data and model part, and a figure an analysis."""
    rows = results.look("checks")
    if rows is None or not len(rows):
        words = "No model was asked to predict the data it was fitted to. `atrobayes sensitivity STUDY.toml` does that."
        return Section("checks", TITLE, "not_applicable", (words,))
    rows = _judged(rows[rows["part"] == ""])
    paragraphs = (_asked(rows), *_expected(rows), *_chance(rows), *_partings(rows), *_normal(results, rows))
    parts = tuple(_part(rows[rows["analysis"] == name], str(name)) for name in rows["analysis"].unique())
    tables = (_counts(rows), *_apart(results, rows))
    return Section("checks", TITLE, "ok", paragraphs, tables, parts=parts)


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with `place`, 0 at the predicted median and ±1 at the ends of the interval, and `outside`."""
    above = rows["observed"] >= rows["predicted"]
    room = np.where(above, rows["high"] - rows["predicted"], rows["predicted"] - rows["low"])
    off = rows["observed"] - rows["predicted"]
    # an interval of no length, as a share of 0 may have: on it, or endlessly far
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.where(off == 0, 0.0, off / room)
    outside = (rows["observed"] < rows["low"]) | (rows["observed"] > rows["high"])
    return rows.assign(place=np.clip(place, -99, 99), outside=outside)


def _asked(rows: pd.DataFrame) -> str:
    return (
        f"Each model was asked to make up {number(rows['replicates'].max(), 4)} sets of data like these: the same "
        "lesion counts, groups and missing years, and other patients. Where the real data look like one of the "
        "made-up sets, the model knows what matters here; where they do not, it lacks something, and what it says "
        "elsewhere deserves less trust."
    )


def _expected(rows: pd.DataFrame) -> list[str]:
    """The first analysis in the words of a clinic."""
    own = rows[rows["analysis"] == rows["analysis"].iloc[0]]
    inside = {str(name): int((~part["outside"]).sum()) for name, part in own.groupby("quantity", sort=False)}
    title = analysis_title(str(own["analysis"].iloc[0]))
    return [f"{title}. {expectation(inside, own['structure'].nunique())}"]


def _tally(rows: pd.DataFrame) -> tuple[int, int]:
    return int((~rows["outside"]).sum()), len(rows)


def _chance(rows: pd.DataFrame) -> list[str]:
    outside, share = int(rows["outside"].sum()), 1 - float(rows["ci_prob"].max())
    return [
        f"Over all analyses {outside} of {counted(len(rows), 'comparison')} lie outside the {level(rows)} equal-tailed "
        f"predictive interval, where chance alone would put about {share * len(rows):.0f} or fewer: fewer, since the "
        "models have seen the data that they predict. Structures of one analysis share scans, so that what is found "
        "in one tends to be found in others."
    ]


def _partings(rows: pd.DataFrame) -> list[str]:
    """One paragraph for each quantity and side that more structures lie on than chance is likely to put there."""
    found = []
    for (quantity, above), own in (
        rows[rows["outside"]].assign(above=rows["place"] > 0).groupby(["quantity", "above"], sort=False)
    ):
        places = [_place(rows, part) for _, part in own.groupby("analysis", sort=False) if _many(rows, part)]
        if places:
            name = quantity_words(str(quantity))
            side = "higher" if above else "lower"
            meaning = MEANINGS.get((str(quantity), bool(above)), "")
            found.append(f"{name[0].upper()}{name[1:]}, {side} than expected in {listed(places)}. {meaning}".strip())
    return found


def _many(rows: pd.DataFrame, part: pd.DataFrame) -> bool:
    return len(part) >= 2 and len(part) > _MANY * _of(rows, part)


def _of(rows: pd.DataFrame, part: pd.DataFrame) -> int:
    same = (rows["analysis"] == part["analysis"].iloc[0]) & (rows["quantity"] == part["quantity"].iloc[0])
    return int(same.sum())


def _place(rows: pd.DataFrame, part: pd.DataFrame) -> str:
    title = analysis_title(str(part["analysis"].iloc[0]))
    return f"{len(part)} of {counted(_of(rows, part), 'structure')} ({title})"


def _normal(results: Results, rows: pd.DataFrame) -> list[str]:
    states = [str(name) for name in rows["analysis"].unique() if kind_of(results, str(name)) == "comparison"]
    if not states:
        return []
    return [
        f"For {listed(map(analysis_title, states))} the model looked at has normal errors, since it can be integrated "
        "exactly; the headline there has Student-t errors, which allow for single changes that stand out."
    ]


def _counts(rows: pd.DataFrame) -> Table:
    """Quantities down, analyses across: in how many structures the data look as expected."""
    cells: dict[str, dict[str, str]] = {}
    for (analysis, quantity), part in rows.groupby(["analysis", "quantity"], sort=False):
        inside, whole = _tally(part)
        cells.setdefault(quantity_words(str(quantity)), {})[analysis_title(str(analysis))] = f"{inside} of {whole}"
    titles = [analysis_title(str(name)) for name in rows["analysis"].unique()]
    frame = pd.DataFrame(
        [{"What was compared": words} | {title: own.get(title, "") for title in titles} for words, own in cells.items()]
    )
    details = f"Within the {level(rows)} equal-tailed posterior predictive interval."
    return Table("checks-counts", frame, "Structures in which the data look as expected", "checks.tsv", details)


def _apart(results: Results, rows: pd.DataFrame) -> tuple[Table, ...]:
    outside = rows[rows["outside"]]
    if not len(outside):
        return ()
    numbers = patient_numbers(results)
    frame = pd.DataFrame([_seen(row, numbers) for row in each_row(outside)])
    details = (
        f"Expected: predictive median and {level(rows)} equal-tailed interval. p: posterior predictive, two-sided "
        "(twice the smaller tail). Patients by their place in patients.tsv."
    )
    caption = "Where the data do not look as expected"
    return (Table("checks-outside", frame, caption, "checks.tsv", details, folded=True),)


def _seen(row: Any, numbers: dict[str, int]) -> dict[str, str]:
    places = decimals([(row.high - row.low) / 2])
    who = f" (patient {numbers[row.patient]})" if row.patient in numbers else ""
    return {
        "Analysis": analysis_title(row.analysis),
        "Structure": structure_name(row.structure),
        "What was compared": quantity_words(row.quantity) + who,
        "Seen": fixed(row.observed, places),
        "Expected": f"{fixed(row.predicted, places)} ({between(row.low, row.high, places)})",
        "p": f"< {2 / row.replicates:.3f}" if row.p == 0 else probability(row.p),
        "Unit": "" if row.unit in {"ratio", "correlation", "skewness", "proportion"} else row.unit,
    }


def _part(rows: pd.DataFrame, analysis: str) -> Section:
    panels = {str(name): quantity_words(str(name), short=True) for name in rows["quantity"].unique()}
    structures = {str(name): structure_name(str(name)) for name in rows["structure"].unique()}
    outside = _with_most(rows)
    alt = (
        f"{analysis_title(analysis)}: {len(structures)} structures by {len(panels)} quantities; "
        f"{int(rows['outside'].sum())} of {len(rows)} observed values lie outside what the model expects{outside}."
    )
    name = slug("checks", analysis)
    caption = (
        f"{analysis_title(analysis)}. Each bar is the {level(rows)} equal-tailed posterior predictive interval of one "
        "quantity in one structure, all drawn equally long, with its median; the point is what was seen. Left: lower "
        "than expected; right: higher. The numbers stand in checks.tsv."
    )
    drawing = checks_svg(name, rows, panels=panels, structures=structures, alt=alt)
    return Section(name, analysis_title(analysis), figures=(Figure(name, drawing, alt, caption),))


def _with_most(rows: pd.DataFrame) -> str:
    by = rows.groupby("quantity", sort=False)["outside"].sum()
    return f", most of them of the {quantity_words(str(by.idxmax()))}" if by.max() > 1 else ""
