"""A FreeSurfer SUBJECTS_DIR: which runs it holds, of which stream, and how far each got."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atrobayes.errors import DataError, Fault

MARKER = ".long."
_TEMPLATES = re.compile(r"fsaverage.*|[lr]h\.EC_average|V1_average|cvs_avg35.*")
_VERSION = re.compile(r"-v?(\d+\.\d+(?:\.\d+)?)(?=[-\s]|$)")
# "freesurfer-linux-ubuntu22_x86_64-7.4.1-…", "freesurfer-Darwin-OSX-stable-pub-v6.0.0-…"
_PLATFORM = re.compile(r"freesurfer-(.+?)-(?:stable|dev|v?\d+\.\d)")
_TAIL_BYTES = 65_536


@dataclass(frozen=True)
class Run:
    """One folder that recon-all made.

    Attributes
    ----------
    fsid : str
        Name of the time point; of a template, its own name.
    base : str or None
        Template a longitudinal run was made with.
    stream : "long", "cross", "base" or "any"
        "any": a table that does not say.
    path : Path
        The folder; of a table's row, the table.
    freesurfer : str
        Version such as "7.4.1"; "" where no stamp tells.
    state : "finished", "unfinished" or "failed"
    reason : str
        Why it is not finished; "" where it is.
    where : str
        Place in outputs: relative to the SUBJECTS_DIR, or a table and its line.
    platform : str
        Build it was made with, such as "linux-ubuntu22_x86_64"; "" where no stamp tells.
    members : tuple of str
        Of a template: its time points, as base-tps lists them.
    owner : (patient, visit) or None
        Where the source itself says whose it is.
    table : str
        Of a table's row: the table's name in outputs.
    """

    fsid: str
    base: str | None
    stream: Literal["long", "cross", "base", "any"]
    path: Path
    freesurfer: str
    state: Literal["finished", "unfinished", "failed"]
    reason: str
    where: str = ""
    platform: str = ""
    members: tuple[str, ...] = ()
    owner: tuple[str, int] | None = None
    table: str = ""

    @property
    def name(self) -> str:
        """Its folder's name, or that of its row."""
        return f"{self.fsid}{MARKER}{self.base}" if self.base else self.fsid


def find_runs(subjects_dir: Path, segmentation: str = "aseg.stats") -> tuple[Run, ...]:
    """List every run of a SUBJECTS_DIR, sorted by folder name.

    A folder `X.long.Y` is the longitudinal run of time point X with template Y. A template is a
    folder that some longitudinal run names, or that holds `base-tps`. FreeSurfer's own averages
    (fsaverage and the like) and folders without stats, scripts or mri are passed over.

    Parameters
    ----------
    subjects_dir : Path
    segmentation : str
        File that shows, in a tree published without scripts/, that a run was finished.

    Raises
    ------
    DataError
        If the folder is absent or is not a folder.
    """
    _check_folder(subjects_dir)
    folders = sorted((entry for entry in subjects_dir.iterdir() if _is_run(entry)), key=lambda entry: entry.name)
    templates = {folder.name.partition(MARKER)[2] for folder in folders}
    return tuple(_run(folder, templates, segmentation) for folder in folders)


def _check_folder(subjects_dir: Path) -> None:
    if subjects_dir.is_dir():
        return
    absent = "a link to a folder that is not there" if subjects_dir.is_symlink() else "no such folder"
    found = "a file" if subjects_dir.exists() else absent
    todo = "check data.subjects_dir in study.toml"
    raise DataError(Fault(found, "a FreeSurfer SUBJECTS_DIR", todo, str(subjects_dir)))


def _is_run(folder: Path) -> bool:
    if _TEMPLATES.fullmatch(folder.name) or not folder.is_dir():
        return False
    return any((folder / part).is_dir() for part in ("stats", "scripts", "mri"))


def _run(folder: Path, templates: set[str], segmentation: str) -> Run:
    fsid, _, base = folder.name.partition(MARKER)
    template = folder.name in templates or (folder / "base-tps").exists()
    stream: Literal["long", "cross", "base"] = "long" if base else "base" if template else "cross"
    state, reason = _state(folder, segmentation)
    version, platform = _stamp(folder / "scripts")
    return Run(
        fsid, base or None, stream, folder, version, state, reason, folder.name, platform, _members(folder, stream)
    )


def _members(folder: Path, stream: str) -> tuple[str, ...]:
    """Time points a template was made of; empty where it does not say."""
    listed = folder / "base-tps"
    if stream != "base" or not listed.is_file():
        return ()
    return tuple(line.strip() for line in listed.read_text("utf-8", "replace").splitlines() if line.strip())


def _stamp(scripts: Path) -> tuple[str, str]:
    """Version and platform of the build; "" where no stamp tells."""
    for name in ("build-stamp.txt", "lastcall.build-stamp.txt"):
        if (scripts / name).is_file():
            text = (scripts / name).read_text("utf-8", "replace").strip()
            match = _VERSION.search(text)
            if match:
                platform = _PLATFORM.match(text)
                return match[1], platform[1] if platform else ""
    return "", ""


def _state(folder: Path, segmentation: str) -> tuple[Literal["finished", "unfinished", "failed"], str]:
    scripts = folder / "scripts"
    if not scripts.is_dir():
        # A tree published without scripts/ can only be judged by what it holds.
        whole = any((folder / part / segmentation).is_file() for part in ("stats", "mri"))
        return ("finished", "") if whole else ("unfinished", f"neither scripts/ nor {segmentation}")
    done = (scripts / "recon-all.done").exists()
    if _last_word(scripts) == "failed" or (not done and (scripts / "recon-all.error").exists()):
        return "failed", "recon-all exited with errors"
    running = sorted(path.name for path in scripts.glob("IsRunning*"))
    if running:
        return "unfinished", f"recon-all is running or was killed (scripts/{running[0]})"
    return ("finished", "") if done else ("unfinished", "no scripts/recon-all.done")


def _last_word(scripts: Path) -> str:
    """How the latest recon-all call ended; logs are appended to by every call, so only the end counts."""
    for name in ("recon-all-status.log", "recon-all.log"):
        if (scripts / name).is_file():
            # Split at LF only: progress bars leave bare carriage returns.
            for line in reversed(_tail(scripts / name).split("\n")):
                if "exited with ERRORS" in line:
                    return "failed"
                if "finished without error" in line:
                    return "finished"
                if line.startswith("#@#") and not line.startswith("#@#%"):
                    return "running"
            return ""
    return ""


def _tail(path: Path) -> str:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return stream.read().decode("utf-8", "replace")
