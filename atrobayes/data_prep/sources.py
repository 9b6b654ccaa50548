"""Where volumes come from: a SUBJECTS_DIR, wide tables, a tidy table; all answer in the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from atrobayes.data_prep.measured import VolumeFile
from atrobayes.data_prep.privacy import identifier_in
from atrobayes.data_prep.run_files import HeadSize, Prefixed, files_of_run, further_files, home, read_file
from atrobayes.data_prep.scan_rows import table_source, tidy_source
from atrobayes.data_prep.stats_files import read_stats
from atrobayes.data_prep.structures import Structure, split_name
from atrobayes.data_prep.subjects_dir import Run, find_runs
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.study import Study

ASEG = "aseg.stats"
# Files that hold a whole segmentation; where a run has several, the study must say which one counts.
_FINAL = (ASEG, "aseg+DKT.stats", "aseg.VINN.stats", "synthseg.vol.csv", "samseg.stats")


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
        there = files_of_run(run.path)
        name = self._segmentation(run, there)
        if name not in there:
            raise FileNotFoundError(run.path / home(name) / name)
        found: list[VolumeFile] = [read_file(there[name])]
        if name != ASEG and ASEG in there:
            found.append(HeadSize(read_stats(there[ASEG])))
        for other in self.others:
            found += [Prefixed(file, other) for file in further_files(run, other, there)]
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
    opened = [(table_source, path) for path in study.data.tables]
    opened += [(tidy_source, study.data.volumes)] if study.data.volumes is not None else []
    names: list[str] = []
    for open_table, path in opened:
        names.append(_unlike(study.name_of(path), names))
        found = attempt(partial(open_table, path, names[-1]), faults)
        sources += [] if found is None else [found]
    for source in sources:
        faults += attempt(partial(_identifying_names, source), faults) or ()
    if faults:
        raise DataError(faults)
    return tuple(sources)


def _unlike(name: str, others: Sequence[str]) -> str:
    """Make a name unlike those before it: two tables from different folders may be called alike."""
    alike = sum(other == name or other.startswith(f"{name} (") for other in others)
    return f"{name} ({alike + 1})" if alike else name


def _identifying_names(source: Source) -> list[Fault]:
    """Find runs named by what identifies a person; the names themselves are not repeated."""
    faults = []
    for number, run in enumerate(source.runs, start=1):
        held = identifier_in(f"{run.name} {run.owner[0] if run.owner else ''}")
        if held:
            place = str(run.path if run.path.is_file() else run.path.parent)
            todo = "rename it, or link to it by a pseudonym from another folder: names of runs stand in the results"
            found = f"{held} in the name of run {number}, in order of names"
            faults.append(Fault(found, "pseudonyms alone", todo, place))
    return faults
