"""What is declared, pinned and shipped is what the code needs; and set-up says what it lacks."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN_TIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
# imported inside functions that say what to install where it is absent
CLUSTER = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["cluster"]]
DECLARED = [
    *RUN_TIME,
    *CLUSTER,
    *(Requirement(text) for text in PROJECT["dependency-groups"]["dev"]),
    *(Requirement(text) for text in PROJECT["build-system"]["requires"]),
]


def _pinned() -> str:
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def _imported() -> set[str]:
    """Top-level names of every import in the package, at whatever depth."""
    found = set()
    for path in (ROOT / "atrobayes").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"atrobayes"}


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    """A missing dependency breaks a fresh installation; an idle one is downloaded by everybody for nothing."""
    homes = importlib.metadata.packages_distributions()
    needed = {canonicalize_name(homes[name][0]) for name in _imported()}
    assert sorted(canonicalize_name(one.name) for one in [*RUN_TIME, *CLUSTER]) == sorted(needed)


def test_everything_declared_is_pinned_within_its_bounds() -> None:
    """A bound raised in pyproject.toml without `make requirements` would be tested against the old version."""
    versions = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", _pinned(), flags=re.MULTILINE))
    outside = [str(one) for one in DECLARED if versions.get(canonicalize_name(one.name), "0") not in one.specifier]
    assert [] == outside


def test_every_pin_has_hashes_and_names_no_place() -> None:
    """A pin without a hash installs whatever is served; an address or path ties everybody to one machine."""
    text = _pinned()
    entries = re.split(r"^(?=[A-Za-z0-9][\w.-]*==)", text, flags=re.MULTILINE)[1:]
    assert 50 < len(entries)
    assert [] == [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert [] == re.findall(r"^.*(?:://|--index|--extra-index|--find-links|file:|@ |/\w+/).*$", text, re.MULTILINE)


def test_installed_version_is_the_declared_one() -> None:
    """The version in results would be that of another state of the code."""
    assert PROJECT["project"]["version"] == importlib.metadata.version("atrobayes")


def test_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """A style sheet or a catalogue left out of the wheel is missed only on other people's machines."""
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith("atrobayes/")}
        assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    package = (path for path in (ROOT / "atrobayes").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert {path.relative_to(ROOT).as_posix() for path in package} == inside


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make setup` reads, in a folder of its own, and an empty folder of programs."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("rm", "touch"):
        (programs / name).symlink_to(shutil.which(name))
    return tmp_path


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def _setup(clone: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env["PATH"] = ":".join(map(str, folders))
    return subprocess.run(
        [shutil.which("make"), "setup"], cwd=clone, env=env, capture_output=True, text=True, check=False
    )


def test_set_up_without_a_fitting_python_says_what_is_missing(clone: Path) -> None:
    """Whoever has only an old Python must learn that from one line, not from a failure of pip."""
    pretend = "import sys; code = sys.argv[1]; sys.version_info = (3, 11, 2); exec(code)"
    body = f"""[ $1 = --version ] && echo Python 3.11.2 && exit; exec {sys.executable} -c '{pretend}' "$2\""""
    _program(clone / "programs", "python3", body)
    done = _setup(clone, clone / "programs")
    assert 0 != done.returncode
    assert "atrobayes needs Python 3.12 or newer, and found none:" in done.stderr
    assert "python3.13: not there, or does not run" in done.stderr
    assert "python3: Python 3.11.2" in done.stderr
    assert "make setup PYTHON=/path/to/python3.12" in done.stderr
    assert not (clone / ".venv").exists()


def test_set_up_passes_over_a_name_without_a_python_behind_it(clone: Path) -> None:
    """Version managers leave names on the PATH that do not run; a Python further down must still be found."""
    _program(clone / "programs", "python3.13", "exit 127")
    _program(clone / "programs", "python3.12", "exit 127")
    # answers as Python does, but ends where the installation would begin
    _program(
        clone / "further", "python3.12", f'case $1 in -m) echo venv at $3; exit 9;; esac; exec {sys.executable} "$@"'
    )
    done = _setup(clone, clone / "programs", clone / "further")
    assert "venv at .venv" in done.stdout
    assert 0 != done.returncode
    assert not (clone / ".venv" / ".packages-installed").exists()


def test_set_up_names_the_missing_module(clone: Path) -> None:
    """Debian ships Python without ensurepip; the error of venv itself names no command to run."""
    _program(clone / "programs", "python3", f'case $2 in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"')
    done = _setup(clone, clone / "programs")
    assert 0 != done.returncode
    assert "python3-venv" in done.stderr
