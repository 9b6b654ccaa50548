"""What a published slope says: its likelihood from estimate and p or standard error, printed digits as intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from atrobayes.models import student_t
from atrobayes.models.published_model import model_of

if TYPE_CHECKING:
    from atrobayes.data_prep.printed import Printed
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

Interval = tuple[float, float]
UNGROUPED = "ALL"
HOW = "rounded"
LEVEL = 0.95  # of printed confidence intervals
_OPEN = "the printed digits leave the standard error open towards {}: no posterior"


def standard_error(estimate: np.ndarray | float, p: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Standard error from an estimate and its two-sided p: |b| / t_df(1 - p/2).

    Parameters
    ----------
    estimate, p, df : ndarray or float
        Broadcast against each other; df infinite: the normal distribution.

    Returns
    -------
    ndarray
        0 where p is 0, infinite where p is 1; NaN where the estimate is 0 and p is 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(estimate) / student_t.isf(np.asarray(p) / 2, df)


def slope_scale(estimate: float, se: float, df: float) -> float:
    """SD of the outcome over SD of the predictor: se · √(df + t²) = √(b² + df · se²).

    Parameters
    ----------
    estimate, se : float
    df : float
        n - 2. Exact in ordinary regression on one predictor; with patient effects about so.
    """
    return math.sqrt(estimate**2 + df * se**2)


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
    likelihood : str
        "t" or "normal".
    df : float
        Of the likelihood; infinite where it is normal.
    residual_df : float
        n - 2, for the scale; df where n is not printed.
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
        return ""

    @property
    def scale(self) -> float:
        """SD of the outcome over SD of the predictor, by this row alone."""
        return slope_scale(self.estimate, self.se, self.residual_df)

    def at(self, estimate: float, se: float) -> Slope:
        """Put other numbers in, which the digits allow as well."""
        return replace(self, estimate=estimate, se=se)

    def allowed(self, steps: int = 5) -> list[tuple[float, float]]:
        """Pairs of estimate and standard error that the digits allow: a grid with the ends of both.

        Parameters
        ----------
        steps : int
            Points from end to end of each.
        """
        estimates = np.linspace(*self.estimates, steps)
        if math.isnan(self.ps[0]):
            return [(float(b), float(se)) for b in estimates for se in np.linspace(*self.ses, steps)]
        ps = np.linspace(*self.ps, steps)
        return [(float(b), float(standard_error(b, p, self.df))) for b in estimates for p in ps]


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
    estimates = row.estimate.bounds(HOW)
    se, ses, ps, where = _standard_error(row, df)
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
        likelihood=likelihood,
        df=df,
        residual_df=df if row.n is None else row.n - 2.0,
        se=se,
        estimates=estimates,
        ses=ses,
        ps=ps,
        said="; ".join(filter(None, (said, where))),
    )


_NOTHING = (math.nan, math.nan)
_Found = tuple[float, Interval, Interval, str]


def _standard_error(row: PublishedEstimate, df: float) -> _Found:
    """Value, interval, interval of the p it comes from, and where it comes from."""
    if math.isnan(df):
        return math.nan, _NOTHING, _NOTHING, "neither n nor df is printed: no posterior"
    if row.se is not None:
        low, high = row.se.bounds(HOW)
        return row.se.value, (max(low, 0.0), high), _NOTHING, "standard error as printed"
    interval = row.ci_low is not None and row.ci_high is not None
    if row.p is None:
        nothing = math.nan, _NOTHING, _NOTHING, "no p, standard error or interval is printed: no posterior"
        return _of_interval(row, df) if interval else nothing
    found = _of_p(row.estimate, row.p, df)
    return _of_interval(row, df) if interval and _is_open(found[1]) else found


def _of_p(estimate: Printed | None, p: Printed, df: float) -> _Found:
    assert estimate is not None
    low, high = p.bounds(HOW)
    ps = max(low, 0.0), min(high, 1.0)
    ses = _se_of_p(estimate.bounds(HOW), ps, df)
    if p.bound:
        return math.nan, ses, ps, "only a bound of p is printed"
    return float(standard_error(estimate.value, p.value, df)), ses, ps, "standard error from p"


def _is_open(ses: Interval) -> bool:
    return ses[0] <= 0 or math.isinf(ses[1])


def _se_of_p(estimates: Interval, ps: Interval, df: float) -> Interval:
    """Interval of |b| / t(p) over both intervals; at b = 0 with p = 1 it is open on both sides."""
    low, high = estimates
    least, most = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    if least == 0:
        return 0.0, (math.inf if ps[1] >= 1 else float(standard_error(most, ps[1], df)))
    return float(standard_error(least, ps[0], df)), float(standard_error(most, ps[1], df))


def _of_interval(row: PublishedEstimate, df: float) -> _Found:
    assert row.ci_low is not None
    assert row.ci_high is not None
    wide = 2 * float(student_t.isf((1 - LEVEL) / 2, df))
    (a, b), (c, d) = row.ci_low.bounds(HOW), row.ci_high.bounds(HOW)
    ses = max(c - b, 0.0) / wide, (d - a) / wide
    return (row.ci_high.value - row.ci_low.value) / wide, ses, _NOTHING, "standard error from the interval"


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
    scales: dict[tuple[object, ...], float] = {}
    for slope in slopes:
        if not slope.refused:
            scales[_family(slope)] = max(scales.get(_family(slope), 0.0), slope.scale)
    return [math.nan if slope.refused else scales[_family(slope)] for slope in slopes]


def _family(slope: Slope) -> tuple[object, ...]:
    return slope.source, slope.analysis, slope.structure, slope.likelihood, slope.group == UNGROUPED
