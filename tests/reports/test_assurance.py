"""What is said of a future study follows its table."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference.assurance import COLUMNS
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import assurance


def _row(structure: str, patients: int, assured: float, **changed: object) -> dict[str, Any]:
    base = {
        "analysis": "year_to_year_t2", "structure": structure, "term": "slope[CLAD]", "patients": patients,
        "years": 3, "conclusion": "pd", "threshold": 0.975, "assurance": assured, "mc_error": 0.03,
        "wrong_direction": 0.0, "power": assured - 0.02, "power_mc_error": 0.031, "power_at_mean": 0.9,
        "power_at_mean_mc_error": 0.02, "simulations": 200, "rows_mean": 1.8 * patients, "ci_prob": 0.95,
    }  # fmt: skip
    return base | changed


def _results(made_up: ModuleType, folder: Path, structures: tuple[str, ...], **changed: object) -> Results:
    rows = [
        _row(name, patients, 0.1 * (k + 1) + patients / 1000, **changed)
        for k, name in enumerate(structures)
        for patients in (50, 200)
    ]
    out = made_up.make_results(folder / "out")
    write_table(out / "assurance.tsv", pd.DataFrame(rows), COLUMNS)
    return read_results(out)


def _text(section: Section) -> str:
    return " ".join(section.paragraphs).replace("\N{NO-BREAK SPACE}", " ")


def test_a_few_structures_are_each_said(made_up: ModuleType, tmp_path: Path) -> None:
    """The chance of the largest study would be missing from the words, or be that of another size."""
    section = assurance.make(_results(made_up, tmp_path, ("thalamus", "whole_brain")))
    said = _text(section)
    assert "200 patients and 3 years" in said
    assert "Thalamus 30.0% (± 3.0), the classical test 28.0% (± 3.1)" in said
    assert "Whole brain 40.0% (± 3.0)" in said
    assert "probability of direction is above 0.975" in said
    assert "200 studies of each size" in said
    assert "No simulated study was successful with the sign opposite" in said
    assert ["50", "200", "50", "200"] == section.tables[0].frame["patients"].tolist()


def test_of_many_structures_the_lowest_and_the_highest_are_said(made_up: ModuleType, tmp_path: Path) -> None:
    """A best structure would be picked, or thirteen sentences written."""
    names = ("thalamus", "whole_brain", "caudate", "putamen", "cortex")
    said = _text(assurance.make(_results(made_up, tmp_path, names)))
    assert "Thalamus 30.0%" in said
    assert "Cortex 70.0%" in said
    assert "Caudate" not in said


@pytest.mark.parametrize(
    ("conclusion", "threshold", "words"),
    [("rope", 0.95, "outside the region of practical equivalence is above 0.95"),
     ("width", 0.4, "95% interval is narrower than 0.400 SDs")],
)  # fmt: skip
def test_the_conclusion_is_named(
    made_up: ModuleType, tmp_path: Path, conclusion: str, threshold: float, words: str
) -> None:
    """A chance would be read as that of another conclusion."""
    results = _results(made_up, tmp_path, ("thalamus",), conclusion=conclusion, threshold=threshold)
    assert words in _text(assurance.make(results))


def test_wrong_signs_are_said(made_up: ModuleType, tmp_path: Path) -> None:
    """Success with the wrong sign would count as success and not be told."""
    said = _text(assurance.make(_results(made_up, tmp_path, ("thalamus",), wrong_direction=0.015)))
    assert "at most 1.5% succeeded with the sign opposite" in said


def test_the_figure_has_a_panel_a_structure(made_up: ModuleType, tmp_path: Path) -> None:
    """A structure would be missing from the curve, or classical power from beside it."""
    (figure,) = assurance.make(_results(made_up, tmp_path, ("thalamus", "whole_brain"))).figures
    for words in ("Thalamus", "Whole brain", "assurance (pd &gt; 0.975)", "same simulated studies"):
        assert words in figure.svg


def test_without_the_table_the_command_is_named(made_up: ModuleType, tmp_path: Path) -> None:
    """A reader would not know how to ask for a future study."""
    section = assurance.make(read_results(made_up.make_results(tmp_path / "out")))
    assert "not_applicable" == section.status
    assert "atrobayes design" in _text(section)
