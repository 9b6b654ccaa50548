"""The example repeats the published study's counts, as closely as whole counts can."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atrobayes.data_prep.definitions import Assessment, edss_progression
from atrobayes.data_prep.example import Simulated, simulate_cohort
from atrobayes.data_prep.example_groups import apportion, group_sizes
from atrobayes.data_prep.example_truth import yearly_intervals

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "published" / "summaries.tsv"
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def cohort(request: pytest.FixtureRequest) -> Simulated:
    return simulate_cohort(52, request.param)


def with_group(cohort: Simulated) -> pd.DataFrame:
    return cohort.visits.merge(cohort.patients[["patient", "group"]], on="patient")


def pairs(cohort: Simulated, first: int, second: int) -> dict[str, int]:
    visits = with_group(cohort)
    usable = visits[visits["status"] == "usable"]
    seen = usable.groupby(["group", "patient"])["visit"].agg(set)
    return seen.map(lambda years: {first, second} <= years).groupby("group").sum().to_dict()


def test_yearly_intervals_are_the_papers_59_and_36(cohort: Simulated) -> None:
    """Otherwise the example would have more or less power than the study it stands for."""
    intervals = yearly_intervals(cohort.patients, cohort.visits)
    expected = {"CLAD": 59, "ALEM": 36}
    assert expected == intervals["group"].value_counts().to_dict()


def test_one_year_and_three_year_pairs_are_the_papers(cohort: Simulated) -> None:
    """Otherwise the ordinary regressions would run on other numbers of patients than published."""
    expected = {"CLAD": 29, "ALEM": 14}
    assert expected == pairs(cohort, 0, 1)
    expected = {"CLAD": 9, "ALEM": 7}
    assert expected == pairs(cohort, 0, 3)


def test_five_scans_exist_that_cannot_be_used(cohort: Simulated) -> None:
    """Otherwise the flow table of the example would have nothing to count."""
    expected = {"steroid": 2, "quality": 1, "errors": 1, "running": 1, "usable": 149, "none": 26}
    assert expected == Counter(cohort.visits["status"])


def test_steroids_are_recent_only_at_the_scans_left_out(cohort: Simulated) -> None:
    """A kept scan within 56 days of steroids would change the counts of every analysis."""
    recent = cohort.visits["days_since_steroid"] < 56
    assert (cohort.visits["status"] == "steroid").tolist() == recent.tolist()


def test_clinical_visits_by_year_are_the_papers(cohort: Simulated) -> None:
    """Otherwise the percentages of the clinical course would have other denominators."""
    counts = with_group(cohort).groupby(["group", "visit"]).size()
    expected = [33, 33, 32, 13]
    assert expected == counts["CLAD"].tolist()
    expected = [19, 19, 18, 13]
    assert expected == counts["ALEM"].tolist()


def published(quantity: str, group: str) -> float:
    if not PUBLISHED.is_file():
        pytest.skip("the published summaries are not beside this checkout")
    table = pd.read_csv(PUBLISHED, sep="\t")
    return float(table.loc[(table["quantity"] == quantity) & (table["group"] == group), "value"].iloc[0])


@pytest.mark.parametrize("group", ["CLAD", "ALEM"])
@pytest.mark.parametrize("year", range(4))
def test_lesions_and_edss_of_each_year_are_as_published(cohort: Simulated, group: str, year: int) -> None:
    """A total that another whole count would bring closer to the published mean was copied wrongly."""
    visits = with_group(cohort)
    rows = visits[(visits["group"] == group) & (visits["visit"] == year)]
    for name in ("new_t2", "new_gd"):
        # half a lesion: the closest whole total to mean times patients
        assert abs(published(f"{name}_year{year}", group) * len(rows) - rows[name].sum()) <= 0.5 + 1e-9
    assert published(f"edss_median_year{year}", group) == rows["edss"].median()
    assert (rows["new_gd"] <= rows["new_t2"]).all()


@pytest.mark.parametrize("group", ["CLAD", "ALEM"])
def test_relapses_of_each_year_are_as_published(cohort: Simulated, group: str) -> None:
    """The percentages are printed to 0.1 or 1 %, less than one patient: only one count fits."""
    patients, visits = cohort.patients, with_group(cohort)
    own = patients[patients["group"] == group]
    shares = [(own["relapses_before"] > 0).mean()]
    for year in (1, 2, 3):
        rows = visits[(visits["group"] == group) & (visits["visit"] == year)]
        shares.append((rows["relapses"] > 0).mean())
    for year, share in enumerate(shares):
        assert published(f"relapse_percent_year{year}", group) == pytest.approx(100 * share, abs=0.1)
    assert published("relapses", group) == pytest.approx(own["relapses_before"].mean(), abs=0.005)


@pytest.mark.parametrize("group", ["CLAD", "ALEM"])
def test_baseline_table_is_as_published(cohort: Simulated, group: str) -> None:
    """Table 1 of the example would otherwise describe other patients."""
    own = cohort.patients[cohort.patients["group"] == group]
    edss = with_group(cohort).query("group == @group and visit == 0")["edss"]
    # ages and durations are rounded to 0.1 year, counts to whole numbers
    assert published("age_of_onset", group) == pytest.approx(own["age"].mean(), abs=0.05)
    assert published("disease_duration", group) == pytest.approx(own["disease_duration"].mean(), abs=0.05)
    assert abs(published("previous_dmts", group) * len(own) - own["previous_dmts"].sum()) <= 0.5
    assert published("edss", group) == pytest.approx(edss.mean(), abs=0.0051)
    assert published("women_percent", group) == pytest.approx(100 * (own["sex"] == "F").mean(), abs=0.5)
    assert (own["disease_duration"] < own["age"] - 5).all()


def test_one_alem_patient_has_over_20_lesions_and_takes_part_in_the_one_year_analysis(cohort: Simulated) -> None:
    """The paper's one exclusion of a patient could not be repeated otherwise."""
    visits = with_group(cohort)
    many = visits[(visits["visit"] == 0) & ((visits["new_t2"] > 20) | (visits["new_gd"] > 20))]
    expected = ["ALEM"]
    assert expected == many["group"].tolist()
    assert (many[["new_t2", "new_gd"]] > 20).all(axis=None)
    own = visits[visits["patient"] == many["patient"].iloc[0]]
    assert {0, 1, 2, 3} == set(own.loc[own["status"] == "usable", "visit"])


def test_lesion_counts_vary_in_the_intervals_of_both_groups(cohort: Simulated) -> None:
    """A group without spread has no slope."""
    intervals = yearly_intervals(cohort.patients, cohort.visits)
    spread = intervals.groupby("group")[["new_t2", "new_gd"]].nunique()
    assert (spread > 1).all(axis=None)


def test_edss_scores_are_legal_and_some_progressions_are_confirmed_some_not(cohort: Simulated) -> None:
    """NEDA-3 would never fail on EDSS, or the state `unconfirmed` would never be seen."""
    legal = {0.0, *(np.arange(2, 21) / 2)}
    assert set(cohort.visits["edss"]) <= legal
    found = Counter()
    for _, rows in cohort.visits.groupby("patient"):
        course = [
            Assessment(visit, float(visit), edss) for visit, edss in zip(rows["visit"], rows["edss"], strict=True)
        ]
        steps = itertools.pairwise(course)
        found.update(edss_progression(course, a.visit, b.visit) for a, b in steps)
    assert found["yes"] >= 2
    assert found["unconfirmed"] >= 2


def test_visits_are_a_year_apart(cohort: Simulated) -> None:
    """Visits outside the tolerance would be flagged in the example."""
    dates = pd.to_datetime(cohort.visits["date"])
    gaps = dates.groupby(cohort.visits["patient"]).diff().dt.days.dropna()
    assert gaps.between(340, 390).all()


@pytest.mark.parametrize("patients", [4, 5, 9, 20, 104])
def test_other_sizes_keep_the_proportions(patients: int) -> None:
    """`example --patients N` would otherwise give cohorts of another kind."""
    cohort = simulate_cohort(patients, 1)
    sizes = cohort.patients["group"].value_counts().to_dict()
    assert patients == sum(sizes.values()) == cohort.patients["patient"].nunique()
    assert group_sizes(patients) == sizes
    assert min(sizes.values()) >= 2
    assert len(yearly_intervals(cohort.patients, cohort.visits)) >= patients
    if patients == 104:
        expected = {"steroid": 4, "quality": 2, "errors": 2, "running": 2, "usable": 298, "none": 52}
        assert expected == Counter(cohort.visits["status"])


def test_apportion_is_exact_and_sums_to_the_total() -> None:
    """Patients would be lost or invented by rounding."""
    expected = {"a": 8, "b": 4}
    assert expected == apportion({"a": 2, "b": 1}, 12)
    expected = {"a": 1, "b": 1, "c": 0}
    assert expected == apportion({"a": 1, "b": 1, "c": 1}, 2)
