"""How likely two unrelated printed rows are to carry the same digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.models import student_t
from atrobayes.reports.audit.finding import overlap
from atrobayes.reports.audit.intervals import share, t_of_p
from atrobayes.reports.audit.named import NUMBERS

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import PublishedEstimate

# as structures are of which one is most of the other
ALIKE = 0.95
# density, where they are equal, of the difference of two t statistics so correlated; and the relative SD of two
# standard errors so correlated, times √df
_T_DENSITY = 1 / (2 * math.sqrt(math.pi * (1 - ALIKE)))
_SE_SPREAD = math.sqrt(1 - ALIKE**2)
# t of a slope of which nothing but its digits is printed
_T_UNKNOWN = 2.0
_DF_UNKNOWN = 1e6


def coincidence(one: PublishedEstimate, other: PublishedEstimate) -> float | None:
    """Chance that two unrelated rows carry the same digits in every number both print.

    Parameters
    ----------
    one, other : PublishedEstimate

    Returns
    -------
    float or None
        1 where they do not carry the same digits; None where they share no number.
    """
    shared = shared_numbers(one, other)
    if not shared:
        return None
    if not all(same_digits(getattr(one, name), getattr(other, name)) for name in shared):
        return 1.0
    return _chance(one, {name: _width(getattr(one, name), getattr(other, name)) for name in shared})


def same_digits(one: Printed, other: Printed) -> bool:
    """Whether two numbers are the same as far as the one with fewer digits goes, however that was shortened.

    Parameters
    ----------
    one, other : Printed
    """
    if one.bound or other.bound or one.places == other.places:
        return (one.bound, one.value) == (other.bound, other.value)
    coarse, fine = sorted((one, other), key=lambda number: number.places)
    return any(overlap(coarse.bounds(how), (fine.value, fine.value)) for how in ROUNDINGS)


def _width(one: Printed, other: Printed) -> float:
    """Room for the one with fewer digits, given the other: infinite for bounds, which nearly any number meets."""
    if one.bound or other.bound:
        return math.inf
    coarse, fine = sorted((one, other), key=lambda number: number.places)
    return coarse.unit * (1 if coarse.places == fine.places else 2)


def _chance(row: PublishedEstimate, width: dict[str, float]) -> float:
    """Chance of the same t statistic, times that of the same standard error where both show."""
    df = _DF_UNKNOWN if row.n is None else row.n - 2.0
    t = _t(row, df)
    widths = _widths_of_t(row, df, t, width) if 0 < t < math.inf else {}
    chance = min(1.0, _T_DENSITY * min(widths.values(), default=math.inf))
    slope, tests = widths.pop("estimate", math.inf), [*widths.values()]
    if chance == 1 or math.isinf(slope) or not tests:
        return chance
    # digits of slope and t together fix the standard error to this share of it
    share_of_se = (slope + min(tests)) / t
    return chance * min(1.0, share_of_se * math.sqrt(df / math.tau) / _SE_SPREAD)


def _t(row: PublishedEstimate, df: float) -> float:
    """Largest size of the t statistic that the printed digits allow."""
    if row.p:
        return t_of_p(share(row.p, "rounded"), (df, df))[1]
    if row.se and row.se.value and row.estimate:
        return abs(row.estimate.value / row.se.value)
    r = abs(row.r.value) if row.r else math.sqrt(row.r2.value) if row.r2 else None
    return _T_UNKNOWN if r is None or r >= 1 else r * math.sqrt(df / (1 - r * r))


def _widths_of_t(row: PublishedEstimate, df: float, t: float, width: dict[str, float]) -> dict[str, float]:
    """What the shared digits of each number leave open of t, the other numbers being known."""
    r = t / math.sqrt(df + t * t)
    of_r = math.sqrt(df) / max(1 - r * r, 1e-12) ** 1.5
    size = abs(row.estimate.value) if row.estimate else 0.0
    a_unit = {
        "estimate": t / size if size else math.inf,
        "se": t / row.se.value if row.se and row.se.value else math.inf,
        "p": 1 / (2 * float(student_t.pdf(t, df))) if row.p and row.p.value > 0 else math.inf,
        "r": of_r,
        "r2": of_r / (2 * r) if r > 0 else math.inf,
    }
    return {name: width[name] * a_unit[name] for name in a_unit if name in width and width[name] > 0}


def shared_numbers(one: PublishedEstimate, other: PublishedEstimate) -> list[str]:
    """Names of the numbers that both rows print."""
    return [name for name in NUMBERS if getattr(one, name) and getattr(other, name)]
