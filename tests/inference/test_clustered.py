"""Datta and Satten's test: the clusrank package, full enumeration of the resampling, and a hand-worked example."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from atrobayes.inference.classical.clustered import datta_satten

REFERENCE = Path(__file__).parents[1] / "reference" / "clusrank"
CLUSRANK = pd.read_csv(REFERENCE / "clusrank.tsv", sep="\t").set_index("dataset")


def _data(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    rows = data[data["dataset"] == name]
    return rows["y"].to_numpy(), rows["active"].to_numpy() == 1, rows["patient"].to_numpy()


@pytest.mark.parametrize("name", CLUSRANK.index)
def test_agrees_with_clusrank(name: str) -> None:
    """The clustered p-values would not be those of the published program."""
    ours = datta_satten(*_data(name))
    for column in ("statistic", "expectation", "variance", "z", "p"):
        assert np.isclose(CLUSRANK.loc[name, column], getattr(ours, column), rtol=1e-9), column


def test_an_example_of_three_patients_is_as_worked_by_hand() -> None:
    """Patient 0: active 3, quiet 1; patient 1: active 2; patient 2: quiet 4.

    Drawn are (3, 2, 4) or (1, 2, 4), active rank sums 2 + 1 and 2, so S = 2.5 / 4; on average 1.5 active
    rows of middle rank 2 are drawn, E = 3 / 4. The heights of 1 to 4 are -3/8, -1/8, 1/8, 3/8; the patients' shares of
    active rows 1/2, 1, 0; so their contributions are 2·1/2·1/8 + 1·1/2·2/8 = 4/16, -2·1/8 + 1/2·1/8 = -3/16 and
    -3/2·3/8 = -9/16, each over 4: variance 106/64², z = -1/8 · 64/√106.
    """
    result = datta_satten(np.array([3.0, 1.0, 2.0, 4.0]), np.array([True, False, True, False]), np.array([0, 0, 1, 2]))
    assert 0.625 == result.statistic
    assert 0.75 == result.expectation
    assert np.isclose(106 / 64**2, result.variance, rtol=1e-14)
    assert np.isclose(-8 / np.sqrt(106), result.z, rtol=1e-14)
    assert np.isclose(0.43714184, result.p, rtol=1e-7)


@pytest.mark.parametrize("name", ["few", "few_ties"])
def test_the_statistic_is_the_mean_over_all_draws_of_one_row_per_patient(name: str) -> None:
    """The test would not be the within-cluster resampling it is named for."""
    y, active, patient = _data("few")
    y = np.round(y) if name == "few_ties" else y
    draws = [np.array(rows) for rows in product(*(np.nonzero(patient == p)[0] for p in np.unique(patient)))]
    assert len(draws) >= 8
    patients = len(draws[0])
    rank_sums = [rankdata(y[rows])[active[rows]].sum() for rows in draws]
    # whatever the ranks are, an active row of a draw has the middle one on average
    expected = [active[rows].sum() * (patients + 1) / 2 for rows in draws]
    result = datta_satten(y, active, patient)
    assert np.isclose(np.mean(rank_sums) / (patients + 1), result.statistic, rtol=1e-12)
    assert np.isclose(np.mean(expected) / (patients + 1), result.expectation, rtol=1e-12)


@pytest.mark.parametrize("name", ["years", "ties"])
def test_the_variance_is_its_definition(name: str) -> None:
    """A p-value would rest on a slip in the algebra: here the paper's sums term by term."""
    y, active, patient = _data(name)
    names = list(dict.fromkeys(patient))
    m = len(names)
    share = {p: active[patient == p].mean() for p in names}
    total = 0.0
    for p in names:
        others = sum(share[q] for q in names if q != p)
        w = 0.0
        for value, state in zip(y[patient == p], active[patient == p], strict=True):
            height = (np.mean(y <= value) + np.mean(y < value)) / 2
            w += ((m - 1) * state - others) * height / (patient == p).sum() / (m + 1)
        mean = m / (2 * (m + 1)) * (share[p] - sum(share.values()) / m)
        total += (w - mean) ** 2
    assert np.isclose(total, datta_satten(y, active, patient).variance, rtol=1e-10)


def test_names_of_patients_order_of_rows_and_monotone_transformations_do_not_matter() -> None:
    """The p-value would depend on how the file is sorted, or on mm³ against ml."""
    y, active, patient = _data("years")
    result = datta_satten(y, active, patient)
    order = np.random.default_rng(1).permutation(len(y))
    renamed = 1000 - 7 * patient
    for other in (
        datta_satten(y[order], active[order], patient[order]),
        datta_satten(y, active, renamed),
        datta_satten(np.exp(y / 3) - 5, active, patient),
    ):
        assert np.isclose(result.statistic, other.statistic, rtol=1e-12)
        assert np.isclose(result.p, other.p, rtol=1e-10)


def test_swapping_the_states_or_the_sign_of_values_turns_z() -> None:
    """Which state is named first would change what is found."""
    y, active, patient = _data("ties")
    z = datta_satten(y, active, patient).z
    assert np.isclose(-z, datta_satten(y, ~active, patient).z, rtol=1e-10)
    assert np.isclose(-z, datta_satten(-y, active, patient).z, rtol=1e-10)


def test_a_patient_counts_once_whatever_the_number_of_rows() -> None:
    """A patient seen twice as often would weigh twice as much."""
    y, active, patient = _data("few")
    twice = np.r_[np.arange(len(y)), np.nonzero(patient == patient[0])[0]]
    one, other = datta_satten(y, active, patient), datta_satten(y[twice], active[twice], patient[twice])
    assert np.isclose(one.statistic, other.statistic, rtol=1e-12)
    assert np.isclose(one.expectation, other.expectation, rtol=1e-12)


@pytest.mark.parametrize("case", ["equal values", "one patient"])
def test_no_variance_gives_no_p_value(case: str) -> None:
    """Rounding errors would be divided by rounding errors."""
    y, active, patient = _data("years")
    result = datta_satten(np.full_like(y, 0.1), active, patient)
    if case == "one patient":
        result = datta_satten(y[:5], np.arange(5) < 2, np.zeros(5, dtype=int))
    assert np.isnan([result.z, result.p]).all()
    assert np.isclose(result.expectation, result.statistic, rtol=1e-12)
