"""Frames: scales, patterns, terms; and priors on their scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.errors import DataError, StudyError
from atrobayes.models.coding import contrast_columns, deviation_scale, term_weights
from atrobayes.models.comparison import COMPARISON, GROUPS
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors, read_priors
from atrobayes.models.regression import REGRESSION
from atrobayes.models.terms import KINDS, cells, differences, terms_of
from atrobayes.study import Study


def study(**tables: object) -> Study:
    return Study(path=Path("study.toml"), data={"subjects_dir": "subjects"}, **tables)


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
        linear = MIXED.whole(frame_of(table, groups), priors)
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


def test_priors_are_read_by_name_or_number() -> None:
    """A prior asked for would not be the one used."""
    assert 0.25 == read_priors(study(priors={"slope": "sceptical"}).priors).slope_sd
    own = read_priors(study(priors={"slope": {"normal": [0, 0.3]}, "slope_group_correlation": 0.0}).priors)
    assert ("own", 0.0, 0.3, 0.0) == (own.name, own.slope_mean, own.slope_sd, own.slope_correlation)


def test_a_slope_prior_off_zero_is_refused() -> None:
    """A prior belief in loss would be a belief that ventricles shrink."""
    with pytest.raises(ValueError, match="a mean of 0"):
        study(priors={"slope": {"normal": [-0.3, 0.3]}})


def test_a_correlation_that_so_many_groups_cannot_have_is_refused() -> None:
    """The study would end in a traceback."""
    choice = study(priors={"slope_group_correlation": -0.6}).priors
    assert -0.6 == read_priors(choice, 2).slope_correlation
    with pytest.raises(StudyError, match="for 3 groups"):
        read_priors(choice, 3)


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


def test_covariates_are_seen_in_sds_and_carried_in_their_own_units() -> None:
    """The prior of a covariate's slope would depend on whether age is in years or months."""
    table = long_table(1).assign(age=lambda t: 30.0 + np.arange(len(t)), constant=4.0)
    frame = frame_of(table, covariates=["age", "constant"])
    seen = frame.covariates_standardised
    np.testing.assert_allclose(((table["age"] - table["age"].mean()) / table["age"].std(ddof=1)), seen[:, 0])
    np.testing.assert_array_equal(0, seen[:, 1])
    np.testing.assert_array_equal(table["age"], frame.covariates[:, 0])
    fewer = frame.without_patient("P003")
    np.testing.assert_allclose(seen[(table["patient"] != "P003").to_numpy()], fewer.covariates_standardised)
    for model in (MIXED, REGRESSION):
        plain, other = model.whole(frame_of(table), Priors()), model.whole(frame, Priors(covariate_sd=0.7))
        assert (*plain.coefs, "age", "constant") == other.coefs
        np.testing.assert_array_equal(seen, other.X[:, -2:])
        assert [0.7, 0.7] == other.prior_sd[-2:].tolist()
        assert not other.contrasts[:, -2:].any()


def test_a_covariate_with_gaps_is_refused() -> None:
    """Missing would become a number."""
    table = long_table(1).assign(age=40.0)
    table.loc[1, "age"] = np.nan
    with pytest.raises(DataError, match="missing values"):
        frame_of(table, covariates=["age"])


def test_a_table_without_predictor_groups_or_patients_is_a_frame() -> None:
    """The wide tables of other programs could not be used."""
    frame = Frame.from_table(long_table(1), outcomes=["y0"])
    assert ("", ("ALL",), len(frame.x)) == (frame.predictor, frame.groups, len(frame.patients))
    assert not frame.x.any()


def test_unit_of_a_predictor_that_counts_nothing_is_its_sd() -> None:
    """The prior of a slope on age would be stated per year."""
    table = long_table(1)
    assert np.isclose(table["x"].std(ddof=1), frame_of(table, predictor_unit=None).scales.x_unit)


def test_everything_a_fit_depends_on_is_in_the_digest() -> None:
    """A stored posterior of other data, or of another question, would be taken for this one's."""
    table = long_table(1, outcomes=2).assign(age=lambda t: np.arange(len(t)) % 7.0, years=1.0)
    frame = frame_of(table, covariates=["age"])
    others = [
        frame_of(table),
        frame_of(table, covariates=["age"], kind="regression"),
        frame_of(table, covariates=["age"], unit="% per lesion"),
        frame_of(table, covariates=["age"], analysis="another"),
        frame_of(table, covariates=["age"], predictor_unit=3.0),
        frame_of(table, covariates=["age"], orientation={"y1": -1}),
        frame_of(table, covariates=["age"], outcome_sd={"y1": 2.0}),
        frame_of(table.assign(age=table["age"] + (table.index == 3)), covariates=["age"]),
        frame_of(table.assign(years=2.0), covariates=["age"], exposure="years"),
        frame_of(table, ("ALEM", "CLAD"), covariates=["age"]),
        frame.without_groups(),
        frame.with_outcomes(frame.y + 1e-9),
    ]
    assert len(others) + 1 == len({one.digest for one in (frame, *others)})
    assert frame.digest == frame_of(table, covariates=["age"]).digest


def test_units_and_orientation_go_with_their_outcomes() -> None:
    """Years of age would be printed with the unit of a lesion count."""
    table = long_table(1, outcomes=3)
    frame = frame_of(table, unit=["years", "points", "ml"], orientation={"y2": -1})
    some = frame.select(np.arange(len(table)), np.array([2, 0]))
    assert (("y2", "y0"), ("ml", "years"), [-1, 1]) == (some.outcomes, some.units, some.orientation.tolist())
    assert (("ml",), [-1]) == (
        frame.with_outcomes(frame.y[:, 2:]).units,
        frame.with_outcomes(frame.y[:, 2:]).orientation.tolist(),
    )
    new = frame.with_outcomes(frame.y.assign_coords(outcome=["a", "y2", "b"]))
    assert ("years", "ml", "years") == new.units


def test_without_groups_the_same_rows_are_one_group() -> None:
    """slope[ALL] would be of other rows, or on another scale, than the slopes it stands beside."""
    frame = frame_of(long_table(1))
    whole = frame.without_groups()
    assert (("ALL",), "ALL") == (whole.groups, whole.part)
    assert frame.scales is whole.scales
    assert ["slope[ALL]"] == [term.name for term in terms_of(whole)]
    assert MIXED.whole(whole, Priors()).term_prior_sd == Priors().slope_sd


def test_a_state_has_twice_the_prior_sd_of_a_slope() -> None:
    """A balanced state is half an SD on each side: its prior would not be that of a slope per SD."""
    table = long_table(1).assign(x=lambda t: (t["x"] > 0).astype(float))
    linear = COMPARISON.whole(frame_of(table, kind="comparison"), Priors(slope_sd=0.3))
    np.testing.assert_allclose(0.6, linear.term_prior_sd)
    # with a state and without differ by exactly one difference
    assert 1.0 == np.ptp(linear.X[:, 1])
    for groups in (("A", "B"), ("A", "B", "C"), ("A", "B", "C", "D")):
        several = long_table(1).assign(group=lambda t, g=groups: np.resize(g, len(t)))
        frame = frame_of(several, groups, kind="groups")
        linear = GROUPS.whole(frame, Priors(slope_sd=0.3))
        np.testing.assert_allclose(0.6, linear.term_prior_sd)
        # each group's mean is equally well known beforehand: none is the reference
        spread = linear.prior_sd**2 @ linear.X.T**2
        np.testing.assert_allclose(spread[0], spread)
        weights = np.array(list(differences(groups).values()))
        places = linear.X[[np.flatnonzero(frame.group == g)[0] for g in range(len(groups))]]
        np.testing.assert_allclose(weights @ places, linear.contrasts, atol=1e-12)


def test_each_kind_has_the_terms_the_table_promises() -> None:
    """A reader of the table would not find a row."""
    table = long_table(1)
    found = {kind: [term.name for term in terms_of(frame_of(table, kind=kind))] for kind in list(KINDS)[:4]}
    slopes = ["slope[CLAD]", "slope[ALEM]", "interaction"]
    assert {"mixed": slopes, "regression": slopes, "comparison": ["difference"], "groups": ["difference"]} == found
    three = frame_of(table.assign(group=np.resize(["A", "B", "C"], len(table))), ("A", "B", "C"), kind="groups")
    terms = terms_of(three)
    assert ["difference[A-B]", "difference[A-C]", "difference[B-C]"] == [term.name for term in terms]
    assert (three.group != 1).tolist() == terms[1].rows.tolist()


def test_a_course_has_a_term_for_each_cell_with_rows_and_a_ratio_where_both_groups_have_one() -> None:
    """A rate would be reported of a group nobody of which was seen at that visit."""
    table = pd.DataFrame(
        {
            "patient": list("abcab"),
            "group": ["B", "A", "A", "B", "A"],
            "visit_from": [0, 0, 0, 1, 2],
            "visit_to": [0, 0, 0, 1, 2],
            "count": [1.0, 0.0, 2.0, 3.0, 1.0],
        }
    )
    frames = {
        kind: Frame.from_table(table, outcomes=["count"], group="group", groups=["A", "B"], patient="patient",
                               kind=kind)
        for kind in ("counts", "scores")
    }  # fmt: skip
    counts, scores = (terms_of(frames[kind]) for kind in ("counts", "scores"))
    assert ["rate[A,0]", "rate[B,0]", "rate[B,1]", "rate[A,2]", "rate_ratio[A/B,0]"] == [one.name for one in counts]
    assert ["median[A,0]", "median[B,0]", "median[B,1]", "median[A,2]"] == [one.name for one in scores]
    assert [False, True, True, False, False] == counts[0].rows.tolist()
    assert [True, True, True, False, False] == counts[-1].rows.tolist()
    # nothing is tested of a rate, and a ratio of 1 means no difference
    assert np.isnan([one.null for one in (*counts[:4], *scores)]).all()
    assert (1.0, "ratio") == (counts[-1].null, counts[-1].unit)
    assert [(0, 0), (1, 0), (1, 1), (0, 2)] == [(cell.group, cell.visit) for cell in cells(frames["counts"])]


def test_a_raw_prior_is_of_the_outcomes_units_for_every_outcome() -> None:
    """A prior of 0.01 % of eTIV per lesion would be another for each structure."""
    table = long_table(1, outcomes=2).assign(y1=lambda t: 1000 * t["y1"])
    frame = frame_of(table, predictor_unit=3.0)
    choice = study(priors={"slope": {"normal": [0, 0.01], "scale": "raw"}}).priors
    priors = read_priors(choice)
    for model in (MIXED, REGRESSION):
        np.testing.assert_allclose(0.01, model.term_priors(frame, priors)[1][:, :2])
        standardised = model.term_priors(frame, Priors(slope_sd=0.5))[1]
        np.testing.assert_allclose(0.5 * frame.scales.y_sd / 3, standardised[:, 0])
