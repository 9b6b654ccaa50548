"""Log density of crossed random intercepts with normal errors, the intercepts integrated out.

Values of several structures in the rows (intervals) of patients; random intercepts by patient, by patient and
structure, and by row. Sampled, these intercepts and their SDs make funnels; integrated out, they leave nothing that
is hard to sample. On a full grid of rows by structures the integral is two sums of squares for each patient.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def log_density(error: Any, member: Any, patient_sd: Any, cell_sd: Any, row_sd: Any, residual_sd: Any) -> Any:
    """Log density of a full grid of errors, as a PyTensor scalar.

    Parameters
    ----------
    error : tensor (row, structure)
        Value minus what the fixed part expects.
    member : tensor (patient, row)
        1 where the row is the patient's, else 0.
    patient_sd, cell_sd, row_sd, residual_sd : tensor
        SDs by patient, by patient and structure, by row, and of what is left.

    Notes
    -----
    What the structures of a row have in common is their sum over √K: rows of a patient share the variance
    K·patient SD² + cell SD², and have K·row SD² + residual SD² each. The K - 1 contrasts of structures are
    independent of it and of each other, share cell SD², and have residual SD² each.
    """
    structures = error.shape[1]
    count, total = member.sum(axis=1), member @ error
    joint = error.sum(axis=1) / np.sqrt(1.0 * structures)
    squares, square = (error**2).sum(), (joint**2).sum()
    totals, level = (total**2).sum(axis=1), (member @ joint) ** 2
    together = _equicorrelated(
        square, level, count, structures * patient_sd**2 + cell_sd**2, structures * row_sd**2 + residual_sd**2, 1
    )
    apart = _equicorrelated(squares - square, totals - level, count, cell_sd**2, residual_sd**2, structures - 1)
    return together + apart


def _equicorrelated(squares: Any, levels: Any, count: Any, shared: Any, own: Any, times: Any) -> Any:
    """Log density of `times` vectors a patient whose elements have variance `shared` in common and `own` each.

    `squares` adds up all elements squared; `levels` (patient,) adds up the vectors' totals squared.
    """
    import pytensor.tensor as pt

    whole = own + count * shared
    exponent = (squares - (shared / whole * levels).sum()) / own
    volume = times * (count * pt.log(2 * np.pi * own) + pt.log(whole / own)).sum()
    return -0.5 * (exponent + volume)
