"""The short tables a command ends with."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.cli.tables import print_contrast


def _row(structure: str, p: float, verdict: str) -> dict[str, object]:
    return {
        "analysis": "year_to_year_t2",
        "structure": structure,
        "term": "slope[CLAD]",
        "classical_estimate": math.nan if math.isnan(p) else -0.0123456,
        "classical_p": p,
        "bayes_estimate": -0.00123456,
        "bayes_pd": 0.97654,
        "verdict": verdict,
    }


TABLE = pd.DataFrame(
    [_row("caudate", math.nan, "n/a"), _row("thalamus", 0.04, "classical_only"), _row("cortex", 0.0012, "both_clear")]
)


def _lines(capsys: pytest.CaptureFixture[str], most: int) -> list[list[str]]:
    print_contrast(TABLE, most)
    return [line.split() for line in capsys.readouterr().out.splitlines() if "year_to_year" in line]


def test_the_smallest_p_stands_first_with_what_the_posterior_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads only these lines must not take a p that the posterior does not bear out for a finding."""
    first, second = _lines(capsys, 2)
    assert ["cortex", "slope[CLAD]", "-0.0123", "0.0012", "-0.00123", "0.977", "both", "clear"] == first[1:]
    assert "thalamus" == second[1]
    assert ["0.977", "classical", "only"] == second[-3:]


def test_what_could_not_be_estimated_is_missing_and_stands_last(capsys: pytest.CaptureFixture[str]) -> None:
    """A group without spread has no slope: neither zero nor "nan" says so."""
    last = _lines(capsys, 3)[-1]
    assert ["caudate", "slope[CLAD]", "n/a", "n/a", "-0.00123"] == last[1:6]


def test_the_number_of_rows_can_be_asked_for(atrobayes, small_run, results_copy: Path) -> None:
    """`make demo` ends with three rows; the count said above them is that of all."""
    out = atrobayes("run", small_run.study, "--out", results_copy, "--top", 3, "--quiet").out
    assert 3 == sum(line.strip().startswith("year_to_year") for line in out.splitlines())
    # two structures: four slopes or differences of slopes for each kind of lesion, and years with a relapse
    assert out.startswith("The 3 smallest classical p of 18 (uncorrected)")
