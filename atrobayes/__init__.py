"""Brain atrophy in small longitudinal MRI cohorts, Bayesian beside classical."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("atrobayes")
