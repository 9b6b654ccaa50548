"""Names, PESEL numbers, e-mail addresses and dates of birth are refused, and never repeated."""

from __future__ import annotations

import string
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.data_prep.clinical import read_clinical
from atrobayes.data_prep.privacy import birth_date_faults, first_dates, identifier_faults, identifier_in
from atrobayes.errors import DataError

from .conftest import Tree

VISITS = ["patient\tvisit\tdate", "A01\t0\t2020-01-01", "A01\t1\t2021-01-01"]
PATH = Path("patients.tsv")


def pesel(day: str, serial: str = "0000") -> str:
    """Six digits of a day and a serial number with their check digit: nobody's number, as serials of zeros are."""
    weights = (1, 3, 7, 9) * 3
    return f"{day}{serial}{-sum(w * int(d) for w, d in zip(weights, day + serial, strict=False)) % 10}"


def refused(tree: Tree) -> DataError:
    with pytest.raises(DataError) as caught:
        read_clinical(tree.study())
    return caught.value


def table(**columns: str) -> pd.DataFrame:
    return pd.DataFrame({name: [text] for name, text in columns.items()}, index=[2], dtype="str")


VALID = [
    pesel("800101"),  # 1 January 1980
    pesel("052229"),  # 29 February 2005 is no day, see below; 22 stands for February of the next century
    pesel("042229"),
    pesel("998131"),  # 1899
]


def test_a_pesel_needs_its_check_digit_and_a_day() -> None:
    """Any number of eleven digits would be refused, or none."""
    assert [True, False, True, True] == [bool(identifier_in(number)) for number in VALID]
    wrong = [f"{VALID[0][:-1]}{digit}" for digit in string.digits if digit != VALID[0][-1]]
    assert [""] * 9 == [identifier_in(number) for number in wrong]
    assert "" == identifier_in(pesel("801301"))  # no thirteenth month
    # 0·1 + 4·3 + 2·7 + 2·9 + 2·1 + 9·3 = 73, and 73 + 7 is a multiple of ten
    assert "an 11-digit number with a valid PESEL checksum" == identifier_in("04222900007")


@pytest.mark.parametrize(
    "cell", ["{}", "sub-{}", "{}_v1", "PESEL: {}.", "({})", "{}.0", "a/{}/b.nii", "{},", "{};1", "seen {} twice"]
)
def test_a_pesel_is_found_as_a_token_of_any_text(cell: str) -> None:
    """A name of a folder made from the number would carry it into every result."""
    assert identifier_in(cell.format(VALID[0]))


@pytest.mark.parametrize("cell", ["P{}", "{}v0", "{}_v0", "sub{}m12", "x{}", "{}b2", "pesel{}.0"])
def test_letters_beside_it_do_not_hide_a_pesel(cell: str) -> None:
    """A pseudonym made of a letter and the number is the number."""
    assert identifier_in(cell.format(VALID[0]))


@pytest.mark.parametrize("cell", ["1{}", "{}1", "0.{}", "{}.5", "1.2.{}.3", "ab{}cd0", "d41d8cd98f{}ECF8427E"])
def test_digits_of_a_longer_number_or_a_hash_are_no_pesel(cell: str) -> None:
    """Measured values, hashed pseudonyms and DICOM numbers would be refused once in fifty."""
    assert "" == identifier_in(cell.format(VALID[0]))


@pytest.mark.parametrize("cell", ["a.b@example.org", "mailto:a+b@clinic.example.pl", "x <a@b.example>"])
def test_an_email_address_is_found(cell: str) -> None:
    """An address names a person and where they can be found."""
    assert "an e-mail address" == identifier_in(cell)


@pytest.mark.parametrize("cell", ["T1@3T", "5 @ noon", "a@b", "@home.de"])
def test_an_at_sign_alone_is_no_address(cell: str) -> None:
    """Names of protocols would be refused."""
    assert "" == identifier_in(cell)


REFUSED_NAMES = [
    "name", "Name", "surname", "first_name", "Last name", "lastName", "imie", "imię", "IMIĘ", "Nazwisko", "full-name",
    "initials", "patient_name", "PatientName", "imie_i_nazwisko", "address", "phone", "telefon", "E-mail", "email",
    "PESEL", "pesel_number", "SSN", "mrn", "DOB", "birth_date", "Date of birth", "data_urodzenia", "PatientBirthDate",
    "Geburtsdatum", "prénom", "name_2",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_a_column_for_an_identifier_is_refused_whatever_its_spelling(name: str) -> None:
    """Names would be written into the cohort and from there into results that are shared."""
    (fault,) = identifier_faults(PATH, table(**{"patient": "A01", name: "x"}))
    assert (1, name, str(PATH)) == (fault.row, fault.column, fault.file)


KEPT_NAMES = [
    "patient", "patients", "subject", "group", "sex", "age", "Age at baseline", "wiek", "birth_year", "scanner_name",
    "protocol_name", "rater_initials", "username", "site", "centre", "phonemes", "telemetry", "named_drug", "date",
    "steroid_date", "lesion_mask", "email_sent", "ethnicity", "MSSS", "",
]  # fmt: skip


@pytest.mark.parametrize("name", KEPT_NAMES)
def test_a_column_of_something_else_is_kept(name: str) -> None:
    """A user would have to rename columns that name nobody."""
    assert [] == identifier_faults(PATH, table(**{"patient": "A01", name: "x"}))


TABLES = ("patients", "visits", "relapses", "edss")


@pytest.mark.parametrize("place", TABLES)
@pytest.mark.parametrize("known", [True, False], ids=["as the patient", "in another column"])
@pytest.mark.parametrize("secret", [VALID[0], "someone@example.org"], ids=["PESEL", "e-mail"])
def test_an_identifier_in_any_table_is_the_only_fault_and_is_not_repeated(
    tree: Tree, place: str, known: bool, secret: str
) -> None:
    """The number would stand in the terminal, in logs, and in the mail in which somebody asks what it means."""
    heads = {
        "patients": "patient\tgroup\tremark",
        "visits": "patient\tvisit\tdate\tremark",
        "relapses": "patient\tdate\tremark",
        "edss": "patient\tdate\tedss\tremark",
    }
    tree.settings = '[data]\nsubjects_dir = "fs"\nrelapses = "relapses.tsv"\nedss = "edss.tsv"\n'
    lines = {}
    for name, head in heads.items():
        cells = dict.fromkeys(head.split("\t"), "wrong") | {"patient": "B07"}
        if name == place:
            cells |= {"patient" if known else "remark": secret}
        lines[name] = [head, "\t".join(cells.values())]
    tree.patients, tree.visits = lines["patients"], lines["visits"]
    for name in ("relapses", "edss"):
        (tree.folder / f"{name}.tsv").write_text("\n".join(lines[name]))
    error = refused(tree)
    (fault,) = error.faults
    assert (f"{place}.tsv", 2, "patient" if known else "remark") == (
        fault.file.rpartition("/")[2],
        fault.row,
        fault.column,
    )
    assert secret not in f"{error} {error.faults!r}"


@pytest.mark.parametrize("secret", [VALID[0], "someone@example.org", "1980-01-01"])
def test_an_identifier_in_the_header_is_not_repeated(tree: Tree, secret: str) -> None:
    """A table without a header has its first patient's cells for names of columns."""
    tree.visits = VISITS
    tree.patients = [f"patient\tgroup\t{secret}", f"A01\tCLAD\t{secret}"]
    assert secret not in str(refused(tree))


@pytest.mark.parametrize(
    "born", ["1980-05-31", "31.05.1980", "31/05/1980", "05/31/1980", "1.5.1980", "born 1980-05-31"]
)
@pytest.mark.parametrize("column", ["remark", "age", "patient"])
def test_a_date_long_before_the_first_visit_is_a_date_of_birth(tree: Tree, born: str, column: str) -> None:
    """A birth date identifies, whatever its column is called, and an illegal age would repeat it."""
    cells = {"patient": "A01", "age": "40", "remark": "x"} | {column: born}
    tree.patients = ["\t".join(cells), "\t".join(cells.values())]
    tree.visits = VISITS
    error = refused(tree)
    assert [(2, column)] == [(fault.row, fault.column) for fault in error.faults]
    assert born not in str(error)
    assert "1980" not in repr(error.faults)


@pytest.mark.parametrize("cell", ["2019-05-01", "1.5.2010", "2010-01-01", "1980", "40", "1980.5", "7.4.1", "19800531"])
def test_later_dates_ages_and_years_are_kept(tree: Tree, cell: str) -> None:
    """Start of treatment, age and year of birth are what cohorts are described by."""
    tree.patients, tree.visits = ["patient\tage\tnote", f"A01\t40.5\t{cell}"], VISITS
    patients = read_clinical(tree.study()).patients
    assert [cell] == patients["note"].tolist()
    assert [40.5] == patients["age"].tolist()


def test_where_no_visit_has_a_date_the_table_of_patients_needs_none(tree: Tree) -> None:
    """A study that gives away no dates would let one through, and nothing says that it is no birth date."""
    tree.patients, tree.visits = ["patient\tnote", "A01\t2019-05-01"], ["patient\tvisit\tnote2", "A01\t0\t2019-06-01"]
    assert [(2, "note")] == [(fault.row, fault.column) for fault in refused(tree).faults]


def test_a_birth_date_in_the_visits_is_refused_and_their_own_dates_are_not(tree: Tree) -> None:
    """Extra columns of visits go into the cohort too."""
    tree.visits = ["patient\tvisit\tdate\tnote", "A01\t0\t2010-01-01\t1980-05-31", "A01\t1\t2021-01-01\t"]
    assert [("visits.tsv", 2)] == [(fault.file.rpartition("/")[2], fault.row) for fault in refused(tree).faults]


def test_an_address_twice_in_the_header_is_not_repeated(tree: Tree) -> None:
    """A table that cannot be read is named before anything else is known of it."""
    tree.visits, tree.patients = VISITS, ["patient\ta@example.org\ta@example.org", "A01\tx\ty"]
    assert "a@example.org" not in str(refused(tree))


def test_a_visit_in_the_wrong_century_hides_no_birth_date(tree: Tree) -> None:
    """A slip in the year of a visit would put every birth after it."""
    tree.patients = ["patient\tage", "A01\t1980-05-31"]
    tree.visits = ["patient\tvisit\tdate", "A01\t0\t0220-01-01", "A01\t1\t2021-01-01"]
    assert [(2, "age")] == [(fault.row, fault.column) for fault in refused(tree).faults]


def test_ten_years_count_from_the_patients_first_visit_else_from_the_first_of_all() -> None:
    """A start of treatment would be refused because another patient was seen decades later."""
    days = pd.DataFrame({"patient": ["A", "A", "B"], "date": ["2021-01-01", "2020-01-01", "2000-01-01"]})
    first = first_dates(days)
    assert {"A": date(2020, 1, 1), "B": date(2000, 1, 1)} == first
    text = pd.DataFrame(
        {"patient": ["A", "B", "C"], "note": ["2009-12-31", "2009-12-31", "1989-12-31"]}, index=[2, 3, 4]
    )
    assert [2, 4] == [fault.row for fault in birth_date_faults(PATH, text, first)]
