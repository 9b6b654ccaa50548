"""The commands beyond the estimates, on a small study, from the command line to the page."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

TABLES = {"forks", "sensitivity", "prior_sensitivity", "influence", "tipping_sets", "checks", "definitions", "verdicts"}
FEW = """
[sensitivity]
pairs = []
miscounts = 20
[calibration]
simulations = 50
effects = [0.0, 0.5]
[design]
patients = [20, 40]
simulations = 50
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, small_run) -> Path:
    """study.toml of the small study, with few simulations."""
    folder = shutil.copytree(small_run.study.parent, tmp_path_factory.mktemp("looks") / "study")
    study = folder / "study.toml"
    study.write_text(study.read_text() + FEW)
    return study


@pytest.fixture(scope="module")
def looked(asked: Path, atrobayes_process) -> Path:
    """Results after `sensitivity`, one process; not to be changed."""
    done = atrobayes_process("sensitivity", asked, "--jobs", 1)
    assert done.code == 0, done.err
    assert "verdict" in done.out
    return asked.parent / "results"


def _read(results: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(results / f"{name}.tsv", sep="\t", na_values="n/a", keep_default_na=False)


def test_every_fork_of_the_base_has_the_numbers_of_the_estimates(looked: Path) -> None:
    """A base fork with other numbers than the report's would be compared with nothing the reader knows."""
    rows, estimates = _read(looked, "sensitivity"), _read(looked, "estimates")
    base = rows[rows["fork"] == "base"]
    key = ["analysis", "structure", "term", "method"]
    both = base.merge(estimates, on=key, suffixes=("", "_estimated"))
    assert len(base) == len(both) > 0
    for name in ("estimate", "sd", "ci_low", "ci_high", "p", "pd"):
        pd.testing.assert_series_equal(both[f"{name}_estimated"], both[name], check_names=False)
    assert ["fork", *estimates.columns] == list(rows.columns)[: 1 + len(estimates.columns)]


def test_every_table_is_there_and_every_fork_is_accounted_for(looked: Path) -> None:
    """A fork that vanished would be a choice nobody is told of."""
    assert TABLES <= {path.stem for path in looked.glob("*.tsv")}
    forks, rows = _read(looked, "forks"), _read(looked, "sensitivity")
    fitted = forks[forks["status"] == "fitted"]
    assert set(zip(fitted["analysis"], fitted["fork"], strict=True)) == set(
        zip(rows["analysis"], rows["fork"], strict=True)
    )
    assert forks.loc[forks["status"] == "skipped", "reason"].notna().all()
    assert (fitted.groupby("analysis").size() <= 60).all()


def test_the_page_tells_of_the_looks_and_names_no_patient(looked: Path) -> None:
    """The report is passed on; and a look that is not on it helps nobody."""
    page = (looked / "report.html").read_text()
    for name in ("robustness", "multiverse", "influence", "checks", "definitions"):
        assert f'id="{name}"' in page
    patients = set(_read(looked, "influence")["patient"].dropna())
    assert patients
    assert not [who for who in patients if who in page]


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one_also_after_a_kill(
    asked: Path, looked: Path, digests_of, command_words, tmp_path: Path
) -> None:
    """Results that hang on the number of cores, or on when a machine failed, cannot be checked by anyone."""
    out = tmp_path / "again"
    words = command_words("sensitivity", asked, "--out", out, "--jobs", 2)
    kept = out / "logs" / "looks"
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        while run.poll() is None and not any(path.stat().st_size for path in kept.glob("*.txt")):
            time.sleep(0.05)
        assert run.poll() is None
        os.killpg(run.pid, signal.SIGKILL)
    assert not (out / "verdicts.tsv").exists()
    assert 0 == subprocess.run(words, capture_output=True, check=False).returncode
    assert digests_of(looked) == digests_of(out)


@pytest.mark.slow
def test_calibrate_and_design_end_with_their_tables_and_sections(
    asked: Path, looked: Path, atrobayes, tmp_path: Path
) -> None:
    """A command that needs the whole of the program can only be trusted when it has run whole."""
    results = shutil.copytree(looked, tmp_path / "results")
    calibrated = atrobayes("calibrate", asked, "--out", results)
    assert 0 == calibrated.code, calibrated.err
    designed = atrobayes("design", asked, "--out", results)
    assert 0 == designed.code, designed.err
    assert {"mixed", "comparison_normal"} <= set(_read(results, "sbc")["model"])
    rates = _read(results, "operating")
    assert {"false_positive_rate", "power", "coverage"} <= set(rates["quantity"])
    assert {20, 40} == set(_read(results, "assurance")["patients"])
    page = (results / "report.html").read_text()
    assert 'id="calibration"' in page
    assert 'id="assurance"' in page
    # what the one command found is still there after the other
    assert TABLES <= {path.stem for path in results.glob("*.tsv")}
