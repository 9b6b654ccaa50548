"""Each exit code, from a situation that brings it about."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.files import read_table
from atrobayes.folder import open_folder
from atrobayes.inference.engine import ENGINES
from atrobayes.inference.engines.quadrature import solve


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _one_line(err: str) -> str:
    (line,) = [line for line in err.splitlines() if line.startswith("atrobayes: ")]
    return line


def test_0_a_finished_run_ends_with_the_contrast_and_the_path_of_the_report(example_run) -> None:
    """A script goes on after 0; a person wants to know where the report is."""
    assert 0 == example_run.finished.code
    lines = example_run.finished.out.splitlines()
    assert f"report: {example_run.results / 'report.html'}" == lines[-1]
    assert (example_run.results / "report.html").is_file()
    assert re.match(r"The 10 smallest classical p of \d+ \(uncorrected\)", lines[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "study.toml", "--engin", "pymc"], "--engine"),
        (["rum", "study.toml"], "rum"),
        (["run"], "STUDY.toml"),
        (["fit"], "found neither STUDY.toml nor --table"),
        (["fit", "study.toml", "--table", "rows.csv"], "found STUDY.toml and --table"),
        (["fit", "study.toml", "--predictor", "days"], "found --predictor without --table"),
        (["fit", "--table", "rows.csv", "--outcome", "y"], "found --table without --predictor"),
        (["fit", "--table", "rows.csv", "--outcome", "y", "--predictor", "y"], "the column 'y' is asked for twice"),
        (["run", "study.toml", "--seed", "-1"], "--seed"),
        (["run", "study.toml", "--jobs", "0"], "--jobs"),
        (["example", "new", "--patients", "two"], "--patients"),
    ],
)
def test_2_a_command_that_cannot_work_as_called(atrobayes, words: list[str], said: str) -> None:
    """A mistyped option that is passed over would run something else than was asked."""
    done = atrobayes(*words)
    assert (2, "") == (done.code, done.out)
    assert said in done.err


@pytest.mark.parametrize("command", ["fit", "compare", "report", "run"])
def test_2_an_unknown_engine_is_refused_before_any_work(atrobayes, small_study: Path, command: str) -> None:
    """A mistyped engine must neither fall back to another one nor show itself after an hour."""
    done = atrobayes(command, small_study, "--engine", "nutpy")
    assert (2, "") == (done.code, done.out)
    assert f"unknown engine 'nutpy': expected auto, {', '.join(ENGINES)}" in done.err
    assert ["logs"] == [path.name for path in (small_study.parent / "results").iterdir()]


def test_2_example_into_a_folder_that_holds_something(atrobayes, tmp_path: Path) -> None:
    """A second example must not mix with a first, or with somebody's study."""
    (tmp_path / "study.toml").write_text("mine")
    assert 2 == atrobayes("example", tmp_path).code
    assert "mine" == (tmp_path / "study.toml").read_text()


@pytest.mark.parametrize("command", ["prep", "fit", "compare", "report", "run"])
def test_1_a_missing_study_file(atrobayes, tmp_path: Path, command: str) -> None:
    """Nothing may be made in a folder that was named by mistake."""
    done = atrobayes(command, tmp_path / "demo" / "study.toml")
    assert (1, "") == (done.code, done.out)
    assert f"{tmp_path / 'demo' / 'study.toml'}: found no such file" in done.err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steroid_weeks", "steroids_week", "definitions.steroids_week: found the unknown key"),
        ('"year_to_year_t2"', '"year_to_year_t1"', "did you mean 'year_to_year_t2'?"),
        ('"thalamus"', '"thalmus"', "did you mean 'thalamus'?"),
    ],
)
def test_1_an_unknown_name_in_the_study_file(atrobayes, small_study: Path, old: str, new: str, said: str) -> None:
    """A name that is passed over leaves a default in force that nobody chose."""
    _replace(small_study, old, new)
    done = atrobayes("run", small_study)
    assert (1, "") == (done.code, done.out)
    assert said in _one_line(done.err)


def test_1_all_faults_of_study_and_tables_are_said_at_once(atrobayes, small_study: Path) -> None:
    """Nobody should rerun to see the second error."""
    _replace(small_study, '"thalamus"', '"thalmus"')
    _replace(small_study.with_name("patients.tsv"), "P001\tCLAD", "P001\tKLAD")
    _replace(small_study.with_name("visits.tsv"), "P002\t0\t2016", "P002\tzero\t2016")
    done = atrobayes("prep", small_study)
    assert 1 == done.code
    assert "3 problems:" in done.err
    assert all(word in done.err for word in ("'thalmus'", "patients.tsv, line 2, group", "visits.tsv, line 6, visit"))


def test_1_a_results_folder_with_a_strangers_file_is_left_as_it_is(atrobayes, small_study: Path) -> None:
    """Somebody's own file could be written over, or taken for a result."""
    results = small_study.parent / "results"
    results.mkdir()
    (results / "notes.txt").write_text("mine")
    done = atrobayes("run", small_study)
    assert (1, "") == (done.code, done.out)
    assert f"{results}: found 'notes.txt'" in _one_line(done.err)
    assert [results / "notes.txt"] == list(results.rglob("*"))
    assert "mine" == (results / "notes.txt").read_text()


def test_1_a_second_run_in_the_same_folder_is_refused(atrobayes, small_study: Path) -> None:
    """Two runs in one folder would leave a mixture of both."""
    results = small_study.parent / "results"
    with open_folder(results):
        done = atrobayes("run", small_study)
    assert (1, "") == (done.code, done.out)
    assert "found another run at work" in _one_line(done.err)
    assert not (results / "cohort.nc").exists()


def test_2_an_engine_that_can_fit_nothing_of_what_is_asked(atrobayes, small_study: Path, ask_only) -> None:
    """Classical rows alone, without a word, would be taken for the whole answer."""
    ask_only(small_study, "clinical_course")
    done = atrobayes("run", small_study)
    assert (2, "") == (done.code, done.out)
    assert "engine 'quadrature' can fit none of the models asked for; try auto" in done.err
    assert all(f"\n{name}: " in done.err for name in ("counts", "ordinal"))
    assert not (small_study.parent / "results" / "estimates.tsv").exists()


def test_1_no_analysis_that_the_data_allow(atrobayes, small_study: Path, ask_only) -> None:
    """A run without a single result must not look like a finished one."""
    ask_only(small_study, "year_to_year_t2", "year_to_year_gd")
    visits = read_table(small_study.with_name("visits.tsv")).drop(columns=["new_t2", "new_gd"])
    visits.to_csv(small_study.with_name("visits.tsv"), sep="\t", index=False)
    done = atrobayes("run", small_study)
    assert (1, "") == (done.code, done.out)
    assert all(name in done.err for name in ("year_to_year_t2", "year_to_year_gd"))


def test_3_a_fit_that_failed_its_gate_is_written_and_marked(
    atrobayes, small_study: Path, ask_only, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A posterior that did not converge would be read like any other."""
    ask_only(small_study, "year_to_year_t2")
    monkeypatch.setattr(solve, "MOST_PANELS", solve.FIRST_PANELS)
    monkeypatch.setitem(solve.TOLERANCE, "mean", -1.0)
    done = atrobayes("run", small_study)
    assert 3 == done.code
    assert "not every fit passed its convergence gate" in done.err
    # two structures, with groups and without
    assert 4 == done.err.count("refining the quadrature still changes the result")
    assert "report: " in done.out
    results = small_study.parent / "results"
    rows = read_table(results / "estimates.tsv")
    failed = rows["flags"].str.split(",").map(lambda flags: "gate_failed" in flags)
    assert failed.equals(rows["method"].str.startswith("bayes"))
    assert "gate" in (results / "report.html").read_text()


def test_70_a_bug_of_ours_is_said_in_a_line_and_traced_in_a_file(
    atrobayes, small_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback tells a neurologist nothing, and us everything: it must be kept, not shown."""
    monkeypatch.setattr("atrobayes.inference.estimate.estimate", _raise(RuntimeError("nobody thought of this")))
    done = atrobayes("run", small_study, "--quiet")
    trace = small_study.parent / "results" / "logs" / "trace.txt"
    assert (70, "") == (done.code, done.out)
    assert "our own bug, please report it (RuntimeError: nobody thought of this)" in _one_line(done.err)
    assert str(trace) in done.err
    assert "Traceback" not in done.err
    assert trace.read_text().startswith("Traceback")
    assert trace.read_text().endswith("RuntimeError: nobody thought of this\n")


def test_70_with_debug_the_trace_is_shown_too(atrobayes, small_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for the bug wants the trace on the screen, and scripts still their exit code."""
    monkeypatch.setattr("atrobayes.data_prep.prepare.prepare", _raise(RuntimeError("nobody thought of this")))
    done = atrobayes("prep", small_study, "--debug")
    assert 70 == done.code
    assert "Traceback" in done.err


def test_70_a_bug_without_a_results_folder_points_to_no_file(
    atrobayes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path to a trace that was not written sends the user looking for nothing."""
    monkeypatch.setattr("atrobayes.data_prep.example.write_example", _raise(RuntimeError("nobody thought of this")))
    done = atrobayes("example", tmp_path / "demo")
    assert 70 == done.code
    assert "--debug shows where" in done.err
    assert "trace.txt" not in done.err


def test_130_interrupted_says_so_and_can_go_on(
    atrobayes, results_copy: Path, digests_of, small_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must neither look like success nor leave something a second run stumbles over."""
    with monkeypatch.context() as patched:
        patched.setattr("atrobayes.reports.contrast.write_contrast", _raise(KeyboardInterrupt()))
        done = atrobayes("run", small_run.study, "--out", results_copy, "--quiet")
    assert (130, "", "atrobayes: interrupted; what was finished is kept\n") == (done.code, done.out, done.err)
    assert 0 == atrobayes("compare", small_run.study, "--out", results_copy).code
    assert digests_of(small_run.results) == digests_of(results_copy)


def _raise(error: BaseException):
    def stage(*_args: object, **_kwargs: object) -> pd.DataFrame:
        raise error

    return stage
