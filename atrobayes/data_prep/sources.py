"""Where volumes come from: a SUBJECTS_DIR, wide tables, a tidy table; all answer in the same words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from atrobayes.data_prep.measured import Value, VolumeFile
from atrobayes.data_prep.privacy import identifier_in
from atrobayes.data_prep.stats_files import read_stats
from atrobayes.data_prep.structures import FAMILIES, Structure, split_name
from atrobayes.data_prep.subjects_dir import Run, find_runs
from atrobayes.errors import DataError, Fault
from atrobayes.study import Study

ASEG = "aseg.stats"
# Files that hold a whole segmentation; where a run has several, the study must say which one counts.
_FINAL = (ASEG, "aseg+DKT.stats", "aseg.VINN.stats", "synthseg.vol.csv", "samseg.stats")
_FOLDERS = ("stats", "mri")


class Source(Protocol):
    """One place volumes come from.

    Attributes
    ----------
    place : str
        In words, for messages: "the SUBJECTS_DIR", "the table aseg.tsv".
    runs : tuple of Run
        Every scan it holds, sorted by name.
    """

    @property
    def place(self) -> str: ...

    @property
    def runs(self) -> tuple[Run, ...]: ...

    def files(self, run: Run) -> tuple[VolumeFile, ...]:
        """Read what it holds of one scan.

        Raises
        ------
        DataError
            With every fault of its files.
        FileNotFoundError
            If the run lacks the segmentation's file; the argument is its path.
        """
        ...


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


@dataclass(frozen=True)
class SubjectsDir:
    """A FreeSurfer or FastSurfer SUBJECTS_DIR.

    Attributes
    ----------
    folder : Path
    segmentation : str or None
        File that counts; None: the study does not say.
    others : tuple of str
        Further files or families the study's structures name.
    """

    folder: Path
    segmentation: str | None
    others: tuple[str, ...] = ()
    place: str = "the SUBJECTS_DIR"

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run of the folder."""
        return find_runs(self.folder, self.segmentation or ASEG)

    def files(self, run: Run) -> tuple[VolumeFile, ...]:
        """Read the segmentation's file, eTIV, and the other files asked for."""
        there = _listed(run.path)
        name = self._segmentation(run, there)
        if name not in there:
            raise FileNotFoundError(run.path / _home(name) / name)
        found: list[VolumeFile] = [read_file(there[name])]
        if name != ASEG and ASEG in there:
            found.append(HeadSize(read_stats(there[ASEG])))
        for other in self.others:
            found += [Prefixed(file, other) for file in _others(run, other, there)]
        return tuple(found)

    def _segmentation(self, run: Run, there: Mapping[str, Path]) -> str:
        if self.segmentation is not None:
            return self.segmentation
        final = [name for name in _FINAL if name in there]
        if final and final != [ASEG]:
            choices = " or ".join(f'segmentation = "{name}"' for name in final)
            todo = f"write {choices} under [data]: which file counts is for you to say"
            raise DataError(
                Fault(" and ".join(final), "aseg.stats alone, or a study that says which counts", todo, str(run.path))
            )
        return ASEG


@dataclass(frozen=True)
class ScanRows:
    """Scans that are rows of tables rather than folders.

    Attributes
    ----------
    place : str
    runs : tuple of Run
    rows : dict of str to VolumeFile
        By `Run.where`.
    """

    place: str
    runs: tuple[Run, ...]
    rows: dict[str, VolumeFile] = field(default_factory=dict)

    def files(self, run: Run) -> tuple[VolumeFile, ...]:
        """Give the row of the scan."""
        return (self.rows[run.where],)


def open_sources(study: Study, structures: Sequence[Structure]) -> tuple[Source, ...]:
    """Open every source of volumes a study names: its SUBJECTS_DIR, its tables, its tidy table.

    Parameters
    ----------
    study : Study
    structures : sequence of Structure
        Their sums say which further files are needed.

    Raises
    ------
    DataError
        If the SUBJECTS_DIR is none or a table is damaged; all at once.
    """
    sources: list[Source] = []
    faults: list[Fault] = []
    if study.data.subjects_dir is not None:
        others = dict.fromkeys(head for item in structures for name in item.names if (head := split_name(name)[0]))
        folder = SubjectsDir(study.data.subjects_dir, study.data.segmentation, tuple(others))
        sources.append(folder)
    for path in study.data.tables:
        _try_table(path, sources, faults)
    if study.data.volumes is not None:
        _try_tidy(study.data.volumes, sources, faults)
    for source in sources:
        try:
            faults += _identifying_names(source)
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError(faults)
    return tuple(sources)


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


def _identifying_names(source: Source) -> Iterator[Fault]:
    """Find runs named by what identifies a person; the names themselves are not repeated."""
    for number, run in enumerate(source.runs, start=1):
        held = identifier_in(f"{run.name} {run.owner[0] if run.owner else ''}")
        if held:
            place = str(run.path if run.path.is_file() else run.path.parent)
            todo = "rename it, or link to it by a pseudonym from another folder: names of runs stand in the results"
            yield Fault(f"{held} in the name of run {number}, in order of names", "pseudonyms alone", todo, place)


def _home(name: str) -> str:
    return "mri" if name.endswith((".txt", ".mgz")) else "stats"


def _listed(run: Path) -> dict[str, Path]:
    """Files of a run by name; a folder that may not be entered is an error, not an absence."""
    found: dict[str, Path] = {}
    for folder in reversed(_FOLDERS):
        if (run / folder).is_dir():
            found |= {path.name: path for path in (run / folder).iterdir()}
    return found


def _others(run: Run, name: str, there: Mapping[str, Path]) -> tuple[VolumeFile, ...]:
    """Read a further file, or the one file of a family; none is a missing source, several are an error."""
    if name not in FAMILIES:
        return (read_file(there[name]),) if name in there else ()
    from atrobayes.data_prep.subfields import read_subfields, subfield_files

    found = subfield_files(run.path, name, run.stream == "long")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        todo = f"name the file in place of {name}, as {found[0].name}:ROW"
        raise DataError(Fault(names, f"one file of {name}", todo, str(run.path)))
    return tuple(map(read_subfields, found))


def _try_table(path: Path, sources: list[Source], faults: list[Fault]) -> None:
    from atrobayes.data_prep.tables import read_table_rows

    try:
        rows = read_table_rows(path)
    except DataError as error:
        faults += error.faults
        return
    runs = {f"{path.name}, line {row.line}": row for row in rows}
    sources.append(
        ScanRows(
            f"the table {path.name}",
            tuple(
                Run(row.fsid, row.base, "long" if row.base else "cross", path, "", "finished", "", where=where)
                for where, row in runs.items()
            ),
            dict(runs),
        )
    )


def _try_tidy(path: Path, sources: list[Source], faults: list[Fault]) -> None:
    from atrobayes.data_prep.tidy import read_tidy

    try:
        rows = read_tidy(path)
    except DataError as error:
        faults += error.faults
        return
    runs = {f"{path.name}, {row.patient} visit {row.visit}": row for row in rows}
    sources.append(
        ScanRows(
            f"the table {path.name}",
            tuple(
                Run("", None, "any", path, "", "finished", "", where=where, owner=(row.patient, row.visit))
                for where, row in runs.items()
            ),
            dict(runs),
        )
    )
