"""Times simulation-based calibration on the example study: python benchmarks/sbc.py [MODEL …]

Without models: 1,000 simulations of the mixed model. Any model of the catalogue can be named; `--simulations N` sets
how many. Prints seconds of wall and processor time, a simulation's share of them, how many fits failed their gate, and
whether every parameter stayed in its band. Compilation, paid once a process, is timed apart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from atrobayes.data_prep.example import write_example
from atrobayes.data_prep.prepare import prepare
from atrobayes.inference.calibration.sbc import Chunk, chunks, pits
from atrobayes.inference.calibration.sbc_table import sbc_table
from atrobayes.inference.estimate import Choices
from atrobayes.models.analyses import CATALOGUE
from atrobayes.models.frame import Frame
from atrobayes.models.study_frames import build_frames
from atrobayes.study import Calibration, read_study

# the analysis whose design each model is tried on, and which of its frames
DESIGNS = {
    "mixed": ("year_to_year_t2", 0),
    "mixed_robust": ("year_to_year_t2", 0),
    "structures_pooled": ("year_to_year_t2", 0),
    "regression": ("three_year_t2", 0),
    "regression_robust": ("three_year_t2", 0),
    "comparison": ("relapse_years", 0),
    "comparison_normal": ("relapse_years", 0),
    "groups": ("baseline_groups", 0),
    "groups_normal": ("baseline_groups", 0),
    "counts": ("clinical_course", 0),
    "ordinal": ("clinical_course", 3),
}


def main() -> None:
    """Time every model asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["mixed"], choices=list(DESIGNS))
    parser.add_argument("--simulations", type=int)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frames = _frames(Path(folder) / "study")
        for model in asked.models:
            analysis, place = DESIGNS[model]
            sys.stdout.write(_timed(model, frames[analysis][place], asked.simulations) + "\n")
            sys.stdout.flush()


def _frames(folder: Path) -> dict[str, tuple[Frame, ...]]:
    write_example(folder)
    study = read_study(folder / "study.toml")
    cohort = prepare(study).cohort
    needed = dict.fromkeys(analysis for analysis, _ in DESIGNS.values())
    return {name: tuple(build_frames(study, CATALOGUE[name], cohort).frames) for name in needed}


def _timed(model: str, frame: Frame, simulations: int | None) -> str:
    choices = Choices()
    wanted = Calibration()
    if simulations:
        # a copy is not held to the least that a study may ask for
        wanted = wanted.model_copy(update={"simulations": simulations, "sampled_simulations": simulations})
    wall = time.perf_counter()
    # a chunk of its own, which is not counted: imports, and what a sampler compiles
    pits(frame, choices, Chunk(model, 0, 1, run=2))
    before = time.perf_counter() - wall
    wall, processor = time.perf_counter(), time.process_time()
    found = [pits(frame, choices, chunk) for chunk in chunks(model, frame, choices, wanted)]
    table = sbc_table(pd.concat(found, ignore_index=True))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    count = int(table["simulations"].iloc[0])
    outside = table["parameter"][table["verdict"] != "within"].tolist()
    return (
        f"{model}: {count} simulations in {wall:.1f} s, {processor:.1f} s of processor time ({processor / count:.3f} s"
        f" each), {before:.0f} s before the first; {int(table['failed'].max())} fits failed their gate; "
        f"{len(table) - len(outside)} of {len(table)} parameters within {'; '.join(['', *outside])}".rstrip()
    )


if __name__ == "__main__":
    main()
