"""What tests of whole runs share: the example, one finished run of it, and ways to call the command line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from atrobayes.data_prep.example import write_example

FEW_PATIENTS = 20
# in study.toml: what stands there, and what makes a run short; quadrature compiles nothing
SHORTER = {
    'structures = "paper"': 'structures = ["thalamus", "lateral_ventricle"]',
    '# use = ["year_to_year_t2"]': 'use = ["year_to_year_t2", "year_to_year_gd", "relapse_years"]',
    'engine = "auto"': 'engine = "quadrature"',
    "draws = 1000": "draws = 250",
}
# the command line as the installed script starts it; whoever asks gets the names of all loaded modules
MAIN = """
import os, sys
from atrobayes.cli import main
try:
    main()
finally:
    if os.environ.get("TELL_MODULES"):
        print(*sys.modules, sep="\\n", file=open(os.environ["TELL_MODULES"], "w"))
"""


@dataclass(frozen=True)
class Finished:
    """What one call of the command line came to."""

    code: int
    out: str
    err: str


Call = Callable[..., Finished]


def command(*args: object) -> list[str]:
    """Words that start the command line in a process of its own."""
    return [sys.executable, "-c", MAIN, *map(str, args)]


def in_own_process(*args: object, **env: str) -> Finished:
    done = subprocess.run(command(*args), env={**os.environ, **env}, capture_output=True, text=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


def in_this_process(*args: object) -> Finished:
    from typer.testing import CliRunner

    from atrobayes.cli import app

    # an exception that gets past the guard shall fail the test, not look like exit code 1
    done = CliRunner().invoke(app, list(map(str, args)), catch_exceptions=False)
    return Finished(done.exit_code, done.stdout, done.stderr)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file outside logs/."""
    files = (path for path in folder.rglob("*") if path.is_file() and "logs" not in path.relative_to(folder).parts)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)
    }


@pytest.fixture(scope="session")
def atrobayes() -> Call:
    """The command line, in this process (no start-up to wait for)."""
    return in_this_process


@pytest.fixture(scope="session")
def atrobayes_process() -> Call:
    """The command line in a process of its own; keyword arguments are environment variables."""
    return in_own_process


@pytest.fixture(scope="session")
def command_words() -> Callable[..., list[str]]:
    """Words to start the command line with `subprocess`."""
    return command


@pytest.fixture(scope="session")
def digests_of() -> Callable[[Path], Mapping[str, str]]:
    """SHA-256 of every file of a results folder outside logs/, by name."""
    return digests


@pytest.fixture(scope="session")
def fit_ids_of() -> Callable[[Path], Mapping[str, str]]:
    """fit_id of every stored posterior of a results folder, by file name."""
    return fit_ids


@pytest.fixture(scope="session")
def example_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """study.toml of the built-in example; not to be changed."""
    folder = tmp_path_factory.mktemp("example") / "study"
    write_example(folder)
    return folder / "study.toml"


@dataclass(frozen=True)
class ExampleRun:
    """The run of the example by quadrature, in a process of its own."""

    results: Path
    finished: Finished
    modules: frozenset[str]


@pytest.fixture(scope="session")
def example_run(example_study: Path) -> ExampleRun:
    told = example_study.parent.parent / "modules.txt"
    finished = in_own_process("run", example_study, "--engine", "quadrature", TELL_MODULES=str(told))
    assert finished.code == 0, finished.err
    return ExampleRun(example_study.parent / "results", finished, frozenset(told.read_text().split()))


@pytest.fixture(scope="session")
def finished_example(example_run: ExampleRun) -> Path:
    """Results folder of one run of the built-in example; not to be changed."""
    return example_run.results


@pytest.fixture(scope="session")
def _small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "study"
    write_example(folder, patients=FEW_PATIENTS)
    path = folder / "study.toml"
    text = path.read_text()
    for found, shorter in SHORTER.items():
        assert found in text
        text = text.replace(found, shorter)
    path.write_text(text)
    return path


@pytest.fixture
def ask_only() -> Callable[..., None]:
    """Let a small study ask for these analyses only."""

    def ask(study: Path, *names: str) -> None:
        text, times = re.subn(r"^use = .*$", f"use = {json.dumps(list(names))}", study.read_text(), flags=re.MULTILINE)
        assert 1 == times
        study.write_text(text)

    return ask


@pytest.fixture
def small_study(_small_study: Path, tmp_path: Path) -> Path:
    """study.toml of a small example (20 patients, 2 structures, 3 analyses, quadrature) that the test may change."""
    return shutil.copytree(_small_study.parent, tmp_path / "study") / "study.toml"


@dataclass(frozen=True)
class SmallRun:
    """The undisturbed run of the small example that others are compared with.

    `seconds` go from opening the results folder to the end: start-up writes nothing.
    """

    study: Path
    results: Path
    fit_ids: Mapping[str, str]
    seconds: float


@pytest.fixture(scope="session")
def small_run(_small_study: Path) -> SmallRun:
    """One finished run of the small example in a process of its own; not to be changed."""
    results = _small_study.parent.parent / "results"
    finished = in_own_process("run", _small_study, "--out", results, "--jobs", 1, PYTHONHASHSEED="1")
    assert finished.code == 0, finished.err
    began, ended = ((results / "logs" / name).stat().st_mtime for name in ("run.lock", "run.json"))
    return SmallRun(_small_study, results, fit_ids(results), ended - began)


@pytest.fixture
def results_copy(small_run: SmallRun, tmp_path: Path) -> Path:
    """A copy of the results of the small run; stored posteriors make a new run of `small_run.study` quick."""
    return shutil.copytree(small_run.results, tmp_path / "results")


def fit_ids(results: Path) -> dict[str, str]:
    """fit_id of every stored posterior, by file name."""
    import xarray as xr

    ids = {}
    for path in sorted((results / "posterior").glob("*.nc")):
        with xr.open_datatree(path, engine="netcdf4") as tree:
            ids[path.name] = json.loads(tree.attrs["history"])["fit_id"]
    return ids
