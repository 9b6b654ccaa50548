"""Whether the digits of one result fit each other where it is printed in two places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, both, span
from atrobayes.reports.audit.named import NUMBERS, name_of, same_model

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate, PublishedSummary

CHECK = "same_result"
_SLACK = 1e-9
_SAME = "rows of the same analysis, structure, term and group are of one result"
_SAME_SUMMARY = "rows of the same quantity, kind and group are of one result"


def check(published: Published) -> list[Finding]:
    """Compare every number that is printed twice under one name.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each pair of rows and each number both print; rows of different models are not compared.
    """
    return [*_estimates(published), *_summaries(published)]


def meeting(first: Printed, second: Printed) -> tuple[str, str]:
    """Whether two printed numbers may be of one number.

    Parameters
    ----------
    first, second : Printed

    Returns
    -------
    verdict : str
        Two places may shorten numbers differently: "only_under" as soon as any two of ROUNDINGS bring them together.
    words : str
        The same for a sentence.
    """
    if _meet(first.bounds("rounded"), second.bounds("rounded")):
        return "consistent", "fit each other"
    if any(_meet(first.bounds(one), second.bounds(other)) for one in ROUNDINGS for other in ROUNDINGS):
        return "only_under", "fit each other only if one of them was cut off or rounded up at the last digit"
    return "inconsistent", "do not fit each other"


def _meet(one: Interval, other: Interval) -> bool:
    """Ends alone are not enough: no way of rounding prints one number as 0.04 here and 0.05 there."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return high - low > _SLACK * max(abs(low), abs(high)) or one == other


def _estimates(published: Published) -> list[Finding]:
    by_name: dict[tuple[str, ...], list[PublishedEstimate]] = {}
    for row in published.estimates:
        by_name.setdefault(name_of(row), []).append(row)
    return [
        finding
        for rows in by_name.values()
        for one, other in combinations(rows, 2)
        for finding in (_pair(one, other) if same_model(one, other) else _not_compared(one, other))
    ]


def _pair(one: PublishedEstimate, other: PublishedEstimate) -> list[Finding]:
    numbers = [(name, getattr(one, name), getattr(other, name)) for name in NUMBERS]
    found = [_numbers(one, other, *number) for number in numbers if all(number[1:])]
    return [*found, *_sizes(one, other)]


def _numbers(
    one: PublishedEstimate, other: PublishedEstimate, quantity: str, first: Printed, second: Printed
) -> Finding:
    verdict, words, implied = _compare(first, second)
    return _finding(
        one,
        other,
        verdict,
        quantity,
        f"{first.text}; {second.text}",
        implied,
        f"{quantity} {first.text} ({one.source}) and {second.text} ({other.source}) {words}: the second may have "
        f"been {implied}.",
    )


def _compare(first: Printed, second: Printed) -> tuple[str, str, str]:
    """Verdict, its words, and what the second allows the first to be."""
    return *meeting(first, second), span(second.bounds("rounded"), 8)


def _sizes(one: PublishedEstimate, other: PublishedEstimate) -> list[Finding]:
    if one.n is None or other.n is None:
        return []
    same = one.n == other.n
    words = "are the same" if same else "do not fit each other"
    message = f"n {one.n} ({one.source}) and n {other.n} ({other.source}) {words}."
    verdict = "consistent" if same else "inconsistent"
    return [_finding(one, other, verdict, "n", f"{one.n}; {other.n}", str(other.n), message)]


def _not_compared(one: PublishedEstimate, other: PublishedEstimate) -> list[Finding]:
    shared = [name for name in NUMBERS if getattr(one, name) and getattr(other, name)]
    if not shared:
        return []
    printed = "; ".join(", ".join(f"{name} {getattr(row, name).text}" for name in shared) for row in (one, other))
    message = (
        f"{one.source} and {other.source} need not agree: their models are "
        f"{model_of(one) or 'unknown'} and {model_of(other) or 'unknown'}."
    )
    return [_finding(one, other, "cannot_check", ", ".join(shared), printed, "", message)]


def _finding(
    one: PublishedEstimate,
    other: PublishedEstimate,
    verdict: str,
    quantity: str,
    printed: str,
    implied: str,
    message: str,
) -> Finding:
    where = (both(one.source, other.source), one.analysis, both(one.structure, other.structure))
    return Finding(CHECK, verdict, *where, quantity, one.group, printed, implied, _SAME, message)


def _summaries(published: Published) -> list[Finding]:
    by_name: dict[tuple[str, ...], list[PublishedSummary]] = {}
    for row in published.summaries:
        by_name.setdefault((row.quantity, row.kind, row.group), []).append(row)
    return [
        _summary_pair(one, other, number)
        for rows in by_name.values()
        for one, other in combinations(rows, 2)
        for number in ("value", "p")
        if getattr(one, number) and getattr(other, number)
    ]


def _summary_pair(one: PublishedSummary, other: PublishedSummary, number: str) -> Finding:
    first: Sequence[Printed] = getattr(one, number), getattr(other, number)
    verdict, words, implied = _compare(*first)
    what = one.kind if number == "value" else "p"
    message = (
        f"{what} {first[0].text} ({one.source}) and {first[1].text} ({other.source}) {words}: the second may have "
        f"been {implied}."
    )
    where = (both(one.source, other.source), "", one.quantity)
    printed = f"{first[0].text}; {first[1].text}"
    return Finding(CHECK, verdict, *where, what, one.group, printed, implied, _SAME_SUMMARY, message)
