"""What the rows of reanalysis.tsv share: the choices, the slopes at work, and what is said of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atrobayes.models.priors import SLOPE_SD
from atrobayes.models.published import Slope

_NAMED = {sd: name for name, sd in SLOPE_SD.items()}


@dataclass(frozen=True)
class Asked:
    """Choices of a reanalysis.

    Attributes
    ----------
    interval : float
        Level of the intervals.
    rungs : tuple of float
        Standardised prior SDs, from sceptical to wide.
    error_correlations : tuple of float
        Assumed correlations of two structures' errors: unpublished, so several are shown and none is chosen.
    patients : int or None
        Patients of the mixed models; None: as the summaries say.
    """

    interval: float = 0.95
    rungs: tuple[float, ...] = (0.25, 0.35, 0.5, 1.0, 2.5)
    error_correlations: tuple[float, ...] = (0.0, 0.3, 0.6, 0.9)
    patients: int | None = None


@dataclass(frozen=True)
class Work:
    """Slopes that have a posterior.

    Attributes
    ----------
    asked : Asked
    slopes : tuple of Slope
    scales : ndarray (slope,)
        Of their priors.
    """

    asked: Asked
    slopes: tuple[Slope, ...]
    scales: np.ndarray

    def sets(self, key: Callable[[Slope], tuple[Any, ...]]) -> Iterator[list[int]]:
        """Give the positions of slopes with equal keys, each set in order."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for k, slope in enumerate(self.slopes):
            found.setdefault(key(slope), []).append(k)
        yield from found.values()

    def numbers(self, which: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Estimate, standard error, df and scale (slope,)."""
        own = [self.slopes[k] for k in which]
        columns = [[s.estimate for s in own], [s.se for s in own], [s.df for s in own]]
        return (*map(np.array, columns), self.scales[list(which)])


def published_numbers(estimate: np.ndarray, se: np.ndarray, df: np.ndarray) -> dict[str, np.ndarray]:
    """Published numbers as `summary.summarise` takes them, (outcome, term) each."""
    return {"estimate": estimate, "se": se, "df": df}


def prior_cells(work: Work, s: float, scale: float) -> dict[str, Any]:
    """Cells on the prior.

    Parameters
    ----------
    work : Work
    s : float
        Standardised SD.
    scale : float
    """
    return {
        "prior": _NAMED.get(s, f"normal(0, {s:g})"),
        "prior_s": s,
        "scale": scale,
        "prior_sd": s * scale,
        "ci_prob": work.asked.interval,
    }


def about(slope: Slope, together: str) -> dict[str, Any]:
    """Cells on what was published.

    Parameters
    ----------
    slope : Slope
    together : str
        A key of `columns.TOGETHER`.
    """
    return {
        "row": slope.row,
        "source": slope.source,
        "analysis": slope.analysis,
        "structure": slope.structure,
        "term": "slope",
        "group": slope.group,
        "n": slope.n,
        "together": together,
        "likelihood": slope.likelihood,
        "df": finite(slope.df),
        "unit": "as published",
        "published": slope.estimate,
        "p": slope.p,
        "p_bound": slope.p_bound,
        "se": math.nan if slope.refused else slope.se,
        "se_low": slope.ses[0],
        "se_high": slope.ses[1],
        "status": "posterior",
        "note": slope.said,
    }


def finite(df: float) -> float:
    """Degrees of freedom for the table: missing where there is no end of them."""
    return df if math.isfinite(df) else math.nan
