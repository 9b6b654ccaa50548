"""The example's EDSS scores: legal values, published medians, some progressions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atrobayes.data_prep.example_groups import GroupPlan

# Scores are handled as steps on the scale 0, 1, 1.5, 2 … 10, which has no 0.5.
SCALE: NDArray[np.float64] = np.concatenate([[0.0], np.arange(2, 21) / 2])
TOP_AT_BASELINE = 13  # 7.0
RISE = 2  # two steps are a progression from every score

Steps = NDArray[np.int64]


def draw_edss(plan: GroupPlan, attended: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw EDSS scores.

    Each year's median among those attending is the published one, and at the published
    group size the baseline mean too. About one patient in five rises by a full point:
    a third of them early enough to be confirmed by a later visit, the others at their last.

    Parameters
    ----------
    plan : GroupPlan
        Medians and baseline sum to meet.
    attended : (patient, year) array of bool
        Who was seen when.
    rng : Generator
        Source of everything random.

    Returns
    -------
    (patient, year) array
        Scores 0, 1, 1.5 … 10; those of visits not attended are to be left out.
    """
    size, years = attended.shape
    rising = _draw_rises(attended, rng)
    steps = np.empty((size, years), dtype=np.int64)
    steps[:, 0] = _draw_baseline(plan, size, rng)
    for year in range(1, years):
        drift = plan.edss_drift if year == 1 else 0
        change: Steps = rng.choice(np.array([-1, 0, 0, 0, 1]), size=size) + drift
        change = np.where(rising > 0, np.where(rising == year, RISE, 0), change)
        moved = np.clip(steps[:, year - 1] + change, 0, len(SCALE) - 1)
        steps[:, year] = _set_median(moved, attended[:, year], rising > 0, _step(plan.edss_median[year]), rng)
    return SCALE[steps]


def _step(score: float) -> int:
    return int(np.searchsorted(SCALE, score))


def _draw_rises(attended: NDArray[np.bool_], rng: np.random.Generator) -> Steps:
    """Year in which a patient's score rises for good; 0 for the many in whom it does not."""
    last = attended.shape[1] - 1 - np.argmax(attended[:, ::-1], axis=1)
    order = rng.permutation(len(last))
    confirmed, at_last_visit = order[0::16], order[4::8]
    rising = np.zeros(len(last), dtype=np.int64)
    rising[confirmed] = np.maximum(last[confirmed] - 1, 1)
    rising[at_last_visit] = last[at_last_visit]
    return rising


def _draw_baseline(plan: GroupPlan, size: int, rng: np.random.Generator) -> Steps:
    """Scores around the median, moved half a point at a time until their sum is as published."""
    median = _step(plan.edss_median[0])
    drawn: Steps = rng.normal(median, 3, size).round().astype(np.int64)
    steps = np.minimum(np.maximum(drawn, 0), TOP_AT_BASELINE)
    steps = _set_median(steps, np.ones(size, bool), np.zeros(size, bool), median, rng)
    wanted = round(2 * plan.edss_sum * size / plan.size) / 2
    for _ in range(20 * size):
        missing = wanted - SCALE[steps].sum()
        if abs(missing) < 0.5:
            break
        steps = _nudge(steps, median, 1 if missing > 0 else -1, rng)
    return steps


def _nudge(steps: Steps, median: int, direction: int, rng: np.random.Generator) -> Steps:
    """Move one score by one step such that it stays on its side of the median."""
    target = steps + direction
    legal = (target >= 1) & (target <= TOP_AT_BASELINE)
    able = np.flatnonzero(legal & (steps != median) & (steps >= 1) & (target != median))
    if len(able) == 0:
        return steps
    moved = steps.copy()
    moved[rng.choice(able)] += direction
    return moved


def _set_median(
    steps: Steps, counted: NDArray[np.bool_], fixed: NDArray[np.bool_], median: int, rng: np.random.Generator
) -> Steps:
    """Bring as few scores as needed to the median, those nearest to it first."""
    steps = steps.copy()
    most = (int(counted.sum()) - 1) // 2
    for side in (-1, 1):
        beyond = counted & (side * (steps - median) > 0)
        surplus = int(beyond.sum()) - most
        movable = rng.permutation(np.flatnonzero(beyond & ~fixed))
        nearest = movable[np.argsort(np.abs(steps[movable] - median), kind="stable")]
        steps[nearest[: max(surplus, 0)]] = median
    return steps
