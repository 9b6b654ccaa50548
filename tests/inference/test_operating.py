"""Operating characteristics against closed forms, and errors that share a scan against their covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from atrobayes.inference.classical.classical import classical
from atrobayes.inference.estimate import Choices
from atrobayes.inference.operating import (
    AT_ONCE,
    INDEPENDENT,
    _typical_sds,
    chunks_of,
    rate_of,
    simulate_chunk,
    summarise,
)
from atrobayes.inference.simulated_studies import errors, shares_scans
from atrobayes.inference.simulated_tests import classical_tests
from atrobayes.models.frame import Frame
from atrobayes.study import Calibration

EFFECT = 0.35
SIMULATIONS = 400


def patient_years(patients: int = 30, seed: int = 3) -> Frame:
    """Three yearly intervals a patient, two structures, lesions counted each year."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 3)
    year = np.tile(np.arange(3), patients)
    table = pd.DataFrame(
        {
            "patient": [f"P{i:02d}" for i in patient],
            "group": np.where(patient < 0.6 * patients, "CLAD", "ALEM"),
            "x": rng.negative_binomial(0.6, 0.4, len(patient)).astype(float),
            "visit_from": year,
            "visit_to": year + 1,
        }
    )
    noise = rng.normal(size=(len(table), 2)) + 0.5 * rng.normal(size=(patients, 2))[patient]
    table[["a", "b"]] = noise - 0.2 * table[["x"]].to_numpy()
    return Frame.from_table(
        table, outcomes=["a", "b"], predictor="x", group="group", groups=("CLAD", "ALEM"), patient="patient"
    )


def one_change(patients: int = 24) -> Frame:
    """One row a patient, no groups: an ordinary regression."""
    rng = np.random.default_rng(8)
    x = rng.poisson(1.5, patients).astype(float)
    table = pd.DataFrame({"x": x, "y": rng.normal(size=patients)})
    return Frame.from_table(table, outcomes=["y"], predictor="x", kind="regression")


def comparison() -> Frame:
    frame = patient_years()
    return replace(frame.without_groups(), kind="comparison", x=(frame.x > 0).astype(float), part="")


@pytest.fixture(scope="module")
def regression() -> pd.DataFrame:
    """operating.tsv of a plain regression, by test, effect and quantity."""
    work = chunks_of(one_change(), Choices(), Calibration(simulations=SIMULATIONS, effects=(0.0, EFFECT)))
    table = summarise(pd.concat(list(map(simulate_chunk, work))))
    return table.set_index(["test", "effect", "quantity"]).sort_index()


def t_test_of_a_slope() -> dict[str, float]:
    """Power, type S and type M of Student's t by closed form and a one-dimensional integral."""
    frame = one_change()
    sigma = float(_typical_sds(frame, Choices())[0])
    df = len(frame.x) - 2
    se = sigma / np.sqrt(((frame.x - frame.x.mean()) ** 2).sum())
    critical = stats.t.isf(0.025, df)
    right, wrong = stats.nct.sf(critical, df, EFFECT / se), stats.nct.cdf(-critical, df, EFFECT / se)

    def size(chi2: float) -> float:
        """Mean of |b| where significant, given the estimated error, times the density of that."""
        limit = critical * se * np.sqrt(chi2 / df)
        upper, lower = (limit - EFFECT) / se, (-limit - EFFECT) / se
        mean = EFFECT * (stats.norm.sf(upper) - stats.norm.cdf(lower))
        mean += se * (stats.norm.pdf(upper) + stats.norm.pdf(lower))
        return float(mean * stats.chi2.pdf(chi2, df))

    total = integrate.quad(size, 0, 10 * df)[0]
    power = float(right + wrong)
    return {"power": power, "type_s": float(wrong) / power, "type_m": total / power / EFFECT}


def close(row: pd.Series, expected: float) -> None:
    assert expected == pytest.approx(row["rate"], abs=3.5 * row["mc_error"]), row.to_dict()


def test_students_t_finds_something_in_five_percent_of_studies_without_anything(regression: pd.DataFrame) -> None:
    """The certificate would blame a test that is exact, or pass one that is not."""
    close(regression.loc[("classical", 0.0, "false_positive_rate")], 0.05)


@pytest.mark.parametrize("quantity", ["power", "type_s", "type_m"])
def test_power_and_its_errors_are_those_of_the_noncentral_t(regression: pd.DataFrame, quantity: str) -> None:
    """Users would plan with a power, a wrong-sign risk or an exaggeration that their test does not have."""
    close(regression.loc[("classical", EFFECT, quantity)], t_test_of_a_slope()[quantity])


@pytest.mark.parametrize("effect", [0.0, EFFECT])
def test_confidence_intervals_cover(regression: pd.DataFrame, effect: float) -> None:
    """Coverage would be taken at another value than the true one."""
    close(regression.loc[("classical", effect, "coverage")], 0.95)


def test_the_posterior_is_asked_beside_the_test(regression: pd.DataFrame) -> None:
    """The Bayesian half of the certificate would be missing, or be no better than a coin."""
    assert {"bayes_pd", "bayes_rope", "classical"} == set(regression.index.get_level_values("test"))
    power = regression.xs("power", level="quantity")["rate"]
    assert power["classical", EFFECT] == pytest.approx(power["bayes_pd", EFFECT], abs=0.1)


@pytest.mark.parametrize("make", [patient_years, comparison, one_change])
def test_tests_of_simulated_data_are_the_tests_of_the_product(make: object) -> None:
    """The certificate would speak of other procedures than those whose p-values are reported."""
    frame = make()  # type: ignore[operator]
    key = ["structure", "term", "test"]
    said = classical(frame).rename(columns={"method": "test"})
    said = said[said["test"] != "classical_permutation"].set_index(key)
    own = classical_tests(frame, 0.95).set_index(key)
    assert set(said.index) == set(own.index)
    names = {"estimate": "estimate", "low": "ci_low", "high": "ci_high", "p": "p"}
    for name, column in names.items():
        expected = said[column].reindex(own.index).to_numpy(float)
        np.testing.assert_allclose(own[name].to_numpy(float), expected, rtol=1e-6, err_msg=name)


def test_a_slope_without_spread_is_not_tested() -> None:
    """A made-up number would stand for a slope that the rows do not determine."""
    frame = patient_years()
    flat = replace(frame, x=np.where(frame.group == 1, 0.0, frame.x))
    assert {"slope[CLAD]"} == set(classical_tests(flat, 0.95)["term"])


def test_errors_that_share_a_scan_correlate_by_minus_half_the_share() -> None:
    """'Shared scan' would be another kind of dependence than that of differences of one series of scans."""
    frame, share = patient_years(patients=2), 0.6
    noise = errors(frame, 40_000, np.random.default_rng(1), share)
    covariance = np.cov(noise)
    expected = np.eye(6)
    for first in (0, 1, 3, 4):
        expected[first, first + 1] = expected[first + 1, first] = -share / 2
    np.testing.assert_allclose(covariance, expected, atol=0.03)


def test_single_changes_share_no_scan() -> None:
    """A second, equal half of the certificate would be computed for analyses that cannot have such errors."""
    frame = one_change()
    assert not shares_scans(frame)
    assert shares_scans(patient_years())
    assert {INDEPENDENT} == {chunk.errors for chunk in chunks_of(frame, Choices(), Calibration())}


def test_a_chunk_depends_on_nothing_but_itself() -> None:
    """Results would depend on how the work is cut up and who does which part."""
    few, many = (
        chunks_of(patient_years(), Choices(), Calibration(simulations=n, effects=(0.2,)))
        for n in (AT_ONCE, AT_ONCE + 5)
    )
    last = next(chunk for chunk in many if chunk.number == 1)
    assert len(few) * 2 == len(many)
    assert 5 == simulate_chunk(last)["data_set"].nunique()
    pd.testing.assert_frame_equal(simulate_chunk(last), simulate_chunk(last))
    assert len({chunk.key() for chunk in (*few, *many)}) == len(few) + len(many)


def test_every_term_has_its_effect_in_its_own_data_sets() -> None:
    """Power of an interaction would be counted in data without one, or slopes in data where they differ."""
    (chunk,) = chunks_of(patient_years(80), Choices(), Calibration(simulations=60, effects=(1.5,)))[:1]
    rows = simulate_chunk(chunk)
    means = rows[rows["test"] == "classical"].groupby("term")["estimate"].mean()
    assert {"slope[CLAD]", "slope[ALEM]", "interaction"} == set(means.index)
    np.testing.assert_allclose(means.to_numpy(), 1.5, atol=0.12)


def test_rates_follow_from_what_was_found() -> None:
    """A rate of the table would be of other data sets than its name says."""
    shared = {"analysis": "a", "term": "t", "test": "classical", "errors": INDEPENDENT, "effect": 0.5}
    shared |= {"ci_prob": 0.95, "scan_share": 0.0, "n_obs": 10.0}
    found = pd.DataFrame(
        {"estimate": [1.0, -1.0, 0.4, 0.5], "low": [0.6, -2, 0, 0], "high": [2, 0, 1, 1], "found": [1, 1, 0, 0]}
    ).assign(**shared)
    rates = summarise(found).set_index("quantity")
    assert 0.5 == rates.loc["power", "rate"]
    assert 0.5 == rates.loc["coverage", "rate"]
    assert 0.5 == rates.loc["type_s", "rate"]
    assert 2.0 == rates.loc["type_m", "rate"]
    assert 2 == rates.loc["type_m", "simulations"]


def test_a_rate_of_none_is_not_certain() -> None:
    """Nothing found in a hundred data sets would be shown as 0 % with an error of 0."""
    none, half = rate_of(np.zeros(100, dtype=bool)), rate_of(np.arange(100) < 50)
    assert 0 == none["rate"]
    assert 0.005 < none["mc_error"] < 0.01
    assert 0.05 == pytest.approx(half["mc_error"], rel=1e-3)
