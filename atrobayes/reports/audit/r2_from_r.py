"""Whether a printed R² is the square of the printed correlation of the same result, in one place or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, both, fit_words, overlap, span
from atrobayes.reports.audit.intervals import share, size

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "r2_from_r"
ASSUMES = (
    "both belong to one least-squares line on one predictor through the same rows: R² = r², and r has the sign of the "
    "slope; R² is not the adjusted one"
)


def check(published: Published) -> list[Finding]:
    """Compare every R² with every r of the same analysis, structure, term, group and n; and signs of r and slope.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each such pair, wherever the two stand.
    """
    rows = [row for row in published.estimates if model_of(row) == "ordinary"]
    by_key: dict[tuple[object, ...], list[PublishedEstimate]] = {}
    for row in rows:
        by_key.setdefault((row.analysis, row.structure, row.term, row.group, row.n), []).append(row)
    found = []
    for alike in by_key.values():
        for with_r in alike:
            for other in alike:
                if with_r.r and other.r2:
                    found.append(_square(with_r, other, with_r.r, other.r2))
                if with_r.r and other.estimate:
                    found.append(_sign(with_r, other, with_r.r, other.estimate))
    return found


def _square(one: PublishedEstimate, other: PublishedEstimate, r: Printed, r2: Printed) -> Finding:
    fits = {
        (how, its): overlap(share(r2, how), _squared(r, its))
        for how in ROUNDINGS
        for its in ROUNDINGS
        if how == its or one.source != other.source  # one table shortens its numbers in one way
    }
    ways = tuple(how for how in ROUNDINGS if any(fit for (way, _), fit in fits.items() if way == how))
    verdict = "consistent" if fits["rounded", "rounded"] else "only_under" if ways else "inconsistent"
    words = fit_words(verdict, [how for how in ways if how != "rounded"] or ["truncated", "rounded_up"])
    implied = _squared(r, "rounded")
    message = f"r = {r.text} gives R² = {span(implied)}, and R² = {r2.text} is printed: the digits {words}"
    return _said(one, other, verdict, "R²", (f"r = {r.text}", f"R² = {r2.text}"), f"R² = {span(implied)}", message)


def _sign(one: PublishedEstimate, other: PublishedEstimate, r: Printed, slope: Printed) -> Finding:
    verdict = "inconsistent" if _opposite(r.bounds("rounded"), slope.bounds("rounded")) else "consistent"
    words = "do not fit each other" if verdict == "inconsistent" else "fit each other"
    message = f"r = {r.text} and a slope of {slope.text}: the signs {words}"
    wanted = "r and slope of one sign"
    return _said(one, other, verdict, "sign of r", (f"r = {r.text}", f"slope = {slope.text}"), wanted, message)


def _squared(r: Printed, how: str) -> Interval:
    low, high = size(r.bounds(how))
    return min(low, 1.0) ** 2, min(high, 1.0) ** 2


def _opposite(one: Interval, other: Interval) -> bool:
    return (one[0] > 0 and other[1] < 0) or (one[1] < 0 and other[0] > 0)


def _said(
    one: PublishedEstimate,
    other: PublishedEstimate,
    verdict: str,
    quantity: str,
    printed: tuple[str, str],
    implied: str,
    message: str,
) -> Finding:
    return Finding(
        check=CHECK,
        verdict=verdict,
        source=both(one.source, other.source),
        analysis=one.analysis,
        structure=one.structure,
        quantity=quantity,
        group=one.group,
        printed="; ".join(printed),
        implied=implied,
        assumptions=ASSUMES,
        message=message,
    )
