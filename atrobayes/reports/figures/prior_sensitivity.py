"""How results move with their priors: intervals along a ladder of priors, and prior against likelihood sensitivity."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from atrobayes.reports.figures.drawing import BAYES, VERDICT_COLOURS, canvas, panels_of_rows, svg
from atrobayes.reports.results import each_row

OTHER, TIPS = "#8c8c8c", VERDICT_COLOURS["classical_only"]
READINGS = {"ok": OTHER, "conflict": TIPS, "strong_prior": VERDICT_COLOURS["opposite_sign"]}
_MARKERS = "osD^vP*X"
_TICKS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_LEAST = 0.002  # smaller sensitivities are drawn here
_ROW = 0.74  # share of a row that the ladder takes
_NAMED = 5  # points named in a panel
_ROOM = 3.0  # for the names, to the right of the points


@dataclass(frozen=True)
class LadderWords:
    """Words of a ladder.

    Attributes
    ----------
    panels : dict of str to str
        Titles of the panels by term.
    rows : dict of str to str
        Labels of the rows by structure.
    axis : str
        Label of the x axis.
    base, other, tip, below : str
        Entries of the legend: the study's prior, the others, the tipping prior, open markers.
    alt : str
        What a reader who cannot see it is told.
    """

    panels: dict[str, str]
    rows: dict[str, str]
    axis: str
    base: str
    other: str
    tip: str
    below: str
    alt: str


def ladder_svg(name: str, rows: pd.DataFrame, words: LadderWords) -> str:
    """Draw the intervals of one analysis along the ladder of slope priors.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        structure, term, look ("ladder" or "tipping"), base, prior_sd, estimate, ci_low, ci_high (all on the drawn
        axis) and clear (bool).
    words : LadderWords
        `panels` and `rows` give the order, from left to right and from top to bottom.

    Returns
    -------
    str
        SVG. Within a structure's row the height is the logarithm of the prior's SD, the narrowest on top; a tipping
        prior beyond the ladder is not drawn.
    """
    ladder = rows[rows["look"] == "ladder"]
    ends = np.log([ladder["prior_sd"].min(), ladder["prior_sd"].max()])
    rungs = int(ladder.groupby(["structure", "term"]).size().max())
    width = max(8.6, 2.7 * len(words.panels) + 1.9)
    height = (0.14 + 0.06 * rungs) * len(words.rows) + 1.3
    with canvas(name, width, height) as figure:
        axes = panels_of_rows(figure, len(words.panels), words.rows.values(), sharex=True)
        for panel, term in zip(axes, words.panels, strict=True):
            _ladder_panel(panel, rows[rows["term"] == term], words, term, ends)
        figure.supxlabel(words.axis, fontsize=10)
        figure.legend(handles=_ladder_legend(words), loc="outside upper left", ncols=2, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _ladder_panel(axes: Axes, rows: pd.DataFrame, words: LadderWords, term: str, ends: np.ndarray) -> None:
    place = {structure: position for position, structure in enumerate(words.rows)}
    span = float(np.ptp(ends)) or 1.0
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for edge in range(1, len(place)):
        axes.axhline(edge - 0.5, color="#e6e6e6", linewidth=0.6, zorder=0)
    share = (np.log(rows["prior_sd"]) - ends.mean()) / span
    tips = rows["look"] == "tipping"
    drawn = rows["estimate"].notna() & (~tips | (share.abs() <= 0.5))
    known = rows.assign(y=rows["structure"].map(place) + _ROW * share, tips=tips, own=rows["base"] == 1)[drawn]
    for style, some in known.groupby(["tips", "own", "clear"]):
        _rungs(axes, some, *map(bool, style))
    axes.set_title(words.panels[term], fontsize=10, loc="left", fontweight="bold")
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)


def _rungs(axes: Axes, rows: pd.DataFrame, tips: bool, base: bool, clear: bool) -> None:
    """Intervals and estimates of one style, as one collection each: hundreds of single lines take seconds."""
    colour = TIPS if tips else BAYES if base else OTHER
    style: Any = (0, (2, 1.2)) if tips else "solid"
    axes.hlines(
        rows["y"], rows["ci_low"], rows["ci_high"],
        colors=colour, linewidths=1.9 if base else 0.9, linestyles=style, zorder=2 + base,
    )  # fmt: skip
    face = colour if clear or tips else "white"
    marker, size = ("x", 4.5) if tips else ("o", 4.6 if base else 3.0)
    axes.plot(rows["estimate"], rows["y"], marker, color=colour, markerfacecolor=face, markersize=size, zorder=5)


def _ladder_legend(words: LadderWords) -> list[Line2D]:
    return [
        Line2D([], [], color=BAYES, marker="o", markersize=4.6, linewidth=1.9, label=words.base),
        Line2D([], [], color=OTHER, marker="o", markersize=3, linewidth=0.9, label=words.other),
        Line2D([], [], color=TIPS, marker="x", markersize=4.5, linewidth=0.9, linestyle=(0, (2, 1.2)), label=words.tip),
        Line2D([], [], color=OTHER, marker="o", markerfacecolor="white", linestyle="none", label=words.below),
    ]


def power_svg(
    name: str,
    rows: pd.DataFrame,
    *,
    panels: Mapping[str, str],
    terms: Mapping[str, str],
    readings: Mapping[str, str],
    threshold: float,
    alt: str,
) -> str:
    """Draw sensitivity to the prior against sensitivity to the data, one point per row, one panel per analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        analysis, term, label, prior, likelihood, verdict; rows that lack one of the numbers are not drawn.
    panels, terms, readings : mapping
        Titles by analysis, words by term and by verdict.
    threshold : float
        From which on a sensitivity is said to matter.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG, both axes logarithmic; the rows most sensitive to the prior are named where they pass the threshold.
    """
    across = min(2, len(panels))
    down = math.ceil(len(panels) / 2)
    with canvas(name, 5.2 * across, 3.9 * down + 0.9) as figure:
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for axes, analysis in zip(grid, panels, strict=False):
            _power_panel(axes, rows[rows["analysis"] == analysis], terms, threshold, _limits(rows))
            axes.set_title(textwrap.fill(panels[analysis], 46), fontsize=10, loc="left", fontweight="bold")
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        handles = _power_legend(rows, terms, readings)
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        return svg(figure, name, alt)


def _limits(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Left, lower and upper end; to the right there is room for names beyond the upper end."""
    left, low = (min(0.02, max(_LEAST, float(rows[name].min()))) * 0.8 for name in ("prior", "likelihood"))
    return left, low, max(0.15, float(rows[["prior", "likelihood"]].max().max())) * 1.5


def _power_panel(
    axes: Axes, rows: pd.DataFrame, terms: Mapping[str, str], threshold: float, limits: tuple[float, float, float]
) -> None:
    left, low, most = limits
    axes.set(xscale="log", yscale="log", xlim=(left, most * _ROOM), ylim=(low, most))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(_TICKS))
        axis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in _TICKS]))
        axis.set_minor_locator(NullLocator())
    for line in (axes.axvline, axes.axhline):
        line(threshold, color="black", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    for marker, term in zip(_MARKERS, terms, strict=False):
        for verdict, points in rows[rows["term"] == term].groupby("verdict", sort=False):
            x, y = points["prior"].clip(lower=_LEAST), points["likelihood"].clip(lower=_LEAST)
            axes.plot(x, y, marker, color=READINGS[str(verdict)], markersize=5.5, alpha=0.85, zorder=3)
    _names(axes, rows[rows["verdict"] != "ok"].nlargest(_NAMED, "prior"))
    axes.set_xlabel("sensitivity to the priors")
    axes.set_ylabel("sensitivity to the data")


def _names(axes: Axes, rows: pd.DataFrame) -> None:
    lowest = math.inf
    for row in each_row(rows.sort_values("likelihood", ascending=False)):
        # names of neighbours slide down instead of overprinting
        place = lowest = min(math.log10(row.likelihood), lowest - 0.055)
        axes.annotate(
            row.label, (row.prior, row.likelihood), (0.985, 10**place), fontsize=8, va="center", ha="right",
            xycoords="data", textcoords=axes.get_yaxis_transform(),
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6, "shrinkB": 3},
        )  # fmt: skip


def _power_legend(rows: pd.DataFrame, terms: Mapping[str, str], readings: Mapping[str, str]) -> list[Line2D]:
    shapes = [
        Line2D([], [], color="#333333", marker=marker, linestyle="none", label=words)
        for marker, words in zip(_MARKERS, terms.values(), strict=False)
    ]
    colours = [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=readings[verdict])
        for verdict, colour in READINGS.items()
        if (rows["verdict"] == verdict).any()
    ]
    return [*shapes, *colours]
