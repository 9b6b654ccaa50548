"""Write data.tsv, rows of patients in two states, for clusrank.R: python tests/reference/clusrank/make_data.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
# name: patients, most rows of one, share of active rows, shift, patient SD, decimals kept (None: no ties)
SETS = {
    "years": (52, 3, 0.3, -0.3, 0.7, None),
    "few": (6, 3, 0.5, 0.5, 1.0, None),
    "ties": (30, 4, 0.4, 0.4, 0.7, 0),
    "one_row_each": (25, 1, 0.5, 0.6, 0.0, None),
    "far": (20, 3, 0.5, 8.0, 0.5, 1),
}


def rows_of(name: str, seed: int) -> pd.DataFrame:
    """One data set; about half of the patients stay in one state."""
    rng = np.random.default_rng(seed)
    patients, most, share, shift, spread, decimals = SETS[name]
    patient = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
    chance = rng.choice([0.0, share, 2 * share], patients) if most > 1 else np.full(patients, share)
    active = rng.uniform(size=len(patient)) < chance[patient]
    y = spread * rng.normal(size=patients)[patient] + shift * active + rng.normal(size=len(patient))
    y = y if decimals is None else np.round(y, decimals) + 0.0  # no minus zero
    return pd.DataFrame({"dataset": name, "patient": patient, "active": active.astype(int), "y": y})


if __name__ == "__main__":
    rows = pd.concat([rows_of(name, 91 + k) for k, name in enumerate(SETS)])
    rows.to_csv(HERE / "data.tsv", sep="\t", index=False, float_format="%.12g", lineterminator="\n")
