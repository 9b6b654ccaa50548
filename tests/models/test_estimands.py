"""Reported quantities against simulation from their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference.estimate import Choices, estimate
from atrobayes.models.estimands import Rope, replication
from atrobayes.models.estimates import COLUMNS, KEY
from atrobayes.models.marginals import Mixture

QUADRATURE = Choices(engine="quadrature")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    table = long_table(21, patients=40, outcomes=2)
    return estimate(frame_of(table), QUADRATURE).rows


@pytest.mark.parametrize(
    ("mean", "sd", "se", "df"), [(0.3, 0.2, 0.25, 20.0), (1.5, 0.4, 0.4, 5.0), (0.0, 0.1, 0.3, 91.0)]
)
def test_replication_columns_are_what_simulation_of_their_definition_gives(
    mean: float, sd: float, se: float, df: float
) -> None:
    """Type S, type M and the chance of p < 0.05 would be other quantities than defined."""
    rng, size = np.random.default_rng(4), 4_000_000
    theta = rng.normal(mean, sd, size)
    b = theta + se * rng.standard_t(df, size)
    from scipy.stats import t

    significant = np.abs(b / se) > t.isf(0.025, df)
    mixture = Mixture(("a",), ("t",), np.ones((1, 1)), np.full((1, 1, 1), mean), np.full((1, 1, 1), sd))
    found = replication(mixture, np.full((1, 1), se), np.full((1, 1), df))
    share = significant.mean()
    assert abs(share - found["p_sig_rep"][0, 0]) < 4.5 * np.sqrt(share * (1 - share) / size)
    wrong = (np.sign(b) != np.sign(theta))[significant]
    assert abs(wrong.mean() - found["type_s"][0, 0]) < 4.5 * np.sqrt(wrong.mean() / significant.sum())
    exaggeration = np.abs(b[significant]).mean() / np.abs(theta[significant]).mean()
    # ratio of two means of `significant` draws: relative error below 1 % at the smallest count here
    assert np.isclose(exaggeration, found["type_m"][0, 0], rtol=0.01)


def test_replication_is_missing_where_there_is_no_classical_result() -> None:
    """A number would be made up for a slope that is not estimable."""
    mixture = Mixture(("a",), ("t",), np.ones((1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1)))
    found = replication(mixture, np.full((1, 1), np.nan), np.full((1, 1), np.nan))
    assert all(np.isnan(values[0, 0]) for values in found.values())


def test_exaggeration_is_missing_where_its_mean_does_not_exist() -> None:
    """With one degree of freedom or less a negative or absurd exaggeration would be printed."""
    mixture = Mixture(("a",), ("t",), np.ones((1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1)))
    for df in (0.4, 1.0):
        found = replication(mixture, np.ones((1, 1)), np.full((1, 1), df))
        assert np.isnan(found["type_m"][0, 0])
        assert 0 < found["p_sig_rep"][0, 0] < 1


def test_table_has_its_columns_and_its_key(rows: pd.DataFrame) -> None:
    """What reads the table would break, or find two answers to one question."""
    assert [column.name for column in COLUMNS] == rows.columns.tolist()
    assert not rows.duplicated(list(KEY)).any()
    counts = rows.groupby(["structure", "term"])["method"].apply(sorted)
    assert all(["bayes", "classical", "classical_kr", "classical_z"] == methods for methods in counts)


def test_columns_that_derive_from_others_do(rows: pd.DataFrame) -> None:
    """Two columns of one row would contradict each other."""
    bayes = rows[rows["method"] == "bayes"].reset_index(drop=True)
    classical = rows[rows["method"] == "classical"].reset_index(drop=True)
    np.testing.assert_allclose((classical["estimate"] - bayes["estimate"]) / classical["sd"], bayes["pull"])
    large = classical["estimate"].abs() >= classical["sd"]
    assert large.tolist() == bayes["shrinkage"].notna().tolist()
    expected = 1 - bayes["estimate"] / classical["estimate"]
    np.testing.assert_allclose(expected[large], bayes.loc[large, "shrinkage"])
    np.testing.assert_allclose(0.1 * bayes["s_y"] / bayes["u"], bayes["rope_high"])
    assert (bayes["ci_low"] < bayes["median"]).all()
    assert (bayes["median"] < bayes["ci_high"]).all()
    assert bayes["pd"].between(0.5, 1).all()


def test_an_interval_that_excludes_zero_goes_with_a_pd_above_the_cut(rows: pd.DataFrame) -> None:
    """pd > 0.975 and the 95 % equal-tailed interval are one statement."""
    bayes = rows[rows["method"] == "bayes"]
    assert ((bayes["ci_low"] > 0) | (bayes["ci_high"] < 0)).tolist() == (bayes["pd"] > 0.975).tolist()


def test_counts_are_those_of_the_rows_a_term_rests_on(rows: pd.DataFrame) -> None:
    """A slope would be said to rest on patients of the other treatment."""
    table = long_table(21, patients=40, outcomes=2)
    own = rows[rows["method"] == "classical"].set_index(["structure", "term"])
    for group in ("CLAD", "ALEM"):
        part = table[table["group"] == group]
        assert len(part) == own.loc[("y0", f"slope[{group}]"), "n_obs"]
        assert part["patient"].nunique() == own.loc[("y0", f"slope[{group}]"), "n_patients"]
    assert len(table) == own.loc[("y0", "interaction"), "n_obs"]


def test_rope_in_raw_units_is_per_unit_of_the_predictor() -> None:
    """A region given in % of eTIV would be read as one in SDs."""
    frame = frame_of(long_table(3), predictor_unit=2.0)
    np.testing.assert_allclose(Rope(raw=0.06).half_width(frame), 0.03)
    np.testing.assert_allclose(Rope().half_width(frame), 0.1 * frame.scales.y_sd / 2)


def test_a_group_without_spread_has_a_bayesian_row_flagged_prior_only() -> None:
    """A row that only shows its prior would be read as evidence."""
    table = long_table(7)
    flat = table.assign(x=table["x"].where(table["group"] == "CLAD", 0.0))
    out = estimate(frame_of(flat), QUADRATURE).rows.set_index(["term", "method"])
    assert "prior_only" == out.loc[("slope[ALEM]", "bayes"), "flags"]
    assert "" == out.loc[("slope[CLAD]", "bayes"), "flags"]
    assert np.isnan(out.loc[("slope[ALEM]", "bayes"), "pull"])
    # x is the same in all its rows: they tell of ALEM's level, and of its slope what CLAD's slope tells
    prior, posterior = (out.loc[("slope[ALEM]", "bayes"), name] for name in ("prior_sd", "sd"))
    assert 0.8 * prior < posterior < prior
