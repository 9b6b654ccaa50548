"""SynthSeg's words become FreeSurfer's, and its head size does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.synthseg import TRIED_ON_REAL_OUTPUT, read_synthseg
from atrobayes.data_prep.tables import read_table_rows
from atrobayes.errors import DataError

HEADER = "subject,total intracranial,left thalamus,left ventral DC,csf,brain-stem,ctx-lh-insula,left pons"


def _write(path: Path, *lines: str) -> Path:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())  # csv.writer ends lines so
    return path


def test_one_scan_is_read_in_freesurfers_words(tmp_path: Path) -> None:
    """The segmented volume within the skull as eTIV would be another head size than in aseg.stats."""
    path = _write(tmp_path / "synthseg.vol.csv", HEADER, "orig.mgz,1500000.5,7000.25,4000.0,1000.0,2.0,3.0,4.0")
    scan = read_synthseg(path)
    names = ["SynthSeg:total intracranial", "Left-Thalamus", "Left-VentralDC", "CSF", "Brain-Stem", "ctx-lh-insula"]
    assert [*names, "SynthSeg:left pons"] == list(scan.names)
    assert Value(7000.25, "mm^3", 2, "left thalamus") == scan.value("Left-Thalamus")
    assert Value(1500000.5, "mm^3", 2, "total intracranial") == scan.value("SynthSeg:total intracranial")
    assert scan.value("eTIV") is None
    assert path == scan.path
    assert not TRIED_ON_REAL_OUTPUT


def test_a_file_of_an_image_list_has_no_name_for_its_first_column(tmp_path: Path) -> None:
    """mri_synthseg writes it so where --i is a text file."""
    path = _write(tmp_path / "a.csv", HEADER.removeprefix("subject"), "A,1,2,3,4,5,6,7")
    assert Value(2, "mm^3", 2, "left thalamus") == read_synthseg(path).value("Left-Thalamus")


def test_a_table_of_many_scans_is_read_as_a_table(tmp_path: Path) -> None:
    """As a file of one run it would give every run the volumes of the first."""
    path = _write(tmp_path / "all.csv", HEADER, "A,1,2,3,4,5,6,7", "B,1,2,3,4,5,6,7")
    assert [("A", "synthseg"), ("B", "synthseg")] == [(row.subject, row.kind) for row in read_table_rows(path)]
    with pytest.raises(DataError, match="found 2 scans"):
        read_synthseg(path)


def test_another_programs_table_is_refused(tmp_path: Path) -> None:
    """A renamed asegstats2table file holds other volumes of the same names."""
    path = _write(tmp_path / "synthseg.vol.csv", "Measure:volume,Left-Thalamus", "A,7000")
    with pytest.raises(DataError, match="found a table of asegstats2table"):
        read_synthseg(path)
