"""Whether p, estimate, standard error and 95 % interval of one row fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, fit_words, judge, overlap, span
from atrobayes.reports.audit.intervals import over, p_of_t, plus, share, size, t_of_p, times
from atrobayes.reports.audit.standard_errors import LEVEL, df_of, df_words, half_width

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "p_from_interval"
_TEST = "p is two-sided, from t = estimate / standard error"
_WALD = "the interval has 95 % and is the estimate plus and minus a quantile of t times its standard error"


def check(published: Published) -> list[Finding]:
    """Compare p, estimate, standard error and interval within each row.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        Up to four a row: p against the standard error, the interval's middle against the estimate, its width
        against the standard error, and p against the interval.
    """
    return [finding for row in published.estimates for finding in _row(row)]


def _row(row: PublishedEstimate) -> Iterator[Finding]:
    if row.estimate and row.se and row.p:
        yield _p_of_error(row, row.estimate, row.se, row.p)
    if row.ci_low is None or row.ci_high is None:
        return
    middle = _middle(row, row.estimate) if row.estimate else None
    if middle:
        yield middle
    if row.se:
        yield _width(row, row.se)
    if row.estimate and row.p and middle and middle.verdict == "consistent":  # else there is no half width
        yield _p_of_width(row, row.estimate, row.p)


def _p_of_error(row: PublishedEstimate, estimate: Printed, se: Printed, p: Printed) -> Finding:
    def implied(how: str) -> Interval:
        return p_of_t(over(size(estimate.bounds(how)), _positive(se.bounds(how))), df_of(row))

    verdict, ways = judge(lambda how: share(p, how), implied)
    told = f"estimate {estimate.text}, standard error {se.text}"
    said = span(implied("rounded"))
    message = f"{told} give p = {said}, and p = {p.text} is printed: the digits {fit_words(verdict, ways)}"
    return _said(row, "p", verdict, f"{told}, p = {p.text}", f"p = {said}", _TEST, message)


def _p_of_width(row: PublishedEstimate, estimate: Printed, p: Printed) -> Finding:
    def implied(how: str) -> Interval:
        half, df = half_width(row, how), df_of(row)
        assert half is not None
        halves = over(size(estimate.bounds(how)), half)
        # the same degrees of freedom in interval and test: each end of theirs by itself
        ends = [p_of_t(times(halves, t_of_p((1 - LEVEL, 1 - LEVEL), (one, one))), (one, one)) for one in df]
        return min(low for low, _ in ends), max(high for _, high in ends)

    verdict, ways = judge(lambda how: share(p, how), implied)
    said = span(implied("rounded"))
    told = f"estimate {estimate.text}, interval {_interval(row)}"
    if verdict == "inconsistent" and not _must_be_wald(row):
        message = "p is not that of a t interval with 95 %: interval or test may be of another kind or level"
        return _said(row, "p", "cannot_check", f"{told}, p = {p.text}", "", f"{_TEST}; {_WALD}", message)
    message = f"{told} give p = {said}, and p = {p.text} is printed: the digits {fit_words(verdict, ways)}"
    return _said(row, "p", verdict, f"{told}, p = {p.text}", f"p = {said}", f"{_TEST}; {_WALD}", message)


def _width(row: PublishedEstimate, se: Printed) -> Finding:
    def implied(how: str) -> Interval:
        return times(_positive(se.bounds(how)), t_of_p((1 - LEVEL, 1 - LEVEL), df_of(row)))

    def printed(how: str) -> Interval:
        half = half_width(row, how)
        assert half is not None
        return half

    verdict, ways = judge(printed, implied)
    if verdict == "inconsistent" and not _must_be_wald(row):
        message = "its width is not that of a t interval: it may be of another kind"
        return _said(row, "interval", "cannot_check", _interval(row), "", _WALD, message)
    said = span(implied("rounded"))
    message = (
        f"a standard error of {se.text} gives half widths of {said}, and {_interval(row)} has "
        f"{span(printed('rounded'))}: the digits {fit_words(verdict, ways)}"
    )
    return _said(row, "interval", verdict, _interval(row), f"half width {said}", _WALD, message)


def _middle(row: PublishedEstimate, estimate: Printed) -> Finding:
    def implied(how: str) -> Interval:
        assert row.ci_low is not None
        assert row.ci_high is not None
        low, high = plus(row.ci_low.bounds(how), row.ci_high.bounds(how))
        return low / 2, high / 2

    verdict, ways = judge(estimate.bounds, implied)
    told = f"estimate {estimate.text}, interval {_interval(row)}"
    if verdict == "inconsistent" and not _must_be_wald(row) and _inside(row, estimate):
        message = "the interval is not symmetric about the estimate: it may be of another kind"
        return _said(row, "interval", "cannot_check", told, "", _WALD, message)
    said = span(implied("rounded"))
    message = f"the middle of {_interval(row)} is {said}, and {estimate.text} is printed: the digits "
    message += fit_words(verdict, ways)
    return _said(row, "interval", verdict, told, f"middle {said}", _WALD, message)


def _must_be_wald(row: PublishedEstimate) -> bool:
    """Profile, bootstrap and rank intervals need not be symmetric; those of ordinary regressions are."""
    return row.term in {"slope", "interaction"} and model_of(row) == "ordinary"


def _inside(row: PublishedEstimate, estimate: Printed) -> bool:
    assert row.ci_low is not None
    assert row.ci_high is not None
    ends = row.ci_low.bounds("rounded")[0], row.ci_high.bounds("rounded")[1]
    return overlap(estimate.bounds("rounded"), ends)


def _positive(interval: Interval) -> Interval:
    return max(interval[0], 0.0), interval[1]


def _interval(row: PublishedEstimate) -> str:
    assert row.ci_low is not None
    assert row.ci_high is not None
    return f"{row.ci_low.text} to {row.ci_high.text}"


def _said(
    row: PublishedEstimate, quantity: str, verdict: str, printed: str, implied: str, assumes: str, message: str
) -> Finding:
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
        assumptions=f"{assumes}; {df_words(row)}",
        message=message,
    )
