"""A small good study on disk: what every bad input is one change away from."""

from __future__ import annotations

from pathlib import Path

STUDY = """[study]
name = "small"
groups = ["CLAD", "ALEM"]

[analyses]
use = ["year_to_year_t2"]

[data]
subjects_dir = "fs"
structures = ["thalamus", "lateral_ventricle", "cortex"]
relapses = "relapses.tsv"
edss = "edss.tsv"
"""
PATIENTS = """patient\tgroup\tsex\tage\tprevious_dmts
A01\tCLAD\tF\t34\t1
A02\tALEM\tM\t41.5\t2
"""
VISITS = """patient\tvisit\tdate\tfsid\tnew_t2\tnew_gd\tedss\tsteroid_date\tprotocol\tquality
A01\t0\t2015-03-02\tA01_v0\t4\t1\t2\tn/a\t3T\tok
A01\t1\t2016-03-07\tA01_v1\t2\t0\t2\t2015-06-01\t3T\tok
A01\t2\t2017-03-01\tA01_v2\t0\t0\t2.5\tn/a\t3T\tok
A02\t0\t2015-04-13\tA02_v0\t9\t2\t3\tn/a\t3T\tok
A02\t1\t2016-04-11\tA02_v1\t1\t0\t3\tn/a\t3T\tok
A02\t2\t2017-04-18\tA02_v2\t0\t0\t3.5\tn/a\t3T\tok
"""
RELAPSES = """patient\tdate
A01\t2015-11-20
A02\t2016-12-01
"""
EDSS = """patient\tdate\tedss
A01\t2017-10-04\t2.5
A02\t2017-11-08\t3.5
"""
LONG, CROSS = "A01_v1.long.A01_base", "A01_v1"
ASEG = f"fs/{LONG}/stats/aseg.stats"

_MEASURES = {
    "BrainSegVolNotVent": 1_100_000.0,
    "CortexVol": 450_000.0,
    "eTIV": 1_500_000.0,
}
_ROWS = {
    "Left-Lateral-Ventricle": 9000.0,
    "Left-Thalamus": 7000.0,
    "Right-Lateral-Ventricle": 8500.0,
    "Right-Thalamus": 6900.0,
}


def stats_text(lost: float = 0.0) -> str:
    """Text of an aseg.stats: 3 measures on lines 5 to 7, 4 rows on lines 17 to 20; `lost` mm³ of thalamus are gone."""
    rows = {**_ROWS, "Left-Thalamus": _ROWS["Left-Thalamus"] - lost}
    lines = [
        "# Title Segmentation Statistics ",
        "# generating_program mri_segstats",
        "# cvs_version 7.4.1",
        "# subjectname output",
        *(f"# Measure {name}, {name}, Volume of {name}, {value:.6f}, mm^3" for name, value in _MEASURES.items()),
    ]
    for place, (name, units) in enumerate([("Index", "NA"), ("Volume_mm3", "mm^3"), ("StructName", "NA")], start=1):
        lines += [f"# TableCol  {place} ColHeader {name} ", f"# TableCol  {place} Units     {units}"]
    lines += [f"# NRows {len(rows)} ", "# NTableCols 3 ", "# ColHeaders  Index Volume_mm3 StructName  "]
    lines += [f"{index:3d} {volume:10.1f}  {name} " for index, (name, volume) in enumerate(rows.items(), start=1)]
    return "\n".join(lines) + "\n"


def write_run(subjects: Path, folder: str, text: str) -> None:
    """Write a finished run of FreeSurfer 7.4.1; a template has no table of its own."""
    (subjects / folder / "scripts").mkdir(parents=True)
    (subjects / folder / "stats").mkdir()
    stamp = "freesurfer-linux-ubuntu22_x86_64-7.4.1-20230614-7eb8460\n"
    (subjects / folder / "scripts" / "build-stamp.txt").write_text(stamp)
    (subjects / folder / "scripts" / "recon-all.done").write_text("SUBJECT x\n")
    if text:
        (subjects / folder / "stats" / "aseg.stats").write_text(text)


def write_good_study(folder: Path) -> Path:
    """Write two patients of two groups with three scanned visits each; return its study.toml."""
    for patient in ("A01", "A02"):
        write_run(folder / "fs", f"{patient}_base", "")
        for visit in range(3):
            name = f"{patient}_v{visit}"
            write_run(folder / "fs", f"{name}.long.{patient}_base", stats_text(40.0 * visit))
    write_run(folder / "fs", CROSS, stats_text(45.0))
    tables = {"study.toml": STUDY, "patients.tsv": PATIENTS, "visits.tsv": VISITS}
    for name, text in (tables | {"relapses.tsv": RELAPSES, "edss.tsv": EDSS}).items():
        (folder / name).write_text(text)
    return folder / "study.toml"
