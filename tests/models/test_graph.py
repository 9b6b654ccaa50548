"""The PyMC graph Bambi builds is the model as written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from simulated import frame_of, long_table

from atrobayes.models.mixed import Mixed
from atrobayes.models.priors import HalfStudentT, Priors


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*'object' dtype.*", "ignore:.*select_dtypes.*")
def test_log_density_of_the_graph_is_that_of_the_formula() -> None:
    """NUTS would sample a posterior with other priors than the report states (Bambi changes some silently)."""
    frame = frame_of(long_table(3))
    priors = Priors(slope_sd=0.37, slope_correlation=0.2, patient_sd=HalfStudentT(4, 0.7))
    linear = Mixed().linear(frame, priors)
    graph = Mixed().graph(frame, priors)
    density = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    start, rng = graph.initial_point(), np.random.default_rng(1)
    patients = np.unique(frame.patient, return_inverse=True)[1]
    for _ in range(20):
        point = {name: rng.normal(0, 0.7, np.shape(value)) for name, value in start.items()}
        beta = np.array([point[name] for name in linear.coefs])
        tau, sigma = np.exp(point["1|patient_sigma_log__"]), np.exp(point["sigma_log__"])
        offset = point["1|patient_offset"]
        expected = stats.norm.logpdf(beta, linear.prior_mean, linear.prior_sd).sum() + stats.norm.logpdf(offset).sum()
        for sd, prior in zip((tau, sigma), linear.sd_priors, strict=True):
            expected += np.log(2) + stats.t.logpdf(sd, prior.nu, scale=prior.scale)
        mean = linear.X @ beta + tau * offset[patients]
        expected += stats.norm.logpdf(frame.y_standardised[:, 0], mean, sigma).sum()
        assert np.isclose(expected, density(point), rtol=1e-10)
