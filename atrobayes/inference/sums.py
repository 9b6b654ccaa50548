"""The data as sums over patients: all that quadrature needs of them.

For one residual block b and the patients with k rows in it, a row space splits in two. Within
patients (deviations from the patient's mean) every direction has variance sigma_b²; the
patients' means have variance sigma_b² + k tau² (per direction of length one). The likelihood
therefore depends on the data through one cross-product matrix per such part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """Cross-products of design and outcomes, one slice per part of the row space.

    Attributes
    ----------
    count : ndarray (part,)
        Dimension of the part.
    block : ndarray of int (part,)
        Its residual block.
    multiple : ndarray (part,)
        k: variance of the part is sigma_block² + k tau² (0 within patients).
    xx : ndarray (part, coef, coef)
    xy : ndarray (part, outcome, coef)
    yy : ndarray (part, outcome)
    """

    count: np.ndarray
    block: np.ndarray
    multiple: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @property
    def rows(self) -> int:
        """Number of rows of data."""
        return int(self.count.sum())


def gather(X: np.ndarray, y: np.ndarray, patient: np.ndarray | None, block: np.ndarray) -> Sums:
    """Sum over patients with the same number of rows.

    Parameters
    ----------
    X : ndarray (row, coef)
    y : ndarray (row, outcome)
        Without missing values.
    patient : ndarray of int (row,) or None
        None: no random intercept, every direction has variance sigma_block².
    block : ndarray of int (row,)
        Residual block; one and the same over a patient's rows.

    Raises
    ------
    ValueError
        If a patient's rows lie in two residual blocks.
    """
    together = np.hstack([X, y])
    parts: list[tuple[int, int, int, np.ndarray]] = []
    for b in np.unique(block):
        rows = together[block == b]
        if patient is None:
            parts.append((len(rows), int(b), 0, rows))
        else:
            parts.extend((n, int(b), k, values) for n, k, values in _split(rows, patient[block == b]))
    if patient is not None and len(np.unique(patient)) != sum(n for n, _, k, _ in parts if k):
        raise ValueError("a patient's rows lie in two residual blocks")
    p = X.shape[1]
    products = [(values[:, :p], values[:, p:]) for *_, values in parts]
    return Sums(
        count=np.array([n for n, *_ in parts], dtype=float),
        block=np.array([b for _, b, *_ in parts], dtype=np.int64),
        multiple=np.array([k for *_, k, _ in parts], dtype=float),
        xx=np.array([x.T @ x for x, _ in products]),
        xy=np.array([v.T @ x for x, v in products]),
        yy=np.array([(v**2).sum(axis=0) for _, v in products]),
    )


def _split(rows: np.ndarray, patient: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Dimension, multiple and coordinates of the part within patients and of each part between them."""
    _, code, size = np.unique(patient, return_inverse=True, return_counts=True)
    means = np.zeros((len(size), rows.shape[1]))
    np.add.at(means, code, rows)
    means /= size[:, None]
    within = (len(rows) - len(size), 0, rows - means[code])
    # a patient's mean times sqrt(k) is its coordinate along the direction of length one
    between = [(int((size == k).sum()), int(k), np.sqrt(k) * means[size == k]) for k in np.unique(size).tolist()]
    return [within, *between]
