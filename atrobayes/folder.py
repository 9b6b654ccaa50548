"""The results folder: ours alone, one run at a time, temporary files out of sight."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atrobayes.errors import Fault, StudyError
from atrobayes.files import SCHEMA_VERSION, sha256, write_json

if TYPE_CHECKING:
    from filelock import FileLock

TABLES = (
    "exclusions",
    "flow",
    "quality",
    "volumes",
    "lesions",
    "clinical",
    "intervals",
    "changes",
    "estimates",
    "contrast",
    "sensitivity",
    "forks",
    "prior_sensitivity",
    "influence",
    "tipping_sets",
    "patient_loo",
    "checks",
    "definitions",
    "verdicts",
    "sbc",
    "operating",
    "assurance",
    "audit",
    "reanalysis",
)
_LOOKS = tuple(f"{name}.{suffix}" for name in TABLES[TABLES.index("sensitivity") :] for suffix in ("tsv", "json"))
# in the order they are made; `posterior/` is not among them: each file there says what it was made from
LATER = {
    "prepared": ("estimates.tsv", "estimates.json", "contrast.tsv", "contrast.json", *_LOOKS, "report.html", "figures"),
    "estimated": ("contrast.tsv", "contrast.json", *_LOOKS, "report.html", "figures"),
    "looked": ("report.html", "figures"),
}
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

    @contextmanager
    def renewing(self, stage: str, *made: str) -> Iterator[None]:
        """Remove what later stages made if the block changes one of the files `made`: no stale table beside a new one.

        A block that was killed half-way counts as one that changed them.

        Parameters
        ----------
        stage : str
            "prepared", "estimated" or "looked": what the block makes.
        *made : str
            Names of the files it writes.
        """
        begun = self.logs / f"{stage}.begun"
        killed = begun.exists()
        before = self._hashes(made)
        begun.touch()
        yield
        if killed or self._hashes(made) != before:
            for name in LATER[stage]:
                shutil.rmtree(self.path / name, ignore_errors=True)
                (self.path / name).unlink(missing_ok=True)
        begun.unlink()

    def _hashes(self, names: Sequence[str]) -> list[str]:
        return [sha256(self.path / name) if (self.path / name).is_file() else "" for name in names]

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
        If the folder holds anything that atrobayes did not put there, cannot be written, or another run works in it.
    """
    folder = Folder(path)
    lock = _claim(folder)
    try:
        shutil.rmtree(folder.scratch, ignore_errors=True)
        yield folder
        shutil.rmtree(folder.scratch, ignore_errors=True)
    finally:
        lock.release()


def _claim(folder: Folder) -> FileLock:
    from filelock import FileLock, Timeout

    try:
        _refuse_strangers(folder.path)
        folder.logs.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.logs / "run.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise _refusal(folder.path, "another run at work", "one run at a time", "wait for it, or ") from error
    except OSError as error:
        raise _refusal(folder.path, f"{error.strerror}", "a folder that can be written") from error
    return lock


def _refuse_strangers(path: Path) -> None:
    """Refuse a folder with anything that is not ours: results are replaced and stale ones removed."""
    names = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    # names like figures/ alone do not make a folder ours; a run killed at its very start has left logs/ only
    ours = {name for name in names if not _left_by_a_file_browser(name)} <= {"logs"} or _described_as_ours(
        path / "dataset_description.json"
    )
    strangers = [name for name in names if name not in KNOWN or not ours]
    strangers = [name for name in strangers if not _left_by_a_file_browser(name)]
    if strangers:
        raise _refusal(path, repr(strangers[0]), "an empty folder, or results of atrobayes")


def _left_by_a_file_browser(name: str) -> bool:
    return name.startswith("._") or name in {".DS_Store", ".directory", "Thumbs.db", "desktop.ini"}


def _described_as_ours(path: Path) -> bool:
    try:
        makers = json.loads(path.read_bytes())["GeneratedBy"]
        return any(maker["Name"] == "atrobayes" for maker in makers)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refusal(path: Path, found: str, expected: str, todo: str = "") -> StudyError:
    return StudyError(Fault(found, expected, f"{todo}choose another --out", str(path)))
