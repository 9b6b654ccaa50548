"""Times the reader of stats files beside the package freesurfer-stats, in one process, on the same generated files.

Writes benchmarks/stats_files.md. freesurfer-stats 1.2.1 wants numpy < 2 and stops with pandas 3, so it has an
environment of its own, without its claim on numpy and without installing atrobayes:

    python -m venv build/stats && build/stats/bin/pip install "pandas<3"
    build/stats/bin/pip install --no-deps freesurfer-stats
    PYTHONPATH=. build/stats/bin/python benchmarks/stats_files.py 2000

Of every visit both `?h.aparc.stats` are read by both, in turn: every column as numbers, with its unit, compared after
the clock has stopped. freesurfer-stats reads no aseg.stats.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atrobayes.data_prep.example import simulate_cohort
from atrobayes.data_prep.example_aparc import aparc_text, draw_shares
from atrobayes.data_prep.example_aseg import aseg_text
from atrobayes.data_prep.stats_files import StatsFile, read_stats

PAGE = Path(__file__).with_suffix(".md")
Times = dict[str, list[tuple[float, float]]]


def write_visits(folder: Path, visits: int) -> None:
    """One folder per visit with the aseg.stats and both aparc.stats of an example scan."""
    rng = np.random.default_rng(1)
    volumes = simulate_cohort(patients=max(4, visits // 2), seed=1).long
    for number in range(visits):
        run = folder / f"v{number:05d}"
        run.mkdir()
        own = {str(name): float(value) for name, value in volumes.iloc[number % len(volumes)].items()}
        shares = draw_shares(rng)
        (run / "aseg.stats").write_text(aseg_text(run.name, own, None))
        for hemi in ("lh", "rh"):
            (run / f"{hemi}.aparc.stats").write_text(aparc_text(run.name, hemi, own, shares))


def timed(times: Times, name: str, read: Callable[[Path], Any], path: Path) -> Any:
    """Result of a reading; its seconds by the clock and of the processor are added to the times."""
    clock, processor = time.perf_counter(), time.process_time()
    result = read(path)
    times.setdefault(name, []).append((time.perf_counter() - clock, time.process_time() - processor))
    return result


def compare(ours: StatsFile, theirs: Any) -> None:
    """Stop unless both have every column as the same numbers, with its unit."""
    frame = theirs.structural_measurements
    assert list(ours.rows) == frame.iloc[:, 0].tolist()
    assert all(kind.kind in "if" for kind in frame.dtypes.iloc[1:])
    assert [list(row.values()) for row in ours.rows.values()] == frame.iloc[:, 1:].to_numpy(float).tolist()
    assert len(ours.units) == len(frame.columns)
    for unit, column in zip(ours.units.values(), frame.columns, strict=True):
        assert unit in {"NA", "unitless"} or column.endswith(f"_{unit}"), (unit, column)
    measures = theirs.whole_brain_measurements
    assert set(measures.iloc[0]) <= {value.value for value in ours.measures.values()}


def measure(folder: Path) -> Times:
    """Read every file in turn with everything that reads it."""
    from freesurfer_stats import CorticalParcellationStats

    times: Times = {}
    for path in sorted(folder.rglob("*.aparc.stats")):
        timed(times, "opening aparc", Path.read_bytes, path)
        ours = timed(times, "atrobayes, aparc", read_stats, path)
        theirs = timed(times, "freesurfer-stats, aparc", CorticalParcellationStats.read, path)
        compare(ours, theirs)
    for path in sorted(folder.rglob("aseg.stats")):
        timed(times, "opening aseg", Path.read_bytes, path)
        timed(times, "atrobayes, aseg", read_stats, path)
    return times


def median(times: Times, name: str, which: int) -> float:
    """Median milliseconds per file: 0 by the clock, 1 of the processor."""
    return 1000 * statistics.median(pair[which] for pair in times[name])


def fastest(times: Times, name: str) -> float:
    """Milliseconds of the processor that a tenth of the files stayed under: what a busy machine disturbs least."""
    return 1000 * statistics.quantiles((pair[1] for pair in times[name]), n=10)[0]


def page(times: Times, visits: int) -> str:
    def total(name: str, which: int) -> float:
        return sum(pair[which] for pair in times[name])

    ours, theirs = "atrobayes, aparc", "freesurfer-stats, aparc"
    rows = [
        f"| {name} | {len(pairs)} | {median(times, name, 0):.3f} | {median(times, name, 1):.3f} |"
        f" {fastest(times, name):.3f} | {1000 * total(name, 0) / len(pairs):.3f} |"
        for name, pairs in times.items()
    ]
    beyond = [median(times, "atrobayes, aseg", which) - median(times, "opening aseg", which) for which in (0, 1)]
    beyond.append(fastest(times, "atrobayes, aseg") - fastest(times, "opening aseg"))
    ratios = [
        total(theirs, 1) / total(ours, 1),
        median(times, theirs, 1) / median(times, ours, 1),
        total(theirs, 0) / total(ours, 0),
    ]
    programs = ("freesurfer-stats", "pandas", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in programs)
    return f"""# Reading stats files

{visits} generated visits, written by `python benchmarks/stats_files.py {visits}`: one process, each file read in turn
by both, every column and unit compared. Milliseconds differ from machine to machine and with its load: the clock counts
what other programs took, the processor's time does not.

{processor()}, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {versions}.

| reader | files | median ms | median ms of processor | fastest tenth under | mean ms |
|---|---|---|---|---|---|
{chr(10).join(rows)}

freesurfer-stats over atrobayes, both aparc.stats: {ratios[0]:.1f} times the processor's time for all files together
({ratios[1]:.1f} times by medians, {ratios[2]:.1f} times by the clock).

aseg.stats beyond opening it: {beyond[2]:.3f} ms of the processor in the fastest tenth, {beyond[1]:.3f} ms in the median
({beyond[0]:.3f} ms by the clock). What bounds it is 405 words made into numbers, one by one: some quarter of that.
"""


def processor() -> str:
    """Name of the processor, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, one of {len(names)} cores" if names else platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("visits", type=int, nargs="?", default=2000)
    visits = parser.parse_args().visits
    # pandas 2 warns of what freesurfer-stats asks of it, once a column
    warnings.simplefilter("ignore", FutureWarning)
    with tempfile.TemporaryDirectory() as folder:
        write_visits(Path(folder), visits)
        text = page(measure(Path(folder)), visits)
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
