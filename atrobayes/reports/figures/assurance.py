"""Assurance against the number of patients, classical power beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from atrobayes.reports.figures.drawing import BAYES, CLASSICAL, canvas, svg

_SERIES = {
    "assurance": ("mc_error", BAYES, "o", "solid"),
    "power": ("power_mc_error", CLASSICAL, "s", "solid"),
    "power_at_mean": ("power_at_mean_mc_error", CLASSICAL, "D", (0, (4, 2))),
}
_SHIFT = {"assurance": 0.97, "power": 1.0, "power_at_mean": 1.03}  # along the logarithmic axis, so that bars part
_WIDTHS = (1.8, 1.0, 2.6, 0.6)  # of lines, by years
_Z = 1.96


@dataclass(frozen=True)
class AssuranceWords:
    """Words of the figure.

    Attributes
    ----------
    panels : dict of str to str
        Titles by structure.
    series : dict of str to str
        Entries of the legend: assurance, power, power_at_mean.
    alt : str
        What a reader who cannot see it is told.
    """

    panels: Mapping[str, str]
    series: Mapping[str, str]
    alt: str


def assurance_svg(name: str, rows: pd.DataFrame, words: AssuranceWords) -> str:
    """Draw a panel per structure.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        As assurance.tsv.
    words : AssuranceWords

    Returns
    -------
    str
        SVG. Bars: 1.96 Monte Carlo standard errors to either side; several years of follow-up: lines of several
        widths, named at their ends.
    """
    across = min(3, len(words.panels))
    down = math.ceil(len(words.panels) / across)
    with canvas(name, 8.6 if across > 1 else 5.2, 2.4 * down + 0.9) as figure:
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, structure in zip(grid, words.panels, strict=False):
            _panel(axes, rows[rows["structure"] == structure], words)
            axes.set_title(words.panels[structure], fontsize=10, loc="left", fontweight="bold")
        for axes in grid[len(words.panels) :]:
            axes.set_axis_off()
        figure.supxlabel("patients enrolled", fontsize=10)
        figure.supylabel("probability, %", fontsize=10)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=1, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _panel(axes: Axes, rows: pd.DataFrame, words: AssuranceWords) -> None:
    years = sorted(rows["years"].unique())
    for place, year in enumerate(years):
        some = rows[rows["years"] == year].sort_values("patients")
        for column, label in words.series.items():
            error, colour, marker, line = _SERIES[column]
            axes.errorbar(
                some["patients"] * _SHIFT[column], 100 * some[column], yerr=_bars(some[column], some[error]),
                marker=marker, color=colour, linestyle=line, linewidth=_WIDTHS[place % len(_WIDTHS)], markersize=4.5,
                elinewidth=1, label=label if place == 0 else "_",
            )  # fmt: skip
        if len(years) > 1:
            last = some.iloc[-1]
            place_of_text = (last["patients"] * 1.06, 100 * last["assurance"])
            axes.annotate(f"{year:.0f} y", place_of_text, fontsize=8, va="center", color=BAYES)
    sizes = sorted(rows["patients"].unique())
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{size:.0f}" for size in sizes]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(sizes[0] * 0.85, sizes[-1] * 1.25)
    axes.set_ylim(-3, 103)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _bars(rate: pd.Series, error: pd.Series) -> np.ndarray:
    """(side, size): lengths in per cent, no further than 0 and 100."""
    return 100 * np.array([np.minimum(_Z * error, rate), np.minimum(_Z * error, 1 - rate)])
