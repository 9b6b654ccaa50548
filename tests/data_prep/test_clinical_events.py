"""Relapses and EDSS of their own dates: placed between the visits, counted, held against what the visits say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrobayes.data_prep.clinical import Clinical, read_clinical
from atrobayes.data_prep.clinical_events import edss_assessments, with_relapse_counts
from atrobayes.errors import DataError, Fault

from .conftest import Tree

DATED = ["patient\tvisit\tdate", "A01\t0\t2020-01-01", "A01\t1\t2021-01-01", "A01\t2\t2022-01-01"]
IN_YEARS = ["patient\tvisit\tyears", "A01\t0\t0", "A01\t1\t1", "A01\t2\t2"]


def read(tree: Tree, visits: Sequence[str], **events: Sequence[str]) -> Clinical:
    tree.visits = list(visits)
    names = "".join(f'{name} = "{name}.tsv"\n' for name in events)
    tree.settings = f'[data]\nsubjects_dir = "fs"\n{names}'
    for name, lines in events.items():
        (tree.folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return read_clinical(tree.study())


def faults(tree: Tree, visits: Sequence[str], **events: Sequence[str]) -> list[Fault]:
    with pytest.raises(DataError) as caught:
        read(tree, visits, **events)
    return list(caught.value.faults)


def counts(clinical: Clinical) -> list[float]:
    return clinical.visits["relapses"].tolist()


def test_relapses_count_from_the_day_after_the_last_visit_to_the_day_of_this_one(tree: Tree) -> None:
    """A relapse on the day of a visit would count twice, or never; one before treatment would count after it."""
    days = ["2019-12-31", "2020-01-01", "2020-01-02", "2021-01-01", "2021-01-02", "2022-01-01", "2022-01-02"]
    clinical = read(tree, DATED, relapses=["patient\tdate", *(f"A01\t{day}" for day in days)])
    np.testing.assert_array_equal([np.nan, 2, 2], counts(clinical))
    assert "relapses" in clinical.visit_columns


@pytest.mark.parametrize(
    ("visits", "event"),
    [
        (DATED, "date\nA01\t2020-07-01"),
        (DATED, "years\nA01\t0.5"),
        (IN_YEARS, "years\nA01\t0.5"),
        (
            ["patient\tvisit\tdate\tyears", "A01\t0\t2020-01-01\t", "A01\t1\t\t1", "A01\t2\t\t2"],
            "date\nA01\t2020-07-01",
        ),
        (["patient\tvisit\tdate", *DATED[2:]], "date\nA01\t2021-07-01"),
    ],
    ids=["dates", "years between dates", "years", "a date between years", "no visit 0"],
)
def test_dates_and_years_meet_through_visit_0(tree: Tree, visits: list[str], event: str) -> None:
    """A registry that exports dates could not be joined to visits that have years, or the other way round."""
    found = counts(read(tree, visits, relapses=f"patient\t{event}".split("\n")))
    expected = [np.nan, 1, 0] if len(visits) == 4 else [np.nan, 1]
    np.testing.assert_array_equal(expected, found)


def test_nobody_in_the_table_of_relapses_means_no_relapse(tree: Tree) -> None:
    """The table is the complete record: patients without relapses would be lost to NEDA-3, all of them stable."""
    clinical = read(tree, [*DATED, "A02\t0\t2020-01-01", "A02\t1\t2021-01-01"], relapses=["patient\tdate"])
    np.testing.assert_array_equal([np.nan, 0, 0, np.nan, 0], counts(clinical))


def test_without_the_table_the_visits_own_counts_stand(tree: Tree) -> None:
    """A study that counts by visit would lose its counts."""
    np.testing.assert_array_equal([1, 2], counts(read(tree, ["patient\tvisit\trelapses", "A01\t0\t1", "A01\t1\t2"])))


def test_a_visit_whose_day_is_unknown_keeps_what_the_table_of_visits_says(tree: Tree) -> None:
    """A visit without a date would be given 0 relapses, which nobody has counted."""
    visits = ["patient\tvisit\tdate\trelapses", "A01\t0\t2020-01-01\t", "A01\t1\t\t3", "A01\t2\t2022-01-01\t"]
    visits += ["A01\t3\t2023-01-01\t"]
    found = counts(read(tree, visits, relapses=["patient\tdate", "A01\t2022-05-01"]))
    np.testing.assert_array_equal([np.nan, 3, np.nan, 1], found)


def test_a_count_that_differs_from_the_table_of_relapses_names_both(tree: Tree) -> None:
    """One of two contradicting records would be used, nobody knows which."""
    visits = [
        "patient\tvisit\tdate\trelapses",
        "A01\t0\t2020-01-01\t5",
        "A01\t1\t2021-01-01\t0",
        "A01\t2\t2022-01-01\t0",
    ]
    (fault,) = faults(tree, visits, relapses=["patient\tdate", "A01\t2021-05-01"])
    assert ("visits.tsv", 4, "relapses") == (fault.file.rpartition("/")[2], fault.row, fault.column)
    assert "0, but relapses.tsv has 1 since the previous visit" == fault.found


BAD_ROWS = [
    ("A09\t2020-05-01\t", "patient", "the unknown patient 'A09'"),
    ("n/a\t2020-05-01\t", "patient", "nothing"),
    ("A01\t2020-02-30\t", "date", "there is no such day"),
    ("A01\t1.5.2020\t", "date", "year-month-day"),
    ("A01\t\t", "date", "a date, or years since visit 0"),
    ("A01\t\t1,5", "years", "decimal point"),
    ("A01\t\tinf", "years", "write a number"),
    ("A01\t\t1e999", "years", "infinite"),
    ("A01\t2020-05-01\t1.0", "years", "years and a date that agree to two weeks"),
    ("A01\t2020-03-01\t", "date", "patient A01, day 2020-03-01 again (first on line 2)"),
]


@pytest.mark.parametrize("table", ["relapses", "edss"])
@pytest.mark.parametrize(("row", "column", "message"), BAD_ROWS)
def test_a_bad_event_is_one_fault_with_line_and_column(
    tree: Tree, table: str, row: str, column: str, message: str
) -> None:
    """A relapse that cannot be placed would be dropped, and its year pass for free of relapses."""
    rows = ["patient\tdate\tyears\tedss", "A01\t2020-03-01\t\t2", f"{row}\t2"]
    (fault,) = faults(tree, DATED, **{table: rows})
    assert (f"{table}.tsv", 3, column) == (fault.file.rpartition("/")[2], fault.row, fault.column)
    assert message in str(fault)


@pytest.mark.parametrize("edss", ["0.5", "3.7", "11", "n/a", "-1", "2,5"])
def test_an_assessment_needs_a_legal_edss(tree: Tree, edss: str) -> None:
    """3.7 would be compared with the thresholds of progression as if it were a step of the scale."""
    (fault,) = faults(tree, DATED, edss=["patient\tdate\tedss", f"A01\t2020-03-01\t{edss}"])
    assert (2, "edss") == (fault.row, fault.column)


def test_faults_of_all_four_tables_come_together_in_their_order(tree: Tree) -> None:
    """The user would have to run again to see each further fault."""
    tree.patients = ["patient\tgroup\tage", "A01\tCLAD\tx"]
    found = faults(
        tree,
        [*DATED, "A01\tx\t2023-01-01"],
        relapses=["patient\tdate", "A01\t"],
        edss=["patient\tdate\tedss", "A01\t2020-03-01\t0.5", "B01\t\t2"],
    )
    assert [
        ("patients.tsv", 2),
        ("visits.tsv", 5),
        ("relapses.tsv", 2),
        ("edss.tsv", 2),
        ("edss.tsv", 3),
        ("edss.tsv", 3),
    ] == [(fault.file.rpartition("/")[2], fault.row) for fault in found]


@pytest.mark.parametrize(
    ("visits", "event", "column"),
    [
        (IN_YEARS, "date\nA01\t2020-07-01", "date"),
        (["patient\tvisit\tdate", "A01\t0\t", *DATED[2:]], "date\nA01\t2020-07-01", "date"),
        (["patient\tvisit\tdate", *DATED[2:]], "years\nA01\t1.5", "years"),
    ],
)
def test_an_event_that_cannot_be_placed_without_a_date_of_visit_0_says_so(
    tree: Tree, visits: list[str], event: str, column: str
) -> None:
    """A relapse would be counted in no year, and the year pass for free of relapses."""
    (fault,) = faults(tree, visits, relapses=f"patient\t{event}".split("\n"))
    assert (2, column) == (fault.row, fault.column)
    assert "but visit 0 of A01 has no date" in fault.found


def test_an_illegible_visit_date_is_not_held_against_the_events(tree: Tree) -> None:
    """One slip in a date would be reported as a fault of every relapse of that patient."""
    (fault,) = faults(
        tree, ["patient\tvisit\tdate", "A01\t0\t2020-13-01", *DATED[2:]], relapses=["patient\tdate", "A01\t2020-07-01"]
    )
    assert ("visits.tsv", 2, "date") == (fault.file.rpartition("/")[2], fault.row, fault.column)


def test_assessments_come_in_years_since_visit_0_by_patient_and_time(tree: Tree) -> None:
    """A rise would be confirmed by an assessment at another time, or of another patient."""
    tree.patients = ["patient", "A02", "A01"]
    rows = ["A01\t2021-01-01\t\t3.5", "A01\t\t0.5\t3", "A02\t\t2\t6", "A01\t1979-01-01\t\t0", "A02\t\t-1\t5"]
    clinical = read(tree, DATED, edss=["patient\tdate\tyears\tedss\tremark", *(f"{row}\tseen" for row in rows)])
    found = clinical.assessments
    assert ["patient", "date", "years", "edss"] == list(found.columns)
    assert ["A02", "A02", "A01", "A01", "A01"] == found["patient"].tolist()
    assert ["", "", "1979-01-01", "", "2021-01-01"] == found["date"].tolist()
    assert [5, 6, 0, 3, 3.5] == found["edss"].tolist()
    # 14975 days from 1979-01-01 to 2020-01-01, 366 in 2020
    np.testing.assert_array_equal([-1, 2, -14975 / 365.25, 0.5, 366 / 365.25], found["years"])


def test_a_study_without_a_table_of_edss_has_no_assessments(tree: Tree) -> None:
    """Whoever reads the assessments need not ask whether there are any."""
    found = read(tree, DATED).assessments
    assert (0, ["patient", "date", "years", "edss"]) == (len(found), list(found.columns))
    assert ["str", "str", "float64", "float64"] == found.dtypes.astype(str).tolist()


@pytest.mark.parametrize("time", ["date\tedss\nA01\t2021-01-01", "years\tedss\nA01\t1.002"])
def test_two_edss_on_one_day_are_a_fault(tree: Tree, time: str) -> None:
    """One of the two would decide about progression, nobody knows which."""
    visits = ["patient\tvisit\tdate\tedss", "A01\t0\t2020-01-01\t2", "A01\t1\t2021-01-01\t3"]
    (fault,) = faults(tree, visits, edss=f"patient\t{time}\t4".split("\n"))
    assert ("edss.tsv", 2, "edss") == (fault.file.rpartition("/")[2], fault.row, fault.column)
    assert "4, but visit 1 of that day has 3" == fault.found
    assert "mend one of the two (visits.tsv, line 3)" == fault.todo


def test_the_same_edss_on_one_day_or_another_on_another_day_is_none(tree: Tree) -> None:
    """A registry that exports the visits' own assessments along with the others would be refused."""
    visits = ["patient\tvisit\tdate\tedss", "A01\t0\t2020-01-01\t2", "A01\t1\t2021-01-01\t3", "A01\t2\t2022-01-01\t"]
    rows = ["A01\t2020-01-01\t2", "A01\t2021-01-02\t4", "A01\t2022-01-01\t6.5", "A02\t2020-01-01\t9"]
    assert 4 == len(read(tree, [*visits, "A02\t0\t2020-02-01\t1"], edss=["patient\tdate\tedss", *rows]).assessments)


def test_a_table_of_events_that_is_not_named_is_noted(tree: Tree) -> None:
    """Relapses the user believes to be counted would be ignored without a word."""
    (tree.folder / "relapses.tsv").write_text("patient\tdate\n")
    expected = 'relapses.tsv is not read: name it in study.toml, relapses = "relapses.tsv" in [data]'
    assert (expected,) == read(tree, DATED).notes
    assert () == read(tree, DATED, relapses=["patient\tdate"]).notes


def test_other_columns_of_events_stay_out_and_near_misses_are_noted(tree: Tree) -> None:
    """A column "source" or "age" of a registry would clash with the cohort; "Years" would be passed over."""
    clinical = read(tree, DATED, relapses=["patient\tdate\tsource\tage\tYears", "A01\t2020-05-01\tx\t40\t"])
    assert ("relapses.tsv: column 'Years' is not used; did you mean 'years'?",) == clinical.notes
    assert not {"source", "age", "Years"} & set(clinical.visits.columns)


def test_an_absent_table_of_events_is_a_fault(tree: Tree) -> None:
    """A misspelt path would count no relapses at all."""
    tree.visits = DATED
    tree.settings = '[data]\nsubjects_dir = "fs"\nrelapses = "relapse.tsv"\n'
    with pytest.raises(DataError, match="no such file"):
        read_clinical(tree.study())


days = st.lists(st.integers(-50, 3000), max_size=8, unique=True)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(visit_days=st.lists(st.integers(1, 2000), min_size=1, max_size=4, unique=True).map(sorted), event_days=days)
def test_every_relapse_between_first_and_last_visit_is_counted_once(
    visit_days: list[int], event_days: list[int]
) -> None:
    """A relapse would be in two years or in none; and dates and years would tell different stories."""
    start = pd.Timestamp("2020-03-01")

    def dated(days: list[int]) -> list[str]:
        return [f"{start + pd.Timedelta(days=day):%Y-%m-%d}" for day in days]

    on = [0, *visit_days]
    common = {"patient": "A", "visit": [float(place) for place in range(len(on))], "relapses": math.nan}
    by_date = pd.DataFrame(common | {"date": dated(on), "years": math.nan})
    by_years = pd.DataFrame(common | {"date": "", "years": [day / 365.25 for day in on]})
    event_dates = pd.DataFrame(
        {"patient": "A", "date": dated(event_days), "years": math.nan}, columns=["patient", "date", "years"]
    )
    event_years = event_dates.assign(date="", years=[day / 365.25 for day in event_days])
    counted = with_relapse_counts(by_date, event_dates)["relapses"]
    assert sum(0 < day <= on[-1] for day in event_days) == counted.sum()
    for visits, events in ((by_years, event_years), (by_date, event_years)):
        np.testing.assert_array_equal(counted, with_relapse_counts(visits, events)["relapses"])


def test_rows_in_any_order_are_counted_alike_and_nothing_is_changed() -> None:
    """The count of a visit would depend on where its row stands."""
    visits = pd.DataFrame(
        {
            "patient": ["A", "A", "A"],
            "visit": [2.0, 0.0, 1.0],
            "date": "",
            "years": [2.0, math.nan, 1.0],
            "relapses": 9.0,
        }
    )
    events = pd.DataFrame({"patient": ["A", "A"], "date": "", "years": [1.5, 0.5]})
    copies = visits.copy(), events.copy()
    np.testing.assert_array_equal([1, np.nan, 1], with_relapse_counts(visits, events)["relapses"])
    pd.testing.assert_frame_equal(copies[0], visits)
    pd.testing.assert_frame_equal(copies[1], events)


def test_an_assessment_without_a_date_of_visit_0_has_no_years() -> None:
    """Its time would be counted from another day than that of the visits."""
    visits = pd.DataFrame({"patient": ["A"], "visit": [1.0], "date": ["2020-01-01"], "years": [math.nan]})
    events = pd.DataFrame({"patient": ["A"], "date": ["2021-01-01"], "years": [math.nan], "edss": [2.0]})
    assert edss_assessments(events, visits, ["A"])["years"].isna().all()
