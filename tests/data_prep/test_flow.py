"""Counts from enrolment to the rows of each analysis."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from atrobayes.data_prep.flow import FLOW_COLUMNS, Analysed, flow, split_reasons
from atrobayes.data_prep.intervals import lost_years, patient_years
from atrobayes.data_prep.ledger import LOST, RULES, Exclusion, lost_patients, nominal_years
from atrobayes.data_prep.scans import STATUSES
from atrobayes.study import Definitions

_RULE = {
    "none": ("found", "visit_without_scan"),
    "missing": ("found", "scan_missing"),
    "unfinished": ("processed", "recon_unfinished"),
    "failed": ("processed", "recon_failed"),
    "protocol": ("usable", "other_protocol"),
    "steroid": ("usable", "steroid_washout"),
}
_ROW_RULES = ("count_missing", "excluded", "covariate_missing")


def random_cohort(rng: np.random.Generator) -> xr.Dataset:
    """Up to 12 patients in up to 3 groups, each with some of five visits, of any status; some without any visit."""
    labels = [f"G{k}" for k in range(rng.integers(1, 4))]
    patients = [f"P{k:02d}" for k in range(rng.integers(1, 13))]
    seen = [(who, visit) for who in patients for visit in range(5) if rng.random() < 0.6]
    owners, visits = ([key[part] for key in seen] for part in (0, 1))
    usable = rng.random(len(seen)) < 0.6
    status = np.where(usable, "usable", rng.choice(sorted(STATUSES), len(seen)))
    blank = np.zeros(len(seen))
    return xr.Dataset(
        {
            "group": ("patient", rng.choice(labels, len(patients)).astype(str)),
            "volume": (("record", "structure"), np.ones((len(seen), 1))),
            **dict.fromkeys(("new_t2", "new_gd", "relapses", "edss"), ("record", blank)),
        },
        coords={
            "patient": np.array(patients, dtype=str),
            "structure": ["thalamus"],
            "record_patient": ("record", np.array(owners, dtype=str)),
            "visit": ("record", np.array(visits, dtype=np.int64)),
            "years": ("record", np.array(visits, dtype=float)),
            "date": ("record", np.full(len(seen), "", dtype=str)),
            "scan_status": ("record", status.astype(str)),
        },
        attrs={"groups": json.dumps(labels)},
    )


def ledger(cohort: xr.Dataset) -> list[Exclusion]:
    """Ledger rows such a cohort comes with."""
    keys = (cohort[name].to_numpy().tolist() for name in ("record_patient", "visit", "scan_status"))
    scans = [
        Exclusion(_RULE[state][0], who, visit, rule=_RULE[state][1])
        for who, visit, state in zip(*keys, strict=True)
        if state != "usable"
    ]
    return [*scans, *lost_patients(cohort), *lost_years(cohort)]


def analysis(years: pd.DataFrame, rng: np.random.Generator) -> tuple[Analysed, list[Exclusion]]:
    """An analysis of all patient-years that leaves some out."""
    before = list(zip(years["patient"].tolist(), years["visit_to"].tolist(), strict=True))
    out = [key for key in before if rng.random() < 0.3]
    told = [
        Exclusion("analysis", *key, analysis="slopes", rule=rule)
        for key in out
        for rule in rng.choice(_ROW_RULES, rng.integers(1, 3), replace=False).tolist()
    ]
    return Analysed("slopes", tuple(before), frozenset(before) - frozenset(out)), told


@pytest.mark.parametrize("seed", range(200))
def test_counts_add_up_in_any_cohort(seed: int) -> None:
    """Patients, scans or years would vanish between two boxes of the diagram, or be told with a wrong reason."""
    rng = np.random.default_rng(seed)
    cohort = random_cohort(rng)
    years = patient_years(cohort, Definitions())
    analysed, told = analysis(years, rng)
    rows = [*ledger(cohort), *told]
    table = flow(cohort, rows, [analysed])
    for _, steps in table.groupby(["unit", "analysis", "group"], sort=False):
        kept, lost = steps["n"].to_numpy(), steps["lost"].to_numpy()
        assert kept[:-1].tolist() == (kept[1:] + lost[1:]).tolist()
        assert 0 == lost[0]
    assert table["lost"].tolist() == [sum(split_reasons(text).values()) for text in table["reasons"]]
    wide = table.pivot_table(index=["unit", "analysis", "step"], columns="group", values=["n", "lost"], sort=False)
    if "ALL" in wide["n"] and wide["n"].shape[1] > 1:
        for name in ("n", "lost"):
            assert wide[name]["ALL"].tolist() == wide[name].drop(columns="ALL").sum(axis=1).tolist()
    _check_against_the_cohort(cohort, table[table["group"] == "ALL"].set_index("step"), years, len(analysed.rows))
    _check_that_the_ledger_tells(cohort, rows, table, years)


def _check_against_the_cohort(cohort: xr.Dataset, counts: pd.DataFrame, years: pd.DataFrame, fitted: int) -> None:
    """The same numbers, counted without the flow."""
    status = cohort["scan_status"].to_numpy()
    usable = cohort["record_patient"].to_numpy()[status == "usable"]
    assert {
        "enrolled": cohort.sizes["patient"],
        "with a clinical visit": len(set(cohort["record_patient"].to_numpy().tolist())),
        "with a usable scan": len(set(usable.tolist())),
        "with a patient-year": years["patient"].nunique(),
        "clinical visits": len(status),
        "scanned": int((status != "none").sum()),
        "usable": len(usable),
        "nominal years followed": len(nominal_years(cohort)),
        "patient-years": len(years),
        "intervals": len(years),
        "intervals analysed": fitted,
    } == {
        name: int(counts.loc[name, "n"])
        for name in counts.index
        if name not in {"with a scan", "finished"}
    }  # fmt: skip


def _check_that_the_ledger_tells(
    cohort: xr.Dataset, rows: list[Exclusion], table: pd.DataFrame, years: pd.DataFrame
) -> None:
    """Every unit lost has a row of the ledger, and its reason is that of its rule."""
    told = {(row.stage, row.patient, row.visit) for row in rows}
    of_patient = {row.patient for row in rows}
    keys = zip(*(cohort[name].to_numpy().tolist() for name in ("record_patient", "visit", "scan_status")), strict=True)
    for who, visit, state in keys:
        stages = {stage for stage in ("found", "processed", "usable") if (stage, who, visit) in told}
        assert (state != "usable") == bool(stages)
    kept = set(zip(years["patient"].tolist(), years["visit_from"].tolist(), strict=True))
    assert {(who, year) for who, year in nominal_years(cohort) if ("interval", who, year + 1) not in told} == kept
    assert set(cohort["patient"].to_numpy().tolist()) - set(years["patient"]) <= of_patient
    reasons = {reason for text in table.loc[table["unit"] != "patients", "reasons"] for reason in split_reasons(text)}
    assert reasons <= set(LOST.values())


def test_a_row_left_out_for_two_reasons_is_lost_once() -> None:
    """The rows of an analysis would be fewer than those that were fitted."""
    cohort = random_cohort(np.random.default_rng(3))
    before = (("P00", 1), ("P00", 2), ("P01", 1))
    told = [
        Exclusion("analysis", "P00", 2, analysis="slopes", rule=rule) for rule in ("count_missing", "covariate_missing")
    ]
    table = flow(cohort, told, [Analysed("slopes", before, frozenset({("P00", 1)}))])
    row = table[(table["step"] == "intervals analysed") & (table["group"] == "ALL")].iloc[0]
    assert (1, 2) == (row["n"], row["lost"])
    # the other row has no line of its own: none of its structures has a volume, which the ledger says by structure
    assert {"predictor not known": 1, "no volume in the scans": 1} == split_reasons(row["reasons"])


def test_an_analysis_that_is_skipped_has_no_rows_left() -> None:
    """Its intervals would seem to be analysed."""
    cohort = random_cohort(np.random.default_rng(3))
    table = flow(cohort, [], [Analysed("slopes", (("P00", 1),), frozenset())])
    row = table[(table["step"] == "intervals analysed") & (table["group"] == "ALL")].iloc[0]
    assert (0, 1, "the whole analysis skipped 1") == (row["n"], row["lost"], row["reasons"])


def test_reasons_are_read_back_as_they_were_written() -> None:
    """A reason with a comma or a number at its end would be cut in two, and the counts of the report differ."""
    reasons = {rule.lost: place + 1 for place, rule in enumerate(RULES.values()) if rule.lost}
    assert reasons == split_reasons(", ".join(f"{words} {count}" for words, count in reasons.items()))
    assert {} == split_reasons("")
    assert not any("," in words for words in reasons)


def test_the_table_has_the_columns_it_says() -> None:
    """The file would not be written at all."""
    table = flow(random_cohort(np.random.default_rng(1)), [])
    assert [column.name for column in FLOW_COLUMNS] == list(table.columns)


def test_patients_who_never_come_to_a_year_are_told() -> None:
    """Someone enrolled and never seen, or seen once, would be in no list."""
    cohort = random_cohort(np.random.default_rng(0))
    visits = dict.fromkeys(cohort["patient"].to_numpy().tolist(), 0)
    for who in cohort["record_patient"].to_numpy().tolist():
        visits[who] += 1
    rows = lost_patients(cohort)
    assert {who for who, count in visits.items() if not count} == {
        row.patient for row in rows if row.rule == "patient_without_visit"
    }
    assert {who for who, count in visits.items() if count == 1} == {
        row.patient for row in rows if row.rule == "one_visit_only"
    }
    assert rows
