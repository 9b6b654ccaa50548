"""The terms an analysis reports: their names, the rows each rests on, and its null value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from atrobayes.models.coding import term_weights

if TYPE_CHECKING:
    from atrobayes.models.frame import Frame

# what a frame's rows are, and what is asked of them
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "mixed": "slopes on a predictor, patients with several rows",
        "regression": "slopes on a predictor, one row a patient",
        "comparison": "rows with activity against rows without",
        "groups": "groups against each other, one row a patient",
        "counts": "counts of events by visit and group",
        "scores": "an ordinal score by visit and group",
    }
)


@dataclass(frozen=True)
class Term:
    """One reported quantity of every outcome.

    Attributes
    ----------
    name : str
        As in estimates.tsv.
    rows : ndarray of bool (row,)
        The rows it rests on.
    null : float
        Value that means "nothing there"; NaN for quantities without one, such as a rate.
    unit : str
        Of this term; "" where it is the outcome's.
    """

    name: str
    rows: np.ndarray
    null: float = 0.0
    unit: str = ""


def terms_of(frame: Frame) -> tuple[Term, ...]:
    """Terms of a frame, in the order of estimates.tsv."""
    everything = np.ones(len(frame.x), dtype=bool)
    if frame.kind in {"mixed", "regression"}:
        return tuple(Term(name, weights[frame.group] != 0) for name, weights in term_weights(frame.groups).items())
    if frame.kind == "comparison":
        return (Term("difference", everything),)
    if frame.kind == "groups":
        return tuple(Term(name, weights[frame.group] != 0) for name, weights in differences(frame.groups).items())
    return tuple(cell.term for cell in cells(frame)) + _ratios(frame)


def differences(groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Differences of the groups as weights (group,): `difference` for two, `difference[A-B]` for each pair of more."""
    eye = np.eye(len(groups))
    if len(groups) == 2:
        return {"difference": eye[0] - eye[1]}
    pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
    return {f"difference[{groups[i]}-{groups[j]}]": eye[i] - eye[j] for i, j in pairs}


@dataclass(frozen=True)
class Cell:
    """One group at one visit.

    Attributes
    ----------
    group, visit : int
        Code of the group; nominal visit.
    term : Term
        What is reported of it.
    """

    group: int
    visit: int
    term: Term


def cells(frame: Frame) -> tuple[Cell, ...]:
    """Cells of a course, by visit, then group: those any row lies in."""
    word = "rate" if frame.kind == "counts" else "median"
    visit = frame.visits[:, 1]
    found = []
    for year in np.unique(visit).tolist():
        for group, label in enumerate(frame.groups):
            rows = (visit == year) & (frame.group == group)
            if rows.any():
                found.append(Cell(group, year, Term(f"{word}[{label},{year}]", rows, np.nan)))
    return tuple(found)


def _ratios(frame: Frame) -> tuple[Term, ...]:
    """Rate ratio of the first group to the second at each visit that both have; none for scores."""
    if frame.kind != "counts" or len(frame.groups) < 2:
        return ()
    by_place = {(cell.group, cell.visit): cell.term.rows for cell in cells(frame)}
    shared = [visit for group, visit in by_place if group == 0 and (1, visit) in by_place]
    name = f"rate_ratio[{frame.groups[0]}/{frame.groups[1]},{{}}]"
    return tuple(Term(name.format(visit), by_place[0, visit] | by_place[1, visit], 1.0, "ratio") for visit in shared)
