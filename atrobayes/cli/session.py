"""One run of a command: what is asked, where it goes, and who is told."""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from atrobayes.errors import AtroError
from atrobayes.files import SCHEMA_VERSION, write_json, write_text
from atrobayes.folder import Folder, open_folder
from atrobayes.study import Study, read_study

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True)
class Session:
    """What the stages of a command share.

    Attributes
    ----------
    folder : Folder
        Results folder, locked.
    asked : Mapping
        What the run is about, for the log.
    jobs : int
        Cores.
    quiet : bool
        As the option says.
    progress : Progress
        Bars on standard error.
    seconds : dict of str to float
        Wall time of each stage, for the log.
    """

    folder: Folder
    asked: Mapping[str, Any]
    jobs: int
    quiet: bool
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    def remark(self, text: str) -> None:
        """Say something on standard error, unless quiet."""
        if not self.quiet:
            self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[TaskID]:
        """Show and time one stage; without a total the bar only says that work goes on."""
        began = time.perf_counter()
        task = self.progress.add_task(name, total=total)
        yield task
        self.progress.update(task, description=name, total=total or 1, completed=total or 1)
        self.seconds[name] = round(time.perf_counter() - began, 3)


@dataclass(frozen=True)
class StudySession(Session):
    """A session on a study.

    Attributes
    ----------
    study : Study
        With the command line's engine and seed in place of the file's.
    engine_given : bool
        The engine was named on the command line, not in the study file.
    """

    study: Study = field(kw_only=True)
    engine_given: bool = field(default=False, kw_only=True)


@contextmanager
def open_session(
    study_file: Path,
    *,
    out: Path | None,
    engine: str | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    quiet: bool = False,
) -> Iterator[StudySession]:
    """Read the study, lock its results folder, show progress, and write the log at the end."""
    study = _override(read_study(study_file), engine, seed)
    asked = {"study": json.loads(study.model_dump_json())}
    with open_folder(out or study.default_out) as folder, bars(quiet) as progress:
        session = StudySession(
            folder, asked, _cores(jobs), quiet, progress, study=study, engine_given=engine is not None
        )
        with _logged(session):
            yield session


@contextmanager
def open_table_session(
    out: Path, asked: Mapping[str, Any], *, jobs: int | None = None, quiet: bool = False
) -> Iterator[Session]:
    """Lock the results folder of a table, show progress, and write the log at the end."""
    with open_folder(out) as folder, bars(quiet) as progress:
        session = Session(folder, asked, _cores(jobs), quiet, progress)
        with _logged(session):
            yield session


def print_items(items: Sequence[dict[str, Any]]) -> None:
    """Print one JSON object on standard output."""
    typer.echo(json.dumps({"schema_version": SCHEMA_VERSION, "items": list(items)}, ensure_ascii=False, indent=2))


def _override(study: Study, engine: str | None, seed: int | None) -> Study:
    inference = study.inference.model_copy(update={"engine": engine} if engine is not None else {})
    about = study.study.model_copy(update={"seed": seed} if seed is not None else {})
    return study.model_copy(update={"inference": inference, "study": about})


def _cores(jobs: int | None) -> int:
    return jobs or os.cpu_count() or 1


@contextmanager
def bars(quiet: bool) -> Iterator[Progress]:
    """Show progress on standard error, unless quiet."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        yield progress


@contextmanager
def _logged(session: Session) -> Iterator[None]:
    """Keep the trace of a bug of ours, and in any case the log."""
    try:
        yield
    except AtroError:
        raise
    except Exception as error:
        trace = session.folder.logs / "trace.txt"
        write_text(trace, traceback.format_exc())
        error.add_note(f"the trace is in {trace}")
        raise
    finally:
        _write_log(session)


def _write_log(session: Session) -> None:
    from datetime import UTC, datetime

    from atrobayes import __version__

    content = {
        "atrobayes": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "jobs": session.jobs,
        "seconds": session.seconds,
        **session.asked,
    }
    write_json(session.folder.logs / "run.json", content)
