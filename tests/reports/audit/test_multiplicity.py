"""Numbers of tests and what is left of small p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control
from tables_from_raw import DIGITS, Style

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate
from atrobayes.inference.classical.families import holm
from atrobayes.reports.audit.multiplicity import adjusted, check, odds_bound


def _row(structure: str, p: str, source: str = "Table", analysis: str = "first") -> PublishedEstimate:
    return PublishedEstimate(2, source, analysis, structure, "slope", "A", 20, p=read_printed(p))


def test_the_bound_on_odds_is_that_of_the_paper() -> None:
    """A p-value would be said to speak louder than it can: 0.05, 0.01, 0.001 leave 0.407, 0.125, 0.0188 of the null."""
    np.testing.assert_allclose(
        [1 / 0.407, 1 / 0.125, 1 / 0.0188], [odds_bound(p) for p in (0.05, 0.01, 0.001)], rtol=5e-3
    )
    assert [1.0, 1.0] == [odds_bound(1 / np.e), odds_bound(0.9)]
    # the highest ratio among densities ξ p^(ξ − 1)
    xi = np.linspace(1e-3, 1, 100_000)
    assert (xi * 0.02 ** (xi - 1)).max() == pytest.approx(odds_bound(0.02), rel=1e-6)


def test_printed_digits_hold_the_adjusted_p_of_the_data() -> None:
    """Adjusting rounded p-values would claim more digits than are printed: 200 families against unrounded ones."""
    rng = np.random.default_rng(5)
    for k in range(200):
        p = rng.uniform(size=11) ** 2
        q = adjusted([Style(DIGITS[k % 4]).decimals(value) for value in p])
        exact = zip(false_discovery_control(p), holm(pd.Series(p)), strict=True)
        for (bh, fwer), (true_bh, true_holm) in zip(q, exact, strict=True):
            assert bh[0] - 1e-12 <= true_bh <= bh[1] + 1e-12
            assert fwer[0] - 1e-12 <= true_holm <= fwer[1] + 1e-12


def test_a_result_counts_once_and_families_are_apart() -> None:
    """A result repeated in the abstract would count as another test, and families would be corrected for each other."""
    rows = (
        _row("s", "0.01234"),
        _row("s", "0.01", source="Abstract"),
        _row("t", "0.6"),
        _row("s", "0.04", analysis="b"),
    )
    found = check(Published("", rows))
    assert {"consistent"} == {finding.verdict for finding in found}
    counts = [(finding.analysis, finding.printed, finding.implied) for finding in found if finding.quantity != "p"]
    assert [
        ("", "3 tests, 2 with p < 0.05", "0.15"),
        ("first", "2 tests, 1 with p < 0.05", "0.1"),
        ("b", "1 tests, 1 with p < 0.05", "0.05"),
    ] == counts
    # 2 × 0.01234, the digits allowing 2 × 0.012335 to 2 × 0.012345
    assert ["0.02467 to 0.02469", "0.035 to 0.045"] == [finding.implied for finding in found if finding.quantity == "p"]
    assert [] == check(Published("", ()))


def test_bounds_of_p_count_by_what_they_say() -> None:
    """A p printed as < 0.05 would not count as below 0.05, and one printed as > 0.01 would."""
    whole, _, *ones = check(Published("", (_row("s", "<0.05"), _row("t", ">0.01"), _row("u", "0.6"))))
    assert "3 tests, 1 with p < 0.05" == whole.printed
    assert ["<0.05"] == [finding.printed for finding in ones]


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ("0.0300", "by at most 3.5."),
        ("<0.001", "by 53 or more, no limit can be told."),
        ("0.000", "by 97 or more, no limit can be told."),
    ],
)
def test_a_bayes_factor_is_said_to_multiply_odds(p: str, words: str) -> None:
    """A factor would be taken for odds, and the least that a bound allows for the most."""
    assert check(Published("", (_row("s", p),)))[-1].message.endswith(
        f"alone it multiplies the odds of an association {words}"
    )
