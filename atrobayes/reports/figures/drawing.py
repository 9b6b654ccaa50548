"""Drawing to SVG text: same input, same bytes, and ids that do not clash on one page."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.figure import SubFigure

# Okabe and Ito's colours, told apart in the common forms of colour blindness
CLASSICAL = "#4d4d4d"
BAYES = "#0072b2"
TOGETHER = "#56b4e9"
VERDICT_COLOURS = {
    "both_clear": "#009e73",
    "classical_only": "#d55e00",
    "bayes_only": "#0072b2",
    "neither": "#8c8c8c",
    "opposite_sign": "#cc79a7",
    "not_tested": "#bbbbbb",
}

_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    # the first one comes with matplotlib, so the layout is the same everywhere; the rest are for the browser
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titley": 1.0,  # where it would come to lie anyway, less the search among ticks for a higher place
    "axes.unicode_minus": True,
    "text.parse_math": False,
}
_TAG = re.compile("<[^>]*>")
_BEYOND = re.compile(r"(\.\d\d)\d+")  # of a hundredth of a point


@contextmanager
def canvas(name: str, width: float, height: float) -> Iterator[Canvas]:
    """Give an empty matplotlib figure of a size in inches; everything drawn inside uses one style.

    Parameters
    ----------
    name : str
        Salt of the ids matplotlib makes.
    width, height : float
        Inches.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        # 72 points an inch, as SVG has them: texts are laid out at the size they are written in
        figure = Canvas(figsize=(width, height), dpi=72, layout="constrained")
        FigureCanvasSVG(figure)
        yield figure


def panels_of_rows(
    figure: Canvas | SubFigure, panels: int, rows: Collection[str], *, sharex: bool = False
) -> list[Axes]:
    """Give panels side by side that share labelled rows.

    Parameters
    ----------
    figure : matplotlib Figure or SubFigure
    panels : int
        How many.
    rows : collection of str
        Labels, from top to bottom, at the heights 0, 1 and so on.
    sharex : bool
        Whether they share one scale.
    """
    axes = list(figure.subplots(1, panels, sharex=sharex, sharey=True, squeeze=False)[0])
    axes[0].set_yticks(range(len(rows)), list(rows))
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    for panel in axes:
        panel.tick_params(axis="y", length=0)
        panel.spines["left"].set_visible(False)
        # axes without labels: no place beside the ticks to be looked for
        panel.xaxis.set_label_coords(0.5, 0)
        panel.yaxis.set_label_coords(0, 0.5)
    for panel in axes[1:]:  # nothing of theirs would show, but every tick would be laid out and drawn
        panel.yaxis.set_visible(False)
    return axes


def one_scale(panels: list[Axes]) -> None:
    """Give panels, if any, one horizontal scale that holds all they show."""
    ends = [panel.get_xlim() for panel in panels]
    for panel in panels:
        panel.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))


def strokes(x0: Any, y0: Any, x1: Any, y1: Any) -> tuple[np.ndarray, np.ndarray]:
    """Many separate strokes as one line with gaps: hundreds of single lines take seconds.

    Parameters
    ----------
    x0, y0, x1, y1 : array_like (stroke,)
        Where each begins and ends.

    Returns
    -------
    x, y : ndarray
        To be plotted.
    """
    gap = np.full(len(x0), np.nan)
    return np.column_stack([x0, x1, gap]).ravel(), np.column_stack([y0, y1, gap]).ravel()


def svg(figure: Canvas, name: str, alt: str) -> str:
    """Write a figure as one `<svg>` element.

    Parameters
    ----------
    figure : matplotlib Figure
        Drawn within `canvas`.
    name : str
        Prefix of all ids, so that several drawings can stand in one page.
    alt : str
        Becomes the drawing's title.

    Returns
    -------
    str
        Begins with `<svg`; no date, no XML header.
    """
    layout = figure.get_layout_engine()
    if layout is not None:
        # savefig would lay out by drawing everything twice
        layout.execute(figure)
        figure.set_layout_engine(None)
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _TAG.sub(lambda tag: _BEYOND.sub(r"\1", tag[0]), text)
    text = re.sub(r'<g id="\w+"', "<g", text)  # nothing refers to groups
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    head, _, body = text.partition(">")
    return f'{head} role="img" aria-labelledby="{name}-title">\n <title id="{name}-title">{escape(alt)}</title>{body}'
