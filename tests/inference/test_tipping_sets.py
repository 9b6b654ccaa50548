"""Tipping sets: every set against a refit, their sizes against every set there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference.engines.quadrature.conditional import condition
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.tipping_sets import COLUMNS, look
from atrobayes.inference.without_patients import Contributions, by_patient
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors
from atrobayes.models.regression import REGRESSION
from atrobayes.reports.results import each_row
from atrobayes.study import Sensitivity

SEED = 5_12  # of few(): sets of one patient and of more are found
PATIENTS = 8


def few() -> Frame:
    """So few patients that every set can be tried, with slopes sure enough to take some of them away."""
    return frame_of(long_table(SEED, patients=PATIENTS, slopes=(-1.0, -0.2), outcomes=2))


@pytest.fixture(scope="module")
def sets() -> pd.DataFrame:
    return look(few(), Choices(), Sensitivity())


def without(frame: Frame, who: tuple[str, ...]) -> Frame:
    for label in who:
        frame = frame.without_patient(label)
    return frame


def refitted(frame: Frame, who: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and P(> 0) of every term (outcome, term)."""
    mixture = exact(MIXED, without(frame, who), Priors()).mixture
    mean = mixture.mean()
    return mean, 1 - mixture.cdf(np.zeros_like(mean))


def turned(row: object, mean: float, above: float) -> bool:
    sign = 1 if row.estimate_before > 0 else -1
    return sign * mean < 0 if row.kind == "sign" else (above if sign > 0 else 1 - above) < row.pd_limit


def places(frame: Frame, row: object) -> tuple[int, int]:
    return frame.outcomes.index(row.structure), MIXED.linear(frame, Priors()).terms.index(row.term)


def test_a_set_does_what_it_is_said_to_and_no_earlier(sets: pd.DataFrame) -> None:
    """A result would be said to rest on patients who do not carry it."""
    frame = few()
    found = sets[sets["size"].notna()]
    assert {"sign", "pd"} == set(found["kind"])
    for row in each_row(found):
        who, place = tuple(row.patients.split(",")), places(frame, row)
        assert row.size == len(who) == len(set(who))
        mean, above = (values[place] for values in refitted(frame, who))
        np.testing.assert_allclose(mean, row.estimate_after, rtol=1e-9, atol=1e-12)
        sign = 1 if row.estimate_before > 0 else -1
        np.testing.assert_allclose(above if sign > 0 else 1 - above, row.pd_after, atol=1e-9)
        assert turned(row, mean, above)
        if len(who) > 1:
            assert not turned(row, *(values[place] for values in refitted(frame, who[:-1])))


def test_no_smaller_set_is_overlooked_up_to_two_and_greedy_never_claims_too_few(sets: pd.DataFrame) -> None:
    """A result that one patient takes away would be said to rest on more."""
    frame = few()
    done = {who: refitted(frame, who) for size in (1, 2) for who in combinations(frame.patients, size)}
    for row in each_row(sets[sets["reason"] == ""]):
        place = places(frame, row)
        enough = [len(who) for who, found in done.items() if turned(row, *(values[place] for values in found))]
        least = min(enough, default=3)
        assert least <= row.size
        assert row.size > 1 or least == 1
        assert least > 1 or row.size == 1, "a single patient does it, and is not found"
    assert {1.0, 3.0} <= set(sets["size"])


def test_what_is_not_sure_with_everybody_has_a_reason_and_no_set(sets: pd.DataFrame) -> None:
    """Leaving patients out would be blamed for what was never there."""
    unsure = sets[(sets["kind"] == "pd") & (sets["pd_before"] < 0.95)]
    assert len(unsure) > 0
    assert {"pd is below 0.95 with everybody"} == set(unsure["reason"])
    assert unsure[["size", "pd_after", "estimate_after"]].isna().all(axis=None)
    assert {""} == set(unsure["patients"])


def test_the_limit_of_pd_is_the_studys_own() -> None:
    """A study that sets its own rule would be told about another."""
    own = Sensitivity(robust={"least_pd": 0.999})
    rows = look(few().select(np.arange(len(few().x)), np.array([0])), Choices(), own)
    of_pd = rows[rows["kind"] == "pd"]
    assert {0.999} == set(of_pd["pd_limit"])
    assert (of_pd.loc[of_pd["size"].notna(), "pd_after"] < 0.999).all()
    assert ((of_pd["pd_before"] < 0.999) == (of_pd["reason"] != "")).all()


def test_what_no_set_tried_turns_is_said_so() -> None:
    """A result that stands without five patients would look as if nobody had tried."""
    table = long_table(SEED + 1, patients=12, tau=0.05, sigma=0.05, slopes=(-1.0, -1.0))
    rows = look(frame_of(table).without_groups(), Choices(), Sensitivity())
    assert {"not within 5 patients"} == set(rows["reason"])
    assert {5.0} == set(rows["most"])
    assert rows["size"].isna().all()


def test_the_largest_set_is_a_fifth_of_many_patients_and_never_everybody() -> None:
    """A set that is most of a study says nothing about its patients."""
    table = long_table(SEED + 2, patients=40, most_visits=1, tau=0.0, sigma=0.05, slopes=(-1.0, -1.0))
    assert {8.0} == set(look(frame_of(table, kind="regression").without_groups(), Choices(), Sensitivity())["most"])
    few_left = look(frame_of(table[table["patient"].isin(["P000", "P001", "P002", "P003"])]), Choices(), Sensitivity())
    assert {3.0} == set(few_left["most"])


@pytest.mark.parametrize(("model", "visits"), [(MIXED, 3), (REGRESSION, 1)])
def test_the_closed_form_that_picks_the_next_is_the_posterior_given_the_sds(model: Model, visits: int) -> None:
    """Greedy search would run after the wrong patients, and sets would be far from the smallest."""
    frame = frame_of(long_table(SEED + 3, patients=8, most_visits=visits))
    (rows,) = by_patient(model, frame, replace(Priors(), slope_mean=0.2))
    sds = np.array([0.4, 0.9])
    for contrast in rows.linear.contrasts:
        candidates, mean, sd = Contributions.of(rows).without_one_more(sds, (1, 6), contrast)
        assert [0, 2, 3, 4, 5, 7] == candidates.tolist()
        for code, loc, scale in zip(candidates, mean, sd, strict=True):
            left = rows.without((1, 6, code))
            nodes = [np.array([[one]]) for one in sds]
            expected = condition(left.linear, left.sums, np.array([0]), nodes).terms(contrast[None])
            np.testing.assert_allclose([expected[0].item(), expected[1].item()], [loc, scale], rtol=1e-10)


def test_the_table_holds_every_column_and_is_the_same_again(sets: pd.DataFrame) -> None:
    """The table would not be what its sidecar describes, or differ from run to run."""
    assert [column.name for column in COLUMNS] == list(sets.columns)
    keys = list(zip(sets["structure"], sets["term"], sets["kind"], strict=True))
    terms = ("slope[CLAD]", "slope[ALEM]", "interaction")
    assert [(name, term, kind) for name in ("y0", "y1") for term in terms for kind in ("sign", "pd")] == keys
    pd.testing.assert_frame_equal(sets, look(few(), Choices(), Sensitivity()))
    assert 0 == len(look(replace(few(), kind="scores"), Choices(), Sensitivity()))
