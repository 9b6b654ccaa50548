"""atrobayes compare: classical and Bayesian rows side by side."""

from __future__ import annotations

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile, Top


@guarded
def compare(
    study: StudyFile,
    out: Out = None,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    top: Top = 10,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Set classical and Bayesian results side by side; write contrast.tsv.

    For instance: atrobayes compare demo/study.toml
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import contrast_stage, estimate_stage, prepare_stage, rows_as_items
    from atrobayes.cli.tables import print_contrast

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        estimated = estimate_stage(session, prepare_stage(session))
        table = contrast_stage(session)
    if json:
        print_items(rows_as_items(table))
    else:
        print_contrast(table, top)
        typer.echo(f"contrast: {session.folder.path / 'contrast.tsv'}")
    estimated.check_gate()


command = compare
