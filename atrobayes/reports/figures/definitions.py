"""Estimates under other definitions: how lesions are counted, which years count, what nobody saw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from atrobayes.reports.figures.drawing import canvas, one_scale, panels_of_rows, strokes, svg

# of Okabe and Ito's colours, the base in black; a marker each, so that colour only repeats it
_STYLES = (
    ("#000000", "o"),
    ("#0072b2", "s"),
    ("#d55e00", "v"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#56b4e9", "P"),
    ("#e69f00", "X"),
    ("#8c8c8c", "*"),
)
_APART = 0.66  # between the outer lines of a row


def definitions_svg(
    name: str,
    rows: pd.DataFrame,
    *,
    panels: Mapping[str, str],
    structures: Mapping[str, str],
    series: Mapping[str, str],
    axis: str,
    alt: str,
) -> str:
    """Draw one analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        One row per structure, term and series: estimate, low, high, on the drawn axis.
    panels, structures, series : mapping
        Titles by term; labels of the rows; entries of the legend, in the order of a row's lines, what was analysed
        first.
    axis : str
        Label of the x axis.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG; panels of slopes share one scale.
    """
    height = (0.2 + 0.075 * len(series)) * len(structures) + 1.0 + 0.2 * ((len(series) + 1) // 2)
    with canvas(name, max(8.6, 3.1 * len(panels) + 1.9), height) as figure:
        axes = panels_of_rows(figure, len(panels), structures.values())
        for panel, term in zip(axes, panels, strict=True):
            _panel(panel, rows[rows["term"] == term], structures, series)
            panel.set_title(panels[term], fontsize=10, loc="left", fontweight="bold")
        one_scale([panel for panel, term in zip(axes, panels, strict=True) if term.startswith("slope[")])
        figure.supxlabel(axis, fontsize=10)
        figure.legend(handles=_legend(series), loc="outside upper left", ncols=2, frameon=False, fontsize=9)
        return svg(figure, name, alt)


def _panel(axes: Axes, rows: pd.DataFrame, structures: Mapping[str, str], series: Mapping[str, str]) -> None:
    place = {structure: height for height, structure in enumerate(structures)}
    offset = dict(zip(series, np.linspace(-_APART / 2, _APART / 2, len(series)), strict=True))
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for height in range(0, len(structures), 2):
        axes.axhspan(height - 0.5, height + 0.5, color="#f4f4f4", linewidth=0, zorder=0)
    for which, own in rows.groupby("series", sort=False):
        (colour, marker), y = _style(series, str(which)), own["structure"].map(place) + offset[str(which)]
        axes.plot(*strokes(own["low"], y, own["high"], y), color=colour, linewidth=1.4, zorder=2)
        axes.plot(own["estimate"], y, marker, color=colour, markersize=4.5, zorder=3)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)


def _style(series: Mapping[str, str], which: str) -> tuple[str, str]:
    return _STYLES[list(series).index(which) % len(_STYLES)]


def _legend(series: Mapping[str, str]) -> list[Line2D]:
    styles = [_style(series, which) for which in series]
    return [
        Line2D([], [], color=colour, marker=marker, markersize=5, linewidth=1.4, label=label)
        for (colour, marker), label in zip(styles, series.values(), strict=True)
    ]
