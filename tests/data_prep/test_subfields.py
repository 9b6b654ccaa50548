"""Subfields and nuclei: which files a run has, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.structures import FAMILIES
from atrobayes.data_prep.subfields import TRIED_ON_REAL_OUTPUT, read_subfields, subfield_files
from atrobayes.errors import DataError


def _run(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("Whole 1.0\n")
    return folder


@pytest.mark.parametrize(
    ("family", "long", "name"),
    [
        ("hippo.lh", False, "lh.hippoSfVolumes-T1.v21.txt"),
        ("hippo.lh", False, "lh.hippoSfVolumes-T1-mine.v21.txt"),
        ("hippo.rh", True, "rh.hippoSfVolumes-T1.long.v21.txt"),
        ("amygdala.lh", False, "lh.amygNucVolumes-T1.v22.txt"),
        ("amygdala.rh", True, "rh.amygNucVolumes-T1.long.v22.txt"),
        ("thalamus", False, "ThalamicNuclei.v13.T1.volumes.txt"),
        # segment_subregions, without and with --suffix
        ("hippo.lh", True, "lh.hippoSfVolumes.long.txt"),
        ("hippo.lh", False, "lh.hippoSfVolumes.txt"),
        ("amygdala.rh", True, "rh.amygNucVolumes.long-T1.v22.txt"),
        ("thalamus", True, "ThalamicNuclei.long.volumes.txt"),
        ("thalamus", False, "ThalamicNuclei.volumes.txt"),
    ],
)
def test_every_programs_name_is_found_in_its_family_alone(tmp_path: Path, family: str, long: bool, name: str) -> None:
    """Left for right, or one scan's segmentation for that of all time points together."""
    run = _run(tmp_path, f"mri/{name}", "mri/lh.hippoAmygLabels-T1.v21.mgz", "mri/ThalamicNuclei.mgz")
    found = {(one, way): subfield_files(run, one, way) for one in FAMILIES for way in (False, True)}
    assert {(family, long): (run / "mri" / name,)} == {key: paths for key, paths in found.items() if paths}


def test_several_files_are_all_listed(tmp_path: Path) -> None:
    """Which version counts is not for us to choose."""
    names = ["mri/lh.hippoSfVolumes-T1.v10.txt", "mri/lh.hippoSfVolumes-T1.v21.txt"]
    assert tuple(tmp_path / name for name in names) == subfield_files(_run(tmp_path, *names), "hippo.lh", False)


def test_a_copy_in_stats_counts_where_the_text_is_gone(tmp_path: Path) -> None:
    """The scripts copy every text file: both together are one segmentation, not a choice."""
    copy, text = "stats/hipposubfields.lh.T1.v21.stats", "mri/lh.hippoSfVolumes-T1.v21.txt"
    assert (tmp_path / copy,) == subfield_files(_run(tmp_path, copy), "hippo.lh", False)
    assert () == subfield_files(tmp_path, "hippo.lh", True)
    assert (tmp_path / text,) == subfield_files(_run(tmp_path, text), "hippo.lh", False)


def test_a_run_without_folders_has_none(tmp_path: Path) -> None:
    """An unfinished run is no error of this file's."""
    assert () == subfield_files(tmp_path / "nowhere", "thalamus", False)


def test_volumes_have_the_names_of_the_file(tmp_path: Path) -> None:
    """Whole_hippocampus is one of them: a sum over all names would count everything twice."""
    path = tmp_path / "ThalamicNuclei.v13.T1.volumes.txt"
    path.write_text("Left-MV(Re) 10.123456\nLeft-Whole_thalamus 7000.5\n")
    scan = read_subfields(path)
    assert path == scan.path
    assert {"Left-MV(Re)": Value(10.123456, "mm^3", 1), "Left-Whole_thalamus": Value(7000.5, "mm^3", 2)} == {
        name: scan.value(name) for name in scan.names
    }
    assert scan.value("Right-Whole_thalamus") is None
    assert not TRIED_ON_REAL_OUTPUT


def test_the_copy_says_the_same_as_the_text(tmp_path: Path) -> None:
    """The copy has the name last and a number of voxels that is none."""
    path = tmp_path / "hipposubfields.lh.T1.v21.stats"
    path.write_text("# Hippocampal subfield volumes as created by segmentHA_T1.sh\n1 1  0 550.25 Hippocampal_tail\n")
    assert Value(550.25, "mm^3", 2) == read_subfields(path).value("Hippocampal_tail")


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """A negative volume, a word for a number, a name twice, and a row of another file."""
    path = tmp_path / "lh.hippoSfVolumes-T1.v21.txt"
    path.write_text("CA1 600.5\nCA1 600.5\nCA3 -2\nCA4 many\n1 1 0 550.25 Hippocampal_tail\n")
    with pytest.raises(DataError) as caught:
        read_subfields(path)
    assert [
        (2, "CA1 twice"),
        (3, "'CA3 -2'"),
        (4, "'CA4 many'"),
        (5, "'1 1 0 550.25 Hippocampal_tail'"),
    ] == [(fault.row, fault.found) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "found"),
    [("CA1 600.5\nCA3 2", "a last line without an end"), ("", "an empty file"), ("# volumes\n", "no volumes")],
)
def test_half_a_file_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """A segmentation that ran out of disk."""
    path = tmp_path / "lh.hippoSfVolumes-T1.v21.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_subfields(path)
    assert [found] == [fault.found for fault in caught.value.faults]
