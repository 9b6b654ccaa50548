"""How groups enter a design: symmetrically, so that no label is the reference.

Treatment coding with independent priors gives the second group a wider prior, and the
posterior would depend on which label comes first. Here groups enter as their mean and
orthogonal deviations, which have the same prior whatever the order.
"""

from __future__ import annotations

import numpy as np


def contrast_columns(groups: int) -> np.ndarray:
    """Zero-sum columns that code the groups.

    Parameters
    ----------
    groups : int
        Number of groups.

    Returns
    -------
    ndarray (groups, groups - 1)
        Two groups: (+1/2, -1/2), so that the coefficient is first minus second. More: orthonormal
        columns (Helmert). One: no column.
    """
    if groups == 2:
        return np.array([[0.5], [-0.5]])
    columns = np.zeros((groups, groups - 1))
    for j in range(1, groups):
        columns[:j, j - 1] = 1 / np.sqrt(j * (j + 1))
        columns[j, j - 1] = -j / np.sqrt(j * (j + 1))
    return columns


def column_names(groups: int) -> tuple[str, ...]:
    """Names of the contrast columns: `side` for two groups, `side1`, `side2` … for more."""
    return ("side",) if groups == 2 else tuple(f"side{j}" for j in range(1, groups))


def deviation_scale(groups: int) -> float:
    """Length of a contrast column's inverse: a coefficient's SD per SD of an orthonormal contrast."""
    return float(np.sqrt(2)) if groups == 2 else 1.0


def term_weights(groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Terms as weights of the groups' slopes.

    Parameters
    ----------
    groups : tuple of str
        Labels in the order of the study.

    Returns
    -------
    dict of str to ndarray (groups,)
        `slope[G]` for each group; `interaction` = first minus second for two groups, `interaction[A-B]`
        for each pair of more; for one group only `slope[ALL]`.
    """
    if len(groups) == 1:
        return {"slope[ALL]": np.ones(1)}
    eye = np.eye(len(groups))
    slopes = {f"slope[{label}]": eye[i] for i, label in enumerate(groups)}
    pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
    if len(groups) == 2:
        return slopes | {"interaction": eye[0] - eye[1]}
    return slopes | {f"interaction[{groups[i]}-{groups[j]}]": eye[i] - eye[j] for i, j in pairs}
