"""Drawing to SVG text: same input, same bytes, and ids that do not clash on one page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas

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
    "axes.unicode_minus": True,
    "text.parse_math": False,
}


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
        figure = Canvas(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure


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
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    head, _, body = text.partition(">")
    return f'{head} role="img" aria-labelledby="{name}-title">\n <title id="{name}-title">{escape(alt)}</title>{body}'
