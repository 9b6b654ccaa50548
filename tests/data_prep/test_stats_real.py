"""Stats files as FreeSurfer 5.3 to 7 and FastSurfer really write them, and each of their oddities made anew."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atrobayes.data_prep.stats_files import StatsFile, parse_stats, read_stats
from atrobayes.errors import DataError

# source: how many of its stats files are read, how many refused
SOURCES = {
    "hebbianloop-fs-summer-workshop": (78, 10),
    "spinoza-spynoza": (16, 2),
    "datalad-ds000114": (16, 2),
    "fphammerle-freesurfer-stats": (17, 2),
    "fastsurfer-oasis1": (14, 2),
}
# ?h.curv.stats is a report in prose, in one case two of them in one file; no table in any.
PROSE = {"lh.curv.stats", "rh.curv.stats"}

MEASURE = re.compile(r"^# Measure [^,]+, ([\w-]+)[, ].*, (-?[\d.]+), (\S+)\s*$", re.MULTILINE)
COLUMNS = re.compile(r"^# ColHeaders (.*)$", re.MULTILINE)
ROW = re.compile(r"^(?!#)\s*(\S.*)$", re.MULTILINE)


def by_regex(text: str) -> tuple[dict[str, tuple[float, str]], dict[str, dict[str, float]]]:
    """Measures and rows of a stats file by other code than ours."""
    measures = {name: (float(number), unit) for name, number, unit in MEASURE.findall(text)}
    columns = [name for line in COLUMNS.findall(text) for name in line.split()]
    cells = [dict(zip(columns, row.split(), strict=True)) for row in ROW.findall(text)]
    rows = {row.pop("StructName"): {name: float(word) for name, word in row.items()} for row in cells}
    return measures, rows


@pytest.mark.parametrize("source", SOURCES)
def test_every_real_file_gives_the_numbers_another_reader_finds(real: Callable[[str], Path], source: str) -> None:
    """Volumes of a whole FreeSurfer version would be wrong or missing, or a study stopped by a sound file."""
    counts = {"read": 0, "refused": 0}
    for file in sorted(real(source).rglob("*.stats")):
        if file.name in PROSE:
            with pytest.raises(DataError, match=f"{file.name}, line 1: found no stats header"):
                read_stats(file)
            counts["refused"] += 1
            continue
        stats = read_stats(file)
        text = file.read_text("utf-8", "replace")
        measures, rows = by_regex(text)
        assert measures == {name: (value.value, value.unit) for name, value in stats.measures.items()}, file
        assert repr(rows) == repr(stats.rows), file  # as text: the mean over an empty label is -nan, equal to nothing
        assert all(name in text.split("\n")[line - 1].split() for name, line in stats.lines.items()), file
        assert all(value is None or value.unit == "mm^3" for value in map(stats.value, stats.rows)), file
        counts["read"] += 1
    assert SOURCES[source] == (counts["read"], counts["refused"])


def table(columns: str, rows: Sequence[str], header: str = "", units: str = "mm^3") -> StatsFile:
    """A small table; the unit is said of the column after StructName, or before it."""
    words = columns.split()
    place = 1 + next(words.index(name) for name in ("Volume_mm3", "GrayVol", "Area_mm2") if name in words)
    lines = [
        "# Title x ",
        *header.split("\n"),
        f"# TableCol {place:2d} Units     {units} ",
        f"# ColHeaders  {columns}  ",
        *rows,
    ]
    return parse_stats(Path("some.stats"), "".join(f"{line}\n" for line in lines).encode())


ASEG = "Index SegId NVoxels Volume_mm3 StructName normMean"
APARC = "StructName NumVert SurfArea GrayVol ThickAvg"


def test_measure_line_with_its_comma_missing_is_read() -> None:
    """Every surface table of FreeSurfer 6.0 would be refused, or its cortex called 'CortexVol Total ...'."""
    header = "# Measure Cortex, CortexVol Total cortical gray matter volume, 447000.5, mm^3"
    stats = table(APARC, ["bankssts    1452   1021   2349  2.500"], header)
    assert 447000.5 == stats.value("CortexVol").value
    assert 2349 == stats.value("bankssts").value


def test_brainvol_has_measures_and_no_table() -> None:
    """FreeSurfer 7 keeps some volumes only here."""
    line = "# Measure BrainSeg, BrainSegVol, Brain Segmentation Volume, 1169408.000000000000, mm^3\n"
    stats = parse_stats(Path("brainvol.stats"), (line + line.replace("Seg", "SegNotVentSurf")).encode())
    assert 1169408 == stats.value("BrainSegNotVentSurfVol").value
    assert {} == stats.rows
    assert {} == stats.header


def test_fastsurfer_table_has_no_subject_and_no_measures() -> None:
    """FastSurfer's own table would be refused, or its lack of eTIV be a zero."""
    header = (
        "# generating_program segstats.py\n#\n# compatibility with freesurfer's mri_segstats: fixed\n#\n"
        "# Excluding Unknown\n# VoxelVolume_mm3 1.0\n# NRows 2\n# NTableCols 6"
    )
    rows = ["1    2 176453 179676.173 Left-Cerebral-White-Matter 104.2113", "2 1002 5468 5291.324 ctx-lh-bankssts 92.0"]
    stats = table(ASEG, rows, header)
    assert 179676.173 == stats.value("Left-Cerebral-White-Matter").value
    assert stats.value("eTIV") is None
    assert {"generating_program": "segstats.py", "VoxelVolume_mm3": "1.0"} == stats.header


ROW_7 = "  1   4   9000     9000.5  Left-Lateral-Ventricle   28.0 "
ODD_HEADERS = {
    "version is that of a program": ("# cvs_version $Id: mri_segstats.c,v 1.121 2016/05/31 17:27:11 greve Exp $", {}),
    "subject is not the folder": ("# subjectname output", {"subjectname": "output"}),
    "fixed, no comma, no Measure": ("# BrainVolStatsFixed-NotNeeded because voxelvolume=1mm3", {}),
    "fixed, see a page": ("# BrainVolStatsFixed see surfer.nmr.mgh.harvard.edu/fswiki/BrainVolStatsFixed", {}),
    "typo of FreeSurfer 5.3 to 7.0": ("# TableCol  6 FieldName Itensity normMean", {}),
    "voxels of 0.8 mm": ("# VoxelVolume_mm3 0.512 ", {"VoxelVolume_mm3": "0.512"}),
    "empty lines and words alone": ("# \n#\n#TableCol\n# TableCol 3\n# hemi\n\n   ", {}),
    "columns miscounted": ("# NTableCols 5 ", {}),
}


@pytest.mark.parametrize("kind", ODD_HEADERS)
def test_odd_header_line_is_no_obstacle(kind: str) -> None:
    """A table that FreeSurfer really writes would be refused, or its header taken for something else."""
    header, kept = ODD_HEADERS[kind]
    stats = table(ASEG, [ROW_7], header)
    assert 9000.5 == stats.value("Left-Lateral-Ventricle").value
    assert {} == stats.measures
    if kept:
        assert kept == stats.header


def test_surface_table_of_5_3_has_no_brain_volumes() -> None:
    """A surface table without eTIV would stop a study of version 5.3."""
    header = "# Measure Cortex, NumVert, Number of Vertices, 120000, unitless"
    stats = table(APARC, ["bankssts    1452   1021   2349  2.500"], header)
    assert stats.value("eTIV") is None
    assert "unitless" == stats.value("NumVert").unit


def test_contrast_table_has_no_volumes() -> None:
    """Areas of ?h.w-g.pct.stats would pass for volumes."""
    columns = "Index SegId NVertices Area_mm2 StructName Mean StdDev Min Max Range SNR"
    stats = table(columns, ["  2 1001 1381 967.3 bankssts 25.2 4.3 11.9 36.7 24.8 5.9"], "# NTableCols 10", "mm^2")
    assert stats.value("bankssts") is None
    assert 967.3 == stats.rows["bankssts"]["Area_mm2"]


def test_curvature_report_is_refused_once_or_twice_in_a_file() -> None:
    """Prose with numbers would be read for a table."""
    prose = b"\n\nRaw <mean> +- <std> (using 'lh.curv'):   -0.04147 +- 0.1903 \n   Raw Min:   -2.55595 at vertex 1\n"
    for raw in (prose, prose + prose):
        with pytest.raises(DataError, match="no stats header"):
            parse_stats(Path("lh.curv.stats"), raw)


def test_not_a_number_of_c_is_missing() -> None:
    """C prints the mean of an empty label as nan or -nan."""
    stats = table(ASEG, [ROW_7.replace("28.0", "-nan")])
    assert math.isnan(stats.rows["Left-Lateral-Ventricle"]["normMean"])
    assert 9000.5 == stats.value("Left-Lateral-Ventricle").value
