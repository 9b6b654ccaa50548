"""The section on definitions and missing data: forks, miscounts and unseen years beside what was analysed."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference.definition_look import COLUMNS
from atrobayes.reports.definition_rows import definition_rows
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.sections import definitions

NAMES = [column.name for column in COLUMNS]
REASON = "one interval a patient"


def _row(structure: str, look: str, setting: str, estimate: float, pd_: float, **more: float) -> dict:
    row = {"analysis": "year_to_year_t2", "structure": structure, "term": "slope[CLAD]", "look": look}
    row |= {"setting": setting, "estimate": estimate, "sd": 0.1, "ci_low": estimate - 0.2, "ci_high": estimate + 0.2}
    row |= {"pd": pd_, "ci_prob": 0.95, "unit": "% of eTIV per new T2 lesion", "u": 1.0, "s_y": 0.5, "reason": ""}
    return row | more


def _looked() -> pd.DataFrame:
    rows = []
    for name, shift, tip in (("thalamus", 0.0, 0.25), ("caudate", 0.3, float("nan"))):
        base = -0.4 + shift
        rows += [_row(name, "base", "base", base, 0.99)]
        ranged = {"range_low": base - 0.05, "range_high": base + 0.06, "share_sign": 1.0 - shift, "data_sets": 100.0}
        rows += [_row(name, "miscounts", "miscounted=0.1", base, 0.98, **ranged, ci_low=float("nan"))]
        for delta in (-0.5, 0.0, 0.5):
            more = {"delta": delta, "filled": 39.0}
            rows += [_row(name, "dropout", f"delta={delta:g}", base + 0.3 * delta, 0.98 - (delta > 0) * 0.1, **more)]
        tipped = {"delta": tip, "reason": "" if tip == tip else "not between -0.5 and 0.5 SD"}  # noqa: PLR0124
        rows += [_row(name, "dropout", "tipping_pd", float("nan"), float("nan"), **tipped)]
    left = {"analysis": "year_to_year_gd", "look": "dropout", "setting": "left_out", "reason": REASON}
    return pd.DataFrame([*rows, left]).reindex(columns=NAMES)


def _forked() -> pd.DataFrame:
    """A few columns of sensitivity.tsv."""
    rows = []
    for fork, effect, method, pd_ in (
        ("base", -0.8, "bayes", 0.99),
        ("base", -0.7, "classical", float("nan")),
        ("intervals=without_first", 0.2, "bayes", 0.7),
        ("prior=wide", -0.9, "bayes", 0.99),
        ("predictor=split", -0.6, "bayes", 0.98),
        ("predictor=split", -0.5, "bayes_robust", 0.98),
    ):
        row = {"fork": fork, "analysis": "year_to_year_t2", "structure": "thalamus", "term": "slope[CLAD]"}
        row |= {"method": method, "estimate": effect / 2, "pd": pd_, "effect": effect, "effect_low": effect - 0.4}
        row |= {"effect_high": effect + 0.4, "unit": "% of eTIV per new T2 lesion", "u": 1.0, "s_y": 0.5}
        rows.append(row | {"ci_prob": 0.95})
    return pd.DataFrame(rows)


@pytest.fixture
def results(made_up, tmp_path: Path) -> Results:
    folder = made_up.make_results(tmp_path / "results", every_kind=True)
    write_table(folder / "definitions.tsv", _looked(), COLUMNS)
    _forked().to_csv(folder / "sensitivity.tsv", sep="\t", index=False, na_rep="n/a")
    return read_results(folder)


def test_without_tables_the_command_is_named(made_up, tmp_path):
    """A reader would take silence for answers that do not depend on definitions."""
    section = definitions.make(read_results(made_up.make_results(tmp_path)))
    assert "not_applicable" == section.status
    assert "atrobayes sensitivity" in section.paragraphs[0]


def test_forks_and_looks_stand_on_one_scale(results):
    """A fork would be set beside a base in other units, or with other errors."""
    rows = definition_rows(results)
    thalamus = rows[rows["structure"] == "thalamus"].set_index("series")
    expected = {
        "base": -0.8,
        "miscounted=0.1": -0.8,
        "delta=-0.5": -1.1,
        "delta=0.5": -0.5,
        "intervals=without_first": 0.2,
        "predictor=split": -0.6,
    }
    assert expected == pytest.approx(thalamus["estimate"].to_dict())
    assert [-0.9, -0.68] == pytest.approx(thalamus.loc["miscounted=0.1", ["low", "high"]].tolist())
    assert [-1.2, -0.4] == pytest.approx(thalamus.loc["base", ["low", "high"]].tolist())
    # the fork is sure of the other sign
    assert 0.3 == pytest.approx(thalamus.loc["intervals=without_first", "pd"])
    assert "unseen years: 0.50 SD more atrophy than predicted" == thalamus.loc["delta=-0.5", "label"]


def test_plain_words_follow_the_tables(results):
    """The sentence would say that an answer holds where the table beside it says it does not."""
    section = definitions.make(results)
    said = section.paragraphs
    # both are sure as analysed; both lose it at the outer shift: there caudate turns, thalamus without the first year
    assert "2 results are sure of the sign as analysed (normal errors, pd > 0.975). 0 of them stay so" in said[1]
    assert "2 times a sign turns" in said[1]
    assert "100 data sets: each with probability 0.10 by one" in said[2]
    assert "in at least 95% of the data sets in 1 of 2 results" in said[2]
    assert "draw slopes towards 0; that is not undone here" in said[2]
    assert "Patients lack 39 patient-years (New T2 lesions, year to year)" in said[3]
    assert "from \N{MINUS SIGN}0.50 to 0.50 SD" in said[3]
    assert "Of 2 results sure of the sign without a shift (by the limit of the study file), 1 is no longer" in said[3]
    assert f"No unseen years are filled in for New Gd+ lesions, year to year: {REASON}." == said[4]


def test_tables_count_what_stays(results):
    """Counts would be of other results than the words."""
    moves, tips = definitions.make(results).tables
    shown = moves.frame.set_index("Changed")
    assert ["0 of 1", "1", "0", "1.0"] == shown.loc["without the first year"].tolist()[1:]
    assert ["2 of 2", "2", "2", "0.30"] == shown.loc["unseen years: 0.50 SD more atrophy than predicted"].tolist()[1:]
    assert "1 of 2" == shown.loc["unseen years: 0.50 SD less atrophy than predicted", "Same sign"]
    assert [["Thalamus", "0.25"]] == tips.frame[["Structure", "at a shift of, SD"]].to_numpy().tolist()


def test_a_figure_and_all_numbers_for_each_analysis(results):
    """A definition would be drawn as another one, or a missing one as 0."""
    (part,) = definitions.make(results).parts
    (figure,), (table,) = part.figures, part.tables
    ElementTree.fromstring(figure.svg)  # noqa: S314 - our own drawing
    assert "without the first year" in figure.svg
    assert "no posterior interval" in figure.caption
    rows = table.frame.set_index("Structure")
    assert "0.20 (\N{MINUS SIGN}0.20 to 0.60)" == rows.loc["Thalamus", "Without the first year"]
    assert "n/a" == rows.loc["Caudate", "Without the first year"]
    assert part.figures == definitions.make(results).parts[0].figures


@pytest.mark.parametrize("absent", ["definitions", "sensitivity"])
def test_one_table_is_enough(results, absent):
    """Who ran one look only would get a section that failed."""
    (results.folder / f"{absent}.tsv").unlink()
    section = definitions.make(read_results(results.folder))
    assert "ok" == section.status
    assert len(section.parts) == 1
