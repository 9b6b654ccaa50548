"""The section on predictions: plain words follow the table, and misfits are named with what they mean."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference.predicted_quantities import QUANTITIES
from atrobayes.inference.predictive import COLUMNS
from atrobayes.reports.check_words import MEANINGS, quantity_words
from atrobayes.reports.figures.checks import checks_svg
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.sections import checks

STRUCTURES = ("whole_brain", "thalamus", "caudate", "<b>x</b>")


def _row(structure: str, quantity: str, observed: float, analysis: str = "year_to_year_t2", **more: object) -> dict:
    row = {"analysis": analysis, "structure": structure, "part": "", "quantity": quantity, "observed": observed}
    row |= {"predicted": 0.0, "low": -1.0, "high": 2.0, "ci_prob": 0.95, "p_above": 0.3, "p_below": 0.7, "p": 0.6}
    return row | {"n": 50.0, "patient": "", "replicates": 1000.0, "unit": "% of eTIV"} | more


def _table() -> pd.DataFrame:
    # successive years: 3 of 4 below; largest loss: 1 of 4 above; the rest as expected
    rows = [_row(name, "successive", -1.5 if k else 0.5) for k, name in enumerate(STRUCTURES)]
    rows += [_row(name, "largest_loss", 9.0 if k == 1 else 1.0, patient="QzC003") for k, name in enumerate(STRUCTURES)]
    rows += [_row(name, "mean[CLAD]", 0.1) for name in STRUCTURES]
    rows += [_row("thalamus", "skewness", 0.4, "relapse_years"), _row("thalamus", "skewness", 99.0, part="ALL")]
    return pd.DataFrame(rows)


@pytest.fixture
def results(made_up, tmp_path: Path) -> Results:
    folder = made_up.make_results(tmp_path / "results", every_kind=True)
    write_table(folder / "checks.tsv", _table(), COLUMNS)
    return read_results(folder)


def test_without_the_table_the_command_is_named(made_up, tmp_path):
    """A reader would take silence for a model that passed."""
    section = checks.make(read_results(made_up.make_results(tmp_path)))
    assert "not_applicable" == section.status
    assert "atrobayes sensitivity" in section.paragraphs[0]


def test_plain_words_follow_the_table(results):
    """The sentence would praise a model that the numbers beside it do not."""
    section = checks.make(results)
    assert "1,000 sets" in section.paragraphs[0] or "1000 sets" in section.paragraphs[0]
    first = section.paragraphs[1]
    assert "in 3 of 4 structures for the largest loss" in first
    assert "in 1 of 4 structures for the correlation of successive years" in first
    assert "CLAD" not in first
    # 13 rows with groups, 4 of them outside; the part without groups is not counted twice
    assert "4 of 13 comparisons lie outside the 95% equal-tailed predictive interval" in section.paragraphs[2]
    assert "about 1 or fewer" in section.paragraphs[2]


def test_a_misfit_is_explained_and_a_single_odd_structure_is_not(results):
    """One value in twenty lies outside by chance, and would be made a story of."""
    said = " ".join(checks.make(results).paragraphs)
    assert "lower than expected in 3 of 4 structures" in said
    assert MEANINGS["successive", False] in said
    assert MEANINGS["largest_loss", True] not in said


def test_normal_errors_of_comparisons_are_said(results):
    """A headline with Student-t errors would be doubted for what it allows."""
    assert "Student-t errors, which allow" in checks.make(results).paragraphs[-1]


def test_tables_count_and_list_what_is_outside(results):
    """Numbers in the report would be others than in the file, and patients named."""
    counts, outside = checks.make(results).tables
    shown = counts.frame.set_index("What was compared")
    assert "3 of 4" == shown.loc["largest loss", "New T2 lesions, year to year"]
    assert "" == shown.loc["largest loss", "Years with a relapse"]
    assert 4 == len(outside.frame)
    assert outside.folded
    loss = outside.frame[outside.frame["What was compared"].str.startswith("largest loss")].iloc[0]
    assert "largest loss (patient 4)" == loss["What was compared"]
    assert ("9.00", "0.00 (\N{MINUS SIGN}1.00 to 2.00)") == (loss["Seen"], loss["Expected"])
    assert "Qz" not in outside.frame.to_string()


def test_a_figure_for_each_analysis(results):
    """Structures would be drawn where other ones stand."""
    parts = checks.make(results).parts
    assert ["checks-year_to_year_t2", "checks-relapse_years"] == [part.id for part in parts]
    for part in parts:
        (figure,) = part.figures
        ElementTree.fromstring(figure.svg)  # noqa: S314 - our own drawing
        assert "expected" in figure.caption
    assert "4 structures by 3 quantities; 4 of 12 observed values lie outside" in parts[0].figures[0].alt
    assert "&lt;b&gt;x&lt;/b&gt;" in parts[0].figures[0].svg
    assert parts == checks.make(results).parts


def test_places_are_measured_from_the_median_to_either_end():
    """In a skewed interval what is inside would be drawn outside."""
    rows = pd.DataFrame([_row("thalamus", "skewness", value) for value in (-1.0, -0.5, 0.0, 1.0, 2.0, 3.0, -1.1)])
    found = checks._judged(rows)
    assert [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, -1.1] == pytest.approx(found["place"].tolist())
    assert [False] * 5 + [True] * 2 == found["outside"].tolist()
    # an interval without length: on it, or far out
    flat = checks._judged(pd.DataFrame([_row("thalamus", "x", v, low=0.0, high=0.0) for v in (0.0, 0.2)]))
    assert [0.0, 99.0] == flat["place"].tolist()


def test_every_quantity_has_words():
    """A column's name would stand in a sentence."""
    for name in set(QUANTITIES) - {"mean[G]"}:
        assert "_" not in quantity_words(name)
        assert quantity_words(name) != name or name == "skewness"
    assert "mean change in a[b]" == quantity_words("mean[a[b]]")
    assert "mean change" == quantity_words("mean[ALL]")
    assert {name for name, _ in MEANINGS} <= set(QUANTITIES)


def test_the_drawing_says_by_shape_what_it_says_by_colour():
    """Readers who cannot tell the colours apart would not see what is outside."""
    rows = pd.DataFrame({"structure": ["a", "b", "c"], "quantity": "q", "place": [0.5, 1.5, np.nan]})

    def drawn(outside: list[bool]) -> str:
        own = rows.assign(outside=outside)
        return checks_svg("x", own, panels={"q": "Q"}, structures=dict.fromkeys("abc", "s"), alt="a")

    assert drawn([False, True, False]) != drawn([False, False, False])
    assert drawn([False, True, False]) == drawn([False, True, False])
