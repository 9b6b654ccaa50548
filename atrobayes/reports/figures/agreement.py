"""Classical p against the posterior probability of direction."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from atrobayes.reports.figures.drawing import VERDICT_COLOURS, canvas, svg
from atrobayes.reports.results import each_row
from atrobayes.reports.wording import MINUS, VERDICT_WORDS

FLOOR = 1e-5  # smaller p, and pd closer to 1, are drawn here
_MARKERS = "osD^vP*X"
_P_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 1)
_PD_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.025, 0.1, 0.5)


def agreement_svg(
    name: str,
    rows: pd.DataFrame,
    *,
    panels: Mapping[str, str],
    terms: Mapping[str, str],
    cuts: tuple[float, float],
    alt: str,
) -> str:
    """Draw one point per row, one panel per analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        analysis, term, label, p, pd, verdict; rows without p or pd are not drawn.
    panels, terms : mapping
        Titles by analysis, words by term.
    cuts : tuple of float
        Cut-offs of p and of pd.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG; both axes are logarithmic towards certainty (small p right, pd near 1 on top), so that
        pd = 1 - p/2, which a flat prior and a symmetric posterior would give, is straight.
    """
    across = min(2, len(panels))
    down = math.ceil(len(panels) / 2)
    with canvas(name, 5.2 * across, 4.9 * down + 0.9) as figure:
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for axes, analysis in zip(grid, panels, strict=False):
            _panel(axes, rows[rows["analysis"] == analysis], panels[analysis], terms, cuts)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        figure.legend(handles=_legend(rows, terms), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        return svg(figure, name, alt)


def _panel(axes: Axes, rows: pd.DataFrame, title: str, terms: Mapping[str, str], cuts: tuple[float, float]) -> None:
    _scales(axes)
    _cut_offs(axes, cuts)
    line = np.array([FLOOR, 1.0])
    axes.plot(line, line / 2, color="#777777", linewidth=1, zorder=1)
    for marker, term in zip(_MARKERS, terms, strict=False):
        for verdict, points in rows[rows["term"] == term].groupby("verdict", sort=False):
            x, y = points["p"].clip(lower=FLOOR), (1 - points["pd"]).clip(lower=FLOOR)
            axes.plot(x, y, marker, color=VERDICT_COLOURS[str(verdict)], markersize=6, alpha=0.85, zorder=3)
    apart = rows[~rows["verdict"].isin(["neither", "both_clear"])]
    _names(axes, apart[apart["pd"] > cuts[1]], highest=FLOOR / 10)
    _names(axes, apart[apart["pd"] <= cuts[1]], highest=1 - cuts[1])  # below the cut-off line, not across it
    axes.set_title(textwrap.fill(title, 46), fontsize=10, loc="left", fontweight="bold")


def _scales(axes: Axes) -> None:
    axes.set(xscale="log", yscale="log", xlim=(1.4, FLOOR * 0.7), ylim=(0.75, FLOOR * 0.35))
    axes.xaxis.set_major_locator(FixedLocator(_P_TICKS))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}".replace("1e-05", "≤ 10⁻⁵") for tick in _P_TICKS]))
    axes.yaxis.set_major_locator(FixedLocator(_PD_TICKS))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{1 - tick:g}" for tick in _PD_TICKS]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("classical p (smaller to the right)")
    axes.set_ylabel("probability of direction, pd")


def _cut_offs(axes: Axes, cuts: tuple[float, float]) -> None:
    p_cut, pd_cut = cuts
    axes.axvline(p_cut, color="black", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axes.axhline(1 - pd_cut, color="black", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    for label, place, height, align in (
        ("Bayesian only", 0.02, FLOOR / 2.5, "left"),
        ("both clear", 0.98, FLOOR / 2.5, "right"),
        ("neither clear", 0.02, (1 - pd_cut) * 1.2, "left"),
        ("classical only", 0.98, 0.45, "right"),
    ):
        edge = axes.get_yaxis_transform()
        axes.text(place, height, label, transform=edge, ha=align, va="top", fontsize=8.5, color="#555555")


def _names(axes: Axes, rows: pd.DataFrame, highest: float) -> None:
    lowest = -math.log10(highest)
    for row in each_row(rows.assign(y=(1 - rows["pd"]).clip(lower=FLOOR)).sort_values("y")):
        place = min(-math.log10(row.y), lowest - 0.14)  # names of neighbours slide down instead of overprinting
        lowest = place
        axes.annotate(
            row.label, (max(row.p, FLOOR), row.y), (max(row.p, FLOOR) * 0.8, 10**-place),
            fontsize=8, va="center", arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6, "shrinkB": 3},
        )  # fmt: skip


def _legend(rows: pd.DataFrame, terms: Mapping[str, str]) -> list[Line2D]:
    shapes = [
        Line2D([], [], color="#333333", marker=marker, linestyle="none", label=words)
        for marker, words in zip(_MARKERS, terms.values(), strict=False)
    ]
    colours = [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=VERDICT_WORDS[verdict])
        for verdict, colour in VERDICT_COLOURS.items()
        if (rows["verdict"] == verdict).any()
    ]
    return [*shapes, *colours, Line2D([], [], color="#777777", linewidth=1, label=f"pd = 1 {MINUS} p/2")]
