"""Priors on the standardised scale: named, or given as numbers in the study file.

The scale: outcomes in SDs of the outcome, the predictor in units of u lesions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from atrobayes.errors import Fault, StudyError
from atrobayes.study import PriorChoice

SLOPE_SD: Mapping[str, float] = MappingProxyType({"wide": 2.5, "regularising": 0.5, "sceptical": 0.25})


@dataclass(frozen=True)
class HalfStudentT:
    """Half-Student-t prior of a standard deviation."""

    nu: float
    scale: float

    def __str__(self) -> str:
        return f"half-Student-t({self.nu:g}, 0, {self.scale:g})"


@dataclass(frozen=True)
class Priors:
    """What is believed before the data, standardised.

    Attributes
    ----------
    name : str
        "regularising", "wide", "sceptical", or "own" when the study gives numbers.
    slope_mean, slope_sd : float
        Normal prior of each group's slope.
    slope_correlation : float
        Prior correlation of two groups' slopes; 0 pools nothing, towards 1 everything.
    intercept_mean_sd, intercept_difference_sd : float
        SD of the mean of the groups' intercepts, and of the difference of any two.
    patient_sd, residual_sd : HalfStudentT
        Priors of the two standard deviations.
    """

    name: str = "regularising"
    slope_mean: float = 0.0
    slope_sd: float = SLOPE_SD["regularising"]
    slope_correlation: float = 0.5
    intercept_mean_sd: float = 2.5
    intercept_difference_sd: float = 1.0
    patient_sd: HalfStudentT = HalfStudentT(3, 1)
    residual_sd: HalfStudentT = HalfStudentT(3, 1)

    def mean_slope_sd(self, groups: int) -> float:
        """SD of the mean of `groups` equicorrelated slopes."""
        return self.slope_sd * math.sqrt((1 + (groups - 1) * self.slope_correlation) / groups)

    @property
    def slope_deviation_sd(self) -> float:
        """SD of each orthonormal contrast of the groups' slopes."""
        return self.slope_sd * math.sqrt(1 - self.slope_correlation)

    @property
    def intercept_deviation_sd(self) -> float:
        """SD of each orthonormal contrast of the groups' intercepts."""
        return self.intercept_difference_sd / math.sqrt(2)

    def describe(self) -> dict[str, str]:
        """Each prior in words, standardised, for the record of a fit."""
        return {
            "slope of each group": f"normal({self.slope_mean:g}, {self.slope_sd:g})",
            "correlation of two groups' slopes": f"{self.slope_correlation:g}",
            "mean of the groups' intercepts": f"normal(0, {self.intercept_mean_sd:g})",
            "difference of two intercepts": f"normal(0, {self.intercept_difference_sd:g})",
            "patient SD": str(self.patient_sd),
            "residual SD": str(self.residual_sd),
        }


def read_priors(choice: PriorChoice, groups: int = 2) -> Priors:
    """Priors of a study file's `[priors]` table.

    Parameters
    ----------
    choice : PriorChoice
    groups : int
        How many groups there are: the more, the less negative their slopes' correlation can be.

    Raises
    ------
    StudyError
        If slopes of so many groups cannot be correlated as asked.
    """
    least = -1 / (groups - 1) if groups > 1 else -1.0
    if choice.slope_group_correlation <= least:
        found, expected = f"{choice.slope_group_correlation:g}", f"more than {least:.3g} for {groups} groups"
        raise StudyError(Fault(found, expected, "raise it", column="priors.slope_group_correlation"))
    named = isinstance(choice.slope, str)
    mean, sd = (0.0, SLOPE_SD[choice.slope]) if isinstance(choice.slope, str) else choice.slope.normal
    return Priors(
        name=str(choice.slope) if named else "own",
        slope_mean=mean,
        slope_sd=sd,
        slope_correlation=choice.slope_group_correlation,
        intercept_mean_sd=choice.intercept_mean_sd,
        intercept_difference_sd=choice.intercept_difference_sd,
        patient_sd=HalfStudentT(*choice.patient_sd.half_student_t),
        residual_sd=HalfStudentT(*choice.residual_sd.half_student_t),
    )
