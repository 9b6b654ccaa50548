"""Finding runs: streams, templates, versions, and how far each run got."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.subjects_dir import find_runs
from atrobayes.errors import DataError

from .conftest import write_run


def test_real_longitudinal_tree_is_split_at_the_marker(real: Callable[[str], Path]) -> None:
    """Names with dots, or a template ending in a number, would break the pairing of time points."""
    runs = find_runs(real("hebbianloop-fs-summer-workshop"))
    assert [
        ("sub.01.base.03", None, "base", "finished"),
        ("sub.01.bl.01", None, "cross", "finished"),
        ("sub.01.bl.01", "sub.01.base.03", "long", "finished"),
        ("sub.01.dh.01", None, "cross", "unfinished"),
        ("sub.01.dh.02", None, "cross", "finished"),
        ("sub.01.dh.02", "sub.01.base.03", "long", "finished"),
    ] == [(run.fsid, run.base, run.stream, run.state) for run in runs]
    assert {"6.0.0"} == {run.freesurfer for run in runs}


@pytest.mark.parametrize(
    ("folder", "fsid", "version"),
    [
        ("datalad-ds000114/derivatives/freesurfer", "sub-01", "5.3.0"),
        ("spinoza-spynoza", "sub-0020", "6.0.0"),
        ("fphammerle-freesurfer-stats", "soichi", ""),
        ("fastsurfer-oasis1", "OAS1_0001-3", "7.4.1"),
    ],
)
def test_real_cross_sectional_runs_are_found(real: Callable[[str], Path], folder: str, fsid: str, version: str) -> None:
    """A published tree, one without scripts/ too, would count as unfinished."""
    (run,) = find_runs(real(folder))
    assert (fsid, "cross", "finished", version) == (run.fsid, run.stream, run.state, run.freesurfer)


FAILED = "recon-all -s x exited with ERRORS at Mon\n"
FINISHED = "recon-all -s x finished without error at Tue\n"
STATES = {
    "done": (True, "", (), "finished"),
    "no done file": (False, "", (), "unfinished"),
    "left running": (True, "", ("IsRunning.lh+rh",), "unfinished"),
    "failed": (False, f"#@# Talairach Mon\n{FAILED}\nFor more details, see the log\n", (), "failed"),
    "failed, then finished": (True, FAILED + FINISHED, (), "finished"),
    "finished, then failed": (True, FINISHED + FAILED, (), "failed"),
    "failed, then started again": (False, f"{FAILED}#@# Fix Topology lh Tue\n", ("IsRunning.lh",), "unfinished"),
    "bare carriage returns": (True, "exited with\rERRORS?\r" + FINISHED, (), "finished"),
}


@pytest.mark.parametrize("case", STATES)
def test_only_the_last_word_of_the_log_counts(tmp_path: Path, case: str) -> None:
    """A run repaired after an error would be thrown away, or a broken one used."""
    done, log, left, state = STATES[case]
    run = write_run(tmp_path, "x", done=done, log=log)
    for name in left:
        (run / "scripts" / name).touch()
    (found,) = find_runs(tmp_path)
    assert state == found.state
    assert (state == "finished") == (found.reason == "")


def test_freesurfers_own_averages_and_other_folders_are_passed_over(tmp_path: Path) -> None:
    """fsaverage would appear as a scan without a visit in everybody's ledger."""
    for name in ("fsaverage", "fsaverage5", "lh.EC_average", "x"):
        write_run(tmp_path, name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "qdec.table.dat").write_text("")
    assert ["x"] == [run.fsid for run in find_runs(tmp_path)]


def test_template_without_longitudinal_runs_is_told_by_its_time_points_file(tmp_path: Path) -> None:
    """A template would be taken for a scan."""
    (write_run(tmp_path, "p_base") / "base-tps").write_text("p_v0\n")
    assert ["base"] == [run.stream for run in find_runs(tmp_path)]


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_subjects_dir_that_is_no_folder_is_one_error(tmp_path: Path, kind: str) -> None:
    """The user would see a trace of our code instead of the path."""
    place = tmp_path / "fs"
    if kind == "file":
        place.write_text("")
    with pytest.raises(DataError, match="expected a FreeSurfer SUBJECTS_DIR") as caught:
        find_runs(place)
    assert str(place) == caught.value.faults[0].file
