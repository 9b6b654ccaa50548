"""One module a section, each with `make(results) -> Section`; SECTIONS is their order on the page."""

from __future__ import annotations

from collections.abc import Callable

from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import (
    agreement,
    analyses,
    diagnostics,
    flow,
    limitations,
    methods,
    priors,
    quality,
    reproducibility,
    summary,
)

SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary.make,
    flow.make,
    quality.make,
    diagnostics.make,
    analyses.make,
    agreement.make,
    priors.make,
    methods.make,
    limitations.make,
    reproducibility.make,
)
