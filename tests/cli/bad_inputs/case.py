"""What a bad input is: a change to the good study, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

Spoil = Callable[[Path], object]


class At(NamedTuple):
    """One fault that must be told.

    Attributes
    ----------
    file : str
        From the study's folder; "" for that folder.
    row : int or None
        Line; None where the whole file is meant.
    column : str
        "" where the whole row or file is meant.
    said : str
        Words that the message must hold.
    """

    file: str
    row: int | None
    column: str
    said: str


class Row(NamedTuple):
    """One row of exclusions.tsv that must be there, as text."""

    stage: str
    patient: str
    visit: str
    rule: str
    file: str = "n/a"
    structure: str = "n/a"


@dataclass(frozen=True)
class Case:
    """A bad input.

    Attributes
    ----------
    name : str
    spoil : function of Path
        Changes the good study in this folder.
    code : int
        Exit code.
    faults : tuple of At
        Every fault that must be told: these and no others.
    ledger : tuple of Row
        Rows of exclusions.tsv that the good study has not: these and no others, years and analyses aside.
    said : str
        Words that standard error must hold where there is no fault.
    unsaid : str
        What must not be repeated anywhere.
    forbidden : str
        File or folder that the system gives no leave to read.
    """

    name: str
    spoil: Spoil
    code: int
    faults: tuple[At, ...] = ()
    ledger: tuple[Row, ...] = ()
    said: str = ""
    unsaid: str = ""
    forbidden: str = ""


def refused(name: str, spoil: Spoil, *faults: At, unsaid: str = "", forbidden: str = "") -> Case:
    """An input that stops the command with exit code 1 and these faults."""
    return Case(name, spoil, 1, faults, unsaid=unsaid, forbidden=forbidden)


def left_out(name: str, spoil: Spoil, *ledger: Row, said: str = "") -> Case:
    """An input that costs what these ledger rows say, and nothing else."""
    return Case(name, spoil, 0, ledger=ledger, said=said)


def harmless(name: str, spoil: Spoil, said: str = "") -> Case:
    """An input that looks odd and changes no number."""
    return Case(name, spoil, 0, said=said)
