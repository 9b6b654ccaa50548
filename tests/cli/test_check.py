"""atrobayes check: everything found, every problem at once, and which analyses the data allow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atrobayes.data_prep.prepare import prepare
from atrobayes.models.analyses import CATALOGUE
from atrobayes.study import read_study

Items = dict[str, list[dict[str, Any]]]


def _by_kind(out: str) -> Items:
    found: Items = {}
    for item in json.loads(out)["items"]:
        found.setdefault(item["kind"], []).append(item)
    return found


@pytest.fixture(scope="module")
def checked(atrobayes, example_study: Path) -> Items:
    """Items of the whole example."""
    done = atrobayes("check", example_study, "--json", "--quiet")
    assert (0, "") == (done.code, done.err)
    return _by_kind(done.out)


@pytest.fixture
def begun(atrobayes, small_study: Path, tmp_path: Path) -> Path:
    """study.toml of a study begun and not yet filled in."""
    atrobayes("init", tmp_path / "new", "--subjects-dir", small_study.parent / "subjects")
    return tmp_path / "new" / "study.toml"


def _contents(folder: Path) -> set[tuple[str, int]]:
    return {(path.relative_to(folder).as_posix(), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_runs_are_counted_by_stream_state_and_program(checked: Items) -> None:
    """Scans of two FreeSurfer versions, or half of them unfinished, must be seen before anything is computed."""
    counts = {(item["stream"], item["state"]): item["n"] for item in checked["runs"]}
    assert 52 == counts["base", "finished"]
    assert {"finished": 152, "unfinished": 1, "failed": 1} == {
        state: n for (stream, state), n in counts.items() if stream == "long"
    }
    assert {"FreeSurfer 7.4.1"} == {item["program"] for item in checked["runs"]}


def test_scans_structures_and_flow_are_those_of_prepare(checked: Items, example_study: Path) -> None:
    """A check that reads through another door than the run would vouch for other data."""
    prepared = prepare(read_study(example_study))
    statuses = prepared.cohort["scan_status"].to_numpy().tolist()
    assert {status: statuses.count(status) for status in set(statuses)} == {
        item["status"]: item["n"] for item in checked["scans"]
    }
    counts = prepared.cohort["volume"].count("record")
    assert dict(zip(counts["structure"].to_numpy().tolist(), counts.to_numpy().tolist(), strict=True)) == {
        item["structure"]: item["volumes"] for item in checked["structure"]
    }
    whole = prepared.flow[prepared.flow["group"] == "ALL"]
    assert whole["n"].tolist() == [item["n"] for item in checked["flow"]]
    assert len(prepared.quality) == sum(item["n"] for item in checked["flag"])


def test_every_analysis_is_judged_with_its_rows_by_group(checked: Items) -> None:
    """52 patients make 59 and 36 patient-years, and nine and seven patients over three years: is that enough?"""
    analyses = {item["analysis"]: item for item in checked["analysis"]}
    assert list(CATALOGUE) == list(analyses)
    assert {"CLAD": 59, "ALEM": 36} == analyses["year_to_year_t2"]["rows"]
    assert {"CLAD": 9, "ALEM": 7} == analyses["three_year_t2"]["rows"]
    assert {"ALL": 95} == analyses["relapse_years"]["rows"]
    assert all(item["allowed"] and not item["reason"] for item in analyses.values())


def test_nothing_at_all_is_written(atrobayes, small_study: Path) -> None:
    """Somebody who checks a colleague's study must leave no trace in it."""
    before = _contents(small_study.parent)
    assert 0 == atrobayes("check", small_study).code
    assert before == _contents(small_study.parent)


def test_a_begun_study_says_what_is_missing_and_why_nothing_can_be_analysed(atrobayes, begun: Path) -> None:
    """The next thing to do after init must stand there."""
    found = _by_kind(atrobayes("check", begun, "--json", "--quiet").out)
    empty = {item["table"]: item["not_filled_in"] for item in found["table"]}
    assert ["date", "new_t2", "new_gd", "relapses", "edss", "days_since_steroid"] == empty["visits.tsv"]
    assert "group" in empty["patients.tsv"]
    reasons = {item["analysis"]: item["reason"] for item in found["analysis"]}
    assert "no new_t2_to in any patient-year" == reasons["year_to_year_t2"]
    assert "one group only: nothing to compare" == reasons["baseline_groups"]
    assert {False} == {item["allowed"] for item in found["analysis"]}
    done = atrobayes("check", begun)
    assert 0 == done.code
    assert "nothing to analyse yet: fill in what is missing" in done.out.splitlines()[-1]


def test_filled_in_without_groups_a_study_is_one_group(atrobayes, begun: Path, small_study: Path) -> None:
    """A cohort on one treatment is a study too."""
    shutil.copy(small_study.parent / "visits.tsv", begun.parent / "visits.tsv")
    found = _by_kind(atrobayes("check", begun, "--json", "--quiet").out)
    analyses = {item["analysis"]: item for item in found["analysis"]}
    assert ["ALL"] == list(analyses["year_to_year_t2"]["rows"])
    assert analyses["year_to_year_t2"]["allowed"]


def _break_all(study: Path) -> None:
    _replace(study, 'engine = "quadrature"', 'engine = "quadratur"')
    _replace(study, '"thalamus"', '"thalmus"')
    _replace(study, '"year_to_year_gd"', '"year_to_year_ge"')
    _replace(study.parent / "patients.tsv", "P001\tCLAD", "P001\tCLAP")
    _replace(study.parent / "visits.tsv", "P002\t0\t", "P002\tzero\t")
    _replace(study.parent / "subjects" / "P003.v0.long.P003.base" / "stats" / "aseg.stats", "# ColHeaders", "# Colums")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_1_every_problem_of_every_file_at_once(atrobayes, small_study: Path) -> None:
    """Six runs to see six errors is what this command is there to spare."""
    _break_all(small_study)
    done = atrobayes("check", small_study, "--quiet")
    assert 1 == done.code
    said = [
        "inference.engine: found 'quadratur'",
        "did you mean 'thalamus'?",
        "did you mean 'year_to_year_gd'?",
        "patients.tsv, line 2, group: found the unknown group 'CLAP'",
        "visits.tsv, line",
        "P003.v0.long.P003.base/stats/aseg.stats",
    ]
    assert [] == [words for words in said if words not in done.err]


def test_1_what_is_sound_is_shown_all_the_same(atrobayes, small_study: Path) -> None:
    """A fault in the tables says nothing about the folder: its runs are counted."""
    _replace(small_study.parent / "visits.tsv", "P002\t0\t", "P002\tzero\t")
    done = atrobayes("check", small_study, "--json", "--quiet")
    found = _by_kind(done.out)
    assert 1 == done.code
    assert 20 == next(item["n"] for item in found["runs"] if item["stream"] == "base")
    assert ["patients.tsv", "visits.tsv"] == [item["table"] for item in found["table"]]
    (problem,) = found["problem"]
    assert ("visit", "'zero'") == (problem["column"], problem["found"])
    assert "analysis" not in found


def test_1_a_folder_that_is_gone_leaves_the_tables(atrobayes, small_study: Path) -> None:
    """A disk that is not mounted must not hide whether the tables are sound."""
    shutil.rmtree(small_study.parent / "subjects")
    done = atrobayes("check", small_study, "--json", "--quiet")
    found = _by_kind(done.out)
    assert (1, ["no such folder"]) == (done.code, [item["found"] for item in found["problem"]])
    assert [20] == [item["rows"] for item in found["table"] if item["table"] == "patients.tsv"]
    assert "runs" not in found


def test_files_of_runs_that_no_visit_names_are_not_held_against_the_study(atrobayes, small_study: Path) -> None:
    """A damaged pilot scan in the same folder is not this study's concern, faults in its tables or not."""
    subjects = small_study.parent / "subjects"
    pilot = shutil.copytree(subjects / "P001.v0.long.P001.base", subjects / "pilot.long.P001.base")
    _replace(pilot / "stats" / "aseg.stats", "# ColHeaders", "# Colums")
    _replace(small_study.parent / "visits.tsv", "P002\t0\t", "P002\tzero\t")
    problems = _by_kind(atrobayes("check", small_study, "--json", "--quiet").out)["problem"]
    assert ["'zero'"] == [problem["found"] for problem in problems]


@pytest.mark.parametrize("json_too", [False, True])
def test_1_identifiers_are_refused_and_not_repeated(atrobayes, small_study: Path, json_too: bool) -> None:
    """What is on the screen is in the next bug report."""
    path = small_study.parent / "patients.tsv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head}\tsurname", *(f"{row}\tsecret" for row in rows)]) + "\n")
    done = atrobayes("check", small_study, "--quiet", *["--json"] * json_too)
    assert 1 == done.code
    assert "patients.tsv, line 1, surname: found a column for a person's name" in done.err
    assert "secret" not in done.err + done.out


@pytest.mark.parametrize("json_too", [False, True])
def test_1_a_study_file_that_is_not_there(atrobayes, tmp_path: Path, json_too: bool) -> None:
    """Nothing can be said of it, and nothing is made."""
    done = atrobayes("check", tmp_path / "study.toml", *["--json"] * json_too)
    assert (1, "") == (done.code, done.out)
    assert "found no such file; expected a study file" in done.err
    assert [] == list(tmp_path.iterdir())


def _with_synthseg(study: Path) -> None:
    lines = ["subject,total intracranial,left thalamus,right thalamus"]
    lines += [f"P00{n}.v0.long.P00{n}.base,1500000,7000,7000" for n in (1, 2)]
    (study.parent / "vol.csv").write_text("\n".join(lines) + "\n")
    _replace(study, 'subjects_dir = "subjects"', 'tables = ["vol.csv"]')
    _replace(study, '"thalamus", "lateral_ventricle"', '"thalamus"')


@pytest.mark.parametrize(("change", "formats"), [(lambda study: None, []), (_with_synthseg, ["tables of synthseg"])])
def test_formats_never_tried_on_real_output_are_named(
    atrobayes, small_study: Path, change: Callable[[Path], None], formats: list[str]
) -> None:
    """A reader written from a program's source may be wrong about its files: the user must know to look."""
    change(small_study)
    done = atrobayes("check", small_study, "--json", "--quiet")
    assert formats == [item["format"] for item in _by_kind(done.out).get("format", [])]
    shown = atrobayes("check", small_study, "--quiet").out
    assert bool(formats) == ("never tried on real output" in shown)


def test_people_get_tables_and_the_next_step(atrobayes, small_study: Path) -> None:
    """What is only in the JSON is not read by anybody before the run."""
    done = atrobayes("check", small_study, "--quiet")
    assert (0, "") == (done.code, done.err)
    titles = ["Scans found", "Clinical tables", "Scans of the visits", "Structures", "Who and what is left", "Analyses"]
    assert titles == [line.strip() for line in done.out.splitlines() if line.strip() in titles]
    assert f"no problems; next: atrobayes run {small_study}" == done.out.splitlines()[-1]


def test_no_sampler_is_loaded(atrobayes_process, small_study: Path, tmp_path: Path) -> None:
    """Seconds of waiting for libraries that a check has no use for."""
    done = atrobayes_process("check", small_study, "--quiet", TELL_MODULES=str(tmp_path / "modules.txt"))
    assert 0 == done.code, done.err
    loaded = {name.split(".")[0] for name in (tmp_path / "modules.txt").read_text().split()}
    assert set() == loaded & {"pymc", "bambi", "arviz", "pytensor", "statsmodels", "jax", "nutpie", "numpyro"}
    assert "xarray" in loaded
