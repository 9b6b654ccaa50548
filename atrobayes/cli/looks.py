"""The stages beyond the estimates: forks and looks, spread over processes or a cluster, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from atrobayes.cli.fitting import Estimated
from atrobayes.cli.session import StudySession
from atrobayes.cli.stages import Ready, study_choices

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.files import Column
    from atrobayes.inference.multiverse import ForkFit
    from atrobayes.inference.sampled import Sampled
    from atrobayes.inference.scale_out import Pool
    from atrobayes.models.fork_frames import ForkFrame


class Keyed(Protocol):
    """A piece of work that says what it depends on."""

    def key(self) -> str: ...


TABLES = (
    "forks",
    "sensitivity",
    "prior_sensitivity",
    "influence",
    "tipping_sets",
    "patient_loo",
    "checks",
    "definitions",
    "verdicts",
)


def sensitivity_stage(
    session: StudySession, ready: Ready, estimated: Estimated, *, everything: bool, dask: str | None
) -> pd.DataFrame:
    """Fit every fork, take every look and pass the verdicts; write their tables. Gives the verdicts."""
    from atrobayes.inference.scale_out import Pool
    from atrobayes.reports.results import read_results
    from atrobayes.reports.verdicts import verdicts, write_verdicts

    pool, folder = Pool(session.jobs, dask), session.folder
    with folder.renewing("looked", *(f"{name}.tsv" for name in TABLES)):
        _multiverse(session, ready, estimated, pool, everything=everything)
        _looks(session, ready, pool)
        results = read_results(folder.path)
        said = verdicts(
            results.estimates,
            results.look("sensitivity"),
            results.look("forks"),
            results.look("influence"),
            results.look("prior_sensitivity"),
            session.study.sensitivity.robust,
        )
        write_verdicts(said, folder.path, folder.scratch)
    return said


def _multiverse(session: StudySession, ready: Ready, estimated: Estimated, pool: Pool, *, everything: bool) -> None:
    """Fit every fork of every analysis; write forks.tsv and sensitivity.tsv."""
    import pandas as pd

    from atrobayes.inference.multiverse import COLUMNS, FORK_COLUMNS, fit_fork, fork_fits, forks_table, taken_forks
    from atrobayes.models.fork_frames import fork_frames
    from atrobayes.models.forks import plan_forks

    study = session.study
    framed: list[ForkFrame] = []
    asked: list[ForkFit] = []
    found: dict[tuple[str, str], pd.DataFrame] = {}
    analyses = {analysis: one for analysis, one in ready.framed.items() if one.frames}
    with session.stage("plan forks", total=len(analyses)) as task:
        for analysis, one in analyses.items():
            forks = plan_forks(study, analysis, study.sensitivity, everything=everything)
            own, rows = taken_forks(fork_frames(study, analysis, forks, ready.prepared.cohort), estimated.rows)
            framed += own
            found |= {(analysis.id, fork): table for fork, table in rows.items()}
            asked += fork_fits(own, study_choices(session, len(one.frames[0].groups)))
            session.progress.advance(task)
    fitted = spread_stage(session, "forks", fit_fork, asked, pool)
    found |= {(one.framed.fork.analysis, one.framed.fork.id): rows for one, rows in zip(asked, fitted, strict=True)}
    tables = [found[place] for one in framed if (place := (one.fork.analysis, one.fork.id)) in found]
    names = [column.name for column in COLUMNS]
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)
    _write(session, "forks", forks_table(framed), FORK_COLUMNS)
    _write(session, "sensitivity", whole, COLUMNS)


def _looks(session: StudySession, ready: Ready, pool: Pool) -> None:
    import pandas as pd

    from atrobayes.inference.looks import LOOKS, columns, looks_at, take

    asked = [
        look
        for one in ready.framed.values()
        for frame in one.frames
        for look in looks_at(frame, study_choices(session, len(frame.groups)), session.study.sensitivity)
    ]
    found = spread_stage(session, "looks at priors, patients and definitions", take, asked, pool)
    tables = {table: [rows for look, rows in zip(asked, found, strict=True) if look.table == table] for table in LOOKS}
    for table, more in _sampled_looks(session, ready, pool).items():
        tables.setdefault(table, []).append(more)
    for table, own in tables.items():
        names = [column.name for column in columns(table)]
        rows = pd.concat(own, ignore_index=True) if own else pd.DataFrame(columns=names)
        _write(session, table, rows, columns(table))


def _sampled_looks(session: StudySession, ready: Ready, pool: Pool) -> dict[str, pd.DataFrame]:
    """Rows that sampled fits of linear models add, by table; none of any table where there is no such fit."""
    import pandas as pd

    from atrobayes.inference.patient_loo import refit, refits, with_refits
    from atrobayes.inference.sampled_look import TABLES, look, rows_of

    asked = _sampled(session, ready)
    if not asked:
        _remove(session, "patient_loo")
        return {}
    found = spread_stage(session, "looks at sampled fits", look, asked, pool)
    tables = {name: [rows_of(name, one) for one in found] for name in TABLES}
    again = [of for one, rows in zip(asked, tables["patient_loo"], strict=True) for of in refits(one, rows)]
    refitted = spread_stage(session, "sampled anew without a patient", refit, again, pool) if again else []
    whole = {name: pd.concat(rows, ignore_index=True) for name, rows in tables.items()}
    return whole | {"patient_loo": with_refits(whole["patient_loo"], refitted)}


def _sampled(session: StudySession, ready: Ready) -> list[Sampled]:
    """Outcomes of the sampled fits of linear models; fits that hold too little are told of."""
    from atrobayes.inference.sampled_look import sampled_of
    from atrobayes.inference.store import Store

    store = Store(session.folder.path / "posterior", session.folder.scratch)
    outcomes: list[Sampled] = []
    for frame in (frame for one in ready.framed.values() for frame in one.frames):
        own, without = sampled_of(frame, study_choices(session, len(frame.groups)), store)
        outcomes += own
        for name in without:
            session.remark(
                f"left out of the looks at sampled fits: {name}: no coefficients in it, as in files of earlier "
                f"versions; remove posterior/{name}.nc and run again: it is then fitted again"
            )
    return outcomes


def spread_stage(
    session: StudySession, name: str, function: Callable[[Any], pd.DataFrame], items: Sequence[Keyed], pool: Pool
) -> list[pd.DataFrame]:
    """Do many independent pieces of work with a bar; what an earlier run has done is not done again."""
    from atrobayes.inference.look_store import LookStore
    from atrobayes.inference.scale_out import spread

    store = LookStore(session.folder.logs / "looks", session.folder.scratch)
    with session.stage(name, total=len(items)) as task:

        def show(done: int, _total: int) -> None:
            session.progress.update(task, completed=done)

        found = spread(function, items, pool=pool, store=store, progress=show, key=lambda item: item.key())
    store.keep_only_asked()
    return found


def _write(session: StudySession, name: str, rows: pd.DataFrame, columns: Sequence[Column]) -> None:
    from atrobayes.files import write_table

    write_table(session.folder.path / f"{name}.tsv", rows, columns, session.folder.scratch)


def _remove(session: StudySession, name: str) -> None:
    for suffix in ("tsv", "json"):
        (session.folder.path / f"{name}.{suffix}").unlink(missing_ok=True)
