"""atrobayes design: what a future study would find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Dask, Debug, Engine, Jobs, Json, Out, Quiet, Seed, StudyFile
from atrobayes.errors import Fault, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.cli.session import StudySession
    from atrobayes.cli.stages import Ready
    from atrobayes.inference.simulated_futures import FutureStudies
    from atrobayes.models.frame import Frame
    from atrobayes.study import Design


@guarded
def design(
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
    """Give the chance that a future study reaches the conclusion named in [design]; write assurance.tsv.

    For instance: atrobayes design demo/study.toml
    """
    from atrobayes.cli.session import open_session, print_items
    from atrobayes.cli.stages import contrast_stage, estimate_stage, prepare_stage, report_stage, rows_as_items

    with open_session(study, out=out, engine=engine, seed=seed, jobs=jobs, quiet=quiet) as session:
        ready = prepare_stage(session)
        asked = future_studies(session, ready)
        estimated = estimate_stage(session, ready)
        table = design_stage(session, asked, dask)
        contrast_stage(session)
        page = report_stage(session)
    if json:
        print_items(rows_as_items(table))
    else:
        _print(table)
        typer.echo(f"assurance: {session.folder.path / 'assurance.tsv'}")
        typer.echo(f"report: {page}")
    estimated.check_gate()


command = design


def design_stage(session: StudySession, asked: tuple[FutureStudies, ...], dask: str | None) -> pd.DataFrame:
    """Simulate and refit the future studies; write assurance.tsv."""
    import pandas as pd

    from atrobayes.cli.looks import spread_stage
    from atrobayes.files import write_table
    from atrobayes.inference.assurance import COLUMNS, summarise
    from atrobayes.inference.scale_out import Pool
    from atrobayes.inference.simulated_futures import simulate_studies

    with session.folder.renewing("looked", "assurance.tsv"):
        found = spread_stage(session, "future studies", simulate_studies, asked, Pool(session.jobs, dask))
        table = summarise(pd.concat(found, ignore_index=True))
        write_table(session.folder.path / "assurance.tsv", table, COLUMNS, session.folder.scratch)
    return table


def future_studies(session: StudySession, ready: Ready) -> tuple[FutureStudies, ...]:
    """Work that [design] asks for.

    Raises
    ------
    StudyError
        If it names an analysis, structure or term that there is not, or a threshold that no probability exceeds.
    """
    from atrobayes.cli.stages import study_choices
    from atrobayes.inference.assurance import part_of, studies_of
    from atrobayes.inference.future_study import years_of
    from atrobayes.models.terms import terms_of

    wanted = session.study.design
    if wanted.conclusion != "width" and wanted.threshold >= 1:
        raise _fault(session, "threshold", f"{wanted.threshold:g}", "a probability below 1")
    frame = _with_structures(session, _frame(session, ready, wanted), wanted)
    term = wanted.term or terms_of(frame)[0].name
    part = part_of(frame, term)
    if part is None:
        raise _fault(
            session, "term", repr(term), f"one of {', '.join(one.name for one in terms_of(frame))}, slope[ALL]"
        )
    years = years_of(part, wanted.years)
    if years != wanted.years:
        session.remark(f"design: {wanted.analysis} is about one change over {years[0]} years, whatever `years` says")
    choices = study_choices(session, len(frame.groups))
    return studies_of(part, choices, wanted, term, _enrolled(ready, part))


def _frame(session: StudySession, ready: Ready, wanted: Design) -> Frame:
    from atrobayes.inference.operating import KINDS

    by_id = {analysis.id: one for analysis, one in ready.framed.items()}
    if wanted.analysis not in by_id:
        raise _fault(session, "analysis", repr(wanted.analysis), f"one of {', '.join(by_id)}")
    found = by_id[wanted.analysis]
    if not found.frames:
        raise _fault(session, "analysis", found.exclusions[-1].reason, f"data for {wanted.analysis}")
    if found.frames[0].kind not in KINDS:
        raise _fault(session, "analysis", repr(wanted.analysis), "an analysis of volume changes")
    return found.frames[0]


def _with_structures(session: StudySession, frame: Frame, wanted: Design) -> Frame:
    import numpy as np

    unknown = [name for name in wanted.structures if name not in frame.outcomes]
    if unknown:
        raise _fault(session, "structures", repr(unknown[0]), f"some of {', '.join(frame.outcomes)}")
    names = wanted.structures or frame.outcomes
    return frame.select(np.arange(len(frame.x)), np.array([frame.outcomes.index(name) for name in names]))


def _enrolled(ready: Ready, frame: Frame) -> tuple[int, ...]:
    """Patients of each group in the cohort: some of them have no row in the frame, as some of a future study's."""
    group = ready.prepared.cohort["group"].to_numpy()
    counts = tuple(int((group == label).sum()) for label in frame.groups)
    return counts if sum(counts) else (len(group),)


def _fault(session: StudySession, key: str, found: str, expected: str) -> StudyError:
    return StudyError(Fault(found, expected, "mend the value", str(session.study.path), column=f"design.{key}"))


def _print(table: pd.DataFrame) -> None:
    """Print the assurance of every size, structures as rows."""
    import pandas as pd

    from atrobayes.cli.tables import print_table

    sizes = list(dict.fromkeys(zip(table["patients"], table["years"], strict=True)))
    shown = [
        {"structure": name}
        | {
            f"{patients:.0f} patients, {years:.0f} y": f"{one['assurance'].iloc[0]:.0%} ({one['power'].iloc[0]:.0%})"
            for patients, years in sizes
            for one in [some[(some["patients"] == patients) & (some["years"] == years)]]
        }
        for name, some in table.groupby("structure", sort=False)
    ]
    first = table.iloc[0]
    said = f"{first['conclusion']} {'<' if first['conclusion'] == 'width' else '>'} {first['threshold']:g}"
    largest = table[["mc_error", "power_mc_error"]].max().max()
    title = (
        f"{first['analysis']}, {first['term']}: assurance of {said} (in brackets: of classical p < 0.05), "
        f"Monte Carlo errors up to {largest:.1%}"
    )
    print_table(pd.DataFrame(shown), title)
