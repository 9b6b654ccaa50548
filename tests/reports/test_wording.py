"""Numbers and names as a reader sees them."""

from __future__ import annotations

import math

import pytest

from atrobayes.reports.wording import between, decimals, fixed, listed, number, p_cell, probability, slug, term_words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.0123", 0.012345), ("−0.0123", -0.012345), ("123", 123.4), ("1.00", 0.9999), ("0", 0.0), ("n/a", math.nan),
        ("0.00000123", 1.234e-6), ("1.23e−08", 1.234e-8), ("0.000300", 3e-4),
    ],
)  # fmt: skip
def test_numbers_have_three_significant_digits(text, value):
    """A small slope would be rounded to zero."""
    assert text.replace("−", "\N{MINUS SIGN}") == number(value)


@pytest.mark.parametrize(
    ("places", "half"), [(2, 0.3), (2, 2.99), (3, 0.299), (1, 3.0), (0, 30.0), (0, 4e5), (5, 0.0003), (3, math.nan)]
)
def test_the_narrower_interval_gets_two_or_three_digits(places, half):
    """An interval of 0.035 on either side would be written to one digit, or to six."""
    assert places == decimals([half, 4e9] if half > 0 else [half])


def test_an_end_of_an_interval_is_never_rounded_to_zero():
    """Whether an interval holds zero would be left to the reader's guess."""
    assert "−0.00502 to 0.00003" == between(-0.00502, 0.0000265, decimals([0.0025], [-0.00502, 0.0000265]))
    assert 7 == decimals([0.0025], [-0.005, 0.0000004])
    assert 5 == decimals([0.0025], [-0.005, 0.0])


def test_rounded_to_zero_has_no_sign():
    """A slope of nothing would be shown as a small loss."""
    assert "0.000" == fixed(-0.0000012, 3)
    assert "−0.050" == fixed(-0.05, 3)
    assert "n/a" == fixed(math.nan, 3)
    assert "n/a" == between(math.nan, 1.0, 2)


def test_probabilities_are_never_rounded_to_certainty_or_across_a_cut_off():
    """A pd of 0.9753 shown as 0.975 would contradict its verdict; none is 1."""
    assert "0.9753" == probability(0.9753)
    assert "> 0.9999" == probability(1.0)
    assert "< 0.0001" == probability(0.0)
    assert "0.0496" == p_cell(0.0496)
    assert "< 0.0001" == p_cell(3e-9)


def test_terms_are_said_in_words():
    """A clinician would have to guess what slope[ALL] means."""
    assert "slope in all patients" == term_words("slope[ALL]", ())
    assert "interaction (slope in A \N{MINUS SIGN} slope in B)" == term_words("interaction", ("A", "B"))
    assert "difference" == term_words("difference", ("A", "B"))


def test_lists_read_as_sentences():
    """Reasons would run into each other."""
    assert "a, b and c" == listed("abc")
    assert "" == listed([])


def test_slugs_are_safe_in_ids_and_file_names():
    """An anchor with a quote in it would break the page."""
    assert "contrast-a-slope-b-x-b" == slug("contrast", "a", "slope[<b>x</b>]").rstrip("-")
