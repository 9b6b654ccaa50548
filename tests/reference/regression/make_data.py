"""Write data.tsv, the small cohorts that regression.R fits: python tests/reference/regression/make_data.py

plain: 7 and 9 patients, lesion counts as predictor. far: the outcome's mean is 1000 of its SDs away from zero.
counts: few lesions, many ties, one patient with 20. exact: points nearly on a line (R2 close to 1). small: 3 and 4
patients. no_spread: every predictor of the second group is 0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SIZES = {"plain": (9, 7), "far": (7, 9), "counts": (9, 7), "exact": (7, 9), "small": (3, 4), "no_spread": (9, 7)}
MEAN = {"far": 1000.0}
NOISE = {"exact": 1e-4}


def simulated_rows(name: str, seed: int) -> pd.DataFrame:
    """One data set, one row per patient."""
    rng = np.random.default_rng(seed)
    first, second = SIZES[name]
    group = np.repeat(["CLAD", "ALEM"], [first, second])
    x = rng.poisson(3.0, first + second).astype(float)
    if name == "counts":
        x = rng.negative_binomial(0.6, 0.4, first + second).astype(float)
        x[[0, 1, first, first + 1]] = (20.0, 0.0, 0.0, 2.0)
    if name == "no_spread":
        x[first:] = 0.0
    slope = np.where(group == "CLAD", -0.4, 0.1)
    y = MEAN.get(name, 0.0) - 0.5 + slope * x + NOISE.get(name, 1.0) * rng.normal(size=first + second)
    return pd.DataFrame({"dataset": name, "group": group, "x": x, "y": y})


if __name__ == "__main__":
    rows = pd.concat([simulated_rows(name, 61 + k) for k, name in enumerate(SIZES)])
    rows.to_csv(HERE / "data.tsv", sep="\t", index=False, float_format="%.12g", lineterminator="\n")
