"""The certificate says what its table says."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference.operating import COLUMNS
from atrobayes.reports import operating_characteristics
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.section import Section


def _row(**changed: object) -> dict[str, Any]:
    base = {
        "analysis": "year_to_year_t2", "structure": "typical", "term": "slope[CLAD]", "test": "classical",
        "effect": 0.0, "errors": "independent", "quantity": "false_positive_rate", "rate": 0.05, "mc_error": 0.007,
        "simulations": 1000, "ci_prob": 0.95, "scan_share": 0.0, "n_obs": 95,
    }  # fmt: skip
    return base | changed


ROWS = (
    _row(),
    _row(quantity="coverage", rate=0.948),
    _row(errors="shared_scan", rate=0.061, mc_error=0.008, scan_share=0.4),
    _row(errors="shared_scan", quantity="coverage", rate=0.939, scan_share=0.4),
    _row(test="bayes_pd", rate=0.033),
    _row(test="bayes_pd", quantity="coverage", rate=0.97),
    _row(effect=0.5, quantity="power", rate=0.732),
    _row(effect=0.5, quantity="type_s", rate=0.012, simulations=732),
    _row(effect=0.5, quantity="type_m", rate=1.37, mc_error=0.02, simulations=732),
)


@pytest.fixture
def results(made_up: ModuleType, tmp_path: Path) -> Results:
    """Made-up results with a table of operating characteristics."""
    folder = made_up.make_results(tmp_path / "out")
    write_table(folder / "operating.tsv", pd.DataFrame(ROWS), COLUMNS)
    return read_results(folder)


def _part(results: Results) -> Section:
    (part,) = operating_characteristics.make(results).parts
    return part


def _text(section: Section) -> str:
    return " ".join(section.paragraphs).replace("\N{NO-BREAK SPACE}", " ")


def test_what_a_test_finds_in_nothing_is_said_in_words(results: Results) -> None:
    """A reader would not learn how often the paper's test cries wolf, or would read another number."""
    independent, shared = _part(results).paragraphs
    independent, shared = (text.replace("\N{NO-BREAK SPACE}", " ") for text in (independent, shared))
    assert "independent errors" in independent
    assert "classical test (p < 0.05) finds something in 5.0% (± 0.7) for the slope in CLAD" in independent
    assert "posterior (pd > 0.975) finds something in 3.3%" in independent
    assert "share a scan" in shared
    assert "6.1% (± 0.8)" in shared


def test_how_scans_are_shared_is_said(results: Results) -> None:
    """'Errors that share a scan' would mean nothing to a reader."""
    said = _text(operating_characteristics.make(results))
    assert "40% comes from scans" in said
    assert "\N{MINUS SIGN}0.20" in said
    assert "1,000 simulated studies" in said


def test_the_table_has_every_rate(results: Results) -> None:
    """Power, coverage or exaggeration would be left out, or stand in another row."""
    table = _part(results).tables[0]
    cells = table.frame.replace("\N{NO-BREAK SPACE}", " ", regex=True)
    at_effect = cells[(cells["true effect"] == "0.50") & (cells["test"] == "classical")].iloc[0]
    assert "73.2% (± 0.7)" == at_effect["finds something"]
    assert "1.2% (± 0.7)" == at_effect["wrong sign"]
    assert "1.37 (± 0.020)" == at_effect["size over true size"]
    assert "–" == at_effect["interval holds truth"]
    assert table.folded


def test_the_figure_shows_rates_without_an_effect(results: Results) -> None:
    """The figure would be missing, or its lines would be drawn where nothing is promised."""
    (figure,) = _part(results).figures
    assert figure.svg.startswith("<svg")
    assert "False-positive rate" in figure.svg
    assert "Coverage of 95% intervals" in figure.svg
    assert "errors that share a scan" in figure.svg


def test_without_the_table_the_command_is_named(made_up: ModuleType, tmp_path: Path) -> None:
    """A reader would not know how to get the certificate."""
    section = operating_characteristics.make(read_results(made_up.make_results(tmp_path / "out")))
    assert "not_applicable" == section.status
    assert "atrobayes calibrate" in _text(section)
