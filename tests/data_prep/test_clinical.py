"""The clinical tables: every fault named with its place, all of both files at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from atrobayes.data_prep.clinical import read_clinical
from atrobayes.data_prep.clinical_record import patient_table, visit_table
from atrobayes.errors import DataError, Fault
from atrobayes.files import read_table

from .conftest import Tree

VISIT_HEADER = "patient\tvisit\tdate\tyears\tfsid\tnew_t2\tnew_gd\trelapses\tedss\tdays_since_steroid\tquality"


def row(**changed: str) -> str:
    cells = {"patient": "A01", "visit": "1"} | changed
    return "\t".join(cells.get(name, "n/a") for name in VISIT_HEADER.split("\t"))


def faults(tree: Tree) -> list[Fault]:
    with pytest.raises(DataError) as caught:
        read_clinical(tree.study())
    return list(caught.value.faults)


BAD_CELLS = [
    ({"visit": "n/a"}, "visit", "nothing"),
    ({"visit": "one"}, "visit", "a whole number"),
    ({"visit": "-1"}, "visit", "cannot be negative"),
    ({"patient": "n/a"}, "patient", "nothing"),
    ({"patient": "A07"}, "patient", "did you mean"),
    ({"new_t2": "many"}, "new_t2", "found 'many'; expected a whole number, 0 or more"),
    ({"new_t2": "1.5"}, "new_t2", "no fractions"),
    ({"new_gd": "-2"}, "new_gd", "cannot be negative"),
    ({"relapses": "nan"}, "relapses", "a whole number"),
    ({"relapses": "1e999"}, "relapses", "infinite"),
    ({"edss": "0.5"}, "edss", "0.5 does not exist"),
    ({"edss": "10.5"}, "edss", "0, 1, 1.5"),
    ({"edss": "2,5"}, "edss", "decimal point"),
    ({"edss": "2;5"}, "edss", "decimal point"),
    ({"date": "31.12.2020"}, "date", "year-month-day"),
    ({"date": "2021-W01-1"}, "date", "year-month-day"),
    ({"date": "2021-02-30"}, "date", "there is no such day"),
    ({"date": "2201-02-03"}, "date", "between 1980 and 2100"),
    ({"date": "1979-12-31"}, "date", "between 1980 and 2100"),
    ({"date": "NaN"}, "date", "found 'NaN'; expected a date such as 2021-03-31; write n/a for missing"),
    ({"new_t2": "NA"}, "new_t2", "found 'NA'; expected a whole number, 0 or more; write n/a for missing"),
    ({"fsid": "N/A"}, "fsid", "write n/a for missing"),
    ({"visit": "nan"}, "visit", "fill it in"),
    ({"years": "1,0"}, "years", "decimal point"),
    ({"years": "\u22121"}, "years", "write the minus sign as -"),
    ({"edss": "\u20132,5"}, "edss", "decimal point"),
    ({"quality": "good"}, "quality", "ok or fail"),
]


@pytest.mark.parametrize(("changed", "column", "message"), BAD_CELLS)
def test_bad_cell_is_one_error_with_line_and_column(
    tree: Tree, changed: dict[str, str], column: str, message: str
) -> None:
    """A count that is no number would become missing, or stop the run without saying where."""
    tree.visits = [VISIT_HEADER, row(visit="0"), row(**changed)]
    (fault,) = faults(tree)
    assert (3, column) == (fault.row, fault.column)
    assert "visits.tsv" in fault.file
    assert message in str(fault)


def test_faults_of_both_files_come_together_in_order(tree: Tree) -> None:
    """The user would have to run again to see each further fault."""
    tree.settings = '[study]\ngroups = ["CLAD", "ALEM"]\n'
    tree.patients = ["patient\tgroup\tsex\tage", "A01\tCLAD\tF\t30", "A01\tclad\tX\t-3", "A02\tALEM\tM\t4x"]
    tree.visits = [VISIT_HEADER, row(new_t2="x"), row(), row(patient="B1", visit="2"), row(patient="A02", edss="0.5")]
    found = [(fault.file.rpartition("/")[2], fault.row, fault.column) for fault in faults(tree)]
    assert [
        ("patients.tsv", 3, "age"),
        ("patients.tsv", 3, "group"),
        ("patients.tsv", 3, "patient"),
        ("patients.tsv", 3, "sex"),
        ("patients.tsv", 4, "age"),
        ("visits.tsv", 2, "new_t2"),
        ("visits.tsv", 3, "visit"),
        ("visits.tsv", 4, "patient"),
        ("visits.tsv", 5, "edss"),
    ] == sorted(found)


def test_duplicated_visit_names_both_lines(tree: Tree) -> None:
    """One of two contradicting rows would be used, nobody knows which."""
    tree.visits = [VISIT_HEADER, row(visit="1", new_t2="0"), row(visit="1.0", new_t2="4")]
    (fault,) = faults(tree)
    assert "patient A01, visit 1 again (first on line 2)" == fault.found
    assert 3 == fault.row


def test_one_scan_cannot_be_two_visits(tree: Tree) -> None:
    """A copied row would give a year without any change."""
    tree.visits = [VISIT_HEADER, row(visit="0", fsid="s.0"), row(visit="1", fsid="s.0")]
    (fault,) = faults(tree)
    assert "fsid s.0 again (first on line 2)" == fault.found


def test_unknown_group_names_the_nearest_label(tree: Tree) -> None:
    """A typing slip would make a third treatment group."""
    tree.settings = '[study]\ngroups = ["CLAD", "ALEM"]\n'
    tree.patients = ["patient\tgroup", "A01\tClad", "A02\tOCRE", "A03\tn/a", "A04\tALEM"]
    tree.visits = [VISIT_HEADER, row()]
    first, second, third = faults(tree)
    assert "did you mean 'CLAD'?" == first.todo
    assert "one of CLAD, ALEM" == second.expected
    assert "nothing" == third.found


def test_dates_out_of_order_and_disagreeing_years_are_named(tree: Tree) -> None:
    """An interval would be negative, or a year long by one column and two by the other."""
    tree.visits = [
        VISIT_HEADER,
        row(visit="0", date="2020-01-01", years="0"),
        row(visit="1", date="2021-01-01", years="1.0"),
        row(visit="2", date="2022-01-01", years="2.06"),
        row(visit="3", date="2021-12-31", years="2.0"),
        row(visit="0", patient="A02", years="0.1"),
    ]
    found = {(fault.row, fault.column) for fault in faults(tree)}
    assert {(4, "years"), (5, "date"), (5, "years"), (6, "years")} == found
    todo = "visit 3 is later than visit 2: one of the two rows is wrong (lines 4 and 5)"
    assert [todo] * 2 == [fault.todo for fault in faults(tree) if fault.row == 5]


def test_thirteen_days_of_disagreement_are_tolerated_and_the_dates_count(tree: Tree) -> None:
    """Rounded years would be refused."""
    tree.visits = [VISIT_HEADER, row(visit="0", date="2020-01-01"), row(date="2021-01-01", years="1.03")]
    years = read_clinical(tree.study()).visits["years"].tolist()
    assert [0.0, 366 / 365.25] == years


def test_years_count_where_dates_are_missing(tree: Tree) -> None:
    """A study that may not keep dates could not be annualised."""
    tree.visits = [VISIT_HEADER, row(visit="0", date="2020-01-01"), row(years="1.03")]
    assert [0.0, 1.03] == read_clinical(tree.study()).visits["years"].tolist()


def test_absent_time_stays_unknown(tree: Tree) -> None:
    """Nominal years would pass for measured ones."""
    tree.visits = ["patient\tvisit", "A01\t0", "A01\t1"]
    years = read_clinical(tree.study()).visits["years"].tolist()
    assert 0.0 == years[0]
    assert np.isnan(years[1])


def test_missing_required_column_is_named_with_the_likely_one(tree: Tree) -> None:
    """A header with a capital letter would end in a trace of our code."""
    tree.visits = ["Patient\tvisit", "A01\t0"]
    (fault,) = faults(tree)
    assert ("patient", 1) == (fault.column, fault.row)
    assert "rename 'Patient'?" == fault.todo


def test_comma_separated_file_is_recognised(tree: Tree) -> None:
    """The commonest mix-up would be reported as a missing column."""
    tree.visits = ["patient,visit", "A01,0"]
    (fault,) = faults(tree)
    assert "tabs" == fault.expected


def test_tables_without_rows_are_refused(tree: Tree) -> None:
    """An empty cohort would fail much later, in a model."""
    tree.patients = ["patient"]
    assert ["no rows", "no rows"] == [fault.found for fault in faults(tree)]


def test_extra_columns_are_kept_and_near_misses_are_noted(tree: Tree) -> None:
    """A column called new_T2s would silently make every T2 analysis impossible."""
    tree.patients = ["patient\tgroup\tcentre", "A01\tCLAD\tBasel", "A02\tALEM\t"]
    tree.visits = ["patient\tvisit\tnew_T2s", "A01\t0\t3"]
    clinical = read_clinical(tree.study())
    assert ["Basel", ""] == clinical.patients["centre"].tolist()
    assert ("visits.tsv: column 'new_T2s' is kept as an extra; did you mean 'new_t2'?",) == clinical.notes


@pytest.mark.parametrize("name", ["age", "volume", "left", "template", "platform", "assessment_edss", "M/F"])
def test_extra_columns_that_clash_are_refused(tree: Tree, name: str) -> None:
    """A visit's column would overwrite the patient's, or the volumes."""
    tree.visits = [f"patient\tvisit\t{name}", "A01\t0\t3"]
    (fault,) = faults(tree)
    assert name == fault.column


def test_groups_come_in_the_studys_order_or_that_of_the_file(tree: Tree) -> None:
    """The interaction would have the wrong sign."""
    tree.visits = [VISIT_HEADER, row()]
    assert ("CLAD", "ALEM") == read_clinical(tree.study()).groups
    tree.settings = '[study]\ngroups = ["ALEM", "CLAD"]\n'
    assert ("ALEM", "CLAD") == read_clinical(tree.study()).groups


def test_without_a_group_column_all_patients_are_one_group(tree: Tree) -> None:
    """A study of one treatment could not be analysed."""
    tree.patients = ["patient", "A01"]
    tree.visits = [VISIT_HEADER, row()]
    clinical = read_clinical(tree.study())
    assert () == clinical.groups
    assert ["ALL"] == clinical.patients["group"].tolist()


def test_groups_of_the_study_file_need_the_column(tree: Tree) -> None:
    """A forgotten column would turn a comparison of two treatments into none."""
    tree.settings = '[study]\ngroups = ["CLAD", "ALEM"]\n'
    tree.patients = ["patient", "A01"]
    tree.visits = [VISIT_HEADER, row()]
    (fault,) = faults(tree)
    assert "group" == fault.column


def test_visits_are_sorted_by_patient_and_visit(tree: Tree) -> None:
    """Rows in another order would give other files."""
    tree.visits = [VISIT_HEADER, row(patient="A02", visit="0"), row(visit="10"), row(visit="2")]
    visits = read_clinical(tree.study()).visits
    assert [("A01", 2), ("A01", 10), ("A02", 0)] == list(zip(visits["patient"], visits["visit"], strict=True))


def test_visits_in_months_are_one_fault(tree: Tree) -> None:
    """Month 12 would be the twelfth year: no patient-years, and every visit off its nominal date."""
    tree.visits = [VISIT_HEADER, row(visit="0"), row(visit="12"), row(visit="24"), row(patient="A02", visit="6")]
    (fault,) = faults(tree)
    assert ("0, 6, 12, 24", "visit") == (fault.found, fault.column)
    assert "these look like months" in fault.todo


@pytest.mark.parametrize("visits", [("0", "6"), ("0", "11", "12"), ("0",)])
def test_long_followed_years_are_no_months(tree: Tree, visits: tuple[str, ...]) -> None:
    """A cohort followed for twelve years would be refused."""
    tree.visits = [VISIT_HEADER, *(row(visit=visit) for visit in visits)]
    assert len(visits) == len(read_clinical(tree.study()).visits)


STEROID = "patient\tvisit\tdate\tdays_since_steroid\tsteroid_date"


def test_days_since_steroid_come_from_the_dates(tree: Tree) -> None:
    """A scan in the washout would be analysed, its shrinkage that of the steroid."""
    tree.visits = [STEROID, "A01\t0\t2020-03-01\t\t2020-01-01", "A01\t1\t2021-03-01\t9\t", "A01\t2\t2022-03-01\t\t"]
    tree.visits += ["A02\t0\t2020-03-01\t60\t2020-01-01", "A02\t1\t2021-03-01\t0\t2021-03-01"]
    clinical = read_clinical(tree.study())
    # 31 days in January, 29 in February 2020
    np.testing.assert_array_equal([60, 9, np.nan, 60, 0], clinical.visits["days_since_steroid"])
    tree.visits = ["patient\tvisit\tdate\tsteroid_date", "A01\t0\t2020-03-01\t2020-02-20"]
    assert "days_since_steroid" in read_clinical(tree.study()).visit_columns


@pytest.mark.parametrize(
    ("cells", "column", "found", "expected"),
    [
        ("2020-03-01\t\t2020-03-02", "steroid_date", "'2020-03-02'", "a day up to the date of the visit"),
        ("2020-03-01\t5\t2020-03-02", "steroid_date", "'2020-03-02'", "a day up to the date of the visit"),
        ("\t\t2020-01-01", "date", "nothing", "the date of the visit, from which the days since steroid_date count"),
        ("2020-03-01\t61\t2020-01-01", "days_since_steroid", "'61'", "the days from steroid_date to date"),
        ("2020-03-01\t\t2020-13-01", "steroid_date", "'2020-13-01'", "a date such as 2021-03-31"),
        ("2020-30-01\t\t2020-01-01", "date", "'2020-30-01'", "a date such as 2021-03-31"),
    ],
)
def test_a_steroid_date_that_cannot_be_is_one_fault(
    tree: Tree, cells: str, column: str, found: str, expected: str
) -> None:
    """A negative number of days would be under every limit: the scan would be left out, or kept, by a slip."""
    tree.visits = [STEROID, f"A01\t0\t{cells}"]
    (fault,) = faults(tree)
    assert (2, column, found, expected) == (fault.row, fault.column, fault.found, fault.expected)


@pytest.mark.parametrize(
    "path", ["/data/mask.nii", "../mask.nii", "a/../../mask.nii", "C:\\mask.nii", "\\\\server\\mask"]
)
def test_a_lesion_mask_outside_the_study_is_a_fault(tree: Tree, path: str) -> None:
    """A table from somebody else could have any file of this machine read."""
    tree.visits = ["patient\tvisit\tlesion_mask", f"A01\t0\t{path}"]
    (fault,) = faults(tree)
    assert (2, "lesion_mask") == (fault.row, fault.column)
    assert "a path outside the study" in str(fault)


def test_a_lesion_mask_by_its_full_path_is_to_be_named_from_the_table(tree: Tree) -> None:
    """The file lies where it should: told to move it, the user would search for a fault that is not there."""
    tree.visits = ["patient\tvisit\tlesion_mask", f"A01\t0\t{tree.folder / 'masks' / 'a.nii'}"]
    (fault,) = faults(tree)
    assert (2, "lesion_mask", "write it relative to the table's folder") == (fault.row, fault.column, fault.todo)


@pytest.mark.parametrize(
    ("column", "cells", "found"),
    [
        ("edss", ("2,5", "3,0", "\u22121,5"), "a decimal comma"),
        ("date", ("31.03.2021", "1.4.2021", "02.04.2021"), "a date as day.month.year"),
    ],
)
def test_a_column_written_the_other_way_is_one_line(
    tree: Tree, column: str, cells: tuple[str, ...], found: str
) -> None:
    """A table exported with a comma for the point has the same fault in every row: hundreds of lines for one slip."""
    tree.visits = [VISIT_HEADER, *(row(visit=str(n), **{column: cell}) for n, cell in enumerate(cells))]
    with pytest.raises(DataError) as caught:
        read_clinical(tree.study())
    (told,) = [line for line in str(caught.value).splitlines() if f", {column}: " in line]
    assert f"lines 2, 3, 4, {column}: found {found}; expected" in told


def test_labels_that_differ_by_case_alone_are_noted(tree: Tree) -> None:
    """One group would be analysed as two, and nobody would be told."""
    tree.patients = ["patient\tgroup", "A00\tClad", "A01\tCLAD", "A02\tALEM", "A03\tCLAD"]
    tree.visits = ["patient\tvisit", "A01\t0"]
    clinical = read_clinical(tree.study())
    assert ("patients.tsv: group 'Clad' is another than 'CLAD'; did you mean 'CLAD'?",) == clinical.notes
    assert ("Clad", "CLAD", "ALEM") == clinical.groups


def test_lesion_masks_lie_anywhere_in_the_study(tree: Tree) -> None:
    """Masks beside a table in a folder of its own would be refused."""
    (tree.folder / "tables").mkdir()
    tree.settings = '[data]\nsubjects_dir = "fs"\nvisits = "tables/visits.tsv"\n'
    study = tree.study()
    (tree.folder / "tables" / "visits.tsv").write_text(
        "patient\tvisit\tlesion_mask\tlesion_mask_reference\n"
        "A01\t0\t../masks/0.nii.gz\t\nA01\t1\tmasks/./a..b/1.nii\t0\nA01\t2\t\t\n"
    )
    visits = read_clinical(study).visits
    assert ["../masks/0.nii.gz", "masks/./a..b/1.nii", ""] == visits["lesion_mask"].tolist()
    np.testing.assert_array_equal([np.nan, 0, np.nan], visits["lesion_mask_reference"])


def test_rows_from_several_files_are_named_by_their_own_file_and_line(tree: Tree) -> None:
    """A table put together from one file per patient would send the user to a line that no file has."""
    study = tree.study()
    rows = [["A01", "0", "many"], ["A01", "1", "n/a"], ["A01", "1", "n/a"], ["A09", "x", "n/a"]]
    text = pd.DataFrame(rows, columns=["patient", "visit", "new_t2"], index=range(2, 6), dtype="str")
    one, two = tree.folder / "one.tsv", tree.folder / "two.tsv"
    table = visit_table(study, text, {2: (one, 2), 3: (one, 3), 4: (two, 2), 5: (two, 3)})
    with pytest.raises(DataError) as caught:
        read_clinical(study, visits=table)
    found = {(fault.file, fault.row, fault.column, fault.found) for fault in caught.value.faults}
    assert {
        (str(one), 2, "new_t2", "'many'"),
        (str(two), 2, "visit", "patient A01, visit 1 again (first on line 3 of one.tsv)"),
        (str(two), 3, "visit", "'x'"),
        (str(two), 3, "patient", "the unknown patient 'A09'"),
    } == found


def test_rows_from_elsewhere_are_read_like_those_of_the_file(tree: Tree) -> None:
    """The same visits would give another cohort."""
    tree.visits = ["patient\tvisit\tdate\tedss", "A01\t0\t2020-01-01\t2.5"]
    study = tree.study()
    patients, visits = (
        patient_table(study, read_table(study.data.patients)),
        visit_table(study, read_table(study.data.visits)),
    )
    read, given = read_clinical(study), read_clinical(study, patients=patients, visits=visits)
    pd.testing.assert_frame_equal(read.patients, given.patients)
    pd.testing.assert_frame_equal(read.visits, given.visits)
