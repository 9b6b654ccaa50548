"""What a check says of printed numbers, and how it comes to a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.files import Column

if TYPE_CHECKING:
    import pandas as pd

type Interval = tuple[float, float]

VERDICTS = {
    "consistent": "the printed digits fit each other when each number was rounded to its last digit",
    "only_under": "they fit only if every number was cut off, or every number rounded up, at its last digit",
    "inconsistent": "they do not fit each other under any of these",
    "cannot_check": "what the check rests on is not given or does not hold",
}
DISAGREEING = ("only_under", "inconsistent")

COLUMNS: tuple[Column, ...] = (
    Column("check", "Name of the check."),
    Column("verdict", "What it found.", levels=VERDICTS),
    Column("source", "Where the numbers stand; two places compared: both, with a semicolon between."),
    Column("analysis", "Analysis, as the table names it."),
    Column("structure", "Structure, as the table names it; two compared: both, with a semicolon between."),
    Column("quantity", "Which number is looked at."),
    Column("group", "Group, as the table names it."),
    Column("printed", "The number or numbers as printed."),
    Column("implied", "What the other printed numbers allow it to be, from lowest to highest."),
    Column("assumptions", "What the arithmetic takes for granted."),
    Column("message", "The finding in one sentence, with its arithmetic."),
)


@dataclass(frozen=True)
class Finding:
    """What one check says of one result; `COLUMNS` explains every field.

    Attributes
    ----------
    check, verdict, source, analysis, structure, quantity, group, printed, implied, assumptions, message : str
    """

    check: str
    verdict: str
    source: str
    analysis: str
    structure: str
    quantity: str
    group: str
    printed: str
    implied: str
    assumptions: str
    message: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(self.verdict)

    @property
    def disagrees(self) -> bool:
        """Whether the digits do not fit each other, or only under another way of shortening numbers."""
        return self.verdict in DISAGREEING


def overlap(one: Interval, other: Interval) -> bool:
    """Whether two intervals have a number in common, ends included.

    Parameters
    ----------
    one, other : tuple of two floats
    """
    slack = 1e-12 * max((abs(end) for end in (*one, *other) if math.isfinite(end)), default=0.0)
    return one[0] <= other[1] + slack and other[0] <= one[1] + slack


def judge(printed: Callable[[str], Interval], implied: Callable[[str], Interval | None]) -> tuple[str, tuple[str, ...]]:
    """Come to a verdict on whether what is implied meets what is printed.

    Parameters
    ----------
    printed, implied : function of str
        Interval for each of ROUNDINGS, the same way for all numbers of a row; None: no number is possible.

    Returns
    -------
    verdict : str
        "consistent" where they meet under "rounded", "only_under" where they meet under another alone, else
        "inconsistent".
    ways : tuple of str
        The ROUNDINGS under which they meet.
    """
    return verdict_of({how: _meets(printed(how), implied(how)) for how in ROUNDINGS})


def verdict_of(fits: dict[str, bool]) -> tuple[str, tuple[str, ...]]:
    """Come to a verdict from what fits under each of ROUNDINGS; as `judge`.

    Parameters
    ----------
    fits : dict of str to bool
    """
    ways = tuple(how for how in ROUNDINGS if fits[how])
    if "rounded" in ways:
        return "consistent", ways
    return ("only_under" if ways else "inconsistent"), ways


def fit_words(verdict: str, ways: Sequence[str]) -> str:
    """Words for a verdict: "fit each other", "fit each other only if …", "do not fit each other".

    Parameters
    ----------
    verdict : str
        As `judge` gives it.
    ways : sequence of str
        As `judge` gives them.
    """
    if verdict == "only_under":
        words = {"truncated": "cut off", "rounded_up": "rounded up"}
        return f"fit each other only if {' or '.join(words[way] for way in ways)} at the last digit"
    return "fit each other" if verdict == "consistent" else "do not fit each other"


def span(interval: Interval | None, digits: int = 5) -> str:
    """Text of an interval: its lowest and highest number.

    Parameters
    ----------
    interval : tuple of two floats or None
        None: no number is possible.
    digits : int
        Significant ones.
    """
    if interval is None:
        return "no number"
    low, high = (f"{end:.{digits}g}" for end in interval)
    return low if low == high else f"{low} to {high}"


def both(one: str, other: str) -> str:
    """Two names where two places are compared; one where they are the same.

    Parameters
    ----------
    one, other : str
    """
    return one if one == other else f"{one}; {other}"


def to_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Findings as a table with the columns of `COLUMNS`, in the order given.

    Parameters
    ----------
    findings : sequence of Finding
    """
    import pandas as pd

    names = [column.name for column in COLUMNS]
    return pd.DataFrame([astuple(finding) for finding in findings], columns=names, dtype="str")


def _meets(printed: Interval, implied: Interval | None) -> bool:
    return implied is not None and overlap(printed, implied)
