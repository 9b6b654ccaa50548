"""Log density of crossed random intercepts with normal errors, the intercepts integrated out.

Values of several structures in the rows (intervals) of patients; random intercepts by patient, by patient and
structure, and by row. The row and patient intercepts of one patient are eliminated together: systems of as many
equations as a patient has rows. What is left to sample has no funnel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Where each value lies among patients, their rows and structures.

    Attributes
    ----------
    patient, slot, structure : ndarray of int (value,) or pm.Data
        Code of the patient; place of the row among the patient's rows; place of the structure.
    present : ndarray (patient, slot, structure) or pm.Data
        1 where there is a value, else 0.
    """

    patient: Any
    slot: Any
    structure: Any
    present: Any


def slots(patient: np.ndarray) -> np.ndarray:
    """(row,): place of each row among its patient's rows, from 0."""
    place = np.zeros(len(patient), dtype=np.int64)
    for code in np.unique(patient):
        own = patient == code
        place[own] = np.arange(own.sum())
    return place


def log_density(error: Any, grid: Grid, patient_sd: Any, cell_sd: Any, row_sd: Any, residual_sd: Any) -> Any:
    """Log density of all values together, as a PyTensor scalar.

    Parameters
    ----------
    error : tensor (value,)
        Value minus what the fixed part expects.
    grid : Grid
    patient_sd, cell_sd, row_sd, residual_sd : tensor
        SDs by patient, by patient and structure, by row, and of what is left.

    Notes
    -----
    With e the errors of one patient, B = cell SD² 11' + residual SD² I for each structure and R = patient SD² 11' +
    row SD² I for what a row's structures share: e ~ N(0, B-blocks + Z R Z'). By Woodbury's identity only
    M = I + √R (Z' B⁻¹ Z) √R, rows by rows, has to be factorised; no SD is divided by but the residual one.
    """
    import pytensor.tensor as pt
    from pytensor.tensor.linalg import cholesky, solve_triangular

    present, variance = grid.present, residual_sd**2
    e = pt.zeros_like(present)[grid.patient, grid.slot, grid.structure].set(error)
    count, total = present.sum(axis=1), e.sum(axis=1)
    shared = cell_sd**2 / (variance + count * cell_sd**2)
    # what the rows of a patient, structures taken together, weigh and say: B⁻¹ summed over structures
    weight = _diagonal(present.sum(axis=2)) - (present * shared[:, None, :]) @ present.transpose(0, 2, 1)
    said = (e - present * (shared * total)[:, None, :]).sum(axis=2) / variance
    root = _root(present.shape[1], patient_sd, row_sd)
    factor = cholesky(pt.eye(present.shape[1]) + root @ (weight / variance) @ root)
    solved = solve_triangular(factor, (said @ root)[..., None], lower=True)
    squares = ((e**2).sum() - (shared * total**2).sum()) / variance - (solved**2).sum()
    volumes = pt.log1p(count * cell_sd**2 / variance).sum() + 2 * pt.log(pt.diagonal(factor, axis1=1, axis2=2)).sum()
    return -0.5 * (squares + volumes + error.shape[0] * pt.log(2 * np.pi * variance))


def _diagonal(values: Any) -> Any:
    """(patient, slot) to (patient, slot, slot)."""
    import pytensor.tensor as pt

    return values[..., None] * pt.eye(values.shape[-1])


def _root(size: Any, patient_sd: Any, row_sd: Any) -> Any:
    """Symmetric square root of patient SD² 11' + row SD² I."""
    import pytensor.tensor as pt

    whole = pt.sqrt(row_sd**2 + size * patient_sd**2)
    return row_sd * pt.eye(size) + (whole - row_sd) / size
