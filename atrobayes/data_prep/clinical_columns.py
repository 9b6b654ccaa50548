"""The columns of the clinical tables: meaning, unit, how a cell is read, and what a row must keep."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import pandas as pd

from atrobayes.files import MISSING

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SEPARATED = re.compile(r"[+-]?\d+[,;]\d+")
_OTHER_MINUS = re.compile(r"[\u2010-\u2015\u2212\uFE63\uFF0D](?=[\d.])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY_FIRST = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1980, 2100
_FIRST_EVENT_YEAR = 1900
# How other programs write a missing value, in small letters; none of these is a label or a number.
_OTHER_MISSING = frozenset({"na", "nan", "n/a", "#n/a", "<na>"})
EDSS_VALUES = frozenset({0.0} | {half / 2 for half in range(2, 21)})


class IllegalCellError(ValueError):
    """A cell that is not what its column holds; the text is advice, or empty.

    Parameters
    ----------
    todo : str
        Advice.
    kind : str
        What was found, where that is the same in every row of a table from another program; "" elsewhere.
    """

    def __init__(self, todo: str = "", kind: str = "") -> None:
        super().__init__(todo)
        self.kind = kind

    def found(self, text: str) -> str:
        """What was found in words: the cell itself, unless all rows of a table have the same fault."""
        return self.kind or ("nothing" if text == MISSING else repr(text))


@dataclass(frozen=True)
class ClinicalColumn:
    """One column of a clinical table.

    Attributes
    ----------
    name, long_name, units : str
        `units` is "" for text.
    expected : str
        What a cell holds, for error messages.
    read : function of str
        Turns the text of a cell into its value, or raises IllegalCellError.
    missing : float or str
        Value of an empty cell: NaN for numbers, "" for text.
    required : bool
        Whether the column, and a value in every row, must be there.
    labels : bool
        Whether its texts are labels of few kinds, so that two which differ by case alone are likely to be one.
    """

    name: str
    long_name: str
    units: str
    expected: str
    read: Callable[[str], float | str]
    missing: float | str
    required: bool = False
    labels: bool = False

    def value(self, text: str) -> float | str:
        """Value of a cell.

        Raises
        ------
        IllegalCellError
            If the cell is not what the column holds; the text is advice.
        """
        if text == MISSING:
            if self.required:
                raise IllegalCellError("fill it in")
            return self.missing
        if text.lower() in _OTHER_MISSING:
            raise IllegalCellError("fill it in" if self.required else f"write {MISSING} for missing")
        return self.read(text)

    def holds(self, text: str) -> bool:
        """Whether a cell is legal."""
        return self.broken(text) is None

    def broken(self, text: str) -> IllegalCellError | None:
        """What is wrong with a cell; None where it is legal."""
        try:
            self.value(text)
        except IllegalCellError as error:
            return error
        return None


@dataclass(frozen=True)
class RowRule:
    """What the cells of one row must keep among themselves.

    Attributes
    ----------
    column : str
        The one that is named, with its cell, where the rule is broken.
    reads : tuple of str
        Columns the rule looks at; a row with an illegal cell among them is not judged.
    kept : function of DataFrame
        Takes rows of values and says of each whether it keeps the rule.
    expected, todo : str
        As in `Fault`.
    """

    column: str
    reads: tuple[str, ...]
    kept: Callable[[pd.DataFrame], pd.Series[bool]]
    expected: str
    todo: str


def _text(text: str) -> str:
    return text


def read_number(text: str) -> float:
    """Number with a decimal point; whatever else stands there is an IllegalCellError that says what to write."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NUMBER.fullmatch(_OTHER_MINUS.sub("-", text)):
        raise IllegalCellError("write the minus sign as - (the hyphen of the keyboard)")
    if _SEPARATED.fullmatch(_OTHER_MINUS.sub("-", text)):
        raise IllegalCellError("write a decimal point, no comma or semicolon", "a decimal comma" * ("," in text))
    raise IllegalCellError("write a number, or n/a where it is unknown")


def _amount(text: str) -> float:
    value = read_number(text)
    if value < 0 or math.isinf(value):
        raise IllegalCellError("it cannot be negative or infinite")
    return value


def _count(text: str) -> float:
    value = _amount(text)
    if not value.is_integer():
        raise IllegalCellError("it counts things: no fractions")
    return value


def _edss(text: str) -> float:
    value = read_number(text)
    if value not in EDSS_VALUES:
        raise IllegalCellError("0.5 does not exist" if value == 0.5 else "mend the value, or n/a where it is unknown")
    return value


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise IllegalCellError(f"write {' or '.join(choices)}, or n/a")
        return text

    return read


def read_date(text: str) -> str:
    """ISO date as it stands; whatever else stands there is an IllegalCellError that says what to write."""
    if not _DAY.fullmatch(text):
        kind = "a date as day.month.year" if _DAY_FIRST.fullmatch(text) else ""
        raise IllegalCellError("write it as year-month-day", kind)
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise IllegalCellError("there is no such day") from error
    return text


def _day_of(what: str, first_year: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not first_year <= int(read_date(text)[:4]) <= _LAST_YEAR:
            todo = f"{what} lie between {first_year} and {_LAST_YEAR}; where dates were shifted, give years instead"
            raise IllegalCellError(todo)
        return text

    return read


def _finite(text: str) -> float:
    value = read_number(text)
    if math.isinf(value):
        raise IllegalCellError("it cannot be infinite")
    return value


def _columns(*columns: ClinicalColumn) -> Mapping[str, ClinicalColumn]:
    return MappingProxyType({column.name: column for column in columns})


def _counted(name: str, long_name: str) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, "1", "a whole number, 0 or more", _count, math.nan)


def _measured(name: str, long_name: str, units: str) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, units, "a number, 0 or more", _amount, math.nan)


def _label(name: str, long_name: str, *, required: bool = False, labels: bool = False) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, "", "a text", _text, "", required, labels)


def _dated(name: str, long_name: str, what: str = "visits", first_year: int = _FIRST_YEAR) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, "", "a date such as 2021-03-31", _day_of(what, first_year), "")


def _disability(*, required: bool = False) -> ClinicalColumn:
    return ClinicalColumn("edss", "EDSS", "1", "0, 1, 1.5, 2, ... 10", _edss, math.nan, required)


PATIENT_COLUMNS = _columns(
    _label("patient", "Patient", required=True),
    _label("group", "Treatment group", labels=True),
    ClinicalColumn("sex", "Sex", "", "F or M", _one_of("F", "M"), ""),
    _measured("age", "Age at baseline", "year"),
    _measured("disease_duration", "Disease duration at baseline", "year"),
    _counted("previous_dmts", "Previous disease-modifying therapies"),
    _counted("relapses_before", "Relapses in the year before baseline"),
)

VISIT_COLUMNS = _columns(
    _label("patient", "Patient", required=True),
    ClinicalColumn("visit", "Nominal visit", "year", "a whole number, 0 or more", _count, math.nan, required=True),
    _dated("date", "Date of the visit"),
    _measured("years", "Time since visit 0", "year"),
    _label("fsid", "FreeSurfer time point"),
    _counted("new_t2", "New or enlarging T2 lesions; at visit 0 those counted at baseline"),
    _counted("new_gd", "New gadolinium-enhancing lesions; at visit 0 those counted at baseline"),
    _counted("relapses", "Relapses since the previous visit"),
    _disability(),
    _measured("days_since_steroid", "Days since the last intravenous steroid", "day"),
    _dated("steroid_date", "Date of the last intravenous steroid before the scan, in place of days_since_steroid"),
    _label("protocol", "Scan protocol"),
    ClinicalColumn("quality", "Quality of the scan", "", "ok or fail", _one_of("ok", "fail"), ""),
    _label("lesion_mask", "Mask of all lesions (NIfTI), a path from the table's folder that stays in the study's"),
    _label("change_mask", "Mask of new and enlarging lesions only; as lesion_mask"),
    _counted("lesion_mask_reference", "Visit the mask is compared with; n/a: the previous one"),
)

_EVENT_COLUMNS = (
    _label("patient", "Patient", required=True),
    _dated("date", "Date of the event", "events", _FIRST_EVENT_YEAR),
    ClinicalColumn("years", "Time since visit 0; negative before it", "year", "a number", _finite, math.nan),
)

RELAPSE_COLUMNS = _columns(*_EVENT_COLUMNS)

EDSS_COLUMNS = _columns(*_EVENT_COLUMNS, _disability(required=True))
