"""The columns of patients.tsv and visits.tsv: meaning, unit, and how a cell is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SEPARATED = re.compile(r"[+-]?\d+[,;]\d+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1980, 2100
EDSS_VALUES = frozenset({0.0} | {half / 2 for half in range(2, 21)})


class IllegalCellError(ValueError):
    """A cell that is not what its column holds; the text is advice, or empty."""


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
    """

    name: str
    long_name: str
    units: str
    expected: str
    read: Callable[[str], float | str]
    missing: float | str
    required: bool = False


def _text(text: str) -> str:
    return text


def read_number(text: str) -> float:
    """Number with a decimal point; whatever else stands there is an IllegalCellError that says what to write."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if _SEPARATED.fullmatch(text):
        raise IllegalCellError("write a decimal point, no comma or semicolon")
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


def _date(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise IllegalCellError("write it as year-month-day")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise IllegalCellError("there is no such day") from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        todo = f"visits lie between {_FIRST_YEAR} and {_LAST_YEAR}; where dates were shifted, give years instead"
        raise IllegalCellError(todo)
    return text


def _columns(*columns: ClinicalColumn) -> Mapping[str, ClinicalColumn]:
    return MappingProxyType({column.name: column for column in columns})


def _counted(name: str, long_name: str) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, "1", "a whole number, 0 or more", _count, math.nan)


def _measured(name: str, long_name: str, units: str) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, units, "a number, 0 or more", _amount, math.nan)


def _label(name: str, long_name: str, *, required: bool = False) -> ClinicalColumn:
    return ClinicalColumn(name, long_name, "", "a text", _text, "", required)


PATIENT_COLUMNS = _columns(
    _label("patient", "Patient", required=True),
    _label("group", "Treatment group"),
    ClinicalColumn("sex", "Sex", "", "F or M", _one_of("F", "M"), ""),
    _measured("age", "Age at baseline", "year"),
    _measured("disease_duration", "Disease duration at baseline", "year"),
    _counted("previous_dmts", "Previous disease-modifying therapies"),
    _counted("relapses_before", "Relapses in the year before baseline"),
)

VISIT_COLUMNS = _columns(
    _label("patient", "Patient", required=True),
    ClinicalColumn("visit", "Nominal visit", "year", "a whole number, 0 or more", _count, math.nan, required=True),
    ClinicalColumn("date", "Date of the visit", "", "a date such as 2021-03-31", _date, ""),
    _measured("years", "Time since visit 0", "year"),
    _label("fsid", "FreeSurfer time point"),
    _counted("new_t2", "New or enlarging T2 lesions; at visit 0 those counted at baseline"),
    _counted("new_gd", "New gadolinium-enhancing lesions; at visit 0 those counted at baseline"),
    _counted("relapses", "Relapses since the previous visit"),
    ClinicalColumn("edss", "EDSS", "1", "0, 1, 1.5, 2, ... 10", _edss, math.nan),
    _measured("days_since_steroid", "Days since the last intravenous steroid", "day"),
    _label("protocol", "Scan protocol"),
    ClinicalColumn("quality", "Quality of the scan", "", "ok or fail", _one_of("ok", "fail"), ""),
)
