"""One FreeSurfer `.stats` file: header measures, table rows, units and provenance.

Reads what FreeSurfer 5.1 to 7.4.1 and FastSurfer write for segmentations and parcellations
(aseg.stats, ?h.aparc.stats and their kin) and brainvol.stats, which has measures only.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.stats_text import RERUN, parse_text
from atrobayes.errors import DataError, Fault

# Of segmentations and of surfaces; no file has both.
_VOLUME_COLUMNS = ("Volume_mm3", "GrayVol")
_LARGEST = 5_000_000  # bytes; real ones have thousands to some ten thousands


@dataclass(frozen=True)
class StatsFile:
    """What one stats file says; a `VolumeFile`.

    Attributes
    ----------
    path : Path
    measures : mapping of str to Value
        By FreeSurfer's field name, such as eTIV or CortexVol.
    rows : mapping of str to mapping
        By StructName: column name to number, NaN where the file has nan or inf.
    lines : mapping of str to int
        By StructName: the line its row stands in.
    units : mapping of str to str
        Unit of each column, from the file's own header; "" where that has none.
    header : mapping of str to str
        Provenance: program, its version, hemisphere; no user, host or path.
    """

    path: Path
    measures: Mapping[str, Value]
    rows: Mapping[str, Mapping[str, float]]
    lines: Mapping[str, int]
    units: Mapping[str, str]
    header: Mapping[str, str]

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
            return self.measures[name]
        column = self._volume_column
        if not column or name not in self.rows:
            return None
        return Value(self.rows[name][column], self.units[column], self.lines[name], column)

    @cached_property
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
        If the file is absent, no regular file or too large, or what it holds is refused by `parse_text`.
    PermissionError
        If the file may not be read: nothing is said of what it holds.
    """
    return parse_stats(path, _raw(path))


def parse_stats(path: Path, raw: bytes) -> StatsFile:
    """Make a stats file of bytes at hand.

    Parameters
    ----------
    path : Path
        Named in errors, not opened.
    raw : bytes
        All of the file.

    Returns
    -------
    StatsFile

    Raises
    ------
    DataError
        As `parse_text` does.
    """
    return StatsFile(path, *parse_text(path, raw))


def _raw(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for without end
            raise _refusal(path, "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device")
        if status.st_size > _LARGEST:
            raise _refusal(path, f"{status.st_size:,} bytes", f", under {_LARGEST:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():  # as of files that an archive keeps elsewhere until they are asked for
            todo = "fetch the file it leads to, or remove the link"
            raise _refusal(path, "a link to a file that is not there", todo=todo) from None
        raise _refusal(path, "no such file") from None
    except PermissionError:
        raise  # the file may be sound: it is not for us to judge
    except OSError as error:
        todo = "check the file and the disk it is on"
        raise _refusal(path, f"a file that cannot be read ({error.strerror})", todo=todo) from None


def _refusal(path: Path, found: str, more: str = "", todo: str = RERUN) -> DataError:
    return DataError(Fault(found, f"a FreeSurfer stats file{more}", todo, str(path)))
