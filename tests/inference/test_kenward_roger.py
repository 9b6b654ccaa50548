"""Kenward-Roger: closed forms of balanced layouts, and lmerTest with pbkrtest."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated import long_table

from atrobayes.inference.classical.kenward_roger import kenward_roger
from atrobayes.inference.classical.reml import fit_reml
from atrobayes.models import student_t

REFERENCE = Path(__file__).parents[1] / "reference"
CONTRASTS = {"slope[CLAD]": [0.0, 0, 1, 0], "slope[ALEM]": [0.0, 0, 0, 1], "interaction": [0.0, 0, 1, -1]}


def cell_columns(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Design of y ~ 0 + group + group:x, and patients."""
    first, x = (rows["group"] == "CLAD").to_numpy(float), rows["x"].to_numpy(float)
    return np.column_stack([first, 1 - first, first * x, (1 - first) * x]), pd.factorize(rows["patient"])[0]


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    """Ours beside R's, one row per data set, outcome and term."""
    files = [REFERENCE / folder / "data.tsv" for folder in ("lmer", "kenward_roger")]
    data = pd.concat([pd.read_csv(path, sep="\t") for path in files])
    ours = []
    for (dataset, outcome), rows in data.groupby(["dataset", "outcome"], sort=False):
        X, patient = cell_columns(rows)
        scale = rows["y"].std()
        answer = kenward_roger(X, patient, fit_reml(X, rows["y"].to_numpy() / scale, patient))
        for term, weights in CONTRASTS.items():
            estimate, error, df = answer.test(np.array(weights))
            p = 2 * float(student_t.sf(abs(estimate / error), df))
            numbers = {"our_estimate": scale * estimate, "our_se": scale * error, "our_df": df, "our_p": p}
            ours.append({"dataset": dataset, "outcome": outcome, "term": term} | numbers)
    theirs = pd.read_csv(REFERENCE / "kenward_roger" / "kenward_roger.tsv", sep="\t")
    return theirs.merge(pd.DataFrame(ours), how="left", on=["dataset", "outcome", "term"], validate="one_to_one")


def test_agrees_with_lmertest(pairs: pd.DataFrame) -> None:
    """The numbers called Kenward-Roger would not be those the field's standard program prints."""
    assert 100 < len(pairs)
    assert 0 < pairs["singular"].sum() < len(pairs)
    # an estimate that is nearly nothing agrees to so many standard errors
    error = (pairs["our_estimate"] - pairs["estimate"]).abs()
    assert (error <= 1e-5 * np.maximum(pairs["estimate"].abs(), 1e-3 * pairs["se"])).all()
    np.testing.assert_allclose(pairs["our_se"], pairs["se"], rtol=1e-5)
    np.testing.assert_allclose(pairs["our_df"], pairs["df"], rtol=1e-5)
    np.testing.assert_allclose(pairs["our_p"], pairs["p"], rtol=1e-5)


def test_a_paired_design_is_the_paired_t_test() -> None:
    """The one design whose small-sample answer everybody knows would be answered otherwise."""
    rng = np.random.default_rng(4)
    before = rng.normal(size=9)
    after = before + 0.3 + 0.5 * rng.normal(size=9)
    patient = np.tile(np.arange(9), 2)
    X = np.column_stack([np.ones(18), np.repeat([0.0, 1.0], 9)])
    fit = fit_reml(X, np.concatenate([before, after]), patient)
    assert not fit.singular
    estimate, error, df = kenward_roger(X, patient, fit).test(np.array([0.0, 1.0]))
    expected = stats.ttest_rel(after, before)
    assert np.isclose(expected.df, df, rtol=1e-7)
    assert np.isclose(expected.statistic, estimate / error, rtol=1e-7)


def test_a_predictor_of_patients_in_a_balanced_design_is_regression_of_their_means() -> None:
    """Rows of one patient would count as so many patients."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=10)
    patient = np.repeat(np.arange(10), 3)
    y = (0.4 * x + rng.normal(size=10))[patient] + 0.5 * rng.normal(size=30)
    X = np.column_stack([np.ones(30), x[patient]])
    estimate, error, df = kenward_roger(X, patient, fit_reml(X, y, patient)).test(np.array([0.0, 1.0]))
    expected = stats.linregress(x, y.reshape(10, 3).mean(axis=1))
    assert np.isclose(8, df, rtol=1e-7)
    assert np.isclose(expected.slope, estimate)
    assert np.isclose(expected.stderr, error, rtol=1e-7)


def test_without_repeated_patients_it_is_ordinary_regression() -> None:
    """A study with one interval a patient would get degrees of freedom out of nothing."""
    rows = long_table(6, patients=30, most_visits=1)
    X, patient = cell_columns(rows)
    answer = kenward_roger(X, patient, fit_reml(X, rows["y0"].to_numpy(), patient))
    _, residual, *_ = np.linalg.lstsq(X, rows["y0"].to_numpy())
    cov = residual[0] / 26 * np.linalg.inv(X.T @ X)
    for weights in map(np.array, CONTRASTS.values()):
        _, error, df = answer.test(weights)
        assert np.isclose(26, df, rtol=1e-9)
        assert np.isclose(np.sqrt(weights @ cov @ weights), error, rtol=1e-9)


def test_standard_errors_never_shrink() -> None:
    """Not knowing the variances would make an estimate look more certain."""
    for seed in range(20):
        rows = long_table(seed, patients=10, tau=0.1 * seed)
        X, patient = cell_columns(rows)
        answer = kenward_roger(X, patient, fit_reml(X, rows["y0"].to_numpy(), patient))
        added = np.linalg.eigvalsh(answer.cov_adjusted - answer.cov)
        assert added.min() > -1e-9 * np.abs(answer.cov).max()
        assert added.max() > 0


def test_answers_do_not_depend_on_the_spread_between_patients_once_it_is_large() -> None:
    """A structure measured almost without noise would lose its degrees of freedom to rounding."""
    rows = long_table(3, patients=15, tau=1.0, sigma=0.0)
    X, patient = cell_columns(rows)
    noise = np.random.default_rng(1).normal(size=len(rows))
    within, between = np.array(CONTRASTS["slope[CLAD]"]), np.array([1.0, -1, 0, 0])
    answers = []
    for sigma in (1e-2, 1e-5):
        answer = kenward_roger(X, patient, fit_reml(X, rows["y0"].to_numpy() + sigma * noise, patient))
        (_, within_error, within_df), (_, between_error, between_df) = answer.test(within), answer.test(between)
        answers.append((within_error / sigma, within_df, between_error, between_df))
    np.testing.assert_allclose(answers[0], answers[1], rtol=0.02)
    # the groups' means: fifteen patients, two means
    assert 12 < answers[1][3] < 14


def test_takes_less_than_two_milliseconds_an_outcome() -> None:
    """Thousands of forks of a multiverse would wait for it."""
    rows = long_table(2, patients=52)
    X, patient = cell_columns(rows)
    fit = fit_reml(X, rows["y0"].to_numpy(), patient)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        answer = kenward_roger(X, patient, fit)
        for weights in CONTRASTS.values():
            answer.test(np.array(weights))
        seconds.append(time.perf_counter() - start)
    # the quickest: others may use the machine
    assert min(seconds) < 2e-3
