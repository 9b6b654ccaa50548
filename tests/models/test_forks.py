"""Forks: which are planned, why others are not, and what rows, numbers and scales each choice leads to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from example_frames import study
from hand_cohort import LESIONS, PATIENTS, VISITS, change_mm3, counts, hand_cohort

from atrobayes.models.analyses import CATALOGUE, Analysis
from atrobayes.models.fork_frames import ForkFrame, fork_frames, without_products
from atrobayes.models.forks import AXES, Fork, plan_forks
from atrobayes.models.frame import Frame
from atrobayes.models.study_frames import build_frames
from atrobayes.study import Study

T2 = CATALOGUE["year_to_year_t2"]
# one row a patient in the cohort by hand, without the exclusion of the catalogue's
ONE_YEAR = replace(CATALOGUE["one_year_t2"], exclude="")
NEDA = CATALOGUE["neda3_years"]


def planned(asked: Study, analysis: Analysis, *, everything: bool = False) -> tuple[Fork, ...]:
    return plan_forks(asked, analysis, asked.sensitivity, everything=everything)


def forked(
    cohort: xr.Dataset, *names: str, analysis: Analysis = T2, everything: bool = False, **tables: object
) -> dict[str, ForkFrame]:
    """The base and these forks (default: all) of an analysis with their frames, by id."""
    asked = study(**tables)
    forks = planned(asked, analysis, everything=everything)
    if names:
        forks = tuple(fork for fork in forks if fork.id in {"base", *names})
    return {one.fork.id: one for one in fork_frames(asked, analysis, forks, cohort)}


def frame_of(one: ForkFrame) -> Frame:
    assert one.frame is not None, one.fork.reason
    return one.frame


def to_fit(forks: tuple[Fork, ...]) -> list[str]:
    return [fork.id for fork in forks if not fork.reason]


@pytest.mark.parametrize("analysis", CATALOGUE.values(), ids=str)
def test_by_default_the_base_comes_first_and_no_more_than_sixty_follow(analysis: Analysis) -> None:
    """The default run would take hours; or the answer that forks are compared with would not be among them."""
    forks = planned(study(), analysis)
    if analysis.kind in {"groups", "course"}:
        assert () == forks
        return
    ids = [fork.id for fork in forks]
    assert "base" == ids[0]
    assert len(set(ids)) == len(ids) <= 60
    sizes = [fork.id.count("=") for fork in forks]
    assert sorted(sizes) == sizes
    axes = [AXES.index(fork.id.split("=")[0]) for fork in forks if fork.id.count("=") == 1]
    assert sorted(axes) == axes


def test_the_base_is_what_the_study_chose_whether_an_axis_lists_it_or_not() -> None:
    """A study with a wide prior would be told how robust somebody else's choices are."""
    asked = study(
        priors={"slope": {"normal": [0, 0.4]}},
        definitions={"lesion_timing": "start", "annualised": True},
        sensitivity={"prior": ["wide"], "timing": ["end", "start"], "outcome": ["change_pct", "change_pct_etiv"]},
    )
    forks = planned(asked, T2)
    base = forks[0]
    told = {"prior": "own", "timing": "start", "outcome": "annualised", "outliers": "keep", "undetermined": ""}
    assert told == {axis: base.level(axis) for axis in told}
    singles = [fork.id for fork in forks if fork.id.count("=") == 1]
    assert {"prior=wide", "timing=end", "outcome=change_pct", "outcome=change_pct_etiv"} <= set(singles)
    assert not {"timing=start", "prior=own"} & set(singles)


@pytest.mark.parametrize(
    ("analysis", "levels", "reason"),
    [
        ("one_year_t2", ["timing=start"], "does not depend on the visit"),
        ("one_year_t2", ["intervals=without_first"], "from visit 0 to visit 1"),
        ("one_year_t2", ["random_effects=none"], "no patient effect"),
        ("one_year_t2", ["predictor=split"], "no deviation"),
        ("one_year_t2", ["covariates=visit"], "opens with visit 0"),
        ("one_year_t2", ["pooling=partial"], "shrinks over structures"),
        ("neda3_years", ["outliers=drop_over_20", "outliers=winsorise_95", "outliers=log1p"], "a state"),
        ("neda3_years", ["timing=start"], "does not depend"),
        ("neda3_years", ["predictor=split"], "a state"),
        ("relapse_years", ["undetermined=yes", "undetermined=no"], "not about NEDA-3"),
    ],
)
@pytest.mark.parametrize("everything", [False, True])
def test_what_cannot_apply_is_said_once_and_part_of_no_combination(
    analysis: str, levels: list[str], reason: str, everything: bool
) -> None:
    """A list of hundreds of forks that nobody could ever fit would hide the few that say something."""
    forks = planned(study(), CATALOGUE[analysis], everything=everything)
    for level in levels:
        (one,) = [fork for fork in forks if level in fork.id.split("+")]
        assert level == one.id
        assert reason in one.reason


def test_the_full_product_is_every_combination_and_each_sampled_level_once() -> None:
    """--all would leave out combinations, or sample for days."""
    mixed = to_fit(planned(study(), T2, everything=True))
    assert 3 * 4 * 2 * 4 * 2 * 2 * 2 * 3 + 2 == len(set(mixed)) == len(mixed)
    assert 3 * 4 * 4 * 2 + 1 == len(to_fit(planned(study(), CATALOGUE["one_year_t2"], everything=True)))
    sampled = [name for name in mixed if "likelihood" in name or "pooling" in name]
    assert ["likelihood=student_t", "pooling=partial"] == sampled


def test_pairs_are_declared_and_stop_where_the_study_says() -> None:
    """A cap that is not kept makes a run endless; forks that vanish silently look like forks that agreed."""
    few = {"pairs": [["timing", "prior"]], "most_forks": 18}
    forks = planned(study(sensitivity=few), T2)
    assert 18 == len(to_fit(forks))
    pairs = [fork for fork in forks if "+" in fork.id]
    assert ["prior=wide+timing=start", "prior=sceptical+timing=start"] == [fork.id for fork in pairs]
    assert ["", "beyond the most forks that the study allows, 18"] == [fork.reason for fork in pairs]
    sampled = planned(study(sensitivity={"pairs": [["prior", "likelihood"]]}), T2)
    reasons = {fork.reason for fork in sampled if "+" in fork.id}
    assert {"takes sampling, and is looked at by itself only"} == reasons


def test_a_prior_in_raw_units_is_not_carried_over_to_other_units() -> None:
    """0.01 % of eTIV a lesion would become 0.01 mm³ a lesion: as good as certainty that nothing is there."""
    raw = {"slope": {"normal": [0, 0.01], "scale": "raw"}}
    forks = {fork.id: fork.reason for fork in planned(study(priors=raw), T2)}
    reason = "the study states its prior in units of its own outcome and predictor"
    assert reason == forks["outcome=change_mm3"] == forks["outliers=log1p"]
    assert "" == forks["prior=wide+outcome=change_mm3"] == forks["timing=start"] == forks["predictor=split"]


def test_the_base_fork_is_the_frame_of_the_analysis() -> None:
    """Forks would be compared with an answer that stands nowhere else in the report."""
    cohort = hand_cohort()
    for analysis in (T2, ONE_YEAR, CATALOGUE["relapse_years"]):
        (frame,) = build_frames(study(), analysis, cohort).frames
        assert frame.digest == frame_of(forked(cohort, "base", analysis=analysis)["base"]).digest


def test_the_same_plan_twice_is_the_same() -> None:
    """Which twin is fitted, and so the table, would change from run to run."""
    cohort, some = hand_cohort(), ("predictor=split", "outliers=winsorise_95", "prior=wide", "outliers=log1p")
    first, second = (forked(cohort, *some) for _ in range(2))
    assert {name: (one.fork, one.frame and one.frame.digest) for name, one in first.items()} == {
        name: (one.fork, one.frame and one.frame.digest) for name, one in second.items()
    }


def test_large_counts_are_dropped_winsorised_or_logged() -> None:
    """One patient with 25 lesions carries the slope: what happens without would be answered with something else."""
    found = forked(hand_cohort(), "outliers=drop_over_20", "outliers=winsorise_95", "outliers=log1p")
    base, x = frame_of(found["base"]), counts()
    np.testing.assert_array_equal(x, base.x)
    dropped = frame_of(found["outliers=drop_over_20"])
    np.testing.assert_array_equal(x[x <= 20], dropped.x)
    # 16 counts: the 95th percentile lies a quarter of the way from the 15th to the 16th
    ordered = np.sort(x)
    limit = ordered[14] + 0.25 * (ordered[15] - ordered[14])
    np.testing.assert_allclose(np.minimum(x, limit), frame_of(found["outliers=winsorise_95"]).x)
    logs = frame_of(found["outliers=log1p"])
    np.testing.assert_allclose(np.log1p(x), logs.x)
    assert np.isclose(np.log(2), logs.scales.x_unit)
    assert np.isclose(np.log(2), found["outliers=log1p"].step)
    assert "% of eTIV per unit of log(1 + new T2 lesions)" == logs.units[0]
    # the same outcome and lesions: the same standardised scale, whatever rows are left
    for frame in (dropped, frame_of(found["outliers=winsorise_95"])):
        np.testing.assert_array_equal(base.scales.y_sd, frame.scales.y_sd)
        np.testing.assert_array_equal(base.scales.y_mean, frame.scales.y_mean)
        assert (base.scales.x_mean, 1.0) == (frame.scales.x_mean, frame.scales.x_unit)
    np.testing.assert_array_equal(base.scales.y_sd, logs.scales.y_sd)
    assert np.isclose(np.log1p(x).mean(), logs.scales.x_mean)


def test_counts_of_the_opening_visit_have_their_own_unit_and_are_compared_at_the_bases() -> None:
    """Lesions gathered over years before treatment would be priced like those of one year, or not be comparable."""
    found = forked(hand_cohort(), "timing=start", "outliers=log1p+timing=start")
    one = found["timing=start"]
    frame = frame_of(one)
    np.testing.assert_array_equal(counts(end=False), frame.x)
    assert (3.0, 1.0) == (frame.scales.x_unit, one.step)
    assert np.isclose(counts(end=False).mean(), frame.scales.x_mean)
    both = found["outliers=log1p+timing=start"]
    assert np.allclose([np.log(4), np.log(2)], [frame_of(both).scales.x_unit, both.step])
    backwards = forked(hand_cohort(), "timing=end", definitions={"lesion_timing": "start"})["timing=end"]
    assert (1.0, 3.0) == (frame_of(backwards).scales.x_unit, backwards.step)


def test_other_outcomes_are_computed_and_scaled_for_themselves() -> None:
    """Percent of eTIV would be divided by the SD of cubic millimetres."""
    cohort = hand_cohort()
    levels = ("change_mm3", "change_pct", "annualised")
    names = (*(f"outcome={level}" for level in levels), "intervals=without_first")
    found = forked(cohort, *names, priors={"outcome_sd": {"thalamus": 7.0}})
    change, volume = change_mm3(cohort), cohort["volume"].to_numpy().reshape(len(PATIENTS), VISITS, 2)
    etiv = cohort["etiv"].to_numpy().reshape(len(PATIENTS), VISITS)[:, 1:].ravel()
    years = np.tile([1.25, 0.75], len(PATIENTS))
    expected = {
        "change_mm3": change,
        "change_pct": 100 * change / volume[:, :-1].reshape(-1, 2),
        "annualised": 100 * change / etiv[:, None] / years[:, None],
    }
    for level, values in expected.items():
        one = found[f"outcome={level}"]
        frame = frame_of(one)
        np.testing.assert_allclose(values, frame.y)
        np.testing.assert_allclose(values.std(axis=0, ddof=1), frame.scales.y_sd)
        np.testing.assert_allclose(values.mean(axis=0), frame.scales.y_mean)
        assert frame_of(found["base"]).scales.x_mean == frame.scales.x_mean
        assert not one.same_outcome
    base = frame_of(found["base"])
    assert 7.0 == base.scales.y_sd[0] == frame_of(found["intervals=without_first"]).scales.y_sd[0]
    raw = frame_of(found["outcome=change_mm3"])
    assert ["etiv"] == raw.covariates["covariate"].to_numpy().tolist()
    np.testing.assert_array_equal(etiv, raw.covariates[:, 0])
    assert ("mm^3 per new T2 lesion", "change_mm3") == (raw.units[0], found["outcome=change_mm3"].outcome)
    assert "change_pct_etiv" == found["outcome=annualised"].outcome


def test_an_annualised_study_forks_to_the_plain_change() -> None:
    """The base itself would stand among its forks, and the change over nominal years would be missing."""
    names = ("outcome=change_pct_etiv", "outcome=annualised")
    found = forked(hand_cohort(), *names, definitions={"annualised": True})
    plain, base = frame_of(found["outcome=change_pct_etiv"]), frame_of(found["base"])
    np.testing.assert_allclose(plain.y / np.tile([1.25, 0.75], 8)[:, None], base.y)
    assert "outcome=annualised" not in found
    unknown = forked(hand_cohort(years=np.full(24, np.nan)), *names)["outcome=annualised"]
    assert "no row with years" == unknown.fork.reason


def test_the_first_year_is_left_out_for_everybody() -> None:
    """Pseudoatrophy after the start of treatment would stay in what claims to be without it."""
    frame = frame_of(forked(hand_cohort(), "intervals=without_first")["intervals=without_first"])
    np.testing.assert_array_equal(counts(1), frame.x)
    assert {(1, 2)} == set(map(tuple, frame.visits.tolist()))


def test_split_lesions_are_deviations_beside_the_patients_mean() -> None:
    """Patients with many lesions differ from those with few in much else: that would stay in the slope."""
    found = forked(hand_cohort(), "predictor=split")
    frame = frame_of(found["predictor=split"])
    x = counts().reshape(8, 2)
    mean = np.repeat(x.mean(axis=1), 2)
    np.testing.assert_allclose(counts() - mean, frame.x)
    side = np.repeat([0.5, -0.5], 8)
    np.testing.assert_allclose(np.column_stack([mean, (mean - mean.mean()) * side]), frame.covariates)
    assert ["patient_mean", "patient_mean:side"] == frame.covariates["covariate"].to_numpy().tolist()
    assert (1.0, 1.0) == (frame.scales.x_unit, found["predictor=split"].step)
    np.testing.assert_array_equal(frame_of(found["base"]).scales.y_sd, frame.scales.y_sd)
    alone = without_products(frame.without_groups())
    assert ["patient_mean"] == alone.covariates["covariate"].to_numpy().tolist()
    assert (1,) == alone.scales.covariate_sd.shape == alone.scales.covariate_mean.shape


def test_covariates_join_those_the_analysis_has_and_rows_without_them_are_left_out() -> None:
    """An adjusted fork would silently be of fewer covariates, or make up a missing age."""
    age = np.array([31.0, np.nan, 28.0, 52.0, 39.0, 25.0, 47.0, 36.0])
    own = replace(T2, covariates=("relapses",))
    found = forked(hand_cohort(age=age), "covariates=demographic", "covariates=visit", analysis=own)
    frame = frame_of(found["covariates=demographic"])
    assert ["relapses", "age", "sex", "disease_duration"] == frame.covariates["covariate"].to_numpy().tolist()
    assert 14 == len(frame.x)
    np.testing.assert_array_equal(np.repeat(np.delete(age, 1), 2), frame.covariates[:, 1])
    np.testing.assert_array_equal(np.repeat([1.0, 1, 1, 0, 1, 1, 0], 2), frame.covariates[:, 2])
    base = frame_of(found["base"])
    assert base.scales.covariate_sd[0] == frame.scales.covariate_sd[0]
    visit = frame_of(found["covariates=visit"])
    np.testing.assert_array_equal(np.tile([0.0, 1.0], 8), visit.covariates[:, 1])


def test_covariates_that_nobody_has_are_named() -> None:
    """'No row' would send someone looking for scans where a column of patients.tsv is empty."""
    name = "covariates=demographic"
    empty = forked(hand_cohort(age=np.full(8, np.nan), sex=np.full(8, "")), name)
    assert "no row with age or sex" == empty[name].fork.reason
    odd = np.array([1.0, np.nan] * 4)
    both = forked(hand_cohort(age=odd, disease_duration=odd[::-1].copy()), name)
    assert "no row with all that the fork needs" == both[name].fork.reason


def test_undetermined_years_count_as_their_fork_says() -> None:
    """The bounds of what is unknown would be no bounds."""
    relapses = np.array([[0, 0, 1], [0, 1, 0]] * 4, dtype=float).ravel()
    lesions = np.zeros(24)
    lesions[4] = np.nan  # A2 at visit 1: a relapse was found, so it is known all the same
    lesions[7] = np.nan  # A3 at visit 1: nothing found, and something unknown
    cohort = hand_cohort(relapses=relapses, new_t2=lesions, new_gd=np.zeros(24))
    found = forked(cohort, "undetermined=yes", "undetermined=no", analysis=NEDA)
    known = np.array([[0.0, 1.0], [1.0, 0.0]] * 4).ravel()
    expected = {"base": np.delete(known, 4), "undetermined=yes": known.copy(), "undetermined=no": known.copy()}
    expected["undetermined=yes"][4], expected["undetermined=no"][4] = 0.0, 1.0
    for name, state in expected.items():
        np.testing.assert_array_equal(state, frame_of(found[name]).x)
    np.testing.assert_array_equal(frame_of(found["base"]).scales.y_sd, frame_of(found["undetermined=no"]).scales.y_sd)


def test_forks_that_come_to_the_same_are_fitted_once() -> None:
    """Without any large count, dropping large counts would count as so many more forks that agree."""
    few = np.minimum(np.array(LESIONS, dtype=float), 6).ravel()
    names = ("outliers=drop_over_20", "prior=wide", "prior=wide+outliers=drop_over_20", "random_effects=none")
    found = forked(hand_cohort(new_t2=few), *names, "likelihood=student_t")
    assert "the same rows and numbers as base" == found["outliers=drop_over_20"].fork.reason
    assert "the same rows and numbers as prior=wide" == found["prior=wide+outliers=drop_over_20"].fork.reason
    assert "" == found["prior=wide"].fork.reason == found["random_effects=none"].fork.reason
    # the base's posterior under another likelihood is no twin of the base
    assert "" == found["likelihood=student_t"].fork.reason


def test_a_fork_that_the_data_do_not_allow_is_skipped_with_its_reason() -> None:
    """One odd fork would end the whole run."""
    first = np.array([[1, count, 2] for count in range(8)], dtype=float).ravel()
    found = forked(hand_cohort(new_t2=first), "intervals=without_first")
    assert "the same new_t2_to in every patient-year" == found["intervals=without_first"].fork.reason
    constant = np.repeat(np.arange(8.0), 3)
    assert (
        "differs from row to row"
        in forked(hand_cohort(new_t2=constant), "predictor=split")["predictor=split"].fork.reason
    )
    one_visit = np.where(np.tile([False, False, True], 8), "none", "usable")
    names = ("intervals=without_first", "timing=start+intervals=without_first")
    reasons = {name: one.fork.reason for name, one in forked(hand_cohort(scan_status=one_visit), *names).items()}
    assert "no row is left" == reasons[names[0]] == reasons[names[1]]
    assert "" == reasons["base"]


def test_a_structure_without_a_base_result_has_no_forks() -> None:
    """Its forks would be summarised against nothing."""
    cohort = hand_cohort()
    cohort["etiv"] = cohort["etiv"].where(cohort["visit"] < 0)
    found = forked(cohort, "outcome=change_pct", "prior=wide").values()
    assert {"no structure with volumes that differ"} == {one.fork.reason for one in found}


def test_every_combination_of_a_small_study_is_framed_or_has_a_reason() -> None:
    """A combination nobody thought of would be an exception in the night."""
    asked = {"prior": ["regularising"], "covariates": ["none", "demographic"], "outliers": ["keep", "log1p"]}
    asked["outcome"] = ["change_mm3"]
    found = forked(hand_cohort(), everything=True, sensitivity=asked)
    fitted = [one for one in found.values() if one.frame is not None and not one.fork.taken]
    # two levels on each of seven axes; but one year a patient has no deviation from its mean
    left = [one for one in found.values() if "differs from row to row" in one.fork.reason]
    assert (2**7 * 3 // 4, 2**5) == (len(fitted), len(left))
    for one in fitted:
        frame = frame_of(one)
        logs = one.fork.level("outliers") == "log1p"
        unit = 3.0 if one.fork.level("timing") == "start" else 1.0
        assert np.isclose(np.log1p(unit) if logs else unit, frame.scales.x_unit)
        assert np.isclose(np.log(2) if logs else 1.0, one.step)
