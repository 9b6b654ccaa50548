"""The study's own analyses as frames: covariates, conditions, columns of the user's own, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_frames import T2, framed, only, own

from atrobayes.data_prep.prepare import Prepared
from atrobayes.errors import Fault, StudyError


def fault(cohort: xr.Dataset, **changed: object) -> Fault:
    with pytest.raises(StudyError) as caught:
        own(cohort, **changed)
    (one,) = caught.value.faults
    assert "study.toml" == one.file
    return one


def test_own_slopes_have_their_covariates(cohort: xr.Dataset, prepared: Prepared) -> None:
    """A slope said to be adjusted would not be, or be so by other patients' ages."""
    frame = only(own(cohort, predictor="edss_to", covariates=["age", "sex", "visit_from"]))
    people = pd.DataFrame({name: cohort[name].to_numpy() for name in ("patient", "age", "sex")})
    rows = prepared.intervals.merge(people, on="patient").sort_values(["patient", "visit_from"])
    np.testing.assert_array_equal(rows["edss_to"], frame.x)
    np.testing.assert_array_equal(rows["age"], frame.covariates.sel(covariate="age"))
    np.testing.assert_array_equal(rows["sex"] == "F", frame.covariates.sel(covariate="sex"))
    np.testing.assert_array_equal(rows["visit_from"], frame.covariates.sel(covariate="visit_from"))
    assert np.isclose(rows["edss_to"].std(ddof=1), frame.scales.x_unit)


@pytest.mark.parametrize("asked", [{"predictor": "years"}, {"predictor": "new_t2", "covariates": ["years"]}])
def test_time_between_scans_may_be_asked_about_like_any_column(
    cohort: xr.Dataset, prepared: Prepared, asked: dict[str, object]
) -> None:
    """A question about the time between two scans would end in a crash."""
    frame = only(own(cohort, **asked))
    rows = prepared.intervals.sort_values(["patient", "visit_from"])
    found = frame.covariates.sel(covariate="years") if "covariates" in asked else frame.x
    np.testing.assert_array_equal(rows["years"], found)
    assert (frame.years == 1).all()


def test_a_missing_covariate_is_a_row_of_the_ledger(cohort: xr.Dataset) -> None:
    """A patient would vanish, or their age be read as the mean."""
    age = np.where(cohort["patient"] == "P050", np.nan, cohort["age"])
    result = own(cohort.assign(age=("patient", age)), predictor="new_t2", covariates=["age"])
    assert 93 == len(only(result).x)
    assert {("P050", "covariate_missing", "no age: missing is not zero")} == {
        (item.patient, item.rule, item.reason) for item in result.exclusions
    }


def test_an_own_regression_is_of_its_two_visits_without_groups_where_asked(cohort: xr.Dataset) -> None:
    """Another interval than written down would be analysed."""
    frame = only(own(cohort, kind="regression", predictor="new_gd_from", **{"from": 1, "to": 2}, group=False))
    assert {(1, 2)} == set(map(tuple, frame.visits.tolist()))
    assert (("ALL",), "regression", 3.0) == (frame.groups, frame.kind, frame.scales.x_unit)


@pytest.mark.parametrize(
    ("condition", "left"),
    [("patient == 'P050'", 93), ("group == 'ALEM' and visit_from == 0", 81), ("sex == 'M'", None), ("age > 200", 95)],
)
def test_rows_that_meet_the_condition_are_left_out(
    cohort: xr.Dataset, prepared: Prepared, condition: str, left: int | None
) -> None:
    """A row that should be left out would decide the result."""
    result = own(cohort, predictor="new_t2", exclude=condition)
    men = cohort["patient"].to_numpy()[cohort["sex"].to_numpy() == "M"]
    expected = left or 95 - int(prepared.intervals["patient"].isin(men).sum())
    assert expected == len(only(result).x)
    assert [condition] * (95 - expected) == [item.reason for item in result.exclusions]


def test_a_yes_or_no_column_of_the_users_own_is_a_state(cohort: xr.Dataset) -> None:
    """ "no" would be read as the state, as it is for NEDA, or an empty cell as no."""
    answers = np.resize(["yes", "no", "no", "", "n/a"], 52)
    result = own(cohort.assign(smoker=("patient", answers)), kind="comparison", predictor="smoker")
    frame = only(result)
    known = dict(zip(cohort["patient"].to_numpy().tolist(), answers.tolist(), strict=True))
    assert [known[frame.patients[code]] == "yes" for code in frame.patient] == (frame.x == 1).tolist()
    assert 0 < frame.x.sum() < len(frame.x) < 95
    assert {"state_unknown"} == {item.rule for item in result.exclusions}
    assert 95 == len(frame.x) + len(result.exclusions)


def test_a_count_above_zero_is_a_state(cohort: xr.Dataset) -> None:
    """Years would be compared by how many lesions they have, not whether."""
    frame = only(own(cohort, kind="comparison", predictor="new_t2_from"))
    slopes = only(framed(cohort, T2, definitions={"lesion_timing": "start"}))
    np.testing.assert_array_equal(slopes.x > 0, frame.x)


def test_own_columns_of_numbers_can_be_used_though_their_cells_are_text(cohort: xr.Dataset) -> None:
    """A column of the user's own could not be used, or end in a traceback."""
    text = np.array([str(20 + k % 13) if k % 7 else "n/a" for k in range(52)])
    result = own(cohort.assign(bmi=("patient", text)), predictor="new_t2", covariates=["bmi"])
    known = dict(zip(cohort["patient"].to_numpy().tolist(), text.tolist(), strict=True))
    frame = only(result)
    assert [float(known[frame.patients[code]]) for code in frame.patient] == frame.covariates[:, 0].to_numpy().tolist()
    assert {"covariate_missing"} == {item.rule for item in result.exclusions}
    as_predictor = own(cohort.assign(bmi=("patient", text)), predictor="bmi")
    np.testing.assert_array_equal(frame.covariates[:, 0], only(as_predictor).x)
    assert {"count_missing"} == {item.rule for item in as_predictor.exclusions}
    assert {0.0, 1.0} == set(only(own(cohort, predictor="sex")).x.tolist())


@pytest.mark.parametrize(
    ("changed", "column", "found"),
    [
        ({"predictor": "lesions"}, "mine.predictor", "'lesions'"),
        ({"predictor": "new_t2", "covariates": ["aeg"]}, "mine.covariates", "'aeg'"),
        ({"predictor": "thalamus"}, "mine.predictor", "'thalamus'"),
        ({"predictor": "neda3"}, "mine.predictor", "'neda3', which holds text"),
        ({"predictor": "new_t2", "covariates": ["neda4"]}, "mine.covariates", "'neda4', which holds text"),
        ({"exclude": "new_t2_from >"}, "mine.exclude", "'new_t2_from >'"),
        ({"exclude": "lesions > 3"}, "mine.exclude", "'lesions > 3'"),
        ({"exclude": "new_t2_from + 1"}, "mine.exclude", "'new_t2_from + 1'"),
        ({"exclude": "3"}, "mine.exclude", "'3'"),
        ({"kind": "regression"}, "mine", "several rows of one patient"),
    ],
)
def test_an_own_analysis_that_cannot_be_read_is_refused_at_its_place(
    cohort: xr.Dataset, changed: dict, column: str, found: str
) -> None:
    """A traceback, or a result of something else, would stand where one word has to be mended."""
    one = fault(cohort, **changed)
    assert (column, found) == (one.column, one.found)


def test_a_users_column_with_the_name_of_another_does_not_replace_it(cohort: xr.Dataset) -> None:
    """Volumes, relapses or years would be read from a column that happens to be called so, or a traceback follow."""
    names = ("thalamus", "new_t2_to", "neda3", "visit_to")
    clashing = cohort.assign(dict.fromkeys(names, ("patient", np.full(52, "1"))))
    for name in (T2, "neda3_years"):
        assert only(framed(cohort, name)).digest == only(framed(clashing, name)).digest


def test_a_regression_may_look_at_one_interval_of_all_patients(cohort: xr.Dataset) -> None:
    """What the refusal of several rows advises against would be refused too."""
    frame = only(own(cohort, kind="regression", predictor="age", **{"from": 0, "to": 1}))
    assert len(frame.x) == len(set(frame.patient.tolist()))
