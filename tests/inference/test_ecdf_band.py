"""The band around the ECDF of a uniform sample: held as often as stated, and no wider than need be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from atrobayes.inference.calibration.ecdf_band import band, uniformity_p

SEED = 20_22  # chosen before the first look
SAMPLES = 20_000


def _ecdfs(count: int, bins: int) -> np.ndarray:
    histograms = np.random.default_rng([SEED, count, bins]).multinomial(count, np.full(bins, 1 / bins), size=SAMPLES)
    return np.cumsum(histograms, axis=1)[:, :-1]


@pytest.mark.parametrize(("count", "bins", "level"), [(20, 20, 0.9), (200, 101, 0.99), (1000, 100, 0.95)])
def test_uniform_samples_stay_inside_as_often_as_stated(count: int, bins: int, level: float) -> None:
    """Were it less often, models that are right would be called wrong; more often, wrong ones right."""
    found, ecdfs = band(count, bins, level), _ecdfs(count, bins)
    inside = ((found.low <= ecdfs) & (ecdfs <= found.high)).all(axis=1).mean()
    error = 4 * np.sqrt(level * (1 - level) / SAMPLES)
    # counts are whole numbers, so the level cannot be met exactly: few samples, coarse steps
    coarse = 0.01 if count < 50 else 0.002
    assert level - error <= inside <= level + error + coarse


def test_band_is_that_of_arviz() -> None:
    """ArviZ simulates the pointwise probability that is computed here; another recipe would give another band."""
    from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

    count, level = 50, 0.95
    found = band(count, count, level)
    pointwise = simulate_confidence_bands(count, 1, found.at, level, 2000, np.random.default_rng(SEED))
    low, high = get_pointwise_confidence_band(pointwise, count, found.at)
    assert 1 >= np.abs(np.round(low * count) - found.low).max()
    assert 1 >= np.abs(np.round(high * count) - found.high).max()


def test_p_is_small_exactly_where_the_ecdf_leaves_the_band() -> None:
    """The verdict in the table and the figure beside it would contradict each other."""
    rng = np.random.default_rng([SEED, 1])
    level, verdicts = 0.9, []
    for _ in range(100):
        values = rng.beta(1, rng.uniform(0.8, 1.2), size=300)
        histogram = np.histogram(values, np.linspace(0, 1, 101))[0]
        limits, below = band(300, 100, level), np.cumsum(histogram)[:-1]
        inside = bool(((limits.low <= below) & (below <= limits.high)).all())
        assert inside == (uniformity_p(histogram) > 1 - level)
        verdicts.append(inside)
    assert 10 < sum(verdicts) < 90


def test_p_of_uniform_samples_is_uniform() -> None:
    """A p of 0.01 must mean once in a hundred, or the limit over many parameters means nothing."""
    rng = np.random.default_rng([SEED, 2])
    p = [uniformity_p(rng.multinomial(200, np.full(101, 1 / 101))) for _ in range(300)]
    assert 0.001 < stats.kstest(p, "uniform").pvalue
