"""atrobayes calibrate: can the models and the tests be trusted on a study like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Dask, Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.cli.session import StudySession
    from atrobayes.cli.stages import Ready
    from atrobayes.inference.estimate import Choices
    from atrobayes.inference.scale_out import Pool
    from atrobayes.models.frame import Frame


@guarded
def calibrate(
    study: StudyFile,
    out: Out = None,
    engine: Engine = None,
    seed: Seed = None,
    jobs: Jobs = None,
    dask: Dask = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Try models and tests on simulated data of the study's own design; write sbc.tsv and operating.tsv.

    For instance: atrobayes calibrate demo/study.toml --engine quadrature
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import contrast_stage, estimate_stage, prepare_stage, report_stage, rows_as_items

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        ready = prepare_stage(session)
        estimated = estimate_stage(session, ready)
        models, rates = calibrate_stage(session, ready, dask)
        contrast_stage(session)
        page = report_stage(session)
    if json:
        print_items(rows_as_items(rates))
    else:
        _print(models)
        typer.echo(f"rates of the tests: {session.folder.path / 'operating.tsv'}")
        typer.echo(f"report: {page}")
    estimated.check_gate()


command = calibrate


def calibrate_stage(session: StudySession, ready: Ready, dask: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibrate every model and try every test; write sbc.tsv and operating.tsv, and give both."""
    from atrobayes.cli.stages import study_choices
    from atrobayes.inference.scale_out import Pool

    pool = Pool(session.jobs, dask)
    asked = [
        (frame, study_choices(session, len(frame.groups))) for one in ready.framed.values() for frame in one.frames
    ]
    with session.folder.renewing("looked", "sbc.tsv", "operating.tsv"):
        return _models(session, asked, pool), _tests(session, asked, pool)


def _models(session: StudySession, asked: list[tuple[Frame, Choices]], pool: Pool) -> pd.DataFrame:
    import pandas as pd

    from atrobayes.cli.looks import spread_stage
    from atrobayes.files import write_table
    from atrobayes.inference.calibration.sbc_table import COLUMNS, sbc_table, to_repeat
    from atrobayes.inference.calibration.work import designs, simulate, work_of

    wanted, sampling = session.study.calibration, session.study.inference.engine != "quadrature"
    of = designs(asked, sampling=sampling)
    if not sampling:
        session.remark("left out: models that need sampling; --engine auto calibrates them too, which takes long")
    found = spread_stage(session, "simulate and fit every model", simulate, work_of(of, wanted), pool)
    again = set(to_repeat(pd.concat(found, ignore_index=True)))
    failed = [one for one in of if (one[0], one[1].analysis, one[1].part) in again]
    if failed:
        found += spread_stage(session, "what strayed, with new seeds", simulate, work_of(failed, wanted, 1), pool)
    table = sbc_table(pd.concat(found, ignore_index=True))
    write_table(session.folder.path / "sbc.tsv", table, COLUMNS, session.folder.scratch)
    return table


def _tests(session: StudySession, asked: list[tuple[Frame, Choices]], pool: Pool) -> pd.DataFrame:
    import pandas as pd

    from atrobayes.cli.looks import spread_stage
    from atrobayes.files import write_table
    from atrobayes.inference.operating import COLUMNS, chunks_of, simulate_chunk, summarise

    chunks = [chunk for frame, choices in asked for chunk in chunks_of(frame, choices, session.study.calibration)]
    found = spread_stage(session, "simulate studies and test", simulate_chunk, chunks, pool)
    names = [column.name for column in COLUMNS]
    table = summarise(pd.concat(found, ignore_index=True)) if found else pd.DataFrame(columns=names)
    write_table(session.folder.path / "operating.tsv", table, COLUMNS, session.folder.scratch)
    return table


def _print(models: pd.DataFrame) -> None:
    """Print a row a model: its parameters by verdict."""
    import pandas as pd

    from atrobayes.cli.tables import print_table

    shown = models.pivot_table(
        index=["model", "analysis", "engine", "simulations"],
        columns="verdict",
        aggfunc="size",
        fill_value=0,
        sort=False,
    )
    print_table(pd.DataFrame(shown.reset_index()), "Parameters by verdict")
