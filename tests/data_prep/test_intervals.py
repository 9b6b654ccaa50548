"""Patient-years, lost years and changes against numbers worked out by hand."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atrobayes.data_prep.flow import flow
from atrobayes.data_prep.intervals import CHANGE_COLUMNS, INTERVAL_COLUMNS, changes, lost_years, patient_years, spanning
from atrobayes.data_prep.ledger import COLUMNS, STAGES, Exclusion, to_frame
from atrobayes.data_prep.prepare import Prepared, prepare, write_prepared
from atrobayes.data_prep.scans import STATUSES
from atrobayes.errors import DataError
from atrobayes.files import read_table
from atrobayes.study import Definitions

from .conftest import Tree, stats_text

HEADER = "patient\tvisit\tdate\tfsid\tnew_t2\tnew_gd\trelapses\tedss"


@pytest.fixture
def followed(tree: Tree) -> Tree:
    """A01: scans at 0, 1 and 3, EDSS at every visit. A02: a visit without scan between two with."""
    tree.visits = [
        HEADER,
        "A01\t0\t2020-01-01\tv0\t5\t2\t1\t2",
        "A01\t1\t2020-12-31\tv1\t0\t0\t0\t3",
        "A01\t2\t2022-01-01\tn/a\t1\t0\t0\t3",
        "A01\t3\t2023-01-01\tv3\t0\t0\tn/a\t3",
        "A02\t0\t2020-01-01\tw0\t0\t0\t0\t0",
        "A02\t2\t2022-01-01\tw2\t0\t0\t0\t0",
    ]
    tree.scan("v0.long.v")
    tree.scan("v1.long.v", stats_text({"Left-Thalamus": 6860.0, "BrainSegVolNotVent": 1_094_500.0}))
    tree.scan("v3.long.v", stats_text({"Left-Thalamus": 6300.0}))
    tree.scan("w0.long.w")
    tree.scan("w2.long.w")
    return tree


def prepared(tree: Tree) -> Prepared:
    return prepare(tree.study())


def test_patient_year_has_the_counts_of_both_ends_and_real_time(followed: Tree) -> None:
    """Lesions would be paired with another year's atrophy."""
    (row,) = prepared(followed).intervals.to_dict("records")
    assert {
        "patient": "A01", "group": "CLAD", "visit_from": 0, "visit_to": 1, "years": 365 / 365.25,
        "new_t2_from": 5, "new_t2_to": 0, "new_gd_from": 2, "new_gd_to": 0, "relapses": 0,
        "edss_from": 2, "edss_to": 3, "edss_progression": "yes", "neda3": "no", "neda3_failed": "edss", "neda4": "no",
    } == row  # fmt: skip


def test_missed_visit_is_not_bridged_and_each_lost_year_has_one_reason(followed: Tree) -> None:
    """A change over two years would pass for one of a single year."""
    lost = [row for row in prepared(followed).exclusions if row.stage == "interval"]
    assert [
        ("A01", 2, "missed_visit", "no scan at visit 2"),
        ("A01", 3, "missed_visit", "no scan at visit 2"),
        ("A02", 1, "missed_visit", "no row for visit 1"),
        ("A02", 2, "missed_visit", "no row for visit 1"),
    ] == [(row.patient, row.visit, row.rule, row.reason) for row in lost]


def test_changes_are_percent_of_etiv_and_percent_of_the_opening_volume(followed: Tree) -> None:
    """Every slope and comparison would be on another scale than the paper's."""
    table = prepared(followed).changes.set_index("structure")
    thalamus = table.loc["thalamus"]
    assert (14_000.0, 13_860.0, 1_500_000.0) == (thalamus["volume_from"], thalamus["volume_to"], thalamus["etiv"])
    assert 100 * -140 / 1_500_000 == pytest.approx(thalamus["change_pct_etiv"], rel=1e-12)
    assert -1.0 == pytest.approx(thalamus["change_pct"], rel=1e-12)
    assert 0.0 == table.loc["cortex", "change_pct"]


def test_each_scan_is_divided_by_its_own_etiv(tree: Tree) -> None:
    """In cross-sectional data a change of head size would pass for atrophy, or hide it."""
    tree.visits = [HEADER, "A01\t0\tn/a\tv0" + "\tn/a" * 4, "A01\t1\tn/a\tv1" + "\tn/a" * 4]
    tree.scan("v0.long.v")
    tree.scan("v1.long.v", stats_text({"eTIV": 3_000_000.0}))
    table = prepared(tree).changes.set_index("structure")
    assert 100 * (14_000 / 3_000_000 - 14_000 / 1_500_000) == pytest.approx(table.loc["thalamus", "change_pct_etiv"])
    assert {1_500_000.0} == set(table["etiv_from"])
    assert {3_000_000.0} == set(table["etiv"])


def test_annualised_changes_are_divided_by_real_years(followed: Tree) -> None:
    """A year of eleven months would count as much as one of thirteen."""
    plain = prepared(followed).changes
    followed.settings = '[data]\nsubjects_dir = "fs"\n[definitions]\nannualised = true\n'
    yearly = prepared(followed).changes
    for name in ("change_pct", "change_pct_etiv"):
        np.testing.assert_allclose(plain[name] / (365 / 365.25), yearly[name], rtol=1e-12)


def test_unknown_time_makes_annualised_changes_unknown_only(followed: Tree) -> None:
    """Nominal years would be passed off as measured ones."""
    followed.visits = [line.replace("2020-12-31", "n/a") for line in followed.visits]
    result = prepared(followed)
    assert np.isnan(result.intervals["years"]).all()
    assert "undetermined" == result.intervals["neda4"].item()
    assert not np.isnan(result.changes["change_pct"]).any()
    annualised = changes(result.cohort, result.intervals, Definitions(annualised=True))
    assert np.isnan(annualised["change_pct"]).all()


def test_dates_tell_the_time_between_visits_where_visit_0_is_unknown(tree: Tree) -> None:
    """Patients who joined after baseline would have no annualised change."""
    tree.visits = ["patient\tvisit\tdate\tfsid", "A01\t1\t2021-01-01\tv1", "A01\t2\t2022-01-01\tv2"]
    tree.scan("v1.long.v")
    tree.scan("v2.long.v")
    assert [365 / 365.25] == prepared(tree).intervals["years"].tolist()


def test_three_year_change_spans_a_gap(followed: Tree) -> None:
    """The three-year analysis would lose patients who missed a visit between."""
    cohort = prepared(followed).cohort
    rows = spanning(cohort, Definitions(), 0, 3)
    assert [("A01", 5.0)] == list(zip(rows["patient"], rows["new_t2_from"], strict=True))
    table = changes(cohort, rows, Definitions()).set_index("structure")
    assert -5.0 == pytest.approx(table.loc["thalamus", "change_pct"])
    # The EDSS rose by 1 since visit 0 and nobody could confirm it later; relapses at visit 3 are unknown.
    assert ("unconfirmed", "undetermined") == (rows["edss_progression"].item(), rows["neda3"].item())


def test_edss_between_scans_confirms(followed: Tree) -> None:
    """A rise confirmed at a visit without a scan would stay unconfirmed."""
    followed.visits = [line.replace("n/a\t1\t0\t0\t3", "n/a\t1\t0\t0\t2.5") for line in followed.visits]
    assert ["no"] == prepared(followed).intervals["edss_progression"].tolist()


def with_assessments(cohort: xr.Dataset, *rows: tuple[str, str, float, float]) -> xr.Dataset:
    """Patient, date, years and EDSS of assessments between visits."""
    names = ("assessment_patient", "assessment_date", "assessment_years", "assessment_edss")
    columns = zip(*rows, strict=True)
    return cohort.assign({name: ("assessment", list(cells)) for name, cells in zip(names, columns, strict=True)})


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("A01", "2021-03-01", nan, 2.5), "no"),  # two months after the rise of 31 December it is gone
        (("A01", "2020-12-30", nan, 2.5), "yes"),  # the day before the rise: no part of it
        (("A01", "", 1.5, 2.5), "no"),  # half a year later by years; confirms nothing, the EDSS has fallen
        (("A02", "2021-03-01", nan, 2.5), "yes"),  # another patient's
        (("A01", "2021-03-01", nan, nan), "yes"),  # no EDSS
    ],
)
def test_edss_between_visits_takes_part(followed: Tree, row: Any, expected: str) -> None:
    """A rise that was gone before the next visit would be called a progression."""
    cohort = with_assessments(prepared(followed).cohort, row)
    table = patient_years(cohort, Definitions())
    assert [expected] == table["edss_progression"].tolist()


def test_edss_between_visits_confirms_at_24_weeks_to_the_day(followed: Tree) -> None:
    """Rises at a last visit would stay unconfirmed though somebody looked again."""
    followed.visits = followed.visits[:3]
    cohort = prepared(followed).cohort
    days = {"2021-06-16": "unconfirmed", "2021-06-17": "yes"}  # 167 and 168 days after 2020-12-31
    for date, expected in days.items():
        table = patient_years(with_assessments(cohort, ("A01", date, nan, 3.0)), Definitions())
        assert [expected] == table["edss_progression"].tolist(), date
    assert ["unconfirmed"] == patient_years(cohort, Definitions())["edss_progression"].tolist()


def test_neda4_needs_the_whole_brain_and_real_years(followed: Tree) -> None:
    """A study without the whole brain would call brains preserved."""
    followed.visits = [line.replace("\t0\t3", "\t0\t2").replace("\tn/a\t3", "\tn/a\t2") for line in followed.visits]
    followed.visits[2] = "A01\t1\t2020-12-31\tv1\t0\t0\t0\t2"
    assert ["yes"] == prepared(followed).intervals["neda3"].tolist()
    assert ["no"] == prepared(followed).intervals["neda4"].tolist()  # 0.5 % lost in 365 days
    followed.settings = '[data]\nsubjects_dir = "fs"\nstructures = ["thalamus"]\n'
    assert ["undetermined"] == prepared(followed).intervals["neda4"].tolist()


def test_study_with_no_intervals_gives_empty_tables(tree: Tree, tmp_path: Path) -> None:
    """A study still being scanned could not be checked."""
    tree.visits = [HEADER, "A01\t0\tn/a\tn/a" + "\tn/a" * 4]
    result = prepared(tree)
    write_prepared(result, tmp_path / "out")
    assert [column.name for column in INTERVAL_COLUMNS] == list(read_table(tmp_path / "out" / "intervals.tsv"))
    assert [column.name for column in CHANGE_COLUMNS] == list(read_table(tmp_path / "out" / "changes.tsv"))


def test_written_files_are_the_same_bytes_twice_and_say_no_path(followed: Tree, tmp_path: Path) -> None:
    """A rerun would look like a change, and results would tell where they were made."""
    for name in ("a", "b"):
        write_prepared(prepared(followed), tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    tables = ("changes", "exclusions", "flow", "intervals", "lesions", "quality", "volumes")
    assert sorted(["cohort.nc", *(f"{name}.{kind}" for name in tables for kind in ("json", "tsv"))]) == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert str(tmp_path).encode() not in (tmp_path / "a" / name).read_bytes()


def test_faults_of_study_tables_and_folder_come_together(followed: Tree) -> None:
    """The user would meet one fault a run."""
    followed.settings = '[data]\nsubjects_dir = "nowhere"\nstructures = ["thalamos"]\n'
    followed.visits[1] = followed.visits[1].replace("\t5\t", "\tfive\t")
    with pytest.raises(DataError) as caught:
        prepared(followed)
    assert 3 == len(caught.value.faults)


def test_absent_columns_are_noted_with_what_is_lost(two_visits: Tree) -> None:
    """Analyses would be missing from the report with no word why."""
    neda = "NEDA-3 stays undetermined unless other activity is found"
    assert (
        f"visits.tsv has no column new_t2: the analysis by new T2 lesions is skipped, and {neda}",
        f"visits.tsv has no column new_gd: the analysis by new gadolinium-enhancing lesions is skipped, and {neda}",
        f"visits.tsv has no column relapses: {neda}",
        f"visits.tsv has no column edss: {neda}",
    ) == prepared(two_visits).notes


def test_own_structure_that_some_scans_lack_is_noted_once(two_visits: Tree) -> None:
    """Half the scans would drop out of one structure unseen."""
    two_visits.settings = '[data]\nsubjects_dir = "fs"\n[structures]\nmy_own = { sum = ["Left-Caudate"] }\n'
    path = two_visits.subjects / "A01_v1.long.A01_base" / "stats" / "aseg.stats"
    path.write_text(stats_text(left_out=["Left-Caudate", "Right-Caudate"]))
    result = prepared(two_visits)
    assert "my_own: missing in 1 of 4 scans (no Left-Caudate), see exclusions.tsv" in result.notes
    assert ["caudate", "my_own"] == [note.split(":")[0] for note in result.notes if "missing in" in note]
    assert [1] == [row.visit for row in result.exclusions if row.structure == "my_own"]


def test_one_loose_or_missing_scan_is_told_in_the_singular(two_visits: Tree) -> None:
    """The remark would read as if several were meant."""
    two_visits.visits.append("A01\t2\t2\tx")
    two_visits.scan("y.long.z")
    assert (
        "1 scan belongs to no row of the visit table: see exclusions.tsv",
        "1 scan is named but not found: see exclusions.tsv",
    ) == prepared(two_visits).notes[-2:]
    two_visits.visits.append("A01\t3\t3\txx")
    assert "2 scans are named but not found: see exclusions.tsv" == prepared(two_visits).notes[-1]


def test_visit_far_from_its_nominal_date_says_both_times_and_the_tolerance(tree: Tree) -> None:
    """The user could not tell whether the date or the visit is wrong, nor that the visit was kept."""
    tree.visits = [
        "patient\tvisit\tdate\tyears\tfsid",
        "A01\t0\t2020-01-01\tn/a\tn/a",
        "A01\t1\t2020-01-02\tn/a\tn/a",
        "A01\t2\t2023-01-01\tn/a\tn/a",
        "A02\t1\tn/a\t1.75\tn/a",
    ]
    kept = "kept (visit_tolerance_months = 6)"
    assert (
        f"A01, visit 1: nominally 1 year after visit 0, by the dates 1 day; {kept}",
        f"A01, visit 2: nominally 2 years after visit 0, by the dates 3 years; {kept}",
        f"A02, visit 1: nominally 1 year after visit 0, by the column years 21 months; {kept}",
    ) == prepared(tree).notes[-3:]


def test_ledger_is_sorted_by_stage_patient_and_visit() -> None:
    """The same study would give other bytes from another order of reading."""
    rows = [Exclusion(stage, patient, visit) for stage in STAGES for patient in "ab" for visit in (2, 10, None)]
    frame = to_frame(rows[::-1])
    assert rows == [Exclusion(*values) for values in frame.itertuples(index=False, name=None)]
    assert [column.name for column in COLUMNS] == list(frame.columns)


@pytest.fixture
def blank(two_visits: Tree) -> Prepared:
    """Six visits of two patients, whose statuses a test may set as it likes."""
    two_visits.visits += [f"{who}\t{visit}\t{visit}\tn/a" for who in ("A01", "A02") for visit in (2, 4)]
    return prepared(two_visits)


@given(st.lists(st.sampled_from(sorted(STATUSES)), min_size=8, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_flow_counts_add_up_whatever_became_of_the_scans(blank: Prepared, statuses: list[str]) -> None:
    """Patients or scans would disappear between two boxes of the flow diagram."""
    cohort = blank.cohort.assign_coords(scan_status=("record", np.array(statuses)))
    table = flow(cohort, lost_years(cohort))
    intervals = patient_years(cohort, Definitions())
    for (unit, group), steps in table.groupby(["unit", "group"], sort=False):
        kept = steps["n"].to_numpy()
        np.testing.assert_array_equal(kept[:-1] - kept[1:], steps["lost"].to_numpy()[1:], str((unit, group)))
        assert 0 == steps["lost"].iloc[0]
    reasons = table["reasons"].str.findall(r"(\d+)(?:,|$)").map(lambda counts: sum(map(int, counts)))
    assert table["lost"].tolist() == reasons.tolist()
    by_group = table.pivot_table(index="step", columns="group", values="n", sort=False)
    pd.testing.assert_series_equal(by_group["ALL"], by_group["CLAD"] + by_group["ALEM"], check_names=False)
    assert statuses.count("usable") == by_group.loc["usable", "ALL"]
    assert len(intervals) == by_group.loc["patient-years", "ALL"]


@pytest.fixture
def losses(two_visits: Tree) -> Tree:
    """A02 has a scan judged bad, a crashed one, and one visit without any."""
    two_visits.visits = [f"{line}\t{cell}" for line, cell in zip(two_visits.visits, QUALITIES, strict=True)]
    two_visits.visits += ["A02\t2\t2\tcrashed\tok", "A02\t3\t3\tn/a\tn/a"]
    two_visits.scan("crashed.long.A02_base", done=False, log="recon-all -s x exited with ERRORS at Mon\n")
    return two_visits


QUALITIES = ("quality", "ok", "ok", "ok", "fail")


def test_flow_says_in_words_why_scans_are_lost(losses: Tree) -> None:
    """A crashed run and a segmentation judged bad would be one 'failed', and neither could be mended."""
    table = prepared(losses).flow.set_index(["step", "group"])["reasons"]
    assert "no scan 1" == table["scanned", "ALL"]
    assert "recon-all ended with errors 1, segmentation failed quality control 1" == table["finished", "ALEM"]
    years = "no scan at one of the two visits 1, scan at one of the two visits left out 2"
    assert years == table["patient-years", "ALL"]
    reasons = [row.reason for row in prepared(losses).exclusions if row.stage == "interval"]
    assert "scan at visit 2 left out (failed); no scan at visit 3" == reasons[-1]


def test_flow_of_one_group_lists_every_step_once(losses: Tree) -> None:
    """Every number would stand there twice."""
    losses.patients = ["patient\tgroup", "A01\tCLAD", "A02\tCLAD"]
    table = prepared(losses).flow
    assert {"ALL"} == set(table["group"])
    assert table["step"].is_unique
