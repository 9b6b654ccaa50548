"""The mixed model with Student-t errors, which a few odd scans cannot pull far."""

from __future__ import annotations

from dataclasses import replace

from atrobayes.models.mixed import MIXED

MIXED_ROBUST = replace(MIXED, name="mixed_robust", method="bayes_robust", family="t")
