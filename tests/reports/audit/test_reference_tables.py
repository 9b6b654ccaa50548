"""Tables computed by R from raw data, printed as papers print them: never accused; planted faults are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tables_from_raw import DIGITS, Style, shifted

from atrobayes.data_prep.printed import Printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate
from atrobayes.reports.audit import additivity, group_sizes, interaction, p_from_interval, p_from_r, r2_from_r
from atrobayes.reports.audit.finding import Finding

CHECKS: dict[str, Callable[[Published], list[Finding]]] = {
    one.CHECK: one.check for one in (p_from_r, p_from_interval, interaction, r2_from_r, group_sizes, additivity)
}
FIELDS = {"p": "p", "R²": "r2", "estimate": "estimate", "n": "n", "interval": "ci_high"}
TABLES = 500


@cache
def _raw() -> dict[int, list[dict[str, Any]]]:
    path = Path(__file__).parents[2] / "reference" / "audit" / "tables.tsv.gz"
    table = pd.read_csv(path, sep="\t")
    return {int(k): own.to_dict("records") for k, own in table.groupby("table")}


def _printed(k: int, style: Style) -> Published:
    """One table of R; what stands beside slope and p differs from table to table."""
    return Published(f"table {k}", tuple(_row(k, line, one, style) for line, one in enumerate(_raw()[k], start=2)))


def _row(k: int, line: int, one: dict[str, Any], style: Style) -> PublishedEstimate:
    has_error, has_interval, has_df = k % 3 != 0, k % 3 == 2, k % 2 == 0
    r = None if np.isnan(one["r"]) else float(one["r"])
    return PublishedEstimate(
        row=line,
        source=one["source"],
        analysis="volume_on_lesions",
        structure=one["structure"],
        term=one["term"],
        group=one["group"],
        n=int(one["n"]),
        estimate=style.significant(one["estimate"]),
        p=style.decimals(one["p"]),
        r=None if r is None else style.decimals(r),
        r2=None if r is None else style.decimals(r * r),
        se=style.significant(one["se"]) if has_error else None,
        df=float(one["df"]) if has_df else None,
        ci_low=style.significant(one["ci_low"]) if has_interval else None,
        ci_high=style.significant(one["ci_high"]) if has_interval else None,
        model="mixed" if one["source"] == "Mixed" else "",
        # without this it could be the mean of its sides
        parts=("left_size", "right_size") if one["structure"] == "size" else (),
    )


@pytest.mark.parametrize("tables", [24, pytest.param(TABLES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", ["rounded", "truncated", "rounded_up"])
def test_tables_computed_by_r_are_not_accused(tables: int, how: str) -> None:
    """Honest authors would be told that their numbers do not fit each other."""
    allowed = {"consistent", "cannot_check"} | ({"only_under"} if how != "rounded" else set())
    made = [_printed(k, Style(DIGITS[k // 2 % 4], how)) for k in range(1, tables + 1)]
    found = [finding for table in made for check in CHECKS.values() for finding in check(table)]
    assert [] == [finding.message for finding in found if finding.verdict not in allowed]
    assert set(CHECKS) == {finding.check for finding in found if finding.verdict == "consistent"}


@pytest.mark.parametrize("faults", [20, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", CHECKS)
def test_numbers_off_by_more_than_twice_what_digits_allow_are_found(check: str, faults: int) -> None:
    """A misprint that the digits can show would pass unseen. Ends of intervals: of ordinary regressions alone, others
    may be of a kind that need not be symmetric."""
    outcomes: list[str] = []
    k = 0
    while len(outcomes) < faults:
        outcomes += filter(None, [_outcome(check, k)])
        k += 1
    missed = [outcome for outcome in outcomes if outcome != "caught"]
    assert 0.95 <= 1 - len(missed) / faults, missed


def _outcome(check: str, k: int) -> str:
    """ "caught", what was missed, or "" where the table has no room for such a fault."""
    rng, style = np.random.default_rng([3, k]), Style(DIGITS[k // 2 % 4])
    table = _printed(1 + k % TABLES, style)
    usable = [one for one in CHECKS[check](table) if one.verdict == "consistent" and one.quantity in FIELDS]
    usable = [one for one in usable if one.quantity != "interval" or one.source == "Separate"]
    for at in rng.permutation(len(usable)):
        found = usable[at]
        row = next(one for one in table.estimates if _place(one) == _place(found) and _is_of(one, found))
        name = FIELDS[found.quantity]
        moved = _moved(getattr(row, name), found, rng)
        if moved is not None:
            rows = tuple(replace(one, **{name: moved}) if one is row else one for one in table.estimates)
            again = CHECKS[check](replace(table, estimates=rows))
            caught = any(one.verdict == "inconsistent" and _place(one) == _place(found) for one in again)
            return "caught" if caught else f"{table.name}, {style.digits} digits, {name} {moved}: {found.message}"
    return ""


def _place(one: PublishedEstimate | Finding) -> tuple[str, str, str]:
    return one.source, one.structure, one.group


def _is_of(row: PublishedEstimate, found: Finding) -> bool:
    return found.check != "interaction" or row.term == "interaction"


def _moved(number: Printed | int, found: Finding, rng: np.random.Generator) -> Printed | int | None:
    """The number off by two to four times the width of all digits it is compared with; None: there is no room."""
    ends = [float(text) for text in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", found.implied.replace("R²", ""))]
    sign = rng.choice([-1, 1])
    if isinstance(number, int):
        return int(number + sign * rng.integers(1, 4))
    if found.quantity == "interval":  # the middle moves by half of what an end moves by
        return shifted(number, sign * rng.uniform(2, 4) * 2 * (ends[-1] - ends[0] + number.unit) / number.unit + sign)
    wide = ends[-1] - ends[0] + number.unit
    moved = shifted(number, sign * rng.uniform(2, 4) * wide / number.unit + sign)
    inside = found.quantity == "estimate" or 0 < moved.value < 1
    return moved if inside and abs(moved.value - number.value) > 2 * wide else None
