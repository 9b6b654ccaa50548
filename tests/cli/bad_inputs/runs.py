"""The SUBJECTS_DIR: absent, links in a circle, names the wrong way round, runs that did not finish."""

from __future__ import annotations

from pathlib import Path

from .case import At, Case, Row, Spoil, harmless, left_out, refused
from .good_study import LONG, stats_text, write_run
from .spoiling import both, bytes_as, holding, loop, moved, nothing, pipe, removed

SCRIPTS = f"fs/{LONG}/scripts"
SECOND = "A01_v1.long.A01_base2"


def second_template(study: Path) -> None:
    write_run(study / "fs", "A01_base2", "")
    write_run(study / "fs", SECOND, stats_text(99.0))


def log(text: str) -> Spoil:
    return holding(f"{SCRIPTS}/recon-all-status.log", text)


def lost(rule: str) -> Row:
    return Row("processed", "A01", "1", rule, LONG)


CROSS_ASEG = "fs/A01_v1/stats/aseg.stats"
NO_SCAN = Row("found", "A01", "1", "scan_missing")

CASES: tuple[Case, ...] = (
    refused(
        "runs: no SUBJECTS_DIR",
        removed("fs"),
        At("fs", None, "", "no such folder; expected a FreeSurfer SUBJECTS_DIR; check data.subjects_dir"),
    ),
    refused(
        "runs: a file for the SUBJECTS_DIR", both(removed("fs"), holding("fs", "x")), At("fs", None, "", "found a file")
    ),
    refused(
        "runs: SUBJECTS_DIR a link to itself", loop("fs"), At("fs", None, "", "a link to a folder that is not there")
    ),
    refused("runs: SUBJECTS_DIR without permission", nothing, At("fs", None, "", "permission"), forbidden="fs"),
    refused(
        "runs: a run without permission",
        nothing,
        At(f"fs/{LONG}/stats", None, "", "permission"),
        forbidden=f"fs/{LONG}/stats",
    ),
    refused(
        "runs: two templates of one time point",
        second_template,
        At(
            "visits.tsv",
            3,
            "fsid",
            "A01_v1.long.A01_base and A01_v1.long.A01_base2; expected one run of A01_v1; write the whole name",
        ),
    ),
    harmless(
        "runs: a link to itself among them", lambda study: (study / "fs" / "round").symlink_to(study / "fs" / "round")
    ),
    harmless(
        "runs: the whole folder linked inside itself", lambda study: (study / "fs" / "all").symlink_to(study / "fs")
    ),
    left_out(
        "runs: time point and template the wrong way round",
        moved(f"fs/{LONG}", "fs/A01_base.long.A01_v1"),
        NO_SCAN,
        Row("found", "n/a", "n/a", "scan_without_visit", "A01_base.long.A01_v1"),
    ),
    left_out("runs: cross-sectional alone", removed(f"fs/{LONG}"), NO_SCAN),
    left_out("runs: nothing of the visit", both(removed(f"fs/{LONG}"), removed("fs/A01_v1")), NO_SCAN),
    left_out("runs: empty folder", both(removed(f"fs/{LONG}"), lambda study: (study / "fs" / LONG).mkdir()), NO_SCAN),
    left_out("runs: never finished", removed(f"{SCRIPTS}/recon-all.done"), lost("recon_unfinished")),
    left_out("runs: still running", holding(f"{SCRIPTS}/IsRunning.lh+rh", ""), lost("recon_unfinished")),
    left_out(
        "runs: ended with errors",
        log("#@# Talairach\nrecon-all -s A01_v1 exited with ERRORS at Mon\n"),
        lost("recon_failed"),
    ),
    left_out(
        "runs: an error file and no done file",
        both(removed(f"{SCRIPTS}/recon-all.done"), holding(f"{SCRIPTS}/recon-all.error", "")),
        lost("recon_failed"),
    ),
    left_out(
        "runs: no stats folder",
        removed(f"fs/{LONG}/stats"),
        Row("processed", "A01", "1", "stats_missing", f"{LONG}/stats/aseg.stats"),
    ),
    harmless(
        "runs: an error, mended later",
        log("recon-all -s A01_v1 exited with ERRORS at Mon\nrecon-all -s A01_v1 finished without error at Tue\n"),
    ),
    harmless("runs: a log that is no text", holding(f"{SCRIPTS}/recon-all-status.log", b"\xff\xfe\x00\x01" * 50)),
    harmless(
        "runs: cross-sectional table cut off", bytes_as(CROSS_ASEG, lambda raw: raw[:-9]), said="quality: 1 more flag"
    ),
    harmless("runs: cross-sectional table a pipe", pipe(CROSS_ASEG)),
    harmless(
        "runs: cross-sectional run failed",
        holding("fs/A01_v1/scripts/recon-all-status.log", "recon-all -s x exited with ERRORS at Mon\n"),
        said="quality: 1 more flag",
    ),
    harmless("runs: base-tps binary", holding("fs/A01_base/base-tps", b"\xff\xfe\x00"), said="quality: "),
    harmless("runs: base-tps a folder", lambda study: (study / "fs" / "A01_base" / "base-tps").mkdir()),
    harmless("runs: no scripts, as published trees have it", removed(SCRIPTS)),
)
