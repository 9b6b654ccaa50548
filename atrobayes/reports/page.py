"""Sections to one HTML file that opens anywhere, offline, without scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from atrobayes.reports.flags import FLAG_MARKS
from atrobayes.reports.section import Figure, Section
from atrobayes.reports.wording import MINUS

# numbers as `wording` writes them, intervals of them, with marks behind; n/a counts as a number
_VALUE = rf"[{MINUS}+]?(?:[\d.,]+(e[{MINUS}+]?\d+)?|∞)"
_NUMERIC = re.compile(rf"^(n/a|[<>±]?\s?{_VALUE}( to {_VALUE})?)?( [{''.join(FLAG_MARKS.values())}])*$")


def render(title: str, sections: Sequence[Section]) -> str:
    """Render the page.

    Parameters
    ----------
    title : str
        Title of the page.
    sections : sequence of Section
        In order.

    Returns
    -------
    str
        HTML with style and drawings inside; all text escaped.
    """
    here = files("atrobayes.reports")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"drawing": _drawing, "numeric_columns": _numeric_columns}
    template = environment.from_string((here / "page.html.jinja").read_text(encoding="utf-8"))
    style = Markup((here / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return template.render(title=title, sections=sections, style=style) + "\n"


def _drawing(figure: Figure) -> Markup:
    return Markup(figure.svg)  # noqa: S704 - made by our own figures, which escape their texts


def _numeric_columns(frame: pd.DataFrame) -> list[bool]:
    return [all(_NUMERIC.match(str(cell)) for cell in frame[name]) for name in frame.columns]
