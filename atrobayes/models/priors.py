"""Priors on the standardised scale: named, or given as numbers in the study file.

The scale: outcomes in SDs of the outcome, the predictor in units of u lesions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from atrobayes.errors import Fault, StudyError
from atrobayes.study import PriorChoice

if TYPE_CHECKING:
    import numpy as np

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
    covariate_sd : float
        SD of the slope of each covariate, per SD of it.
    nu_shape, nu_rate : float
        Gamma prior of the degrees of freedom of Student-t errors.
    raw : bool
        `slope_sd` is in the outcome's units per unit of the predictor, not standardised.
    """

    name: str = "regularising"
    slope_mean: float = 0.0
    slope_sd: float = SLOPE_SD["regularising"]
    slope_correlation: float = 0.5
    intercept_mean_sd: float = 2.5
    intercept_difference_sd: float = 1.0
    patient_sd: HalfStudentT = HalfStudentT(3, 1)
    residual_sd: HalfStudentT = HalfStudentT(3, 1)
    covariate_sd: float = 1.0
    nu_shape: float = 2.0
    nu_rate: float = 0.1
    raw: bool = False

    def standardised(self, slope_scale: np.ndarray) -> Priors:
        """Give the same priors on the standardised scale of one outcome.

        Parameters
        ----------
        slope_scale : ndarray (outcome,)
            `Frame.slope_scale`; of one outcome if the priors are raw, which differ from outcome to outcome.
        """
        if not self.raw:
            return self
        (scale,) = slope_scale
        return replace(self, slope_sd=self.slope_sd / float(scale), raw=False)

    @property
    def state_sd(self) -> float:
        """SD of the effect of a 0/1 state: twice a slope's, which is that per SD when the state is balanced."""
        return 2 * self.slope_sd

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
        unit = " in raw units" if self.raw else ""
        return {
            "slope of each group": f"normal({self.slope_mean:g}, {self.slope_sd:g}){unit}",
            "correlation of two groups' slopes": f"{self.slope_correlation:g}",
            "mean of the groups' intercepts": f"normal(0, {self.intercept_mean_sd:g})",
            "difference of two intercepts": f"normal(0, {self.intercept_difference_sd:g})",
            "patient SD": str(self.patient_sd),
            "residual SD": str(self.residual_sd),
            "slope of a covariate, per SD": f"normal(0, {self.covariate_sd:g})",
            "degrees of freedom of Student-t errors": f"gamma({self.nu_shape:g}, rate {self.nu_rate:g})",
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
    raw = not isinstance(choice.slope, str) and choice.slope.scale == "raw"
    return Priors(
        name=str(choice.slope) if named else "own",
        slope_mean=mean,
        slope_sd=sd,
        slope_correlation=choice.slope_group_correlation,
        intercept_mean_sd=choice.intercept_mean_sd,
        intercept_difference_sd=choice.intercept_difference_sd,
        patient_sd=HalfStudentT(*choice.patient_sd.half_student_t),
        residual_sd=HalfStudentT(*choice.residual_sd.half_student_t),
        covariate_sd=choice.covariate_sd,
        nu_shape=choice.degrees_of_freedom.gamma[0],
        nu_rate=choice.degrees_of_freedom.gamma[1],
        raw=raw,
    )
