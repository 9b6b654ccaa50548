"""The design of a future study: observed patients over again, with their lesions and their missing visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from atrobayes.models.frame import Frame


def years_of(frame: Frame, wanted: Sequence[int]) -> tuple[int, ...]:
    """Years of follow-up that can be asked for.

    Parameters
    ----------
    frame : Frame
    wanted : sequence of int

    Returns
    -------
    tuple of int
        Those wanted; where each patient has one change over a fixed span, as in regressions, that span alone:
        another one would be another question.
    """
    return tuple(wanted) if frame.kind != "regression" else (observed_years(frame),)


def observed_years(frame: Frame) -> int:
    """Years from the first opening to the last closing visit of a frame."""
    return int(frame.visits[:, 1].max() - frame.visits[:, 0].min())


def group_sizes(enrolled: Sequence[int], patients: int) -> tuple[int, ...]:
    """Share out patients over groups in the observed proportions, by largest remainders.

    Parameters
    ----------
    enrolled : sequence of int
        Observed patients of each group.
    patients : int
        Of the future study.
    """
    exact = np.array(enrolled) * patients / sum(enrolled)
    sizes = np.floor(exact).astype(int)
    # ties go to the group that comes first
    sizes[np.argsort(sizes - exact, kind="stable")[: patients - sizes.sum()]] += 1
    return tuple(sizes.tolist())


def retention(frame: Frame, enrolled: Sequence[int]) -> np.ndarray:
    """Probability that a patient seen in one year is seen in the next.

    Parameters
    ----------
    frame : Frame
        Patients with one row a year.
    enrolled : sequence of int
        Patients of each group, with rows or without.

    Returns
    -------
    ndarray (group,)
        Over all years but the last; with one year only, the share of those enrolled who have it; 0 for a group
        without rows.
    """
    last = frame.visits[:, 1].max()
    seen = set(zip(frame.patient.tolist(), frame.visits[:, 1].tolist(), strict=True))
    shares = np.zeros(len(frame.groups))
    for g in range(len(frame.groups)):
        before = [one for one in seen if frame.group[frame.patient == one[0]][0] == g and one[1] < last]
        in_last = np.unique(frame.patient[frame.group == g]).size
        shares[g] = (
            np.mean([(patient, visit + 1) in seen for patient, visit in sorted(before)])
            if before
            else in_last / max(enrolled[g], 1)
        )
    return shares


def future_frame(frame: Frame, patients: int, years: int, enrolled: Sequence[int], rng: np.random.Generator) -> Frame:
    """Draw the rows of a future study.

    Parameters
    ----------
    frame : Frame
        The observed rows.
    patients : int
        Enrolled in the future study, in the observed proportions of the groups.
    years : int
        Of follow-up.
    enrolled : sequence of int
        Observed patients of each group, those without a row in the frame included: a future patient may be one.
    rng : Generator

    Returns
    -------
    Frame
        Each patient is an observed one of the same group, drawn with replacement, with all their rows of these
        years: lesions, covariates, missing visits and missing structures come together. Years beyond the observed
        ones: a patient stays on with the observed retention of the group, and has the lesions of a row of the
        group's last observed year, drawn at random. `y` holds the outcomes of the rows drawn from, to show which are
        missing. The scales are those of the observed frame.
    """
    start = int(frame.visits[:, 0].min())
    stays = retention(frame, enrolled) if years > observed_years(frame) else np.zeros(len(frame.groups))
    source, patient, visits = [], [], []
    first = 0
    for g, size in enumerate(group_sizes(enrolled, patients)):
        for number, own in enumerate(_drawn(frame, g, size, enrolled[g], rng), start=first):
            kept = own[frame.visits[own, 1] <= start + years]
            more = _later(frame, g, own, start + years, float(stays[g]), rng)
            source += [*kept.tolist(), *more]
            end = int(frame.visits[:, 1].max())
            visits += [*frame.visits[kept].tolist(), *([end + k, end + k + 1] for k in range(len(more)))]
            patient += [number] * (len(kept) + len(more))
        first += size
    rows = np.array(source, dtype=np.int64)
    return replace(
        frame.select(rows, np.arange(len(frame.outcomes))),
        patient=np.array(patient, dtype=np.int64),
        patients=tuple(map(str, range(patients))),
        visits=np.array(visits, dtype=np.int64).reshape(-1, 2),
    )


def _drawn(frame: Frame, group: int, size: int, enrolled: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of each patient drawn: none where the draw falls on one who has none."""
    codes = np.unique(frame.patient[frame.group == group])
    rows = [np.flatnonzero(frame.patient == code) for code in codes]
    empty = np.empty(0, dtype=np.int64)
    return [rows[k] if k < len(rows) else empty for k in rng.integers(max(enrolled, len(rows)), size=size)]


def _later(frame: Frame, group: int, own: np.ndarray, until: int, stays: float, rng: np.random.Generator) -> list[int]:
    """Rows that stand for a patient's years beyond the observed ones."""
    last = int(frame.visits[:, 1].max())
    of_group = frame.group == group
    if not (of_group.any() and (frame.visits[own, 1] == last).any()):
        return []
    latest = np.flatnonzero(of_group & (frame.visits[:, 1] == frame.visits[of_group, 1].max()))
    more: list[int] = []
    while last + len(more) < until and rng.random() < stays:
        more.append(int(rng.choice(latest)))
    return more
