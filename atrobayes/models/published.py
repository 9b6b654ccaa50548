"""What a published slope says: its likelihood and the scale of its prior, printed digits as intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from atrobayes.models.published_model import model_of
from atrobayes.models.standard_errors import HOW, Interval, error_of, standard_error

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

UNGROUPED = "ALL"
# points from end to end of what the digits allow: against 1000 random ones the ranges of posteriors are short by less
# than a hundredth, with one printed digit and n from 3
_ESTIMATES, _ERRORS = 5, 3
WITHIN = 1e-100, 1e100  # beyond these, squares and their ratios are lost to a computer
_OPEN = "the printed digits leave the standard error open towards {}: no posterior"
_BEYOND = "estimate or standard error beyond 1e-100 to 1e100: no posterior; another unit helps"


def slope_scale(estimate: float, se: float, df: float) -> float:
    """SD of the outcome over SD of the predictor: se · √(df + t²) = √(b² + df · se²).

    Parameters
    ----------
    estimate, se : float
    df : float
        n - 2. Exact in ordinary regression on one predictor; with patient effects about so.
    """
    return math.hypot(estimate, math.sqrt(df) * se)


@dataclass(frozen=True)
class Slope:
    """A published slope as numbers, and what its digits allow them to have been.

    Attributes
    ----------
    row : int
        Line of the table.
    source, analysis, structure, group : str
    model : str
        "mixed" or "ordinary".
    n : int or None
    estimate, p : float
        As printed; p NaN where none is.
    p_bound : str
        "<" or ">" where only a bound of p is printed; else "".
    likelihood : str
        "t" or "normal".
    df : float
        Of the likelihood; infinite where it is normal.
    residual_df : float
        n - 2, for the scale; of an ordinary regression df, where n is not printed.
    se : float
        From the printed numbers; NaN where they give none.
    estimates, ses : tuple of two floats
        Lowest and highest that the digits allow; `ses` may end at 0 or infinity.
    ps : tuple of two floats
        Of p, where the standard error comes from it; else NaN.
    said : str
        Where the standard error comes from, and what was assumed.
    """

    row: int
    source: str
    analysis: str
    structure: str
    group: str
    model: str
    n: int | None
    estimate: float
    p: float
    p_bound: str
    likelihood: str
    df: float
    residual_df: float
    se: float
    estimates: Interval
    ses: Interval
    ps: Interval
    said: str

    @property
    def refused(self) -> str:
        """Why there is no posterior; "" where there is one."""
        low, high = self.ses
        if math.isnan(low):
            return self.said
        if low <= 0 or math.isinf(high):
            return _OPEN.format(" and ".join(["0"] * (low <= 0) + ["infinity"] * math.isinf(high)))
        inside = low >= WITHIN[0] and max(abs(self.estimate), high) <= WITHIN[1]
        return "" if inside else _BEYOND

    @property
    def scale(self) -> float:
        """SD of the outcome over SD of the predictor, by this row alone."""
        return slope_scale(self.estimate, self.se, self.residual_df)

    def at(self, estimate: float, se: float) -> Slope:
        """Put other numbers in, which the digits allow as well."""
        return replace(self, estimate=estimate, se=se)

    def allowed(self, other: float = 0.0) -> list[tuple[float, float]]:
        """Pairs of estimate and standard error that the digits allow: a grid with the ends of both.

        Parameters
        ----------
        other : float
            Largest scale of the groups that share its prior. Where the slope's own exceeds it the prior starts to
            follow, and a posterior may turn: such pairs are among the grid's.
        """
        from_p = not math.isnan(self.ps[0])
        # p leaves the ratio of the standard error to the estimate
        low, high = standard_error(1.0, np.array(self.ps), self.df) if from_p else self.ses
        errors = np.linspace(low, high, _ERRORS)
        b = np.linspace(*self.estimates, _ESTIMATES)[:, None]
        se = errors * (np.abs(b) if from_p else np.ones_like(b))
        turns = np.sqrt(np.maximum(other**2 - b**2, 0) / self.residual_df)
        grid = np.hstack([se, np.clip(turns, se[:, :1], se[:, -1:])])
        pairs = np.column_stack([np.repeat(b, _ERRORS + 1), grid.ravel()])
        turns = self._turns(errors, other, from_p)
        more = np.column_stack([turns, errors * (np.abs(turns) if from_p else 1.0)])
        return [(float(one), float(two)) for one, two in np.vstack([pairs, more])]

    def _turns(self, errors: np.ndarray, other: float, from_p: bool) -> np.ndarray:
        """Estimates at which the slope's own scale is just the other's."""
        own = self.residual_df * errors**2
        turns = other / np.sqrt(1 + own) if from_p else np.sqrt(np.maximum(other**2 - own, 0.0))
        return np.clip(math.copysign(1.0, self.estimate) * turns, *self.estimates)


def read_slopes(published: Published, patients: int | None = None) -> list[Slope]:
    """Slopes of a table, one for each likelihood.

    Parameters
    ----------
    published : Published
    patients : int, optional
        Patients of the mixed models; default: of each group the largest number that the summaries name.

    Returns
    -------
    list of Slope
        In the table's order. Ordinary regressions: t with n - 2 degrees of freedom. Mixed models: t with
        patients - groups, where the patients are known, and normal. Stated degrees of freedom come before both.
    """
    return [
        _slope(row, likelihood, df, said)
        for row in published.estimates
        if row.term == "slope" and row.estimate is not None
        for likelihood, df, said in _likelihoods(row, published, patients)
    ]


def _likelihoods(row: PublishedEstimate, published: Published, patients: int | None) -> list[tuple[str, float, str]]:
    model = model_of(row)
    if model == "mixed":
        df, said = _mixed_df(row, published, patients)
        return [*([("t", df, said)] if df > 0 else []), ("normal", math.inf, "mixed model, variances as if known")]
    assumed = "ordinary regression" + " assumed" * (not model)
    if row.df is not None:
        return [("t", row.df, f"{assumed}, df as stated")]
    return [("t", math.nan if row.n is None else row.n - 2.0, f"{assumed}, df = n - 2")]


def _mixed_df(row: PublishedEstimate, published: Published, patients: int | None) -> tuple[float, str]:
    if row.df is not None:
        return row.df, "mixed model, df as stated"
    groups = _groups(row, published)
    if patients is None:
        sizes = [max((s.n or 0 for s in published.summaries if s.group == g), default=0) for g in groups]
        patients = sum(sizes) if all(sizes) else None
    if patients is None:
        return 0.0, ""
    return float(patients - len(groups)), f"mixed model, df = {patients} patients - {len(groups)} groups"


def _groups(row: PublishedEstimate, published: Published) -> list[str]:
    own = (one for one in published.estimates if one.analysis == row.analysis and one.term == "slope")
    found = dict.fromkeys(one.group for one in own if one.group != UNGROUPED)
    return list(found) if row.group != UNGROUPED else [UNGROUPED]


def _slope(row: PublishedEstimate, likelihood: str, df: float, said: str) -> Slope:
    assert row.estimate is not None
    found = error_of(row, df)
    return Slope(
        row=row.row,
        source=row.source,
        analysis=row.analysis,
        structure=row.structure,
        group=row.group,
        model=model_of(row) or "ordinary",
        n=row.n,
        estimate=row.estimate.value,
        p=math.nan if row.p is None else row.p.value,
        p_bound="" if row.p is None else row.p.bound,
        likelihood=likelihood,
        df=df,
        residual_df=df if row.n is None else row.n - 2.0,
        se=found.se,
        estimates=row.estimate.bounds(HOW),
        ses=found.ses,
        ps=found.ps,
        said="; ".join(filter(None, (said, found.said))),
    )


def shared_scales(slopes: Sequence[Slope]) -> list[float]:
    """Give the scale of each slope's prior: the largest of its groups, so that they have the same prior.

    Parameters
    ----------
    slopes : sequence of Slope

    Returns
    -------
    list of float
        In the slopes' order, in their units; NaN where a slope is refused. Groups of one source, analysis,
        structure and likelihood share the largest; a slope of everybody has its own.
    """
    others = scales_of_others(slopes)
    return [math.nan if slope.refused else max(slope.scale, other) for slope, other in zip(slopes, others, strict=True)]


def scales_of_others(slopes: Sequence[Slope]) -> list[float]:
    """Give the largest scale of the groups that a slope shares its prior with.

    Parameters
    ----------
    slopes : sequence of Slope

    Returns
    -------
    list of float
        In the slopes' order; 0 where there is no such group, NaN where the slope is refused.
    """
    families: dict[tuple[object, ...], list[Slope]] = {}
    for slope in slopes:
        if not slope.refused:
            families.setdefault(_family(slope), []).append(slope)
    return [
        math.nan
        if slope.refused
        else max((one.scale for one in families[_family(slope)] if one is not slope), default=0.0)
        for slope in slopes
    ]


def _family(slope: Slope) -> tuple[object, ...]:
    return slope.source, slope.analysis, slope.structure, slope.likelihood, slope.group == UNGROUPED
