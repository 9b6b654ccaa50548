"""Whether a printed p fits the printed correlation, or R², and the number of rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, fit_words, judge, span
from atrobayes.reports.audit.intervals import p_of_r, r_of_p, share, size

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "p_from_r"
ASSUMES = "a least-squares line on one predictor through n independent rows: p from t = r·√((n - 2)/(1 - r²)), n - 2 df"
_NAMES = {"r": "r", "r2": "R²"}


def check(published: Published) -> list[Finding]:
    """Compare every p with the r or R² beside it.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each printed r and R² of rows that also print p.
    """
    return [
        _finding(row, row.p, name, number)
        for row in published.estimates
        for name, number in (("r", row.r), ("r2", row.r2))
        if row.p and number
    ]


def _finding(row: PublishedEstimate, p: Printed, name: str, number: Printed) -> Finding:
    reason = obstacle(row)
    if reason or row.n is None:
        return _said(row, p, name, number, "cannot_check", "", f"p is not worked out from {_NAMES[name]}: {reason}")
    n = row.n
    verdict, ways = judge(lambda how: share(p, how), lambda how: p_of_r(_r(name, number, how), n))
    implied = p_of_r(_r(name, number, "rounded"), n)
    needed = r_of_p(share(p, "rounded"), n)
    if name == "r2":
        needed = needed[0] ** 2, needed[1] ** 2
    message = (
        f"{_NAMES[name]} = {number.text} with n = {n} gives p = {span(implied)}, and p = {p.text} needs "
        f"{'|r|' if name == 'r' else 'R²'} = {span(needed)}: the digits {fit_words(verdict, ways)}"
    )
    return _said(row, p, name, number, verdict, span(implied), message)


def obstacle(row: PublishedEstimate) -> str:
    """Say why there is no arithmetic between p and r of a row; "" where there is.

    Parameters
    ----------
    row : PublishedEstimate
    """
    if row.n is None:
        return "n is not printed"
    if model_of(row) != "ordinary":
        return "it is no ordinary regression" if model_of(row) else "what model it comes from is not said"
    if row.df is not None and row.df != row.n - 2:
        return f"{row.df:g} degrees of freedom with n = {row.n} tell of more predictors than one"
    return ""


def _r(name: str, number: Printed, how: str) -> Interval:
    low, high = size(number.bounds(how)) if name == "r" else share(number, how)
    low, high = (low, high) if name == "r" else (math.sqrt(low), math.sqrt(high))
    return min(low, 1.0), min(high, 1.0)


def _said(
    row: PublishedEstimate, p: Printed, name: str, number: Printed, verdict: str, implied: str, message: str
) -> Finding:
    return Finding(
        check=CHECK,
        verdict=verdict,
        source=row.source,
        analysis=row.analysis,
        structure=row.structure,
        quantity="p",
        group=row.group,
        printed=f"p = {p.text}, {_NAMES[name]} = {number.text}",
        implied=implied and f"p = {implied}",
        assumptions=ASSUMES,
        message=message,
    )
