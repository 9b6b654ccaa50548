"""Published slopes shrunk together, held against an unrelated algorithm on the models as they are written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from atrobayes.inference.reanalysis.groups import pool_groups
from atrobayes.inference.reanalysis.structures import pool
from atrobayes.models.marginals import Mixture

ESTIMATES = np.array([-0.6, -0.2, 0.1, -0.4])
ERRORS = np.array([0.25, 0.1, 0.2, 0.3])
LIMIT = 4.0  # Monte Carlo standard errors
SAMPLING = {"draws": 2500, "tune": 1000, "chains": 4, "cores": 1, "target_accept": 0.97, "progressbar": False}


def agree(found: Mixture, drawn: Any) -> None:
    """Means and SDs (term,) against draws (chain, draw, term), by the draws' own standard errors."""
    import arviz as az

    assert np.all(az.rhat(drawn) < 1.01)
    for values, method in ((found.mean()[0], "mean"), (found.sd()[0], "sd")):
        summary = drawn.mean(("chain", "draw")) if method == "mean" else drawn.std(("chain", "draw"))
        assert np.all(np.abs(summary.to_numpy() - values) < LIMIT * np.asarray(az.mcse(drawn, method=method))), method


@pytest.mark.slow
@pytest.mark.parametrize(("df", "correlation"), [(7.0, 0.6), (7.0, 0.0)])
def test_nuts_agrees_with_quadrature_on_structures_shrunk_together(df: float, correlation: float) -> None:
    """The common slope, the structures and the SD between them."""
    import arviz as az
    import pymc as pm

    s = 0.5
    found = pool("abcd", ESTIMATES, ERRORS, df, s, correlation)
    errors = ERRORS[:, None] * (correlation + (1 - correlation) * np.eye(4)) * ERRORS
    with pm.Model():
        common = pm.Normal("common", 0, s)
        between = pm.HalfNormal("between", s)
        theta = common + between * pm.Normal("raw", 0, 1, shape=4)
        pm.Deterministic("terms", pm.math.concatenate([[common], theta]))
        pm.MvStudentT("y", nu=df, mu=theta, scale=errors, observed=ESTIMATES)
        drawn = pm.sample(random_seed=11, **SAMPLING)["posterior"].dataset
    agree(found.mixture, drawn["terms"])
    between_apart = float(drawn["between"].mean()) - found.between_mean
    assert abs(between_apart) < LIMIT * float(az.mcse(drawn["between"], method="mean"))


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
def test_nuts_agrees_with_quadrature_on_groups_shrunk_together(shared: bool) -> None:
    """Both slopes and their difference, from a regression each or from one model."""
    import pymc as pm

    b, se, s = np.array([-0.3, 0.1]), np.array([0.15, 0.2]), 0.5
    df = np.array([7.0, 7.0]) if shared else np.array([7.0, 5.0])
    found = pool_groups("AB", b, se, df, s, shared=shared)
    with pm.Model():
        slopes = pm.MvNormal("slopes", mu=np.zeros(2), cov=s**2 * np.array([[1, 0.5], [0.5, 1]]))
        pm.Deterministic("terms", pm.math.concatenate([slopes, [slopes[0] - slopes[1]]]))
        # precisions of the normals that Student's t is a mixture of
        lam = pm.Gamma("lam", alpha=df[:1] / 2 if shared else df / 2, beta=df[:1] / 2 if shared else df / 2)
        pm.Normal("y", mu=slopes, sigma=se / pm.math.sqrt(lam), observed=b)
        drawn = pm.sample(random_seed=12, **SAMPLING)["posterior"].dataset
    agree(found, drawn["terms"])
