"""Files of one run: which there are, what kind each is, and by which names their numbers are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from atrobayes.data_prep.measured import Value, VolumeFile
from atrobayes.data_prep.stats_files import read_stats
from atrobayes.data_prep.structures import FAMILIES, split_name
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.errors import DataError, Fault

_FOLDERS = ("stats", "mri")


@dataclass(frozen=True)
class Prefixed:
    """A file that is not the segmentation: its names are asked for as FILE:NAME.

    Attributes
    ----------
    file : VolumeFile
    prefix : str
        As the study file writes it.
    """

    file: VolumeFile
    prefix: str

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.file.path

    @property
    def names(self) -> Collection[str]:
        """Every name with the prefix."""
        return [f"{self.prefix}:{name}" for name in self.file.names]

    def value(self, name: str) -> Value | None:
        """Value of FILE:NAME; None for anything else."""
        head, tail = split_name(name)
        return self.file.value(tail) if head == self.prefix else None


@dataclass(frozen=True)
class HeadSize:
    """Of aseg.stats only the intracranial volume, where another file holds the segmentation.

    Attributes
    ----------
    file : VolumeFile
    """

    file: VolumeFile
    names: Collection[str] = ("eTIV", "ICV")

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.file.path

    def value(self, name: str) -> Value | None:
        """Value of eTIV; None for anything else."""
        return self.file.value(name) if name in self.names else None


def read_file(path: Path) -> VolumeFile:
    """Read one file of a run, by its kind.

    Raises
    ------
    DataError
        If it is damaged, or of no kind that is known.
    """
    if path.name == "samseg.stats":
        from atrobayes.data_prep.samseg import read_samseg

        return read_samseg(path)
    if path.name == "samseg.fs.stats":
        todo = "name samseg.stats: in this copy SAMSEG's own intracranial volume goes by the name of eTIV"
        raise DataError(Fault("samseg.fs.stats", "samseg.stats", todo, str(path)))
    if path.suffix == ".stats":
        return read_stats(path)
    if path.suffix == ".csv":
        from atrobayes.data_prep.synthseg import read_synthseg

        return read_synthseg(path)
    if path.suffix == ".txt":
        from atrobayes.data_prep.subfields import read_subfields

        return read_subfields(path)
    if path.suffix == ".mgz":
        from atrobayes.data_prep.images import LabelImage

        return LabelImage(path)
    raise DataError(Fault("a file of no known kind", ".stats, .csv, .txt or .mgz", "name another file", str(path)))


def home(name: str) -> str:
    """Folder of a run that a file of this name belongs into."""
    return "mri" if name.endswith((".txt", ".mgz")) else "stats"


def files_of_run(run: Path) -> dict[str, Path]:
    """List the files of a run by name; a folder that may not be entered is an error, not an absence."""
    found: dict[str, Path] = {}
    for folder in reversed(_FOLDERS):
        if (run / folder).is_dir():
            found |= {path.name: path for path in (run / folder).iterdir()}
    return found


def further_files(run: Run, name: str, there: Mapping[str, Path]) -> tuple[VolumeFile, ...]:
    """Read a file that is not the segmentation, or the one file of a family.

    Parameters
    ----------
    run : Run
    name : str
        Of the file, or one of `FAMILIES`.
    there : mapping of str to Path
        The run's files by name.

    Returns
    -------
    tuple of VolumeFile
        Empty where the run has none.

    Raises
    ------
    DataError
        If several files are of that family, or the file is damaged.
    """
    if name not in FAMILIES:
        return (read_file(there[name]),) if name in there else ()
    from atrobayes.data_prep.subfields import read_subfields, subfield_files

    found = subfield_files(run.path, name, run.stream == "long")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        todo = f"name the file in place of {name}, as {found[0].name}:ROW"
        raise DataError(Fault(names, f"one file of {name}", todo, str(run.path)))
    return tuple(map(read_subfields, found))
