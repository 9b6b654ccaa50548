"""Volumes, visits and patients of real data sets are the numbers in their files, read by other code than ours."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.errors import DataError

from .conftest import Tree

ROW = re.compile(r"^\s*\d+\s+\d+\s+\d+\s+([\d.]+)\s+(\S+)", re.MULTILINE)
MEASURE = re.compile(r"^# Measure [^,]+, (\w+), .*, ([\d.]+), mm\^3", re.MULTILINE)


def in_the_file(path: Path) -> Mapping[str, float]:
    text = path.read_text("utf-8", "replace")
    rows = {name: float(volume) for volume, name in ROW.findall(text)}
    return rows | {name: float(volume) for name, volume in MEASURE.findall(text)}


def either(numbers: Mapping[str, float], *names: str) -> float:
    return next(numbers[name] for name in names if name in numbers)


def volumes(prepared: Prepared, structure: str) -> list[float]:
    found: list[float] = prepared.cohort["volume"].sel(structure=structure).to_numpy().tolist()
    return found


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("folder", "fsid", "table"),
    [
        ("datalad-ds000114/derivatives/freesurfer", "sub-01", "aseg.stats"),
        ("spinoza-spynoza", "sub-0020", "aseg.stats"),
        ("fphammerle-freesurfer-stats", "soichi", "aseg.stats"),
        ("fastsurfer-oasis1", "OAS1_0001-3", "aseg.stats"),
        ("fastsurfer-oasis1", "OAS1_0001-3", "aseg+DKT.stats"),
    ],
)
def test_volumes_of_real_runs_are_the_numbers_in_their_files(
    real: Callable[[str], Path], tree: Tree, folder: str, fsid: str, table: str
) -> None:
    """A version of FreeSurfer would give another structure's volume, or half of one."""
    source, _, inside = folder.partition("/")
    subjects = real(source) / inside
    tree.visits.append(f"A01\t0\t0\t{fsid}")
    tree.settings = f'[data]\nsubjects_dir = "{subjects}"\nstructures = "all"\nstream = "cross"\n'
    tree.settings += f'segmentation = "{table}"\n'
    prepared = prepare(tree.study())
    numbers = in_the_file(subjects / fsid / "stats" / table)
    halves = {"caudate": "Caudate", "hippocampus": "Hippocampus", "lateral_ventricle": "Lateral-Ventricle"}
    expected = {name: numbers[f"Left-{row}"] + numbers[f"Right-{row}"] for name, row in halves.items()}
    thalamus = [either(numbers, f"{side}-Thalamus", f"{side}-Thalamus-Proper") for side in ("Left", "Right")]
    expected["thalamus"] = sum(thalamus)
    if table == "aseg.stats":
        measures = {"cortex": "CortexVol", "whole_brain": "BrainSegVolNotVent", "dgm": "SubCortGrayVol"}
        expected |= {name: numbers[measure] for name, measure in measures.items()}
        expected["total_wm"] = either(numbers, "CerebralWhiteMatterVol", "CorticalWhiteMatterVol")
    found = {name: volumes(prepared, name)[0] for name in expected}
    assert expected == pytest.approx(found, rel=1e-12)
    # FastSurfer's own table has no eTIV: that of aseg.stats beside it counts
    assert in_the_file(subjects / fsid / "stats" / "aseg.stats")["eTIV"] == prepared.cohort["etiv"].item()


def test_a_real_table_of_patients_is_read_once_its_slips_are_mended(real: Callable[[str], Path], tree: Tree) -> None:
    """Thirty people with multiple sclerosis: an EDSS that does not exist among them, and three that are missing."""
    people = lines(real("open-ms-data") / "cross_sectional" / "patient_info.csv")
    columns = ("patient_id", "sex", "age", "ms_type")
    rows = ["\t".join(one[name] for name in columns) for one in people]
    tree.patients = ["patient\tsex\tage\tms_type", *rows]
    tree.visits = ["patient\tvisit\tedss", *(f"{one['patient_id']}\t0\t{one['edss']}" for one in people)]
    with pytest.raises(DataError) as caught:
        prepare(tree.study())
    slips = [(row, one["edss"]) for row, one in enumerate(people, start=2) if one["edss"] in {"N/A", "0.5"}]
    assert [(row, repr(edss)) for row, edss in slips] == [(fault.row, fault.found) for fault in caught.value.faults]
    assert ["0.5", "N/A", "N/A", "N/A"] == sorted(edss for _, edss in slips)
    tree.visits = [re.sub(r"\t(N/A|0\.5)$", "\tn/a", line) for line in tree.visits]
    cohort = prepare(tree.study()).cohort
    known = [float(one["edss"]) for one in people if one["edss"] not in {"N/A", "0.5"}]
    assert known == [value for value in cohort["edss"].to_numpy().tolist() if not math.isnan(value)]
    assert [one["sex"] for one in people] == cohort["sex"].to_numpy().tolist()
    assert [float(one["age"]) for one in people] == cohort["age"].to_numpy().tolist()


def test_a_real_table_of_visits_gives_its_numbers(real: Callable[[str], Path], tree: Tree) -> None:
    """150 people seen two to five times: brain volumes and head sizes would go to another visit or person."""
    rows = lines(real("oasis2-longitudinal") / "oasis_longitudinal.csv")
    people = {row["Subject ID"]: row for row in rows}
    brain = [1000 * float(row["eTIV"]) * float(row["nWBV"]) for row in rows]
    tree.patients = ["patient\tgroup\tsex", *(f"{who}\t{row['Group']}\t{row['M/F']}" for who, row in people.items())]
    tree.visits = ["patient\tvisit\tyears"]
    tree.visits += [f"{row['Subject ID']}\t{row['Visit']}\t{int(row['MR Delay']) / 365.25:.6f}" for row in rows]
    table = ["patient\tvisit\tstructure\tvolume\tetiv"]
    table += [
        f"{row['Subject ID']}\t{row['Visit']}\twhole_brain\t{volume!r}\t{row['eTIV']}000"
        for row, volume in zip(rows, brain, strict=True)
    ]
    (tree.folder / "volumes.tsv").write_text("\n".join(table) + "\n")
    tree.settings = '[data]\nvolumes = "volumes.tsv"\nstructures = ["whole_brain"]\n'
    prepared = prepare(tree.study())
    assert (373, 150) == (prepared.cohort.sizes["record"], prepared.cohort.sizes["patient"])
    assert brain == volumes(prepared, "whole_brain")
    assert [1000.0 * int(row["eTIV"]) for row in rows] == prepared.cohort["etiv"].to_numpy().tolist()
    seen = {(row["Subject ID"], int(row["Visit"])) for row in rows}
    assert sum((who, visit + 1) in seen for who, visit in seen) == len(prepared.intervals)
