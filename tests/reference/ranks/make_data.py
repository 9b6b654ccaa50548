"""Write data.tsv, two samples per data set, for ranks.R: python tests/reference/ranks/make_data.py

Sample x is `years with activity`, y `years without`. Numbers with ties are rounded or counts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
# name: size of x, size of y, shift of x, SD of x, decimals kept (None: no ties)
CONTINUOUS = {
    "plain": (12, 15, -0.5, 1.0, None),
    "tiny": (3, 5, -1.0, 1.0, None),
    "unequal": (4, 60, 0.8, 1.0, None),
    "spread": (20, 25, 0.3, 4.0, None),
    "large": (60, 55, -0.1, 1.0, None),
    "ties": (18, 22, -0.4, 1.0, 1),
    "heavy_ties": (30, 40, 0.3, 1.0, 0),
    "separated": (7, 8, 6.0, 1.0, None),
}
COUNTS = {"counts": (23, 29), "counts_tiny": (3, 3)}


def continuous_rows(name: str, seed: int) -> pd.DataFrame:
    """One data set of normal samples."""
    rng = np.random.default_rng(seed)
    n_x, n_y, shift, sd, decimals = CONTINUOUS[name]
    value = np.r_[shift + sd * rng.normal(size=n_x), rng.normal(size=n_y)]
    value = value if decimals is None else np.round(value, decimals) + 0.0  # no minus zero
    return pd.DataFrame({"dataset": name, "sample": np.repeat(["x", "y"], [n_x, n_y]), "value": value})


def count_rows(name: str, seed: int) -> pd.DataFrame:
    """One data set of counts, mostly zero."""
    rng = np.random.default_rng(seed)
    n_x, n_y = COUNTS[name]
    value = np.r_[rng.negative_binomial(0.8, 0.3, n_x), rng.negative_binomial(0.6, 0.5, n_y)]
    return pd.DataFrame({"dataset": name, "sample": np.repeat(["x", "y"], [n_x, n_y]), "value": value.astype(float)})


if __name__ == "__main__":
    parts = [continuous_rows(name, 71 + k) for k, name in enumerate(CONTINUOUS)]
    parts += [count_rows(name, 81 + k) for k, name in enumerate(COUNTS)]
    rows = pd.concat(parts)
    rows.to_csv(HERE / "data.tsv", sep="\t", index=False, float_format="%.12g", lineterminator="\n")
