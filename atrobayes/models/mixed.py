"""Mixed model with normal errors: yearly changes on lesions by group, patients with random intercepts."""

from __future__ import annotations

from atrobayes.models.linear import LinearModel
from atrobayes.models.slopes import mixed_design

MIXED = LinearModel(
    name="mixed",
    revision="2",
    method="bayes",
    formula="change ~ lesions * group + (1 | patient)",
    family="gaussian",
    design=mixed_design,
)
