"""Whether the slope of a whole is the sum of the slopes of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, fit_words, judge, overlap, span
from atrobayes.reports.audit.intervals import plus

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "additivity"
ASSUMES = (
    "least-squares slopes on one predictor through the same rows, of absolute changes in one unit, and a whole that is "
    "exactly the sum of its parts: its slope is the sum of theirs"
)
_SIDES = (("left", "right"), ("lh", "rh"))


def check(published: Published) -> list[Finding]:
    """Compare slopes of wholes with the sums of the slopes of their parts.

    Parameters
    ----------
    published : Published
        A whole is known by the column `parts`, or as the sum of left and right.

    Returns
    -------
    list of Finding
        One for each such slope, if at least two parts are printed in the same place. FreeSurfer's composites are
        `cannot_check`: of real scans they differ from the sum of the structures with names by as much as a year's
        atrophy.
    """
    tables: dict[tuple[str, str, str, str], dict[str, PublishedEstimate]] = {}
    for row in published.estimates:
        if row.estimate:
            key = row.source, row.analysis, row.term, row.group
            tables.setdefault(key, {}).setdefault(row.structure, row)
    found = []
    for (_, _, term, _), rows in tables.items():
        for whole in rows.values() if term == "slope" else ():
            parts = _parts(whole, rows)
            if sum(name in rows for name in parts) > 1:
                found.append(_finding(whole, parts, rows))
    return found


def _parts(whole: PublishedEstimate, rows: Mapping[str, PublishedEstimate]) -> tuple[str, ...]:
    known = CATALOGUE.get(whole.structure)
    return whole.parts or _sides(whole, rows) or (known.contains if known else ())


def _sides(whole: PublishedEstimate, rows: Mapping[str, PublishedEstimate]) -> tuple[str, ...]:
    """Names of its left and its right half, where both are printed."""
    pairs = (tuple(f"{side}_{whole.structure}" for side in sides) for sides in _SIDES)
    return next((names for names in pairs if all(name in rows for name in names)), ())


def _finding(whole: PublishedEstimate, parts: tuple[str, ...], rows: Mapping[str, PublishedEstimate]) -> Finding:
    assert whole.estimate is not None
    present = [rows[name] for name in parts if name in rows]
    printed = f"{whole.structure} {whole.estimate.text}; " + ", ".join(_told(row) for row in present)
    reason = _not_checked(whole, parts, rows)
    if reason:
        return _said(whole, "cannot_check", printed, "", reason)
    verdict, ways = judge(whole.estimate.bounds, lambda how: _sum(present, how))
    if verdict == "inconsistent" and not whole.parts and _between(whole.estimate, present):
        reason = "it lies between its sides, as their mean would; the column parts tells what is a sum"
        return _said(whole, "cannot_check", printed, "", reason)
    implied = span(_sum(present, "rounded"))
    sums = " + ".join(f"({row.estimate.text})" for row in present if row.estimate)
    message = f"{sums} = {implied}, and {whole.estimate.text} is printed: the digits {fit_words(verdict, ways)}"
    return _said(whole, verdict, printed, implied, message)


def _not_checked(whole: PublishedEstimate, parts: tuple[str, ...], rows: Mapping[str, PublishedEstimate]) -> str:
    """Why slopes need not add up; "" where they must."""
    model = model_of(whole)
    if model != "ordinary":
        kind = "slopes of mixed models do not add up: each outcome has its own variances" if model else ""
        return kind or "what model the slopes come from is not said"
    if not whole.parts and not _sides(whole, rows):
        return "FreeSurfer's composite is not exactly the sum of the structures with names"
    absent = [name for name in parts if name not in rows]
    if absent:
        return f"{', '.join(absent)} is not printed in this place"
    if whole.n is None or any(rows[name].n != whole.n for name in parts):
        return "whole and parts do not rest on the same n"
    return ""


def _sum(rows: list[PublishedEstimate], how: str) -> Interval:
    return reduce(plus, [row.estimate.bounds(how) for row in rows if row.estimate])


def _between(whole: Printed, sides: list[PublishedEstimate]) -> bool:
    ends = [side.estimate.bounds("rounded") for side in sides if side.estimate]
    return overlap(whole.bounds("rounded"), (min(low for low, _ in ends), max(high for _, high in ends)))


def _told(row: PublishedEstimate) -> str:
    return f"{row.structure} {row.estimate.text if row.estimate else 'n/a'}"


def _said(whole: PublishedEstimate, verdict: str, printed: str, implied: str, message: str) -> Finding:
    return Finding(
        check=CHECK,
        verdict=verdict,
        source=whole.source,
        analysis=whole.analysis,
        structure=whole.structure,
        quantity="estimate",
        group=whole.group,
        printed=printed,
        implied=implied,
        assumptions=ASSUMES,
        message=message,
    )
