"""What a study's files hold, as far as they can be read, and every fault of them at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from atrobayes.data_prep import samseg, subfields, synthseg, tables
from atrobayes.data_prep.clinical_record import ClinicalTables, clinical_tables
from atrobayes.data_prep.matching import Matching
from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.data_prep.scan_rows import ScanRows
from atrobayes.data_prep.sources import Source, SubjectsDir, open_sources
from atrobayes.data_prep.structures import FAMILIES, resolve_structures
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.files import MISSING
from atrobayes.study import Study

# of a run's files, by the ending of the name, whether a real one was ever read
_TRIED = {
    "samseg.stats": ("SAMSEG", samseg.TRIED_ON_REAL_OUTPUT),
    ".csv": ("SynthSeg", synthseg.TRIED_ON_REAL_OUTPUT),
    ".txt": ("subfields and nuclei", subfields.TRIED_ON_REAL_OUTPUT),
    **dict.fromkeys(FAMILIES, ("subfields and nuclei", subfields.TRIED_ON_REAL_OUTPUT)),
}


@dataclass(frozen=True)
class TableFound:
    """A clinical table as it stands.

    Attributes
    ----------
    name : str
    rows : int
    empty : tuple of str
        Known columns in which nothing is filled in.
    """

    name: str
    rows: int
    empty: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes
    ----------
    runs : DataFrame
        source, stream, state, program, build, n: how many scans of which kind; empty where no source could be opened.
    untried : tuple of str
        Formats in use whose reader was written from the program's source and never met a real file.
    tables : tuple of TableFound
        Those that could be read.
    prepared : Prepared or None
        None where there are faults.
    notes : tuple of str
        Remarks for the user.
    faults : tuple of Fault
        All that is wrong.
    """

    runs: pd.DataFrame
    untried: tuple[str, ...]
    tables: tuple[TableFound, ...]
    prepared: Prepared | None
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]


def survey_study(study: Study) -> Survey:
    """Read everything a study names, through the same doors as `prepare`; write nothing.

    Where tables, names or folders are wrong, the files of the scans that visits name are read all the same, so that
    their faults are told too.
    """
    faults: list[Fault] = []
    structures = attempt(lambda: resolve_structures(study), faults) or ()
    clinical = attempt(lambda: clinical_tables(study), faults)
    sources = attempt(lambda: open_sources(study, structures), faults) or ()
    prepared = attempt(lambda: prepare(study), faults)
    if prepared is None:
        faults += _file_faults(study, sources, clinical)
    return Survey(
        runs=_runs(sources),
        untried=_untried(sources),
        tables=_tables(clinical),
        prepared=prepared,
        notes=prepared.notes if prepared else clinical.remarks if clinical else (),
        faults=tuple(dict.fromkeys(faults)),
    )


def _file_faults(study: Study, sources: Sequence[Source], clinical: ClinicalTables | None) -> list[Fault]:
    """Faults of the files of finished scans that visits name; of all scans where the visits cannot be read."""
    text = clinical.visits.text if clinical else pd.DataFrame()
    named = set(text["fsid"]) if "fsid" in text else None
    matching = Matching(study, sources)
    faults = list(matching.faults)
    for source, run in matching.matches:
        wanted = named is None or run.owner or {run.fsid, run.name} & named
        if wanted and run.state == "finished":
            faults += _faults_of(source, run)
    return faults


def _faults_of(source: Source, run: Run) -> tuple[Fault, ...]:
    try:
        source.files(run)
    except FileNotFoundError:
        return ()  # a scan without its table is a row of the ledger, no fault
    except DataError as error:
        return error.faults
    return ()


def _runs(sources: Sequence[Source]) -> pd.DataFrame:
    counts = Counter(
        (source.place, run.stream, run.state, _program(source, run), run.platform)
        for source in sources
        for run in source.runs
    )
    rows = [(*key, count) for key, count in counts.items()]
    frame = pd.DataFrame(rows, columns=["source", "stream", "state", "program", "build", "n"])
    return frame.sort_values(["source", "stream", "state", "program", "build"], ignore_index=True)


def _program(source: Source, run: Run) -> str:
    if isinstance(source, ScanRows):
        return _kind(source, run.where)
    return f"FreeSurfer {run.freesurfer}" if run.freesurfer else "no build stamp"


def _kind(source: ScanRows, where: str) -> str:
    """Program that wrote a table; a tidy one may come from any."""
    return str(getattr(source.rows[where], "kind", "tidy table"))


def _untried(sources: Sequence[Source]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for source in sources:
        if isinstance(source, SubjectsDir):
            for name in filter(None, (source.segmentation, *source.others)):
                found |= {kind: None for end, (kind, tried) in _TRIED.items() if name.endswith(end) and not tried}
        elif isinstance(source, ScanRows):
            kinds = {_kind(source, run.where) for run in source.runs}
            untried = [kind for kind in sorted(kinds) if not tables.TRIED_ON_REAL_OUTPUT.get(kind, True)]
            found |= {f"tables of {kind}": None for kind in untried}
    return tuple(found)


def _tables(clinical: ClinicalTables | None) -> tuple[TableFound, ...]:
    if clinical is None:
        return ()
    return tuple(
        TableFound(table.path.name, len(table.text), _empty(table.text[list(table.known)]))
        for table in clinical.all
        if table.readable
    )


def _empty(text: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(name) for name in text if bool(text[name].eq(MISSING).all()))
