"""What can go wrong, each kind with the exit code the command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_ROWS = 5  # line numbers named before "and … more"


class AtroError(Exception):
    """Base of every error atrobayes raises on purpose; a bare one is our own bug."""

    exit_code = 70


@dataclass(frozen=True)
class Fault:
    """One thing wrong in the user's files, with all that is needed to mend it.

    Parameters
    ----------
    found : str
        What stands there.
    expected : str
        What should stand there.
    todo : str
        What the user can do about it.
    file : str
        Path of the file or folder, "" where there is none.
    row : int or None
        Line number in the file, the header being line 1.
    column : str
        Column or key, "" where the whole row or file is meant.
    """

    found: str
    expected: str
    todo: str = ""
    file: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        return self.told([] if self.row is None else [self.row])

    def told(self, rows: Sequence[int]) -> str:
        """Say it once for all the lines it stands in."""
        place = self.file
        if rows:
            more = f" and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
            place += f", line{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:MOST_ROWS]))}{more}"
        if self.column:
            place += f", {self.column}"
        parts = [f"found {self.found}", f"expected {self.expected}"]
        if self.todo:
            parts.append(self.todo)
        return f"{place}: " * bool(place) + "; ".join(parts)


class DataError(AtroError):
    """The data are wrong: one or more faults, all reported at once."""

    exit_code = 1

    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        count = f"{len(self.faults)} problems:\n" if len(self.faults) > 1 else ""
        super().__init__(count + "\n".join(_folded(self.faults)))

    def __reduce__(self) -> tuple[Any, ...]:
        # made anew from its faults where another process sends it; notes are in the dictionary
        return type(self), (self.faults,), self.__dict__


def attempt[T](step: Callable[[], T], faults: list[Fault]) -> T | None:
    """Do one step of several whose faults are told together.

    Parameters
    ----------
    step : function
    faults : list of Fault
        Those of the step are added to it.

    Returns
    -------
    The step's result; None if the data were wrong.
    """
    try:
        return step()
    except DataError as error:
        faults += error.faults
        return None


def _folded(faults: Sequence[Fault]) -> list[str]:
    """One line for equal faults in several rows: a table from another program has the same fault everywhere."""
    rows: dict[Fault, list[int]] = {}
    for fault in faults:
        rows.setdefault(replace(fault, row=None), []).extend([] if fault.row is None else [fault.row])
    return [fault.told(lines) for fault, lines in rows.items()]


class StudyError(DataError):
    """study.toml, or the folder it points to, is wrong."""


class UsageError(AtroError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class GateError(AtroError):
    """A fit did not pass its convergence gate; results were written and marked."""

    exit_code = 3


class DisagreementError(AtroError):
    """A check of numbers disagrees."""

    exit_code = 4
