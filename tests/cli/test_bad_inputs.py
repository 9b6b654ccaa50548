"""Bad inputs, one a row: each ends in one readable error, or in rows of the ledger and a finished command."""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import typer

from atrobayes.cli.prep import prep
from atrobayes.errors import DataError, Fault
from atrobayes.files import read_table

from .bad_inputs import CASES
from .bad_inputs.case import Case, Row
from .bad_inputs.good_study import ASEG, write_good_study

# years and rows of analyses are lost because their scans are
CONSEQUENCES = frozenset({"interval", "analysis"})
REFUSED = [case for case in CASES if case.code]
LEFT_OUT = [case for case in CASES if case.ledger]
HARMLESS = [case for case in CASES if not case.code and not case.ledger]
PATIENCE = 30  # seconds; a pipe would be waited for without end


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the good study, with its results; not to be changed."""
    study = write_good_study(tmp_path_factory.mktemp("good") / "study")
    prep(study, quiet=True)
    return study.parent


@pytest.fixture
def study(good: Path, tmp_path: Path) -> Path:
    """Folder of a copy of the good study, without results."""
    return shutil.copytree(good, tmp_path / "study", ignore=shutil.ignore_patterns("results"))


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    def too_long(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"nothing came of it in {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def forbid(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Refuse a file or folder as the system does; these tests may be run by root, who may read everything."""

    def refusing(call: Callable[..., object], *, but_itself: bool = False) -> Callable[..., object]:
        def guarded(place: object, *args: object, **options: object) -> object:
            asked = Path(place) if isinstance(place, (str, Path)) else Path()
            if path in asked.parents or (asked == path and not but_itself):
                raise PermissionError(13, "Permission denied", str(asked))
            return call(place, *args, **options)

        return guarded

    for module, name in ((io, "open"), (os, "listdir"), (os, "scandir")):
        monkeypatch.setattr(module, name, refusing(getattr(module, name)))
    monkeypatch.setattr(os, "stat", refusing(os.stat, but_itself=True))


def run(study: Path) -> tuple[int, BaseException | None]:
    """Exit code of prep, and the error it told."""
    try:
        prep(study / "study.toml", json=True)  # cheaper to print than the table
    except typer.Exit as ended:
        return ended.exit_code, ended.__cause__
    return 0, None


def faults_of(error: BaseException | None) -> tuple[Fault, ...]:
    if isinstance(error, PermissionError):
        return (Fault("no permission", "leave to read it", file=str(error.filename)),)
    assert isinstance(error, DataError), error
    return error.faults


def place(fault: Fault, study: Path) -> tuple[str, int | None, str]:
    path = Path(fault.file)
    return path.relative_to(study).as_posix() if path.is_relative_to(study) else fault.file, fault.row, fault.column


def ledger(results: Path) -> set[Row]:
    rows = read_table(results / "exclusions.tsv").to_dict("records")
    return {Row(*(row[name] for name in Row._fields)) for row in rows if row["stage"] not in CONSEQUENCES}


def written(results: Path) -> list[str]:
    """Files outside logs/, and everything unfinished anywhere."""
    files = [path.relative_to(results) for path in sorted(results.rglob("*")) if path.is_file()]
    return [str(path) for path in files if path.parts[0] != "logs" or "partial" in path.name]


def everything(results: Path) -> bytes:
    return b"".join(path.read_bytes() for path in results.rglob("*") if path.is_file())


def test_there_are_eighty_and_more_and_none_twice() -> None:
    """A table that shrinks without a word would still be green."""
    assert len(CASES) >= 200
    assert len(CASES) == len({case.name for case in CASES})
    assert all(case.faults for case in REFUSED)


@named(REFUSED)
def test_an_input_that_cannot_be_right_is_told_with_its_place_and_nothing_is_written(
    case: Case, study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A doctor is left with a trace of our code, with a run that hangs, or with results of half a study."""
    case.spoil(study)
    with monkeypatch.context() as patch:
        if case.forbidden:
            forbid(patch, study / case.forbidden)
        code, error = run(study)
    told = capsys.readouterr()
    assert (case.code, "") == (code, told.out), told.err
    assert [fault[:3] for fault in case.faults] == [place(fault, study) for fault in faults_of(error)], told.err
    assert all(fault.said in told.err for fault in case.faults), told.err
    assert 1 == told.err.count("atrobayes: ")
    assert not any(word in told.err for word in ("Traceback", 'File "', "Error", "our own bug"))
    assert [] == written(study / "results")
    if case.unsaid:
        assert case.unsaid not in told.err
        assert case.unsaid.encode() not in everything(study / "results")


@named(LEFT_OUT)
def test_a_scan_that_cannot_be_used_is_in_the_ledger_and_the_others_are_not(
    case: Case, study: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad file would cost the study, or vanish from it."""
    case.spoil(study)
    code, _ = run(study)
    told = capsys.readouterr().err
    assert 0 == code, told
    assert set(case.ledger) == ledger(study / "results") - ledger(good / "results")
    assert set() == ledger(good / "results") - ledger(study / "results")
    assert case.said in told
    assert written(good / "results") == written(study / "results")


@named(HARMLESS)
def test_an_input_that_only_looks_odd_changes_no_number(
    case: Case, study: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that went through an editor or another system would be refused, or read as something else."""
    case.spoil(study)
    code, _ = run(study)
    told = capsys.readouterr().err
    assert 0 == code, told
    assert case.said in told
    assert set() == ledger(study / "results") ^ ledger(good / "results")
    assert (good / "results" / "changes.tsv").read_bytes() == (study / "results" / "changes.tsv").read_bytes()


@pytest.mark.parametrize("spoiled", ["study.toml", "visits.tsv", ASEG])
def test_results_that_are_there_stay_as_they_are_when_the_next_run_is_refused(
    study: Path, spoiled: str, digests_of: Callable[[Path], dict[str, str]]
) -> None:
    """The error of today would leave a mixture of yesterday's results and none."""
    assert (0, None) == run(study)
    before = digests_of(study / "results")
    (study / spoiled).write_bytes(b"\xff\x00")
    assert 1 == run(study)[0]
    assert before == digests_of(study / "results")


def test_a_study_file_that_may_not_be_read_is_no_slip_of_the_command_line(
    study: Path, atrobayes: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser of options would look first, and say 2: called in a way that cannot work."""
    path = study / "study.toml"
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda place, *args, **options: False)
        forbid(patch, path)
        done = atrobayes("prep", path)
    assert 1 == done.code
    assert f"atrobayes: {path}: found no permission to read it; expected a study file" in done.err


@pytest.mark.parametrize("name", ["visits: UTF-16", "aseg.stats: cut between rows", "runs: never finished"])
def test_the_command_as_it_is_installed_does_the_same(
    study: Path, name: str, atrobayes_process: Callable[..., Any]
) -> None:
    """What holds within the test's own process need not hold for the program."""
    (case,) = (case for case in CASES if case.name == name)
    case.spoil(study)
    done = atrobayes_process("prep", study / "study.toml")
    assert case.code == done.code
    assert all(fault.said in done.err for fault in case.faults)
    assert "Traceback" not in done.err
