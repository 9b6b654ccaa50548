"""atrobayes report: the page."""

from __future__ import annotations

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile


@guarded
def report(
    study: StudyFile,
    out: Out = None,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Write report.html, doing the earlier stages first; stored posteriors are used again.

    For instance: atrobayes report demo/study.toml
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import contrast_stage, estimate_stage, prepare_stage, report_stage

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        estimated = estimate_stage(session, prepare_stage(session))
        contrast_stage(session)
        page = report_stage(session)
    if json:
        print_items([{"report": str(page)}])
    else:
        typer.echo(f"report: {page}")
    estimated.check_gate()


command = report
