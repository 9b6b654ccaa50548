"""Outcomes with a known truth on the design of a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear


def simulate(
    frame: Frame,
    linear: Linear,
    coefficients: np.ndarray,
    sds: np.ndarray,
    rng: np.random.Generator,
    scan_share: float = 0.0,
) -> np.ndarray:
    """Draw outcomes of a Gaussian model.

    Parameters
    ----------
    frame : Frame
        Its patients and visits say which rows belong together.
    linear : Linear
        The model on these rows.
    coefficients : ndarray (outcome, coef)
        True coefficients, standardised.
    sds : ndarray (outcome, sd)
        True SDs, standardised, in the order of `linear.sd_names`.
    rng : Generator
    scan_share : float
        Share of the error variance that comes from scans. An interval's error then holds the error of its closing
        scan less that of its opening one, so that two consecutive intervals of a patient have errors that correlate
        by minus half this share; the variance of each stays what `sds` says.

    Returns
    -------
    ndarray (row, outcome)
        Standardised.
    """
    mean = linear.X @ coefficients.T
    residual_sd = sds[:, -(len(linear.sd_names) - (linear.patient is not None)) :]
    noise = residual_sd.T[linear.residual_block] * errors(frame, len(coefficients), rng, scan_share)
    if linear.patient is None:
        return np.asarray(mean + noise)
    people = sds[:, 0] * rng.standard_normal((linear.patients, len(sds)))
    return np.asarray(mean + noise + people[linear.patient])


def errors(frame: Frame, outcomes: int, rng: np.random.Generator, scan_share: float = 0.0) -> np.ndarray:
    """Errors of variance one.

    Parameters
    ----------
    frame : Frame
    outcomes : int
        How many outcomes.
    rng : Generator
    scan_share : float
        As for `simulate`.

    Returns
    -------
    ndarray (row, outcome)
    """
    own = rng.standard_normal((len(frame.x), outcomes))
    if not scan_share:
        return own
    opening, closing = _scans(frame)
    scans = rng.standard_normal((closing.max() + 1, outcomes))
    # the difference of two scans has twice the variance of one
    return np.asarray(np.sqrt(1 - scan_share) * own + np.sqrt(scan_share / 2) * (scans[closing] - scans[opening]))


def shares_scans(frame: Frame) -> bool:
    """Whether any scan closes one row of a patient and opens the next: only then can errors share one."""
    opening, closing = _scans(frame)
    return bool((frame.visits >= 0).all() and np.isin(opening, closing).any())


def with_simulated(frame: Frame, y: np.ndarray) -> Frame:
    """Put simulated outcomes in the place of a frame's own, what is missing there left missing.

    Parameters
    ----------
    frame : Frame
        Its scales stay as they are.
    y : ndarray (row, outcome)
        Standardised.
    """
    raw = frame.scales.y_mean + frame.scales.y_sd * y
    return frame.with_outcomes(frame.y.copy(data=np.where(np.isnan(frame.y.to_numpy()), np.nan, raw)))


def repeated(frame: Frame, outcomes: int) -> Frame:
    """Room for many outcomes of one typical structure on a frame's design.

    Parameters
    ----------
    frame : Frame
    outcomes : int

    Returns
    -------
    Frame
        The rows that most structures have; outcomes named by numbers, mean 0, all with the median of the
        structures' SDs as their scale.
    """
    rows, of = max(frame.patterns(), key=lambda pattern: len(pattern[1]))
    some = frame.select(rows, of[:1])
    names = [str(number) for number in range(outcomes)]
    y = xr.DataArray(np.zeros((len(some.x), outcomes)), dims=("row", "outcome"), coords={"outcome": names})
    y_sd = np.full(outcomes, np.median(frame.scales.y_sd))
    return some.with_outcomes(y, replace(frame.scales, y_mean=np.zeros(outcomes), y_sd=y_sd))


def _scans(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Codes (row,) of the opening and the closing scan of each row."""
    pairs = np.concatenate([np.column_stack([frame.patient, frame.visits[:, k]]) for k in (0, 1)])
    codes = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    return codes[: len(frame.x)], codes[len(frame.x) :]
