"""The results folder: ours alone, one run at a time, temporary files out of sight."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atrobayes.errors import Fault, StudyError
from atrobayes.files import SCHEMA_VERSION, write_json

TABLES = ("exclusions", "intervals", "changes", "estimates", "contrast")
KNOWN = frozenset(
    {f"{name}.{suffix}" for name in TABLES for suffix in ("tsv", "json")}
    | {"cohort.nc", "posterior", "figures", "report.html", "dataset_description.json", "logs"}
)


@dataclass(frozen=True)
class Folder:
    """A results folder that is locked for this run.

    Attributes
    ----------
    path : Path
        The `--out` of the command.
    """

    path: Path

    @property
    def scratch(self) -> Path:
        """Where files are written before they get their name; the one place a killed run leaves anything."""
        return self.path / "logs" / "partial"

    @property
    def logs(self) -> Path:
        """Times of day, durations and facts of the machine live here and nowhere else."""
        return self.path / "logs"

    def describe(self, name: str, version: str) -> None:
        """Write dataset_description.json, by which the folder is known as ours."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "Name": f"{name}: atrobayes results",
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "atrobayes", "Version": version}],
        }
        write_json(self.path / "dataset_description.json", content, self.scratch)


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Check, make and lock a results folder.

    Raises
    ------
    StudyError
        If the folder holds anything that atrobayes did not put there, or another run works in it.
    """
    from filelock import FileLock, Timeout

    strangers = sorted(entry.name for entry in path.iterdir() if entry.name not in KNOWN) if path.is_dir() else []
    if strangers:
        raise StudyError(
            Fault(repr(strangers[0]), "an empty folder, or results of atrobayes", "choose another --out", path.name)
        )
    folder = Folder(path)
    folder.logs.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder.logs / "run.lock", timeout=0):
            shutil.rmtree(folder.scratch, ignore_errors=True)
            yield folder
            shutil.rmtree(folder.scratch, ignore_errors=True)
    except Timeout as error:
        raise StudyError(
            Fault("another run at work", "one run at a time", "wait for it, or choose another --out", path.name)
        ) from error
