"""One FreeSurfer `.stats` file: header measures, table rows, units and provenance.

Reads what FreeSurfer 5.1 to 7.4.1 and FastSurfer write for segmentations and parcellations
(aseg.stats, ?h.aparc.stats and their kin) and brainvol.stats, which has measures only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from atrobayes.data_prep.measured import MissingSourceError, Value
from atrobayes.data_prep.structures import Structure
from atrobayes.errors import DataError, Fault

# Provenance worth keeping. User, host, command line and paths are left behind: they name people and machines.
_KEPT = frozenset(
    {"CreationTime", "VoxelVolume_mm3", "anatomy_type", "cvs_version", "generating_program", "hemi", "subjectname"}
)
# Of segmentations and of surfaces; no file has both.
_VOLUME_COLUMNS = ("Volume_mm3", "GrayVol")
_RERUN = "run recon-all for this scan again, or remove the file"


@dataclass(frozen=True)
class Measure:
    """A number of the header.

    Attributes
    ----------
    value : float
        In `unit`.
    unit : str
        As the header says it.
    line : int
        Where it stands in the file.
    """

    value: float
    unit: str
    line: int


@dataclass(frozen=True)
class StatsFile:
    """What one stats file says.

    Attributes
    ----------
    path : Path
    measures : mapping of str to Measure
        By FreeSurfer's field name, such as eTIV or CortexVol.
    rows : mapping of str to mapping
        By StructName: column name to number, StructName itself as text.
    units : mapping of str to str
        Unit of each column, from the file's own header.
    header : mapping of str to str
        Provenance: program, its version, hemisphere; no user, host or path.
    lines : mapping of str to int
        By StructName: the line its row stands in.
    """

    path: Path
    measures: Mapping[str, Measure]
    rows: Mapping[str, Mapping[str, float | str]]
    units: Mapping[str, str]
    header: Mapping[str, str]
    lines: Mapping[str, int]

    @property
    def names(self) -> Collection[str]:
        """Header measures by field name, and the StructName of every row that has a volume."""
        return self.measures.keys() | self.rows.keys() if self._volume_column else self.measures.keys()

    def value(self, name: str) -> Value | None:
        """Header measure of that name, else the volume of the row of that name.

        Parameters
        ----------
        name : str
            A measure's field name (eTIV, CortexVol), or a StructName.

        Returns
        -------
        Value or None
            A row's `column` is Volume_mm3, in surface files GrayVol, and its unit that of the file's own
            header; a measure's `column` is "". None if neither is there, or the table has no volumes.
        """
        if name in self.measures:
            measure = self.measures[name]
            return Value(measure.value, measure.unit, measure.line)
        column = self._volume_column
        volume = self.rows[name].get(column) if column and name in self.rows else None
        return Value(volume, self.units[column], self.lines[name], column) if isinstance(volume, float) else None

    @property
    def _volume_column(self) -> str:
        """Column with the volumes; "" in a file without."""
        return next((column for column in _VOLUME_COLUMNS if column in self.units), "")


def read_stats(path: Path) -> StatsFile:
    """Read a stats file whole.

    Parameters
    ----------
    path : Path
        aseg.stats, ?h.aparc*.stats, wmparc.stats, aseg+DKT.stats, brainvol.stats and the like.

    Returns
    -------
    StatsFile

    Raises
    ------
    DataError
        If the file is absent, empty, binary, not a stats file, cut off, or holds two tables; file and
        line are named.
    PermissionError
        If the file may not be read: nothing is said of what it holds.
    """
    return _Reading(path).read()


def structure_volume(stats: StatsFile, structure: Structure) -> float:
    """Volume of a structure in mm³.

    Raises
    ------
    MissingSourceError
        If a measure or row the structure needs is not in the file, is not a volume in mm³, or is an
        empty label (0 mm³) of a structure that everybody has.
    """
    if structure.parts:
        return sum(_row_volume(stats, names, structure.may_be_empty) for names in structure.parts)
    return measure_volume(stats, structure.measures)


def measure_volume(stats: StatsFile, names: tuple[str, ...]) -> float:
    """Value in mm³ of the first of these header measures that the file has.

    Raises
    ------
    MissingSourceError
        If none is there, or it is not a positive number of mm³.
    """
    name = next((name for name in names if name in stats.measures), None)
    if name is None:
        raise MissingSourceError(f"no measure {' or '.join(names)}")
    measure = stats.measures[name]
    if measure.unit != "mm^3":
        raise MissingSourceError(f"measure {name} is in {measure.unit}, not mm^3")
    if not 0 < measure.value < np.inf:
        raise MissingSourceError(f"measure {name} is {measure.value:g}")
    return measure.value


def _row_volume(stats: StatsFile, names: tuple[str, ...], may_be_empty: bool) -> float:
    name = next((name for name in names if name in stats.rows), None)
    if name is None:
        raise MissingSourceError(f"no row {' or '.join(names)}")
    volume = stats.rows[name].get("Volume_mm3")
    if not isinstance(volume, float):
        raise MissingSourceError("the table has no column Volume_mm3")
    if not 0 <= volume < np.inf or (volume == 0 and not may_be_empty):
        raise MissingSourceError(f"row {name} is {volume:g} mm^3")
    return volume


class _Reading:
    """A file being read, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.measures: dict[str, Measure] = {}
        self.rows: dict[str, dict[str, float | str]] = {}
        self.lines: dict[str, int] = {}
        self.columns: list[str] = []
        self.units: dict[int, str] = {}
        self.header: dict[str, str] = {}
        self.promised_rows: int | None = None
        self.names_only_measures = True

    def read(self) -> StatsFile:
        lines = self._lines()
        for number, line in enumerate(lines, start=1):
            if line.startswith("#"):
                self._header_line(number, line[1:].split())
            elif line and not line.isspace():
                self._row(number, line.split())
        self._check_whole(len(lines))
        units = {name: self.units.get(place, "") for place, name in enumerate(self.columns, start=1)}
        return StatsFile(self.path, self.measures, self.rows, units, self.header, self.lines)

    def fail(self, number: int | None, found: str, expected: str, todo: str = _RERUN) -> NoReturn:
        raise DataError(Fault(found, expected, todo, str(self.path), number))

    def _lines(self) -> list[str]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self.fail(None, "no such file", "a FreeSurfer stats file")
        except PermissionError:
            raise  # the file may be sound: it is not for us to judge
        except OSError as error:
            todo = "check the file and the disk it is on"
            self.fail(None, f"a file that cannot be read ({error.strerror})", "a FreeSurfer stats file", todo)
        if not raw.strip():
            self.fail(None, "an empty file", "a FreeSurfer stats file")
        # Names of operators in old headers need not be UTF-8; such lines are not kept.
        text = raw.decode("utf-8", "replace")
        if b"\0" in raw or not text.lstrip().startswith("#"):
            self.fail(1, "no stats header", 'a text file that begins with "#", as mri_segstats writes it')
        if not text.endswith("\n"):
            self.fail(text.count("\n") + 1, "a last line without an end", "a whole file")
        return text.rstrip("\n").split("\n")

    def _header_line(self, number: int, words: list[str]) -> None:
        key = words[0] if words else ""
        if key == "Measure":
            self._measure(number, " ".join(words[1:]))
            return
        self.names_only_measures = self.names_only_measures and not key
        if key == "TableCol":
            self._table_column(words)
        elif key == "ColHeaders":
            if self.columns:
                self.fail(number, "a second table", "one table: a second run was appended", _RERUN)
            self.columns = words[1:]
        elif key == "NRows":
            self._promise(number, words)
        elif key in _KEPT and len(words) > 1:
            self.header.setdefault(key, " ".join(words[1:]))

    def _measure(self, number: int, text: str) -> None:
        # FreeSurfer 6 forgot the comma after the name in one line of its surface files:
        # "Cortex, CortexVol Total cortical gray matter volume, 447349.314442, mm^3"
        fields = [field.strip() for field in text.split(",")]
        value = _number(fields[-2]) if len(fields) >= 4 and fields[1] else None
        if value is None:
            self.fail(number, f"the measure {text!r}", "key, name, description, number, unit")
        name = fields[1].split()[0]
        if name in self.measures:
            self.fail(number, f"the measure {name} twice", "each measure once")
        self.measures[name] = Measure(value, fields[-1], number)

    def _table_column(self, words: list[str]) -> None:
        if len(words) >= 4 and words[2] == "Units" and words[1].isdigit():
            self.units[int(words[1])] = words[3]

    def _promise(self, number: int, words: list[str]) -> None:
        if len(words) != 2 or not words[1].isdigit():
            self.fail(number, f"{' '.join(words)!r}", "NRows and a number")
        if self.promised_rows is not None:
            self.fail(number, "a second NRows", "one table: a second run was appended")
        self.promised_rows = int(words[1])

    def _row(self, number: int, words: list[str]) -> None:
        if not self.columns:
            self.fail(number, "a row before the column names", "a line # ColHeaders first")
        if len(words) != len(self.columns):
            self.fail(number, f"{len(words)} cells", f"{len(self.columns)} as in # ColHeaders")
        row: dict[str, float | str] = {}
        for column, word in zip(self.columns, words, strict=True):
            value = word if column == "StructName" else _number(word)
            if value is None:
                self.fail(number, f"{word!r} in column {column}", "a number")
            row[column] = value
        name = str(row.get("StructName", number))
        if name in self.rows:
            self.fail(number, f"the structure {name} twice", "each structure once")
        self.rows[name] = row
        self.lines[name] = number

    def _check_whole(self, last: int) -> None:
        if not self.columns and not (self.measures and self.names_only_measures):
            self.fail(last, "a header and no table", "a table after the header: the file is cut off")
        if self.columns and not self.rows and self.promised_rows != 0:
            self.fail(last, "a table without rows", "rows: the file is cut off")
        if self.promised_rows is not None and self.promised_rows != len(self.rows):
            self.fail(last, f"{len(self.rows)} rows", f"{self.promised_rows} as # NRows says: the file is cut off")


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
