"""One stats file: what is read, and every damage named with its line."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.stats_files import StatsFile, parse_stats, read_stats
from atrobayes.errors import DataError, Fault

from .conftest import stats_text

MINUS = "\N{MINUS SIGN}"


def parsed(text: str) -> StatsFile:
    return parse_stats(Path("aseg.stats"), text.encode())


def fault_of(read: Callable[[], StatsFile]) -> Fault:
    """The one fault of a file that must be refused."""
    with pytest.raises(DataError) as caught:
        read()
    (fault,) = caught.value.faults
    return fault


def test_value_of_a_measure_and_of_a_row_says_unit_line_and_column() -> None:
    """A volume in the ledger could not be found in its file again."""
    stats = parsed(stats_text())
    assert Value(1_500_000.0, "mm^3", 16, "") == stats.value("eTIV")
    assert Value(7000.0, "mm^3", 29, "Volume_mm3") == stats.value("Left-Thalamus")
    assert stats.value("Left-Nothing") is None
    assert 6 + 20 == len(stats.names)
    assert 45 == stats.lines["Right-Accumbens-area"]


def test_measure_wins_over_a_row_of_its_name() -> None:
    """Which of two numbers is meant would hang on the order of the file."""
    stats = parsed(stats_text().replace("Left-Thalamus", "CortexVol"))
    assert Value(450_000.0, "mm^3", 12, "") == stats.value("CortexVol")


def test_volume_of_a_surface_region_is_its_grey_matter() -> None:
    """Regions of the cortex would have no volume, or an area for one."""
    text = stats_text().replace("Volume_mm3", "GrayVol")
    assert Value(7000.0, "mm^3", 29, "GrayVol") == parsed(text).value("Left-Thalamus")


def test_table_without_volumes_has_no_names_of_rows() -> None:
    """A mean intensity or an area would pass for a volume."""
    stats = parsed(stats_text().replace("Volume_mm3", "Area_mm2"))
    assert stats.value("Left-Thalamus") is None
    assert 6 == len(stats.names)


def test_unit_is_that_of_the_files_own_header() -> None:
    """Millilitres would be taken for mm³, a thousand times too small."""
    text = stats_text().replace("Units     mm^3", "Units     ml")
    assert "ml" == parsed(text).value("Left-Thalamus").unit
    assert "" == parsed(text.replace("# TableCol  2 Units     ml\n", "")).value("Left-Thalamus").unit
    assert "ml" == parsed(text.replace("450000.000000, mm^3", "450.0, ml")).value("CortexVol").unit


@pytest.mark.parametrize("word", ["nan", "-nan", "inf", "-inf", "1e999"])
def test_number_that_is_none_is_missing(word: str) -> None:
    """A failed segmentation would be an infinite volume, or stop a study whose other scans are sound."""
    stats = parsed(stats_text().replace("7000.0  Left", f"{word}  Left").replace("1500000.000000", word))
    assert math.isnan(stats.value("Left-Thalamus").value)
    assert math.isnan(stats.value("eTIV").value)
    assert 3500.0 == stats.value("Left-Caudate").value


def test_negative_number_is_read_as_it_stands() -> None:
    """Whoever judges a volume would not learn that the file says nonsense."""
    assert -7000.0 == parsed(stats_text({"Left-Thalamus": -7000.0})).value("Left-Thalamus").value


@pytest.mark.parametrize("changed", [lambda raw: b"\xef\xbb\xbf" + raw, lambda raw: raw.replace(b"\n", b"\r\n")])
def test_byte_order_mark_and_crlf_change_nothing(changed: Callable[[bytes], bytes]) -> None:
    """Files that went through an editor or a mailbox would be refused, or units end in a carriage return."""
    raw = stats_text().encode()
    assert parse_stats(Path("x"), raw) == parse_stats(Path("x"), changed(raw))


def test_operator_name_in_another_encoding_is_no_obstacle() -> None:
    """Old files whose header holds a Latin-1 name would be refused."""
    raw = stats_text().encode().replace(b"a_secret_user", b"\xe9\xe8")
    assert 20 == len(parse_stats(Path("x"), raw).rows)


def test_header_keeps_no_user_host_or_path() -> None:
    """Names of people and machines would travel with every result."""
    stats = parsed(stats_text())
    assert "7.4.1" == stats.header["cvs_version"]
    assert "secret" not in repr(stats)


def truncated_rows(text: str) -> str:
    return "\n".join(text.split("\n")[:-3]) + "\n"


def cut_in_the_header(text: str) -> str:
    return text[: text.index("# NRows")]


def doubled_measure(text: str) -> str:
    line = next(line for line in text.split("\n") if "Measure eTIV" in line)
    return text.replace(line, f"{line}\n{line}")


def thalamus(word: str) -> Callable[[str], str]:
    return lambda text: text.replace("7000.0  Left", f"{word}  Left")


def subcortex(number: str) -> Callable[[str], str]:
    return lambda text: text.replace("60000.000000", number)


# The table stands on lines 26 to 45, after 10 lines of provenance, 6 measures and 9 lines about the table.
DAMAGE = {
    "rows missing": (truncated_rows, "found 18 rows; expected 20 as # NRows says: the file is cut off", 43),
    "a row too many": (lambda text: text + " 21 5.0 Mine\n", "found 21 rows; expected 20 as # NRows says", 46),
    "cut in a row": (lambda text: text[:-24] + "\n", "found 2 cells; expected 3", 45),
    "no line end": (lambda text: text[:-8], "found a last line without an end", 45),
    "cut in the header": (cut_in_the_header, "found a header and no table", 22),
    "no rows": (lambda text: text[: text.index("  1    ")], "found a table without rows", 25),
    "two files": (lambda text: text + text, "found a header after the table; expected one table", 46),
    "two tables": (lambda text: text.replace("# NRows", "# ColHeaders A StructName\n# NRows"), "a second table", 26),
    "two NRows": (lambda text: text.replace("# NRows 20", "# NRows 20\n# NRows 20"), "found a second NRows", 24),
    "NRows no number": (lambda text: text.replace("NRows 20", "NRows \N{SUPERSCRIPT TWO}"), "after NRows", 23),
    "NRows endless": (lambda text: text.replace("NRows 20", "NRows " + 5000 * "9"), "after NRows", 23),
    "no column names": (lambda text: text.replace("# ColHeaders", "# "), "a row before the column names", 26),
    "no StructName": (lambda text: text.replace("StructName  \n", "Name  \n"), "found the columns", 25),
    "a column twice": (lambda text: text.replace("Headers  Index", "Headers Volume_mm3"), "found the columns", 25),
    "names alone": (lambda text: text.replace("Headers  Index Volume_mm3", "Headers"), "found the columns", 25),
    "one row twice": (lambda text: text + text.split("\n")[-2] + "\n", "Right-Accumbens-area twice", 46),
    "a measure twice": (doubled_measure, "the measure eTIV twice", 17),
    "a measure cut": (lambda text: text.replace(", 60000.000000, mm^3", ""), "found the measure", 14),
    "a measure, no unit": (lambda text: text.replace("1500000.000000, mm^3", "1500000.0,"), "found the measure", 16),
    "measure not a number": (subcortex("many"), "found the measure", 14),
    "measure, comma": (subcortex("60000,000000"), "write numbers with a decimal point", 14),
    "measure, minus": (subcortex(MINUS + "60000.0"), "write the minus sign as -", 14),
    "cell, word": (thalamus("many"), "found 'many' in column Volume_mm3; expected a number; run recon-all", 29),
    "cell, comma": (thalamus("7000,0"), "'7000,0' in column Volume_mm3; expected a number; write numbers with a", 29),
    "cell, minus": (thalamus(MINUS + "5.0"), "write the minus sign as -", 29),
    "cell, underscore": (thalamus("7_000.0"), "'7_000.0' in column Volume_mm3", 29),
    "cell, other digits": (thalamus("\N{FULLWIDTH DIGIT SEVEN}000"), "in column Volume_mm3", 29),
    "empty": (lambda _: "", "found an empty file", None),
    "blank": (lambda _: "\n \n", "found an empty file", None),
    "another file": (lambda _: "patient\tvisit\n", "no stats header", 1),
    "binary": (lambda text: text.replace("7.4.1", "\0"), "found no text", 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_file_is_one_error_with_file_and_line(kind: str) -> None:
    """A cut-off or doubled table would give the volumes of half a scan, or of another one."""
    damage, message, line = DAMAGE[kind]
    text = damage(stats_text())
    assert text != stats_text()
    fault = fault_of(lambda: parsed(text))
    assert message in str(fault)
    assert "aseg.stats" == fault.file
    assert line == fault.row


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_and_packed_files_are_refused(encoding: str) -> None:
    """Somebody would read of a missing header where the whole file is in another encoding."""
    fault = fault_of(lambda: parse_stats(Path("x"), stats_text().encode(encoding)))
    assert ("text in UTF-16" if encoding == "utf-16" else "no text") in fault.found
    assert "no text" in fault_of(lambda: parse_stats(Path("x"), b"\x1f\x8b\x00\x00\xff# Measure\n")).found


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path)


def sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(2 * 1024**3)


NO_FILE = {
    "absent": (lambda path: None, "no such file"),
    "folder": (Path.mkdir, "found a folder"),
    "pipe": (pipe, "found a pipe or a device"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "found a pipe or a device"),
    "loop": (loop, "found a file that cannot be read (Too many levels of symbolic links)"),
    "dead link": (lambda path: path.symlink_to("nowhere"), "found a link to a file that is not there"),
    "inside a file": (lambda path: path.parent.rmdir() or path.parent.write_text("x"), "cannot be read (Not a dir"),
    "two gigabytes": (sparse, "found 2,147,483,648 bytes; expected a FreeSurfer stats file, under 5,000,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_FILE)
def test_what_is_no_file_of_a_table_is_one_fault_and_no_wait(tmp_path: Path, kind: str) -> None:
    """A run would hang on a pipe, or fill the memory with something that only bears the name."""
    make, message = NO_FILE[kind]
    path = tmp_path / "stats" / "aseg.stats"
    path.parent.mkdir()
    make(path)
    fault = fault_of(lambda: read_stats(path))
    assert message in str(fault)
    assert str(path) == fault.file


@pytest.mark.parametrize(
    ("problem", "told"), [(PermissionError(13, "refused"), PermissionError), (OSError(5, "bad disk"), DataError)]
)
def test_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: OSError, told: type[Exception]
) -> None:
    """Somebody would spend a day on recon-all where a chmod is enough."""

    def refuse(_: Path) -> bytes:
        raise problem

    path = tmp_path / "aseg.stats"
    path.write_text(stats_text())
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(told) as caught:
        read_stats(path)
    assert "run recon-all" not in str(caught.value)
