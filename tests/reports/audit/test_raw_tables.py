"""Tables computed from raw data never stand accused, and what is planted in them is found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tables_from_raw import DIGITS, Style, made_up, shifted, with_row

from atrobayes.data_prep.printed import Printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate, PublishedSummary
from atrobayes.reports.audit import (
    grim,
    multiplicity,
    percentages,
    same_result,
    slope_ratios,
    small_n,
    two_names,
)
from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.audit.small_n import smallest_r

CHECKS = (same_result, two_names, grim, percentages, small_n, multiplicity, slope_ratios)
TABLES = 500
type Plant = Callable[[Published, np.random.Generator], tuple[Published, str] | None]


def _tables(number: int, how: str, seed: int) -> Sequence[Published]:
    return [made_up(np.random.default_rng([seed, k]), Style(DIGITS[k % len(DIGITS)], how)) for k in range(number)]


@pytest.mark.parametrize("tables", [8, pytest.param(TABLES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", ["rounded", "truncated", "rounded_up"])
def test_tables_from_raw_data_are_not_accused(tables: int, how: str) -> None:
    """Honest authors would be told that their numbers do not fit each other."""
    allowed = {"consistent", "cannot_check"} | ({"only_under"} if how != "rounded" else set())
    made = _tables(tables, how, 1)
    found = [finding for table in made for check in CHECKS for finding in check.check(table)]
    assert [] == [finding.message for finding in found if finding.verdict not in allowed]
    assert {check.CHECK for check in CHECKS} == {finding.check for finding in found}


def _of(source: str, published: Published) -> list[int]:
    return [k for k, row in enumerate(published.estimates) if row.source == source]


def _place(row: PublishedEstimate | PublishedSummary) -> str:
    return f"{row.structure} {row.group}" if isinstance(row, PublishedEstimate) else f"{row.quantity} {row.group}"


def other_digits(published: Published, rng: np.random.Generator) -> tuple[Published, str]:
    """A text repeats a p or a slope with a number off by more than twice what the digits of both allow."""
    at = int(rng.choice(_of("Text", published)))
    row, name = published.estimates[at], str(rng.choice(["p", "estimate"]))
    number: Printed = getattr(row, name)
    # the other place has at least as fine digits: both widths are two units at most
    moved = shifted(number, float(rng.choice([-1, 1]) * rng.integers(5, 40)))
    return with_row(published, at, replace(row, **{name: moved})), _place(row)


def other_name(published: Published, rng: np.random.Generator) -> tuple[Published, str]:
    """A figure of one structure shows another's numbers in all groups."""
    panels: dict[tuple[str, str], dict[str, PublishedEstimate]] = {}
    for at in _of("Figure", published):
        row = published.estimates[at]
        panels.setdefault((row.analysis, row.structure), {})[row.group] = row
    names = list(panels)
    while True:
        one, other = (names[k] for k in rng.choice(len(names), 2, replace=False))
        mine, theirs = panels[one], panels[other]
        if all(_apart(mine[group].p, theirs[group].p) for group in mine):
            break
    rows = tuple(
        replace(theirs[row.group], row=row.row, analysis=row.analysis, structure=row.structure)
        if row.source == "Figure" and (row.analysis, row.structure) == one
        else row
        for row in published.estimates
    )
    return replace(published, estimates=rows), "; ".join(sorted({one[1], other[1]}))


def _apart(one: Printed | None, other: Printed | None) -> bool:
    return one is not None and other is not None and abs(one.value - other.value) > 4 * one.unit


def no_sum(published: Published, rng: np.random.Generator, kind: str) -> tuple[Published, str] | None:
    """A mean or percentage further from every possible one than twice the width of its digits."""
    at = [k for k, row in enumerate(published.summaries) if row.kind == kind]
    for k in rng.permutation(at):
        row = published.summaries[k]
        assert row.n is not None
        assert row.value is not None
        step = (100.0 if kind == "percent" else row.granularity or 1.0) / row.n
        if step > 5 * row.value.unit:
            middle = (np.floor(row.value.value / step) + 0.5) * step
            moved = shifted(row.value, (middle - row.value.value) / row.value.unit)
            return with_row(published, int(k), replace(row, value=moved)), _place(row)
    return None


def other_side(published: Published, rng: np.random.Generator) -> tuple[Published, str] | None:
    """A p on the other side of 0.05 than r: both further from that limit than twice the width of their digits."""
    for at in rng.permutation(_of("Table", published)):
        row = published.estimates[at]
        assert row.p is not None
        assert row.r2 is not None
        assert row.n is not None
        limit = smallest_r(row.n) ** 2
        if abs(row.r2.value - limit) > 2 * row.r2.unit:
            aim = 0.05 + 2.5 * row.p.unit if row.r2.value > limit else 0.05 - 2.5 * row.p.unit
            moved = shifted(row.p, (aim - row.p.value) / row.p.unit)
            if moved.value <= 0 or abs(moved.value - 0.05) <= 2 * row.p.unit:
                continue
            return with_row(published, int(at), replace(row, p=moved)), row.group
    return None


def not_in_time(published: Published, rng: np.random.Generator) -> tuple[Published, str]:
    """A slope over three years further from three times that of one year than twice what digits and sampling allow."""
    rows = {(row.analysis, row.structure, row.group): row for row in published.estimates if row.source == "Table"}
    chance = slope_ratios.FALSE_ALARMS / len(rows)
    at = int(rng.choice([k for k in _of("Table", published) if published.estimates[k].analysis == "three_year"]))
    row = published.estimates[at]
    pair = [slope_ratios.slope_of(rows[name, row.structure, row.group]) for name in ("one_year", "three_year")]
    short, long = (slope for slope in pair if slope is not None)
    widths = [high - low for low, high in (slope.a_year("rounded", chance) for slope in pair if slope is not None)]
    aim = 3 * (short.estimate.value + rng.choice([-1, 1]) * 2.01 * sum(widths))
    moved = shifted(long.estimate, (aim - long.estimate.value) / long.estimate.unit)
    return with_row(published, at, replace(row, estimate=moved)), _place(row)


def _means(published: Published, rng: np.random.Generator) -> tuple[Published, str] | None:
    return no_sum(published, rng, "mean")


def _shares(published: Published, rng: np.random.Generator) -> tuple[Published, str] | None:
    return no_sum(published, rng, "percent")


PLANTS = {
    "same_result": (same_result.check, other_digits),
    "two_names": (two_names.check, other_name),
    "grim": (grim.check, _means),
    "percentages": (percentages.check, _shares),
    "small_n": (small_n.check, other_side),
    "slope_ratios": (slope_ratios.check, not_in_time),
}


def _where(finding: Finding) -> str:
    structures = "; ".join(sorted(finding.structure.split("; ")))
    if finding.check == "two_names":
        return structures
    return finding.group if finding.check == "small_n" else f"{structures} {finding.group}"


def _caught(check: Callable[[Published], list[Finding]], plant: Plant, k: int) -> str:
    """ "caught", "missed with … digits", or "" where the table has no room for such a fault."""
    rng, digits = np.random.default_rng([2, k]), DIGITS[k % len(DIGITS)]
    planted = plant(made_up(rng, Style(digits)), rng)
    if planted is None:
        return ""
    table, place = planted
    caught = any(finding.verdict == "inconsistent" and _where(finding) == place for finding in check(table))
    return "caught" if caught else f"table {k}, {digits} digits: {place}"


@pytest.mark.parametrize("faults", [12, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", PLANTS)
def test_planted_faults_are_found(check: str, faults: int) -> None:
    """Numbers off by more than twice what their digits allow would pass. `multiplicity` compares nothing.

    Of 500: two_names misses 15, of which 11 with two digits (tables 28, 68, 152, 184, 192, 228, 252, 264, 268, 372,
    388), 3 with three (101, 217, 269) and 1 with four (106): too few digits, or p near 0; the others miss none.
    """
    outcomes: list[str] = []
    k = 0
    while len(outcomes) < faults:
        outcomes += filter(None, [_caught(*PLANTS[check], k)])
        k += 1
    missed = [outcome for outcome in outcomes if outcome != "caught"]
    sys.stdout.write(f"{check}: {len(missed)} of {faults} missed {missed}\n")
    assert len(missed) <= 0.05 * faults, missed
