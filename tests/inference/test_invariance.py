"""What must not change a result: order of rows, names and order of groups, units, and patients without data."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference.engine import Settings
from atrobayes.inference.estimate import Choices, estimate
from atrobayes.models.estimates import COLUMNS, TEXT

CHOICES = Choices(engine="quadrature", settings=Settings(draws=50, chains=2))
NUMBERS = [column.name for column in COLUMNS if column.name not in TEXT]
# in the outcome's unit, and those of them that have a sign
SCALED = ["estimate", "median", "sd", "ci_low", "ci_high", "hdi_low", "hdi_high", "rope_low", "rope_high", "s_y",
          "prior_sd"]  # fmt: skip
ENDS = [("ci_low", "ci_high"), ("hdi_low", "hdi_high")]
KINDS = {"mixed": 3, "regression": 1, "comparison": 3, "groups": 1}
GROUPS = ("CLAD", "ALEM")


@cache
def table_of(kind: str) -> pd.DataFrame:
    table = long_table(51, patients=24, most_visits=KINDS[kind], outcomes=2)
    table.loc[5, "y1"] = np.nan
    if kind == "comparison":
        return table.assign(group="ALL", x=(table["x"] > 0).astype(float))
    return table


def rows_of(kind: str, table: pd.DataFrame, groups: tuple[str, ...] = GROUPS) -> pd.DataFrame:
    names = ("ALL",) if kind == "comparison" else groups
    rows = estimate(frame_of(table, names, kind=kind), CHOICES).rows
    # permutations are drawn at random along the rows: their p is known to its Monte Carlo error only
    kept = rows[rows["method"] != "classical_permutation"]
    return kept.set_index(["structure", "term", "method"])[NUMBERS]


@cache
def plain(kind: str) -> pd.DataFrame:
    return rows_of(kind, table_of(kind))


def same(expected: pd.DataFrame, found: pd.DataFrame) -> None:
    """Equal to 1e-6 of each value, or of the row's SD where the value is next to nothing."""
    assert sorted(expected.index) == sorted(found.index)
    found = found.loc[expected.index]
    for name in NUMBERS:
        near = 1e-6 * (expected["sd"].fillna(1.0).to_numpy() if name in SCALED else 1.0)
        a, b = expected[name].to_numpy(), found[name].to_numpy()
        close = np.isclose(b, a, rtol=1e-6, atol=near, equal_nan=True)
        assert close.all(), (name, expected.index[~close].tolist(), a[~close], b[~close])


def negated(rows: pd.DataFrame) -> pd.DataFrame:
    """The same results of the opposite difference."""
    swapped = rows.copy()
    for low, high in ENDS:
        swapped[low], swapped[high] = -rows[high], -rows[low]
    odd = ["estimate", "median", "pull", "std_difference"]
    swapped[odd] = -rows[odd]
    return swapped.drop(columns=["statistic", "prob_superiority", "prob_superiority_within"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_method_answers(kind: str) -> None:
    """The tests below would compare nothing."""
    methods = set(plain(kind).index.get_level_values("method"))
    assert {"classical"} < methods
    assert methods & {"bayes", "bayes_normal"}
    assert plain(kind)["estimate"].notna().all()


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_and_names_of_patients_change_nothing(kind: str) -> None:
    """Sorting a table, or giving patients other codes, would change its results."""
    table = table_of(kind)
    same(plain(kind), rows_of(kind, table.sample(frac=1, random_state=2)))
    same(plain(kind), rows_of(kind, table.assign(patient="Z" + table["patient"].str[::-1])))


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("kind", KINDS)
def test_units_of_the_outcome_change_units_only(kind: str, scale: float) -> None:
    """Volumes in ml instead of mm³ would lead to other conclusions."""
    table = table_of(kind)
    other = rows_of(kind, table.assign(y0=scale * table["y0"], y1=scale * table["y1"]))
    expected = plain(kind).copy()
    expected[SCALED] *= scale
    if kind in {"comparison", "groups"}:
        # rank tests have no unit; all else of these rows is checked by value
        assert expected["p"].notna().any()
    same(expected, other)


@pytest.mark.parametrize("kind", ["mixed", "regression", "groups"])
def test_the_order_of_groups_changes_signs_of_their_differences_only(kind: str) -> None:
    """Which treatment is named first would change what is known of it."""
    other = rows_of(kind, table_of(kind), GROUPS[::-1])
    differs = plain(kind).index.get_level_values("term").isin(["interaction", "difference"])
    same_terms = plain(kind)[~differs]
    same(same_terms, other.loc[same_terms.index])
    expected = negated(plain(kind)[differs])
    found = other.loc[expected.index]
    for name in expected:
        np.testing.assert_allclose(expected[name], found[name], rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("kind", ["mixed", "regression"])
def test_names_of_groups_change_names_only(kind: str) -> None:
    """A treatment would be judged by its name."""
    table = table_of(kind)
    renamed = table.assign(group=table["group"].map({"CLAD": "ZZZ", "ALEM": "AAA"}))
    other = rows_of(kind, renamed, ("ZZZ", "AAA")).rename(
        index={"slope[ZZZ]": "slope[CLAD]", "slope[AAA]": "slope[ALEM]"}
    )
    same(plain(kind), other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_outcomes_of_a_table_change_only_what_is_adjusted_for_them(kind: str) -> None:
    """A structure's posterior would depend on which other structures are in the study."""
    alone = rows_of(kind, table_of(kind).drop(columns="y1"))
    together = plain(kind).loc[["y0"]]
    drop = ["q_bh", "p_holm"]
    for name in [name for name in NUMBERS if name not in drop]:
        np.testing.assert_allclose(together[name], alone[name].loc[together.index], rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_patient_without_any_value_changes_nothing(kind: str) -> None:
    """A patient who was never scanned would be counted, or would pull an estimate."""
    table = table_of(kind)
    ghost = table.iloc[[0]].assign(patient="P999", x=table["x"].mean() if kind != "comparison" else 0.0, y0=np.nan,
                                   y1=np.nan)  # fmt: skip
    more = pd.concat([table, ghost], ignore_index=True)
    same(plain(kind), rows_of(kind, more))
