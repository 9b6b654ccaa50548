"""atrobayes fit: posteriors and classical results of every analysis."""

from __future__ import annotations

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile


@guarded
def fit(
    study: StudyFile,
    out: Out = None,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Fit every analysis the data allow, classically and Bayesian; write estimates.tsv and the posteriors.

    For instance: atrobayes fit demo/study.toml --engine nutpie
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import estimate_stage, prepare_stage, rows_as_items

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        estimated = estimate_stage(session, prepare_stage(session))
    if json:
        print_items(rows_as_items(estimated.rows))
    else:
        typer.echo(f"estimates: {session.folder.path / 'estimates.tsv'} ({len(estimated.rows)} rows)")
    estimated.check_gate()


command = fit
