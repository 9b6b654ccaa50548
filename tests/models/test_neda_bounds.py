"""Shares of patient-years with NEDA and their bounds, counted by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrobayes.data_prep.definitions import Neda, neda3
from atrobayes.models.neda_bounds import COLUMNS, neda_bounds

PROGRESSIONS = ("yes", "no", "unconfirmed", "unknown")
unknown_or = st.one_of(st.just(np.nan), st.integers(0, 2).map(float))


def years(*rows: tuple[str, int, str, str, str]) -> pd.DataFrame:
    """Group, closing visit, neda3, neda4 and EDSS progression of patient-years."""
    table = pd.DataFrame(rows, columns=["group", "visit_to", "neda3", "neda4", "edss_progression"])
    return table.assign(visit_from=table["visit_to"] - 1)


STUDY = years(
    ("X", 1, "yes", "yes", "no"),
    ("X", 1, "no", "no", "yes"),
    ("X", 1, "undetermined", "no", "no"),
    ("X", 1, "undetermined", "undetermined", ""),
    ("Y", 1, "no", "no", "unconfirmed"),
    ("X", 2, "yes", "undetermined", "unconfirmed"),
)


def of(table: pd.DataFrame, variable: str, group: str, visit: int) -> pd.Series:
    found = table[(table["variable"] == variable) & (table["group"] == group) & (table["visit"] == visit)]
    assert 1 == len(found)
    return found.iloc[0]


def test_shares_by_hand() -> None:
    """Undetermined years would be counted as quiet or as active without a word."""
    row = of(neda_bounds(STUDY, ("X", "Y")), "neda3", "X", 1)
    assert (4, 1, 1, 2) == tuple(row[["n", "n_yes", "n_no", "n_undetermined"]])
    assert (1 / 2, 1 / 4, 3 / 4) == tuple(row[["share_yes", "share_worst", "share_best"]])
    everybody = of(neda_bounds(STUDY, ("X", "Y")), "neda4", "ALL", 1)
    assert (5, 1, 3, 1, 1 / 4, 1 / 5, 2 / 5) == tuple(
        everybody[["n", "n_yes", "n_no", "n_undetermined", "share_yes", "share_worst", "share_best"]]
    )


def test_unconfirmed_rises_are_counted_apart() -> None:
    """A rise nobody could confirm would vanish among the years without progression."""
    table = neda_bounds(STUDY, ("X", "Y"))
    first, last = of(table, "edss_progression", "ALL", 1), of(table, "edss_progression", "X", 2)
    assert (5, 1, 2, 1, 1) == tuple(first[["n", "n_yes", "n_no", "n_undetermined", "n_unconfirmed"]])
    assert (1, 0, 0, 0, 1) == tuple(last[["n", "n_yes", "n_no", "n_undetermined", "n_unconfirmed"]])
    assert np.isnan(first["share_yes"])
    assert np.isnan(of(table, "neda3", "ALL", 1)["n_unconfirmed"])


def test_a_year_nothing_is_known_of_has_bounds_but_no_share() -> None:
    """0 of 0 would read as nobody without activity."""
    row = of(neda_bounds(STUDY, ("X", "Y")), "neda4", "X", 2)
    assert np.isnan(row["share_yes"])
    assert (0.0, 1.0) == tuple(row[["share_worst", "share_best"]])
    nobody = of(neda_bounds(STUDY, ("X", "Y")), "neda3", "Y", 2)
    assert 0 == nobody["n"]
    assert nobody[["share_yes", "share_worst", "share_best"]].isna().all()


def test_longer_intervals_are_passed_over_and_one_group_stands_once() -> None:
    """A three-year change would count as a year, or every patient twice."""
    long = STUDY.assign(visit_from=0)
    both = pd.concat([STUDY, long[long["visit_to"] > 1]])
    pd.testing.assert_frame_equal(neda_bounds(STUDY, ("X", "Y")), neda_bounds(both, ("X", "Y")))
    assert {"ALL"} == set(neda_bounds(STUDY, ())["group"])


def test_a_study_without_clinical_data_has_no_rows() -> None:
    """The report would show a table of nothing but unknown."""
    nothing = STUDY.assign(neda3="undetermined", neda4="undetermined", edss_progression="")
    for table in (nothing, STUDY.iloc[:0]):
        empty = neda_bounds(table, ("X", "Y"))
        assert 0 == len(empty)
        assert {column.name for column in COLUMNS} <= set(empty)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(unknown_or, unknown_or, unknown_or, st.sampled_from(PROGRESSIONS)), min_size=1, max_size=4))
def test_whatever_the_unknown_was_the_share_stays_within_its_bounds(found: list) -> None:
    """The bounds would not bound what they are there for."""
    row = of(neda_bounds(_table([neda3(*one) for one in found]), ()), "neda3", "ALL", 1) if _told(found) else None
    reached = [_share(filled) for filled in product(*map(_fillings, found))]
    if row is None:
        assert (0.0, 1.0) == (min(reached), max(reached))
    else:
        # the bounds are reached, so they could not be narrower
        assert (min(reached), max(reached)) == (
            pytest.approx(row["share_worst"]),
            pytest.approx(row["share_best"]),
        )


def _told(found: list) -> bool:
    return any(neda3(*one).status != "undetermined" for one in found)


def _table(states: list[Neda]) -> pd.DataFrame:
    return years(*(("X", 1, state.status, "undetermined", "") for state in states))


def _fillings(found: tuple) -> list[tuple]:
    """The year with everything unknown made quiet, and made active."""
    fill = {False: (0.0, "no"), True: (1.0, "yes")}
    return [
        (
            *(fill[active][0] if np.isnan(count) else count for count in found[:3]),
            fill[active][1] if found[3] == "unknown" else found[3],
        )
        for active in (False, True)
    ]


def _share(filled: tuple) -> float:
    states = [neda3(*one).status for one in filled]
    assert "undetermined" not in states
    return states.count("yes") / len(states)
