"""The example's SUBJECTS_DIR: the folders and files that recon-all leaves behind.

Every patient has a cross-sectional run per scan, one template, and a longitudinal run per
scan, with the oddities that real folders have: names with dots, an earlier failure in the
log of a run that was repeated, a run that is still going on, one that ended with an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.data_prep.example_aparc import Array, aparc_text, draw_shares
from atrobayes.data_prep.example_aseg import HOME, VERSION, aseg_text

BUILD = f"freesurfer-linux-ubuntu22_x86_64-{VERSION}-20230614-7eb8460"
START, END = "Mon Jan 15 08:30:00 UTC 2024", "Mon Jan 15 14:30:00 UTC 2024"
MEAN_HOLES = 15

_OPENING = f"""\
status file for recon-all
{START}
#@# MotionCor {START}
#@# Talairach {START}
"""
_RESTART = """\
\\n\\n
#New# invocation of recon-all 
\\n\\n
"""  # noqa: W291
_DONE = """\
------------------------------
SUBJECT {subject}
START_TIME {start}
END_TIME {end}
RUNTIME_HOURS 6.000
USER example
HOST localhost
PROCESSOR x86_64
OS Linux
UNAME Linux localhost x86_64
VERSION {version} ({build})
CMDPATH {home}/bin/recon-all
CMDARGS {command}
"""
_RUNNING = """\
------------------------------
SUBJECT {subject}
HEMI    lh rh
DATE {start}
USER example
HOST localhost
PROCESSID 1
PROCESSOR x86_64
OS Linux
UNAME Linux localhost x86_64
VERSION {version} ({build})
"""


def write_subjects(
    folder: Path, visits: pd.DataFrame, long: pd.DataFrame, cross: pd.DataFrame, rng: np.random.Generator
) -> None:
    """Write the SUBJECTS_DIR of all patients.

    Parameters
    ----------
    folder : Path
        Made here; must not exist.
    visits : DataFrame
        As `draw_clinical` gives them; the index ties the rows to the volumes.
    long, cross : DataFrame
        As `draw_volumes` gives them.
    rng : Generator
        Source of what the analyses do not see: regions' shares, surface defects.
    """
    folder.mkdir()
    scanned = visits[visits["status"] != "none"]
    long_rows, cross_rows = _by_row(long), _by_row(cross)
    for number, (patient, own) in enumerate(scanned.groupby("patient", sort=True)):
        scans = dict(zip(own["fsid"], own.index, strict=True))
        states = dict(zip(own["fsid"], own["status"], strict=True))
        shares = draw_shares(rng)
        base = f"{patient}.base"
        _write_base(folder / base, list(scans), _mean([long_rows[row] for row in own.index]), shares, rng)
        for fsid, row in scans.items():
            _write_cross(folder / fsid, cross_rows[row], shares, rng)
            # the first patient's runs failed at first and were repeated
            _write_long(folder / f"{fsid}.long.{base}", long_rows[row], shares, states[fsid], repeated=number == 0)


def _by_row(volumes: pd.DataFrame) -> dict[int, dict[str, float]]:
    columns = [str(name) for name in volumes.columns]
    rows = volumes.to_numpy().tolist()
    return {row: dict(zip(columns, values, strict=True)) for row, values in zip(volumes.index, rows, strict=True)}


def _mean(volumes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(scan[name] for scan in volumes) / len(volumes) for name in volumes[0]}


def _write_base(
    run: Path, fsids: Sequence[str], volumes: Mapping[str, float], shares: Array, rng: np.random.Generator
) -> None:
    _write_stats(run, volumes, shares, _draw_holes(rng))
    points = "".join(f" -tp {fsid}" for fsid in fsids)
    _write_scripts(run, f"-base {run.name}{points} -all")
    _write(run / "base-tps", "".join(f"{fsid}\n" for fsid in fsids))


def _write_cross(run: Path, volumes: Mapping[str, float], shares: Array, rng: np.random.Generator) -> None:
    _write_stats(run, volumes, shares, _draw_holes(rng))
    _write_scripts(run, f"-s {run.name} -all")


def _write_long(run: Path, volumes: Mapping[str, float], shares: Array, status: str, *, repeated: bool) -> None:
    if status == "running":
        _write_running(run)
        return
    _write_stats(run, volumes, shares, None)
    fsid, base = run.name.split(".long.")
    if status == "errors":
        _write_failed(run)
    else:
        _write_scripts(run, f"-long {fsid} {base} -all", repeated=repeated)


def _draw_holes(rng: np.random.Generator) -> list[int]:
    return [int(count) for count in rng.poisson(MEAN_HOLES, 2)]


def _write_stats(run: Path, volumes: Mapping[str, float], shares: Array, holes: Sequence[int] | None) -> None:
    stats = run / "stats"
    stats.mkdir(parents=True)
    _write(stats / "aseg.stats", aseg_text(run.name, volumes, holes))
    for hemi in ("lh", "rh"):
        _write(stats / f"{hemi}.aparc.stats", aparc_text(run.name, hemi, volumes, shares))


def _write_scripts(run: Path, command: str, *, repeated: bool = False) -> None:
    """Stamp, log and done file of a finished run; a repeated one failed at first."""
    scripts = _start_scripts(run)
    end = f"recon-all -s {run.name} finished without error at {END}\n"
    before = f"{_OPENING}{_ended_with_errors(run)}{_RESTART}" if repeated else ""
    _write(scripts / "recon-all-status.log", f"{before}{_OPENING}#@# BA_exvivo Labels rh {END}\n{end}")
    _write(scripts / "recon-all.done", _fill(_DONE, run, command))


def _write_failed(run: Path) -> None:
    scripts = _start_scripts(run)
    _write(scripts / "recon-all-status.log", f"{_OPENING}#@# BA_exvivo Labels lh {END}\n{_ended_with_errors(run)}")
    _write(scripts / "recon-all.error", _fill(_DONE.replace("RUNTIME_HOURS 6.000\n", ""), run, ""))


def _write_running(run: Path) -> None:
    scripts = _start_scripts(run)
    _write(scripts / "recon-all-status.log", f"{_OPENING}#@# Fix Topology lh {START}\n")
    _write(scripts / "IsRunning.lh+rh", _fill(_RUNNING, run, ""))


def _start_scripts(run: Path) -> Path:
    scripts = run / "scripts"
    scripts.mkdir(parents=True)
    _write(scripts / "build-stamp.txt", f"{BUILD}\n")
    return scripts


def _ended_with_errors(run: Path) -> str:
    return f"recon-all -s {run.name} exited with ERRORS at {END}\n"


def _fill(template: str, run: Path, command: str) -> str:
    return template.format(
        subject=run.name, start=START, end=END, version=VERSION, build=BUILD, home=HOME, command=command
    )


def _write(path: Path, text: str) -> None:
    # plain writing: the whole study is written under a temporary name and renamed once
    path.write_bytes(text.encode())
