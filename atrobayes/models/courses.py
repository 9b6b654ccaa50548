"""What the models of a course share: one effect for each group at each visit, and patients' intercepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.models.frame import Frame
from atrobayes.models.terms import cells, terms_of

if TYPE_CHECKING:
    import xarray as xr


def cell_codes(frame: Frame) -> np.ndarray:
    """(row,): place of each row's cell among `terms.cells`."""
    codes = np.zeros(len(frame.x), dtype=np.int64)
    for code, cell in enumerate(cells(frame)):
        codes[cell.term.rows] = code
    return codes


def cell_labels(frame: Frame) -> tuple[str, ...]:
    """Group and visit of each cell, such as "CLAD,0"."""
    return tuple(f"{frame.groups[cell.group]},{cell.visit}" for cell in cells(frame))


def patient_intercepts(sd: Any, patients: int, *, centred: bool) -> Any:
    """(patient,): normal intercepts of that SD, inside a PyMC model; patients without rows keep their prior."""
    import pymc as pm

    if centred:
        return pm.Normal("intercepts", 0, sd, shape=patients)
    return sd * pm.Normal("intercepts_raw", 0, 1, shape=patients)


def of_outcome(values: Sequence[np.ndarray], names: Sequence[str], dim: str, frame: Frame) -> xr.DataArray:
    """Put draws side by side.

    Parameters
    ----------
    values : sequence of ndarray (chain, draw)
    names : sequence of str
        Labels of them.
    dim : str
        "term" or "sd".
    frame : Frame
        Of one outcome.

    Returns
    -------
    DataArray (chain, draw, outcome, dim)
    """
    import xarray as xr

    dims = ("chain", "draw", "outcome", dim)
    stacked = np.stack(np.broadcast_arrays(*values), axis=-1)[:, :, None, :]
    return xr.DataArray(stacked, dims=dims, coords={"outcome": list(frame.outcomes), dim: list(names)})


def drawn(draws: xr.Dataset, name: str) -> np.ndarray:
    """Draws of one variable: (chain, draw, …)."""
    return draws[name].transpose("chain", "draw", ...).to_numpy()


def no_normal_priors(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Prior mean and SD where no term has a normal prior: NaN, (outcome, term) each."""
    unknown = np.full((len(frame.outcomes), len(terms_of(frame))), np.nan)
    return unknown, unknown.copy()
