"""Volumes of every patient over time, in percent of the first usable scan, with the scans that were flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.reports.results import Results, each_row

HEADLINE = ("whole_brain", "thalamus", "lateral_ventricle")


def patient_numbers(results: Results) -> dict[str, int]:
    """Number patients as they stand in patients.tsv, from 1: what a report calls them, since it names nobody."""
    return {str(who): place for place, who in enumerate(results.cohort["patient"].to_numpy().tolist(), start=1)}


def trajectories(results: Results) -> pd.DataFrame:
    """Follow the headline structures of every patient.

    Parameters
    ----------
    results : Results
        Uses cohort.nc and quality.tsv.

    Returns
    -------
    DataFrame
        structure, number (`patient_numbers`), visit, years (since the patient's first usable scan; nominal where
        times are unknown), percent (100: as in the patient's first usable scan with that structure), flagged
        (a flag of this structure, or of the whole scan, at this visit), doubted (any flag of the patient).
        Patients with two usable scans or more; empty where the cohort has no volumes. Structures: those of
        `HEADLINE` that were measured, else the first three.
    """
    if "volume" not in results.cohort:
        return pd.DataFrame()
    known = results.cohort["structure"].to_numpy().tolist()
    shown = [name for name in HEADLINE if name in known] or known[: len(HEADLINE)]
    scans = _scans(results)
    flags = _flagged(results)
    volume = results.cohort["volume"].to_numpy()
    parts = []
    for name in shown:
        own = scans.assign(structure=name, volume=volume[scans["record"], known.index(name)]).dropna(subset="volume")
        own = own.assign(percent=100 * own["volume"] / own.groupby("number")["volume"].transform("first"))
        keys = zip(own["number"], own["visit"], strict=True)
        parts.append(own.assign(flagged=[bool({(*key, name), (*key, "")} & flags) for key in keys]))
    rows = pd.concat(parts, ignore_index=True)
    doubted = {patient_numbers(results).get(who, 0) for who in results.quality["patient"]}
    columns = ["structure", "number", "visit", "years", "percent", "flagged", "doubted"]
    return rows.assign(doubted=rows["number"].isin(doubted))[columns]


def _scans(results: Results) -> pd.DataFrame:
    """Usable scans of patients with two or more, in time."""
    cohort, numbers = results.cohort, patient_numbers(results)
    usable = np.flatnonzero(cohort["scan_status"].to_numpy() == "usable")
    frame = pd.DataFrame(
        {
            "record": usable,
            "number": [numbers[str(who)] for who in cohort["record_patient"].to_numpy()[usable]],
            "visit": cohort["visit"].to_numpy()[usable],
            "since": cohort["years"].to_numpy()[usable],
        }
    ).sort_values(["number", "visit"])
    frame = frame[frame.groupby("number")["visit"].transform("size") > 1]
    # one unknown time, and a patient's scans are placed by their nominal years
    timed = frame.groupby("number")["since"].transform(lambda years: years.notna().all())
    since = frame["since"].where(timed, frame["visit"])
    return frame.assign(years=since - since.groupby(frame["number"]).transform("first"))


def _flagged(results: Results) -> set[tuple[int, int, str]]:
    numbers = patient_numbers(results)
    rows = results.quality[(results.quality["patient"] != "") & results.quality["visit"].notna()]
    return {(numbers[row.patient], int(row.visit), row.structure) for row in each_row(rows) if row.patient in numbers}
