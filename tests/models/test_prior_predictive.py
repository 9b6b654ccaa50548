"""What the priors say of slopes, years and rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atrobayes.models.prior_predictive import (
    half_t_quantile,
    lognormal_range,
    normal_range,
    read_record,
    year_prior,
)
from atrobayes.models.priors import HalfStudentT, Priors

TINY = HalfStudentT(3, 1e-9)


def test_a_normal_prior_has_its_textbook_range() -> None:
    """The page would say a lesion may cost more, or less, than the prior allows."""
    assert (-0.9799820, 0.9799820) == pytest.approx(normal_range(0.0, 0.5))
    assert (math.exp(-1.959964), math.exp(1.959964)) == pytest.approx(lognormal_range(1.0))


def test_half_student_t_is_a_folded_student_t() -> None:
    """The prior of the SD between patients would be shown too narrow: t(3) exceeds 3.1824 with probability 0.025."""
    assert 3.1824463 * 2 == pytest.approx(float(half_t_quantile(HalfStudentT(3, 2), 0.95)))


def test_the_record_of_a_fit_is_read_as_it_was_written() -> None:
    """Ranges would be computed from other priors than those fitted."""
    priors = Priors(
        intercept_mean_sd=1.25, intercept_difference_sd=0.75, patient_sd=HalfStudentT(4, 0.5), nu_shape=3.0, nu_rate=0.2
    )
    told = read_record(priors.describe())
    assert (1.25, 0.75) == (told.intercept_mean_sd, told.intercept_difference_sd)
    assert (HalfStudentT(4, 0.5), HalfStudentT(3, 1), (3.0, 0.2)) == (told.patient_sd, told.residual_sd, told.nu)


def test_one_group_of_two_varies_by_mean_and_half_the_difference() -> None:
    """A group's year would be predicted as if its intercept were the mean of all groups."""
    told = read_record(Priors().describe())
    assert math.sqrt(2.5**2 + 0.5**2) == pytest.approx(told.intercept_sd(2))
    assert 2.5 == pytest.approx(told.intercept_sd(1))


def test_without_patients_and_errors_a_year_is_normal() -> None:
    """The whole prediction would rest on the integration over SDs alone."""
    year = year_prior(0.3, 2.0, TINY, TINY)
    assert 0.5 == pytest.approx(year.cdf(0.3))
    assert 0.3 + 1.959964 * 2 == pytest.approx(year.quantile(0.975), rel=1e-6)


@pytest.mark.parametrize("nu", [None, (2.0, 0.1)])
def test_integration_agrees_with_simulation(nu) -> None:
    """The range a reader compares with the observed one would be another model's."""
    rng = np.random.default_rng(3)
    n = 2_000_000
    patient, residual = HalfStudentT(3, 1), HalfStudentT(3, 0.5)
    tau, sigma = (prior.scale * np.abs(rng.standard_t(prior.nu, n)) for prior in (patient, residual))
    error = rng.standard_normal(n)
    if nu is not None:
        df = rng.gamma(nu[0], 1 / nu[1], n)
        error /= np.sqrt(rng.chisquare(df) / df)
    y = 0.2 + rng.normal(0, 2.5, n) + tau * rng.standard_normal(n) + sigma * error
    year = year_prior(0.2, 2.5, patient, residual, nu)
    assert (y < 1.0).mean() == pytest.approx(year.cdf(1.0), abs=1.5e-3)
    assert np.quantile(y, 0.975) == pytest.approx(year.quantile(0.975), rel=8e-3)
