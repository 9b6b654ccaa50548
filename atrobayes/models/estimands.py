"""From marginal posteriors to the columns of estimates.tsv: one function for every method and engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.models import estimates, student_t
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Marginals
from atrobayes.models.normals import SQRT_2PI
from atrobayes.models.terms import Term, terms_of

SIGNIFICANT = 0.05
LEFT_OUT_IF_BRIEF = frozenset({"hdi_low", "hdi_high", "p_sig_rep", "type_s", "type_m"})


@dataclass(frozen=True)
class Rope:
    """Region of practical equivalence of an effect of u lesions.

    Attributes
    ----------
    standardised : float
        Half-width in SDs of the outcome; used unless `raw` is given. 0.1 is a convention, not a finding.
    raw : float or None
        Half-width in the outcome's units.
    """

    standardised: float = 0.1
    raw: float | None = None

    def half_width(self, frame: Frame) -> np.ndarray:
        """(outcome,): largest negligible slope, in the frame's unit."""
        effect = self.standardised * frame.scales.y_sd if self.raw is None else np.full(len(frame.outcomes), self.raw)
        return effect / frame.scales.x_unit


def describe(
    marginals: Marginals,
    frame: Frame,
    rope: Rope,
    interval: float,
    classical: pd.DataFrame,
    prior: tuple[np.ndarray, np.ndarray],
    *,
    brief: bool = False,
) -> pd.DataFrame:
    """All that is reported of a posterior.

    Parameters
    ----------
    marginals : Marginals
        Raw units.
    frame : Frame
    rope : Rope
    interval : float
        Level of both intervals: equal-tailed and highest-density.
    classical : DataFrame
        Headline classical rows of the same frame: what pull, shrinkage and the replication columns refer to.
    prior : tuple of ndarray
        Prior mean and SD of every term (outcome, term), raw units.
    brief : bool
        Leave the columns of LEFT_OUT_IF_BRIEF missing, which take a third of the time.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv. method, engine, prior, diagnostics and fit_id are the caller's to add.

    Notes
    -----
    log_bf10: Savage–Dickey, doi:10.1016/j.cogpsych.2009.12.001, prior over posterior density at 0.
    type_s, type_m: Gelman & Carlin (2014), doi:10.1177/1745691614551642, averaged over the posterior;
    type_m is a ratio of means, since the mean of the ratio is infinite.
    """
    terms = terms_of(frame)
    null = np.array([term.null for term in terms]) + np.zeros_like(marginals.mean())
    half = rope.half_width(frame)[:, None] + np.where(null == 0, 0.0, np.nan)
    # missing stays missing: a comparison with NaN is false, not unknown
    above = 1 - marginals.cdf(null) + 0 * (null + marginals.mean())
    nothing = np.full_like(null, np.nan)
    hdi_low, hdi_high = (nothing, nothing) if brief else marginals.hdi(interval)
    columns = {
        "estimate": marginals.mean(),
        "median": marginals.quantile(0.5),
        "sd": marginals.sd(),
        "ci_low": marginals.quantile((1 - interval) / 2),
        "ci_high": marginals.quantile((1 + interval) / 2),
        "hdi_low": hdi_low,
        "hdi_high": hdi_high,
        "pd": np.maximum(above, 1 - above),
        "p_rope": marginals.cdf(half) - marginals.cdf(-half),
        "rope_low": -half,
        "rope_high": half,
        "log_bf10": _log_normal_at_zero(*prior) - marginals.log_pdf(np.zeros_like(null)),
        "prior_sd": prior[1],
    }
    columns |= _beside(marginals, classical, brief)
    rows = [_row(frame, term, k, columns, t) for k in range(len(frame.outcomes)) for t, term in enumerate(terms)]
    return estimates.table([row | {"ci_prob": interval, "ci_kind": "eti"} for row in rows])


def _row(frame: Frame, term: Term, k: int, columns: dict[str, np.ndarray], t: int) -> dict[str, Any]:
    own = {name: float(values[k, t]) for name, values in columns.items()}
    return estimates.constants(frame, term, k) | own


def _beside(marginals: Marginals, classical: pd.DataFrame, brief: bool) -> dict[str, np.ndarray]:
    """Columns that set the posterior beside the classical result: (outcome, term) each."""
    wide = classical.set_index(["structure", "term"])
    index = pd.MultiIndex.from_product([marginals.outcomes, marginals.terms])
    shape = (len(marginals.outcomes), len(marginals.terms))
    b, se, df = (wide[name].reindex(index).to_numpy(float).reshape(shape) for name in ("estimate", "sd", "df"))
    mean = marginals.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        shrinkage = np.where(np.abs(b) >= se, 1 - mean / b, np.nan)
    found = {"pull": (b - mean) / se, "shrinkage": shrinkage}
    return found if brief else found | replication(marginals, se, df)


def replication(marginals: Marginals, se: np.ndarray, df: np.ndarray) -> dict[str, np.ndarray]:
    """What the classical test would find if the study were repeated and the posterior were true.

    Parameters
    ----------
    marginals : Marginals
    se, df : ndarray (outcome, term)
        Standard error and degrees of freedom of the classical estimate; NaN gives NaN.

    Returns
    -------
    dict of str to ndarray (outcome, term)
        p_sig_rep, type_s and type_m, with θ from the posterior and b ~ θ + se · t_df.
    """
    known = np.isfinite(se) & np.isfinite(df)
    error, free = np.where(known, se, 1.0)[..., None], np.where(known, df, 10.0)[..., None]
    critical = student_t.isf(SIGNIFICANT / 2, free)

    theta, weight = marginals.rule()
    shift = theta / error
    positive = student_t.sf(critical - shift, free)
    negative = student_t.cdf(-critical - shift, free)
    # mean of |b| over significant b: a truncated t has a closed form
    size = theta * (positive - negative) + error * (
        _tail_mean(critical - shift, free) + _tail_mean(critical + shift, free)
    )

    def average(values: np.ndarray) -> np.ndarray:
        return np.where(known, (values * weight).sum(axis=-1), np.nan)

    significant = average(positive + negative)
    return {
        "p_sig_rep": significant,
        "type_s": average(np.where(theta > 0, negative, positive)) / significant,
        "type_m": average(size) / average(np.abs(theta) * (positive + negative)),
    }


def _log_normal_at_zero(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return np.asarray(-0.5 * (mean / sd) ** 2 - np.log(sd * SQRT_2PI))


def _tail_mean(start: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Integral of t · density from `start` to infinity, Student's t."""
    with np.errstate(divide="ignore"):
        mean = student_t.pdf(start, df) * (df + start**2) / (df - 1)
    # with one degree of freedom or less a mean of |b| does not exist
    return np.where(df > 1, mean, np.nan)
