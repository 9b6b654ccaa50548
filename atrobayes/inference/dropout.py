"""Missing visits: what a result becomes if the changes nobody saw were larger, or smaller, than the model thinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.special import ndtri

from atrobayes.inference.brief import Brief, brief
from atrobayes.inference.engines.quadrature.exact import Problem, exact, problems
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.posterior_draws import Drawn, draw
from atrobayes.inference.seeds import derive
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Mixture
from atrobayes.models.model import get_model
from atrobayes.study import Sensitivity

IMPUTATIONS = 40  # even: they come in pairs; the SD of their average is known to some 4 %
SURE = 1e-12


@dataclass(frozen=True)
class Shifted:
    """Posteriors with the unseen patient-years filled in.

    Attributes
    ----------
    deltas : tuple of float
        Shifts, in SDs of the outcome along atrophy orientation: negative is more atrophy. 0 is among them.
    briefs : tuple of Brief
        For each shift, the average of the posteriors over the imputations.
    filled : ndarray of int (group,)
        Patient-years filled in.
    """

    deltas: tuple[float, ...]
    briefs: tuple[Brief, ...]
    filled: np.ndarray


@dataclass(frozen=True)
class Unseen:
    """Patient-years that patients lack.

    Attributes
    ----------
    like : ndarray of int (row,)
        A row of the same patient.
    visits : ndarray of int (row, 2)
        Opening and closing visit.
    """

    like: np.ndarray
    visits: np.ndarray


def unseen(frame: Frame) -> Unseen:
    """Find the patient-years that patients of a frame lack.

    Those from a patient's first patient-year on, up to the latest visit that closes one of anybody's: what lies
    after the last visit and what a missed visit left out between. Patients without any patient-year are not in
    the frame, and years before a patient's first one count as late entry.
    """
    latest = int(frame.visits[:, 1].max())
    like, visits = [], []
    for code in np.unique(frame.patient):
        own = np.flatnonzero(frame.patient == code)
        opened = set(frame.visits[own, 0].tolist())
        for visit in range(min(opened), latest):
            if visit not in opened:
                like.append(int(own[0]))
                visits.append((visit, visit + 1))
    return Unseen(np.array(like, dtype=np.int64), np.array(visits, dtype=np.int64).reshape(-1, 2))


def no_unseen(frame: Frame) -> str:
    """Why no patient-years can be filled in, in words; "" where they can."""
    spans = np.unique(np.diff(frame.visits, axis=1))
    if frame.kind not in {"mixed", "comparison"} or spans.tolist() != [1] or len(np.unique(frame.visits[:, 0])) < 2:
        return "one interval a patient: those without its closing scan are not among the rows, so nothing is known"
    if not len(unseen(frame).like):
        return "no patient lacks a patient-year"
    values = frame.covariates.to_numpy()
    if any(np.ptp(values[frame.patient == code], axis=0).any() for code in np.unique(frame.patient)):
        return "covariates change from visit to visit: those of unseen patient-years are unknown"
    return ""


def fill_in(frame: Frame, choices: Choices, wanted: Sensitivity) -> Shifted:
    """Fill in the patient-years nobody saw, at random as the model has them and shifted, and refit.

    Parameters
    ----------
    frame : Frame
        One that `no_unseen` has nothing to say of.
    choices : Choices
    wanted : Sensitivity
        `dropout_shift`; 0 is always added.

    Returns
    -------
    Shifted

    Notes
    -----
    Delta-adjusted multiple imputation (Carpenter and Kenward 2013, doi:10.1002/9781119942283). Each imputation draws
    the parameters from the posterior of the rows seen, a patient's effect given that patient's rows, and the lesions
    of an unseen year from those of the same group at the same visit. Imputations come in pairs on either side of
    their mean, so that with no shift the average hardly differs from the posterior of the rows seen, which it owes.
    Posteriors are averaged as mixtures of equal weight, then summarised.
    """
    deltas = tuple(sorted({0.0, *wanted.dropout_shift}))
    gaps = unseen(frame)
    rng = np.random.default_rng(derive(choices.seed, frame.analysis, "dropout", "counts"))
    wholes = [_with_rows(frame, gaps, _counts(frame, gaps, rng)) for _ in range(IMPUTATIONS // 2)]
    z = _imputed(frame, choices, gaps, wholes)
    found = [_refit(wholes[m // 2], z[m], choices, deltas) for m in range(IMPUTATIONS)]
    briefs = []
    for d in range(len(deltas)):
        own = np.arange(len(frame.outcomes)) + d * len(frame.outcomes)
        briefs.append(brief(_average([one.take(own) for one in found], frame.outcomes), choices.interval))
    return Shifted(deltas, tuple(briefs), np.bincount(frame.group[gaps.like], minlength=len(frame.groups)))


def tipping(deltas: Sequence[float], excess: np.ndarray) -> float:
    """Find the shift, nearest to 0, at which something positive runs out.

    Parameters
    ----------
    deltas : sequence of float
        Increasing, 0 among them.
    excess : ndarray (delta,)

    Returns
    -------
    float
        Between two shifts by a straight line; NaN where it does not run out, or is not positive at 0.
    """
    x = np.asarray(deltas)
    if excess[list(deltas).index(0.0)] <= 0:
        return float("nan")
    places = np.flatnonzero((excess[:-1] > 0) != (excess[1:] > 0))
    crossings = [float(x[k] + (x[k + 1] - x[k]) * excess[k] / (excess[k] - excess[k + 1])) for k in places]
    return min(crossings, key=abs, default=float("nan"))


def sure_excess(shifted: Shifted, sign: np.ndarray, least: float) -> np.ndarray:
    """How far the direction found is surer than `least`: (delta, outcome, term), on the probit scale."""
    probability = np.array([one.pd_of(sign) for one in shifted.briefs])
    return np.asarray(ndtri(np.clip(probability, SURE, 1 - SURE)) - ndtri(least))


def _counts(frame: Frame, gaps: Unseen, rng: np.random.Generator) -> np.ndarray:
    """(unseen row,): a value of the same group at the same visit; at any visit, or of any group, where none is."""
    x = np.empty(len(gaps.like))
    for row, (like, closing) in enumerate(zip(gaps.like, gaps.visits[:, 1], strict=True)):
        group, visit = frame.group == frame.group[like], frame.visits[:, 1] == closing
        pool = frame.x[group & visit] if (group & visit).any() else frame.x[group]
        x[row] = rng.choice(pool)
    return x


def _with_rows(frame: Frame, gaps: Unseen, x: np.ndarray) -> Frame:
    """The frame with unseen rows below, their outcomes missing; the scales stay."""
    rows = np.append(np.arange(len(frame.x)), gaps.like)
    longer = frame.select(rows, np.arange(len(frame.outcomes)))
    y = longer.y.copy(data=np.vstack([frame.y.to_numpy(), np.full((len(x), len(frame.outcomes)), np.nan)]))
    return replace(longer, y=y, x=np.append(frame.x, x), visits=np.vstack([frame.visits, gaps.visits]))


def _imputed(frame: Frame, choices: Choices, gaps: Unseen, wholes: Sequence[Frame]) -> np.ndarray:
    """(imputation, unseen row, outcome): unseen changes, standardised, as the model predicts them."""
    z = np.empty((IMPUTATIONS, len(gaps.like), len(frame.outcomes)))
    model = get_model(GAUSSIAN[frame.kind])
    # designs of all outcomes are the same; raw priors, which differ, are no part of them
    designs = [model.linear(whole.select(np.arange(len(whole.x)), np.array([0])), choices.priors) for whole in wholes]
    below = [design.X[len(frame.x) :] for design in designs if design is not None]
    for problem in problems(model, frame, choices.priors):
        labels = [(frame.analysis, frame.part, "dropout", name) for name in problem.names]
        rngs = [np.random.default_rng(derive(choices.seed, *label)) for label in labels]
        drawn = draw(problem, len(wholes), rngs)
        for k, (place, rng) in enumerate(zip(problem.outcomes, rngs, strict=True)):
            y = frame.y_standardised[:, place]
            z[:, :, place] = _predicted(problem, k, y, drawn, frame.patient[gaps.like], below, rng)
    return z


def _predicted(
    problem: Problem,
    k: int,
    y: np.ndarray,
    drawn: Drawn,
    who: np.ndarray,
    below: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """(imputation, unseen row) of one outcome: pairs that differ in the sign of all that is drawn but the SDs."""
    linear, seen = problem.linear, ~np.isnan(y)
    assert linear.patient is not None
    out = np.empty((2 * len(below), len(who)))
    for m, X in enumerate(below):
        patient_sd, residual_sd = drawn.sds[k, m]
        effect_noise, noise = rng.standard_normal(linear.patients), rng.standard_normal(len(who))
        for side, sign, coefficients in ((0, 1, drawn.coefficients), (1, -1, drawn.mirrored().coefficients)):
            rest = y[seen] - linear.X @ coefficients[k, m]
            count = np.bincount(linear.patient, minlength=linear.patients)
            total = np.bincount(linear.patient, rest, minlength=linear.patients)
            share = patient_sd**2 / (residual_sd**2 + count * patient_sd**2)
            effect = share * total + sign * np.sqrt(share) * residual_sd * effect_noise
            out[2 * m + side] = X @ coefficients[k, m] + effect[who] + sign * residual_sd * noise
    return out


def _refit(whole: Frame, z: np.ndarray, choices: Choices, deltas: Sequence[float]) -> Mixture:
    """Posterior with one imputation of the unseen rows: outcomes of the first shift first."""
    scales, times = whole.scales, len(deltas)
    seen = len(whole.x) - len(z)
    shifted = [z + delta * whole.orientation for delta in deltas]
    filled = [np.vstack([whole.y.to_numpy()[:seen], scales.y_mean + scales.y_sd * one]) for one in shifted]
    names = [f"{d} {name}" for d in range(times) for name in whole.outcomes]
    y = xr.DataArray(np.hstack(filled), dims=("row", "outcome"), coords={"outcome": names})
    tiled = replace(scales, y_mean=np.tile(scales.y_mean, times), y_sd=np.tile(scales.y_sd, times))
    return exact(get_model(GAUSSIAN[whole.kind]), whole.with_outcomes(y, tiled), choices.priors).mixture


def _average(posteriors: Sequence[Mixture], outcomes: tuple[str, ...]) -> Mixture:
    """Mixture of posteriors of the same outcomes, all of the same weight."""
    weight = np.concatenate([one.weight for one in posteriors], axis=-1) / len(posteriors)
    loc, scale = (np.concatenate([getattr(one, name) for one in posteriors], axis=-1) for name in ("loc", "scale"))
    return Mixture(outcomes, posteriors[0].terms, weight, loc, scale)
