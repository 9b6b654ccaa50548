"""Identifiers are refused at the door: names, PESEL numbers, e-mail addresses and dates of birth.

Refused are columns whose whole name is that of an identifier, whatever its spelling (`Last name`, `patientName`,
`IMIĘ`), numbers with a valid PESEL checksum and date, e-mail addresses, and dates that can only be those of births.
Kept are ages, years of birth, and columns that name something else than the patient, such as `scanner_name`,
`protocol_name`, `rater_initials` or `username`. A name that stands in the column `patient`, or eight digits inside a
pseudonym, cannot be told from a pseudonym and are not searched for.

What was found is never repeated: a fault says its kind and its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from atrobayes.errors import DataError, Fault
from atrobayes.files import read_table

# Names of columns in small letters, without accents and separators; English, Polish, German, French.
_KINDS = {
    "a person's name": """
        name names fullname firstname givenname forename forenames middlename surname lastname familyname maidenname
        initials imie imiona nazwisko nazwiskorodowe imieinazwisko imienazwisko nazwiskoimie inicjaly vorname nachname
        familienname nom nomdefamille prenom""",
    "a date of birth": """
        dob birthdate birthday birthdatetime dateofbirth bornon dataurodzenia dataur dzienurodzenia geburtsdatum
        geburtstag datedenaissance datenaissance""",
    "an address or a number to reach somebody": """
        address homeaddress streetaddress street adres adreszamieszkania ulica kodpocztowy postcode postalcode zip
        zipcode adresse plz phone phonenumber telephone telephonenumber mobilephone mobilenumber cellphone fax faxnumber
        tel telefon telefonkomorkowy nrtelefonu numertelefonu email emailaddress mail adresemail""",
    "a personal number": """
        pesel peselnumber nrpesel numerpesel ssn socialsecuritynumber nationalid nationalidnumber nhsnumber mrn
        medicalrecordnumber medicalrecordno hospitalnumber insurancenumber healthinsurancenumber passport
        passportnumber nrdowodu nrdowoduosobistego""",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_OWNER = re.compile(r"^(patients?|subjects?|participants?|pacjenta?|pacjentki)(?=.)")
# NFKD takes accents off letters, but these are letters of their own
_LETTERS = str.maketrans({"ł": "l", "ß": "ss", "ø": "o", "æ": "ae", "đ": "d"})

# No part of a longer number, whatever letters stand around it; as a spreadsheet may write it, with .0
_ELEVEN_DIGITS = re.compile(r"(?<![0-9])(?<![0-9][.,])([0-9]{11})(?:\.0+)?(?![0-9]|[.,][0-9])")
_LONG_NUMBER = re.compile(r"[0-9]{11}")  # few texts have one: the others are passed over fast
# A hash in hexadecimal: its digits would pass for a number once in thousands of pseudonyms
_HASH = re.compile(r"[0-9a-fA-F]{16,}")
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
_CENTURIES = (1900, 2000, 2100, 2200, 1800)  # 0, 20, 40, 60, 80 added to the month
_EMAIL = re.compile(r"[^\s@<>,;:]+@[^\W_][\w-]*(\.[\w-]+)+")
_YEAR_FIRST = re.compile(r"(?<!\w)([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_YEAR_LAST = re.compile(r"(?<!\w)([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})(?![0-9])")
_FIRST_VISIT = 1980  # an earlier visit is a slip, and no birth lies before it
_YEARS_BEFORE = 10  # a date so long before the first visit is a birth's, whatever its column is called

_TODO = "remove it: atrobayes needs none, and keeps none"


def identifier_faults(path: Path, text: pd.DataFrame) -> list[Fault]:
    """Find names, numbers and addresses of persons in a table.

    Parameters
    ----------
    path : Path
        Of the table.
    text : DataFrame
        Its cells as text, indexed by row number.

    Returns
    -------
    list of Fault
        With place and kind of each identifier, never the identifier itself.
    """
    return [*_column_faults(path, text), *_cell_faults(path, text)]


def birth_date_faults(
    path: Path, text: pd.DataFrame, first_visits: Mapping[str, date], dates: frozenset[str] = frozenset()
) -> list[Fault]:
    """Find dates of birth in a table: full dates more than ten years before the patient's first visit.

    Parameters
    ----------
    path : Path
        Of the table.
    text : DataFrame
        Its cells as text, `patient` among the columns, indexed by row number.
    first_visits : mapping of str to date
        First visit of each patient; for a patient without one, the first of all. If there is none at all, every
        full date counts: nothing then needs one.
    dates : frozenset of str
        Columns that are to hold dates, and are passed over.

    Returns
    -------
    list of Fault
        With the place of each, never the date.
    """
    patients = text["patient"] if "patient" in text else pd.Series("", index=text.index, dtype="str")
    earliest = min(first_visits.values(), default=None)
    limits = {row: first_visits.get(patient, earliest) for row, patient in patients.items()}
    found = "a full date that could be a date of birth"
    expected = "no date of birth: ages and durations are given in years"
    todo = "remove it, or give years: of age, or since visit 0"
    return [
        Fault(found, expected, todo, str(path), int(str(row)), column)
        for place, name in enumerate(text, start=1)
        if name not in dates
        for column in [_said(str(name), place)]
        for row, cell in text[name].items()
        if any(_long_before(day, limits[row]) for day in _full_dates(str(cell)))
    ]


def first_dates(visits: pd.DataFrame) -> dict[str, date]:
    """First date of each patient, from 1980 on, in whatever form it is written.

    Parameters
    ----------
    visits : DataFrame
        patient and date as text.
    """
    days: dict[str, date] = {}
    for patient, cell in visits[["patient", "date"]].itertuples(index=False, name=None):
        for day in _full_dates(cell):
            if day.year >= _FIRST_VISIT:
                days[patient] = min(day, days.get(patient, day))
    return days


def identifier_in(text: str) -> str:
    """Say what kind of identifier a text holds, such as "an e-mail address"; "" if it holds none."""
    long = _LONG_NUMBER.search(text)
    if long and any(_is_pesel(digits) for digits in _ELEVEN_DIGITS.findall(_HASH.sub(" ", text))):
        return "an 11-digit number with a valid PESEL checksum"
    return "an e-mail address" if "@" in text and _EMAIL.search(text) else ""


def cell_faults(path: Path, header: Sequence[str], rows: Mapping[int, Sequence[str]]) -> list[Fault]:
    """Find numbers and addresses of persons in the cells and the header of a table, whatever its columns are called.

    Parameters
    ----------
    path : Path
        Of the table.
    header : sequence of str
        Names of its columns.
    rows : mapping of int to sequence of str
        Cells by the line they stand in.

    Returns
    -------
    list of Fault
        As `identifier_faults`.
    """
    # one search for a whole row: few hold anything
    lines = [(1, header), *((line, cells) for line, cells in rows.items() if identifier_in("\n".join(cells)))]
    return [
        Fault(held, "no identifiers", _TODO, str(path), line, _said("".join(header[place : place + 1]), place + 1))
        for line, cells in lines
        for place, cell in enumerate(cells)
        if (held := identifier_in(cell))
    ]


def read_discreetly(path: Path) -> pd.DataFrame:
    """Read a table as text; where it cannot be read, the faults keep to themselves what tells who a patient is.

    Raises
    ------
    DataError
        As `read_table`.
    """
    try:
        return read_table(path)
    except DataError as error:
        raise DataError([_discreet(fault) for fault in error.faults]) from error


def _discreet(fault: Fault) -> Fault:
    held = identifier_in(fault.found)
    return replace(fault, found=f"{held}, not repeated here") if held else fault


def _column_faults(path: Path, text: pd.DataFrame) -> Iterator[Fault]:
    for place, name in enumerate(map(str, text), start=1):
        kind = next((_KIND_OF[spelling] for spelling in _spellings(name) if spelling in _KIND_OF), "")
        held = identifier_in(name)
        if held:
            yield Fault(f"{held} as a column's name", "no identifiers", _TODO, str(path), 1, _said(name, place))
        elif kind:
            todo = f"{_TODO}; rename it if it holds something else"
            yield Fault(f"a column for {kind}", "pseudonyms alone", todo, str(path), 1, name)


def _cell_faults(path: Path, text: pd.DataFrame) -> Iterator[Fault]:
    for place, name in enumerate(text, start=1):
        cells = text[name].astype("str")
        if not identifier_in("\n".join(cells)):  # one search for a whole column: tidy tables have a million rows
            continue
        for row, cell in cells.items():
            if held := identifier_in(cell):
                yield Fault(held, "no identifiers", _TODO, str(path), int(str(row)), _said(str(name), place))


def _said(name: str, place: int) -> str:
    """Name of a column, unless that is itself an identifier."""
    return f"column {place}" if identifier_in(name) or any(_full_dates(name)) else name


def _spellings(name: str) -> tuple[str, str]:
    """Names a column goes by: with and without whose it is."""
    apart = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    letters = "".join(letter for letter in apart if letter.isalpha())
    return letters, _OWNER.sub("", letters)


def _is_pesel(digits: str) -> bool:
    """Whether eleven digits keep the rule: ten weighted digits and the last add up to tens, the first six are a day."""
    if sum(weight * int(digit) for weight, digit in zip(_PESEL_WEIGHTS, digits, strict=True)) % 10:
        return False
    century, month = divmod(int(digits[2:4]), 20)
    return _day(_CENTURIES[century] + int(digits[:2]), month, int(digits[4:6])) is not None


def _full_dates(text: str) -> Iterator[date]:
    """Every day that a text names in full; where day and month could be either, both readings."""
    for year, _, month, day in _YEAR_FIRST.findall(text):
        yield from filter(None, [_day(int(year), int(month), int(day))])
    for first, _, second, year in _YEAR_LAST.findall(text):
        for day, month in ((first, second), (second, first)):
            yield from filter(None, [_day(int(year), int(month), int(day))])


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _long_before(day: date, limit: date | None) -> bool:
    return limit is None or (day.year + _YEARS_BEFORE, day.month, day.day) < (limit.year, limit.month, limit.day)
