"""Small studies on disk, written anew for each test in the layout of FreeSurfer 7.4.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from atrobayes.study import Study, read_study

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"

MEASURES = {
    "BrainSegVolNotVent": 1_100_000.0,
    "CortexVol": 450_000.0,
    "CerebralWhiteMatterVol": 420_000.0,
    "SubCortGrayVol": 60_000.0,
    "TotalGrayVol": 630_000.0,
    "eTIV": 1_500_000.0,
}
_PAIRED = {
    "Lateral-Ventricle": 9000.0,
    "Cerebellum-White-Matter": 14_000.0,
    "Cerebellum-Cortex": 55_000.0,
    "Thalamus": 7000.0,
    "Caudate": 3500.0,
    "Putamen": 5000.0,
    "Pallidum": 2000.0,
    "Hippocampus": 4000.0,
    "Amygdala": 1800.0,
    "Accumbens-area": 600.0,
}
ROWS = {f"{side}-{name}": volume for side in ("Left", "Right") for name, volume in _PAIRED.items()}


def stats_text(changed: Mapping[str, float] | None = None, left_out: Sequence[str] = ()) -> str:
    """Text of an aseg.stats; `changed` replaces measures and rows, `left_out` removes them."""
    changed = changed or {}
    measures = {name: changed.get(name, value) for name, value in MEASURES.items() if name not in left_out}
    rows = {name: changed.get(name, value) for name, value in ROWS.items() if name not in left_out}
    lines = [
        "# Title Segmentation Statistics ",
        "# ",
        "# generating_program mri_segstats",
        "# cvs_version 7.4.1",
        "# cmdline mri_segstats --subject a_secret_path ",
        "# hostname a_secret_host",
        "# user     a_secret_user",
        "# anatomy_type volume",
        "# subjectname output",
        "# BrainVolStatsFixed-NotNeeded because voxelvolume=1mm3",
    ]
    lines += [f"# Measure {name}, {name}, Volume of {name}, {value:.6f}, mm^3" for name, value in measures.items()]
    for place, (name, units) in enumerate([("Index", "NA"), ("Volume_mm3", "mm^3"), ("StructName", "NA")], start=1):
        lines += [f"# TableCol  {place} ColHeader {name} ", f"# TableCol  {place} Units     {units}"]
    lines += [f"# NRows {len(rows)} ", "# NTableCols 3 ", "# ColHeaders  Index Volume_mm3 StructName  "]
    lines += [f"{index:3d} {volume:10.1f}  {name} " for index, (name, volume) in enumerate(rows.items(), start=1)]
    return "\n".join(lines) + "\n"


def write_run(
    subjects: Path, folder: str, text: str | None = None, *, done: bool = True, log: str = "", stamp: str = "7.4.1"
) -> Path:
    """Write one run; `text` "" means no aseg.stats."""
    run = subjects / folder
    (run / "scripts").mkdir(parents=True)
    (run / "stats").mkdir()
    (run / "scripts" / "build-stamp.txt").write_text(f"freesurfer-linux-ubuntu22_x86_64-{stamp}-20230614-7eb8460\n")
    if done:
        (run / "scripts" / "recon-all.done").write_text("SUBJECT x\n")
    if log:
        (run / "scripts" / "recon-all-status.log").write_text(log)
    text = stats_text() if text is None else text
    if text:
        (run / "stats" / "aseg.stats").write_text(text)
    return run


@dataclass
class Tree:
    """A study's folder being set up."""

    folder: Path
    patients: list[str] = field(default_factory=lambda: ["patient\tgroup", "A01\tCLAD", "A02\tALEM"])
    visits: list[str] = field(default_factory=lambda: ["patient\tvisit\tyears\tfsid"])
    settings: str = ""

    @property
    def subjects(self) -> Path:
        return self.folder / "fs"

    def scan(self, folder: str, text: str | None = None, **kwargs: object) -> Path:
        return write_run(self.subjects, folder, text, **kwargs)  # type: ignore[arg-type]

    def study(self) -> Study:
        self.subjects.mkdir(exist_ok=True)
        (self.folder / "patients.tsv").write_text("\n".join(self.patients) + "\n")
        (self.folder / "visits.tsv").write_text("\n".join(self.visits) + "\n")
        path = self.folder / "study.toml"
        if "[data]" not in self.settings:
            self.settings = '[data]\nsubjects_dir = "fs"\n' + self.settings
        path.write_text(self.settings)
        return read_study(path)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A study of two patients and no visits yet."""
    return Tree(tmp_path)


@pytest.fixture
def two_visits(tree: Tree) -> Tree:
    """Two patients with two good longitudinal scans each; the second scans have lost thalamus."""
    for patient in ("A01", "A02"):
        for visit, thalamus in enumerate((7000.0, 6930.0)):
            fsid = f"{patient}_v{visit}"
            tree.visits.append(f"{patient}\t{visit}\t{visit}\t{fsid}")
            tree.scan(f"{fsid}.long.{patient}_base", stats_text({"Left-Thalamus": thalamus}))
    return tree


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Folder of real files by name; the test is skipped where they are not at hand."""

    def folder(name: str) -> Path:
        if not (REAL / name).is_dir():
            pytest.skip("the real files are not at hand")
        return REAL / name

    return folder
