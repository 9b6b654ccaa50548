"""Whether a printed interaction fits the slopes of the two groups it compares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, fit_words, judge, span
from atrobayes.reports.audit.intervals import minus, over, p_of_t, root_of_squares, share, size
from atrobayes.reports.audit.slope_groups import pairs_of
from atrobayes.reports.audit.standard_errors import FEWEST, UNKNOWN_DF, standard_error

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "interaction"
ASSUMES = (
    "slopes and interaction come from one fit without shared covariates, so that the slopes of different patients are "
    "independent given the variances: interaction = first slope - second, its squared standard error the sum of theirs"
)
APART = (
    "each slope may come from a regression of its group alone and the interaction from one of both with a common "
    "residual variance, which then bounds its standard error from below and p from below"
)


def check(published: Published) -> list[Finding]:
    """Compare interactions with the slopes beside them.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each printed estimate and each printed p of an interaction.
    """
    found, paired = [], set()
    for row, first, second in pairs_of(published):
        paired.add(id(row))
        if row.estimate:
            found.append(_difference(row, first, second, row.estimate))
        if row.p:
            found.append(_test(row, first, second, row.p))
    alone = [row for row in published.estimates if row.term == "interaction" and id(row) not in paired]
    reason = "the slopes of its two groups are not printed beside it"
    return [*found, *(_said(row, "interaction", "cannot_check", "n/a", "", reason) for row in alone)]


def _difference(
    row: PublishedEstimate, first: PublishedEstimate, second: PublishedEstimate, estimate: Printed
) -> Finding:
    if first.estimate is None or second.estimate is None:
        return _said(row, "estimate", "cannot_check", estimate.text, "", "a slope is not printed")
    verdict, ways = judge(estimate.bounds, lambda how: _gap(first, second, how))
    implied = span(_gap(first, second, "rounded"))
    message = (
        f"{first.estimate.text} - ({second.estimate.text}) = {implied}, and {estimate.text} is printed: the digits "
        f"{fit_words(verdict, ways)}"
    )
    return _said(row, "estimate", verdict, estimate.text, implied, message)


def _test(row: PublishedEstimate, first: PublishedEstimate, second: PublishedEstimate, p: Printed) -> Finding:
    implied = _implied(row, first, second, "rounded")
    if implied is None:
        return _said(row, "p", "cannot_check", p.text, "", "a slope is printed without standard error, interval and p")
    verdict, ways = judge(lambda how: share(p, how), lambda how: _implied(row, first, second, how))
    gap = span(_gap(first, second, "rounded"))
    errors = " and ".join(span(_error(row, one, "rounded")) for one in (first, second))
    message = (
        f"a difference of {gap} between slopes with standard errors {errors} gives p = {span(implied)}, and "
        f"p = {p.text} is printed: the digits {fit_words(verdict, ways)}"
    )
    assumes = ASSUMES if _one_fit(row, first, second) else f"{ASSUMES}; {APART}"
    return _said(row, "p", verdict, p.text, span(implied), message, assumes)


def _gap(first: PublishedEstimate, second: PublishedEstimate, how: str) -> Interval:
    assert first.estimate is not None
    assert second.estimate is not None
    return minus(first.estimate.bounds(how), second.estimate.bounds(how))


def _implied(row: PublishedEstimate, first: PublishedEstimate, second: PublishedEstimate, how: str) -> Interval | None:
    if first.estimate is None or second.estimate is None:
        return None
    errors = [_error(row, one, how) for one in (first, second)]
    if errors[0] is None or errors[1] is None:
        return None
    error = root_of_squares(errors[0], errors[1])
    if not _one_fit(row, first, second):
        error = _least(errors[0][0], errors[1][0], first.n, second.n), math.inf
    return p_of_t(over(size(_gap(first, second, how)), error), _df(row, (first, second)))


def _one_fit(row: PublishedEstimate, first: PublishedEstimate, second: PublishedEstimate) -> bool:
    """Whether slopes and interaction are known to share their residual variance: mixed models, or the same df."""
    return model_of(row) == "mixed" or (row.df is not None and row.df == first.df == second.df)


def _least(first: float, second: float, n: int | None, other: int | None) -> float:
    """Least standard error of a difference with a common variance, by the errors and sizes of separate regressions.

    With d = n - 2 the common variance is (d₁s₁² + d₂s₂²)/(d₁ + d₂); whatever the ratio of s₁ and s₂, the standard error
    is at least (e₁√d₁ + e₂√d₂)/√(d₁ + d₂).
    """
    if n is None or other is None:
        return min(first, second)
    d, e = n - 2, other - 2
    return (first * math.sqrt(d) + second * math.sqrt(e)) / math.sqrt(d + e)


def _error(row: PublishedEstimate, slope: PublishedEstimate, how: str) -> Interval | None:
    return standard_error(slope, how, _df(row, (slope,)))


def _df(row: PublishedEstimate, slopes: tuple[PublishedEstimate, ...]) -> Interval:
    """Degrees of freedom of the interaction (both slopes) or of one slope: its group by itself, or the joint fit."""
    own = row if len(slopes) > 1 else slopes[0]
    if own.df is not None:
        return own.df, own.df
    least = min((slope.n for slope in slopes if slope.n is not None), default=None)
    if model_of(row) == "ordinary" and least is not None:
        return least - 2, max((row.n or 2 * least) - 4, least - 2)
    return min(FEWEST, max((least or 14) - 4, 1)), math.inf


def _said(
    row: PublishedEstimate,
    quantity: str,
    verdict: str,
    printed: str,
    implied: str,
    message: str,
    assumes: str = ASSUMES,
) -> Finding:
    known = row.df is not None or model_of(row) == "ordinary"
    return Finding(
        check=CHECK,
        verdict=verdict,
        source=row.source,
        analysis=row.analysis,
        structure=row.structure,
        quantity=quantity,
        group=row.group,
        printed=printed,
        implied=implied,
        assumptions=assumes if known else f"{assumes}; {UNKNOWN_DF}",
        message=message,
    )
