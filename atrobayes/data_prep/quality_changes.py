"""Flags of volumes: implausible changes, asymmetry, and ventricles that shrink with the brain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from atrobayes.data_prep.assessments import Time
from atrobayes.data_prep.quality_flags import Flag
from atrobayes.data_prep.robust import robust_sd, robust_z
from atrobayes.data_prep.structures import Structure
from atrobayes.study import Quality

# Years. Dividing by a few days would make the measurement's noise a rate of hundreds of percent a year.
SHORTEST = 0.5
_Z = "robust z"


@dataclass(frozen=True)
class Successive:
    """Pairs of successive usable scans of a patient, whatever visits were missed between.

    Attributes
    ----------
    cohort : Dataset
    start, end : ndarray of int (pair,)
        Their records.
    """

    cohort: xr.Dataset
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, cohort: xr.Dataset) -> Successive:
        """Find the pairs of a cohort."""
        owner, visit = cohort["record_patient"].to_numpy(), cohort["visit"].to_numpy()
        usable = np.flatnonzero(cohort["scan_status"].to_numpy() == "usable")
        usable = usable[np.lexsort((visit[usable], owner[usable]))]
        same = owner[usable[1:]] == owner[usable[:-1]]
        return cls(cohort, usable[:-1][same], usable[1:][same])

    @cached_property
    def real_years(self) -> np.ndarray:
        """(pair,): time between the scans by their dates or years; NaN where unknown or not forwards."""
        dates, years = self.cohort["date"].to_numpy().tolist(), self.cohort["years"].to_numpy().tolist()
        times = [Time(day, since) for day, since in zip(dates, years, strict=True)]
        pairs = zip(self.start.tolist(), self.end.tolist(), strict=True)
        apart = np.array([times[first].until(times[second]) for first, second in pairs], dtype=float)
        return np.where(apart > 0, apart, np.nan)

    @cached_property
    def years(self) -> np.ndarray:
        """(pair,): real years, nominal ones where those are unknown; never less than `SHORTEST`."""
        visit = self.cohort["visit"].to_numpy()
        nominal = visit[self.end] - visit[self.start]
        return np.maximum(np.where(np.isnan(self.real_years), nominal, self.real_years), SHORTEST)

    @cached_property
    def yearly(self) -> np.ndarray:
        """(pair, structure): change in percent of the first volume, a year; NaN where a volume is missing."""
        volume = self.cohort["volume"].to_numpy()
        before, after = volume[self.start], volume[self.end]
        known = np.where(before > 0, before, np.nan)
        change: np.ndarray = 100 * (after - known) / known / self.years[:, None]
        return change


def change_flags(cohort: xr.Dataset, structures: Sequence[Structure], limits: Quality) -> Iterator[Flag]:
    """Flag changes between successive usable scans that are hard to believe.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    structures : sequence of Structure
        Of the cohort, in its order: their limits are used where the study names none.
    limits : Quality
        `robust_z`, `change_pct` and `asymmetry` are used.

    Yields
    ------
    Flag
        Rules change_limit (yearly change in percent beyond the structure's limit), change_robust_z (its robust
        z within the cohort), ventricle_and_brain (both shrink by more than one robust standard deviation of
        the cohort's own yearly changes, which holds noise and true differences alike) and asymmetry_change
        (robust z of the change of (left - right) / (left + right), not per year: noise does not grow with
        time). Robust z need eight values of the structure. Years are real where known; less than half a year
        counts as half a year.
    """
    pairs = Successive.of(cohort)
    for place, structure in enumerate(structures):
        changes = pairs.yearly[:, place]
        limit = limits.change_pct.get(structure.id, structure.change_pct)
        yield from _beyond_limit(pairs, structure.id, changes, limit)
        yield from _far_change(pairs, structure.id, changes, limits.robust_z)
    yield from _shrinking_together(pairs)
    index = asymmetry_index(cohort)
    for place, structure in enumerate(structures):
        moved = index[pairs.end, place] - index[pairs.start, place]
        yield from _moved_asymmetry(pairs, structure.id, moved, limits.asymmetry)


def asymmetry_flags(cohort: xr.Dataset, limits: Quality) -> Iterator[Flag]:
    """Flag usable scans whose left-right asymmetry is far from the cohort's median.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    limits : Quality
        `asymmetry` is used.

    Yields
    ------
    Flag
        Rule asymmetry; the value is the robust z of (left - right) / (left + right) among the usable scans.
    """
    usable = np.flatnonzero(cohort["scan_status"].to_numpy() == "usable")
    owner, visit = cohort["record_patient"].to_numpy(), cohort["visit"].to_numpy()
    every = asymmetry_index(cohort)[usable]
    for place, structure in enumerate(cohort["structure"].to_numpy().tolist()):
        index = every[:, place]
        z = robust_z(index)
        for scan in np.flatnonzero(np.abs(z) > limits.asymmetry):
            found = f"(left - right) / (left + right) is {index[scan]:.3f}, the cohort's median "
            yield Flag(
                "asymmetry",
                str(owner[usable[scan]]),
                int(visit[usable[scan]]),
                structure=structure,
                value=float(z[scan]),
                limit=limits.asymmetry,
                unit=_Z,
                reason=f"{found}{np.nanmedian(index):.3f}; kept",
            )


def asymmetry_index(cohort: xr.Dataset) -> np.ndarray:
    """(record, structure): (left - right) / (left + right), from -1 to 1; NaN where there are no two sides."""
    left, right = cohort["left"].to_numpy(), cohort["right"].to_numpy()
    both = left + right
    index: np.ndarray = (left - right) / np.where(both > 0, both, np.nan)
    return index


def _beyond_limit(pairs: Successive, structure: str, changes: np.ndarray, limit: float) -> Iterator[Flag]:
    for pair in np.flatnonzero(np.abs(changes) > limit):
        found = f"{changes[pair]:+.3g} % a year, where {limit:g} % is the limit"
        yield _flag(pairs, "change_limit", int(pair), structure, changes[pair], limit, "% a year", found)


def _far_change(pairs: Successive, structure: str, changes: np.ndarray, limit: float) -> Iterator[Flag]:
    z = robust_z(changes)
    for pair in np.flatnonzero(np.abs(z) > limit):
        found = f"{changes[pair]:+.3g} % a year, the cohort's median is {np.nanmedian(changes):+.3g} %"
        yield _flag(pairs, "change_robust_z", int(pair), structure, z[pair], limit, _Z, found)


def _moved_asymmetry(pairs: Successive, structure: str, moved: np.ndarray, limit: float) -> Iterator[Flag]:
    z = robust_z(moved)
    for pair in np.flatnonzero(np.abs(z) > limit):
        found = f"(left - right) / (left + right) changed by {moved[pair]:+.3f}"
        yield _flag(pairs, "asymmetry_change", int(pair), structure, z[pair], limit, _Z, found)


def _shrinking_together(pairs: Successive) -> Iterator[Flag]:
    places: Mapping[str, int] = {name: i for i, name in enumerate(pairs.cohort["structure"].to_numpy().tolist())}
    if not {"whole_brain", "lateral_ventricle"} <= places.keys():
        return
    brain, ventricle = (pairs.yearly[:, places[name]] for name in ("whole_brain", "lateral_ventricle"))
    limit = -robust_sd(ventricle)
    # comparisons with NaN, which too few values give, are false
    for pair in np.flatnonzero((brain < -robust_sd(brain)) & (ventricle < limit)):
        found = f"lateral ventricle {ventricle[pair]:+.3g} % and whole brain {brain[pair]:+.3g} % a year"
        structure = "lateral_ventricle"
        yield _flag(pairs, "ventricle_and_brain", int(pair), structure, ventricle[pair], limit, "% a year", found)


def _flag(
    pairs: Successive, rule: str, pair: int, structure: str, value: float, limit: float, unit: str, found: str
) -> Flag:
    owner, visit = pairs.cohort["record_patient"].to_numpy(), pairs.cohort["visit"].to_numpy()
    start, end = int(pairs.start[pair]), int(pairs.end[pair])
    reason = f"{found}, {_time(pairs, pair)}; kept"
    return Flag(
        rule,
        str(owner[end]),
        visit=int(visit[end]),
        visit_from=int(visit[start]),
        structure=structure,
        value=float(value),
        limit=float(limit),
        unit=unit,
        reason=reason,
    )


def _time(pairs: Successive, pair: int) -> str:
    real, counted = float(pairs.real_years[pair]), float(pairs.years[pair])
    if np.isnan(real):
        return f"over {counted:g} nominal year{'s' * (counted != 1)}"
    return f"over {real:.3g} years" + (f" taken as {SHORTEST:g}" if real < SHORTEST else "")
