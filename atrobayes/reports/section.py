"""What a report is made of, and the one place where a section that fails is caught."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from atrobayes.reports.results import Results

Status = Literal["ok", "warning", "failed", "not_applicable"]


@dataclass(frozen=True)
class Figure:
    """A finished drawing.

    Parameters
    ----------
    name : str
        Stem of its file in figures/, and prefix of every id inside the drawing.
    svg : str
        One `<svg>` element.
    alt : str
        What it shows, for those who cannot see it.
    caption : str
        How to read it, understandable alone.
    """

    name: str
    svg: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table as it is shown: every cell is text, every header says unit and interval.

    Parameters
    ----------
    name : str
        Anchor on the page.
    frame : DataFrame
        Text cells; the index is not shown.
    caption : str
        What the rows are.
    details : str
        Second half of the caption, set lighter: unit, kinds of intervals.
    file : str
        File of the results folder that holds the same numbers in full, or "".
    row_classes : tuple of str
        One style class per row, or empty. Colour only repeats what a cell says in words.
    folded : bool
        Shown closed, to be opened by the reader.
    """

    name: str
    frame: pd.DataFrame
    caption: str
    file: str = ""
    details: str = ""
    row_classes: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """One section of the report, in the order paragraphs, figures, tables, parts.

    Attributes
    ----------
    id : str
        Anchor on the page.
    title : str
        Heading.
    status : {"ok", "warning", "failed", "not_applicable"}
        Shown beside the heading unless ok.
    paragraphs : tuple of str
        Plain text.
    tables : tuple of Table
    figures : tuple of Figure
    parts : tuple of Section
        Sections inside this one, each with its own heading.
    """

    id: str
    title: str
    status: Status = "ok"
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=())
    figures: tuple[Figure, ...] = field(default=())
    parts: tuple[Section, ...] = field(default=())

    @property
    def all_figures(self) -> tuple[Figure, ...]:
        """Own figures, then those of the parts."""
        return (*self.figures, *(figure for part in self.parts for figure in part.all_figures))


def build(make: Callable[[Results], Section], results: Results, name: str = "", title: str = "") -> Section:
    """Make a section; where that raises, a failed section that says so in its place.

    Parameters
    ----------
    make : callable
        `make` of a module in `sections`.
    results : Results
        The results folder.
    name, title : str
        Anchor and heading where it fails; default: after the module of `make`.

    Returns
    -------
    Section
        With status `failed` and the reason as its paragraph if `make` raised; the reason
        also goes to standard error.
    """
    name = name or make.__module__.rpartition(".")[2]
    try:
        return make(results)
    except Exception as error:  # noqa: BLE001 - a report missing one part is worth more than none, if it says so
        reason = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"report: section {name} could not be made: {reason}\n")
        return Section(name, title or name.capitalize(), "failed", (f"This section could not be made. {reason}",))
