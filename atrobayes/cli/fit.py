"""atrobayes fit: posteriors and classical results of every analysis of a study, or of any table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import (
    Covariates,
    Debug,
    Engine,
    Group,
    Jobs,
    Json,
    Out,
    Outcome,
    Patient,
    Predictor,
    Quiet,
    Seed,
    Table,
)
from atrobayes.errors import UsageError

MaybeStudy = Annotated[
    Path | None, typer.Argument(metavar="STUDY.toml", help="The study file; or else --table.", show_default=False)
]


@guarded
def fit(
    study: MaybeStudy = None,
    table: Table = None,
    outcome: Outcome = None,
    predictor: Predictor = None,
    group: Group = None,
    patient: Patient = None,
    covariates: Covariates = None,
    out: Out = None,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Fit every analysis the data allow, classically and Bayesian; write estimates.tsv and the posteriors.

    Of a study: atrobayes fit demo/study.toml

    Of any table with one row per observation: slopes of the outcomes on the predictor, by group, patients with
    random intercepts where they have several rows.

    For instance: atrobayes fit --table sleep.csv --outcome reaction --predictor days --patient subject
    """
    asked = {"--outcome": outcome, "--predictor": predictor, "--group": group}
    asked |= {"--patient": patient, "--covariates": covariates}
    _check_usage(study, table, asked)
    if table is None:
        assert study is not None
        _fit_study(study, out, engine, seed, jobs, json, quiet)
    else:
        _fit_table(table, asked, out, engine or "auto", 1 if seed is None else seed, jobs, json, quiet)


def _check_usage(study: Path | None, table: Path | None, asked: dict[str, str | None]) -> None:
    given = [name for name, value in asked.items() if value is not None]
    if study is not None and table is not None:
        raise UsageError("found STUDY.toml and --table; expected one of them")
    if table is None and given:
        raise UsageError(f"found {given[0]} without --table; name the table, or leave it out")
    if study is None and table is None:
        raise UsageError("found neither STUDY.toml nor --table; expected one of them; see atrobayes fit --help")
    lacking = [name for name in ("--outcome", "--predictor") if not asked[name]]
    if table is not None and lacking:
        raise UsageError(f"found --table without {' and '.join(lacking)}; name the columns")


def _fit_study(
    study: Path, out: Path | None, engine: str | None, seed: int | None, jobs: int | None, json: bool, quiet: bool
) -> None:
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import estimate_stage, prepare_stage, rows_as_items

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        estimated = estimate_stage(session, prepare_stage(session))
    if json:
        print_items(rows_as_items(estimated.rows))
    else:
        typer.echo(f"estimates: {session.folder.path / 'estimates.tsv'} ({len(estimated.rows)} rows)")
    estimated.check_gate()


def _fit_table(
    table: Path,
    asked: dict[str, str | None],
    out: Path | None,
    engine: str,
    seed: int,
    jobs: int | None,
    json: bool,
    quiet: bool,
) -> None:
    from atrobayes.cli.session import open_table_session, print_items
    from atrobayes.cli.stages import rows_as_items
    from atrobayes.cli.table_stages import default_out, read_table_frame, table_stage
    from atrobayes.cli.tables import print_estimates
    from atrobayes.models.table_frames import Question

    question = Question(
        outcomes=_names(asked["--outcome"]),
        predictor=str(asked["--predictor"]),
        group=asked["--group"],
        patient=asked["--patient"],
        covariates=_names(asked["--covariates"]),
    )
    framed = read_table_frame(question, table, engine)
    columns = {name.removeprefix("--"): value for name, value in asked.items()}
    log = {"table": {"file": str(table), **columns, "engine": engine, "seed": seed}}
    with open_table_session(out or default_out(table), log, jobs=jobs, quiet=quiet) as session:
        estimated = table_stage(session, framed, table.name, engine, seed)
    if json:
        print_items(rows_as_items(estimated.rows))
    else:
        print_estimates(estimated.rows)
        typer.echo(f"estimates: {session.folder.path / 'estimates.tsv'} ({len(estimated.rows)} rows)")
    estimated.check_gate()


def _names(listed: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())


command = fit
