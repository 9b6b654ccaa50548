"""A tidy table gives each scan its volumes, and every fault its place."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.tidy import TidyScan, read_tidy
from atrobayes.errors import DataError

HEADER = "patient\tvisit\tstructure\tvolume\tetiv\tfile"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[TidyScan, ...]]:
    def read(*lines: str) -> tuple[TidyScan, ...]:
        path = tmp_path / "tidy.tsv"
        path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("utf-8-sig"))
        return read_tidy(path)

    return read


def refused(read: Callable[..., object], *lines: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(DataError) as caught:
        read(*lines)
    return [(fault.row, fault.column, fault.found) for fault in caught.value.faults]


def test_rows_are_gathered_into_scans(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """Rows need not stand together, and names may be ids or FreeSurfer's."""
    scans = read(
        HEADER,
        "A01\t0\tthalamus\t14000.5\t1500000\ta.stats",
        "A02\t0\tthalamus\t13000\t1400000\tb.stats",
        "A01\t1\tthalamus\t13900\t1500000\tc.stats",
        "A01\t0\tLeft-Caudate\t0\tn/a\t",
    )
    assert [("A01", 0), ("A02", 0), ("A01", 1)] == [(scan.patient, scan.visit) for scan in scans]
    assert {
        "thalamus": Value(14000.5, "mm^3", 2, "volume"),
        "eTIV": Value(1500000, "mm^3", 2, "etiv"),
        "Left-Caudate": Value(0, "mm^3", 5, "volume"),
    } == {name: scans[0].value(name) for name in scans[0].names}
    assert scans[0].value("Left-Putamen") is None


def test_missing_is_missing(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """An empty cell as 0 mm³ would be a lost thalamus; without a column etiv there is no eTIV at all."""
    (scan,) = read("patient\tvisit\tstructure\tvolume", "A01\t1.0\tthalamus\tn/a")
    volume = scan.value("thalamus")
    assert volume is not None
    assert math.isnan(volume.value)
    assert (1, ["thalamus"]) == (scan.visit, list(scan.names))
    (scan,) = read(HEADER, "A01\t0\tthalamus\t1\t\t")
    etiv = scan.value("eTIV")
    assert etiv is not None
    assert math.isnan(etiv.value)


def test_etiv_may_be_a_structure(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """Long tables of other tools give it a row of its own."""
    (scan,) = read(HEADER, "A01\t0\tthalamus\t1\t\t", "A01\t0\teTIV\t1500000\t1500000\t")
    assert Value(1500000, "mm^3", 3, "volume") == scan.value("eTIV")
    lines = (HEADER, "A01\t0\teTIV\t1500000\t1400000\t")
    assert [(2, "etiv", "1400000, and 1500000 in line 2")] == refused(read, *lines)


def test_all_faults_come_at_once(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """Each with its line and column, whatever else is wrong in the row."""
    found = refused(
        read,
        HEADER,
        "A01\t0\tthalamus\t14000\t1500000\t",
        "A01\t0\tthalamus\t14000\t1500000\t",
        "A01\t0\tcortex\t450000\t1500001\t",
        "A01\t0.5\tcortex\t-1\t1500000\t",
        "A01\tn/a\tcortex\t45o\t1500000\t",
        "\t-1\t\t1\t1,5\t",
    )
    assert [
        (5, "visit", "'0.5'"),
        (5, "volume", "'-1'"),
        (6, "visit", "'n/a'"),
        (6, "volume", "'45o'"),
        (7, "patient", "'n/a'"),
        (7, "visit", "'-1'"),
        (7, "structure", "'n/a'"),
        (7, "etiv", "a decimal comma"),
        (3, "", "A01 visit 0 thalamus again, first in line 2"),
        (4, "etiv", "1500001, and 1500000 in line 2"),
    ] == found


def test_a_table_without_its_columns_or_rows_is_refused(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """An empty table would be a study without patients."""
    found = refused(read, "patient\tstructure\tetiv", "A01\tthalamus\t1")
    assert [(1, "visit", "no such column"), (1, "volume", "no such column")] == found
    assert [(1, "", "a header and no rows")] == refused(read, HEADER)


@pytest.mark.parametrize("secret", ["04222900007", "P04222900007", "someone@example.org"])
@pytest.mark.parametrize("column", ["patient", "visit", "structure", "volume", "file"])
def test_an_identifier_is_refused_alone_and_not_repeated(read: Callable[..., object], column: str, secret: str) -> None:
    """The number would stand in the terminal as a patient given twice, or as a visit that is no number."""
    cells = dict.fromkeys(HEADER.split("\t"), "wrong") | {column: secret}
    with pytest.raises(DataError) as caught:
        read(HEADER, "\t".join(cells.values()), "\t".join(cells.values()))
    assert [(2, column), (3, column)] == [(fault.row, fault.column) for fault in caught.value.faults]
    assert secret not in f"{caught.value} {caught.value.faults!r}"


def test_an_identifier_as_a_columns_name_is_not_repeated(read: Callable[..., object]) -> None:
    """A table without a header has a patient's cells for names of columns."""
    for line in ("a@example.org\tvisit", "a@example.org\ta@example.org"):
        with pytest.raises(DataError) as caught:
            read(line, "x\ty")
        assert "a@example.org" not in f"{caught.value} {caught.value.faults!r}"


def test_what_is_left_over_of_a_composite_may_be_negative(read: Callable[..., tuple[TidyScan, ...]]) -> None:
    """The table of volumes that a run with a remainder leaves could not be read again."""
    (scan,) = read(HEADER, "A01\t0\tdgm_rest\t-12.5\t1500000\t")
    assert Value(-12.5, "mm^3", 2, "volume") == scan.value("dgm_rest")
    lines = (HEADER, "A01\t0\tdgm\t-12.5\t1\t", "A01\t0\tn/a\t-1\t1\t", "A01\t0\tdgm_rest\t1\t-1\t")
    wrong = [(2, "volume", "'-12.5'"), (3, "structure", "'n/a'"), (3, "volume", "'-1'"), (4, "etiv", "'-1'")]
    assert wrong == refused(read, *lines)
