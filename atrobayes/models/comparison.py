"""Comparisons: rows with a state against rows without (patients with random intercepts), and groups against groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from atrobayes.models.coding import column_names, contrast_columns, deviation_scale
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear, LinearModel
from atrobayes.models.priors import Priors
from atrobayes.models.terms import differences


def comparison_design(frame: Frame, priors: Priors) -> Linear:
    """State as ±1/2, so that neither state is the reference; patients with random intercepts."""
    state = frame.x[:, None] - 0.5
    return Linear(
        X=np.hstack([np.ones_like(state), state]),
        coefs=("Intercept", "state"),
        patient=frame.patient,
        patients=len(frame.patients),
        residual_block=np.zeros(len(state), dtype=np.int64),
        prior_mean=np.zeros(2),
        prior_sd=np.array([priors.intercept_mean_sd, priors.state_sd]),
        sd_names=("patient_sd", "residual_sd"),
        sd_priors=(priors.patient_sd, priors.residual_sd),
        terms=("difference",),
        contrasts=np.array([[0.0, 1.0]]),
    )


def groups_design(frame: Frame, priors: Priors) -> Linear:
    """Groups coded symmetrically; one row a patient, one residual SD."""
    groups = len(frame.groups)
    columns = contrast_columns(groups)
    weights = differences(frame.groups)
    # the difference of two groups is a 0/1 state: an orthonormal contrast has its SD over the root of two
    deviation = priors.state_sd / np.sqrt(2) * deviation_scale(groups)
    return Linear(
        X=np.hstack([np.ones((len(frame.group), 1)), columns[frame.group]]),
        coefs=("Intercept", *column_names(groups)),
        patient=None,
        patients=0,
        residual_block=np.zeros(len(frame.group), dtype=np.int64),
        prior_mean=np.zeros(groups),
        prior_sd=np.array([priors.intercept_mean_sd] + [deviation] * (groups - 1)),
        sd_names=("residual_sd",),
        sd_priors=(priors.residual_sd,),
        terms=tuple(weights),
        contrasts=np.array([np.append(0.0, weight @ columns) for weight in weights.values()]),
    )


COMPARISON = LinearModel(
    name="comparison",
    revision="1",
    method="bayes",
    formula="change ~ state + (1 | patient)",
    family="t",
    design=comparison_design,
)
COMPARISON_NORMAL = replace(COMPARISON, name="comparison_normal", method="bayes_normal", family="gaussian")
GROUPS = LinearModel(
    name="groups", revision="1", method="bayes", formula="value ~ group", family="t", design=groups_design
)
GROUPS_NORMAL = replace(GROUPS, name="groups_normal", method="bayes_normal", family="gaussian")
