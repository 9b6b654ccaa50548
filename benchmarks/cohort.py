"""Times the assembly of a large cohort: python benchmarks/cohort.py [--patients 2500] [--visits 4] [--jobs 1 2]

Writes a study of patients x visits longitudinal runs (aseg.stats and both aparc.stats each) into a temporary
folder, with 100 structures: those of the catalogue and own ones from both kinds of files. Then a process of its own
prepares it (find the runs, read the clinical tables, assemble the cohort, its intervals, changes and quality) and
tells wall time, processor time and its largest memory. The files are read once before, so the disk is not measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from atrobayes.data_prep.example import simulate_cohort
from atrobayes.data_prep.example_aparc import REGIONS, aparc_text, draw_shares
from atrobayes.data_prep.example_aseg import aseg_text

STRUCTURES = 100
ASEG_ROWS = ("Brain-Stem", "Left-VentralDC", "Right-VentralDC", "3rd-Ventricle", "4th-Ventricle", "CSF")
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from atrobayes.data_prep.prepare import prepare, write_prepared
from atrobayes.study import read_study
study, out, jobs = read_study(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
began, used = time.perf_counter(), time.process_time()
prepared = prepare(study, jobs)
assembled, processor = time.perf_counter() - began, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
write_prepared(prepared, out)
written = time.perf_counter() - began - assembled
later = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
volume = prepared.cohort["volume"]
print(json.dumps({"shape": volume.shape, "missing": int(volume.isnull().sum()), "assembled": assembled,
                  "processor": processor, "written": written, "peak": peak, "later": later}))
"""


def main() -> None:
    """Write the study, prepare it in a process of its own, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--visits", type=int, default=4)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        study = write_study(Path(scratch), asked.patients, asked.visits)
        for jobs in asked.jobs:
            print(told(measure(study, Path(scratch) / f"made-{jobs}", jobs), jobs), flush=True)


def told(taken: dict[str, Any], jobs: int) -> str:
    """Say in a line what it took.

    Parameters
    ----------
    taken : dict
        As `measure` gives it.
    jobs : int
    """
    records, structures = taken["shape"]
    return (
        f"{records} visits x {structures} structures, {jobs} process{'es' * (jobs > 1)}: assembled in "
        f"{taken['assembled']:.1f} s ({taken['processor']:.1f} s of the first one's processor, at most "
        f"{taken['peak']:.0f} MiB in it), written in {taken['written']:.1f} s (at most {taken['later']:.0f} MiB), "
        f"{taken['missing']} volumes missing"
    )


def measure(study: Path, out: Path, jobs: int) -> dict[str, Any]:
    """Prepare a study in a process of its own.

    Returns
    -------
    dict
        Shape, missing volumes, seconds and MiB.
    """
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", MEASURED, str(study), str(out), str(jobs)], capture_output=True, text=True, check=True
    )
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def write_study(folder: Path, patients: int, visits: int) -> Path:
    """Write a study of patients x visits scans.

    Returns
    -------
    Path
        study.toml.
    """
    rng = np.random.default_rng(1)
    template = simulate_cohort(52, 1).long.to_dict("records")
    names, rows = ["patient\tgroup"], ["patient\tvisit\tyears\tfsid\tnew_t2\tnew_gd\trelapses\tedss"]
    for number in range(patients):
        patient = f"P{number:05d}"
        names.append(f"{patient}\t{'AB'[number % 2]}")
        shares = draw_shares(rng)
        scan = {str(name): float(volume) for name, volume in template[number % len(template)].items()}
        for visit in range(visits):
            fsid = f"{patient}.v{visit}"
            rows.append(f"{patient}\t{visit}\t{visit}\t{fsid}\t{rng.poisson(0.5)}\t0\t0\t2")
            shrunk = {name: volume * (1 - 0.004 * visit) for name, volume in scan.items()} | {"etiv": scan["etiv"]}
            write_run(folder / "fs" / f"{fsid}.long.{patient}.base", shrunk, shares)
    (folder / "patients.tsv").write_text("\n".join(names) + "\n")
    (folder / "visits.tsv").write_text("\n".join(rows) + "\n")
    (folder / "study.toml").write_text(study_text())
    return folder / "study.toml"


def write_run(run: Path, volumes: dict[str, float], shares: np.ndarray) -> None:
    """Write one finished longitudinal run."""
    (run / "stats").mkdir(parents=True)
    (run / "scripts").mkdir()
    (run / "scripts" / "build-stamp.txt").write_text("freesurfer-linux-ubuntu22_x86_64-7.4.1-20230614-7eb8460\n")
    (run / "scripts" / "recon-all.done").write_text("done\n")
    (run / "stats" / "aseg.stats").write_text(aseg_text(run.name, volumes, None))
    for hemi in ("lh", "rh"):
        (run / "stats" / f"{hemi}.aparc.stats").write_text(aparc_text(run.name, hemi, volumes, shares))


def study_text() -> str:
    """Text of study.toml: the catalogue's structures and own ones, a hundred together."""
    own = {f"{hemi}_{region}": f"{hemi}.aparc.stats:{region}" for hemi in ("lh", "rh") for region in REGIONS}
    own |= {row.lower().replace("-", "_"): row for row in ASEG_ROWS}
    own |= {
        f"{side}_{name}".lower().replace("-", "_"): f"{side}-{name}"
        for name in ("Thalamus", "Caudate", "Putamen", "Hippocampus", "Amygdala", "Pallidum")
        for side in ("Left", "Right")
    }
    chosen = dict(list(own.items())[: STRUCTURES - 15])
    lines = [f'{name.replace(" ", "_")} = {{ sum = ["{source}"] }}' for name, source in chosen.items()]
    return '[data]\nsubjects_dir = "fs"\nstructures = "all"\n[structures]\n' + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
