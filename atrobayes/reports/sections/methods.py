"""How the numbers were made, from the record of what ran."""

from __future__ import annotations

from atrobayes.reports.methods import methods_paragraphs
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section


def make(results: Results) -> Section:
    """Methods paragraphs."""
    return Section("methods", "Methods", "ok", methods_paragraphs(results))
