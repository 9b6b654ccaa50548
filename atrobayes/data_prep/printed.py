"""A number as it stands on paper: its digits, and what they allow it to have been."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from atrobayes.errors import DataError, Fault

ROUNDINGS = ("rounded", "truncated", "rounded_up")

_BOUND = re.compile(r"^([<>≤≥])\s*")
_POWER = re.compile(r"\s*[×x·*]\s*10\s*\^?\s*([-+\u2010-\u2015\u2212]?\d+)$")
_GROUPED = re.compile(r"(?<=\d)[ \u00a0\u2007\u2009\u202f'\u2019](?=\d{3}(?!\d))")
_MARK = re.compile(r"(?<=[\d.])\s*[*†‡§]+$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MOST_POWER = 300  # as far as a computer's numbers go, and some room
_BOUNDS = {"≤": "<", "≥": ">"}


@dataclass(frozen=True)
class Printed:
    """A number and the digits it was printed with.

    Attributes
    ----------
    text : str
        As it stood.
    value : float
        As read.
    places : int
        Decimal places of the last printed digit; negative where that stands for tens or more.
    bound : str
        "<" or ">" where only a bound was printed; else "".
    note : str
        What had to be read otherwise than it stood; "" where nothing.
    """

    text: str
    value: float
    places: int
    bound: str = ""
    note: str = ""

    @property
    def unit(self) -> float:
        """Value of one unit of the last printed place."""
        return float(_unit(self.places))

    def below(self, limit: float) -> bool:
        """Whether it is below a limit: as `is_below`."""
        return is_below(self.value, self.bound, limit)

    def bounds(self, how: str) -> tuple[float, float]:
        """Lowest and highest number that would have been printed so.

        Parameters
        ----------
        how : str
            One of ROUNDINGS: to the nearest last digit, towards 0 ("truncated") or away from it ("rounded_up").

        Returns
        -------
        tuple of two floats
            Both ends belong to it. Of "<" they are 0 and the bound, of ">" the bound and infinity, whatever `how`.
        """
        if self.bound:
            return (0.0, self.value) if self.bound == "<" else (self.value, math.inf)
        value, unit = Decimal(repr(self.value)), _unit(self.places)
        if how == "rounded":
            return float(value - unit / 2), float(value + unit / 2)
        if how == "truncated":
            return float(value - unit * (value <= 0)), float(value + unit * (value >= 0))
        if how == "rounded_up":
            return float(min(value, value - unit * _sign(value))), float(max(value, value - unit * _sign(value)))
        raise ValueError(how)


@dataclass(frozen=True)
class Place:
    """Where a cell stands.

    Attributes
    ----------
    file : str
    row : int or None
        Line number, the header being line 1.
    column : str
    """

    file: str = ""
    row: int | None = None
    column: str = ""

    def fault(self, found: str, expected: str, todo: str = "") -> Fault:
        """Say what is wrong there, in the words of `Fault`."""
        return Fault(found, expected, todo, self.file, self.row, self.column)


def read_printed(text: str, place: Place | None = None, comma: str = "") -> Printed:
    """Read a number as papers print it.

    Parameters
    ----------
    text : str
        With a decimal point or comma, any minus sign, thousands marks, digits grouped after a decimal comma
        ("0,32,629"), "<0.001", "1e-4", "1.2 × 10−5", or marks of significance behind it.
    place : Place, optional
        Where it stands, for the error.
    comma : str
        What one comma before three digits means, as in "1,234": "decimal", "thousands", or "" where nothing tells.

    Returns
    -------
    Printed
        Whatever was read otherwise than it stood is in its note.

    Raises
    ------
    DataError
        If it is no number, or may be two.
    """
    place = place or Place()
    plain, notes = _plain(text.strip())
    bound = _BOUND.match(plain)
    if bound:
        plain = plain[bound.end() :]
    if "," in plain:
        plain, note = _without_commas(plain, place, comma)
        notes.append(note)
    elif plain.count(".") > 1:
        plain, note = _without_points(plain)
        notes.append(note)
    number = _NUMBER.fullmatch(plain)
    if not number:
        raise DataError(place.fault(repr(text), "a number", _advice(text)))
    if abs(float((number[2] or "e0")[1:])) > _MOST_POWER or not math.isfinite(float(plain)):
        expected = f"a power of ten from -{_MOST_POWER} to {_MOST_POWER}"
        raise DataError(place.fault(repr(text), expected, "check it against the publication"))
    sign = bound.group(1) if bound else ""
    return Printed(text, float(plain), _places(plain), _BOUNDS.get(sign, sign), "; ".join(filter(None, notes)))


def is_below(value: float, bound: str, limit: float) -> bool:
    """Whether a printed number is below a limit.

    Parameters
    ----------
    value : float
    bound : str
        "<": below the limit if the bound is not above it; ">": never, because nothing tells; else: by its value.
    limit : float
    """
    if bound == ">":
        return False
    return value <= limit if bound == "<" else value < limit


def comma_style(texts: list[str]) -> str:
    """Say what a comma means in a table: "decimal", "thousands", or "" where nothing tells.

    Parameters
    ----------
    texts : list of str
        Its cells of numbers.
    """
    decimal = any(re.search(r"(?<!\d)0,\d|^\D*\d+,(\d{1,2}|\d{4,})$", text) for text in texts)
    point = any("." in text for text in texts)
    return "decimal" if decimal else "thousands" if point else ""


def exactly(value: float) -> Printed:
    """Give a number of a computed table, printed with eight significant digits, as one that was printed.

    Parameters
    ----------
    value : float
        Finite.
    """
    text = f"{value:.7e}"
    return Printed(f"{value:.8g}", float(text), _places(text))


def _advice(text: str) -> str:
    if "%" in text:
        return "leave the % out, and write p, r and r2 as shares: 0.05 for 5%"
    return "write the number alone, or n/a where none is printed"


def _sign(value: Decimal) -> int:
    return (value > 0) - (value < 0)


def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def _places(plain: str) -> int:
    exponent = Decimal(plain).as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def _plain(text: str) -> tuple[str, list[str]]:
    """Signs, powers and marks as a keyboard writes them; commas stay."""
    notes = []
    for pattern, by, note in (
        (_MARK, "", "a mark behind it left out"),
        (_POWER, r"e\1", "a power of ten written out"),
        (_GROUPED, "", "thousands marks left out"),
    ):
        changed = pattern.sub(by, text)
        if changed != text:
            notes.append(note)
            text = changed
    changed = re.sub(r"(^|e|[<>≤≥]\s*)[\u2010-\u2015\u2212\uFE63\uFF0D]\s*(?=[\d.])", r"\1-", text)
    if changed != text:
        notes.append("another minus sign")
    return changed, notes


def _without_commas(plain: str, place: Place, comma: str) -> tuple[str, str]:
    first, *rest = plain.split(",")
    whole = first.lstrip("+-")
    if "." in plain:
        if plain.rindex(".") > plain.rindex(","):
            return plain.replace(",", ""), "thousands marks left out"
        return plain.replace(".", "").replace(",", ".", 1), "a decimal comma, thousands marks left out"
    if len(rest) > 1 and whole == "0":
        return f"{first}.{''.join(rest)}", "a decimal comma and digits in groups"
    if len(rest) > 1:
        return "".join((first, *rest)), "thousands marks left out"
    may_be_thousands = re.fullmatch(r"[1-9]\d{0,2}", whole) and re.fullmatch(r"\d{3}", rest[0])
    if may_be_thousands and not comma:
        todo = f"write {first}.{rest[0]} or {first}{rest[0]}"
        raise DataError(place.fault(f"{plain!r}, which may be two numbers", "a decimal point", todo))
    if may_be_thousands and comma == "thousands":
        return first + rest[0], "thousands marks left out"
    return f"{first}.{rest[0]}", "a decimal comma"


def _without_points(plain: str) -> tuple[str, str]:
    first, *rest = plain.split(".")
    grouped = first.lstrip("+-") not in {"", "0"} and all(re.fullmatch(r"\d{3}", part) for part in rest)
    return ("".join((first, *rest)), "thousands marks left out") if grouped else (plain, "")
