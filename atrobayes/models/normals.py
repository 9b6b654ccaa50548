"""Weighted sums of normal distributions at many points: the inner loop of every exact marginal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

SQRT_2PI = np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class Normals:
    """Components of one outcome, those that carry nothing left out: the rest fit into the processor's cache.

    Attributes
    ----------
    weight : ndarray (node,)
    loc, inverse : ndarray (term, node)
        Mean, and 1 over the SD.
    height : ndarray (term, node)
        Weight times the density at the mean.
    """

    weight: np.ndarray
    loc: np.ndarray
    inverse: np.ndarray
    height: np.ndarray

    @classmethod
    def carrying(cls, weight: np.ndarray, loc: np.ndarray, scale: np.ndarray, least: float) -> Normals:
        """Those with a weight above `least`."""
        which = np.flatnonzero(weight > least)
        inverse = 1 / scale[:, which]
        return cls(weight[which], loc[:, which], inverse, weight[which] * inverse / SQRT_2PI)

    def below(self, x: np.ndarray) -> np.ndarray:
        """P(term <= x), x and result (term, point)."""
        return np.asarray(ndtr(self._z(x)) @ self.weight)

    def density(self, x: np.ndarray) -> np.ndarray:
        """Density at x, x and result (term, point)."""
        return self._weighted(_bell(self._z(x)))

    def below_and_density(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both at x (term, point)."""
        z = self._z(x)
        return np.asarray(ndtr(z) @ self.weight), self._weighted(_bell(z))

    def below_density_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Also the density's derivative."""
        z = self._z(x)
        below, bell = ndtr(z) @ self.weight, _bell(z.copy())
        z *= bell
        return np.asarray(below), self._weighted(bell), -self._weighted(z, self.inverse)

    def _z(self, x: np.ndarray) -> np.ndarray:
        z = x[:, :, None] - self.loc[:, None, :]
        z *= self.inverse[:, None, :]
        return z

    def _weighted(self, bell: np.ndarray, factor: np.ndarray | float = 1.0) -> np.ndarray:
        return np.asarray((bell @ (self.height * factor)[:, :, None])[..., 0])


def _bell(z: np.ndarray) -> np.ndarray:
    """exp(-z²/2), in place."""
    z *= z
    z *= -0.5
    return np.asarray(np.exp(z, out=z))
