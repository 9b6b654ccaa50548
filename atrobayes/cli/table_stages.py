"""The stages of a fit to any table: read it, pick the rows, estimate."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from atrobayes.cli.fitting import Asked, Estimated, fit_stage
from atrobayes.cli.session import Session
from atrobayes.errors import Fault, StudyError

if TYPE_CHECKING:
    from atrobayes.inference.estimate import Choices
    from atrobayes.models.study_frames import Framed
    from atrobayes.models.table_frames import Question


def default_out(file: Path) -> Path:
    """Results folder when none is named, beside the table."""
    return file.absolute().parent / f"{file.stem}-results"


def read_table_frame(question: Question, file: Path, engine: str) -> Framed:
    """Read the table and pick its rows; nothing is written yet, in a folder named by mistake neither."""
    from atrobayes.data_prep.long_table import read_long_table
    from atrobayes.inference.engine import get_engine
    from atrobayes.models.table_frames import build_table_frame

    if engine != "auto":
        get_engine(engine)
    return build_table_frame(question, read_long_table(file, question.numbers, question.labels), file)


def table_stage(session: Session, framed: Framed, name: str, engine: str, seed: int) -> Estimated:
    """Write what is left out, fit, write estimates.tsv and the posteriors."""
    from atrobayes import __version__
    from atrobayes.data_prep.ledger import COLUMNS, to_frame
    from atrobayes.files import write_table

    _refuse_a_studys_folder(session)
    folder = session.folder
    with folder.renewing("prepared", "exclusions.tsv"):
        folder.describe(name, __version__)
        write_table(folder.path / "exclusions.tsv", to_frame(framed.exclusions), COLUMNS, folder.scratch)
    for remark in _counted(framed):
        session.remark(remark)
    (frame,) = framed.frames
    return fit_stage(session, [Asked(frame, _choices(session, engine, seed), None)])


def _refuse_a_studys_folder(session: Session) -> None:
    """Estimates of a table beside the cohort of a study would look as if they came from it."""
    if (session.folder.path / "cohort.nc").exists():
        found, place = "the results of a study", str(session.folder.path)
        raise StudyError(Fault(found, "an empty folder, or results of a table", "choose another --out", place))


def _counted(framed: Framed) -> list[str]:
    """What is fitted, and how many rows are left out for which reason."""
    from atrobayes.models.terms import KINDS

    (frame,) = framed.frames
    counts = Counter((item.reason.partition(": ")[2].partition(":")[0], item.structure) for item in framed.exclusions)
    kept = f"{len(frame.x)} rows of {len(frame.patients)} patients: {KINDS[frame.kind]}"
    return [kept] + [
        f"{count} row{'s' * (count > 1)} left out{f' for {outcome}' * bool(outcome)}: {reason}; see exclusions.tsv"
        for (reason, outcome), count in counts.items()
    ]


def _choices(session: Session, engine: str, seed: int) -> Choices:
    from atrobayes.inference.engine import Settings
    from atrobayes.inference.estimate import Choices

    # columns of any table may be anything: nothing says that their slopes resemble each other
    return Choices(engine=engine, settings=Settings(jobs=session.jobs), seed=seed, pool=False)
