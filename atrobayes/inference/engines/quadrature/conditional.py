"""The Gaussian part: given the SDs, coefficients and evidence in closed form, for many SDs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.special import betaln

from atrobayes.inference.sums import Sums
from atrobayes.models.linear import Linear
from atrobayes.models.priors import HalfStudentT

LOG_2PI = np.log(2 * np.pi)
AT_ONCE = 6  # diagonals multiplied before a logarithm is taken: one for several, and no overflow


@dataclass(frozen=True)
class Conditional:
    """Posterior given the SDs at every node.

    Attributes
    ----------
    log_joint : ndarray (outcome, node)
        Log of likelihood (coefficients integrated out) times the prior density of the SDs.
    order : ndarray of int (coef,)
        Order in which the coefficients are eliminated: those that make up the terms last.
    factor : list of list of ndarray (outcome, node)
        Lower Cholesky factor of the coefficients' posterior precision, in that order.
    inverse : list of ndarray (outcome, node)
        1 over the factor's diagonal.
    shift : list of ndarray (outcome, node)
        Solves factor · shift = precision · mean.
    """

    log_joint: np.ndarray
    order: np.ndarray
    factor: list[list[np.ndarray]]
    inverse: list[np.ndarray]
    shift: list[np.ndarray]

    def terms(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and SD of each contrast (term, coef) of the coefficients: two arrays (outcome, term, node)."""
        outcomes, nodes = self.log_joint.shape
        loc, scale = (np.zeros((outcomes, len(contrasts), nodes)) for _ in range(2))
        for t, contrast in enumerate(contrasts[:, self.order]):
            solved: dict[int, np.ndarray] = {}
            # before the first coefficient that counts the solution is 0
            for i in range(int(np.flatnonzero(contrast)[0]), len(contrast)):
                rest = contrast[i] - sum(self.factor[i][k] * one for k, one in solved.items())
                solved[i] = rest * self.inverse[i]
                loc[:, t] += solved[i] * self.shift[i]
                scale[:, t] += solved[i] ** 2
        return loc, np.sqrt(scale, out=scale)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the coefficients once at every node: (outcome, node, coef)."""
        size = len(self.shift)
        beta = np.empty((*self.log_joint.shape, size))
        for i in reversed(range(size)):
            noisy = self.shift[i] + rng.standard_normal(self.log_joint.shape)
            above = sum(self.factor[k][i] * beta[..., self.order[k]] for k in range(i + 1, size))
            beta[..., self.order[i]] = (noisy - above) * self.inverse[i]
        return beta


def condition(linear: Linear, sums: Sums, outcomes: np.ndarray, sds: Sequence[np.ndarray]) -> Conditional:
    """Condition on the SDs.

    Parameters
    ----------
    linear : Linear
        Priors of the coefficients and the SDs.
    sums : Sums
        The data.
    outcomes : ndarray of int (outcome,)
        Which outcomes of `sums`.
    sds : sequence of ndarray (outcome, …)
        Patient SD first if the model has one, then the residual SDs; positive. Their shapes are broadcast, so
        that what depends on one axis of a product grid only is computed along that axis only; nodes are then
        in the order of the raveled grid.

    Returns
    -------
    Conditional
    """
    variance = _part_variances(linear, sums, sds)
    shape = np.broadcast_shapes(*(sd.shape for sd in sds))
    order = np.argsort((linear.contrasts != 0).any(axis=0), kind="stable")
    weight = np.ones((shape[0], len(variance) + 1, *shape[1:]))
    for k, values in enumerate(variance):
        weight[:, k] = 1 / values
    products = _products(linear, sums, outcomes, order) @ weight.reshape(*weight.shape[:2], -1)
    factor, inverse, rest = _cholesky(products, len(order))
    diagonal = [factor[i][i] for i in range(len(order))]
    log_det = 2 * sum(np.log(prod(diagonal[k : k + AT_ONCE])) for k in range(0, len(diagonal), AT_ONCE))
    of_sds = sum(n * np.log(values) for n, values in zip(sums.count, variance, strict=True))
    of_sds = of_sds - 2 * sum(log_half_student(prior, sd) for prior, sd in zip(linear.sd_priors, sds, strict=True))
    constant = sums.rows * LOG_2PI + 2 * np.log(linear.prior_sd).sum()
    log_joint = -0.5 * (log_det + rest + np.broadcast_to(of_sds + constant, shape).reshape(shape[0], -1))
    return Conditional(log_joint, order, factor[:-1], inverse, factor[-1])


def log_half_student(prior: HalfStudentT, x: np.ndarray) -> np.ndarray:
    """Log density of a half-Student-t at x >= 0."""
    nu, scale = prior.nu, prior.scale
    constant = np.log(2) - 0.5 * np.log(nu) - betaln(0.5, nu / 2) - np.log(scale)
    return np.asarray(constant - (nu + 1) / 2 * np.log1p((x / scale) ** 2 / nu))


def _part_variances(linear: Linear, sums: Sums, sds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of each part, along the axes that it depends on."""
    if linear.patient is None:
        return [sds[b] ** 2 for b in sums.block]
    squares = [sd**2 for sd in sds]
    return [
        squares[1 + b] + k * squares[0] if k else squares[1 + b] for b, k in zip(sums.block, sums.multiple, strict=True)
    ]


def _products(linear: Linear, sums: Sums, outcomes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(outcome, entry, part): lower triangle of the cross-products of (X, y), row by row; last the prior's part."""
    size = len(order)
    whole = np.zeros((len(outcomes), len(sums.count) + 1, size + 1, size + 1))
    whole[:, :-1, :size, :size] = sums.xx[:, order][:, :, order]
    whole[:, :-1, size, :size] = np.moveaxis(sums.xy[:, outcomes][..., order], 1, 0)
    whole[:, :-1, size, size] = sums.yy[:, outcomes].T
    precision, mean = 1 / linear.prior_sd[order] ** 2, linear.prior_mean[order]
    whole[:, -1, range(size), range(size)] = precision
    whole[:, -1, size, :size] = precision * mean
    whole[:, -1, size, size] = (precision * mean**2).sum()
    row, column = np.tril_indices(size + 1)
    return np.ascontiguousarray(np.moveaxis(whole[:, :, row, column], 1, 2))


def _cholesky(products: np.ndarray, size: int) -> tuple[list[list[np.ndarray]], list[np.ndarray], np.ndarray]:
    """Cholesky factors of many small matrices, entry by entry and in place: a tenth of the time of LAPACK on each.

    The matrices hold the cross-products of (X, y): the factor's last row is the shift, and what is left of the
    last entry is the sum of squares that the coefficients do not explain.
    """
    rows = iter(np.moveaxis(products, 1, 0))
    L = [[next(rows) for _ in range(i + 1)] for i in range(size + 1)]
    inverse: list[np.ndarray] = []
    product = np.empty_like(L[0][0])
    for i, row in enumerate(L):
        for j in range(i + 1):
            for k in range(j):
                np.multiply(row[k], L[j][k], out=product)
                row[j] -= product
            if j < i:
                row[j] *= inverse[j]
        if i < size:
            np.sqrt(row[i], out=row[i])
            inverse.append(1 / row[i])
    return L, inverse, L[size].pop()
