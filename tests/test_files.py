"""Tables and whole files: nothing half-written, nothing guessed."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrobayes.errors import DataError, Fault
from atrobayes.files import Column, atomic, cell, read_table, sha256, write_json, write_table, write_text

COLUMNS = (
    Column("patient", "Patient"),
    Column("state", "State of the scan", levels={"ok": "usable", "fail": "not usable"}),
    Column("volume", "Volume", "mm³"),
)


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"volume": [1234.56789012, math.nan], "state": ["ok", None], "patient": ["A01", "A02"]})


def _faults(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(DataError) as caught:
        read_table(path)
    return caught.value.faults


class _Interrupted(BaseException):
    """Stands for Ctrl-C."""


def _write_half(path: Path, error: type[BaseException]) -> None:
    with atomic(path) as partial:
        partial.write_text("half of the ne")
        raise error


@pytest.mark.parametrize("error", [ValueError, _Interrupted])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    """Half a results table under its real name would be read as the whole."""
    path = tmp_path / "estimates.tsv"
    path.write_text("old\n")
    with pytest.raises(error):
        _write_half(path, error)
    assert "old\n" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    """A run killed while writing would leave a file that looks finished."""
    path = tmp_path / "new" / "cohort.nc"
    with atomic(path) as partial:
        partial.write_text("all of it")
        assert not path.exists()
    assert "all of it" == path.read_text()
    assert [path] == list(path.parent.iterdir())


def test_temporary_files_stand_in_the_scratch_folder(tmp_path: Path) -> None:
    """What a killed run leaves behind must lie in logs/, or two runs would differ in their file lists."""
    with atomic(tmp_path / "out" / "a.tsv", tmp_path / "scratch") as partial:
        partial.write_text("x")
        assert tmp_path / "scratch" == partial.parent
        assert [] == list((tmp_path / "out").iterdir())
    assert "x" == (tmp_path / "out" / "a.tsv").read_text()
    assert [] == list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n/a", None),
        ("n/a", math.nan),
        ("n/a", np.float64("nan")),
        ("n/a", ""),
        ("0", 0),
        ("0", -0.0),
        ("3", 3),
        ("3", np.int64(3)),
        ("1234.5679", 1234.56789012),
        ("-1.2345679e-12", -1.23456789012e-12),
        ("1.2345679e+09", 1234567891),
        ("1", 0.999999999),
        ("inf", math.inf),
        ("true", True),
        ("false", False),
        ("two words here", " two\twords\n here"),
        ("0012", "0012"),
    ],
)
def test_a_cell_says_its_value_and_missing_is_missing(text: str, value: object) -> None:
    """A zero where nothing was measured, or a tab inside a text, changes what the table says."""
    assert text == cell(value)


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) > 1e-300))
def test_a_number_in_a_cell_keeps_eight_digits(value: float) -> None:
    """Fewer digits, and statistics recomputed from a table would differ from those in it."""
    # half a unit of the eighth digit is 5e-8 of a number that begins with 1, less of any other; a little for rounding
    assert math.isclose(value, float(cell(value)), rel_tol=5.000001e-8)


def test_a_table_is_written_in_the_order_of_its_columns_with_a_sidecar(tmp_path: Path) -> None:
    """A column without its meaning and unit is a number without a unit."""
    write_table(tmp_path / "t.tsv", _frame(), COLUMNS)
    assert b"patient\tstate\tvolume\nA01\tok\t1234.5679\nA02\tn/a\tn/a\n" == (tmp_path / "t.tsv").read_bytes()
    expected = {
        "schema_version": "1",
        "patient": {"Description": "Patient"},
        "state": {"Description": "State of the scan", "Levels": {"ok": "usable", "fail": "not usable"}},
        "volume": {"Description": "Volume", "Units": "mm³"},
    }
    assert expected == json.loads((tmp_path / "t.json").read_text())
    assert ["schema_version", "patient", "state", "volume"] == list(json.loads((tmp_path / "t.json").read_text()))


@pytest.mark.parametrize("frame", [_frame().drop(columns="state"), _frame().assign(extra=1)])
def test_a_table_with_other_columns_than_described_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    """A column nobody described would reach the reader without a meaning, and one left out would go unnoticed."""
    with pytest.raises(ValueError, match=r"t\.tsv: columns"):
        write_table(tmp_path / "t.tsv", frame, COLUMNS)
    assert [] == list(tmp_path.iterdir())


def test_a_table_read_back_is_text_by_line_number(tmp_path: Path) -> None:
    """Patient 007 must not become patient 7, and an error must name the line the user sees in the editor."""
    path = tmp_path / "t.tsv"
    path.write_bytes(b"\xef\xbb\xbfpatient\tage \n007\t 41.0\n\n\tn/a\n")
    table = read_table(path)
    assert {"patient": ["007", "n/a"], "age": ["41.0", "n/a"]} == table.to_dict(orient="list")
    assert [2, 4] == table.index.tolist()
    assert ["str", "str"] == table.dtypes.astype(str).tolist()


def test_a_table_with_windows_line_ends_reads_the_same(tmp_path: Path) -> None:
    """Tables saved by a spreadsheet on Windows end lines with two characters; the second is no part of a cell."""
    (tmp_path / "t.tsv").write_bytes(b"patient\tgroup\r\nA01\tCLAD\r\n")
    assert [["A01", "CLAD"]] == read_table(tmp_path / "t.tsv").to_numpy().tolist()


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    """A page break or a Unicode separator pasted into a remark must not cut a patient's row in two."""
    (tmp_path / "t.tsv").write_text("patient\tremark\nA01\tone\u2028two\x0cthree\x85four\nA02\tn/a\n")
    assert ["A01", "A02"] == read_table(tmp_path / "t.tsv")["patient"].tolist()


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    """No exclusions is a result too."""
    (tmp_path / "t.tsv").write_text("patient\tgroup\n")
    assert (0, 2) == read_table(tmp_path / "t.tsv").shape


@pytest.mark.parametrize(
    ("content", "found", "row"),
    [
        (b"", "an empty file", None),
        (b"\n\n", "an empty file", None),
        (b"patient,group\nA01,CLAD\n", "commas or semicolons in the header", 1),
        (b"patient;group\nA01;CLAD\n", "commas or semicolons in the header", 1),
        (b"patient\tgroup\tpatient\n", "the column 'patient' twice", 1),
        (b"patient\tgr\xfcppe\n", "a byte that is not UTF-8 at position 10", None),
        ("patient\tgroup\n".encode("utf-16"), "UTF-16 text", None),
        ("patient\tgroup\n".encode("utf-16-be"), "a zero byte at position 0: no text, or text in UTF-16", None),
        (b"PK\x03\x04\x14\x00", "a zero byte at position 5: no text, or text in UTF-16", None),
    ],
)
def test_a_file_that_is_no_table_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, found: str, row: int | None
) -> None:
    """A comma-separated file read as tabs would be one column of nonsense."""
    path = tmp_path / "patients.tsv"
    path.write_bytes(content)
    (fault,) = _faults(path)
    assert (found, str(path), row) == (fault.found, fault.file, fault.row)
    assert fault.expected
    assert fault.todo


def test_an_absent_table_is_named(tmp_path: Path) -> None:
    """The path is what the user must look at."""
    (fault,) = _faults(tmp_path / "visits.tsv")
    assert ("no such file", str(tmp_path / "visits.tsv")) == (fault.found, fault.file)


def _folder(path: Path) -> None:
    path.mkdir()


def _broken_link(path: Path) -> None:
    path.symlink_to("elsewhere.tsv")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(100_500_001)  # holes, no bytes on the disk


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (_folder, "a folder"),
        (os.mkfifo, "a pipe or device, no ordinary file"),
        (_broken_link, "a link to a file that is not there"),
        (_loop, os.strerror(errno.ELOOP).lower()),
        (_huge, "a file of 101 MB, more than the 100 MB a table may have"),
    ],
)
def test_what_is_no_ordinary_file_is_named_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], found: str
) -> None:
    """A pipe would be waited for without end; a volume named in place of a table would fill the memory."""
    make(tmp_path / "visits.tsv")
    (fault,) = _faults(tmp_path / "visits.tsv")
    assert (found, str(tmp_path / "visits.tsv")) == (fault.found, fault.file)


def test_a_table_that_may_not_be_read_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace of our code says nothing of permissions; as root every file can be read, so the refusal is made here."""
    path = tmp_path / "visits.tsv"
    path.write_text("patient\tvisit\n")

    def refuse(self: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (fault,) = _faults(path)
    assert ("no permission to read it", str(path)) == (fault.found, fault.file)


def test_every_row_of_the_wrong_length_is_named_at_once(tmp_path: Path) -> None:
    """Mending one row a run, a hundred rows take a hundred runs; a shifted cell would be another column's value."""
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\n1\t2\n1\n1\t2\t3\n")
    assert [(3, "1 cells"), (4, "3 cells")] == [(fault.row, fault.found) for fault in _faults(path)]


def test_what_is_written_as_a_table_is_read_back(tmp_path: Path) -> None:
    """The report reads what the run wrote."""
    write_table(tmp_path / "t.tsv", _frame(), COLUMNS)
    expected = [["A01", "ok", "1234.5679"], ["A02", "n/a", "n/a"]]
    assert expected == read_table(tmp_path / "t.tsv").to_numpy().tolist()


def test_text_and_json_are_utf8_with_unix_line_ends(tmp_path: Path) -> None:
    """The same results must have the same bytes on every machine, whatever its locale."""
    write_text(tmp_path / "a.txt", "mm³\n")
    write_json(tmp_path / "a.json", {"b": "ü", "a": [1]})
    assert "mm³\n".encode() == (tmp_path / "a.txt").read_bytes()
    assert '{\n  "b": "ü",\n  "a": [\n    1\n  ]\n}\n'.encode() == (tmp_path / "a.json").read_bytes()


def test_json_refuses_numbers_that_json_does_not_know(tmp_path: Path) -> None:
    """NaN is no JSON; most readers would stop at it."""
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": math.nan})
    assert [] == list(tmp_path.iterdir())


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    """Hashes in the report are there to be checked with sha256sum."""
    (tmp_path / "abc").write_text("abc")
    # FIPS 180-2, appendix B.1
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == sha256(tmp_path / "abc")
