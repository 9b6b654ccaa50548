"""From a cohort to the frames of each analysis: which rows, which numbers, and what is left out."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_frames import T2, at, framed, only, with_counts

from atrobayes.data_prep.prepare import Prepared
from atrobayes.models.analyses import CATALOGUE
from atrobayes.models.frame import Frame


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("year_to_year_t2", (59, 36)),
        ("year_to_year_gd", (59, 36)),
        ("three_year_t2", (9, 7)),
        ("three_year_gd", (9, 7)),
        ("one_year_t2", (29, 13)),
        ("one_year_gd", (29, 13)),
        ("relapse_years", (95,)),
        ("neda3_years", (95,)),
        ("baseline_groups", (33, 19)),
    ],
)
def test_the_example_has_the_rows_of_the_paper(cohort: xr.Dataset, name: str, rows: tuple[int, ...]) -> None:
    """Each table of the paper would be recomputed from other rows than it was made of."""
    frame = only(framed(cohort, name))
    assert rows == tuple(np.bincount(frame.group).tolist())
    assert (("CLAD", "ALEM") if len(rows) == 2 else ("ALL",)) == frame.groups


def courses(cohort: xr.Dataset) -> dict[str, Frame]:
    """Frames of the clinical course by their one variable."""
    frames = framed(cohort, "clinical_course").frames
    assert all(frame.outcomes == (frame.part,) for frame in frames)
    return {frame.part: frame for frame in frames}


def test_the_course_is_of_every_clinical_visit_scanned_or_not(cohort: xr.Dataset) -> None:
    """A relapse would not count because the scanner was broken; one before treatment would count as one after."""
    frames = courses(cohort)
    kinds = {name: frame.kind for name, frame in frames.items()}
    assert {"new_t2": "counts", "new_gd": "counts", "relapses": "counts", "edss": "scores"} == kinds
    assert [180, 180, 180 - 52, 180] == [len(frame.x) for frame in frames.values()]
    record = pd.DataFrame({name: cohort[name].to_numpy() for name in ("record_patient", "visit", "years", *frames)})
    time = record["years"] - record.groupby("record_patient")["years"].shift()
    known = record.assign(time=time.where(record["visit"] > 0, 1.0)).set_index(["record_patient", "visit"])
    for name, frame in frames.items():
        places = [(frame.patients[code], visit) for code, visit in zip(frame.patient, frame.visits[:, 1], strict=True)]
        np.testing.assert_array_equal(known.loc[places, name], frame.y[:, 0])
        np.testing.assert_allclose(known.loc[places, "time"], frame.years)
        assert (0 in frame.visits) == (name != "relapses")


def test_a_count_that_came_about_in_an_unknown_time_is_missing(cohort: xr.Dataset) -> None:
    """A rate per year would be made of a count whose years nobody knows; a longer gap would count as one year."""
    without = cohort.isel(record=~(at(cohort, "P001", 0) | at(cohort, "P002", 1)))
    counts = courses(without)["new_t2"]
    names = [counts.patients[code] for code in counts.patient]
    place = {key: k for k, key in enumerate(zip(names, counts.visits[:, 1].tolist(), strict=True))}
    # P001's record begins at visit 1: since when, nobody knows
    assert ("P001", 1) not in place
    assert ("P001", 2) in place
    times = {visit: cohort["years"].to_numpy()[at(cohort, "P002", visit)][0] for visit in (0, 2)}
    assert np.isclose(times[2] - times[0], counts.years[place["P002", 2]])


def test_rows_left_out_are_named_with_the_condition(cohort: xr.Dataset) -> None:
    """A patient would vanish from one analysis without a trace."""
    (item,) = framed(cohort, "one_year_gd").exclusions
    assert ("analysis", "P033", 1, "one_year_gd", "excluded", "new_t2_from > 20") == (
        item.stage, item.patient, item.visit, item.analysis, item.rule, item.reason,
    )  # fmt: skip
    assert cohort["new_t2"].to_numpy()[at(cohort, "P033", 0)][0] > 20


def test_three_year_changes_are_those_of_the_two_scans_and_baseline_counts(cohort: xr.Dataset) -> None:
    """The change would be of another pair of scans, or the count of another visit."""
    frame = only(framed(cohort, "three_year_t2"))
    assert (3.0, "new_t2_from") == (frame.scales.x_unit, frame.predictor)
    volumes, head = cohort["volume"], cohort["etiv"].to_numpy()
    for row, code in enumerate(frame.patient):
        first, last = (np.flatnonzero(at(cohort, frame.patients[code], visit))[0] for visit in (0, 3))
        share = {place: volumes.isel(record=place).sel(structure=list(frame.outcomes)).to_numpy() / head[place]
                 for place in (first, last)}  # fmt: skip
        np.testing.assert_allclose(100 * (share[last] - share[first]), frame.y[row], rtol=1e-9)
        assert cohort["new_t2"].to_numpy()[first] == frame.x[row]
    # growing ventricles are the only outcome that grows where tissue shrinks
    assert {"lateral_ventricle"} == {
        name for name, sign in zip(frame.outcomes, frame.orientation, strict=True) if sign < 0
    }


def test_states_are_activity_found_in_the_year(cohort: xr.Dataset, prepared: Prepared) -> None:
    """Years with and without activity would be exchanged."""
    years = prepared.intervals.sort_values(["patient", "visit_from"])
    relapse, neda = (only(framed(cohort, name)) for name in ("relapse_years", "neda3_years"))
    np.testing.assert_array_equal(years["relapses"] > 0, relapse.x)
    np.testing.assert_array_equal(years["neda3"] == "no", neda.x)
    assert 0 < neda.x.mean() < 1
    changes = prepared.changes[prepared.changes["structure"] == "thalamus"].sort_values(["patient", "visit_from"])
    np.testing.assert_allclose(changes["change_pct"], relapse.y.sel(outcome="thalamus"))


def test_a_year_of_unknown_state_is_left_out_by_name(cohort: xr.Dataset) -> None:
    """A year nobody can tell the state of would count as quiet."""
    unknown = with_counts(cohort, "relapses", np.nan, at(cohort, "P050", 1))
    for name in ("relapse_years", "neda3_years"):
        result = framed(unknown, name)
        assert 94 == len(only(result).x)
        assert [("P050", 1, "state_unknown")] == [(e.patient, e.visit, e.rule) for e in result.exclusions]


def test_groups_before_treatment_are_compared_on_one_row_a_patient(cohort: xr.Dataset) -> None:
    """Table 1 would be of other numbers than the patients' own."""
    frame = only(framed(cohort, "baseline_groups"))
    assert sorted(cohort["patient"].to_numpy().tolist()) == sorted(frame.patients)
    codes = [frame.patients.index(name) for name in cohort["patient"].to_numpy()]
    rows = np.argsort(frame.patient)[codes]
    np.testing.assert_array_equal(cohort["age"], frame.y.sel(outcome="age")[rows])
    first = (cohort["visit"] == 0).to_numpy()
    np.testing.assert_array_equal(cohort["new_gd"][first], frame.y.sel(outcome="new_gd")[rows])
    assert dict(zip(frame.outcomes, frame.units, strict=True))["edss"] == "points of EDSS"


def test_lesion_timing_chooses_the_visit_and_the_unit(cohort: xr.Dataset) -> None:
    """Counts of the wrong visit would be taken, or the prior mean other lesions than stated."""
    at_end, at_start = (only(framed(cohort, T2, definitions={"lesion_timing": when})) for when in ("end", "start"))
    assert ("new_t2_to", 1.0) == (at_end.predictor, at_end.scales.x_unit)
    assert ("new_t2_from", 3.0) == (at_start.predictor, at_start.scales.x_unit)
    code, visit = at_end.patient[7], at_end.visits[7]
    for frame, of in ((at_end, visit[1]), (at_start, visit[0])):
        assert cohort["new_t2"].to_numpy()[at(cohort, frame.patients[code], of)][0] == frame.x[7]
    # the baseline analyses name their visit: they do not move
    assert "new_t2_from" == only(framed(cohort, "one_year_t2", definitions={"lesion_timing": "end"})).predictor


def test_units_of_the_study_are_those_of_lesions_not_of_states(cohort: xr.Dataset) -> None:
    """A difference between two states would be stated per three of them."""
    tables = {"priors": {"predictor_unit": 5.0, "outcome_sd": {"caudate": 7.0, "age": 11.0}}}
    slopes, states, people = (only(framed(cohort, name, **tables)) for name in (T2, "relapse_years", "baseline_groups"))
    assert (5.0, 1.0) == (slopes.scales.x_unit, states.scales.x_unit)
    plain = only(framed(cohort, T2)).scales.y_sd
    expected = [7.0 if name == "caudate" else sd for name, sd in zip(slopes.outcomes, plain, strict=True)]
    assert expected == slopes.scales.y_sd.tolist()
    assert 11.0 == people.scales.y_sd[people.outcomes.index("age")]


def test_a_missing_count_is_a_row_of_the_ledger(cohort: xr.Dataset) -> None:
    """A patient-year would vanish, or its missing count be read as no lesion."""
    result = framed(with_counts(cohort, "new_t2", np.nan, at(cohort, "P050", 1)), T2)
    assert 94 == len(only(result).x)
    (item,) = result.exclusions
    assert ("analysis", "P050", 1, T2, "count_missing") == (
        item.stage, item.patient, item.visit, item.analysis, item.rule,
    )  # fmt: skip


def test_a_structure_with_too_few_values_is_left_out_alone(cohort: xr.Dataset) -> None:
    """One failed structure would take the others with it."""
    volume = cohort["volume"].copy()
    volume.loc[{"structure": "caudate"}] = np.nan
    result = framed(cohort.assign(volume=volume), T2)
    assert 12 == len(only(result).outcomes)
    assert [("caudate", "too_few_volumes")] == [(item.structure, item.rule) for item in result.exclusions]


@pytest.mark.parametrize(
    ("column", "value", "name", "said"),
    [
        ("new_t2", np.nan, T2, "no new_t2_to in any patient-year"),
        ("new_t2", 0.0, T2, "the same new_t2_to in every patient-year"),
        ("new_gd", np.nan, "three_year_gd", "no new_gd_from in any patient"),
        ("relapses", 0.0, "relapse_years", "the same relapses in every patient-year"),
        ("visit", 0, T2, "no patient with usable scans at two consecutive visits"),
        ("visit", 0, "three_year_t2", "no patient with usable scans at visits 0 and 3"),
    ],
)
def test_an_impossible_analysis_is_skipped_with_its_reason(
    cohort: xr.Dataset, column: str, value: float, name: str, said: str
) -> None:
    """A study without lesion counts would end in a traceback."""
    changed = (
        cohort.isel(record=(cohort["visit"] == 0).to_numpy())
        if column == "visit"
        else with_counts(cohort, column, value)
    )
    result = framed(changed, name)
    assert () == result.frames
    assert ("skipped", said) == (result.exclusions[-1].rule, result.exclusions[-1].reason)


def test_a_group_of_the_study_without_rows_is_named(cohort: xr.Dataset) -> None:
    """Rows that show nothing but the prior would pass for results."""
    none = cohort.assign(group=("patient", np.full(52, "CLAD")))
    assert [("group_without_rows", T2)] == [(item.rule, item.analysis) for item in framed(none, T2).exclusions]


def test_a_study_without_groups_is_fitted_as_one(cohort: xr.Dataset) -> None:
    """Single-arm studies could not be analysed."""
    one = cohort.assign(group=("patient", np.full(52, "ALL"))).assign_attrs(groups="[]")
    for name in (T2, "one_year_t2", "clinical_course"):
        for frame in framed(one, name).frames:
            assert ("ALL",) == frame.groups
    result = framed(one, "baseline_groups")
    assert ((), "skipped") == (result.frames, result.exclusions[-1].rule)


def test_three_groups_keep_the_order_of_the_study(cohort: xr.Dataset) -> None:
    """Differences would be named after the wrong pair."""
    labels = np.where(np.arange(52) % 4 == 0, "OTHER", cohort["group"].to_numpy())
    order = ["OTHER", "CLAD", "ALEM"]
    three = cohort.assign(group=("patient", labels)).assign_attrs(groups=json.dumps(order))
    of = dict(zip(cohort["patient"].to_numpy().tolist(), labels.tolist(), strict=True))
    for name in (T2, "baseline_groups"):
        frame = only(framed(three, name))
        assert tuple(order) == frame.groups
        assert [of[frame.patients[code]] for code in frame.patient] == [order[code] for code in frame.group]


def test_neither_the_order_of_records_nor_a_patient_without_any_changes_a_frame(cohort: xr.Dataset) -> None:
    """Results would change with the sorting of a table, or with a patient who was never seen again."""
    shuffled = cohort.isel(record=np.random.default_rng(1).permutation(180))
    lost = cohort.isel(record=(cohort["record_patient"] != "P052").to_numpy())
    fewer = lost.isel(patient=(lost["patient"] != "P052").to_numpy())
    for name in ("year_to_year_t2", "one_year_t2", "relapse_years", "clinical_course"):
        for one, other in ((cohort, shuffled), (fewer, lost)):
            pairs = zip(framed(one, name).frames, framed(other, name).frames, strict=True)
            assert all(a.digest == b.digest for a, b in pairs)
    assert framed(cohort, "one_year_t2").frames[0].digest != framed(lost, "one_year_t2").frames[0].digest


def test_changes_a_year_are_divided_by_real_years(cohort: xr.Dataset, prepared: Prepared) -> None:
    """A change over 14 months would be reported as one over a year, or its unit not say which it is."""
    plain = only(framed(cohort, "relapse_years"))
    yearly = only(framed(cohort, "relapse_years", definitions={"annualised": True}))
    years = prepared.intervals.sort_values(["patient", "visit_from"])["years"].to_numpy()
    np.testing.assert_allclose(plain.y / years[:, None], yearly.y)
    assert "% of the opening volume a year" == yearly.units[0]
    # the time is in the change: it must not enter once more as an offset
    assert (yearly.years == 1).all()


def test_frames_do_not_change_the_cohort(cohort: xr.Dataset) -> None:
    """The second analysis would see other data than the first."""
    before = cohort.copy(deep=True)
    for name in CATALOGUE:
        framed(cohort, name)
    xr.testing.assert_identical(before, cohort)


def test_frames_know_which_structures_the_study_redefines(cohort: xr.Dataset) -> None:
    """A redefined structure would be pooled with structures it may overlap with."""
    other = cohort.assign_coords(redefined=("structure", cohort["structure"].to_numpy() == "caudate"))
    assert {"caudate"} == only(framed(other, "year_to_year_t2")).redefined
    assert set() == only(framed(cohort, "year_to_year_t2")).redefined
