"""atrobayes sensitivity: does the answer survive the choices."""

from __future__ import annotations

from typing import Annotated

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Dask, Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile, Top

All = Annotated[bool, typer.Option("--all", help="Every combination of the choices, not the curated set. Takes long.")]


@guarded
def sensitivity(
    study: StudyFile,
    out: Out = None,
    everything: All = False,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    dask: Dask = None,
    top: Top = 10,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Ask of every result which choices, priors and patients carry it; write sensitivity.tsv, verdicts.tsv and more.

    For instance: atrobayes sensitivity demo/study.toml
    """
    from atrobayes.cli.looks import sensitivity_stage
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import contrast_stage, estimate_stage, prepare_stage, report_stage, rows_as_items
    from atrobayes.cli.tables import print_verdicts

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        ready = prepare_stage(session)
        estimated = estimate_stage(session, ready)
        table = sensitivity_stage(session, ready, estimated, everything=everything, dask=dask)
        contrast_stage(session)
        page = report_stage(session)
    if json:
        print_items(rows_as_items(table))
    else:
        print_verdicts(table, top)
        typer.echo(f"report: {page}")
    estimated.check_gate()


command = sensitivity
