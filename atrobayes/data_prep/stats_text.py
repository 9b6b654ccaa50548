"""Text of a FreeSurfer stats file: `# Measure` lines, one table, provenance; every damage named with its line."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from itertools import batched, chain
from pathlib import Path
from typing import NamedTuple, NoReturn

from atrobayes.data_prep.measured import Value
from atrobayes.errors import DataError, Fault

RERUN = "run recon-all for this scan again, or remove the file"
# Provenance worth keeping. User, host, command line and paths are left behind: they name people and machines.
_KEPT = frozenset(
    {"CreationTime", "VoxelVolume_mm3", "anatomy_type", "cvs_version", "generating_program", "hemi", "subjectname"}
)
_APPENDED = "one table: a second run was appended"
_MEASURE = "key, name, description, number, unit"
_POINT = "write numbers with a decimal point: a program with other language settings (LC_NUMERIC) wrote a comma"
_COUNT = re.compile("[0-9]{1,6}")


class StatsText(NamedTuple):
    """What the text says; fields as in `StatsFile`."""

    measures: Mapping[str, Value]
    rows: Mapping[str, Mapping[str, float]]
    lines: Mapping[str, int]
    units: Mapping[str, str]
    header: Mapping[str, str]


def parse_text(path: Path, raw: bytes) -> StatsText:
    """Parse the bytes of a stats file; a byte order mark and CRLF line ends are passed over.

    Parameters
    ----------
    path : Path
        Named in errors, not opened.
    raw : bytes
        All of the file.

    Raises
    ------
    DataError
        If it is empty, binary, not a stats file, cut off, or holds two tables; file and line are named.
        A file that promises no number of rows (surface files, brainvol.stats) and is cut between two
        lines cannot be told from a shorter one.
    """
    return _Reading(path).read(raw)


class _Reading:
    """A file being read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.measures: dict[str, Value] = {}
        self.columns: list[str] = []
        self.table: list[tuple[int, list[str]]] = []  # each row's line and cells
        self.units: dict[str, str] = {}  # by the column's place
        self.header: dict[str, str] = {}
        self.promised_rows: int | None = None
        self.names_only_measures = True

    def read(self, raw: bytes) -> StatsText:
        lines = self.split(raw)
        for number, line in enumerate(lines, start=1):
            if line.startswith("#"):
                self.header_line(number, line)
            elif line and not line.isspace():
                self.table.append((number, line.split()))
        self.check_table(len(lines))
        units = {name: self.units.get(str(place), "") for place, name in enumerate(self.columns, start=1)}
        rows, places = self.rows()
        self.check_count(len(lines))
        return StatsText(self.measures, rows, places, units, self.header)

    def fail(self, line: int | None, found: str, expected: str, todo: str = RERUN) -> NoReturn:
        raise DataError(Fault(found, expected, todo, str(self.path), line))

    def split(self, raw: bytes) -> list[str]:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.fail(1, "text in UTF-16", "UTF-8", "save it as UTF-8, or run recon-all for this scan again")
        # Names of operators in old headers need not be UTF-8; such lines are not kept.
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
        if not text or text.isspace():
            self.fail(None, "an empty file", "a FreeSurfer stats file")
        if "\0" in text:
            self.fail(1, "no text", "a FreeSurfer stats file")
        if not text.lstrip().startswith("#"):
            self.fail(1, "no stats header", 'a text file that begins with "#", as mri_segstats writes it')
        if not text.endswith("\n"):
            self.fail(text.count("\n") + 1, "a last line without an end", "a whole file")
        return text.rstrip("\n").split("\n")

    def header_line(self, number: int, line: str) -> None:
        key, _, text = line[1:].strip().partition(" ")
        text = text.lstrip()
        if key and self.table:
            self.fail(number, "a header after the table", _APPENDED)
        if key == "Measure":
            self.measure(number, text)
            return
        self.names_only_measures = self.names_only_measures and not key
        if key == "TableCol":
            place, _, unit = text.partition(" Units ")
            self.units[place] = unit.strip()
        elif key == "ColHeaders":
            self.column_names(number, text.split())
        elif key == "NRows":
            self.promise(number, text)
        elif key in _KEPT and text:
            self.header.setdefault(key, text)

    def measure(self, number: int, text: str) -> None:
        # FreeSurfer 6 forgot the comma after the name in one line of its surface files:
        # "Cortex, CortexVol Total cortical gray matter volume, 447349.314442, mm^3"
        fields = text.split(", ")  # not at the comma of 60000,5, which would leave 5
        if len(fields) < 4 or not fields[1].strip():
            self.fail(number, f"the measure {text!r}", _MEASURE)
        value = _numbers(fields[-2:-1])
        if value is None:
            self.fail(number, f"the measure {text!r}", _MEASURE, _advice(fields[-2]))
        name = fields[1].split(maxsplit=1)[0]
        if name in self.measures:
            self.fail(number, f"the measure {name} twice", "each measure once")
        self.measures[name] = Value(value[0], fields[-1], number)

    def column_names(self, number: int, words: list[str]) -> None:
        if self.columns:
            self.fail(number, "a second table", _APPENDED)
        if "StructName" not in words or len(set(words)) != len(words) or len(words) < 2:
            self.fail(number, f"the columns {' '.join(words)!r}", "StructName and others, each once")
        self.columns = words

    def promise(self, number: int, text: str) -> None:
        if not _COUNT.fullmatch(text):
            self.fail(number, f"{text!r} after NRows", "a number of rows")
        if self.promised_rows is not None:
            self.fail(number, "a second NRows", _APPENDED)
        self.promised_rows = int(text)

    def check_table(self, last: int) -> None:
        if self.table and not self.columns:
            self.fail(self.table[0][0], "a row before the column names", "a line # ColHeaders first")
        if not self.columns and not (self.measures and self.names_only_measures):
            self.fail(last, "a header and no table", "a table after the header: the file is cut off")
        if self.columns and not self.table and self.promised_rows != 0:
            self.fail(last, "a table without rows", "rows: the file is cut off")
        for number, cells in self.table:
            if len(cells) != len(self.columns):
                self.fail(number, f"{len(cells)} cells", f"{len(self.columns)} as in # ColHeaders")

    def check_count(self, last: int) -> None:
        found, promised = len(self.table), self.promised_rows
        if promised is not None and promised != found:
            what = "cut off" if found < promised else "more than one run's"
            self.fail(last, f"{found} rows", f"{promised} as # NRows says: the file is {what}")

    def rows(self) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
        """Rows and their lines by name. All numbers are read at once, and one by one only to say which is none."""
        if not self.table:
            return {}, {}
        place, width = self.columns.index("StructName"), len(self.columns)
        numeric = self.columns[:place] + self.columns[place + 1 :]
        words = list(chain.from_iterable(cells for _, cells in self.table))
        lines = self.row_lines(words[place::width])
        del words[place::width]
        values = _numbers(words)
        if values is None:
            self.name_the_cell(numeric, words)
        rows = [dict(zip(numeric, row, strict=True)) for row in batched(values, width - 1)]
        return dict(zip(lines, rows, strict=True)), lines

    def row_lines(self, names: Sequence[str]) -> dict[str, int]:
        lines: dict[str, int] = {}
        for name, (number, _) in zip(names, self.table, strict=True):
            if name in lines:
                self.fail(number, f"the structure {name} twice", "each structure once")
            lines[name] = number
        return lines

    def name_the_cell(self, numeric: Sequence[str], words: Sequence[str]) -> NoReturn:
        place, word = next((place, word) for place, word in enumerate(words) if _numbers([word]) is None)
        row, column = divmod(place, len(numeric))
        self.fail(self.table[row][0], f"{word!r} in column {numeric[column]}", "a number", _advice(word))


def _numbers(words: Sequence[str]) -> list[float] | None:
    """Words as numbers, inf as NaN; None if one is no number. float() alone takes 1_000 and digits of other scripts."""
    text = "".join(words)
    if "_" in text or not text.isascii():
        return None
    try:
        values = list(map(float, words))
    except ValueError:
        return None
    return values if math.isfinite(sum(values)) else [x if math.isfinite(x) else math.nan for x in values]


def _advice(word: str) -> str:
    if "," in word:
        return _POINT
    return "write the minus sign as -" if "\u2212" in word else RERUN
