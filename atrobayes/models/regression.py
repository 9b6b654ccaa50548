"""Regression of one change a patient on baseline lesions: slopes partially pooled, each group its residual SD."""

from __future__ import annotations

from dataclasses import replace

from atrobayes.models.linear import LinearModel
from atrobayes.models.slopes import regression_design

REGRESSION = LinearModel(
    name="regression",
    revision="1",
    method="bayes",
    formula="change ~ lesions * group, residual SD by group",
    family="gaussian",
    design=regression_design,
)
REGRESSION_ROBUST = replace(REGRESSION, name="regression_robust", method="bayes_robust", family="t")
