"""Permutation of patients: full enumeration by other code, seeds, and false positives where patients differ."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import binom

from atrobayes.inference.classical.clustered import datta_satten
from atrobayes.inference.classical.permutation import permutation_test, permutation_tests
from atrobayes.inference.classical.ranks import mann_whitney

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def _years(seed: int, patients: int, most: int = 3, patient_sd: float = 1.0) -> Data:
    """Values and states that have nothing to do with each other, both alike within a patient."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
    often = rng.choice([0.05, 0.8], patients)
    active = rng.uniform(size=len(patient)) < often[patient]
    y = patient_sd * rng.normal(size=patients)[patient] + rng.normal(size=len(patient))
    return y, active, patient


def _enumerated_u(y: np.ndarray, active: np.ndarray, patient: np.ndarray) -> np.ndarray:
    """U for every way to hand the label vectors round among patients with equally many rows, one by one."""
    vectors = {p: active[patient == p] for p in np.unique(patient)}
    classes = [[p for p in vectors if len(vectors[p]) == size] for size in sorted({len(v) for v in vectors.values()})]
    found = []
    for orders in product(*(permutations(members) for members in classes)):
        labels = np.empty(len(y), dtype=bool)
        for members, order in zip(classes, orders, strict=True):
            for p, donor in zip(members, order, strict=True):
                labels[patient == p] = vectors[donor]
        pairs = np.subtract.outer(y[labels], y[~labels])
        found.append((pairs > 0).sum() + (pairs == 0).sum() / 2)
    return np.array(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decimals", [0, 6])
def test_the_exact_p_value_is_that_of_full_enumeration(seed: int, decimals: int) -> None:
    """The test would not be the permutation test it says it is."""
    y, active, patient = _years(seed, patients=8)
    y = np.round(y, decimals)
    every = _enumerated_u(y, active, patient)
    result = permutation_test(y, active, patient, seed=1)
    far = np.abs(every - every.mean()) >= abs(mann_whitney(y, active).u - every.mean()) - 1e-9
    assert result.exact
    assert len(every) > result.arrangements > 1
    assert np.isclose(far.mean(), result.p, rtol=1e-12)
    assert np.isclose(every.mean(), result.expectation, rtol=1e-12)
    assert mann_whitney(y, active).u == result.statistic


def test_distinct_arrangements_are_counted_by_hand() -> None:
    """Patients of two years labelled 10, 01, 00, 00: 4! / 2! ways; of one year labelled 1, 0, 0: 3; together 36."""
    active = np.array([1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0], dtype=bool)
    patient = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6])
    result = permutation_test(np.arange(11.0), active, patient, seed=1)
    assert 36 == result.arrangements
    assert 2 == result.patients_with_both
    # at most this many: all of them; one fewer: a random choice
    assert permutation_test(np.arange(11.0), active, patient, seed=1, permutations=35).exact
    assert not permutation_test(np.arange(11.0), active, patient, seed=1, permutations=34).exact


def test_random_arrangements_come_near_the_exact_p_value() -> None:
    """The p-value of every real study, which has too many arrangements to list, would be wrong."""
    y, active, patient = _years(32, patients=15, most=2)
    y = y + active
    exact = permutation_test(y, active, patient, seed=1, permutations=56_699)
    assert exact.exact
    assert 56_700 == exact.arrangements
    assert 0.02 < exact.p < 0.2
    chosen = permutation_test(y, active, patient, seed=1, permutations=9999)
    assert not chosen.exact
    assert 10_000 == chosen.arrangements
    low, high = binom.ppf([0.0005, 0.9995], 9999, exact.p)
    assert low <= chosen.p * 10_000 - 1 <= high
    assert exact.expectation == chosen.expectation


def test_the_p_value_counts_the_observed_arrangement() -> None:
    """With few random arrangements p could be 0, and would be too small on average."""
    y, active, patient = _years(3, patients=40)
    result = permutation_test(y + 50.0 * active, active, patient, seed=1, permutations=99)
    assert 0.01 == result.p


def test_numbers_hang_on_data_and_seed_alone() -> None:
    """A second run, another order of outcomes or other patient codes would print another p-value."""
    y, active, patient = _years(4, patients=40)
    several = np.column_stack([y, -y, np.round(y), y**3])
    together = permutation_tests(several, active, patient, seed=7, permutations=999)
    assert together == [permutation_test(c, active, patient, seed=7, permutations=999) for c in several.T]
    assert together[0] == permutation_test(y, active, 7 * patient % 41, seed=7, permutations=999)
    assert together[0].p == together[3].p
    others = {permutation_test(y, active, patient, seed=s, permutations=999).p for s in range(5)}
    assert len(others) > 1


def test_where_labels_cannot_be_exchanged_nothing_is_found() -> None:
    """Values far apart would pass for a finding although no other arrangement exists to compare them with."""
    active = np.array([True, False, True, False, False])
    patient = np.array([0, 0, 1, 1, 2])
    result = permutation_test(np.array([9.0, 1.0, 8.0, 2.0, 3.0]), active, patient, seed=1)
    assert (1.0, 1, True) == (result.p, result.arrangements, result.exact)
    assert result.statistic == result.expectation


def test_values_all_equal_give_p_of_one() -> None:
    """Ties between arrangements, compared without care for rounding, would count as differences."""
    _, active, patient = _years(5, patients=30)
    assert 1.0 == permutation_test(np.full(len(active), 0.1), active, patient, seed=1).p


def test_false_positives_where_patients_differ_and_states_run_in_patients() -> None:
    """The rank test takes a patient's years for independent patients and finds too much; these two do not."""
    simulations, found = 400, np.zeros(3)
    for seed in range(simulations):
        data = _years(1000 + seed, patients=50, most=4, patient_sd=2.0)
        exchanged = permutation_test(*data, seed=seed, permutations=199)
        found += np.array([mann_whitney(*data[:2]).p, datta_satten(*data).p, exchanged.p]) <= 0.05
    low, high = binom.ppf([0.0005, 0.9995], simulations, 0.05)
    rank, clustered, permuted = found
    assert rank > 2 * high
    assert low <= clustered <= high
    assert low <= permuted <= high
