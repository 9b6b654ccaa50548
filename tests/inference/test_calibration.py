"""Do intervals cover: 1,000 data sets on the example's own design matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from atrobayes.data_prep.example import write_example
from atrobayes.data_prep.prepare import prepare
from atrobayes.inference.classical.mixed import classical_mixed
from atrobayes.inference.engines.quadrature.solve import integrate
from atrobayes.inference.sums import gather
from atrobayes.models.analyses import CATALOGUE
from atrobayes.models.coding import term_weights
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors
from atrobayes.models.study_frames import build_frames
from atrobayes.study import read_study

# chosen before the first look
SEED = 11_22
DATA_SETS = 1000
RATES = 9  # three terms, three methods: the band holds for all of them together
PROBABILITY = 0.001


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    """Patient-years of the built-in example, T2 lesions."""
    folder: Path = tmp_path_factory.mktemp("design") / "study"
    write_example(folder)
    study = read_study(folder / "study.toml")
    prepared = prepare(study)
    (frame,) = build_frames(study, CATALOGUE["year_to_year_t2"], prepared.cohort).frames
    return frame


def band() -> tuple[int, int]:
    """Counts out of DATA_SETS between which a coverage of 95 % lies with the stated probability."""
    tail = PROBABILITY / RATES / 2
    return int(stats.binom.ppf(tail, DATA_SETS, 0.95)), int(stats.binom.isf(tail, DATA_SETS, 0.95))


def errors(frame: Frame, tau: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Patient effects plus errors: (row, data set)."""
    people = tau * rng.normal(size=(len(frame.patients), DATA_SETS))
    return people[frame.patient] + sigma * rng.normal(size=(len(frame.x), DATA_SETS))


@pytest.mark.slow
def test_classical_intervals_cover_fixed_slopes(design: Frame) -> None:
    """95 % confidence intervals would not be 95 % ones."""
    rng = np.random.default_rng([SEED, 1])
    slopes = np.array([-0.010, 0.002])
    y = slopes[design.group] * design.x - 0.05
    y = y[:, None] + errors(design, 0.015 * np.ones(DATA_SETS), 0.025 * np.ones(DATA_SETS), rng)
    names = [f"y{k}" for k in range(DATA_SETS)]
    scales = replace(design.scales, y_mean=y.mean(axis=0), y_sd=y.std(axis=0, ddof=1))
    rows = classical_mixed(
        design.with_outcomes(xr.DataArray(y, dims=("row", "outcome"), coords={"outcome": names}), scales)
    )
    truth = {term: float(weights @ slopes) for term, weights in term_weights(design.groups).items()}
    low, high = band()
    for term, value in truth.items():
        for method in ("classical", "classical_kr"):
            own = rows[(rows["term"] == term) & (rows["method"] == method)]
            assert DATA_SETS == len(own)
            covered = ((own["ci_low"] < value) & (value < own["ci_high"])).sum()
            assert low <= covered <= high, (term, method, covered)


@pytest.mark.slow
def test_bayesian_intervals_cover_what_the_prior_draws(design: Frame) -> None:
    """95 % posterior intervals would not be 95 % ones, on average over the prior they state."""
    rng = np.random.default_rng([SEED, 2])
    linear = MIXED.linear(design, Priors())
    tau, sigma = (np.abs(stats.t.rvs(p.nu, scale=p.scale, size=DATA_SETS, random_state=rng)) for p in linear.sd_priors)
    beta = linear.prior_mean + linear.prior_sd * rng.normal(size=(DATA_SETS, len(linear.coefs)))
    y = linear.X @ beta.T + errors(design, tau, sigma, rng)
    truth = beta @ linear.contrasts.T
    low, high = band()
    covered, reached = np.zeros(len(linear.terms), dtype=int), 0
    for start in range(0, DATA_SETS, 100):
        some = slice(start, start + 100)
        sums = gather(linear.X, y[:, some], linear.patient, linear.residual_block)
        refined = integrate(linear, sums, tuple(map(str, range(100))))
        mixture = refined.solution.mixture
        inside = (mixture.quantile(0.025) < truth[some]) & (truth[some] < mixture.quantile(0.975))
        covered += inside.sum(axis=0)
        reached += int(refined.reached.sum())
    assert DATA_SETS == reached
    for term, count in zip(linear.terms, covered, strict=True):
        assert low <= count <= high, (term, count)
