"""The section on priors says what its table says, and survives its absence."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from simulated import long_table

from atrobayes.files import write_table
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import parts
from atrobayes.inference.prior_look import COLUMNS, look
from atrobayes.models.frame import Frame
from atrobayes.reports.page import render
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import prior_sensitivity
from atrobayes.study import Sensitivity

STRUCTURES = ["thalamus", "putamen"]


@pytest.fixture(scope="module")
def told() -> pd.DataFrame:
    """A table as a run makes it: both parts of one analysis, two structures."""
    table = long_table(21, patients=24).rename(columns={"y0": "thalamus"})
    strong = long_table(21, patients=24, slopes=(-0.9, -0.5), sigma=0.6)["y0"]
    frame = Frame.from_table(
        table.assign(putamen=strong), outcomes=STRUCTURES, predictor="x", group="group", groups=("CLAD", "ALEM"),
        patient="patient", analysis="year_to_year_t2", unit="% of eTIV per new T2 lesion",
    )  # fmt: skip
    wanted = Sensitivity(ladder=(0.1, 2.5))
    return pd.concat([look(part, Choices(), wanted) for part in parts(frame)], ignore_index=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType) -> Path:
    return made_up.make_results(tmp_path_factory.mktemp("priors") / "results")


def section(folder: Path, told: pd.DataFrame) -> Section:
    write_table(folder / "prior_sensitivity.tsv", told, COLUMNS)
    return prior_sensitivity.make(Results(folder))


def test_without_the_table_the_section_names_the_command(tmp_path: Path, made_up: ModuleType) -> None:
    """If this failed, a reader would see a broken report instead of what to run."""
    made = prior_sensitivity.make(Results(made_up.make_results(tmp_path / "results")))
    assert made.status == "not_applicable"
    assert "atrobayes sensitivity" in made.paragraphs[0]


def test_the_section_renders_with_both_figures(folder: Path, told: pd.DataFrame) -> None:
    """If this failed, the report would lack the section."""
    made = section(folder, told)
    assert made.status == "ok"
    assert ["prior_sensitivity-power", "prior_sensitivity-year_to_year_t2"] == [one.name for one in made.all_figures]
    assert all(figure.svg.startswith("<svg") and figure.alt and figure.caption for figure in made.all_figures)
    page = render("x", [made])
    assert "tipping prior" in page
    assert page == render("x", [section(folder, told)])


def test_the_words_count_what_the_table_holds(folder: Path, told: pd.DataFrame) -> None:
    """If this failed, the text would contradict the table below it."""
    (part,) = section(folder, told).parts
    ladder = told[told["look"] == "ladder"]
    base = ladder[ladder["base"] == 1]
    least = ladder.groupby(["structure", "term"])["pd"].min()
    clear, kept = int((base["pd"] >= 0.95).sum()), int((least >= 0.95).sum())
    assert (
        f"under the study's own prior: {clear} of 8; that keep it along the whole ladder: {kept}" in part.paragraphs[0]
    )
    power = told[(told["block"] == "all_priors") & (told["alpha"] > 1)]
    assert f"hardly moves with the priors: {(power['verdict'] == 'ok').sum()}" in part.paragraphs[0]


def test_a_result_lost_on_a_rung_is_named_with_its_tipping_prior(folder: Path, told: pd.DataFrame) -> None:
    """If this failed, the reader would not learn which result a narrower prior takes away."""
    changed = told.copy()
    own = (changed["structure"] == "putamen") & (changed["term"] == "slope[CLAD]")
    changed.loc[own & (changed["look"] == "ladder"), "pd"] = [0.90, 0.99, 0.99]
    changed.loc[own & (changed["look"] == "tipping"), ["prior_sd", "reason"]] = [0.123, "narrower"]
    (part,) = section(folder, changed).parts
    assert "Putamen: slope in CLAD (with priors narrower than SD 0.12)" in part.paragraphs[0]


def test_the_table_of_the_report_repeats_the_numbers(folder: Path, told: pd.DataFrame) -> None:
    """If this failed, a row of the report would show another result's numbers."""
    (part,) = section(folder, told).parts
    (table,) = part.tables
    assert table.folded
    assert 8 == len(table.frame)
    row = table.frame[(table.frame["Structure"] == "Putamen") & (table.frame["Term"] == "slope in ALEM")].iloc[0]
    own = told[(told["structure"] == "putamen") & (told["term"] == "slope[ALEM]")]
    base = own[own["base"] == 1].iloc[0]
    assert base["estimate"] == pytest.approx(float(row["Estimate"].replace("−", "-")), abs=0.01)
    tip = own.loc[own["look"] == "tipping", "prior_sd"].iloc[0]
    assert row["Tipping prior SD"] == ("n/a" if np.isnan(tip) else f"{tip:.2g}")
    slopes = own[(own["block"] == "slopes")]["sensitivity"].iloc[0]
    assert slopes == pytest.approx(float(row["Sensitivity to slope prior"]), rel=0.05)


def test_a_table_without_any_tipping_prior_or_sensitivity_still_renders(folder: Path, told: pd.DataFrame) -> None:
    """If this failed, a study in which nothing tips would have no section."""
    changed = told.copy()
    changed.loc[changed["look"] == "tipping", ["prior_sd", "estimate", "ci_low", "ci_high", "pd"]] = np.nan
    changed.loc[changed["look"] == "tipping", "reason"] = "below"
    changed.loc[changed["look"] == "power", "sensitivity"] = np.nan
    changed.loc[changed["look"] == "power", "verdict"] = ""
    made = section(folder, changed)
    assert ["prior_sensitivity-year_to_year_t2"] == [figure.name for figure in made.all_figures]
    assert set(made.parts[0].tables[0].frame["Tipping prior SD"]) == {"n/a"}
