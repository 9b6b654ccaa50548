"""What the readers make of the example is what was simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from atrobayes.data_prep.example import simulate_cohort, write_example
from atrobayes.data_prep.example_anatomy import STRUCTURES, pieces
from atrobayes.data_prep.example_truth import yearly_intervals
from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.study import read_study


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("example") / "demo"
    write_example(folder)
    return prepare(read_study(folder / "study.toml"))


def test_every_scan_gets_the_status_it_was_given(prepared: Prepared) -> None:
    """An unusable scan would slip into the analyses, or a usable one be lost."""
    names = {"quality": "failed", "errors": "failed", "running": "unfinished"}
    visits = simulate_cohort().visits
    expected = visits.assign(status=visits["status"].replace(names)).set_index(["patient", "visit"])["status"]
    coords = {name: prepared.cohort[name].to_numpy() for name in ("record_patient", "visit", "scan_status")}
    found = pd.DataFrame(coords).set_index(["record_patient", "visit"])["scan_status"]
    assert expected.to_dict() == found.to_dict()


def test_intervals_are_the_papers_59_and_36(prepared: Prepared) -> None:
    """The analyses of the example would have other numbers of patient-years than published."""
    expected = {"CLAD": 59, "ALEM": 36}
    intervals = prepared.intervals
    yearly = intervals[intervals["visit_to"] == intervals["visit_from"] + 1]
    assert expected == yearly["group"].value_counts().to_dict()


def test_changes_are_the_simulated_ones_in_every_structure(prepared: Prepared) -> None:
    """Truth and analysed values would speak of different structures, units or visits."""
    simulated = simulate_cohort()
    pairs = yearly_intervals(simulated.patients, simulated.visits)
    keys = ["patient", "visit_from", "visit_to"]
    for structure in STRUCTURES:
        percent = 100 * simulated.long[pieces(structure)].sum(axis=1) / simulated.long["etiv"]
        change = percent.loc[pairs["closes"]].to_numpy() - percent.loc[pairs["opens"]].to_numpy()
        found = prepared.changes[prepared.changes["structure"] == structure]
        both = pairs[keys].assign(change=change).merge(found, on=keys, validate="one_to_one")
        assert len(pairs) == len(both)
        # four table rows at most, each rounded to 0.1 mm³ at both visits, of an eTIV over 10⁶ mm³
        np.testing.assert_allclose(both["change_pct_etiv"], both["change"], atol=4e-5)


def test_lesions_of_an_interval_are_those_of_the_visit_that_closes_it(prepared: Prepared) -> None:
    """The slopes would be sought against the wrong year's lesions."""
    simulated = simulate_cohort()
    keys = ["patient", "visit_from", "visit_to"]
    pairs = yearly_intervals(simulated.patients, simulated.visits)
    both = pairs.merge(prepared.intervals, on=keys, suffixes=("", "_read"))
    assert len(pairs) == len(both)
    pd.testing.assert_series_equal(both["new_t2"], both["new_t2_to"], check_names=False, check_dtype=False)
    pd.testing.assert_series_equal(both["new_gd"], both["new_gd_to"], check_names=False, check_dtype=False)
