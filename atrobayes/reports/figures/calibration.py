"""ECDF of simulation-based ranks minus the diagonal, a panel for each model."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from atrobayes.inference.calibration.ecdf_band import band
from atrobayes.reports.figures.drawing import BAYES, canvas, svg
from atrobayes.reports.results import each_row
from atrobayes.reports.wording import MINUS

_BAND = "#d9d9d9"
_OUTSIDE = ("#d55e00", "#cc79a7", "#009e73", "#e69f00", "#000000")
_ACROSS = 3


def calibration_svg(name: str, rows: pd.DataFrame, titles: Mapping[tuple[str, str, str], str], alt: str) -> str:
    """Draw one line a parameter, one panel a model.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        model, analysis, part, parameter, simulations, limit, verdict, histogram: as in sbc.tsv.
    titles : mapping of (str, str, str) to str
        Title of each panel by model, analysis and part, in the order of the panels; a line break parts its lines.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG; all panels have the same axes. Parameters that are outside in the end are drawn in other colours, and the
        first of a panel named.
    """
    across = min(_ACROSS, len(titles))
    down = math.ceil(len(titles) / across)
    panels = dict(iter(rows.groupby(["model", "analysis", "part"], sort=False)))
    with canvas(name, 3.5 * across + 0.4, 2.7 * down + 0.4) as figure:
        grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        for axes, (key, title) in zip(grid.ravel(), titles.items(), strict=False):
            _panel(axes, panels[key], title)
        for place, axes in enumerate(grid.ravel()):
            axes.set_visible(place < len(titles))
            # a panel above an empty place has the axis of its column
            axes.xaxis.set_tick_params(labelbottom=place + across >= len(titles))
        figure.supxlabel("posterior probability below the true value", fontsize=10)
        figure.supylabel(f"share of data sets {MINUS} what it should be", fontsize=10)
        return svg(figure, name, alt)


def difference(histogram: str) -> tuple[np.ndarray, np.ndarray]:
    """Where, and by how much, the ECDF differs from the diagonal.

    Parameters
    ----------
    histogram : str
        As sbc.tsv has it.

    Returns
    -------
    at, difference : ndarray (point,)
        From 0 to 1.
    """
    counts = np.array(histogram.split(","), dtype=float)
    at = np.arange(len(counts) + 1) / len(counts)
    return at, np.append(0.0, np.cumsum(counts)) / counts.sum() - at


def _panel(axes: Axes, rows: pd.DataFrame, title: str) -> None:
    first = rows.iloc[0]
    count, bins = int(first["simulations"]), first["histogram"].count(",") + 1
    limits = band(count, bins, 1 - float(first["limit"]))
    edge = np.concatenate([[0.0], limits.at, [1.0]])
    low, high = (np.concatenate([[0.0], side / count - limits.at, [0.0]]) for side in (limits.low, limits.high))
    axes.fill_between(edge, low, high, color=_BAND, linewidth=0, zorder=1)
    axes.axhline(0, color="black", linewidth=0.8, zorder=2)
    for row in each_row(rows[rows["verdict"] != "outside"]):
        axes.plot(*difference(row.histogram), color=BAYES, linewidth=0.9, alpha=0.6, zorder=3)
    outside = rows[rows["verdict"] == "outside"]
    for place, row in enumerate(each_row(outside)):
        named = {"label": row.parameter} if place < len(_OUTSIDE) else {}
        axes.plot(*difference(row.histogram), color=_OUTSIDE[place % len(_OUTSIDE)], linewidth=1.8, zorder=4, **named)
    if len(outside):
        axes.legend(fontsize=8, frameon=False, loc="upper right", handlelength=1.2)
    axes.set_xlim(0, 1)
    axes.set_title(f"{title}\n{count:,} data sets", fontsize=8.5, loc="left")
