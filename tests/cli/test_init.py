"""atrobayes init: from a SUBJECTS_DIR to a study that can be checked at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atrobayes.files import read_table


@pytest.fixture(scope="module")
def begun(atrobayes, example_study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A study begun from the example's SUBJECTS_DIR, and what was said."""
    folder = tmp_path_factory.mktemp("begun") / "mystudy"
    done = atrobayes("init", folder, "--subjects-dir", example_study.parent / "subjects")
    assert 0 == done.code, done.err
    return folder, done.out


def test_the_scans_of_the_example_are_found_again(begun: tuple[Path, str], example_study: Path) -> None:
    """A scan at the wrong visit, or of the wrong patient, makes every change of that patient a wrong one."""
    keys = ["patient", "visit", "fsid"]
    written = read_table(begun[0] / "visits.tsv")[keys]
    true = read_table(example_study.parent / "visits.tsv")[keys]
    scanned = true[true["fsid"] != "n/a"].sort_values(["patient", "visit"])
    assert list(scanned.itertuples(index=False, name=None)) == list(written.itertuples(index=False, name=None))
    assert 154 == len(written)


def test_what_was_found_is_counted_and_what_to_do_is_said(begun: tuple[Path, str]) -> None:
    """A scan that never finished must be seen now, not when its patient is missing in the results."""
    first, rule, fill, after = begun[1].splitlines()
    assert "154 long runs of 52 patients, 1 unfinished, 1 failed" == first
    assert "the number after 'v', taken for the nominal year" in rule
    assert "new_t2" in fill
    assert f"next: atrobayes check {begun[0] / 'study.toml'}" == after


def test_json_is_one_object_and_nothing_else(atrobayes, example_study: Path, tmp_path: Path) -> None:
    """A script that begins studies must not parse sentences."""
    done = atrobayes("init", tmp_path / "new", "--subjects-dir", example_study.parent / "subjects", "--json")
    said = json.loads(done.out)
    (item,) = said["items"]
    assert "1" == said["schema_version"]
    assert {"finished": 152, "unfinished": 1, "failed": 1} == item["states"]
    assert (52, 154, []) == (item["patients"], item["visits"], item["notes"])


def test_2_a_folder_that_holds_something_is_left_alone(atrobayes, example_study: Path, tmp_path: Path) -> None:
    """Tables that somebody filled in for a day must not be written over."""
    (tmp_path / "visits.tsv").write_text("mine")
    done = atrobayes("init", tmp_path, "--subjects-dir", example_study.parent / "subjects")
    assert (2, "") == (done.code, done.out)
    assert ["visits.tsv"] == [path.name for path in tmp_path.iterdir()]
    assert "mine" == (tmp_path / "visits.tsv").read_text()


def test_1_a_folder_that_is_not_there(atrobayes, tmp_path: Path) -> None:
    """A slip in the path is told as one, and leaves nothing behind."""
    done = atrobayes("init", tmp_path / "new", "--subjects-dir", tmp_path / "fs")
    assert (1, "") == (done.code, done.out)
    assert f"{tmp_path / 'fs'}: found no such folder; expected a FreeSurfer SUBJECTS_DIR" in done.err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--subjects-dir"),
        (["--subjects-dir", "fs", "--stream", "base"], "--stream"),
        (["--subjects-dir", "fs", "--first-visit", "-1"], "--first-visit"),
        (["--subjects-dir", "fs", "--bids", "b", "--pattern", "p"], "found --bids with --pattern"),
    ],
)
def test_2_a_call_that_cannot_work(atrobayes, tmp_path: Path, words: list[str], said: str) -> None:
    """An option that is passed over would give another study than was asked for."""
    done = atrobayes("init", tmp_path / "new", *words)
    assert (2, "") == (done.code, done.out)
    assert said in done.err


def test_cross_sectional_runs_on_request(atrobayes, example_study: Path, tmp_path: Path) -> None:
    """A folder before its longitudinal stream has cross-sectional runs only."""
    subjects = example_study.parent / "subjects"
    done = atrobayes("init", tmp_path / "new", "--subjects-dir", subjects, "--stream", "cross")
    assert (0, "154 cross runs of 52 patients") == (done.code, done.out.splitlines()[0])
    assert 'stream = "cross"' in (tmp_path / "new" / "study.toml").read_text()
