"""Wide tables give the same words and places as the stats files they were made of."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.tables import TRIED_ON_REAL_OUTPUT, TableRow, read_table_rows
from atrobayes.errors import DataError

ASEG = "Measure:volume\tLeft-Thalamus\tRight-Thalamus\tBrainSegVolNotVent\tEstimatedTotalIntraCranialVol"
NUMBERS = "7000.5\t7100.0\t1100000.0\t1500000.25"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[TableRow, ...]]:
    def read(*lines: str, end: str = "\n", name: str = "table.txt") -> tuple[TableRow, ...]:
        path = tmp_path / name
        path.write_bytes("".join(line + end for line in lines).encode())
        return read_table_rows(path)

    return read


def refused(read: Callable[..., object], *lines: str, **kwargs: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(DataError) as caught:
        read(*lines, **kwargs)
    return [(fault.row, fault.column, fault.found) for fault in caught.value.faults]


def test_the_real_table_of_freesurfer_5_1_is_read_to_the_last_number(real: Callable[[str], Path]) -> None:
    """1,097 people whose volumes stood in another's row or column would be another study."""
    path = real("abide-fs51-table") / "aseg_stats_common.txt"
    with path.open(newline="") as stream:
        expected = list(csv.DictReader(stream, delimiter="\t"))
    rows = read_table_rows(path)
    assert [row["Measure:volume"] for row in expected] == [row.subject for row in rows]
    names = list(expected[0])[1:]
    assert names == list(rows[0].names)
    for line, (wanted, row) in enumerate(zip(expected, rows, strict=True), start=2):
        assert [float(wanted[name]) for name in names] == [value.value for name in names if (value := row.value(name))]
        assert (line, "asegstats2table", None) == (row.line, row.kind, row.base)
    assert Value(467564.035582, "mm^3", 2, "CortexVol") == rows[0].value("CortexVol")
    assert rows[0].value("eTIV") is None
    assert TRIED_ON_REAL_OUTPUT[rows[0].kind]


@pytest.mark.parametrize(("separator", "end"), [("\t", "\n"), (",", "\r\n"), (" ", "\n"), (";", "\r\n")])
def test_any_separator_gives_the_words_of_aseg_stats(
    read: Callable[..., tuple[TableRow, ...]], separator: str, end: str
) -> None:
    """asegstats2table --delimiter has four of them; eTIV has another name in tables than in aseg.stats."""
    lines = [line.replace("\t", separator) for line in (ASEG, f"A.1_v0.long.A.1_base/\t{NUMBERS}")]
    (row,) = read("\ufeff" + lines[0], lines[1], "", end=end)
    assert ("A.1_v0.long.A.1_base", "A.1_v0", "A.1_base", 2) == (row.subject, row.fsid, row.base, row.line)
    assert ["Left-Thalamus", "Right-Thalamus", "BrainSegVolNotVent", "eTIV"] == list(row.names)
    assert Value(1500000.25, "mm^3", 2, "EstimatedTotalIntraCranialVol") == row.value("eTIV")
    assert row.value("Left-Caudate") is None
    assert math.isnan(row.years)


def test_old_and_odd_measures_keep_their_meaning(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """FreeSurfer 5.1 called it ICV; counts of holes and ratios are no volumes."""
    header = "Measure:volume\tIntraCranialVol\tSegmentedTotalIntracranialVol\tBrainSegVol-to-eTIV\tlhSurfaceHoles"
    (row,) = read(header, "A\t1400000\t1450000\t0.7\t12")
    assert Value(1400000, "mm^3", 2, "IntraCranialVol") == row.value("ICV")
    assert Value(1450000, "mm^3", 2, "SegmentedTotalIntracranialVol") == row.value("sTIV")
    assert Value(0.7, "unitless", 2, "BrainSegVol-to-eTIV") == row.value("BrainSegVol-to-eTIV")
    assert Value(12, "unitless", 2, "lhSurfaceHoles") == row.value("lhSurfaceHoles")


def test_only_the_measure_volume_is_in_cubic_millimetres(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """A mean intensity of 80 would pass for a very small thalamus."""
    (row,) = read("Measure:mean\tLeft-Thalamus", "A\t80.5")
    assert Value(80.5, "intensity", 2, "Left-Thalamus") == row.value("Left-Thalamus")


@pytest.mark.parametrize(
    ("first", "header", "name", "unit"),
    [
        ("lh.aparc.volume", "lh_insula_volume", "lh.aparc.stats:insula", "mm^3"),
        (
            "rh.aparc.a2009s.thickness",
            "rh_G_front_sup_thickness",
            "rh.aparc.a2009s.stats:G_front_sup",
            "mm",
        ),
        ("rh.aparc.thickness.T1", "rh_insula_thickness.T1", "rh.aparc.stats:insula", "mm"),
        ("lh.aparc.DKTatlas.area", "lh_insula_area", "lh.aparc.DKTatlas.stats:insula", "mm^2"),
        ("lh.aparc.volume", "insula", "lh.aparc.stats:insula", "mm^3"),
        ("lh.aparc.thickness", "eTIV", "eTIV", "mm^3"),
        ("lh.aparc.thickness", "BrainSegVolNotVent", "BrainSegVolNotVent", "mm^3"),
        ("lh.aparc.thickness", "lh_MeanThickness_thickness", "lh.aparc.stats:MeanThickness", "mm"),
    ],
)
def test_parcels_are_named_by_their_stats_file(
    read: Callable[..., tuple[TableRow, ...]], first: str, header: str, name: str, unit: str
) -> None:
    """Left and right insula, and the thickness of either, are four different things; eTIV is one."""
    (row,) = read(f"{first}\t{header}", "A\t2.5")
    assert "aparcstats2table" == row.kind
    assert {name: Value(2.5, unit, 2, header)} == {name: row.value(name) for name in row.names}


def test_a_qdec_table_names_the_longitudinal_run(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """The table has time point and template apart; years is time, and age is no volume."""
    rows = read(
        "subjects_dir /data/fs",
        "# made by hand",
        "fsid fsid-base  years age Left-Thalamus lh_insula_thickness IntraCranialVol MaskVol-to-eTIV",
        "A_1   A  0.0 30 7000 2.5 1500000 1.1",
        "#A_2   A  1.0 31 6000 2.5 1500000 1.1",
        "A_3   A  2.5 32 6900 2.5 1500000 1.1",
    )
    assert [("A_1.long.A", "A_1", "A", 4, 0.0), ("A_3.long.A", "A_3", "A", 6, 2.5)] == [
        (row.subject, row.fsid, row.base, row.line, row.years) for row in rows
    ]
    assert "qdec" == rows[0].kind
    assert ["age", "Left-Thalamus", "lh_insula_thickness", "ICV", "MaskVol-to-eTIV"] == list(rows[0].names)
    assert Value(1.1, "unitless", 4, "MaskVol-to-eTIV") == rows[0].value("MaskVol-to-eTIV")
    assert Value(30, "", 4, "age") == rows[0].value("age")
    assert Value(7000, "mm^3", 4, "Left-Thalamus") == rows[0].value("Left-Thalamus")
    assert Value(2.5, "mm", 4, "lh_insula_thickness") == rows[0].value("lh_insula_thickness")


def test_a_cross_sectional_qdec_table_has_no_template(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """A made-up template would look for a run that does not exist."""
    (row,) = read("fsid\tage\tLeft-Thalamus", "A_1\t30\t7000")
    assert ("A_1", None) == (row.subject, row.base)
    assert math.isnan(row.years)


def test_qdec_faults_of_names_and_years_come_together(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """A run beside another's template would be compared with a stranger."""
    found = refused(read, "fsid\tfsid-base\tyears", "A_1.long.B\tA\t0", "A_2\tA\tone", "A_2\tA\t1")
    assert [
        (2, "fsid-base", "'A' beside 'A_1.long.B'"),
        (3, "years", "'one'"),
        (4, "", "the row 'A_2.long.A' again, first in line 3"),
    ] == found


def test_samsegs_intracranial_volume_is_not_taken_for_freesurfers(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """samseg.fs.stats calls the sum of segmented volumes eTIV: as FreeSurfer's it would mix two head sizes."""
    numbers = "1\t2\t3"
    (row,) = read("Measure:volume\tLeft-Cerebral-Cortex\tLeft-Thalamus\tEstimatedTotalIntraCranialVol", f"A\t{numbers}")
    assert "samseg" == row.kind
    assert row.value("eTIV") is None
    assert Value(3, "mm^3", 2, "EstimatedTotalIntraCranialVol") == row.value("SAMSEG:Intra-Cranial")
    assert Value(2, "mm^3", 2, "Left-Thalamus") == row.value("Left-Thalamus")


@pytest.mark.parametrize(
    "header",
    [
        "Left-Cerebral-Cortex\tBrainSegVol\tEstimatedTotalIntraCranialVol",
        "Left-Thalamus\tLeft-Caudate\tEstimatedTotalIntraCranialVol",
    ],
)
def test_freesurfers_own_etiv_stays_etiv(read: Callable[..., tuple[TableRow, ...]], header: str) -> None:
    """A table cut down to a few columns is still FreeSurfer's."""
    (row,) = read(f"Measure:volume\t{header}", "A\t1\t2\t3")
    assert "asegstats2table" == row.kind
    assert "eTIV" in row.names


def test_cells_are_judged_when_they_are_asked_for(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """A typing error in a structure nobody studies must not stop the study; in one it does, it must."""
    rows = read(ASEG, "A\t70o0\tn/a\t\tNaN", f"B\t{NUMBERS}")
    assert [True, True, True] == [math.isnan(rows[0].value(name).value) for name in [*rows[0].names][1:]]  # type: ignore[union-attr]
    assert Value(7000.5, "mm^3", 3, "Left-Thalamus") == rows[1].value("Left-Thalamus")
    with pytest.raises(DataError, match=r"line 2, Left-Thalamus: found '70o0'; expected a number"):
        rows[0].value("Left-Thalamus")


@pytest.mark.parametrize("text", ["inf", "1e999", "1_000", "7 000", "0x10"])
def test_what_python_takes_for_a_number_need_not_be_one(read: Callable[..., tuple[TableRow, ...]], text: str) -> None:
    """1_000 is a typing error, and no brain is infinite."""
    (row,) = read("Measure:volume\tLeft-Thalamus", f"A\t{text}")
    with pytest.raises(DataError, match="expected a number"):
        row.value("Left-Thalamus")


def test_quoted_cells_and_a_separator_at_the_end_are_read(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """R quotes what it writes, and spreadsheets leave a last empty column."""
    (row,) = read('"Measure:volume","Left-Thalamus",', '"A, twice",7000,')
    assert ("A, twice", ["Left-Thalamus"]) == (row.subject, list(row.names))


def test_all_faults_of_a_table_come_at_once(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """A table mended one fault an hour takes a day."""
    found = refused(
        read,
        "Measure:volume\tLeft-Thalamus\tLeft-Thalamus\t\tEstimatedTotalIntraCranialVol\teTIV",
        "A\t1\t2\t3\t4",
        "B\t1\t2,5\t3\t4\t5",
        "\t1\t2\t3\t4\t5",
        "",
        "Measure:volume\tLeft-Thalamus\tLeft-Thalamus\t\tEstimatedTotalIntraCranialVol\teTIV",
    )
    assert [
        (1, "", "a column without a name"),
        (1, "Left-Thalamus", "this column twice"),
        (1, "eTIV", "the same as in EstimatedTotalIntraCranialVol"),
        (2, "", "5 cells"),
        (3, "", "commas in decimals"),
        (4, "", "a row without a name"),
        (6, "", "a second header"),
    ] == found


def test_a_scan_stands_in_one_row(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """asegstats2table writes the last of two equal names twice: one of the scans is lost."""
    found = refused(read, ASEG, f"A\t{NUMBERS}", f"B\t{NUMBERS}", f"A/\t{NUMBERS}")
    assert [(4, "", "the row 'A' again, first in line 2")] == found


def test_percent_of_etiv_are_no_volumes(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """With --etiv the header is the same and eTIV itself becomes 100."""
    found = refused(read, ASEG, "A\t0.46\t0.47\t73.2\t100.0")
    assert [(None, "EstimatedTotalIntraCranialVol", "volumes in percent of eTIV")] == found


def test_a_turned_table_is_refused(read: Callable[..., tuple[TableRow, ...]]) -> None:
    """Structures would be taken for scans."""
    found = refused(read, "Measure:volume\tA\tB", "Left-Thalamus\t7000\t7100", "Left-Caudate\t3500\t3600")
    assert [(2, "", "structures in rows")] == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([ASEG], "a header and no rows"),
        (["Measure:volume", "A"], "a header of one column"),
        (["id\tLeft-Thalamus", "A\t1"], "a header that begins with 'id'"),
        (["subject,thalamus,cerebellum", "A,0.8,0.9"], "a header that begins with 'subject'"),
        (["# a remark"], "remarks alone"),
        (["Measure:volume,Left-Thalamus", '"A,7000'], "unexpected end of data"),
        ([" "], "an empty file"),
    ],
)
def test_what_is_no_such_table_is_said_to_be_none(
    read: Callable[..., tuple[TableRow, ...]], lines: list[str], found: str
) -> None:
    """SynthSeg's scores of quality, for one, are a table with structures too."""
    assert [found] == [fault[2] for fault in refused(read, *lines)]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (ASEG.encode("utf-16"), "UTF-16 text"),
        (b"Measure:volume\tA\nB\t1\0\n", "a binary file"),
        ("Measure:volume\tLeft\nMü\t1\n".encode("latin-1"), "a byte that is not UTF-8 at position 21"),
        (None, "no such file"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes | None, found: str) -> None:
    """Spreadsheet programs save as UTF-16, or as spreadsheets."""
    path = tmp_path / "table.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table_rows(path)
    assert [found] == [fault.found for fault in caught.value.faults]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """The SUBJECTS_DIR under the wrong key must not end in a traceback."""
    with pytest.raises(DataError, match="found a folder; expected a table"):
        read_table_rows(tmp_path)


@pytest.mark.parametrize("secret", ["04222900007", "P04222900007_v0", "someone@example.org"])
def test_an_identifier_is_refused_alone_and_not_repeated(
    read: Callable[..., tuple[TableRow, ...]], secret: str
) -> None:
    """As a scan that stands in two rows the number would be printed, and from there be in logs and mails."""
    with pytest.raises(DataError) as caught:
        read(ASEG, f"{secret}\t{NUMBERS}", f"{secret}\t{NUMBERS}\t1")
    assert [(2, "Measure:volume"), (3, "Measure:volume")] == [(f.row, f.column) for f in caught.value.faults]
    assert secret not in f"{caught.value} {caught.value.faults!r}"
    with pytest.raises(DataError) as caught:
        read(f"{secret}\tLeft-Thalamus", "A\t1")
    assert secret not in f"{caught.value} {caught.value.faults!r}"
