"""What a group of n can show at all: the smallest correlation that reaches p < 0.05, power and exaggeration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, ndtr

from atrobayes.data_prep.printed import ROUNDINGS
from atrobayes.models import student_t
from atrobayes.models.normals import SQRT_2PI
from atrobayes.models.published_model import model_of
from atrobayes.reports.audit.finding import Finding, Interval, fit_words, overlap, verdict_of
from atrobayes.reports.audit.intervals import share, size
from atrobayes.reports.audit.named import fullest
from atrobayes.reports.audit.p_from_r import obstacle

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import Published, PublishedEstimate

CHECK = "small_n"
SIGNIFICANT = 0.05
# Cohen's small, medium and large correlation, doi:10.1037/0033-2909.112.1.155: a convention
PLAUSIBLE = (0.1, 0.3, 0.5)
_LEAST = 3
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_REACH = 9.0
_ASSUMPTIONS = (
    "ordinary regression on one predictor, its values as they are; n independent rows, normal residuals; "
    "correlations of 0.1, 0.3 and 0.5 stand for small, medium and large by convention"
)
_REPEATED = "; repeated rows of a patient show less than as many patients"


@dataclass(frozen=True)
class Showing:
    """What a two-sided test at 0.05 shows of a true correlation.

    Attributes
    ----------
    power : float
        Chance of p < 0.05.
    exaggeration : float
        Mean size of the slope over its true size, when p < 0.05.
    wrong_sign : float
        Share of slopes with the wrong sign, when p < 0.05.
    """

    power: float
    exaggeration: float
    wrong_sign: float


def check(published: Published) -> list[Finding]:
    """Say what each group's n can show, and whether its printed p and r stand on the same side of that limit.

    Parameters
    ----------
    published : Published

    Returns
    -------
    list of Finding
        One for each analysis, term, group and n of slopes and correlations. `implied`: smallest |r| that
        reaches p < 0.05.
    """
    sets: dict[tuple[str, str, str, int], list[PublishedEstimate]] = {}
    for row in fullest(published.estimates):
        if row.term in {"slope", "correlation"} and row.n is not None and row.n >= _LEAST:
            sets.setdefault((row.analysis, row.term, row.group, row.n), []).append(row)
    return [_finding(rows, n) for (_, _, _, n), rows in sets.items()]


def smallest_r(n: int, p: float = SIGNIFICANT) -> float:
    """Smallest |r| of n rows whose two-sided p is not above `p`.

    Parameters
    ----------
    n : int
        3 or more.
    p : float
    """
    t = float(student_t.isf(p / 2, n - 2))
    return t / math.hypot(t, math.sqrt(n - 2))


@cache
def showing(n: int, correlation: float) -> Showing:
    """Power, exaggeration and wrong signs for a true correlation.

    Parameters
    ----------
    n : int
        Rows, 3 or more.
    correlation : float
        Between 0 and 1, both excluded: its square is the share of variance that the predictor explains at the
        values it has.

    Notes
    -----
    Gelman & Carlin (2014), doi:10.1177/1745691614551642. The slope in its true standard errors is normal about δ =
    √n ρ/√(1 − ρ²), the residual SD follows a χ distribution: given it, all three are closed forms, and one
    Gauss–Legendre sum goes over it.
    """
    df, shift = n - 2, math.sqrt(n) * correlation / math.sqrt(1 - correlation**2)
    s, weight = _residual_sd(df)
    limit = float(student_t.isf(SIGNIFICANT / 2, df)) * s
    right, wrong = ndtr(shift - limit), ndtr(-shift - limit)
    sizes = shift * (right - wrong) + _bell(limit - shift) + _bell(limit + shift)
    power = float(weight @ (right + wrong))
    return Showing(power, float(weight @ sizes) / (shift * power), float(weight @ wrong) / power)


def _residual_sd(df: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights over s = √(χ²/df)."""
    root = math.sqrt(df)
    low, high = max(0.0, root - _REACH), root + _REACH
    chi = low + (high - low) * (_NODES + 1) / 2
    log = (df - 1) * np.log(chi) - chi**2 / 2 - (df / 2 - 1) * math.log(2) - gammaln(df / 2)
    return chi / root, _WEIGHTS * (high - low) / 2 * np.exp(log)


def _bell(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / SQRT_2PI


def _finding(rows: Sequence[PublishedEstimate], n: int) -> Finding:
    first, limit = rows[0], smallest_r(n)
    p = [row.p for row in rows if row.p is not None]
    below = sum(number.below(SIGNIFICANT) for number in p)
    verdict, ways = verdict_of({how: all(_same_side(row, limit, how) for row in rows) for how in ROUNDINGS})
    ordinary = all(model_of(row) == "ordinary" for row in rows)
    against = "" if verdict == "consistent" else f" Printed p and r of {_who(rows, limit)} {fit_words(verdict, ways)}."
    return Finding(
        CHECK,
        verdict,
        "; ".join(dict.fromkeys(row.source for row in rows)),
        first.analysis,
        "; ".join(row.structure for row in rows),
        "r",
        first.group,
        f"n {n}; p < {SIGNIFICANT} in {below} of {len(p)}",
        f"{limit:.4f} to 1",
        _ASSUMPTIONS + ("" if ordinary else _REPEATED),
        f"With n = {n} no |r| below {limit:.3f} reaches p < {SIGNIFICANT}. {_shown(n)}{against}",
    )


def _shown(n: int) -> str:
    return " ".join(
        f"A true correlation of {rho:g} has a chance of {found.power:.0%} to reach it; its slope is then on average "
        f"{found.exaggeration:.1f} times its true size, with the wrong sign in {found.wrong_sign:.1%}."
        for rho in PLAUSIBLE
        for found in (showing(n, rho),)
    )


def _who(rows: Sequence[PublishedEstimate], limit: float) -> str:
    return ", ".join(row.structure for row in rows if not _same_side(row, limit, "rounded"))


def _same_side(row: PublishedEstimate, limit: float, how: str) -> bool:
    found = _size(row, how)
    if row.p is None or found is None or obstacle(row):
        return True
    low, high = row.p.bounds(how)
    if high < SIGNIFICANT:
        return overlap(found, (limit, 1.0))
    return low <= SIGNIFICANT or overlap(found, (0.0, limit))


def _size(row: PublishedEstimate, how: str) -> Interval | None:
    """What the printed r, else R², allows |r| to be."""
    if row.r is not None:
        return size(row.r.bounds(how))
    if row.r2 is not None:
        low, high = share(row.r2, how)
        return math.sqrt(low), math.sqrt(high)
    return None
