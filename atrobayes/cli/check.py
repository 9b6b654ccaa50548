"""atrobayes check: what a study's files hold, every problem at once, and which analyses the data allow."""

from __future__ import annotations

from pathlib import Path

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json, Quiet, StudyFile


@guarded
def check(
    study: StudyFile,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Read everything a study names, model nothing and write nothing; say what was found and what can be analysed.

    For instance: atrobayes check demo/study.toml
    """
    from atrobayes.cli.checked import items, show
    from atrobayes.cli.questions import frame_analyses, name_faults
    from atrobayes.cli.session import bars, print_items
    from atrobayes.data_prep.survey import survey_study
    from atrobayes.errors import DataError, attempt
    from atrobayes.study import read_study

    asked = read_study(study)
    with bars(quiet) as progress:
        progress.add_task("check", total=None)
        faults = name_faults(asked)
        survey = survey_study(asked)
        faults += survey.faults
        cohort = survey.prepared.cohort if survey.prepared else None
        framed = None if cohort is None or faults else attempt(lambda: frame_analyses(asked, cohort), faults)
        progress.update(progress.task_ids[0], total=1, completed=1)
    if json:
        print_items(items(survey, framed or {}, faults))
    else:
        show(survey, framed or {})
    if faults:
        raise DataError(faults)
    if not json:
        typer.echo(_next(study, any(one.frames for one in (framed or {}).values())))


def _next(study: Path, possible: bool) -> str:
    if possible:
        return f"no problems; next: atrobayes run {study}"
    return f"no problems, but nothing to analyse yet: fill in what is missing, then again atrobayes check {study}"


command = check
