"""Patients and visits of a BIDS dataset, read as our own tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.data_prep.bids import _without_sessions, bids_tables
from atrobayes.data_prep.clinical import Clinical, read_clinical
from atrobayes.data_prep.prepare import prepare
from atrobayes.errors import DataError, StudyError

from .conftest import Tree

PARTICIPANTS = ("participant_id\tage\tsex\tgroup", "sub-A01\t31\tF\tCLAD", "sub-A02\t40\tM\tALEM")
TIMED = ("session_id\tacq_time", "ses-01\t2020-03-01T09:30:00", "ses-02\t2021-03-10T10:00:00")


def _write(root: Path, participants: Sequence[str] = PARTICIPANTS, **sessions: Sequence[str]) -> Path:
    root.mkdir()
    (root / "participants.tsv").write_text("\n".join(participants) + "\n")
    for subject, lines in sessions.items():
        (root / f"sub-{subject}").mkdir()
        (root / f"sub-{subject}" / f"sub-{subject}_sessions.tsv").write_text("\n".join(lines) + "\n")
    return root


def _clinical(tree: Tree, **sessions: Sequence[str]) -> Clinical:
    _write(tree.folder / "bids", **sessions)
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    return read_clinical(tree.study())


def _faults(tree: Tree, **sessions: Sequence[str]) -> list[str]:
    with pytest.raises(DataError) as error:
        _clinical(tree, **sessions)
    return [str(fault) for fault in error.value.faults]


def test_participants_and_sessions_are_patients_and_visits(tree: Tree) -> None:
    """A BIDS dataset says who was scanned when: typed again by hand, it would be typed wrong."""
    clinical = _clinical(tree, A01=TIMED, A02=TIMED)
    assert ["A01", "A02"] == clinical.patients["patient"].tolist()
    assert ["F", "M"] == clinical.patients["sex"].tolist()
    assert [31.0, 40.0] == clinical.patients["age"].tolist()
    assert ("CLAD", "ALEM") == clinical.groups
    rows = clinical.visits[["patient", "visit", "date", "fsid"]].itertuples(index=False, name=None)
    assert [
        ("A01", 0, "2020-03-01", "sub-A01_ses-01"),
        ("A01", 1, "2021-03-10", "sub-A01_ses-02"),
        ("A02", 0, "2020-03-01", "sub-A02_ses-01"),
        ("A02", 1, "2021-03-10", "sub-A02_ses-02"),
    ] == list(rows)


@pytest.mark.parametrize(
    ("written", "read"),
    [("F", "F"), ("f", "F"), ("female", "F"), ("Male", "M"), ("m", "M"), ("o", ""), ("other", ""), ("n/a", "")],
)
def test_every_spelling_of_sex_that_bids_allows_is_read(tree: Tree, written: str, read: str) -> None:
    """A dataset that keeps the standard must not be refused; what has no word here is missing, not guessed."""
    _write(tree.folder / "bids", ("participant_id\tsex", f"sub-A01\t{written}"), A01=TIMED)
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    assert [read] == read_clinical(tree.study()).patients["sex"].tolist()


def test_a_column_visit_goes_before_the_times(tree: Tree) -> None:
    """A patient whose baseline scan is not in the dataset would have visit 1 called visit 0."""
    sessions = ("session_id\tacq_time\tvisit\tedss", "ses-b\t2021-03-01\t1\t2.5", "ses-c\t2022-03-01\t2\t3")
    visits = _clinical(tree, A01=sessions, A02=TIMED).visits
    assert [1, 2, 0, 1] == visits["visit"].tolist()
    assert [2.5, 3.0] == visits["edss"].tolist()[:2]


def test_a_missed_session_does_not_renumber_the_later_ones(tree: Tree) -> None:
    """By their order, a scan after two years would be compared as if after one: twice the loss per year."""
    sessions = ("session_id\tacq_time", "ses-1\t2020-03-01", "ses-2\t2022-02-20")
    assert [0, 2] == _clinical(tree, A01=sessions).visits["visit"].tolist()


def test_sessions_that_fall_on_one_year_are_an_error_that_lists_them(tree: Tree) -> None:
    """Which of two scans in spring is the yearly one only the investigators know."""
    sessions = ("session_id\tacq_time", "ses-1\t2020-03-01", "ses-2\t2020-05-01", "ses-3\t2021-03-01")
    (fault,) = _faults(tree, A01=sessions)
    assert "found ses-1 at 0.00 years, ses-2 at 0.17 years, ses-3 at 1.00 years" in fault
    assert "sub-A01_sessions.tsv, visit:" in fault
    assert "add a column visit" in fault


def test_a_session_far_from_any_year_is_an_error(tree: Tree) -> None:
    """Under a tolerance of three months a scan after one and a half years belongs to no nominal year."""
    root = _write(tree.folder / "bids", A01=("session_id\tacq_time", "ses-1\t2020-03-01", "ses-2\t2021-09-01"))
    assert ["0", "2"] == bids_tables(root, 6).visits["visit"].tolist()
    with pytest.raises(DataError, match=r"ses-2 at 1\.50 years"):
        bids_tables(root, 3)


def test_a_session_without_a_time_is_an_error_that_names_it(tree: Tree) -> None:
    """It cannot be placed among the others, and left out silently it would be a scan lost."""
    (fault,) = _faults(tree, A01=("session_id\tacq_time", "ses-1\t2020-03-01", "ses-2\tn/a"))
    assert "found no time of ses-2; expected sessions near one nominal year each" in fault


def test_shifted_dates_give_years_and_no_date(tree: Tree) -> None:
    """Dates before 1925 are not true: only the time between them is, and a made-up date must not go into results."""
    sessions = ("session_id\tacq_time", "ses-01\t1892-03-01T09:30:00", "ses-02\t1893-03-10T10:00:00")
    visits = _clinical(tree, A01=sessions).visits
    assert ["", ""] == visits["date"].tolist()
    assert [0.0, pytest.approx(374 / 365.25, abs=1e-5)] == visits["years"].tolist()


def test_shifted_years_count_from_visit_0(tree: Tree) -> None:
    """Counted from a first session that is visit 1, every real time would be a year too short."""
    sessions = ("session_id\tacq_time\tvisit", "ses-01\t1892-03-01\t1", "ses-02\t1893-03-01\t2")
    visits = _clinical(tree, A01=sessions).visits
    assert [True, True] == visits["years"].isna().tolist()


def test_faults_name_the_file_and_line_of_the_dataset(tree: Tree) -> None:
    """The stacked table exists in memory only: line 4 of it is nowhere to be found."""
    bad = ("session_id\tacq_time\tedss", "ses-01\t2020-03-01\t2", "ses-02\t2021-03-01\t0.5")
    (fault,) = _faults(tree, A01=TIMED, A02=bad)
    assert fault.startswith(f"{tree.folder / 'bids' / 'sub-A02' / 'sub-A02_sessions.tsv'}, line 3, edss: found '0.5'")


def test_a_time_that_is_no_date_is_told_with_its_file_and_line(tree: Tree) -> None:
    """An unreadable day must not be taken for a missing one."""
    bad = ("session_id\tacq_time\tvisit", "ses-01\t01.03.2020\t0", "ses-02\t2021-03-01\t1")
    (fault,) = _faults(tree, A01=bad)
    assert "sub-A01_sessions.tsv, line 2, date: found a date as day.month.year" in fault


def test_all_faults_of_all_files_come_at_once(tree: Tree) -> None:
    """One error each run, over fifty files of sessions, is an afternoon."""
    faults = _faults(tree, A01=("session\tacq_time", "1\t2020-03-01"), A02=("session_id", "ses-1", "ses-1"))
    assert 2 == len(faults)
    assert "sub-A01_sessions.tsv, line 1, session_id: found no such column" in faults[0]
    assert "sub-A02_sessions.tsv, line 3, session_id: found ses-1 again" in faults[1]


def test_a_dataset_without_tables_says_which_are_missing(tree: Tree) -> None:
    """ "No such file" for a name that nobody wrote leaves the user searching."""
    (tree.folder / "bids").mkdir()
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    with pytest.raises(DataError) as error:
        read_clinical(tree.study())
    said = str(error.value)
    assert f"{tree.folder / 'bids' / 'participants.tsv'}: found no such file" in said
    assert "sub-*_sessions.tsv: found no such file" in said


def test_a_participant_without_sessions_is_kept_and_told(tree: Tree) -> None:
    """A patient who is enrolled and never seen again belongs into the flow."""
    clinical = _clinical(tree, A01=TIMED)
    assert ["A01", "A02"] == clinical.patients["patient"].tolist()
    assert "participants.tsv: 1 of 2 participants have no sessions.tsv (A02)" in clinical.notes


def test_sessions_of_nobody_are_an_error(tree: Tree) -> None:
    """A folder whose participant was withdrawn must not come back into the study."""
    (fault, *_) = _faults(tree, A01=TIMED, B07=TIMED)
    assert "sub-B07_sessions.tsv, line" in fault
    assert "the unknown patient 'B07'" in fault


def test_scans_are_the_runs_named_after_subject_and_session(tree: Tree) -> None:
    """The whole way: BIDS tables beside a FreeSurfer derivative make a cohort with volumes."""
    for name in ("sub-A01_ses-01", "sub-A01_ses-02", "sub-A02_ses-01"):
        tree.scan(f"{name}.long.{name.partition('_')[0]}")
    _write(tree.folder / "bids", A01=TIMED, A02=TIMED)
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    prepared = prepare(tree.study())
    assert ["usable", "usable", "usable", "missing"] == prepared.cohort["scan_status"].to_numpy().tolist()
    assert "bids/sub-A01/sub-A01_sessions.tsv" in prepared.cohort.attrs["files"]
    assert "bids/participants.tsv" in prepared.cohort.attrs["files"]


def test_two_runs_of_a_session_are_an_error_at_its_table(tree: Tree) -> None:
    """Two templates: which one counts must be said where the session stands."""
    tree.scan("sub-A01_ses-01.long.sub-A01")
    tree.scan("sub-A01_ses-01.long.sub-A01_2")
    _write(tree.folder / "bids", A01=TIMED)
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    with pytest.raises(DataError) as error:
        prepare(tree.study())
    said = str(error.value)
    assert "sub-A01_sessions.tsv, fsid: found sub-A01_ses-01.long.sub-A01 and sub-A01_ses-01.long.sub-A01_2" in said


def test_bids_and_own_tables_together_are_refused(tree: Tree) -> None:
    """Which of the two is read would be a guess."""
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\nvisits = "visits.tsv"\n'
    with pytest.raises(StudyError, match="bids alone: it stands in for patients and visits"):
        tree.study()


def test_identifiers_in_a_dataset_are_refused_and_not_repeated(tree: Tree) -> None:
    """participants.tsv of a clinic may hold more than BIDS asks for."""
    _write(tree.folder / "bids", ("participant_id\tsurname", "sub-A01\tSecret"), A01=TIMED)
    tree.settings = '[data]\nsubjects_dir = "fs"\nbids = "bids"\n'
    with pytest.raises(DataError) as error:
        read_clinical(tree.study())
    assert "participants.tsv, line 1, surname" in str(error.value)
    assert "Secret" not in str(error.value)


@pytest.mark.parametrize(
    ("sessions", "named"),
    [
        (("ses-m12\t2021-03-01",), "ses-m12, which would be visit 0"),
        (("ses-m12\t2021-03-01", "ses-m24\t2022-03-01"), "ses-m12, which would be visit 0"),
        (("ses-y0\t2021-03-01", "ses-y2\t2022-03-01"), "ses-y2, which would be visit 1"),
        (("ses-postop\t2021-03-01",), "ses-postop as the first session"),
        (("ses-02\tn/a",), "ses-02 as the first session"),
        (("ses-02\t2021-03-01", "ses-03\t2022-03-01"), "ses-02 as the first session"),
    ],
)
def test_the_first_session_that_is_there_need_not_be_visit_0(tree: Tree, sessions: tuple[str, ...], named: str) -> None:
    """Every lesion of a scan at month 12 would count as one of baseline, and the year before it as none."""
    (fault,) = _faults(tree, A01=("session_id\tacq_time", *sessions), A02=TIMED)
    assert f"sub-A01_sessions.tsv, visit: found {named}" in fault
    assert "add a column visit" in fault


def test_a_patient_without_the_session_that_others_begin_with_has_no_visit_0_by_guess(tree: Tree) -> None:
    """Where others have a session 0, session 1 is a later one."""
    zero = ("session_id\tacq_time", "ses-0\t2020-03-01", "ses-1\t2021-03-01")
    (fault,) = _faults(tree, A01=zero, A02=("session_id", "ses-1"))
    assert "sub-A02_sessions.tsv, visit: found ses-1 as the first session" in fault


@pytest.mark.parametrize("label", ["bl", "baseline", "m0", "M00", "y0", "0", "01", "v1"])
def test_a_single_session_that_is_called_a_first_one_is_visit_0(tree: Tree, label: str) -> None:
    """A patient seen once would keep the whole dataset from being read."""
    assert [0] == _clinical(tree, A01=("session_id", f"ses-{label}")).visits["visit"].tolist()


def test_names_that_say_months_and_agree_with_the_times_are_read(tree: Tree) -> None:
    """Scans are never on the day: month 12 is the year that is nearest."""
    sessions = ("session_id\tacq_time", "ses-m0\t2020-03-01", "ses-m12\t2021-05-01", "ses-m24\t2022-01-10")
    assert [0, 1, 2] == _clinical(tree, A01=sessions).visits["visit"].tolist()


@pytest.mark.parametrize("secret", ["04222900007", "P04222900007", "someone@example.org"])
def test_an_identifier_is_refused_alone_whatever_else_is_wrong(tree: Tree, secret: str) -> None:
    """The number would be printed as a session given twice, as one far from any year, or in a file's name."""
    _write(
        tree.folder / "bids",
        ("participant_id\tage", f"sub-{secret}\twrong"),
        A01=("session_id\tacq_time", f"ses-{secret}\tn/a", f"ses-{secret}\tn/a"),
    )
    with pytest.raises(DataError) as error:
        bids_tables(tree.folder / "bids")
    places = [(Path(fault.file).name, fault.row) for fault in error.value.faults]
    assert [("participants.tsv", 2), ("sub-A01_sessions.tsv", 2), ("sub-A01_sessions.tsv", 3)] == places
    assert secret not in f"{error.value} {error.value.faults!r}"


def test_a_folder_named_after_a_person_is_refused_and_not_named(tree: Tree) -> None:
    """Every fault of its sessions would say the number as part of the path."""
    _write(tree.folder / "bids", **{"04222900007": ("session_id", "ses-1", "ses-1"), "A02": TIMED})
    with pytest.raises(DataError) as error:
        bids_tables(tree.folder / "bids")
    assert "in the name of 1 of 2 tables of sessions" in str(error.value)
    assert "04222900007" not in f"{error.value} {error.value.faults!r}"


def test_thousands_of_participants_are_looked_up_at_once() -> None:
    """2000 participants of four sessions took twenty seconds."""
    names = [f"A{n:04d}" for n in range(2000)]
    visits, begin = pd.DataFrame({"patient": names * 4}, dtype="str"), time.perf_counter()
    assert () == _without_sessions(pd.DataFrame({"patient": names}, dtype="str"), visits)
    assert time.perf_counter() - begin < 2
