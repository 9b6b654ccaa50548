"""What any program's file says of one scan: named numbers, each with the line it stands in."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, Protocol


class Value(NamedTuple):
    """A number of a file.

    Attributes
    ----------
    value : float
        In `unit`; NaN where the file says so.
    unit : str
        As the file says it or its program defines it: "mm^3" for volumes.
    line : int
        Where it stands; the first line is 1.
    column : str
        In tables with a column for each name, the column's own header; else "".
    """

    value: float
    unit: str
    line: int
    column: str = ""


class VolumeFile(Protocol):
    """A file, or a row of a table, that holds the numbers of one scan.

    Attributes
    ----------
    path : Path
        The file itself.
    """

    @property
    def path(self) -> Path: ...

    @property
    def names(self) -> Collection[str]:
        """Every name it holds, in the words of FreeSurfer's aseg.stats where there is a word."""
        ...

    def value(self, name: str) -> Value | None:
        """Value of a name; None where it holds no such name."""
        ...


class MissingSourceError(LookupError):
    """A structure's source is not in the files of a scan; the text says which."""
