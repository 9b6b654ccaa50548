"""Small simulated data sets on designs like the study's, for several rooms' tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.models.frame import Frame


def long_table(
    seed: int,
    *,
    patients: int = 20,
    most_visits: int = 3,
    tau: float = 0.5,
    sigma: float = 1.0,
    slopes: tuple[float, float] = (-0.3, 0.1),
    outcomes: int = 1,
) -> pd.DataFrame:
    """Patient-years of two groups: columns patient, group, x and y0, y1, …"""
    rng = np.random.default_rng(seed)
    visits = rng.integers(1, most_visits + 1, patients)
    patient = np.repeat(np.arange(patients), visits)
    first = patient < 0.6 * patients
    x = rng.negative_binomial(0.6, 0.4, len(patient)).astype(float)
    x[np.flatnonzero(first)[:2]] = (0.0, 3.0)
    x[np.flatnonzero(~first)[:2]] = (1.0, 0.0)
    table = pd.DataFrame({"patient": [f"P{i:03d}" for i in patient], "group": np.where(first, "CLAD", "ALEM"), "x": x})
    mean = -0.4 + np.where(first, slopes[0], slopes[1]) * x
    noise = {
        f"y{k}": mean + tau * rng.normal(size=patients)[patient] + sigma * rng.normal(size=len(patient))
        for k in range(outcomes)
    }
    return table.assign(**noise)


def frame_of(table: pd.DataFrame, groups: tuple[str, ...] = ("CLAD", "ALEM"), **keywords: object) -> Frame:
    """Frame of every y column; `years` is none."""
    outcomes = [name for name in table.columns if name.startswith("y") and name != "years"]
    return Frame.from_table(
        table, outcomes=outcomes, predictor="x", group="group", groups=groups, patient="patient", **keywords
    )
