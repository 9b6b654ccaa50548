"""One result in two places, two names on one result: by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tables_from_raw import Style, regressions

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate, PublishedSummary
from atrobayes.reports.audit import same_result, two_names
from atrobayes.reports.audit.coincidence import coincidence, same_digits


def _row(source: str, structure: str = "deep", group: str = "A", model: str = "", **numbers: str) -> PublishedEstimate:
    printed = {name: read_printed(text) for name, text in numbers.items()}
    return PublishedEstimate(2, source, "first", structure, "slope", group, 20, model=model, **printed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0.0471", "0.05", "consistent"),
        ("-0.888", "-0.89", "consistent"),
        ("0.045", "0.05", "consistent"),
        ("0.0471", "0.04", "only_under"),
        ("0.0421", "0.05", "only_under"),
        # 0.045 alone is no common ground: cut off 0.04 and rounded 0.05 is
        ("0.04", "0.05", "only_under"),
        ("0.04", "0.06", "inconsistent"),
        ("0.0471", "0.06", "inconsistent"),
        ("-0.01", "0.01", "inconsistent"),
        ("<0.001", "0.00001", "consistent"),
        ("<0.001", "0.002", "inconsistent"),
    ],
)
def test_two_printed_numbers_are_judged_as_by_hand(one: str, other: str, expected: str) -> None:
    """Rounding would be mistaken for a disagreement, or a disagreement for rounding."""
    rows = (_row("Table", p=one), _row("Text", p=other)) if "-" not in one else ()
    rows = rows or (_row("Table", estimate=one), _row("Text", estimate=other))
    for order in (rows, rows[::-1]):
        findings = same_result.check(Published("", order))
        assert [expected] == [finding.verdict for finding in findings if finding.quantity != "n"]


def test_rows_of_other_models_need_not_agree() -> None:
    """A simple regression beside a mixed model would be called a misprint."""
    table, figure = _row("Table", p="0.05479"), _row("Figure", model="ordinary", p="0.0645", r="-0.24")
    assert ["cannot_check"] == [finding.verdict for finding in same_result.check(Published("", (table, figure)))]
    of_regression = replace(table, r2=read_printed("0.79"))
    found = same_result.check(Published("", (of_regression, figure)))
    assert {"p": "inconsistent", "n": "consistent"} == {finding.quantity: finding.verdict for finding in found}


def test_other_names_other_sizes_and_summaries() -> None:
    """Different results would be compared, or a different n and a different mean overlooked."""
    table, other = _row("Table", p="0.2"), _row("Text", structure="other", p="0.9")
    assert [] == same_result.check(Published("", (table, other)))
    sizes = same_result.check(Published("", (table, replace(_row("Text", p="0.2"), n=21))))
    assert {"p": "consistent", "n": "inconsistent"} == {finding.quantity: finding.verdict for finding in sizes}
    means = [
        PublishedSummary(2, source, "edss", "A", 20, "mean", read_printed(value), 0.5, None)
        for source, value in (("Table", "3.05"), ("Text", "3.15"))
    ]
    assert ["inconsistent"] == [finding.verdict for finding in same_result.check(Published("", (), tuple(means)))]


def _panels(*p: tuple[str, str, str, str]) -> Published:
    """Source, structure, p in group A, p in group B."""
    return Published(
        "",
        tuple(_row(where, name, group, p=text) for where, name, *ps in p for group, text in zip("AB", ps, strict=True)),
    )


def _unlike(number: int) -> list[tuple[str, str, str, str]]:
    digits = [((k * 7919 + 1234) % 10000, (k * 6007 + 4321) % 10000) for k in range(number)]
    return [("Table", f"s{k}", f"0.{one:04}", f"0.{other:04}") for k, (one, other) in enumerate(digits)]


def test_a_figure_with_another_rows_digits_is_named() -> None:
    """A wrong figure would stand: three and four digits agree, in both groups, with another structure's row."""
    rows = _unlike(8)
    copied = ("Figure", "s7", rows[2][2][:5], rows[2][3][:5])
    assert ["consistent"] == [finding.verdict for finding in two_names.check(_panels(*rows))]
    (finding,) = two_names.check(_panels(*rows, copied))
    assert ("inconsistent", "s2; s7", "Table; Figure", "A; B") == (
        finding.verdict,
        finding.structure,
        finding.source,
        finding.group,
    )


def test_a_row_at_odds_with_its_own_name_needs_fewer_digits() -> None:
    """What a wrong figure carries would not be told: three digits of p, and the table has other numbers for it."""
    rows = _unlike(8)
    copied = ("Figure", "s7", rows[2][2][:4], rows[2][3][:4])
    (finding,) = two_names.check(_panels(*rows, copied))
    assert ("inconsistent", "s2; s7") == (finding.verdict, finding.structure)
    without_own = [row for row in rows if row[1] != "s7"]
    assert ["consistent"] == [finding.verdict for finding in two_names.check(_panels(*without_own, copied))]


def test_few_digits_are_no_evidence() -> None:
    """Two structures with p = 0.04 in a table of many would be taken for a copy."""
    rows = [("Table", f"s{k}", f"0.{4 + 9 * k:02}", f"0.{90 - 9 * k:02}") for k in range(8)]
    alike = ("Table", "t", rows[3][2], rows[3][3][:3])
    assert ["consistent"] == [finding.verdict for finding in two_names.check(_panels(*rows, alike))]


def test_digits_are_compared_as_far_as_the_shorter_goes() -> None:
    """A copy with fewer digits would pass, or neighbours would be taken for a copy."""
    pairs = {("0.62083", "0.621"): True, ("0.62083", "0.620"): True, ("0.62083", "0.622"): False}
    pairs |= {("0.621", "0.622"): False, ("<0.001", "0.0005"): False, ("<0.001", "<0.001"): True}
    for (one, other), expected in pairs.items():
        assert expected == same_digits(read_printed(one), read_printed(other)), (one, other)


@pytest.mark.parametrize("rho", [0.95, 0.5])
@pytest.mark.parametrize("digits", [2, 3])
def test_the_chance_of_a_coincidence_is_not_understated(rho: float, digits: int) -> None:
    """Structures much alike would be taken for copies: 3,000 pairs of regressions, one slope and SD, correlated."""
    rng, n, style, observed, claimed = np.random.default_rng(digits), 20, Style(digits), 0, 0.0
    for _ in range(3000):
        x, one = rng.poisson(3, size=n), rng.normal(size=n)
        y = np.column_stack([one, rho * one + np.sqrt(1 - rho**2) * rng.normal(size=n)]) + 0.2 * x[:, None]
        raw = regressions(x.astype(float), y)
        rows = [
            replace(_row("Table"), estimate=style.significant(raw.slope[k]), p=style.decimals(raw.p[k])) for k in (0, 1)
        ]
        observed += coincidence(*rows) != 1
        claimed += coincidence(rows[0], rows[0]) or 1.0
    assert observed <= claimed


def test_a_single_group_is_the_whole() -> None:
    """A study of one group would be told that its group and all patients are printed alike."""
    numbers = {"estimate": "-0.0123456", "p": "0.0234567"}
    one, whole = _row("Table", group="A", **numbers), _row("Table", group="ALL", **numbers)
    assert ["consistent"] != [
        finding.verdict for finding in two_names.check(Published("", (one, replace(whole, n=21))))
    ]
    assert [] == two_names.check(Published("", (one, whole)))
