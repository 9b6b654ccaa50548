"""Mann–Whitney and Hodges–Lehmann: R's wilcox.test, hand-worked numbers, and the test turned into an interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atrobayes.inference.classical.ranks import hodges_lehmann, mann_whitney, midranks

REFERENCE = Path(__file__).parents[1] / "reference" / "ranks"
WILCOXON = pd.read_csv(REFERENCE / "wilcoxon.tsv", sep="\t").set_index("dataset")


def _samples(name: str) -> tuple[np.ndarray, np.ndarray]:
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    rows = data[data["dataset"] == name]
    return rows["value"].to_numpy(), (rows["sample"] == "x").to_numpy()


@pytest.mark.parametrize("name", WILCOXON.index)
def test_the_test_is_that_of_r(name: str) -> None:
    """The p-values would not be those the field's standard program prints."""
    y, active = _samples(name)
    ours, r = mann_whitney(y, active), WILCOXON.loc[name]
    assert r["w"] == ours.u
    assert np.isclose(r["w"] / (r["n_x"] * r["n_y"]), ours.superiority, rtol=1e-14)
    assert np.isclose(r["p"], ours.p, rtol=1e-10)


@pytest.mark.parametrize("name", WILCOXON.index)
def test_the_interval_is_that_of_r(name: str) -> None:
    """The shift's interval would not be that of the field's standard program, with or without ties."""
    y, active = _samples(name)
    _, low, high = hodges_lehmann(y, active, 0.95)
    r = WILCOXON.loc[name]
    assert np.isclose(r["ci_low_tight"], low, rtol=0, atol=1e-10)
    assert np.isclose(r["ci_high_tight"], high, rtol=0, atol=1e-10)
    # as users of R see it: its search stops within 1e-4
    assert np.isclose(r["ci_low"], low, rtol=0, atol=1e-4)
    assert np.isclose(r["ci_high"], high, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", WILCOXON.index)
def test_the_shift_is_the_middle_of_the_roots_r_may_return(name: str) -> None:
    """The estimate would be another than R's by more than R itself leaves open."""
    y, active = _samples(name)
    estimate = hodges_lehmann(y, active, 0.95)[0]
    r = WILCOXON.loc[name]
    pairs = np.sort(np.subtract.outer(y[active], y[~active]), axis=None)
    first, last = pairs[(len(pairs) - 1) // 2], pairs[len(pairs) // 2]
    assert first - 1e-4 <= r["shift"] <= last + 1e-4
    assert np.isclose(r["median_difference"], estimate, rtol=0, atol=1e-10)


def test_u_counts_pairs_in_which_the_active_row_is_larger() -> None:
    """Active 3, 1 against quiet 1, 2: 3 > 1, 3 > 2 and a tie. A sign slip would turn atrophy into growth."""
    result = mann_whitney(np.array([3.0, 1.0, 1.0, 2.0]), np.array([True, True, False, False]))
    assert 2.5 == result.u
    assert 2.5 / 4 == result.superiority
    # half a pair above the mean of 2, and the continuity correction takes half a pair away
    assert 0.0 == result.z
    assert 1.0 == result.p


def test_continuity_and_tie_correction_are_as_worked_by_hand() -> None:
    """Active 4, 2, 2 against quiet 1, 2: U = 5, mean 3, sigma² = 6 / 12 · (6 - 24 / 20) = 2.4, z = 1.5 / sqrt(2.4)."""
    result = mann_whitney(np.array([4.0, 2.0, 2.0, 1.0, 2.0]), np.array([True, True, True, False, False]))
    assert 5.0 == result.u
    assert np.isclose(1.5 / np.sqrt(2.4), result.z, rtol=1e-14)
    assert np.isclose(0.33292160806, result.p, rtol=1e-9)


def test_tied_values_share_the_mean_of_their_ranks() -> None:
    """Counts, which are mostly ties, would get ranks by their place in the file."""
    np.testing.assert_array_equal([4, 1.5, 5, 1.5, 3], midranks(np.array([2.0, 0.0, 7.0, 0.0, 1.0])))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_holds_the_shifts_the_test_does_not_reject(level: float) -> None:
    """Interval and p-value would contradict each other."""
    rng = np.random.default_rng(5)
    active = np.arange(19) < 8
    for decimals in (9, 1):
        y = np.round(rng.normal(size=19), decimals)
        _, low, high = hodges_lehmann(y, active, level)
        for inside, outside in ((low + 1e-4, low - 1e-4), (high - 1e-4, high + 1e-4)):
            assert mann_whitney(y - inside * active, active).p > 1 - level
            assert mann_whitney(y - outside * active, active).p < 1 - level


def test_swapping_the_states_turns_the_signs_and_nothing_else() -> None:
    """Which state is named first would change what is found."""
    y, active = _samples("ties")
    one, other = mann_whitney(y, active), mann_whitney(y, ~active)
    assert one.p == other.p
    assert one.z == -other.z
    assert np.isclose(1, one.superiority + other.superiority)
    estimate, low, high = hodges_lehmann(y, active, 0.95)
    np.testing.assert_allclose([-estimate, -high, -low], hodges_lehmann(y, ~active, 0.95))


def test_a_level_that_few_rows_cannot_reach_gives_the_extreme_differences() -> None:
    """Two rows against two would end in an index error, or in an interval beyond what was seen."""
    y, active = np.array([1.0, 2.0, 0.5, 4.0]), np.array([True, True, False, False])
    assert (-0.75, -3.0, 1.5) == hodges_lehmann(y, active, 0.95)


def test_values_all_equal_have_no_test_and_no_interval() -> None:
    """A structure that never changes would be reported as tested, or end the run; R gives NaN too."""
    y, active = np.full(6, 0.3), np.arange(6) < 2
    result = mann_whitney(y, active)
    assert np.isnan([result.p, result.z]).all()
    assert 4.0 == result.u
    np.testing.assert_array_equal([0, np.nan, np.nan], hodges_lehmann(y, active, 0.95))


def test_one_row_each_has_no_interval() -> None:
    """A single pair would be shown as an interval without width."""
    np.testing.assert_array_equal(
        [2, np.nan, np.nan], hodges_lehmann(np.array([3.0, 1.0]), np.array([True, False]), 0.95)
    )
