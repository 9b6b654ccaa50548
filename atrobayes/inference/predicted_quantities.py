"""Quantities of a set of changes that a clinician knows, and that a model may or may not foresee."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from atrobayes.models.frame import Frame

FEWEST = 5  # rows on either side of a comparison, and pairs of rows
# name → what it is; the mean of each group is named mean[G]
QUANTITIES: Mapping[str, str] = MappingProxyType(
    {
        "largest_loss": "largest loss of any row (of the ventricle: its largest growth)",
        "share_growth": "share of rows that changed against atrophy: tissue that grew, a ventricle that shrank",
        "patients_sd": "SD of the patients' mean changes; where patients have several rows",
        "patients_outside": "share of patients whose mean change lies outside the predictive interval of that patient",
        "spread_ratio": "SD of the changes in rows with many lesions (above the median count; of comparisons: with "
        f"activity) over that in the other rows; where {FEWEST} rows lie on either side",
        "successive": "correlation of a patient's successive yearly changes, what the design explains taken off by "
        f"least squares; where there are {FEWEST} pairs. Scans shared by two years make it negative, lasting "
        "differences between patients positive",
        "first_year": "mean change of the first year (opening visit 0) minus that of later ones; where either has "
        f"{FEWEST} rows",
        "skewness": "skewness of the least-squares residuals along atrophy: negative has its long tail in losses",
        "largest_residual": "largest least-squares residual, either side, in SDs of the residuals",
        "mean[G]": "mean change in group G",
    }
)

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Quantity:
    """One number of a data set.

    Attributes
    ----------
    name : str
        As in QUANTITIES.
    of : callable
        Values (outcome, data set, row), raw units, to the quantity (outcome, data set).
    n : int
        Rows, patients or pairs it is computed from.
    unit : str
        "" where it has the outcome's.
    row : ndarray of int (outcome,), optional
        Which row of the data the quantity is, if it is one.
    """

    name: str
    of: Statistic
    n: int
    unit: str = ""
    row: np.ndarray | None = None


def quantities(seen: Frame, X: np.ndarray, replicated: np.ndarray, level: float) -> list[Quantity]:
    """Quantities that make sense of a frame, in the order of QUANTITIES.

    Parameters
    ----------
    seen : Frame
        Rows without missing outcomes.
    X : ndarray (row, coef)
        Design.
    replicated : ndarray (outcome, data set, row)
        Raw units: what each patient's predictive interval is taken from.
    level : float
        Of these intervals.
    """
    return [
        *_extremes(seen),
        *_patients(seen, replicated, level),
        *_spread(seen, X),
        *_successive(seen, X),
        *_first_year(seen),
        *_tails(seen, X),
        *_means(seen),
    ]


def _extremes(seen: Frame) -> list[Quantity]:
    towards, rows = seen.orientation[:, None, None], len(seen.x)
    worst = (seen.y.to_numpy() * seen.orientation).argmin(axis=0)
    return [
        Quantity("largest_loss", lambda y: (-towards * y).max(axis=-1), rows, row=worst),
        Quantity("share_growth", lambda y: (towards * y > 0).mean(axis=-1), rows, "proportion"),
    ]


def _patients(seen: Frame, replicated: np.ndarray, level: float) -> list[Quantity]:
    who, code, size = np.unique(seen.patient, return_inverse=True, return_counts=True)
    average = (code == np.arange(len(who))[:, None]) / size[:, None]
    ends = np.quantile(replicated @ average.T, [(1 - level) / 2, (1 + level) / 2], axis=1)
    low, high = ends[:, :, None]

    def outside(y: np.ndarray) -> np.ndarray:
        mean = y @ average.T
        return np.asarray(((mean < low) | (mean > high)).mean(axis=-1))

    both = [
        Quantity("patients_sd", lambda y: (y @ average.T).std(axis=-1, ddof=1), len(who)),
        Quantity("patients_outside", outside, len(who), "proportion"),
    ]
    return both if size.max() > 1 else both[1:]


def _spread(seen: Frame, X: np.ndarray) -> list[Quantity]:
    many = seen.x > np.median(seen.x)
    # most rows may have the highest count: a comparison with activity in most years
    many = many if many.any() else seen.x == seen.x.max()
    if min(many.sum(), (~many).sum()) < max(FEWEST, X.shape[1] + 1):
        return []

    def ratio(y: np.ndarray) -> np.ndarray:
        return np.asarray(y[..., many].std(axis=-1, ddof=1) / y[..., ~many].std(axis=-1, ddof=1))

    return [Quantity("spread_ratio", ratio, len(seen.x), "ratio")]


def _successive(seen: Frame, X: np.ndarray) -> list[Quantity]:
    opened = {(who, visit): row for row, (who, visit) in enumerate(zip(seen.patient, seen.visits[:, 0], strict=True))}
    pairs = [
        (row, opened[who, visit])
        for row, (who, visit) in enumerate(zip(seen.patient, seen.visits[:, 1], strict=True))
        if (who, visit) in opened and opened[who, visit] != row
    ]
    if len(pairs) < FEWEST:
        return []
    first, second = np.array(pairs).T
    residuals = _residuals(X)

    def correlation(y: np.ndarray) -> np.ndarray:
        rest = residuals(y)
        a, b = rest[..., first], rest[..., second]
        return np.asarray((a * b).sum(axis=-1) / np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1)))

    return [Quantity("successive", correlation, len(pairs), "correlation")]


def _first_year(seen: Frame) -> list[Quantity]:
    first = seen.visits[:, 0] == 0
    if min(first.sum(), (~first).sum()) < FEWEST:
        return []
    return [
        Quantity("first_year", lambda y: y[..., first].mean(axis=-1) - y[..., ~first].mean(axis=-1), len(seen.x)),
    ]


def _tails(seen: Frame, X: np.ndarray) -> list[Quantity]:
    residuals, towards, rows = _residuals(X), seen.orientation[:, None, None], len(seen.x)
    free = rows - np.linalg.matrix_rank(X)
    if free < FEWEST:
        return []

    def skewness(y: np.ndarray) -> np.ndarray:
        rest = residuals(towards * y)
        return np.asarray((rest**3).mean(axis=-1) / (rest**2).mean(axis=-1) ** 1.5)

    def largest(y: np.ndarray) -> np.ndarray:
        rest = residuals(y)
        return np.asarray(np.abs(rest).max(axis=-1) / np.sqrt((rest**2).sum(axis=-1) / free))

    row = np.abs(residuals(seen.y.to_numpy().T)).argmax(axis=-1)
    return [
        Quantity("skewness", skewness, rows, "skewness"),
        Quantity("largest_residual", largest, rows, "SD of the residuals", row),
    ]


def _means(seen: Frame) -> list[Quantity]:
    def mean_of(own: np.ndarray) -> Statistic:
        return lambda y: y[..., own].mean(axis=-1)

    groups = [(label, np.flatnonzero(seen.group == g)) for g, label in enumerate(seen.groups)]
    return [Quantity(f"mean[{label}]", mean_of(own), len(own)) for label, own in groups if len(own)]


def _residuals(X: np.ndarray) -> Statistic:
    """What least squares on the design leaves: a function of the data alone, so one distribution for all."""
    basis, singular, _ = np.linalg.svd(X, full_matrices=False)
    basis = basis[:, singular > 1e-9 * singular[0]]
    return lambda y: np.asarray(y - (y @ basis) @ basis.T)
