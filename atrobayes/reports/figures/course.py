"""The clinical course: a panel per variable, visits from left to right, groups side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from atrobayes.reports.figures.drawing import canvas, svg

# Okabe and Ito's; told apart by marker too
_GROUPS = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#e69f00", "v"))
_HEADROOM = 1.8  # times the highest estimate: a posterior of a rate has a long upper tail


@dataclass(frozen=True)
class CourseWords:
    """Words of the figure.

    Attributes
    ----------
    panels : dict of str to str
        Titles by variable.
    groups : dict of str to str
        Names by label, in order.
    seen, posterior : str
        Entries of the legend; `posterior` is "" where there is none.
    alt : str
        What a reader who cannot see it is told.
    """

    panels: dict[str, str]
    groups: dict[str, str]
    seen: str
    posterior: str
    alt: str


def course_svg(name: str, rows: pd.DataFrame, words: CourseWords) -> str:
    """Draw the course.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        structure, of (the group), visit, method (`classical`: as seen; `bayes`), estimate, median, ci_low, ci_high.
    words : CourseWords

    Returns
    -------
    str
        SVG.
    """
    with canvas(name, max(3.0 * len(words.panels), 7.0), 3.3) as figure:
        axes = figure.subplots(1, len(words.panels), squeeze=False)[0]
        for panel, (structure, title) in zip(axes, words.panels.items(), strict=True):
            _panel(panel, rows[rows["structure"] == structure], words)
            panel.set_title(title, fontsize=10, loc="left", fontweight="bold")
        figure.legend(handles=_legend(words), loc="outside lower left", ncols=4, frameon=False, fontsize=9)
        return svg(figure, name, words.alt)


def _panel(axes: Axes, rows: pd.DataFrame, words: CourseWords) -> None:
    shifts = np.linspace(-0.12, 0.12, len(words.groups)) if len(words.groups) > 1 else np.zeros(1)
    for shift, (colour, marker), group in zip(shifts, _styles(words), words.groups, strict=True):
        own = rows[rows["of"] == group]
        bayes, seen = (own[own["method"] == method].dropna(subset="estimate") for method in ("bayes", "classical"))
        at = bayes["visit"].to_numpy(float) + shift
        axes.vlines(at, bayes["ci_low"], bayes["ci_high"], color=colour, linewidth=1.8, alpha=0.75)
        axes.plot(at, bayes["median"], marker, color=colour, markersize=5.5)
        axes.plot(
            seen["visit"] + shift,
            seen["estimate"],
            marker,
            color=colour,
            markerfacecolor="white",
            markersize=8,
            zorder=1,
        )
    highest = np.nanmax([rows["estimate"].max(), rows["median"].max(), 1e-9])
    top = min(_HEADROOM * highest, np.nanmax([rows["ci_high"].max(), 1.05 * highest]))
    axes.set_ylim(-0.03 * top, 1.05 * top)
    axes.set_xlabel("visit")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _styles(words: CourseWords) -> list[tuple[str, str]]:
    return [_GROUPS[place % len(_GROUPS)] for place in range(len(words.groups))]


def _legend(words: CourseWords) -> list[Line2D]:
    groups = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)
        for (colour, marker), label in zip(_styles(words), words.groups.values(), strict=True)
    ]
    kinds = [Line2D([], [], color="#555555", marker="o", markerfacecolor="white", linestyle="none", label=words.seen)]
    if words.posterior:
        kinds.append(Line2D([], [], color="#555555", marker="o", linewidth=1.8, label=words.posterior))
    return [*groups, *kinds]
