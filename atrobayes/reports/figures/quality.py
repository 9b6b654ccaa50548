"""A card for each patient: how the volumes went over the scans, on lanes of one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from atrobayes.reports.figures.drawing import canvas, svg

_COLOURS = ("#0072b2", "#009e73", "#cc79a7")
_FLAGGED = "#d55e00"
_ACROSS = 10
_CARD, _HEAD, _LANE, _MARGIN = 1.0, 0.2, 0.3, 0.06  # inches: width, and heights
_KEY = 0.35
_SHARE = 0.98  # of the points that a lane holds within its edges


@dataclass(frozen=True)
class Lane:
    """Scale of one structure, the same on every card.

    Attributes
    ----------
    structure : str
        As in the rows.
    half : float
        Percent from the middle (100 %) to an edge.
    """

    structure: str
    half: float


def lanes(rows: pd.DataFrame) -> tuple[Lane, ...]:
    """Scale each structure so that nearly all its points lie inside.

    Parameters
    ----------
    rows : DataFrame
        structure, percent.

    Returns
    -------
    tuple of Lane
        In the order of the rows. Half a lane is the 98th percentile of the distances from 100 %, rounded up to
        a whole percent; one patient far outside does not flatten all others.
    """
    away = (rows["percent"] - 100).abs().groupby(rows["structure"], sort=False).quantile(_SHARE)
    return tuple(Lane(str(name), float(max(1, math.ceil(value)))) for name, value in away.items())


def trajectories_svg(name: str, rows: pd.DataFrame, names: Mapping[str, str], alt: str) -> str:
    """Draw the cards.

    Parameters
    ----------
    name : str
        Name of the figure.
    rows : DataFrame
        structure, number (of the patient), years, percent, flagged, doubted (the patient's number is set bold);
        by structure, number and time.
    names : mapping of str to str
        Structures in words.
    alt : str
        The same in a sentence.

    Returns
    -------
    str
        SVG. Points beyond a lane stand at its edge, as triangles.
    """
    scale = lanes(rows)
    numbers = sorted(int(number) for number in rows["number"].unique())
    card = _HEAD + len(scale) * _LANE + 2 * _MARGIN
    height = math.ceil(len(numbers) / _ACROSS) * card + _KEY
    places = {number: (place % _ACROSS * _CARD, place // _ACROSS * card) for place, number in enumerate(numbers)}
    longest = float(rows["years"].max()) or 1.0
    with canvas(name, _ACROSS * _CARD, height) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, _ACROSS * _CARD), ylim=(height - _KEY, -_KEY))
        axes.set_axis_off()
        for order, lane in enumerate(scale):
            middle = _MARGIN + _HEAD + (order + 0.5) * _LANE
            own = rows[rows["structure"] == lane.structure]
            _draw(axes, _placed(own, places, lane, middle, longest), _COLOURS[order % len(_COLOURS)])
        doubted = set(rows.loc[rows["doubted"], "number"])
        for number, (left, top) in places.items():
            colour, weight = (_FLAGGED, "bold") if number in doubted else ("#333333", "normal")
            down = top + _MARGIN + 0.08
            axes.text(left + 0.1, down, str(number), va="center", fontsize=8, color=colour, fontweight=weight)
        handles = [*map(_entry, scale, _COLOURS, [names[lane.structure] for lane in scale]), _flag_entry()]
        figure.legend(handles=handles, loc="upper left", ncols=4, frameon=False, fontsize=8.5, borderaxespad=0.2)
        return svg(figure, name, alt)


def _placed(
    rows: pd.DataFrame, places: Mapping[int, tuple[float, float]], lane: Lane, middle: float, longest: float
) -> pd.DataFrame:
    """Inches across and down of every point."""
    corner = np.array([places[number] for number in rows["number"]])
    within = (rows["percent"].to_numpy() - 100) / lane.half
    return rows.assign(
        x=corner[:, 0] + 0.1 + (_CARD - 0.2) * rows["years"].to_numpy() / longest,
        y=corner[:, 1] + middle - 0.44 * _LANE * np.clip(within, -1, 1),
        middle=corner[:, 1] + middle,
        left=corner[:, 0] + 0.1,
        beyond=np.where(np.abs(within) > 1, np.sign(within), 0),
    )


def _draw(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """One path for all patients, broken between them: small, and quick to draw."""
    first = rows.drop_duplicates("number")
    ends = np.full((len(first), 3), np.nan)
    ends[:, 0], ends[:, 1] = first["left"], first["left"] + _CARD - 0.2
    level = np.repeat(first["middle"].to_numpy()[:, None], 3, axis=1)
    axes.plot(ends.ravel(), level.ravel(), color="#cfcfcf", linewidth=0.6)
    starts = np.flatnonzero(np.diff(rows["number"].to_numpy())) + 1
    x, y = (np.insert(rows[name].to_numpy(float), starts, np.nan) for name in ("x", "y"))
    axes.plot(x, y, color=colour, linewidth=1)
    inside = rows[~rows["flagged"] & (rows["beyond"] == 0)]
    axes.plot(inside["x"], inside["y"], "o", color=colour, markersize=2)
    for beyond, marker in ((0, "o"), (1, "^"), (-1, "v")):
        at_edge = rows[rows["beyond"] == beyond]
        flagged = at_edge[at_edge["flagged"]]
        axes.plot(flagged["x"], flagged["y"], marker, color=_FLAGGED, markersize=4.5)
        if beyond:
            plain = at_edge[~at_edge["flagged"]]
            axes.plot(plain["x"], plain["y"], marker, color=colour, markersize=4)


def _entry(lane: Lane, colour: str, name: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", markersize=3, label=f"{name}, 100 ± {lane.half:g} %")


def _flag_entry() -> Line2D:
    return Line2D([], [], color=_FLAGGED, marker="o", markersize=4.5, linestyle="none", label="flagged scan")
