"""Ordinary regressions by group: R's lm, scipy, normal equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from atrobayes.inference.classical.regression import FEW_PATIENTS, classical_regression, leverage
from atrobayes.models.frame import Frame

REFERENCE = Path(__file__).parents[1] / "reference" / "regression"
GROUPS = ("CLAD", "ALEM")


def frame_of(table: pd.DataFrame, groups: tuple[str, ...] | None = GROUPS, covariates: tuple[str, ...] = ()) -> Frame:
    """Frame of one row a patient; without groups: of all rows."""
    return Frame.from_table(
        table,
        outcomes=["y"],
        predictor="x",
        group="group" if groups else None,
        groups=groups,
        covariates=covariates,
        kind="regression",
    )


def rows_of(table: pd.DataFrame, groups: tuple[str, ...] | None = GROUPS, **keywords: object) -> pd.DataFrame:
    return classical_regression(frame_of(table, groups, **keywords)).set_index("term")


def simulated(seed: int = 1, first: int = 12, second: int = 9) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = first + second
    group = np.repeat(GROUPS, [first, second])
    x = rng.uniform(0, 8, n)
    age, female = rng.normal(38, 9, n) + x, rng.integers(0, 2, n).astype(float)
    y = -0.5 - 0.3 * x + 0.05 * age + np.where(group == "CLAD", 1.0, 0.4) * rng.normal(size=n)
    return pd.DataFrame({"group": group, "x": x, "age": age, "female": female, "y": y})


@pytest.fixture(scope="module")
def r_rows() -> pd.DataFrame:
    """Ours beside R's, one row per data set and term."""
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    ours = [
        classical_regression(frame_of(rows, groups)).assign(dataset=name)
        for name, rows in data.groupby("dataset", sort=False)
        for groups in (GROUPS, None)
    ]
    theirs = pd.read_csv(REFERENCE / "regression.tsv", sep="\t")
    return theirs.merge(pd.concat(ours), how="left", on=["dataset", "term"], suffixes=("_r", ""), validate="one_to_one")


def test_agrees_with_r(r_rows: pd.DataFrame) -> None:
    """Slopes, p-values and R² would not be those of every statistics program."""
    some = r_rows[r_rows["se"].notna()]
    assert len(some) == len(r_rows) - 1
    assert some["n"].tolist() == some["n_obs"].tolist()
    twins = {"estimate_r": "estimate", "se": "sd", "df_r": "df", "t": "statistic", "p_r": "p", "r_squared": "r2"}
    for theirs, ours in twins.items():
        np.testing.assert_allclose(some[theirs], some[ours], rtol=1e-7, err_msg=ours)


def test_a_group_without_spread_in_x_has_no_slope_and_leaves_the_others_alone(r_rows: pd.DataFrame) -> None:
    """A slope nobody can know would be printed, or the other group's lost with it."""
    lost = r_rows[r_rows["estimate"].isna()]
    assert [("no_spread", "slope[ALEM]", "not_estimable")] == lost[["dataset", "term", "flags"]].apply(
        tuple, axis=1
    ).tolist()
    data = pd.read_csv(REFERENCE / "data.tsv", sep="\t")
    interaction = rows_of(data[data["dataset"] == "no_spread"]).loc["interaction"]
    assert interaction["flags"] == "not_estimable"
    assert interaction[["estimate", "sd", "df", "p", "ci_low", "r2"]].isna().all()


def test_the_interaction_is_a_difference_of_independent_estimates() -> None:
    """The groups' residual SDs would be pooled, which separate regressions do not."""
    table = simulated()
    rows = rows_of(table)
    fits = {g: stats.linregress(part["x"], part["y"]) for g, part in table.groupby("group")}
    parts = [(fits["CLAD"].stderr ** 2, 10), (fits["ALEM"].stderr ** 2, 7)]
    variance = sum(square for square, _ in parts)
    df = variance**2 / sum(square**2 / free for square, free in parts)
    difference = fits["CLAD"].slope - fits["ALEM"].slope
    half = stats.t.isf(0.025, df) * np.sqrt(variance)
    expected = [difference, np.sqrt(variance), df, 2 * stats.t.sf(abs(difference) / np.sqrt(variance), df)]
    ours = rows.loc["interaction"]
    np.testing.assert_allclose(expected, ours[["estimate", "sd", "df", "p"]].to_numpy(float), rtol=1e-9)
    np.testing.assert_allclose([difference - half, difference + half], [ours["ci_low"], ours["ci_high"]], rtol=1e-9)
    assert np.isnan(ours["r2"])
    assert ours["n_obs"] == 21


def test_three_groups_are_compared_in_pairs() -> None:
    """A third treatment would be dropped or compared with the wrong one."""
    table = pd.concat([simulated(), simulated(2).query("group == 'CLAD'").assign(group="OCR")])
    rows = rows_of(table, ("CLAD", "ALEM", "OCR"))
    for first, second in (("CLAD", "ALEM"), ("CLAD", "OCR"), ("ALEM", "OCR")):
        difference = rows.loc[f"slope[{first}]", "estimate"] - rows.loc[f"slope[{second}]", "estimate"]
        assert np.isclose(difference, rows.loc[f"interaction[{first}-{second}]", "estimate"])


def test_partial_slopes_are_those_of_the_normal_equations() -> None:
    """Adjusting for age would adjust for something else, or cost no degrees of freedom."""
    table = simulated()
    rows = rows_of(table, covariates=("age", "female"))
    for group, part in table.groupby("group"):
        X = np.column_stack([np.ones(len(part)), part[["x", "age", "female"]]])
        beta, (rss,), *_ = np.linalg.lstsq(X, part["y"].to_numpy())
        df = len(part) - 4
        se = np.sqrt(rss / df * np.linalg.inv(X.T @ X)[1, 1])
        r2 = 1 - rss / ((part["y"] - part["y"].mean()) ** 2).sum()
        ours = rows.loc[f"slope[{group}]", ["estimate", "sd", "df", "r2"]].to_numpy(float)
        np.testing.assert_allclose([beta[1], se, df, r2], ours, rtol=1e-8)


def test_a_covariate_that_says_nothing_new_in_a_group_costs_nothing() -> None:
    """A group of women only would lose a degree of freedom to their sex, or the whole fit to a singular matrix."""
    # a value whose mean is not quite itself
    table = simulated().assign(female=lambda t: t["female"].where(t["group"] == "CLAD", 0.9))
    table["months"] = 12 * table["age"]
    plain = rows_of(table, covariates=("age",)).loc["slope[ALEM]"]
    more = rows_of(table, covariates=("female", "age", "months")).loc["slope[ALEM]"]
    cells = ["estimate", "sd", "df", "p", "r2"]
    np.testing.assert_allclose(plain[cells].to_numpy(float), more[cells].to_numpy(float), rtol=1e-8)


def test_a_predictor_that_covariates_determine_has_no_slope() -> None:
    """A quotient of two rounding errors would be printed as an effect."""
    table = simulated().assign(double=lambda t: 2 * t["x"] + 3)
    rows = rows_of(table, covariates=("age", "double"))
    assert rows["flags"].eq("not_estimable").all()
    assert rows["estimate"].isna().all()


def test_nothing_left_for_an_error_is_said_and_not_divided_by() -> None:
    """A perfect fit, or as many coefficients as rows, would end in a traceback or in p = 0."""
    table = simulated()
    perfect = table["y"].where(table["group"] == "ALEM", 1e3 * (0.3 - 0.1 * table["x"]))
    constant = table["y"].where(table["group"] == "ALEM", 0.1)
    for y in (perfect, constant):
        rows = rows_of(table.assign(y=y))
        assert ["not_estimable", "few_patients", "not_estimable"] == rows["flags"].tolist()
        assert rows["p"].isna().tolist() == [True, False, True]
    two = rows_of(table.iloc[[0, 1, *range(12, 21)]])
    assert two["flags"].eq("not_estimable").tolist() == [True, False, True]
    # four coefficients in four rows
    four = rows_of(table.iloc[[0, 1, 2, 3, *range(12, 21)]], covariates=("age", "female"))
    assert four["flags"].eq("not_estimable").tolist() == [True, False, True]


def test_missing_outcomes_are_left_out_by_outcome() -> None:
    """A structure that one scan lacks would cost the others a patient, or count as 0."""
    table = simulated()
    holed = table.assign(y=table["y"].where(np.arange(21) != 3))
    kept = table.drop(index=3)
    pd.testing.assert_frame_equal(
        rows_of(kept).drop(columns="s_y"), rows_of(holed).drop(columns="s_y"), check_exact=False, rtol=1e-9
    )
    whole = frame_of(table)
    assert classical_regression(whole.with_outcomes(whole.y * np.nan))["flags"].eq("not_estimable").all()


def test_units_change_units_only() -> None:
    """The same data in mm³ or in shares of eTIV would get another p-value."""
    table = simulated()
    plain = rows_of(table)
    for scale, shift in ((1e-9, 0.0), (1e7, 0.0), (1.0, 1e6)):
        other = rows_of(table.assign(y=table["y"] * scale + shift))
        np.testing.assert_allclose(plain["sd"] * scale, other["sd"], rtol=1e-7)
        np.testing.assert_allclose(plain[["df", "p"]], other[["df", "p"]], rtol=1e-6)
        assert plain["flags"].tolist() == other["flags"].tolist()


def test_leverage_is_the_diagonal_of_the_hat_matrix() -> None:
    """A slope that hangs on one patient would pass unnoticed."""
    x = np.array([0.0, 1, 0, 2, 1, 0, 20])
    X = np.column_stack([np.ones(7), x])
    expected = 1 / 7 + (x - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    np.testing.assert_allclose(expected, leverage(X))
    assert np.isclose(2, leverage(X).sum())
    # a column twice is the same space
    np.testing.assert_allclose(expected, leverage(np.column_stack([X, 3 * x])))


def test_a_slope_that_hangs_on_one_row_is_flagged_and_so_are_its_differences() -> None:
    """The paper's patient with over 20 lesions would decide a slope without a word."""
    table = simulated(first=12, second=12)
    assert rows_of(table)["flags"].eq("").all()
    far = table.assign(x=table["x"].where(np.arange(24) != 20, 40.0))
    assert ["", "leverage", "leverage"] == rows_of(far)["flags"].tolist()
    assert rows_of(far, None)["flags"].tolist() == ["leverage"]


def test_few_patients_are_flagged_by_group() -> None:
    """A slope from nine patients would look as sturdy as one from thirty."""
    assert FEW_PATIENTS == 10
    flags = rows_of(simulated(first=10, second=9))["flags"].str.contains("few_patients")
    # the difference is no sturdier than the weaker of its slopes
    assert [False, True, True] == flags.tolist()
    assert not rows_of(simulated(first=10, second=10))["flags"].str.contains("few_patients").any()
    # patients count, not rows
    table = simulated(first=12, second=12).assign(patient=[f"P{k // 2}" for k in range(24)])
    frame = Frame.from_table(
        table, outcomes=["y"], predictor="x", group="group", groups=GROUPS, patient="patient", kind="regression"
    )
    assert classical_regression(frame)["flags"].str.contains("few_patients").all()
