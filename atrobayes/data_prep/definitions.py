"""How the clinical record is read: EDSS progression, NEDA-3 and NEDA-4, steroid washout."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Progression = Literal["yes", "no", "unconfirmed", "unknown"]
Activity = Literal["yes", "no", "undetermined"]

WEEKS_PER_YEAR = 365.25 / 7
NEDA4_BRAIN_LOSS = 0.4
# 24 weeks or 0.4 % to the letter must not be missed for the last digit of a quotient
_ROUNDING = 1e-9


class Assessment(NamedTuple):
    """One EDSS, at a clinical visit or between visits; NaN where unknown.

    `visit` is None between visits. `years` may be counted from any day, the same for all assessments of a
    patient; a visit's may be unknown.
    """

    visit: int | None
    years: float
    edss: float


@dataclass(frozen=True)
class Neda:
    """Whether an interval is without evidence of disease activity.

    Attributes
    ----------
    status : "yes", "no" or "undetermined"
        "yes": no evidence of disease activity.
    failed : tuple of str
        Kinds of activity found, of relapse, gd, t2, edss.
    """

    status: Activity
    failed: tuple[str, ...] = ()


def too_soon_after_steroid(days: float, weeks: float) -> bool:
    """Whether a scan is less than `weeks` after intravenous steroids; unknown days (NaN) keep the scan."""
    return days < 7 * weeks


def edss_threshold(reference: float) -> float:
    """Rise in EDSS that counts: 1.5 from 0, 1.0 from 1 to 5, 0.5 above 5."""
    if reference == 0:
        return 1.5
    return 1.0 if reference <= 5 else 0.5


def edss_progression(
    assessments: Sequence[Assessment],
    visit_from: int,
    visit_to: int,
    *,
    reference: Literal["interval", "baseline"] = "interval",
    confirmation_weeks: float = 24,
) -> Progression:
    """Whether an EDSS progression begins in the interval from one visit to another.

    Parameters
    ----------
    assessments : sequence of Assessment
        All of one patient, in any order, at and between visits, with or without a scan. Rise and reference
        are read at visits; those between visits help to confirm or refute a rise, if their time from the
        closing visit is known. Of several at one time each takes part.
    visit_from, visit_to : int
        Visits that open and close the interval.
    reference : "interval" or "baseline"
        Measure the rise from the opening visit or from visit 0.
    confirmation_weeks : float
        The rise must still stand at every assessment up to and including the first one at least so
        much later; 0 asks for no confirmation.

    Returns
    -------
    "yes", "no", "unconfirmed" or "unknown"
        "unconfirmed": a rise that no assessment is late enough to confirm, or for which it hangs on an
        unknown time whether one is. "unknown": the EDSS at the closing or the reference visit is missing.
    """
    known = [item for item in assessments if not math.isnan(item.edss)]
    at_visit = {item.visit: item for item in known}
    start = at_visit.get(visit_from if reference == "interval" else 0)
    rise = at_visit.get(visit_to)
    if start is None or rise is None:
        return "unknown"
    level = start.edss + edss_threshold(start.edss)
    if rise.edss < level:
        return "no"
    if confirmation_weeks == 0:
        return "yes"
    return _confirmed(list(_later(known, rise, level)), confirmation_weeks - _ROUNDING)


def neda3(
    relapses: float,
    new_gd: float,
    new_t2: float,
    progression: Progression,
    *,
    unconfirmed: Literal["no", "yes", "exclude"] = "no",
) -> Neda:
    """NEDA-3 of an interval from the counts of the visit that closes it.

    Parameters
    ----------
    relapses, new_gd, new_t2 : float
        Counts; NaN is unknown.
    progression : Progression
        Of the EDSS.
    unconfirmed : {"no", "yes", "exclude"}
        Whether an unconfirmed progression counts as none, as one, or as unknown.

    Returns
    -------
    Neda
        Any activity found: "no", with the kinds found. Otherwise anything unknown: "undetermined".
        Otherwise "yes".
    """
    found = {
        "relapse": _any(relapses),
        "gd": _any(new_gd),
        "t2": _any(new_t2),
        "edss": _progressed(progression, unconfirmed),
    }
    failed = tuple(kind for kind, active in found.items() if active)
    if failed:
        return Neda("no", failed)
    return Neda("undetermined" if None in found.values() else "yes")


def neda4(neda3_status: Activity, brain_change_pct_per_year: float) -> Activity:
    """NEDA-4: NEDA-3, and the whole brain lost at most 0.4 % in a year.

    Parameters
    ----------
    neda3_status : "yes", "no" or "undetermined"
    brain_change_pct_per_year : float
        Percentage volume change of the whole brain divided by the real years; negative is loss, NaN
        unknown. The limit was set with another method than FreeSurfer's.
    """
    if neda3_status == "no" or -brain_change_pct_per_year > NEDA4_BRAIN_LOSS + _ROUNDING:
        return "no"
    unknown = neda3_status == "undetermined" or math.isnan(brain_change_pct_per_year)
    return "undetermined" if unknown else "yes"


class _Later(NamedTuple):
    visit: int | None
    weeks: float
    stands: bool


def _later(known: Sequence[Assessment], rise: Assessment, level: float) -> Iterator[_Later]:
    """Assessments after a rise, or on its day: visits by their number, the others by their time."""
    for item in known:
        weeks = (item.years - rise.years) * WEEKS_PER_YEAR
        follows = weeks >= 0 if item.visit is None or rise.visit is None else item.visit > rise.visit
        if follows:
            yield _Later(item.visit, weeks, item.edss >= level)


def _confirmed(later: Sequence[_Later], weeks: float) -> Progression:
    """What holds whatever the unknown times are; "unconfirmed" if nothing does."""
    standing = [item for item in later if item.stands]
    fallen = [item for item in later if not item.stands]
    if any(item.weeks >= weeks and all(_surely_before(item, drop) for drop in fallen) for item in standing):
        return "yes"
    # unknown weeks may be enough, and would then have confirmed the rise before the drop
    might = [item for item in standing if not item.weeks < weeks]
    if any(all(_surely_not_before(item, drop) for item in might) for drop in fallen):
        return "no"
    return "unconfirmed"


def _surely_before(one: _Later, other: _Later) -> bool:
    if one.visit is not None and other.visit is not None:
        return one.visit < other.visit
    return one.weeks < other.weeks


def _surely_not_before(one: _Later, other: _Later) -> bool:
    if one.visit is not None and other.visit is not None:
        return one.visit >= other.visit
    return one.weeks >= other.weeks


def _any(count: float) -> bool | None:
    return None if math.isnan(count) else count > 0


def _progressed(progression: Progression, unconfirmed: Literal["no", "yes", "exclude"]) -> bool | None:
    if progression == "unconfirmed":
        return {"no": False, "yes": True, "exclude": None}[unconfirmed]
    return {"yes": True, "no": False, "unknown": None}[progression]
