"""Numbers are read as papers print them, and their digits allow no more than they allow."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrobayes.data_prep.printed import comma_style, exactly, read_printed
from atrobayes.errors import DataError

WAYS = {"rounded": ROUND_HALF_EVEN, "truncated": ROUND_DOWN, "rounded_up": ROUND_UP}


@pytest.mark.parametrize(
    ("text", "value", "places", "bound"),
    [
        ("0.05", 0.05, 2, ""),
        ("−0,31,265", -0.31265, 5, ""),
        ("0,99,870", 0.9987, 5, ""),
        ("–0.04", -0.04, 2, ""),
        ("1\u202f234,5", 1234.5, 1, ""),
        ("1\N{NO-BREAK SPACE}234", 1234.0, 0, ""),
        ("1,234.50", 1234.5, 2, ""),
        ("1.234,50", 1234.5, 2, ""),
        ("1,234,567", 1234567.0, 0, ""),
        ("1.27e-05", 1.27e-5, 7, ""),
        ("1.27 × 10−5", 1.27e-5, 7, ""),
        ("2e3", 2000.0, -3, ""),
        ("<0.001", 0.001, 3, "<"),
        ("≤ 0,05", 0.05, 2, "<"),
        ("> 0.2", 0.2, 1, ">"),
        ("0.03*", 0.03, 2, ""),
        (".5", 0.5, 1, ""),
    ],
)
def test_a_number_is_read_with_its_digits(text: str, value: float, places: int, bound: str) -> None:
    """A comma or a foreign minus sign read wrongly would be a finding about authors who made no slip."""
    number = read_printed(text)
    assert (value, places, bound) == (number.value, number.places, number.bound)
    assert (text in {"0.05", "1.27e-05", "2e3", "<0.001", "> 0.2", ".5"}) == (number.note == "")


@pytest.mark.parametrize("text", ["n.s.", "", "0.1.2", "--1", "inf", "nan", "1 2", "0.05 (0.01)"])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    """Half a cell read as a number would be compared as if it had been printed."""
    with pytest.raises(DataError, match="expected a number"):
        read_printed(text)


def test_a_comma_before_three_digits_means_what_it_means_in_the_table() -> None:
    """1,234 is a thousand in one table and one and a bit in another."""
    with pytest.raises(DataError, match=r"write 1\.234 or 1234"):
        read_printed("1,234")
    assert (1.234, 1234.0) == (
        read_printed("1,234", comma="decimal").value,
        read_printed("1,234", comma="thousands").value,
    )
    assert ("decimal", "thousands", "") == tuple(
        map(comma_style, (["1,234", "0,5"], ["1,234", "0.5"], ["1,234", "12"]))
    )


@pytest.mark.parametrize(
    ("text", "how", "ends"),
    [
        ("0.05", "rounded", (0.045, 0.055)),
        ("0.05", "truncated", (0.05, 0.06)),
        ("0.05", "rounded_up", (0.04, 0.05)),
        ("-0.05", "truncated", (-0.06, -0.05)),
        ("-0.05", "rounded_up", (-0.05, -0.04)),
        ("0.00", "truncated", (-0.01, 0.01)),
        ("0.00", "rounded_up", (0.0, 0.0)),
        ("<0.05", "rounded", (0.0, 0.05)),
    ],
)
def test_bounds_of_printed_digits(text: str, how: str, ends: tuple[float, float]) -> None:
    """Digits taken to allow too little accuse the innocent; too much, and nothing is ever found."""
    assert ends == read_printed(text).bounds(how)


@given(st.floats(-1e4, 1e4), st.integers(0, 6), st.sampled_from(sorted(WAYS)))
def test_a_number_lies_within_the_bounds_of_what_is_printed_of_it(value: float, places: int, how: str) -> None:
    """Any number outside would be an accusation of whoever printed it."""
    text = f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), WAYS[how]):f}"
    low, high = read_printed(text).bounds(how)
    assert low <= value <= high
    assert high - low <= (2 if how == "truncated" else 1) * 10.0**-places * (1 + 1e-6) + 1e-12


def test_numbers_of_our_own_tables_have_eight_digits() -> None:
    """Taken as exact, the eighth digit of our own tables would be found not to fit."""
    low, high = exactly(-0.0123456789).bounds("rounded")
    assert low <= -0.0123456789 <= high
    assert 1e-9 == pytest.approx(high - low)


@pytest.mark.parametrize(
    ("text", "below"),
    [("0.049", True), ("0.05", False), ("<0.05", True), ("≤0.05", True), ("<0.06", False), (">0.01", False)],
)
def test_a_bound_is_below_a_limit_only_where_it_must_be(text: str, below: bool) -> None:
    """A p printed as > 0.01 would be counted as significant, and one printed as < 0.05 not."""
    assert below == read_printed(text).below(0.05)
