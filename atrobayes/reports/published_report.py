"""The page of a published table: its audit and its reanalysis, without a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from atrobayes.reports.report import write_page
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, build
from atrobayes.reports.sections import audit, published_methods, published_summary, reanalysis

SECTIONS: tuple[Callable[[Results], Section], ...] = (
    published_summary.make,
    audit.make,
    reanalysis.make,
    published_methods.make,
)


def write_published_report(out: Path, name: str, scratch: Path | None = None) -> Path:
    """Write report.html and its figures from audit.tsv and reanalysis.tsv.

    Parameters
    ----------
    out : Path
        The folder with both tables.
    name : str
        Of the publication.
    scratch : Path, optional
        Folder for temporary files, see `files.atomic`.

    Returns
    -------
    Path
        report.html. The same tables give the same bytes.
    """
    results = Results(out)
    sections = [build(make, results) for make in SECTIONS]
    return write_page(out, f"{name[0].upper()}{name[1:]}: published numbers audited and reanalysed", sections, scratch)
