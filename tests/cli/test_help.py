"""Help that can be followed word for word."""

from __future__ import annotations

import shlex
from importlib.metadata import version

import pytest
import typer

from atrobayes.cli import app

COMMANDS = typer.main.get_command(app).commands


def _examples(name: str) -> list[list[str]]:
    """Words after `atrobayes` of each command line in a command's help."""
    lines = (COMMANDS[name].help or "").splitlines()
    said = [line.partition("For instance: ")[2] for line in lines if "For instance: " in line]
    return [shlex.split(line.removeprefix("atrobayes "))[0:] for line in said if line.startswith("atrobayes ")]


def test_the_commands_are_those_of_the_contract() -> None:
    """Scripts and the documentation call them by these names."""
    names = ["example", "init", "check", "prep", "fit", "compare"]
    names += ["sensitivity", "calibrate", "design", "report", "run", "audit", "reanalyse", "environment"]
    assert names == list(COMMANDS)


def test_version_is_that_of_the_package(atrobayes) -> None:
    """A bug report with another version sends the search the wrong way."""
    done = atrobayes("--version")
    assert (0, f"{version('atrobayes')}\n", "") == (done.code, done.out, done.err)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_can_be_pasted(atrobayes, name: str) -> None:
    """An example with an option that does not exist teaches a mistake."""
    done = atrobayes(name, "--help")
    assert 0 == done.code
    ((first, *rest),) = _examples(name)
    assert name == first
    # parses as the command itself would, options, values and arguments; nothing is run
    COMMANDS[name].make_context(name, list(rest))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    """An option without a word of help is tried out on real data."""
    assert [] == [one.name for one in COMMANDS[name].params if not getattr(one, "help", None)]


def test_called_with_nothing_the_help_is_shown(atrobayes) -> None:
    """The first thing a newcomer types is the bare name."""
    done = atrobayes()
    assert all(name in done.out + done.err for name in COMMANDS)
    assert "atrobayes example demo && atrobayes run demo/study.toml" in " ".join((done.out + done.err).split())


def test_environment_names_what_atrobayes_computes_with(atrobayes) -> None:
    """Numbers that differ between two machines are first looked for in these versions."""
    lines = dict(line.split(" ", 1) for line in atrobayes("environment").out.splitlines())
    assert {name: version(name) for name in ("atrobayes", "numpy", "scipy", "xarray", "pymc")} == {
        name: lines[name] for name in ("atrobayes", "numpy", "scipy", "xarray", "pymc")
    }
    assert "python" in lines
