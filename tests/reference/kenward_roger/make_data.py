"""Write data.tsv, further patient-years for kenward_roger.R: python tests/reference/kenward_roger/make_data.py

kenward_roger.R also fits ../lmer/data.tsv. The sets here, two outcomes each:
balanced: every patient has three rows. large_sd: a patient SD of ten residual SDs. few: eight patients, where the
adjustment is largest. few_singular: eight patients without patient variance.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from simulated import long_table  # noqa: E402 - found by the line above

SIMULATED = {
    "balanced": {"seed": 51, "patients": 60, "tau": 0.7},
    "large_sd": {"seed": 52, "patients": 20, "most_visits": 4, "tau": 10.0},
    "few": {"seed": 53, "patients": 8, "most_visits": 4, "tau": 1.0},
    "few_singular": {"seed": 54, "patients": 8, "most_visits": 4, "tau": 0.0},
}


def simulated_rows(name: str) -> pd.DataFrame:
    """One simulated data set, one row per outcome and patient-year."""
    table = long_table(**SIMULATED[name], outcomes=2)
    if name == "balanced":
        table = table[table.groupby("patient")["x"].transform("size") == 3]
    long = table.melt(id_vars=["patient", "group", "x"], var_name="outcome", value_name="y")
    return long.assign(dataset=name)[["dataset", "outcome", "patient", "group", "x", "y"]]


if __name__ == "__main__":
    rows = pd.concat(map(simulated_rows, SIMULATED))
    rows.to_csv(HERE / "data.tsv", sep="\t", index=False, float_format="%.12g", lineterminator="\n")
