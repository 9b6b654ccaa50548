"""Correlations with an LKJ prior, built from partial correlations: Lewandowski, Kurowicka & Joe (2009).

The prior of `pymc.LKJCholeskyCov`, free of the SDs. There correlations and SDs are drawn as one packed factor of the
covariance, all of whose elements must vanish together where an SD does: chains get stuck.
doi:10.1016/j.jmva.2009.04.008
"""

from __future__ import annotations

from typing import Any

import numpy as np


def pairs_below(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns below the diagonal, row by row: the order of partial correlations."""
    return np.tril_indices(size, -1)


def lkj_shapes(size: int, eta: float) -> np.ndarray:
    """(pair,): Beta shapes of (1 + partial correlation) / 2 that make `size` effects' correlations LKJ(eta).

    The partial correlation of row and column is given the effects before the column.
    """
    return eta + (size - 2 - pairs_below(size)[1]) / 2


def correlation_root(partial: Any, xp: Any) -> Any:
    """Cholesky factor of a correlation matrix.

    Parameters
    ----------
    partial : ndarray or tensor (…, effect, effect)
        Partial correlations, strictly lower triangular.
    xp : module
        What computes: `numpy` or `pytensor.tensor`.

    Returns
    -------
    ndarray or tensor (…, effect, effect)
        Lower triangular, rows of length 1.
    """
    size = partial.shape[-1]
    left = xp.log1p(-(partial**2)) @ xp.triu(xp.ones((size, size)), 1)
    return (partial + xp.eye(size)) * xp.exp(left / 2)
