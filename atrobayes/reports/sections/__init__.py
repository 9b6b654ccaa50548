"""One module a section, each with `make(results) -> Section`; SECTIONS is their order on the page."""

from __future__ import annotations

from collections.abc import Callable

from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import (
    agreement,
    analyses,
    assurance,
    audit,
    calibration,
    checks,
    definitions,
    diagnostics,
    flow,
    influence,
    limitations,
    methods,
    multiverse,
    prior_sensitivity,
    priors,
    quality,
    reproducibility,
    robustness,
    summary,
)

SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary.make,
    robustness.make,
    flow.make,
    quality.make,
    diagnostics.make,
    analyses.make,
    agreement.make,
    multiverse.make,
    influence.make,
    priors.make,
    prior_sensitivity.make,
    definitions.make,
    checks.make,
    calibration.make,
    assurance.make,
    audit.make,
    methods.make,
    limitations.make,
    reproducibility.make,
)
