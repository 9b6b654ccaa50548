"""Every check of the audit, in the order they are reported: adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from atrobayes.reports.audit import (
    additivity,
    grim,
    group_sizes,
    interaction,
    multiplicity,
    p_from_interval,
    p_from_r,
    percentages,
    r2_from_r,
    same_result,
    slope_ratios,
    small_n,
    two_names,
)
from atrobayes.reports.audit.finding import Finding

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published

type Check = Callable[[Published], list[Finding]]

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        p_from_r.CHECK: p_from_r.check,
        p_from_interval.CHECK: p_from_interval.check,
        interaction.CHECK: interaction.check,
        r2_from_r.CHECK: r2_from_r.check,
        group_sizes.CHECK: group_sizes.check,
        additivity.CHECK: additivity.check,
        same_result.CHECK: same_result.check,
        two_names.CHECK: two_names.check,
        grim.CHECK: grim.check,
        percentages.CHECK: percentages.check,
        small_n.CHECK: small_n.check,
        multiplicity.CHECK: multiplicity.check,
        slope_ratios.CHECK: slope_ratios.check,
    }
)


def run_checks(published: Published) -> list[Finding]:
    """Put every check of the registry to a set of printed tables.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        In the order of the registry; what a check cannot judge is among them as `cannot_check`.
    """
    return [finding for check in CHECKS.values() for finding in check(published)]
