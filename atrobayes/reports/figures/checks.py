"""Posterior predictive checks: where what was seen lies in what the model expects, by structure and quantity."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from atrobayes.reports.figures.drawing import BAYES, canvas, panels_of_rows, strokes, svg
from atrobayes.reports.results import each_row

OUTSIDE = "#d55e00"
EDGE = 1.9  # half-widths: what lies further is drawn here
_WIDTH = 0.98


def checks_svg(
    name: str, rows: pd.DataFrame, *, panels: Mapping[str, str], structures: Mapping[str, str], alt: str
) -> str:
    """Draw one analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        structure, quantity, place (where the observed value lies: 0 at the predicted median, -1 and 1 at the ends
        of the predictive interval), outside (bool); missing places are not drawn.
    panels, structures : mapping
        Titles by quantity, from left to right; labels by structure, from top to bottom.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG. A grey bar: the predictive interval, every one drawn equally long. Blue point: within. Orange
        diamond: outside; a triangle where beyond the edge of its panel.
    """
    with canvas(name, 2.2 + _WIDTH * len(panels), 1.35 + 0.27 * len(structures)) as figure:
        axes = panels_of_rows(figure, len(panels), structures.values())
        heights = {structure: height for height, structure in enumerate(structures)}
        for panel, (quantity, title) in zip(axes, panels.items(), strict=True):
            _panel(panel, rows[rows["quantity"] == quantity], heights)
            panel.set_title(textwrap.fill(title, 13), fontsize=8.5)
        figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False, fontsize=8.5)
        return svg(figure, name, alt)


def _panel(axes: Axes, rows: pd.DataFrame, heights: Mapping[str, int]) -> None:
    rows = rows[np.isfinite(rows["place"])]
    y, one = rows["structure"].map(heights), np.ones(len(rows))
    axes.plot(*strokes(-one, y, one, y), color="#c8c8c8", linewidth=5, solid_capstyle="butt", zorder=1)
    axes.plot(*strokes(0 * one, y - 0.2, 0 * one, y + 0.2), color="#777777", linewidth=1, zorder=2)
    markers = [_marker(row.place, row.outside) for row in each_row(rows)]
    for (marker, outside), own in rows.assign(y=y).groupby([markers, "outside"]):
        colour = OUTSIDE if outside else BAYES
        axes.plot(own["place"].clip(-EDGE, EDGE), own["y"], str(marker), markersize=5.5, color=colour, zorder=3)
    axes.set_xlim(-EDGE - 0.25, EDGE + 0.25)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def _marker(place: float, outside: bool) -> str:
    if abs(place) > EDGE:
        return "<" if place < 0 else ">"
    return "D" if outside else "o"


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color="#c8c8c8", linewidth=5, label="expected by the model"),
        Line2D([], [], color="#777777", marker="|", linestyle="none", label="its middle"),
        Line2D([], [], color=BAYES, marker="o", linestyle="none", label="seen, as expected"),
        Line2D([], [], color=OUTSIDE, marker="D", linestyle="none", label="seen, not as expected (< >: far out)"),
    ]
