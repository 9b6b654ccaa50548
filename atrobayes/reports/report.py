"""From a results folder to report.html and figures/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atrobayes.files import write_text
from atrobayes.reports.page import render
from atrobayes.reports.results import read_results
from atrobayes.reports.section import Figure, Section, build
from atrobayes.reports.sections import SECTIONS

TITLE = "Classical and Bayesian answers side by side"


def write_report(out: Path, scratch: Path | None = None) -> Path:
    """Write report.html and its figures.

    Parameters
    ----------
    out : Path
        Results folder; the page and `figures/*.svg` go into it; figures of earlier reports are removed.
    scratch : Path, optional
        Folder for temporary files, see `files.atomic`.

    Returns
    -------
    Path
        report.html. The same folder gives the same bytes.

    Raises
    ------
    DataError
        If the folder lacks a file the report needs.
    """
    results = read_results(out)
    sections = [build(make, results) for make in SECTIONS]
    name = str(results.cohort.attrs.get("name", ""))
    title = f"{name}: {TITLE[0].lower()}{TITLE[1:]}" if name else TITLE
    return write_page(out, title, sections, scratch)


def write_page(out: Path, title: str, sections: Sequence[Section], scratch: Path | None = None) -> Path:
    """Write sections as report.html, and their figures.

    Parameters
    ----------
    out : Path
        Results folder; figures of earlier reports are removed.
    title : str
    sections : sequence of Section
    scratch : Path, optional
        Folder for temporary files, see `files.atomic`.

    Returns
    -------
    Path
        report.html.
    """
    figures = [figure for section in sections for figure in section.all_figures]
    for figure in figures:
        _write_figure(figure, out, scratch)
    _remove_stale(out / "figures", {f"{figure.name}.svg" for figure in figures})
    path = out / "report.html"
    write_text(path, render(title, sections), scratch)
    return path


def _remove_stale(folder: Path, current: set[str]) -> None:
    for path in folder.glob("*.svg"):
        if path.name not in current:
            path.unlink()


def _write_figure(figure: Figure, out: Path, scratch: Path | None) -> None:
    header = '<?xml version="1.0" encoding="utf-8"?>\n'
    write_text(out / "figures" / f"{figure.name}.svg", header + figure.svg + "\n", scratch)
