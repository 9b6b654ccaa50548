"""The section on calibration: its words follow its table, its figure draws what was found."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference.calibration.sbc_table import COLUMNS, sbc_table
from atrobayes.reports.figures.calibration import difference
from atrobayes.reports.results import Results
from atrobayes.reports.sections import calibration

EVEN = (np.arange(200) + 0.5) / 200
SKEWED = EVEN**3


def _pits(model: str, parameter: str, *runs: np.ndarray, part: str = "", bins: int = 0) -> pd.DataFrame:
    table = pd.concat([pd.DataFrame({"run": run, "pit": pit}) for run, pit in enumerate(runs)])
    labels = {"model": model, "analysis": "year_to_year_t2", "part": part, "parameter": parameter}
    return table.assign(**labels, bins=bins, passed=np.arange(len(table)) % 100 > 0)


def _section(tmp_path, *found: pd.DataFrame) -> calibration.Section:
    write_table(tmp_path / "sbc.tsv", sbc_table(pd.concat(found, ignore_index=True)), COLUMNS)
    return calibration.make(Results(tmp_path))


def test_without_its_table_the_command_is_named(tmp_path):
    """The reader would not know that models can be tried, nor how."""
    section = calibration.make(Results(tmp_path))
    assert "not_applicable" == section.status
    assert "atrobayes calibrate" in section.paragraphs[0]


def test_calibrated_models_are_said_to_be(tmp_path):
    """Numbers in the text would be others than those in the table."""
    found = [_pits("mixed", "slope[CLAD]", EVEN), _pits("mixed", "patient_sd", SKEWED, EVEN)]
    section = _section(tmp_path, *found, _pits("mixed_robust", "nu", EVEN, bins=101))
    (part,) = section.parts
    assert "ok" == section.status == part.status
    assert "Yes, as far as 400 simulated data sets can tell: 3 parameters in 2 fits of 2 models" in part.paragraphs[0]
    assert "1 left the band at first" in part.paragraphs[0]
    rows = part.tables[0].frame
    assert ["2 of 2", "1 of 1"] == list(rows["Parameters inside"])
    assert ["exact", "sampled"] == list(rows["Posteriors"])
    assert {"2"} == set(rows["Fits that failed their checks"])
    assert 3 == len(part.tables[1].frame)


def test_what_is_outside_twice_is_a_warning_and_named(tmp_path):
    """A model that does not find again what it assumes must not pass for one that does."""
    section = _section(tmp_path, _pits("mixed", "slope[CLAD]", SKEWED, SKEWED), _pits("mixed", "residual_sd", EVEN))
    (part,) = section.parts
    assert "warning" == section.status
    assert re.search(r"of 2 parameters .* 1 left the band, slope\[CLAD\] \(Mixed model", part.paragraphs[0])
    (figure,) = part.figures
    assert "1 leave" in figure.alt
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)
    assert "slope[CLAD]" in texts
    assert "residual_sd" not in texts


def test_figure_draws_the_ecdf_minus_the_diagonal():
    """A line that is not the share of data sets below each probability would say nothing of calibration."""
    at, apart = difference("0,10,0,0")
    np.testing.assert_allclose([0, 0.25, 0.5, 0.75, 1], at)
    np.testing.assert_allclose([0, -0.25, 0.5, 0.25, 0], apart)


@pytest.mark.parametrize("models", [("mixed",), ("mixed", "mixed_robust", "structures_pooled")])
def test_each_model_has_a_panel(tmp_path, models):
    """A model without its panel would look untried."""
    (part,) = _section(tmp_path, *[_pits(model, "slope", EVEN) for model in models]).parts
    (figure,) = part.figures
    assert all(calibration.MODELS[model] in figure.svg for model in models)
