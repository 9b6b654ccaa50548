"""Specification curves: what every fork says, over the choices it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from atrobayes.reports.figures.drawing import BAYES, CLASSICAL, canvas, one_scale, panels_of_rows, strokes, svg

MOST_DRAWN = 240  # forks of a curve; of more, evenly spaced ones of the sorted forks
_COLOURS = {"bayes": BAYES, "classical": CLASSICAL}
_ASIDE = {"bayes": -0.19, "classical": 0.19}
_BAND = "#f0e442"
_WIDTH = 10.2
_ROW = 0.21  # inches of a row of choices


@dataclass(frozen=True)
class SpecificationWords:
    """Words of a specification curve.

    Attributes
    ----------
    panels : dict of str to str
        Titles of the upper panels by term.
    rows : dict of str to str
        Labels of the upper rows by structure.
    curve : str
        Title of the curve: which structure and term.
    axis : str
        What an effect is measured in.
    series : dict of str to str
        Entries of the legend by side, "bayes" and "classical".
    alt : str
        What a reader who cannot see it is told.
    """

    panels: dict[str, str]
    rows: dict[str, str]
    curve: str
    axis: str
    series: dict[str, str]
    alt: str


def specification_svg(
    name: str, spread: pd.DataFrame, curve: pd.DataFrame, matrix: pd.DataFrame, words: SpecificationWords
) -> str:
    """Draw the forks of one analysis: all results small, one of them in full.

    Parameters
    ----------
    name : str
        Name of the figure.
    spread : DataFrame
        structure, term, side, effect, base (bool): a row for every fork that answers.
    curve : DataFrame
        place (of the fork, from the left), side, effect, effect_low, effect_high, clear (bool), base (bool).
    matrix : DataFrame
        axis, level, place, base (bool: the level is the study's own): what each fork chose; axes and levels in the
        order of their rows, as they are to be read.
    words : SpecificationWords

    Returns
    -------
    str
        SVG. Above: a tick for every fork, the study's own choices as a dot. Below: estimate and interval of every fork
        over its choices; filled: clear; dark dot: not the study's own choice; yellow band: the study's own choices.
    """
    rows = matrix.drop_duplicates(["axis", "level"])
    heights = (0.3 * len(words.rows) + 1.0, 2.9, _ROW * (len(rows) + 1))
    with canvas(name, _WIDTH, sum(heights) + 0.75) as figure:
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[heights[0], heights[1] + heights[2]])[:, 0]
        _spreads(above, spread, words)
        upper, lower = below.subplots(2, 1, sharex=True, height_ratios=heights[1:])
        _curve(upper, curve, words)
        _matrix(lower, matrix, rows)
        figure.legend(handles=_legend(words), loc="outside upper left", ncols=3, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _spreads(figure: SubFigure, spread: pd.DataFrame, words: SpecificationWords) -> None:
    panels = panels_of_rows(figure, len(words.panels), words.rows.values())
    for axes, term in zip(panels, words.panels, strict=True):
        own = spread[spread["term"] == term]
        axes.axvline(0, color="black", linewidth=0.8, zorder=1)
        for side in words.series:
            _ticks(axes, own[own["side"] == side], side, [*words.rows])
        axes.set_title(words.panels[term], fontsize=10, loc="left", fontweight="bold")
        for place in range(len(words.rows)):
            axes.axhline(place, color="#eeeeee", linewidth=0.6, zorder=0.5)
        axes.set_axisbelow(True)
        axes.locator_params(axis="x", nbins=5)
    one_scale([axes for axes, term in zip(panels, words.panels, strict=True) if term.startswith("slope[")])
    figure.supxlabel(f"effect in each fork: {words.axis}", fontsize=9.5)


def _ticks(axes: Axes, rows: pd.DataFrame, side: str, structures: list[str]) -> None:
    middle = rows["structure"].map({name: place for place, name in enumerate(structures)}) + _ASIDE[side]
    x, y = strokes(rows["effect"], middle - 0.14, rows["effect"], middle + 0.14)
    axes.plot(x, y, color=_COLOURS[side], linewidth=0.8, alpha=0.55, zorder=2)
    base = rows["base"].to_numpy(dtype=bool)
    axes.plot(
        rows["effect"][base], middle[base], "o", color=_COLOURS[side], markersize=5.5, markeredgecolor="white", zorder=3
    )


def _curve(axes: Axes, curve: pd.DataFrame, words: SpecificationWords) -> None:
    axes.axhline(0, color="black", linewidth=0.8, zorder=1)
    size = 4.0 if curve["place"].nunique() <= 80 else 2.2
    for side in words.series:
        own = curve[curve["side"] == side]
        x = own["place"] + _ASIDE[side]
        axes.plot(*strokes(x, own["effect_low"], x, own["effect_high"]), color=_COLOURS[side], linewidth=1.1, zorder=2)
        for clear in (True, False):
            face = _COLOURS[side] if clear else "white"
            some = own["clear"].to_numpy(dtype=bool) == clear
            axes.plot(
                x[some], own["effect"][some], "o" if side == "bayes" else "s", color=_COLOURS[side], zorder=3,
                markerfacecolor=face, markersize=size, markeredgewidth=0.9,
            )  # fmt: skip
    _band(axes, curve)
    axes.set_title(words.curve, fontsize=10, loc="left", fontweight="bold")
    axes.set_ylabel("effect in SDs")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines["bottom"].set_visible(False)


def _band(axes: Axes, rows: pd.DataFrame) -> None:
    for place in rows.loc[rows["base"], "place"].unique():
        axes.axvspan(place - 0.5, place + 0.5, color=_BAND, alpha=0.4, linewidth=0, zorder=0)


def _matrix(axes: Axes, matrix: pd.DataFrame, rows: pd.DataFrame) -> None:
    height = {key: place for place, key in enumerate(zip(rows["axis"], rows["level"], strict=True))}
    y = pd.Series([height[key] for key in zip(matrix["axis"], matrix["level"], strict=True)], index=matrix.index)
    size = 3.4 if matrix["place"].nunique() <= 80 else 1.6
    for own, colour in ((True, "#bdbdbd"), (False, "#222222")):
        some = matrix["base"].to_numpy(dtype=bool) == own
        axes.plot(matrix["place"][some], y[some], "o", color=colour, markersize=size, markeredgewidth=0)
    for shade, (axis, block) in enumerate(rows.groupby("axis", sort=False)):
        places = [height[str(axis), level] for level in block["level"]]
        if shade % 2 == 0:
            axes.axhspan(min(places) - 0.5, max(places) + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
        edge = axes.get_yaxis_transform()
        axes.text(1.01, np.mean(places), str(axis), transform=edge, va="center", fontsize=8.5, fontweight="bold")
    axes.set_yticks(range(len(rows)), rows["level"].tolist(), fontsize=8.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(matrix["place"].min() - 1, matrix["place"].max() + 1)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    first = matrix.drop_duplicates("place")
    own_place = matrix.groupby("place")["base"].all()
    _band(axes, first.assign(base=first["place"].map(own_place)))


def _legend(words: SpecificationWords) -> list[Line2D | Patch]:
    def dot(colour: str, label: str, marker: str = "o", face: str | None = None) -> Line2D:
        return Line2D(
            [], [], color=colour, marker=marker, markerfacecolor=face or colour, linestyle="none", label=label
        )

    shapes = {"bayes": "o", "classical": "s"}
    return [
        *(
            Line2D([], [], color=_COLOURS[side], marker=shapes[side], markersize=5, linewidth=1.1, label=label)
            for side, label in words.series.items()
        ),
        dot("#777777", "open marker: not clear", face="white"),
        Line2D([], [], color="#777777", marker="|", markersize=9, linestyle="none", label="above, tick: one fork"),
        dot("#777777", "above, dot: the study's own choices"),
        Patch(color=_BAND, alpha=0.4, linewidth=0, label="below, yellow: the study's own choices"),
        dot("#222222", "a choice other than the study's own"),
    ]
