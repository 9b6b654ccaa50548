"""REML and Satterthwaite: closed forms, finite differences, and lmerTest."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference.classical import mixed
from atrobayes.inference.classical.mixed import satterthwaite
from atrobayes.inference.classical.reml import _Data, fit_reml
from atrobayes.models.frame import Frame

REFERENCE = Path(__file__).parents[1] / "reference" / "lmer"


def classical_mixed(frame: Frame) -> pd.DataFrame:
    """Satterthwaite's rows: what stands beside them has tests of its own."""
    rows = mixed.classical_mixed(frame)
    return rows[rows["method"] == "classical"].reset_index(drop=True)


@pytest.fixture(scope="module")
def lmer_rows() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "lmer.tsv", sep="\t").set_index(["dataset", "outcome", "term"])


@pytest.fixture(scope="module")
def our_rows() -> pd.DataFrame:
    """Our rows for the same data, indexed as lmer's."""
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    parts = []
    for name, rows in data.groupby("dataset", sort=False):
        wide = rows.assign(row=rows.groupby("outcome").cumcount()).pivot_table(
            index=["row", "patient", "group", "x"], columns="outcome", values="y"
        )
        wide = wide.rename(columns=lambda outcome: f"y:{outcome}").reset_index()
        parts.append(classical_mixed(frame_of(wide)).assign(dataset=name))
    ours = pd.concat(parts)
    return ours.assign(outcome=ours["structure"].str.removeprefix("y:")).set_index(["dataset", "outcome", "term"])


def test_agrees_with_lmertest(lmer_rows: pd.DataFrame, our_rows: pd.DataFrame) -> None:
    """The classical numbers would not be those the field's standard program prints."""
    ours = our_rows.loc[lmer_rows.index]
    assert len(lmer_rows) == 132
    # relative 1e-4; where an estimate is nearly nothing, 1e-4 standard errors
    near_zero = (lmer_rows["estimate"].abs() < 1e-3 * lmer_rows["se"]).to_numpy()
    error = (ours["estimate"] - lmer_rows["estimate"]).abs().to_numpy()
    allowed = np.where(near_zero, lmer_rows["se"], lmer_rows["estimate"].abs()) * 1e-4
    assert (error <= allowed).all()
    np.testing.assert_allclose(ours["sd"], lmer_rows["se"], rtol=1e-4)
    np.testing.assert_allclose(ours["df"], lmer_rows["df"], rtol=1e-4)
    large = (lmer_rows["p"] > 1e-10).to_numpy()
    np.testing.assert_allclose(ours["p"][large], lmer_rows["p"][large], rtol=1e-4)


def test_singular_fits_are_those_lmer_calls_singular(lmer_rows: pd.DataFrame, our_rows: pd.DataFrame) -> None:
    """A reader would not be warned that the patient SD was estimated as 0."""
    ours = our_rows.loc[lmer_rows.index, "flags"].str.contains("singular")
    assert 0 < lmer_rows["singular"].sum() < len(lmer_rows)
    assert lmer_rows["singular"].tolist() == ours.tolist()


def test_the_reference_is_of_the_example_as_it_is_now() -> None:
    """The agreement with lmerTest would be about another example than users see."""
    spec = importlib.util.spec_from_file_location("make_data", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    stored = stored[stored["dataset"].str.startswith("example")].reset_index(drop=True)
    now = module.example_rows().reset_index(drop=True)
    pd.testing.assert_frame_equal(stored, now, check_dtype=False, rtol=1e-9)


def test_balanced_one_way_layout_has_the_closed_form_of_anova() -> None:
    """REML would not be REML."""
    rng = np.random.default_rng(3)
    patients, k = 12, 4
    patient = np.repeat(np.arange(patients), k)
    y = rng.normal(size=patients)[patient] + rng.normal(size=patients * k)
    means = y.reshape(patients, k).mean(axis=1)
    within = ((y - means[patient]) ** 2).sum() / (patients * (k - 1))
    between = k * means.var(ddof=1)
    fit = fit_reml(np.ones((len(y), 1)), y, patient)
    assert np.isclose(np.sqrt(within), fit.sigma, rtol=1e-8)
    assert np.isclose(np.sqrt((between - within) / k / within), fit.theta, rtol=1e-8)
    estimate, error, df = satterthwaite(fit, np.ones(1))
    assert np.isclose(y.mean(), estimate)
    assert np.isclose(np.sqrt(between / (patients * k)), error)
    # the mean's variance is MSB / n: its degrees of freedom are the patients less one, exactly
    assert np.isclose(patients - 1, df, rtol=1e-6)


def test_derivatives_of_the_deviance_are_those_of_differences() -> None:
    """Degrees of freedom come from second derivatives: a slip there moves every p-value."""
    frame = frame_of(long_table(5, patients=30))
    X = np.column_stack([np.ones_like(frame.x), frame.x])
    data = _Data(X, frame.y.to_numpy()[:, 0], frame.patient)
    step = 1e-4
    for theta in (0.2, 0.7, 2.0):
        values = data.deviance(theta + np.array([-step, 0.0, step]))
        first, second = data.slopes(theta)
        assert np.isclose((values[2] - values[0]) / (2 * step), first, rtol=1e-5, atol=1e-6)
        assert np.isclose((values[2] - 2 * values[1] + values[0]) / step**2, second, rtol=1e-4, atol=1e-4)


def test_the_optimum_is_not_beaten_by_a_dense_search() -> None:
    """A local optimum would be reported as the fit."""
    for seed in range(20):
        frame = frame_of(long_table(seed, patients=10, tau=0.3))
        X = np.column_stack([np.ones_like(frame.x), frame.x])
        data = _Data(X, frame.y.to_numpy()[:, 0], frame.patient)
        theta = fit_reml(X, frame.y.to_numpy()[:, 0], frame.patient).theta
        search = data.deviance(np.concatenate([[theta, 0], np.geomspace(1e-4, 1e2, 2000)]))
        assert search[0] <= search.min() + 1e-9


def test_at_a_singular_fit_degrees_of_freedom_are_rows_minus_coefficients() -> None:
    """The page says so, and a reader must be able to rely on it."""
    table = long_table(2)
    # patients' means alike: successive changes that share a scan look so
    table["y0"] -= 0.9 * table.groupby("patient")["y0"].transform("mean")
    rows = classical_mixed(frame_of(table))
    assert rows["flags"].str.split(",").str[0].eq("singular").all()
    np.testing.assert_allclose(rows["df"], len(table) - 4, rtol=1e-6)


def test_without_repeated_patients_it_is_ordinary_regression() -> None:
    """A study with one interval a patient would get invented patient effects."""
    table = long_table(6, patients=40, most_visits=1)
    rows = classical_mixed(frame_of(table)).set_index("term")
    for group in ("CLAD", "ALEM"):
        part = table[table["group"] == group]
        assert np.isclose(np.polyfit(part["x"], part["y0"], 1)[0], rows.loc[f"slope[{group}]", "estimate"])
    np.testing.assert_allclose(rows["df"], len(table) - 4, rtol=1e-9)


def test_a_group_without_spread_in_x_has_no_slope_and_leaves_the_other_alone() -> None:
    """A slope nobody can know would be printed, or the other group's lost with it."""
    table = long_table(7)
    flat = table.assign(x=table["x"].where(table["group"] == "CLAD", 0.0))
    rows = classical_mixed(frame_of(flat)).set_index("term")
    assert rows.loc[["slope[ALEM]", "interaction"], "flags"].str.contains("not_estimable").all()
    assert rows.loc[["slope[ALEM]", "interaction"], ["estimate", "p", "ci_low"]].isna().all(axis=None)
    assert np.isfinite(rows.loc["slope[CLAD]", ["estimate", "sd", "df", "p"]].astype(float)).all()


def test_relabelling_groups_and_changing_units_change_labels_signs_and_units_only() -> None:
    """The p-value of a treatment would depend on its name or on mm³ against ml."""
    table = long_table(8)
    rows = classical_mixed(frame_of(table)).set_index("term")
    swapped = table.assign(group=table["group"].map({"CLAD": "ALEM", "ALEM": "CLAD"}), y0=table["y0"] / 1000)
    other = classical_mixed(frame_of(swapped)).set_index("term")
    pairs = {"slope[CLAD]": ("slope[ALEM]", 1), "slope[ALEM]": ("slope[CLAD]", 1), "interaction": ("interaction", -1)}
    for term, (twin, sign) in pairs.items():
        assert np.isclose(rows.loc[term, "estimate"] / 1000, sign * other.loc[twin, "estimate"], rtol=1e-8)
        assert np.isclose(rows.loc[term, "p"], other.loc[twin, "p"], rtol=1e-7)
        assert np.isclose(rows.loc[term, "df"], other.loc[twin, "df"], rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1e5, 1e9])
def test_degrees_of_freedom_do_not_depend_on_the_unit(scale: float) -> None:
    """The same data in mm³ or in shares of eTIV would get another p-value."""
    for seed, tau in ((2, 0.1), (3, 0.0), (4, 3.0)):
        table = long_table(seed, patients=40, tau=tau, sigma=0.5)
        plain, other = (classical_mixed(frame_of(table.assign(y0=table["y0"] * by))) for by in (1.0, scale))
        np.testing.assert_allclose(plain["df"], other["df"], rtol=1e-5)
        np.testing.assert_allclose(plain["p"], other["p"], rtol=1e-5)
        np.testing.assert_allclose(plain["sd"] * scale, other["sd"], rtol=1e-6)


def test_a_far_away_mean_does_not_blur_the_slope() -> None:
    """Raw volumes of a million mm³ would lose the digits that matter."""
    table = long_table(2)
    plain, other = (classical_mixed(frame_of(table.assign(y0=table["y0"] + by))) for by in (0.0, 1e6))
    np.testing.assert_allclose(plain["sd"], other["sd"], rtol=1e-6)


def test_patient_spread_that_dwarfs_the_residual_keeps_its_standard_errors() -> None:
    """A structure measured almost without noise would get a standard error that is too small, without a word."""
    table = long_table(5, patients=12, tau=1.0, sigma=0.0)
    noise = np.random.default_rng(1).normal(size=len(table))
    errors = {
        sigma: classical_mixed(frame_of(table.assign(y0=table["y0"] + sigma * noise)))["sd"] / sigma
        for sigma in (1e-2, 1e-4)
    }
    np.testing.assert_allclose(errors[1e-2], errors[1e-4], rtol=0.01)


def test_nothing_left_for_an_error_is_said_and_not_divided_by() -> None:
    """A perfect fit, or as many coefficients as rows, would end in a traceback or in p = 0."""
    table = long_table(2)
    perfect = classical_mixed(frame_of(table.assign(y0=2 - 0.1 * table["x"])))
    four = pd.DataFrame({"patient": list("abcd"), "group": ["CLAD", "CLAD", "ALEM", "ALEM"], "x": [0.0, 1.0, 0.0, 2.0]})
    few = classical_mixed(frame_of(four.assign(y0=[0.1, 0.3, -0.2, 0.4])))
    for rows in (perfect, few):
        assert rows["flags"].str.contains("not_estimable").all()
        assert rows[["estimate", "sd", "p"]].isna().all(axis=None)
