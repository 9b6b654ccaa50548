"""Frames: scales, patterns, and the way from patient-years to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.errors import DataError, StudyError
from atrobayes.models.analyses import CATALOGUE, resolve_analyses
from atrobayes.models.coding import contrast_columns, deviation_scale, term_weights
from atrobayes.models.mixed import Mixed
from atrobayes.models.priors import Priors, read_priors
from atrobayes.models.study_frames import build_frame
from atrobayes.study import Study

T2 = CATALOGUE["year_to_year_t2"]


def study(**tables: object) -> Study:
    return Study(path=Path("study.toml"), data={"subjects_dir": "subjects"}, **tables)


def patient_years(rows: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Intervals and changes of `rows` patients with one interval each, alternating groups."""
    rng = np.random.default_rng(1)
    names = [f"P{k:02d}" for k in range(rows)]
    intervals = pd.DataFrame(
        {
            "patient": names,
            "group": ["CLAD", "ALEM"] * (rows // 2),
            "visit_from": 0,
            "visit_to": 1,
            "new_t2_from": np.arange(rows, dtype=float),
            "new_t2_to": (np.arange(rows) % 3).astype(float),
        }
    )
    changes = pd.DataFrame(
        [
            {"patient": name, "visit_from": 0, "visit_to": 1, "structure": one, "change_pct_etiv": rng.normal()}
            for name in names
            for one in ("thalamus", "caudate")
        ]
    )
    return intervals, changes


def test_scales_are_of_all_rows_and_travel_with_selections() -> None:
    """Leaving a patient out would change what the prior means."""
    table = long_table(1)
    frame = frame_of(table)
    np.testing.assert_allclose(table["y0"].std(ddof=1), frame.scales.y_sd[0])
    assert np.isclose(table["x"].mean(), frame.scales.x_mean)
    fewer = frame.without_patient("P003")
    assert len(table) - (table["patient"] == "P003").sum() == len(fewer.x)
    assert frame.scales.y_sd[0] == fewer.scales.y_sd[0]
    assert frame.scales.x_mean == fewer.scales.x_mean
    assert frame.digest != fewer.digest


def test_outcomes_with_the_same_gaps_are_fitted_together() -> None:
    """A missing volume would drop the patient-year from every structure, or be read as a number."""
    frame = frame_of(long_table(2, outcomes=3))
    y = frame.y.copy()
    y[3, 1] = np.nan
    patterns = frame.with_outcomes(y).patterns()
    assert [[1], [0, 2]] == sorted((outcomes.tolist() for _, outcomes in patterns), key=len)
    assert {len(frame.x) - 1, len(frame.x)} == {int(mask.sum()) for mask, _ in patterns}


def test_a_predictor_with_gaps_is_refused() -> None:
    """Missing would become a number."""
    table = long_table(1)
    table.loc[2, "x"] = np.nan
    with pytest.raises(DataError, match="missing values"):
        frame_of(table)


def test_every_group_has_the_same_prior_and_pairs_are_correlated_as_stated() -> None:
    """The group named first, or last, would be believed more."""
    for groups in (("A", "B"), ("A", "B", "C"), ("A", "B", "C", "D")):
        table = long_table(1).assign(group=lambda t, g=groups: np.resize(g, len(t)))
        priors = Priors(slope_sd=0.7, slope_correlation=0.4)
        linear = Mixed().linear(frame_of(table, groups), priors)
        cov = linear.contrasts @ np.diag(linear.prior_sd**2) @ linear.contrasts.T
        size = len(groups)
        np.testing.assert_allclose(0.7**2, np.diag(cov)[:size])
        np.testing.assert_allclose(0.4 * 0.7**2, cov[0, 1:size])
        np.testing.assert_allclose(0.7 * np.sqrt(2 * (1 - 0.4)), linear.term_prior_sd[size])
        # intercepts: the difference of any two groups is N(0, 1)
        side = contrast_columns(size)
        sd = priors.intercept_deviation_sd * deviation_scale(size)
        np.testing.assert_allclose(1.0, sd * np.linalg.norm(side[0] - side[-1]))


def test_terms_are_named_as_the_table_promises() -> None:
    """A reader of the table would not find the slope of a group."""
    assert ["slope[ALL]"] == list(term_weights(("ALL",)))
    assert ["slope[CLAD]", "slope[ALEM]", "interaction"] == list(term_weights(("CLAD", "ALEM")))
    assert "interaction[A-C]" in term_weights(("A", "B", "C"))


def test_lesion_timing_chooses_the_visit_and_the_unit() -> None:
    """Counts of the wrong visit would be taken, or the prior mean other lesions than stated."""
    intervals, changes = patient_years()
    at_end = build_frame(study(), T2, intervals, changes, ("CLAD", "ALEM")).frame
    at_start = build_frame(
        study(definitions={"lesion_timing": "start"}), T2, intervals, changes, ("CLAD", "ALEM")
    ).frame
    assert intervals["new_t2_to"].tolist() == at_end.x.tolist()
    assert intervals["new_t2_from"].tolist() == at_start.x.tolist()
    assert (1.0, 3.0) == (at_end.scales.x_unit, at_start.scales.x_unit)
    assert ("new_t2_to", "new_t2_from") == (at_end.predictor, at_start.predictor)


def test_a_missing_count_is_a_row_of_the_ledger() -> None:
    """A patient-year would vanish, or its missing count be read as no lesion."""
    intervals, changes = patient_years()
    intervals.loc[4, "new_t2_to"] = np.nan
    framed = build_frame(study(), T2, intervals, changes, ("CLAD", "ALEM"))
    assert 11 == len(framed.frame.x)
    (item,) = framed.exclusions
    assert ("analysis", "P04", 1, T2.id, "count_missing") == (
        item.stage,
        item.patient,
        item.visit,
        item.analysis,
        item.rule,
    )


def test_a_structure_with_too_few_values_is_left_out_alone() -> None:
    """One failed structure would take the others with it."""
    intervals, changes = patient_years()
    changes.loc[(changes["structure"] == "caudate") & (changes["patient"] > "P03"), "change_pct_etiv"] = np.nan
    framed = build_frame(study(), T2, intervals, changes, ("CLAD", "ALEM"))
    assert ("thalamus",) == framed.frame.outcomes
    assert [("caudate", "too_few_volumes")] == [(item.structure, item.rule) for item in framed.exclusions]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"new_t2_to": np.nan}, "no count of new_t2 in any patient-year"),
        ({"new_t2_to": 0.0}, "the same new_t2_to in every patient-year"),
    ],
)
def test_an_impossible_analysis_is_skipped_with_its_reason(change: dict, said: str) -> None:
    """A study without lesion counts would end in a traceback."""
    intervals, changes = patient_years()
    framed = build_frame(study(), T2, intervals.assign(**change), changes, ("CLAD", "ALEM"))
    assert framed.frame is None
    assert "skipped" == framed.exclusions[-1].rule
    assert said in framed.exclusions[-1].reason


def test_priors_are_read_by_name_or_number() -> None:
    """A prior asked for would not be the one used."""
    assert 0.25 == read_priors(study(priors={"slope": "sceptical"}).priors).slope_sd
    own = read_priors(study(priors={"slope": {"normal": [0, 0.3]}, "slope_group_correlation": 0.0}).priors)
    assert ("own", 0.0, 0.3, 0.0) == (own.name, own.slope_mean, own.slope_sd, own.slope_correlation)


def test_a_slope_prior_off_zero_is_refused() -> None:
    """A prior belief in loss would be a belief that ventricles shrink."""
    with pytest.raises(ValueError, match="the mean must be 0"):
        study(priors={"slope": {"normal": [-0.3, 0.3]}})


def test_a_correlation_that_so_many_groups_cannot_have_is_refused() -> None:
    """The study would end in a traceback."""
    choice = study(priors={"slope_group_correlation": -0.6}).priors
    assert -0.6 == read_priors(choice, 2).slope_correlation
    with pytest.raises(StudyError, match="for 3 groups"):
        read_priors(choice, 3)


def test_an_outcome_sd_counts_for_its_structure_alone() -> None:
    """A small structure would get the prior and the region of equivalence of a large one."""
    intervals, changes = patient_years()
    plain = build_frame(study(), T2, intervals, changes, ("CLAD", "ALEM")).frame.scales.y_sd
    own = build_frame(study(priors={"outcome_sd": {"caudate": 7.0}}), T2, intervals, changes, ("CLAD", "ALEM"))
    assert [plain[0], 7.0] == own.frame.scales.y_sd.tolist()


def test_a_group_of_the_study_without_rows_is_named() -> None:
    """Rows that show nothing but the prior would pass for results."""
    intervals, changes = patient_years()
    framed = build_frame(study(), T2, intervals.assign(group="CLAD"), changes, ("CLAD", "ALEM"))
    assert ["group_without_rows"] == [item.rule for item in framed.exclusions]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("group", None, "missing labels"),
        ("patient", None, "missing labels"),
        ("group", "PLACEBO", "'PLACEBO'"),
        ("x", np.inf, "an infinite value"),
        ("y0", np.inf, "an infinite value"),
    ],
)
def test_any_table_is_checked_at_the_door(column: str, value: object, said: str) -> None:
    """A missing label would become a group of its own."""
    table = long_table(1)
    table.loc[3, column] = value
    with pytest.raises(DataError, match=said):
        frame_of(table)


def test_an_unknown_analysis_names_the_nearest() -> None:
    """A typing slip would silently leave an analysis out."""
    with pytest.raises(StudyError, match="did you mean 'year_to_year_t2'"):
        resolve_analyses(study(analyses={"use": ["year_to_year_t22"]}))
