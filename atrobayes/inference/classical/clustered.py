"""The rank-sum test for clustered data: patients, not rows, are the independent units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from atrobayes.inference.classical.ranks import midranks


@dataclass(frozen=True)
class Clustered:
    """Result of Datta and Satten's test.

    Attributes
    ----------
    statistic : float
        S: the rank sum of active rows over (patients + 1), averaged over all ways to draw one row of each patient.
    expectation : float
        Of S, were the state without bearing on the value.
    variance : float
        Of S, estimated from the spread between patients.
    z : float
        Standardised S; positive where active rows tend to be larger. NaN where the variance is 0.
    p : float
        Two-sided, normal in the number of patients.
    """

    statistic: float
    expectation: float
    variance: float
    z: float
    p: float


def datta_satten(y: np.ndarray, active: np.ndarray, patient: np.ndarray) -> Clustered:
    """Test active against quiet rows where a patient may have several rows, in either state or both.

    Parameters
    ----------
    y : ndarray
        (row,) values without NaN.
    active : ndarray
        (row,) bool, both states present.
    patient : ndarray
        (row,) int codes. Patients with one state only enter too.

    Returns
    -------
    Clustered
        NaN in z and p where no variance can be estimated: one patient, or values all equal.

    Notes
    -----
    Datta & Satten (2005), doi:10.1198/016214504000001583, for groups that vary within a cluster: each patient counts
    once whatever the number of rows. The variance takes the distribution of values from all rows pooled, as
    the authors' program does; with z it holds for many patients, the permutation test for any number.
    """
    index, rows = np.unique(patient, return_inverse=True, return_counts=True)[1:]
    weight = 1 / rows[index]
    patients = len(rows)
    share = np.bincount(index, weight * active)
    expected_rank = 1 + _ranked_below(y, index, weight)
    statistic = float((weight * active) @ expected_rank) / (patients + 1)
    deviation = _contributions(y, active, index, weight, share) / (patients + 1)
    variance = float(deviation @ deviation)
    expectation = float(share.sum()) / 2
    # of order 1 / patients where there is any; rounding leaves 1e-32
    z = (statistic - expectation) / np.sqrt(variance) if variance > 1e-24 else float("nan")
    return Clustered(statistic, expectation, variance, float(z), 2 * float(ndtr(-abs(z))))


def _ranked_below(y: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """For each row, how many other patients' rows lie below on average, when one row of each is drawn; ties ½."""
    below = (1 + np.sign(np.subtract.outer(y, y))) / 2
    return np.where(index[:, None] != index, below, 0.0) @ weight


def _contributions(
    y: np.ndarray, active: np.ndarray, index: np.ndarray, weight: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """What each patient adds to (patients + 1)·S in the limit of many patients, less its expectation."""
    patients = len(share)
    # the pooled distribution function at each row, half of the step counted, less its mean
    height = (midranks(y) - 0.5) / len(y) - 0.5
    own = np.bincount(index, weight * active * height)
    all_rows = np.bincount(index, weight * height)
    return (patients - 1) * own - (share.sum() - share) * all_rows
