"""Forest plots: classical and Bayesian interval of every structure, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from atrobayes.reports.figures.drawing import (
    BAYES,
    CLASSICAL,
    TOGETHER,
    VERDICT_COLOURS,
    canvas,
    one_scale,
    panels_of_rows,
    strokes,
    svg,
)
from atrobayes.reports.results import each_row

_STYLE = {
    "classical": (CLASSICAL, "s"),
    "bayes": (BAYES, "o"),
    "bayes_structures": (TOGETHER, "D"),
    "bayes_normal": (TOGETHER, "^"),
}
_SHADE = 0.22
_APART = 0.34  # between the outer lines of a row
_CLOSEST = 0.115  # between two lines, where there are many
_NARROWEST = 8.6


@dataclass(frozen=True)
class ForestWords:
    """Words of a forest plot.

    Attributes
    ----------
    panels : dict of str to str
        Titles of the panels by term.
    rows : dict of str to str
        Labels of the rows by structure.
    axis : str
        Label of the x axis.
    series : dict of str to str
        Entries of the legend by method, in the order of a row's lines.
    rope : str
        Entry of the legend for the band; "": there is none.
    verdicts : dict of str to str
        Names of the verdicts whose rows are shaded.
    alt : str
        What a reader who cannot see it is told.
    styles : mapping of str to tuple of two str
        Colour and marker of methods that have none here.
    """

    panels: dict[str, str]
    rows: dict[str, str]
    axis: str
    series: dict[str, str]
    rope: str
    verdicts: dict[str, str]
    alt: str
    styles: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def style(self, method: str) -> tuple[str, str]:
        """Colour and marker of a method."""
        return self.styles.get(method) or _STYLE[method]


def forest_svg(name: str, rows: pd.DataFrame, words: ForestWords) -> str:
    """Draw one analysis.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        One row per structure, term and method (those of `words.series`): structure, term, method,
        estimate, ci_low, ci_high, rope_low, rope_high (all on the drawn axis), verdict, clear
        and flagged (bool).
    words : ForestWords
        `panels` and `rows` give the order, from left to right and from top to bottom.

    Returns
    -------
    str
        SVG. Filled marker: clear; open marker: not clear; broken line: flagged; shaded row: one of
        `words.verdicts`. Panels of slopes share one scale.
    """
    entries = (len(words.series) + 2 + len(words.verdicts) + 1) // 2
    width = max(_NARROWEST, 3.1 * len(words.panels) + 1.9)
    height = (0.3 + 0.05 * len(words.series)) * len(words.rows) + 0.95 + 0.22 * entries
    with canvas(name, width, height) as figure:
        axes = panels_of_rows(figure, len(words.panels), words.rows.values())
        for panel, term in zip(axes, words.panels, strict=True):
            _panel(panel, rows[rows["term"] == term], words, term)
        one_scale([panel for panel, term in zip(axes, words.panels, strict=True) if term.startswith("slope[")])
        figure.supxlabel(words.axis, fontsize=10)
        figure.legend(handles=_legend(words), loc="outside upper left", ncols=2, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _panel(axes: Axes, rows: pd.DataFrame, words: ForestWords, term: str) -> None:
    place = {structure: position for position, structure in enumerate(words.rows)}
    apart = max(_APART, _CLOSEST * (len(words.series) - 1))
    offsets = dict(zip(words.series, np.linspace(-apart / 2, apart / 2, len(words.series)), strict=True))
    _rope(axes, rows)
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for row in each_row(rows[rows["verdict"].isin(words.verdicts)].drop_duplicates("structure")):
        height = place[row.structure]
        axes.axhspan(
            height - 0.5, height + 0.5, color=VERDICT_COLOURS[row.verdict], alpha=_SHADE, linewidth=0, zorder=0
        )
    drawn = rows[np.isfinite(rows[["estimate", "ci_low", "ci_high"]]).all(axis=1)]
    for method, own in drawn.groupby("method", sort=False):
        _intervals(axes, own.assign(y=own["structure"].map(place) + offsets[str(method)]), *words.style(str(method)))
    axes.set_title(words.panels[term], fontsize=10, loc="left", fontweight="bold")
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)


def _intervals(axes: Axes, rows: pd.DataFrame, colour: str, marker: str) -> None:
    for flagged, own in rows.groupby("flagged"):
        x, y = strokes(own["ci_low"], own["y"], own["ci_high"], own["y"])
        axes.plot(x, y, color=colour, linewidth=1.8, linestyle=(0, (2, 1.2)) if flagged else "solid", zorder=2)
    for clear, own in rows.groupby("clear"):
        face = colour if clear else "white"
        axes.plot(own["estimate"], own["y"], marker, color=colour, markerfacecolor=face, markersize=5.5, zorder=3)


def _rope(axes: Axes, rows: pd.DataFrame) -> None:
    bayes = rows.loc[rows["method"] != "classical", ["rope_low", "rope_high"]].dropna()
    if len(bayes) and np.ptp(bayes.to_numpy(), axis=0).max() < 1e-6:
        axes.axvspan(*bayes.iloc[0], color="#f0e442", alpha=0.3, linewidth=0, zorder=0)


def _legend(words: ForestWords) -> list[Line2D | Patch]:
    def line(method: str, label: str) -> Line2D:
        colour, marker = words.style(method)
        return Line2D([], [], color=colour, marker=marker, markersize=5.5, linewidth=1.8, label=label)

    return [
        *(line(method, label) for method, label in words.series.items()),
        Line2D(
            [],
            [],
            color="#777777",
            marker="o",
            markerfacecolor="white",
            linestyle="none",
            label="open marker: not clear",
        ),
        *([Patch(color="#f0e442", alpha=0.3, linewidth=0, label=words.rope)] if words.rope else []),
        *(
            Patch(color=VERDICT_COLOURS[verdict], alpha=_SHADE, linewidth=0, label=f"shaded row: {label}")
            for verdict, label in words.verdicts.items()
        ),
    ]
