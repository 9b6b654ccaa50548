"""atrobayes prep: the files of a study to its cohort."""

from __future__ import annotations

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Jobs, Json, Out, Quiet, StudyFile


@guarded
def prep(
    study: StudyFile,
    out: Out = None,
    jobs: Jobs = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Read a study's files and write its cohort, intervals, changes and exclusions.

    For instance: atrobayes prep demo/study.toml
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import prepare_stage, rows_as_items
    from atrobayes.cli.tables import print_flow

    with open_session(study, out=out, jobs=jobs, quiet=quiet) as session:
        prepared = prepare_stage(session).prepared
    if json:
        print_items(rows_as_items(prepared.flow))
    else:
        print_flow(prepared.flow)
        typer.echo(f"cohort: {session.folder.path / 'cohort.nc'}")


command = prep
