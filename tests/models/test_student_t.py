"""Student's t against scipy.stats, tails included."""

from __future__ import annotations

import numpy as np
from scipy import stats

from atrobayes.models import student_t


def test_agrees_with_scipy_stats() -> None:
    """Every p-value and confidence interval comes from here."""
    for df in (0.3, 1.0, 2.5, 91.0, 5000.0):
        x = np.linspace(-30, 30, 61)
        np.testing.assert_allclose(stats.t.cdf(x, df), student_t.cdf(x, df), rtol=1e-9)
        np.testing.assert_allclose(stats.t.sf(x, df), student_t.sf(x, df), rtol=1e-9)
        np.testing.assert_allclose(stats.t.pdf(x, df), student_t.pdf(x, df), rtol=1e-9)
        q = np.array([1e-6, 0.005, 0.025, 0.5, 0.9])
        np.testing.assert_allclose(stats.t.isf(q, df), student_t.isf(q, df), rtol=1e-8, atol=1e-12)
