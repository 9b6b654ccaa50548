"""One module a section, each with `make(results) -> Section`; SECTIONS is their order on the page."""

from __future__ import annotations

from collections.abc import Callable

from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import (
    agreement,
    contrast,
    diagnostics,
    estimates,
    flow,
    limitations,
    methods,
    reproducibility,
    summary,
)

SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary.make,
    flow.make,
    diagnostics.make,
    estimates.make,
    contrast.make,
    agreement.make,
    methods.make,
    limitations.make,
    reproducibility.make,
)
