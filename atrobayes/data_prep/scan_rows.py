"""Scans that are rows of tables: wide ones, a row for each scan, and tidy ones, a row for each volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atrobayes.data_prep.measured import VolumeFile
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.data_prep.tables import read_table_rows
from atrobayes.data_prep.tidy import read_tidy


@dataclass(frozen=True)
class ScanRows:
    """Scans that are rows of tables rather than folders.

    Attributes
    ----------
    place : str
    runs : tuple of Run
    rows : mapping of str to VolumeFile
        By `Run.where`.
    """

    place: str
    runs: tuple[Run, ...]
    rows: Mapping[str, VolumeFile]

    def files(self, run: Run) -> tuple[VolumeFile, ...]:
        """Give the row of the scan."""
        return (self.rows[run.where],)


def table_source(path: Path, name: str) -> ScanRows:
    """Open a wide table.

    Parameters
    ----------
    path : Path
    name : str
        In outputs.

    Raises
    ------
    DataError
        As `read_table_rows`.
    """
    rows = {f"{name}, line {row.line}": row for row in read_table_rows(path)}
    runs = (
        Run(row.fsid, row.base, "long" if row.base else "cross", path, "", "finished", "", where=where, table=name)
        for where, row in rows.items()
    )
    return ScanRows(f"the table {name}", tuple(runs), rows)


def tidy_source(path: Path, name: str) -> ScanRows:
    """Open a tidy table, which says itself whose its scans are.

    Parameters
    ----------
    path : Path
    name : str
        In outputs.

    Raises
    ------
    DataError
        As `read_tidy`.
    """
    rows = {f"{name}, {row.patient} visit {row.visit}": row for row in read_tidy(path)}
    runs = (
        Run("", None, "any", path, "", "finished", "", where=where, owner=(row.patient, row.visit), table=name)
        for where, row in rows.items()
    )
    return ScanRows(f"the table {name}", tuple(runs), rows)
