"""False-positive rates and coverage with Monte Carlo bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from atrobayes.reports.figures.drawing import BAYES, VERDICT_COLOURS, canvas, svg
from atrobayes.reports.results import each_row

_STYLE = {"independent": (BAYES, "o"), "shared_scan": (VERDICT_COLOURS["classical_only"], "s")}
_APART = 0.2
_Z = 1.96


@dataclass(frozen=True)
class OperatingWords:
    """Words of the figure.

    Attributes
    ----------
    rows : dict of (str, str) to str
        Labels by term and test, from top to bottom.
    panels : dict of str to (str, float)
        Title and the rate that is promised, by quantity.
    errors : dict of str to str
        Entries of the legend by kind of errors.
    alt : str
        What a reader who cannot see it is told.
    """

    rows: Mapping[tuple[str, str], str]
    panels: Mapping[str, tuple[str, float]]
    errors: Mapping[str, str]
    alt: str


def operating_svg(name: str, rows: pd.DataFrame, words: OperatingWords) -> str:
    """Draw one analysis: a row per term and test, a marker per kind of errors.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        term, test, errors, quantity, rate, mc_error.
    words : OperatingWords

    Returns
    -------
    str
        SVG. Bars: 1.96 Monte Carlo standard errors to either side; black line: the rate that is promised.
    """
    with canvas(name, 8.6, 0.3 * len(words.rows) + 1.3) as figure:
        axes = figure.subplots(1, len(words.panels), sharey=True, squeeze=False)[0]
        for panel, quantity in zip(axes, words.panels, strict=True):
            _panel(panel, rows[rows["quantity"] == quantity], words, *words.panels[quantity])
        axes[0].set_yticks(range(len(words.rows)), list(words.rows.values()))
        axes[0].set_ylim(len(words.rows) - 0.5, -0.5)
        _lines_between_terms(axes, words)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _panel(axes: Axes, rows: pd.DataFrame, words: OperatingWords, title: str, promised: float) -> None:
    place = {key: position for position, key in enumerate(words.rows)}
    offsets = np.linspace(-_APART / 2, _APART / 2, len(words.errors)) if len(words.errors) > 1 else [0.0]
    axes.axvline(100 * promised, color="black", linewidth=0.8, zorder=1)
    for offset, (errors, label) in zip(offsets, words.errors.items(), strict=True):
        own = [row for row in each_row(rows[rows["errors"] == errors]) if (row.term, row.test) in place]
        colour, marker = _STYLE[errors]
        axes.errorbar(
            [100 * row.rate for row in own],
            [place[row.term, row.test] + offset for row in own],
            xerr=_bars(np.array([row.rate for row in own]), np.array([row.mc_error for row in own])),
            fmt=marker, color=colour, markersize=5, elinewidth=1.5, label=label, zorder=3,
        )  # fmt: skip
    axes.set_title(title, fontsize=10, loc="left", fontweight="bold")
    axes.set_xlabel("% of simulated studies")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _bars(rate: np.ndarray, error: np.ndarray) -> np.ndarray:
    """(side, row): lengths in per cent, no further than 0 and 100."""
    return 100 * np.array([np.minimum(_Z * error, rate), np.minimum(_Z * error, 1 - rate)])


def _lines_between_terms(axes: np.ndarray, words: OperatingWords) -> None:
    terms = [term for term, _ in words.rows]
    for position in range(1, len(terms)):
        if terms[position] != terms[position - 1]:
            for panel in axes:
                panel.axhline(position - 0.5, color="#bbbbbb", linewidth=0.6)
