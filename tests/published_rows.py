"""Made-up published rows, and integrals over a slope by plain rules, for several rooms."""

from __future__ import annotations

import numpy as np

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate


def published(*rows: dict[str, object]) -> Published:
    """A table; what a row does not say is that of slopes of the thalamus in group A."""
    usual = {"source": "Table 1", "analysis": "a", "structure": "thalamus", "term": "slope", "group": "A"}
    cells = [usual | row for row in rows]
    return Published("made up", tuple(PublishedEstimate(row=k + 2, **cell) for k, cell in enumerate(cells)))  # type: ignore[arg-type]


def printed(estimate: str, p: str, **other: object) -> dict[str, object]:
    """Cells of an ordinary regression's slope."""
    return {"estimate": read_printed(estimate), "p": read_printed(p), "model": "ordinary"} | other


def line(low: float, high: float, panels: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre panels: points and weights."""
    x, w = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (x + 1)).ravel(), (half * w).ravel()


def about_zero(far: float, panels: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights on both sides of 0, which no panel crosses."""
    beta, weight = line(0, far, panels)
    return np.append(-beta[::-1], beta), np.append(weight[::-1], weight)


def moments(beta: np.ndarray, mass: np.ndarray) -> dict[str, float]:
    """Mean, SD and P(slope > 0) of masses at points."""
    mass = mass / mass.sum()
    mean = float(beta @ mass)
    return {"mean": mean, "sd": float(np.sqrt((beta - mean) ** 2 @ mass)), "above": float(mass[beta > 0].sum())}
