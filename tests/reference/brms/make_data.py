"""Write changes.tsv, counts.tsv and scores.tsv, the data brms.R fits: python tests/reference/brms/make_data.py

changes.tsv: yearly changes; y and x are standardised (y: mean 0, SD 1 over all rows of the data set; x: minus its mean,
per lesion), side is +0.5 for CLAD and -0.5 for ALEM. Both programs read these columns. regular: normal errors. heavy:
errors of a Student t with 2 degrees of freedom. counts.tsv and scores.tsv: one row per patient and visit 0 to 3,
some missing; cell is 1 to 4 for CLAD at visits 0 to 3 and 5 to 8 for ALEM; one cell of counts.tsv has zeros only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from simulated import long_table  # noqa: E402 - found by the line above

LOG_RATES = np.array([0.9, 0.2, -0.3, -0.8, 1.1, -1.0, -0.6, -9.0])  # by cell
STATES = np.array([0.0, -0.2, 0.3, 0.8, 0.4, 0.0, -0.4, -0.2])  # by cell, logits
STEPS = 2.0 + 0.5 * np.arange(8)  # the scores


def changes(name: str, seed: int) -> pd.DataFrame:
    """Standardised patient-years of one data set."""
    rng = np.random.default_rng(seed + 100)
    table = long_table(seed, patients=40, tau=0.7, sigma=1.0 if name == "regular" else 0.0)
    if name == "heavy":
        table["y0"] += rng.standard_t(2.0, len(table))
    standard = table.assign(
        dataset=name,
        side=np.where(table["group"] == "CLAD", 0.5, -0.5),
        x_raw=table["x"],
        x=table["x"] - table["x"].mean(),
        y=(table["y0"] - table["y0"].mean()) / table["y0"].std(),
    )
    return standard[["dataset", "patient", "group", "x_raw", "y", "x", "side"]]


def visits(seed: int, patients: int = 40) -> pd.DataFrame:
    """Patients by visits, a seventh of the later visits missing."""
    rng = np.random.default_rng(seed)
    patient, visit = (grid.ravel() for grid in np.meshgrid(np.arange(patients), np.arange(4), indexing="ij"))
    first = patient < 0.6 * patients
    time = np.where(visit == 0, 1.0, np.round(rng.uniform(0.8, 1.4, len(visit)), 3))
    table = pd.DataFrame(
        {
            "patient": [f"P{i:03d}" for i in patient],
            "group": np.where(first, "CLAD", "ALEM"),
            "visit": visit,
            "cell": np.where(first, 1, 5) + visit,
            "time": time,
        }
    )
    return table[(visit == 0) | (rng.uniform(size=len(visit)) > 1 / 7)].reset_index(drop=True)


def patient_effects(table: pd.DataFrame, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Effect of each row's patient."""
    codes, _ = pd.factorize(table["patient"])
    return sd * rng.normal(size=codes.max() + 1)[codes]


def counts(seed: int) -> pd.DataFrame:
    """New lesions: negative binomial of shape 1, patient SD 0.7."""
    rng = np.random.default_rng(seed + 100)
    table = visits(seed)
    mean = table["time"] * np.exp(LOG_RATES[table["cell"] - 1] + patient_effects(table, 0.7, rng))
    return table.assign(count=rng.poisson(mean * rng.gamma(1.0, 1.0, len(table))))


def scores(seed: int) -> pd.DataFrame:
    """Disability scores of eight steps, patient SD 2; category counts the scores seen from 1."""
    rng = np.random.default_rng(seed + 100)
    table = visits(seed).drop(columns="time")
    latent = STATES[table["cell"] - 1] + patient_effects(table, 2.0, rng) + rng.logistic(size=len(table))
    score = STEPS[np.searchsorted(np.array([-3.0, -2.0, -0.8, 0.2, 1.0, 2.0, 3.2]), latent)]
    return table.assign(score=score, category=pd.factorize(score, sort=True)[0] + 1)


def write(table: pd.DataFrame, name: str) -> None:
    """Write one table beside this script."""
    table.to_csv(HERE / name, sep="\t", index=False, float_format="%.12g", lineterminator="\n")


if __name__ == "__main__":
    write(pd.concat([changes("regular", 91), changes("heavy", 92)]), "changes.tsv")
    write(counts(93), "counts.tsv")
    write(scores(94), "scores.tsv")
