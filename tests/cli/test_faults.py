"""Seven things that go wrong in real cohorts: each is one clear error, or one line of the ledger and a finished run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.files import read_table

FSID = "P001.v1"
RUN = f"{FSID}.long.P001.base"
LEDGER = ["stage", "patient", "visit", "rule", "file"]

Damage = Callable[[Path], None]


def _edit(table: str, pattern: str, new: str) -> Damage:
    def damage(study: Path) -> None:
        path = study / table
        text, times = re.subn(pattern, new, path.read_text(), flags=re.MULTILINE)
        assert 1 == times
        path.write_text(text)

    return damage


def _remove(name: str) -> Damage:
    return lambda study: (study / "subjects" / RUN / name).unlink()


def _remove_run(study: Path) -> None:
    shutil.rmtree(study / "subjects" / RUN)


def _scan_rows(results: Path) -> pd.DataFrame:
    """Rows of the ledger that are no consequence of another: years are lost because their scans are."""
    rows = read_table(results / "exclusions.tsv")
    return rows[~rows["stage"].isin(["interval", "analysis"])]


def _ledger(results: Path) -> set[tuple[str, ...]]:
    return set(_scan_rows(results)[LEDGER].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("damage", "row"),
    [
        pytest.param(
            _remove("stats/aseg.stats"),
            ("processed", "P001", "1", "stats_missing", f"{RUN}/stats/aseg.stats"),
            id="a missing stats file",
        ),
        pytest.param(
            _remove("scripts/recon-all.done"),
            ("processed", "P001", "1", "recon_unfinished", RUN),
            id="an unfinished recon",
        ),
        pytest.param(
            _remove_run,
            ("found", "P001", "1", "scan_missing", "n/a"),
            id="a visit without scan: not processed",
        ),
        pytest.param(
            _edit("visits.tsv", r"^P001\t1\t.*\n", ""),
            ("found", "P001", "n/a", "scan_without_visit", RUN),
            id="a scan without visit row",
        ),
    ],
)
def test_a_scan_that_cannot_be_used_is_one_line_of_the_ledger_and_the_run_goes_on(
    atrobayes, small_study: Path, small_run, ask_only, damage: Damage, row: tuple[str, ...]
) -> None:
    """A scan that stops the run keeps 51 patients from being analysed; one that vanishes biases them."""
    damage(small_study.parent)
    ask_only(small_study, "year_to_year_t2")
    done = atrobayes("compare", small_study)
    assert 0 == done.code
    results = small_study.parent / "results"
    before, after = _ledger(small_run.results), _ledger(results)
    assert {row} == after - before
    assert set() == before - after
    assert _years(small_run.results) - _years(results) == {("P001", "0", "1"), ("P001", "1", "2")}
    assert (results / "contrast.tsv").is_file()


def _years(results: Path) -> set[tuple[str, ...]]:
    rows = read_table(results / "intervals.tsv")
    return set(rows[["patient", "visit_from", "visit_to"]].itertuples(index=False, name=None))


def test_a_visit_without_scan_is_one_line_of_the_ledger(atrobayes, small_study: Path, small_run) -> None:
    """The patient was seen that day, and the visit may confirm an EDSS: it must not vanish with its scan."""
    _edit("visits.tsv", rf"^(P001\t1\t[^\t]*\t){FSID}", r"\1n/a")(small_study.parent)
    for name in (FSID, RUN):
        shutil.rmtree(small_study.parent / "subjects" / name)
    assert 0 == atrobayes("prep", small_study).code
    added = _ledger(small_study.parent / "results") - _ledger(small_run.results)
    assert {("found", "P001", "1", "visit_without_scan", "n/a")} == added


@pytest.mark.parametrize(
    ("table", "pattern", "new", "place", "found"),
    [
        pytest.param(
            "visits.tsv",
            r"^(P001\t1\t.*\n)",
            r"\1\1",
            "line 4, visit",
            "patient P001, visit 1 again (first on line 3)",
            id="a duplicated visit",
        ),
        pytest.param(
            "patients.tsv",
            r"^P001\tCLAD",
            "P001\tKLAD",
            "line 2, group",
            "the unknown group 'KLAD'; expected one of CLAD, ALEM; did you mean 'CLAD'?",
            id="an unknown group label",
        ),
        pytest.param(
            "visits.tsv",
            rf"^(P001\t1\t[^\t]*\t{FSID}\t)\d+",
            r"\1two",
            "line 3, new_t2",
            "'two'; expected a whole number, 0 or more; write a number, or n/a where it is unknown",
            id="a non-numeric count",
        ),
        pytest.param(
            "visits.tsv",
            rf"^(P001\t1\t[^\t]*\t{FSID}\t\d+\t)\d+",
            r"\g<1>1,5",
            "line 3, new_gd",
            "a decimal comma; expected a whole number, 0 or more; write a decimal point",
            id="a count with a decimal comma",
        ),
    ],
)
def test_a_row_that_cannot_be_right_is_one_error_with_file_line_and_column(
    atrobayes, small_study: Path, table: str, pattern: str, new: str, place: str, found: str
) -> None:
    """Guessing what a wrong row meant would change results without a word; a vague error takes a day to find."""
    _edit(table, pattern, new)(small_study.parent)
    done = atrobayes("run", small_study, "--quiet")
    assert (1, "") == (done.code, done.out)
    assert done.err.startswith(f"atrobayes: {small_study.with_name(table)}, {place}: found {found}")
    assert 1 == done.err.count("found ")
    assert not (small_study.parent / "results" / "cohort.nc").exists()


def test_every_scan_left_out_of_the_example_has_its_line(finished_example: Path) -> None:
    """Scans found must equal scans used and scans in the ledger, or one has disappeared."""
    import xarray as xr

    with xr.open_dataset(finished_example / "cohort.nc") as cohort:
        status = cohort["scan_status"].to_series().value_counts().to_dict()
        groups = json.loads(cohort.attrs["groups"])
    ledger = _scan_rows(finished_example)["rule"].value_counts().to_dict()
    assert ["CLAD", "ALEM"] == groups
    # the example's known faults: see its study of 52 patients
    assert {"quality_fail": 1, "recon_failed": 1, "recon_unfinished": 1, "steroid_washout": 2} == {
        rule: count for rule, count in ledger.items() if rule != "visit_without_scan"
    }
    assert ledger["visit_without_scan"] == status["none"]
    assert sum(ledger.values()) == sum(status.values()) - status["usable"]
