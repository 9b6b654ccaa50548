"""The cohort's way from enrolment to analysis, as boxes and arrows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from atrobayes.reports.figures.drawing import canvas, svg

_LINE = 0.2  # inches a line of text takes
_MAIN, _SIDE = (0.1, 5.0), (4.3, 5.6)  # left edge and width of the two columns, inches; their boxes alternate
_LAST = (0.1, 7.5)  # the last box has nothing beside it
_CHARACTERS = 13.2  # an inch of a line holds


@dataclass(frozen=True)
class Box:
    """A box of the main column, with the box of what left the way just after it, if any.

    Attributes
    ----------
    title : str
        Set bold.
    lines : tuple of str
        Below the title.
    leaves : tuple of str
        Lines of the side box; empty: no side box.
    """

    title: str
    lines: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


def flow_svg(name: str, boxes: Sequence[Box], alt: str) -> str:
    """Draw the flow from top to bottom, what is left out to the right.

    Parameters
    ----------
    name : str
        Name of the figure.
    boxes : sequence of Box
        Main column, top first.
    alt : str
        The same in a sentence.
    """
    *most, end = boxes
    boxes = [Box(box.title, _wrapped(box.lines, _MAIN), _wrapped(box.leaves, _SIDE)) for box in most]
    boxes.append(Box(end.title, _wrapped(end.lines, _LAST), _wrapped(end.leaves, _SIDE)))
    height = sum(_height(box.lines) + _gap(box) for box in boxes)
    with canvas(name, 10, height) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 10), ylim=(height, 0))
        axes.set_axis_off()
        top = 0.05
        for box in boxes:
            top = _draw(axes, box, top, last=box is boxes[-1])
        return svg(figure, name, alt)


def _wrapped(lines: tuple[str, ...], column: tuple[float, float]) -> tuple[str, ...]:
    return tuple(part for line in lines for part in textwrap.wrap(line, int(column[1] * _CHARACTERS)))


def _height(lines: tuple[str, ...]) -> float:
    return _LINE * (1 + len(lines)) + 0.2


def _gap(box: Box) -> float:
    return _height(box.leaves[1:]) + 0.3 if box.leaves else 0.35


def _draw(axes: Axes, box: Box, top: float, *, last: bool) -> float:
    middle = _MAIN[0] + _MAIN[1] / 2
    bottom = top + _height(box.lines)
    _box(axes, _LAST if last else _MAIN, top, (box.title, *box.lines))
    following = bottom + _gap(box)
    if box.leaves:
        side_top = bottom + 0.15
        _box(axes, _SIDE, side_top, box.leaves, face="#f7f7f7")
        _arrow(axes, (middle, side_top + 0.2), (_SIDE[0], side_top + 0.2))
    if not last:
        _arrow(axes, (middle, bottom), (middle, following))
    return following


def _box(axes: Axes, column: tuple[float, float], top: float, text: tuple[str, ...], *, face: str = "white") -> None:
    left, width = column
    title, *lines = text
    axes.add_patch(Rectangle((left, top), width, _height(text[1:]), facecolor=face, edgecolor="#333333", linewidth=1))
    axes.text(left + 0.12, top + 0.1, title, va="top", fontweight="bold", fontsize=10)
    for place, line in enumerate(lines, start=1):
        axes.text(left + 0.12, top + 0.1 + _LINE * place, line, va="top", fontsize=9.5)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#333333", "shrinkA": 0, "shrinkB": 0})
