"""The example's volumes hold the truth that truth.tsv states."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from atrobayes.data_prep.example import Simulated, simulate_cohort
from atrobayes.data_prep.example_anatomy import PARTS, STRUCTURES, loss_per_lesion, pieces
from atrobayes.data_prep.example_measures import global_volumes
from atrobayes.data_prep.example_truth import yearly_intervals

MANY = 400


@pytest.fixture(scope="module")
def cohort() -> Simulated:
    return simulate_cohort(MANY, seed=7)


@pytest.fixture(scope="module")
def intervals(cohort: Simulated) -> pd.DataFrame:
    return yearly_intervals(cohort.patients, cohort.visits)


def percent(cohort: Simulated, structure: str) -> pd.Series:
    return 100 * cohort.long[pieces(structure)].sum(axis=1) / cohort.long["etiv"]


def changes(cohort: Simulated, intervals: pd.DataFrame, structure: str) -> NDArray[np.float64]:
    level = percent(cohort, structure)
    return level.loc[intervals["closes"]].to_numpy() - level.loc[intervals["opens"]].to_numpy()


def slope_and_se(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    centred = x - x.mean()
    slope = centred @ y / (centred @ centred)
    rest = y - y.mean() - slope * centred
    return slope, np.sqrt(rest @ rest / (len(x) - 2) / (centred @ centred))


@pytest.mark.parametrize("structure", ["thalamus", "dgm", "whole_brain", "cerebellum", "cortex", "lateral_ventricle"])
@pytest.mark.parametrize("group", [0, 1])
def test_least_squares_recovers_the_true_loss(
    cohort: Simulated, intervals: pd.DataFrame, structure: str, group: int
) -> None:
    """truth.tsv would state what the volumes do not hold."""
    rows = (intervals["group"] == ("CLAD", "ALEM")[group]).to_numpy()
    change = changes(cohort, intervals, structure)[rows]
    slope, se = slope_and_se(intervals["new_t2"].to_numpy()[rows], change)
    # four standard errors: twelve such checks fail by chance once in a thousand
    assert loss_per_lesion(structure)[group] == pytest.approx(slope, abs=4 * se)


def test_the_null_differs_by_the_lesions_losses_alone(cohort: Simulated, intervals: pd.DataFrame) -> None:
    """With the same seed nothing but the losses may change, and these must be exactly as stated."""
    null = simulate_cohort(MANY, seed=7, null=True)
    group = (intervals["group"] == "ALEM").astype(int).to_numpy()
    for structure in STRUCTURES:
        lost = changes(cohort, intervals, structure) - changes(null, intervals, structure)
        expected = np.array(loss_per_lesion(structure))[group] * intervals["new_t2"].to_numpy()
        np.testing.assert_allclose(lost, expected, atol=1e-9)
    pd.testing.assert_frame_equal(null.visits, cohort.visits)


def test_truth_table_states_the_losses_and_their_difference(cohort: Simulated) -> None:
    """A report of bias would compare with the wrong numbers."""
    truth = cohort.truth.set_index(["analysis", "structure", "term"])["value"].sort_index()
    expected = 2 * 13 * 3
    assert expected == len(truth)
    for structure in STRUCTURES:
        first, second = loss_per_lesion(structure)
        terms = truth["year_to_year_t2", structure]
        assert {"slope[CLAD]": first, "slope[ALEM]": second, "interaction": first - second} == terms.to_dict()
    # the published thalamus slope is -0.00989 % of eTIV per lesion
    assert truth["year_to_year_t2", "thalamus", "slope[CLAD]"] == pytest.approx(-0.0099)


def test_gd_truth_is_what_least_squares_gives_without_errors(cohort: Simulated, intervals: pd.DataFrame) -> None:
    """The Gd+ rows would be judged against a slope nobody could find."""
    truth = cohort.truth.set_index(["analysis", "structure", "term"])["value"]
    for group, name in enumerate(("CLAD", "ALEM")):
        rows = intervals[intervals["group"] == name]
        losses = loss_per_lesion("thalamus")[group] * rows["new_t2"].to_numpy()
        expected = np.polyfit(rows["new_gd"].to_numpy(), losses, 1)[0]
        assert expected == pytest.approx(truth["year_to_year_gd", "thalamus", f"slope[{name}]"])


def test_null_truth_is_zero_everywhere() -> None:
    """False positives of a null cohort could not be told."""
    truth = simulate_cohort(52, 1, null=True).truth
    assert (truth["value"] == 0).all()


def test_composites_are_sums_of_their_parts() -> None:
    """Truths of a whole and of its parts would contradict each other."""
    whole = np.array(loss_per_lesion("whole_brain"))
    parts = [loss_per_lesion(name) for name in ("total_wm", "cortex", "dgm", "cerebellum")]
    np.testing.assert_allclose(whole, np.sum(parts, axis=0), atol=1e-12)
    named = {name for names in STRUCTURES.values() for name in names}
    assert named <= {part.name for part in PARTS}


def test_header_measures_are_the_structures(cohort: Simulated) -> None:
    """FreeSurfer's measures read from the header would not be the structures that truth.tsv speaks of."""
    scan = cohort.long.iloc[0].to_dict()
    totals = global_volumes(scan)
    measures = {
        "total_wm": "CerebralWhiteMatterVol",
        "whole_brain": "BrainSegVolNotVent",
        "cortex": "CortexVol",
        "dgm": "SubCortGrayVol",
        "total_gm": "TotalGrayVol",
    }
    for structure, measure in measures.items():
        assert sum(scan[name] for name in pieces(structure)) == pytest.approx(totals[measure], rel=1e-12)


def test_slopes_of_ageing_know_nothing_of_lesions() -> None:
    """A patient who ages faster and has more lesions would bias every slope."""
    null = simulate_cohort(MANY, seed=11, null=True)
    pairs = yearly_intervals(null.patients, null.visits)
    for structure in ("thalamus", "whole_brain"):
        slope, se = slope_and_se(pairs["new_t2"].to_numpy(), changes(null, pairs, structure))
        assert abs(slope) <= 4 * se


def test_consecutive_changes_share_a_scan(cohort: Simulated, intervals: pd.DataFrame) -> None:
    """The levels model would have nothing to gain: errors must sit on levels, correlation near -1/2."""
    change = intervals.assign(change=changes(cohort, intervals, "thalamus"))
    following = change.assign(visit_to=change["visit_to"] - 1)
    both = change.merge(following, on=["patient", "visit_to"])
    correlation = np.corrcoef(both["change_x"], both["change_y"])[0, 1]
    # -1/2 less what the patients' own slopes add back
    assert correlation == pytest.approx(-0.45, abs=0.12)


def test_volumes_are_those_of_adult_brains(cohort: Simulated) -> None:
    """The quality flags would fire at simulated patients."""
    usable = cohort.visits["status"] == "usable"
    long = cohort.long.loc[usable[usable].index]
    whole = percent(cohort, "whole_brain").loc[long.index]
    assert whole.between(50, 95).all()
    assert long["etiv"].between(1.0e6, 2.2e6).all()
    assert (long > 0).all(axis=None)
    assert 0.02 <= np.std(changes(cohort, yearly_intervals(cohort.patients, cohort.visits), "thalamus")) <= 0.03


def test_etiv_is_constant_in_the_longitudinal_stream_only(cohort: Simulated) -> None:
    """A reader that mixes up the streams would not be found out."""
    patient = cohort.visits["patient"].loc[cohort.long.index]
    spread = {
        name: table["etiv"].groupby(patient).std() for name, table in (("long", cohort.long), ("cross", cohort.cross))
    }
    assert (spread["long"].dropna() < 1e-6).all()
    assert (spread["cross"].dropna() > 1).all()
