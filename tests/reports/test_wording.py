"""Numbers and names as a reader sees them."""

# ruff: noqa: SIM300 (the expected value stands first)

from __future__ import annotations

import math

import pytest

from atrobayes.reports.wording import between, listed, number, p_cell, probability, slug, term_words


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
    ("text", "ends"),
    [("-0.0231 to 0.0006", (-0.02311, 0.00056)), ("1.20 to 1.35", (1.2, 1.35)), ("n/a", (math.nan, 1.0))],
)
def test_both_ends_of_an_interval_have_the_same_decimals(text, ends):
    """The end near zero would look more exact than the other."""
    assert text.replace("-", "\N{MINUS SIGN}") == between(*ends)


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
