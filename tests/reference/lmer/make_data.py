"""Write data.tsv, the patient-years that lmer.R fits: python tests/reference/lmer/make_data.py

example_t2, example_gd: the built-in example, seed 1 (its fits are singular: successive changes share a scan).
singular: simulated without patient variance. moderate: with a patient SD of 0.7 residual SDs.
unbalanced: up to six rows a patient and a patient SD of three residual SDs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from simulated import long_table  # noqa: E402 - found by the line above

SIMULATED = {
    "singular": {"seed": 41, "patients": 30, "tau": 0.0, "outcomes": 6},
    "moderate": {"seed": 42, "patients": 52, "tau": 0.7, "outcomes": 6},
    "unbalanced": {"seed": 43, "patients": 25, "most_visits": 6, "tau": 3.0, "outcomes": 6},
}


def example_rows() -> pd.DataFrame:
    """Patient-years of the built-in example, one row per structure and predictor."""
    from atrobayes.data_prep.example import write_example
    from atrobayes.data_prep.prepare import prepare
    from atrobayes.study import read_study

    with tempfile.TemporaryDirectory() as folder:
        write_example(Path(folder) / "study")
        prepared = prepare(read_study(Path(folder) / "study" / "study.toml"))
    years = prepared.intervals[["patient", "group", "visit_from", "visit_to", "new_t2_to", "new_gd_to"]]
    both = prepared.changes.merge(years, on=["patient", "visit_from", "visit_to"]).rename(
        columns={"structure": "outcome", "change_pct_etiv": "y"}
    )
    parts = [both.assign(dataset=f"example_{name}", x=both[f"new_{name}_to"]) for name in ("t2", "gd")]
    return pd.concat(parts)[["dataset", "outcome", "patient", "group", "x", "y"]]


def simulated_rows(name: str) -> pd.DataFrame:
    """One simulated data set, one row per outcome and patient-year."""
    table = long_table(**SIMULATED[name])
    long = table.melt(id_vars=["patient", "group", "x"], var_name="outcome", value_name="y")
    return long.assign(dataset=name)[["dataset", "outcome", "patient", "group", "x", "y"]]


if __name__ == "__main__":
    rows = pd.concat([example_rows(), *map(simulated_rows, SIMULATED)])
    rows.to_csv(HERE / "data.tsv", sep="\t", index=False, float_format="%.12g", lineterminator="\n")
