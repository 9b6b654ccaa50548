"""A small but complete results folder of plausible made-up numbers, with every oddity a report must survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from atrobayes.data_prep.flow import FLOW_COLUMNS, Analysed, flow
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.quality_flags import QUALITY_COLUMNS, Flag, quality_table
from atrobayes.files import Column, read_table, write_table
from atrobayes.models.priors import Priors

HOSTILE = "<b>x</b>"
STRUCTURES = (
    "total_wm", "whole_brain", "cerebellum", "cerebellar_cortex", "cortex", "dgm", "total_gm",
    "thalamus", "caudate", "putamen", "hippocampus", "amygdala", HOSTILE,
)  # fmt: skip
ANALYSES = {
    "year_to_year_t2": ("new_t2_to", "% of eTIV per new T2 lesion"),
    "year_to_year_gd": ("new_gd_from", "% of eTIV per new Gd+ lesion"),
}
LESIONS = {"new_t2_from": 2, "new_t2_to": 5, "new_gd_from": 3, "new_gd_to": 2}  # counts go round 0 … size - 1
RECORD = {"new_t2": 4, "new_gd": 3, "relapses": 2, "edss": 5}  # numbers go round 0 … size - 1
PATIENT = {"age": 30, "disease_duration": 7, "previous_dmts": 4, "relapses_before": 3}
STATUSES = {"steroid": 2, "failed": 2, "unfinished": 1, "missing": 1, "none": 7}
RULES = {
    "steroid": "steroid_washout",
    "failed": "quality_fail",
    "unfinished": "recon_unfinished",
    "missing": "scan_missing",
}
CLASSICAL_ONLY = (("year_to_year_t2", "thalamus", "slope[CLAD]"), ("year_to_year_gd", "caudate", "interaction"))
GATE_FAILED = ("year_to_year_gd", "putamen", "slope[ALEM]")
SINGULAR = ("year_to_year_t2", "amygdala")
PATIENTS = {"CLAD": 33, "ALEM": 19}
FITTED = (59, 36)  # intervals of each group in every analysis
FLAGS = (
    Flag("steroid_unknown", value=3, unit="scans", reason="3 scans"),
    Flag("change_limit", "QzC003", 1, 0, "thalamus", -14.2, 10, "% a year", "QzC003: too much"),
    Flag("change_robust_z", "QzC003", 1, 0, "thalamus", -6.1, 3.5, "robust z", "QzC003: too much"),
    Flag("holes", "QzA001", 2, value=140, limit=100, unit="holes", reason="QzA001_v2"),
)

ESTIMATE_COLUMNS = [
    "analysis", "structure", "term", "method", "engine", "prior", "outcome", "predictor", "unit", "n_obs",
    "n_patients", "estimate", "median", "sd", "ci_low", "ci_high", "hdi_low", "hdi_high", "ci_prob", "ci_kind",
    "df", "statistic", "p", "q_bh", "p_holm", "r2", "pd", "p_rope", "rope_low", "rope_high", "log_bf10",
    "type_s", "type_m", "p_sig_rep", "pull", "shrinkage", "u", "s_y", "prior_sd", "prob_superiority",
    "prob_superiority_within", "n_both", "std_difference", "rhat", "ess_bulk", "ess_tail", "divergences",
    "flags", "fit_id",
]  # fmt: skip


def make_results(
    out: Path, groups: tuple[str, ...] = ("CLAD", "ALEM"), engine: str = "quadrature", *, every_kind: bool = False
) -> Path:
    """Write the folder and return it; `every_kind`: with an analysis of each kind beside the two of slopes."""
    out.mkdir(parents=True, exist_ok=True)
    records = _records(groups)
    _cohort(records, groups).to_netcdf(out / "cohort.nc", engine="netcdf4")
    _table(out / "exclusions.tsv", _exclusions(records))
    intervals = _intervals(records)
    write_table(out / "flow.tsv", _flow(out, intervals), FLOW_COLUMNS)
    write_table(out / "quality.tsv", quality_table(FLAGS), QUALITY_COLUMNS)
    _table(out / "intervals.tsv", intervals)
    _table(out / "changes.tsv", _changes(intervals))
    rows = [estimates(groups, engine), *([other_kinds(groups, engine)] if every_kind else [])]
    _table(out / "estimates.tsv", pd.concat(rows, ignore_index=True))
    for analysis in ANALYSES:
        _posterior(out / "posterior" / f"{analysis}--bayes--{engine}.nc", analysis, engine)
    return out


def estimates(groups: tuple[str, ...] = ("CLAD", "ALEM"), engine: str = "quadrature") -> pd.DataFrame:
    """Rows of estimates.tsv."""
    rng = np.random.default_rng(7)
    terms = [f"slope[{group}]" for group in groups] + ["interaction"] * (len(groups) == 2)
    rows: list[dict[str, Any]] = []
    for analysis, (predictor, unit) in ANALYSES.items():
        for place, structure in enumerate(STRUCTURES):
            s_y = 0.6 / 2**place
            for term in terms:
                key = (analysis, structure, term)
                shared = dict(zip(("analysis", "structure", "term"), key, strict=True))
                shared |= {"outcome": "change_pct_etiv", "predictor": predictor, "unit": unit, "u": 1.0, "s_y": s_y}
                shared |= _sizes(term) | {"ci_prob": 0.95}
                z = rng.normal(-0.6, 1.5)
                z = -2.1 if key in CLASSICAL_ONLY else z
                se = s_y * (0.35 if "ALEM" in term else 0.12)
                rows += [shared | _classical(z, se, key), shared | _bayes(z, se, s_y, key) | {"engine": engine}]
    return pd.DataFrame(rows).reindex(columns=ESTIMATE_COLUMNS)


def other_kinds(groups: tuple[str, ...] = ("CLAD", "ALEM"), engine: str = "quadrature") -> pd.DataFrame:
    """Rows of a comparison, of the groups before treatment, and of the clinical course."""
    rows: list[dict[str, Any]] = []
    for structure in ("whole_brain", "thalamus"):
        shared = {"analysis": "relapse_years", "structure": structure, "term": "difference", "predictor": "relapses"}
        shared |= {"outcome": "change_pct", "unit": "% of the opening volume", "u": 1.0, "s_y": 1.0, "n_both": 14.0}
        rows += _compared(shared, "ranks", {"classical_clustered": 0.03, "classical_permutation": 0.04}, engine)
    for variable, by in (("age", "t"), ("edss", "ranks")):
        shared = {
            "analysis": "baseline_groups",
            "structure": variable,
            "term": "difference",
            "unit": "units",
            "s_y": 2.0,
        }
        rows += _compared(shared | {"std_difference": 0.25}, by, {"classical_welch": 0.02}, engine)
    for group in groups:
        rows += _cell("new_t2", f"rate[{group},1]", 0.5, engine) + _cell("edss", f"median[{group},1]", 2.5, engine)
    rows += _cell("new_t2", f"rate_ratio[{groups[0]}/{groups[-1]},1]", 1.5, engine, pd=0.99)
    return pd.DataFrame(rows).reindex(columns=ESTIMATE_COLUMNS)


def _compared(shared: dict[str, Any], by: str, beside: dict[str, float], engine: str) -> list[dict[str, Any]]:
    shared = shared | {"n_obs": 95, "n_patients": 46, "ci_prob": 0.95}
    ends = {"ci_kind": "confidence", "ci_low": 0.1, "ci_high": 0.9}
    classical = {"method": "classical", "engine": by, "estimate": 0.5, "statistic": 700.5, "p": 0.01, "q_bh": 0.02}
    bayes = {
        "engine": engine,
        "estimate": 0.4,
        "ci_low": 0.05,
        "ci_high": 0.8,
        "ci_kind": "eti",
        "pd": 0.99,
        "fit_id": "x",
    }
    superiority = {"prob_superiority": 0.62, "prob_superiority_within": 0.64} if "predictor" in shared else {}
    return [
        shared | ends | classical | {"prob_superiority": 0.61},
        *(shared | {"method": method, "engine": by, "p": p, "q_bh": 2 * p} for method, p in beside.items()),
        shared | bayes | superiority | {"method": "bayes", "rope_low": -0.1, "rope_high": 0.1},
        shared | bayes | superiority | {"method": "bayes_normal", "pd": 0.983},
    ]


def _cell(variable: str, term: str, value: float, engine: str, **bayes: float) -> list[dict[str, Any]]:
    shared = {"analysis": "clinical_course", "structure": variable, "term": term, "unit": f"{variable} a year"}
    shared |= {"n_obs": 30, "n_patients": 30, "estimate": value}
    told = {
        "median": value,
        "ci_low": value / 2,
        "ci_high": 2 * value,
        "ci_prob": 0.95,
        "ci_kind": "eti",
        "fit_id": "y",
    }
    return [
        shared | {"method": "classical", "engine": "descriptive"},
        shared | told | {"method": "bayes", "engine": engine} | bayes,
    ]


def _sizes(term: str) -> dict[str, int]:
    intervals, patients = {"slope[CLAD]": (59, 30), "slope[ALEM]": (36, 16)}.get(term, (95, 46))
    return {"n_obs": intervals, "n_patients": patients}


def _classical(z: float, se: float, key: tuple[str, str, str]) -> dict[str, Any]:
    p = 2 * stats.t.sf(abs(z), 60)
    mean, half = z * se, stats.t.ppf(0.975, 60) * se
    named = {"method": "classical", "engine": "reml", "flags": "singular" if key[:2] == SINGULAR else None}
    named |= {"estimate": mean, "sd": se, "ci_low": mean - half, "ci_high": mean + half, "ci_kind": "t", "df": 60.0}
    return named | {"statistic": z, "p": p, "q_bh": min(1, 3 * p), "p_holm": min(1, 9 * p)}


def _bayes(z: float, se: float, s_y: float, key: tuple[str, str, str]) -> dict[str, Any]:
    keep = 1 / (1 + (se / (0.5 * s_y)) ** 2)
    mean, sd, rope = keep * z * se, np.sqrt(keep) * se, 0.1 * s_y
    named = {"method": "bayes", "prior": "regularising", "ci_kind": "eti", "fit_id": "ab" * 32}
    named |= {"flags": "gate_failed" if key == GATE_FAILED else None}
    named |= {"estimate": mean, "median": mean, "sd": sd, "ci_low": mean - 1.96 * sd, "ci_high": mean + 1.96 * sd}
    named |= {"hdi_low": mean - 1.95 * sd, "hdi_high": mean + 1.95 * sd}
    named |= {"pd": 0.968 if key in CLASSICAL_ONLY else stats.norm.cdf(abs(mean) / sd)}
    named |= {"p_rope": float(np.diff(stats.norm.cdf([-rope, rope], mean, sd))[0])}
    named |= {"rope_low": -rope, "rope_high": rope, "prior_sd": 0.5 * s_y}
    return named | {"log_bf10": -0.3, "type_s": 0.01, "type_m": 1.4, "pull": 0.1}


def _records(groups: tuple[str, ...]) -> pd.DataFrame:
    sizes = dict(zip(groups, PATIENTS.values(), strict=False))
    rows = [
        (f"Qz{group[:1]}{n:03d}", group, visit)
        for group, size in sizes.items()
        for n in range(size)
        for visit in range(4)
    ]
    records = pd.DataFrame(rows, columns=["patient", "group", "visit"]).assign(status="usable")
    spread = [status for status, count in STATUSES.items() for _ in range(count)]
    records.loc[np.arange(len(spread)) * 5 + 2, "status"] = spread
    return records


def _cohort(records: pd.DataFrame, groups: tuple[str, ...]) -> xr.Dataset:
    patients = records.drop_duplicates("patient")
    days = np.where(records["status"] == "steroid", 30.0, np.where(records["visit"] == 1, 100.0, np.nan))
    # every structure loses 1 % a year, but for one visit of the first patient
    shrunk = np.where((np.arange(len(records)) == 1), 0.858, 1 - 0.01 * records["visit"].to_numpy())
    unknown = int((np.isnan(days) & (records["status"] == "usable")).sum())
    flag = {"rule": "steroid_unknown", "patient": "", "visit": None, "reason": f"{unknown} scans"}
    return xr.Dataset(
        {
            "group": ("patient", patients["group"].to_numpy(dtype=object)),
            "days_since_steroid": ("record", days),
            "volume": (("record", "structure"), 1000.0 * shrunk[:, None] * np.ones(len(STRUCTURES))),
            **{name: ("record", np.arange(len(records)) % size / 1.0) for name, size in RECORD.items()},
            **{name: ("patient", np.arange(len(patients)) % size + 1.0) for name, size in PATIENT.items()},
        },
        coords={
            "patient": patients["patient"].to_numpy(dtype=object),
            "structure": np.array(STRUCTURES, dtype=object),
            "record_patient": ("record", records["patient"].to_numpy(dtype=object)),
            "visit": ("record", records["visit"].to_numpy()),
            "years": ("record", records["visit"].to_numpy(float)),
            "scan_status": ("record", records["status"].to_numpy(dtype=object)),
        },
        attrs={
            "schema_version": "1",
            "groups": list(groups),
            "name": "Made-up study",
            "flags": json.dumps([flag]),
            "files": json.dumps({"visits.tsv": "0f" * 32, "QzC003/aseg.stats": "1e" * 32}),
        },
    )


def _exclusions(records: pd.DataFrame) -> pd.DataFrame:
    lost = records[~records["status"].isin(["usable", "none"])]
    stage = lost["status"].map({"missing": "found", "unfinished": "processed"}).fillna("usable")
    columns = {"stage": stage, "patient": lost["patient"], "visit": lost["visit"], "structure": None, "analysis": None}
    columns |= {
        "rule": lost["status"].map(RULES),
        "reason": "scan of " + lost["patient"],
        "file": lost["patient"] + ".long",
    }
    return pd.concat([pd.DataFrame(columns), _lost_years(records)], ignore_index=True)


def _flow(out: Path, intervals: pd.DataFrame) -> pd.DataFrame:
    exclusions = read_table(out / "exclusions.tsv").replace("n/a", "")
    told = [
        Exclusion(row.stage, row.patient, int(row.visit) if row.visit else None, rule=row.rule)
        for row in exclusions.itertuples()
    ]
    yearly = intervals[intervals["visit_to"] == intervals["visit_from"] + 1]
    own = (yearly[yearly["group"] == group] for group in yearly["group"].unique())
    fitted = pd.concat([rows.head(n) for rows, n in zip(own, FITTED, strict=False)])
    before, rows = ([*zip(frame["patient"], frame["visit_to"], strict=True)] for frame in (yearly, fitted))
    analysed = [Analysed(analysis, tuple(before), frozenset(rows)) for analysis in ANALYSES]
    with xr.open_dataset(out / "cohort.nc") as cohort:
        return flow(cohort, told, analysed)


def _lost_years(records: pd.DataFrame) -> pd.DataFrame:
    status = records.set_index(["patient", "visit"])["status"]
    rows = [
        {
            "stage": "interval",
            "patient": who,
            "visit": visit,
            "rule": "missed_visit" if "none" in ends else "scan_unusable",
        }
        for who, visit in status.index
        if visit and (ends := {status[who, visit - 1], status[who, visit]}) != {"usable"}
    ]
    return pd.DataFrame(rows).assign(reason="a scan", structure=None, analysis=None, file=None)


def _intervals(records: pd.DataFrame) -> pd.DataFrame:
    usable = records[records["status"] == "usable"]
    pairs = usable.merge(usable, on=["patient", "group"], suffixes=("_from", "_to"))
    wanted = (pairs["visit_to"] == pairs["visit_from"] + 1) | ((pairs["visit_from"] == 0) & (pairs["visit_to"] == 3))
    kept = pairs.loc[wanted, ["patient", "group", "visit_from", "visit_to"]]
    names = ["years", "new_t2_from", "new_t2_to", "new_gd_from", "new_gd_to", "relapses", "edss_from", "edss_to"]
    texts = {"edss_progression": "no", "neda3": "yes", "neda3_failed": None, "neda4": "no"}
    counts = {name: np.arange(len(kept)) % size for name, size in LESIONS.items()}
    return kept.assign(**dict.fromkeys(names, 1.0) | counts, **texts)


def _changes(intervals: pd.DataFrame) -> pd.DataFrame:
    keys = intervals[["patient", "visit_from", "visit_to"]]
    names = ["volume_from", "volume_to", "etiv", "change_pct_etiv", "change_pct"]
    return keys.assign(structure="thalamus", **dict.fromkeys(names, 1.0))


def _posterior(path: Path, analysis: str, engine: str) -> None:
    path.parent.mkdir(exist_ok=True)
    raw = [
        {"structure": name, "term": "slope[CLAD]", "mean": 0.0, "sd": 0.3, "unit": ANALYSES[analysis][1]}
        for name in STRUCTURES
    ]
    standardised = Priors().describe()
    history = {"fit_id": "ab" * 32, "analysis": analysis, "model": "mixed", "method": "bayes", "family": "gaussian"}
    history |= {
        "formula": "change ~ lesions * group + (1 | patient)",
        "engine": {"name": engine, "version": "1"},
        "seed": 123,
    }
    history |= {"settings": {"draws": 1000, "chains": 4}, "priors": {"standardised": standardised, "raw": raw}}
    history |= {"scales": {"predictor_unit": 1.0, "predictor_mean": 0.5, "outcome_sd": dict.fromkeys(STRUCTURES, 0.6)}}
    history |= {"prior": "regularising", "frame_digest": "cd" * 32, "versions": {"numpy": "2.5.5", "xarray": "2026.4"}}
    failed = analysis == GATE_FAILED[0]
    kind = "quadrature" if engine == "quadrature" else "nuts"
    reasons = ["putamen: halving the spacing moved a mean by 3e-4 SD"] if failed else []
    verdict = {"passed": not failed, "kind": kind, "reasons": reasons, "checks": {"largest change of mean": 2e-7}}
    with netCDF4.Dataset(path, "w") as stored:
        stored.setncattr("history", json.dumps(history))
        stored.setncattr("verdict", json.dumps(verdict))
        data = stored.createGroup("observed_data")
        data.createDimension("row", 5)
        data.createDimension("outcome", len(STRUCTURES))
        data.createVariable("outcome", str, ("outcome",))[:] = np.array(STRUCTURES, dtype=object)
        data.createVariable("y", float, ("row", "outcome"))[:] = np.linspace(-1.5, 0.5, 5)[:, None]


def _table(path: Path, frame: pd.DataFrame) -> None:
    write_table(
        path, frame.astype(object).where(frame.notna(), None), [Column(str(name), "made up") for name in frame.columns]
    )
