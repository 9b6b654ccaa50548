"""The clinical variables as they are described."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from atrobayes.files import read_table
from atrobayes.models.clinical_table import COLUMNS, clinical_table, write_clinical

NAN = float("nan")
PATIENT_YEARS = pd.DataFrame(
    {
        "group": ["X", "X"],
        "visit_from": [0, 0],
        "visit_to": [1, 1],
        "neda3": ["no", "undetermined"],
        "neda4": ["no", "undetermined"],
        "edss_progression": ["unconfirmed", ""],
    }
)


@pytest.fixture
def cohort() -> xr.Dataset:
    """Three patients at visits 0 and 1; C has no visit 1."""
    record = {
        "edss": [1.0, 2.0, 3.0, NAN, 6.0],
        "new_t2": [4.0, 0.0, 0.0, 2.0, NAN],
        "new_gd": [1.0, 0.0, 0.0, 0.0, 0.0],
        "relapses": [7.0, 1.0, 0.0, 0.0, 5.0],
    }
    patient = {"age": [30.0, 40.0, 50.0], "disease_duration": [1.0, 2.0, NAN], "previous_dmts": [NAN] * 3}
    patient |= {"relapses_before": [1.0, 0.0, 2.0]}
    return xr.Dataset(
        {name: ("record", np.array(values)) for name, values in record.items()}
        | {name: ("patient", np.array(values)) for name, values in patient.items()}
        | {"group": ("patient", np.array(["X", "X", "Y"]))},
        coords={
            "patient": np.array(["A", "B", "C"]),
            "record_patient": ("record", np.array(["A", "A", "B", "B", "C"])),
            "visit": ("record", np.array([0, 1, 0, 1, 0])),
            "years": ("record", np.array([0.0, 1.1, 0.0, 0.9, 0.0])),
        },
    )


def _row(table, name, variable, group, visit=0):
    keys = zip(("table", "variable", "group", "visit"), (name, variable, group, visit), strict=True)
    for column, value in keys:
        table = table[table[column] == value]
    assert 1 == len(table)
    return table.iloc[0]


def test_groups_before_treatment_are_described(cohort) -> None:
    """Table 1 would show another mean, or count patients whose value is not known."""
    table = clinical_table(cohort, ("X", "Y"))
    age = _row(table, "baseline", "age", "X")
    assert (2, 35.0, pytest.approx(np.sqrt(50)), 32.5) == (age["n"], age["mean"], age["sd"], age["q1"])
    assert 2 == _row(table, "baseline", "disease_duration", "ALL")["n"]
    assert pytest.approx(2 / 3) == _row(table, "baseline", "relapses_before", "ALL")["share_any"]
    assert np.isnan(age["share_any"])


def test_missing_is_not_zero(cohort) -> None:
    """A patient whose lesions were never counted would lower the mean."""
    table = clinical_table(cohort, ("X", "Y"))
    assert (1, 6.0) == tuple(_row(table, "baseline", "edss", "Y")[["n", "mean"]])
    assert (2, 2.0) == tuple(_row(table, "baseline", "new_t2", "X")[["n", "mean"]])
    assert 0 == _row(table, "baseline", "new_t2", "Y")["n"]
    assert "previous_dmts" not in set(table["variable"])


def test_the_course_counts_relapses_since_the_previous_visit_only(cohort) -> None:
    """Relapses before treatment would be counted as relapses of the study."""
    table = clinical_table(cohort, ("X", "Y"))
    relapses = table[(table["table"] == "course") & (table["variable"] == "relapses")]
    assert {1} == set(relapses["visit"])
    assert 0.5 == _row(table, "course", "relapses", "X", 1)["share_any"]


def test_one_group_is_described_once(cohort) -> None:
    """All patients would stand twice in the table, as a group and together."""
    assert {"ALL"} == set(clinical_table(cohort, ("ALL",))["group"])


def test_clinical_tsv_has_its_columns(cohort, tmp_path) -> None:
    """Programs that read the table by column would break."""
    table = read_table(write_clinical(cohort, ("X", "Y"), PATIENT_YEARS, tmp_path))
    assert [column.name for column in COLUMNS] == list(table.columns)
    assert "n/a" in set(table["mean"])


def test_neda_stands_below_the_course_and_changes_no_other_row(cohort) -> None:
    """Programs that read the first two tables would find other rows in them."""
    plain, table = clinical_table(cohort, ("X", "Y")), clinical_table(cohort, ("X", "Y"), PATIENT_YEARS)
    pd.testing.assert_frame_equal(plain, table[table["table"] != "neda"].astype(plain.dtypes))
    row = _row(table, "neda", "neda3", "X", 1)
    assert (2, 0, 1, 1, 0.0, 0.5) == tuple(row[["n", "n_yes", "n_no", "n_undetermined", "share_worst", "share_best"]])
    assert 1 == _row(table, "neda", "edss_progression", "X", 1)["n_unconfirmed"]
    assert "neda" not in set(plain["table"])
