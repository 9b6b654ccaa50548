"""Leave one patient out: how far every estimate of a result moves."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from atrobayes.reports.figures.drawing import BAYES, canvas, panels_of_rows, strokes, svg
from atrobayes.reports.results import each_row

_MARKED = "#d55e00"
_NARROWEST = 8.6


@dataclass(frozen=True)
class InfluenceWords:
    """Words of the drawing.

    Attributes
    ----------
    panels : dict of str to str
        Titles of the panels by term.
    rows : dict of str to str
        Labels of the rows by structure.
    interval : str
        Level and kind of the interval with everybody.
    alt : str
        What a reader who cannot see it is told.
    """

    panels: dict[str, str]
    rows: dict[str, str]
    interval: str
    alt: str


def influence_svg(name: str, rows: pd.DataFrame, words: InfluenceWords) -> str:
    """Draw one analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        One row per structure, term and patient left out: structure, term, number (of the patient), shift, most (bool:
        the patient who moves this result most), estimate_all, sd_all, ci_low_all, ci_high_all.
    words : InfluenceWords
        `panels` and `rows` give the order, from left to right and from top to bottom.

    Returns
    -------
    str
        SVG. Everything is in posterior SDs with everybody, so that 0 is no association and a dot's distance from the
        tick is a shift. Bar and tick: interval and estimate with everybody; dots: estimates without one patient.
    """
    width = max(_NARROWEST, 3.3 * len(words.panels) + 1.9)
    with canvas(name, width, 0.36 * len(words.rows) + 1.35) as figure:
        axes = panels_of_rows(figure, len(words.panels), words.rows.values(), sharex=True)
        for panel, term in zip(axes, words.panels, strict=True):
            _panel(panel, rows[rows["term"] == term], words, term)
        axes[0].set_ylim(top=-0.6)
        figure.supxlabel("distance from no association, in posterior SDs with everybody", fontsize=10)
        figure.legend(handles=_legend(words), loc="outside upper left", ncols=4, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _panel(axes: Axes, rows: pd.DataFrame, words: InfluenceWords, term: str) -> None:
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    place = {structure: position for position, structure in enumerate(words.rows)}
    y = rows["structure"].map(place)
    ends = {end: rows[f"{end}_all"] / rows["sd_all"] for end in ("estimate", "ci_low", "ci_high")}
    known = rows.assign(y=y, **ends, at=ends["estimate"] + rows["shift"])
    _everybody(axes, known.drop_duplicates("structure"))
    _without(axes, known)
    axes.set_title(words.panels[term], fontsize=10, loc="left", fontweight="bold")
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=7)


def _everybody(axes: Axes, rows: pd.DataFrame) -> None:
    low, middle, high, y = (rows[name] for name in ("ci_low", "estimate", "ci_high", "y"))
    axes.plot(*strokes(low, y, high, y), color=BAYES, linewidth=7, alpha=0.18, solid_capstyle="butt", zorder=2)
    axes.plot(*strokes(middle, y - 0.3, middle, y + 0.3), color=BAYES, linewidth=1.6, zorder=3)


def _without(axes: Axes, rows: pd.DataFrame) -> None:
    others, most = rows[~rows["most"]], rows[rows["most"]]
    axes.plot(others["at"], others["y"], "o", color="#444444", markersize=2.6, alpha=0.45, markeredgewidth=0, zorder=4)
    axes.plot(most["at"], most["y"], "o", color=_MARKED, markersize=5, zorder=5)
    for row in each_row(most):
        side = 1 if row.shift > 0 else -1
        axes.annotate(f"{row.number:.0f}", (row.at, row.y), (5 * side, 0), textcoords="offset points", fontsize=8,
                      va="center", ha="left" if side > 0 else "right", color=_MARKED, zorder=6)  # fmt: skip


def _legend(words: InfluenceWords) -> list[Line2D]:
    def dot(colour: str, size: float, label: str) -> Line2D:
        return Line2D([], [], color=colour, linestyle="none", marker="o", markersize=size, label=label)

    return [
        Line2D([], [], color=BAYES, linewidth=7, alpha=0.18, label=f"everybody: {words.interval}"),
        Line2D([], [], color=BAYES, linestyle="none", marker="|", markersize=9, label="estimate with everybody"),
        dot("#888888", 3, "without one patient"),
        dot(_MARKED, 5, "without the one who moves it most (number)"),
    ]
