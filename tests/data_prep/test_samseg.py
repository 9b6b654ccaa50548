"""samseg.stats gives every volume, and SAMSEG's head size under its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.samseg import TRIED_ON_REAL_OUTPUT, read_samseg
from atrobayes.errors import DataError

TEXT = "# Measure Left-Thalamus, 7000.123456, mm^3\n# Measure Lesions, 0.000000, mm^3\n"
SBTIV = "# Measure Intra-Cranial, 1500000.250000, mm^3\n"


def _write(folder: Path, text: str, sbtiv: str = "") -> Path:
    path = folder / "samseg.stats"
    path.write_text(text)
    if sbtiv:
        (folder / "sbtiv.stats").write_text(sbtiv)
    return path


def test_volumes_and_the_head_size_beside_them_are_read(tmp_path: Path) -> None:
    """sbTIV is a sum of segmented volumes: as eTIV it would be mixed with FreeSurfer's."""
    scan = read_samseg(_write(tmp_path, TEXT, SBTIV))
    assert ["Left-Thalamus", "Lesions", "SAMSEG:Intra-Cranial"] == list(scan.names)
    assert Value(7000.123456, "mm^3", 1) == scan.value("Left-Thalamus")
    assert Value(0.0, "mm^3", 2) == scan.value("Lesions")
    assert Value(1500000.25, "mm^3", 1, "sbtiv.stats") == scan.value("SAMSEG:Intra-Cranial")
    assert scan.value("eTIV") is None
    assert not TRIED_ON_REAL_OUTPUT


def test_newer_files_hold_the_head_size_themselves(tmp_path: Path) -> None:
    """The same number in both files is one number."""
    scan = read_samseg(_write(tmp_path, SBTIV + TEXT, SBTIV))
    assert Value(1500000.25, "mm^3", 1) == scan.value("SAMSEG:Intra-Cranial")


def test_without_sbtiv_there_is_no_head_size(tmp_path: Path) -> None:
    """Missing is missing, and the volumes are there."""
    assert ["Left-Thalamus", "Lesions"] == list(read_samseg(_write(tmp_path, TEXT)).names)


def test_two_head_sizes_of_one_scan_are_refused(tmp_path: Path) -> None:
    """One of the files is of another run."""
    path = _write(tmp_path, SBTIV + TEXT, SBTIV.replace("1500000.25", "1400000.25"))
    with pytest.raises(DataError, match=r"sbtiv.stats, line 1: found 1400000.250000, and 1500000.250000"):
        read_samseg(path)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Two runs in one file, a word for a number, and a row of another layout."""
    lines = ["# Measure Left-Thalamus, 7000, mm^3"] * 2
    lines += ["# Measure Left-Caudate, many, mm^3", "# Measure Left-Putamen, -1.0, mm^3", "  1 10 7000 7000.0 Left-X"]
    with pytest.raises(DataError) as caught:
        read_samseg(_write(tmp_path, "\n".join(lines) + "\n", "# Measure Skull, 1.0, mm^3\n"))
    assert [
        (2, "Left-Thalamus twice"),
        (3, "'# Measure Left-Caudate, many, mm^3'"),
        (4, "'# Measure Left-Putamen, -1.0, mm^3'"),
        (5, "'  1 10 7000 7000.0 Left-X'"),
        (None, "no Intra-Cranial"),
    ] == [(fault.row, fault.found) for fault in caught.value.faults]


def test_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    """70 mm^3 of a thalamus of 7000."""
    with pytest.raises(DataError, match="line 1: found a last line without an end"):
        read_samseg(_write(tmp_path, "# Measure Left-Thalamus, 70"))
