"""Adjusted p-values against scipy and hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from atrobayes.inference.classical.families import adjust, benjamini_hochberg, holm


def test_benjamini_hochberg_agrees_with_scipy() -> None:
    """The q column would not be a false discovery rate."""
    p = pd.Series(np.random.default_rng(1).uniform(size=40) ** 2)
    np.testing.assert_allclose(false_discovery_control(p), benjamini_hochberg(p))


def test_holm_is_as_worked_by_hand() -> None:
    """Ordered p times 4, 3, 2, 1, never falling: 0.04, 0.06, 0.06, 0.5."""
    expected = [0.06, 0.04, 0.5, 0.06]
    np.testing.assert_allclose(expected, holm(pd.Series([0.02, 0.01, 0.5, 0.03])))


def test_families_are_the_structures_of_one_analysis_and_term() -> None:
    """A q-value would change with the number of analyses in the study file."""
    rows = pd.DataFrame(
        {
            "analysis": ["a"] * 4 + ["b"],
            "term": ["s", "s", "i", "s", "s"],
            "method": "classical",
            "p": [0.01, 0.04, 0.03, np.nan, 0.04],
        }
    )
    out = adjust(rows)
    np.testing.assert_allclose([0.02, 0.04, 0.03, np.nan, 0.04], out["q_bh"])
    np.testing.assert_allclose([0.02, 0.04, 0.03, np.nan, 0.04], out["p_holm"])
