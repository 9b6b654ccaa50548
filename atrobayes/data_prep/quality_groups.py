"""Flags of the whole study: groups whose scans were made with different programs or machines."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import xarray as xr

from atrobayes.data_prep.quality_flags import Flag

# Percentage points; a convention: below it a confounder of this kind can hardly carry a difference of groups.
LIMIT_POINTS = 10.0


def group_flags(cohort: xr.Dataset) -> Iterator[Flag]:
    """Flag versions of FreeSurfer, and platforms, of which the groups have unlike shares.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.

    Yields
    ------
    Flag
        Rules versions_between_groups and platforms_between_groups, one each at most, over usable scans whose
        version is known. The value is the largest difference of a version's share of the scans between two
        groups, in percentage points: 100 means that version and group cannot be told apart.
    """
    scans = _scans(cohort)
    if scans["group"].nunique() < 2:
        return
    yield from _unlike("versions_between_groups", scans, "freesurfer")
    yield from _unlike("platforms_between_groups", scans, "platform")


def _scans(cohort: xr.Dataset) -> pd.DataFrame:
    group = dict(zip(cohort["patient"].to_numpy().tolist(), cohort["group"].to_numpy().tolist(), strict=True))
    held = ("record_patient", "scan_status", "freesurfer", "platform")
    scans = pd.DataFrame({name: cohort[name].to_numpy() for name in held})
    return scans[scans["scan_status"] == "usable"].assign(group=lambda rows: rows["record_patient"].map(group))


def _unlike(rule: str, scans: pd.DataFrame, column: str) -> Iterator[Flag]:
    known = scans[scans[column] != ""]
    if known["group"].nunique() < 2 or known[column].nunique() < 2:
        return
    counts = pd.crosstab(known[column], known["group"])
    shares = 100 * counts / counts.sum()
    apart = shares.max(axis=1) - shares.min(axis=1)
    if apart.max() > LIMIT_POINTS:
        reason = "; ".join(_mix(str(group), counts[group]) for group in counts)
        value = float(apart.max())
        yield Flag(rule, value=value, limit=LIMIT_POINTS, unit="percentage points", reason=f"{reason}; kept")


def _mix(group: str, counts: pd.Series) -> str:
    return f"{group}: " + ", ".join(f"{name} in {count} of {counts.sum()} scans" for name, count in counts.items())
