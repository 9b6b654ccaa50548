"""Which run is the scan of a visit: names, patterns and tables, and what is refused as ambiguous."""

from __future__ import annotations

import pytest

from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.matching import Matching
from atrobayes.data_prep.scans import unclaimed_runs
from atrobayes.data_prep.sources import open_sources
from atrobayes.data_prep.structures import resolve_structures

from .conftest import Tree

BY_NAME = '[data]\nsubjects_dir = "fs"\n'
UNDERSCORED = BY_NAME + "visit_pattern = '(?P<patient>[^_]+)_v(?P<visit>.+)'\n"


def _matching(tree: Tree) -> Matching:
    study = tree.study()
    return Matching(study, open_sources(study, resolve_structures(study)))


def _found(matching: Matching, patient: str, visit: int, fsid: str = "") -> list[str]:
    return [match.run.where for match in matching.of_visit({"patient": patient, "visit": visit, "fsid": fsid})]


def _said(matching: Matching) -> str:
    (fault,) = dict.fromkeys(matching.faults)
    return str(fault)


def test_names_with_dots_on_both_sides_of_the_marker_are_split_at_the_marker(tree: Tree) -> None:
    """Split at the first dot, every scan of a real folder would be called "sub", and no visit would find its own."""
    tree.scan("sub.01.bl.01.long.sub.01.base.03")
    tree.scan("sub.01.dh.02.long.sub.01.base.03")
    matching = _matching(tree)
    assert ["sub.01.bl.01.long.sub.01.base.03"] == _found(matching, "A01", 0, "sub.01.bl.01")
    assert [] == _found(matching, "A01", 0, "sub")
    assert [] == matching.faults


def test_a_template_whose_name_ends_in_a_number_is_no_scan_of_a_visit(tree: Tree) -> None:
    """A template counted as a third time point would be a scan nobody had, with the mean of the others' volumes."""
    tree.scan("sub.01.bl.01.long.sub.01.base.03")
    tree.scan("sub.01.base.03")
    tree.settings = BY_NAME + "visit_pattern = '(?P<patient>sub.\\d+).\\w+.(?P<visit>\\d+)'\n"
    matching = _matching(tree)
    assert ["sub.01.bl.01.long.sub.01.base.03"] == _found(matching, "sub.01", 1)
    assert [] == _found(matching, "sub.01", 3)
    assert [] == _found(matching, "A01", 3, "sub.01.base.03")


def test_two_templates_of_one_time_point_are_an_error_that_lists_both(tree: Tree) -> None:
    """One of them picked by chance: volumes of a template that the patient's other scans were not made with."""
    tree.scan("A01_v0.long.A01_base")
    tree.scan("A01_v0.long.A01_base2")
    matching = _matching(tree)
    assert [] == _found(matching, "A01", 0, "A01_v0")
    said = _said(matching)
    assert "found A01_v0.long.A01_base and A01_v0.long.A01_base2; expected one run of A01_v0" in said
    assert "write the whole name of the folder meant in fsid" in said


def test_the_whole_name_of_a_folder_settles_which_template_is_meant(tree: Tree) -> None:
    """What the error tells the user to do must work."""
    tree.scan("A01_v0.long.A01_base")
    tree.scan("A01_v0.long.A01_base2")
    matching = _matching(tree)
    assert ["A01_v0.long.A01_base2"] == _found(matching, "A01", 0, "A01_v0.long.A01_base2")
    assert [] == matching.faults


def test_a_pattern_reads_patient_and_visit_from_the_name_of_the_time_point(two_visits: Tree) -> None:
    """Nobody wants to type 150 names of folders that say themselves whose they are."""
    two_visits.settings = UNDERSCORED
    matching = _matching(two_visits)
    expected = {("A01", 0), ("A01", 1), ("A02", 0), ("A02", 1)}
    assert {key: [f"{key[0]}_v{key[1]}.long.{key[0]}_base"] for key in expected} == {
        key: _found(matching, *key) for key in expected
    }
    assert [] == _found(matching, "A01", 2)


def test_two_runs_that_a_pattern_reads_as_one_visit_are_an_error_that_lists_both(tree: Tree) -> None:
    """A repeated scan taken for the first one would be chosen by the order of folders."""
    tree.settings = BY_NAME + "visit_pattern = '(?P<patient>[^_]+)_v(?P<visit>\\d+).*'\n"
    tree.scan("A01_v1.long.A01_base")
    tree.scan("A01_v1rescan.long.A01_base")
    matching = _matching(tree)
    assert [] == _found(matching, "A01", 1)
    said = _said(matching)
    assert "A01_v1.long.A01_base and A01_v1rescan.long.A01_base; expected one run of A01, visit 1" in said


def test_a_name_in_fsid_goes_before_the_pattern(tree: Tree) -> None:
    """Names that were mixed up at the scanner can only be put right by hand."""
    tree.settings = UNDERSCORED
    tree.scan("A01_v0.long.A01_base")
    tree.scan("A01_v1.long.A01_base")
    matching = _matching(tree)
    assert ["A01_v0.long.A01_base"] == _found(matching, "A01", 1, "A01_v0")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?P<patient>[^_]+)_(?P<visit>v.+)", "found the visit 'v0' in A01_v0; expected a whole number"),
        ("(?P<patient>[^_]+)_v0(?P<visit>1)?", "found the visit '' in A01_v0; expected a whole number"),
        ("(?P<patient>B.*)?A01_v(?P<visit>.+)", "found the patient '' in A01_v0; expected a patient"),
    ],
)
def test_a_pattern_that_reads_no_number_or_no_patient_is_an_error(tree: Tree, pattern: str, said: str) -> None:
    """A scan that is passed over because of a "v" too many would be reported as a visit without a scan."""
    tree.settings = BY_NAME + f"visit_pattern = '{pattern}'\n"
    tree.scan("A01_v0.long.A01_base")
    tree.scan("A01_v0")
    assert said in _said(_matching(tree))


def test_a_pattern_that_reads_no_number_anywhere_is_one_fault(tree: Tree) -> None:
    """150 lines that say the same would hide what else is wrong."""
    tree.settings = BY_NAME + "visit_pattern = '(?P<patient>[^_]+)_(?P<visit>v.+)'\n"
    for visit in range(5):
        tree.scan(f"A01_v{visit}.long.A01_base")
    (fault,) = _matching(tree).faults
    assert "the visit 'v0' in A01_v0, the visit 'v1' in A01_v1, the visit 'v2' in A01_v2 and 2 more" == fault.found


def test_a_pattern_that_fits_no_name_shows_what_names_there_are(two_visits: Tree) -> None:
    """Every visit without a scan, and no word why: the user would look for the fault in the folder."""
    two_visits.settings = BY_NAME + "visit_pattern = '(?P<patient>.+)-(?P<visit>\\d+)'\n"
    said = _said(_matching(two_visits))
    assert "data.visit_pattern: found a pattern that fits none of 4 names" in said
    assert "A01_v0, A01_v1, A02_v0" in said
    assert "A02_v1" not in said


def test_a_pattern_that_reads_months_is_an_error(tree: Tree) -> None:
    """Month 12 taken for year 12 leaves no two consecutive visits, and so not one patient-year."""
    tree.settings = BY_NAME + "visit_pattern = '(?P<patient>[^_]+)_m(?P<visit>\\d+)'\n"
    for month in (0, 12, 24):
        tree.scan(f"A01_m{month}.long.A01_base")
    said = _said(_matching(tree))
    assert "found visits 0, 12, 24; expected the nominal year" in said
    assert "look like months" in said


def test_names_a_pattern_does_not_fit_are_in_the_ledger(two_visits: Tree) -> None:
    """A run with a misspelt name must be found by somebody, or its patient-year is lost without a trace."""
    two_visits.settings = UNDERSCORED
    two_visits.visits = ["patient\tvisit\tyears", "A01\t0\t0", "A01\t1\t1", "A02\t0\t0", "A02\t1\t1"]
    two_visits.scan("A02-v2.long.A02_base")
    two_visits.scan("A02_v3.long.A02_base")
    from atrobayes.data_prep.clinical import read_clinical

    study = two_visits.study()
    rows = unclaimed_runs(study, read_clinical(study).visits, open_sources(study, resolve_structures(study)))
    assert [
        Exclusion(
            "found", "A02", rule="scan_without_visit", file="A02-v2.long.A02_base",
            reason="no row of visits.tsv has fsid A02-v2 (long run, finished)",
        ),
        Exclusion(
            "found", "A02", rule="scan_without_visit", file="A02_v3.long.A02_base",
            reason="no row of visits.tsv is A02, visit 3 (long run, finished)",
        ),
    ] == list(rows)  # fmt: skip


def test_a_visit_may_have_a_run_of_each_source(two_visits: Tree) -> None:
    """A table of subfields beside the SUBJECTS_DIR belongs to the same scan: it adds to it, and is no rival."""
    header = "Measure:volume\tLeft-Thalamus\tEstimatedTotalIntraCranialVol"
    lines = [header, "A01_v0.long.A01_base\t7000\t1500000", "A01_v1.long.A01_base\t6900\t1500000"]
    two_visits.settings = '[data]\nsubjects_dir = "fs"\ntables = ["aseg.tsv"]\n'
    (two_visits.folder / "aseg.tsv").write_text("\n".join(lines) + "\n")
    matching = _matching(two_visits)
    assert ["A01_v0.long.A01_base", "aseg.tsv, line 2"] == _found(matching, "A01", 0, "A01_v0")
    assert [] == matching.faults


def test_a_tidy_table_says_itself_whose_its_rows_are(tree: Tree) -> None:
    """Patient and visit stand in it: to ask for a fsid besides would be to ask twice."""
    tree.settings = '[data]\nvolumes = "tidy.tsv"\n'
    rows = ["patient\tvisit\tstructure\tvolume", "A01\t0\tthalamus\t14000", "A01\t1\tthalamus\t13900"]
    (tree.folder / "tidy.tsv").write_text("\n".join(rows) + "\n")
    matching = _matching(tree)
    assert ["tidy.tsv, A01 visit 1"] == _found(matching, "A01", 1)
    assert [] == _found(matching, "A02", 1)


def test_a_name_that_is_not_there_is_told_with_what_may_be_meant(two_visits: Tree) -> None:
    """A typing error in fsid shows as a missing scan: the right name beside it saves a search."""
    two_visits.scan("A02_v2")
    matching = _matching(two_visits)
    claimed = frozenset({"A01_v0"})
    assert "no long run of A01_v9 in the SUBJECTS_DIR; is A01_v1 meant?" == matching.absence("A01_v9", claimed)
    only = "no long run of A02_v2 in the SUBJECTS_DIR, only A02_v2 (cross)"
    assert only == matching.absence("A02_v2", claimed)
