"""The stages every command is made of: prepare, estimate, contrast, report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrobayes.cli.session import Session
from atrobayes.errors import DataError, Fault, GateError, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.data_prep.prepare import Prepared
    from atrobayes.inference.estimate import Choices
    from atrobayes.inference.estimate import Estimated as Found
    from atrobayes.models.analyses import Analysis
    from atrobayes.models.frame import Frame


@dataclass(frozen=True)
class Estimated:
    """Rows of estimates.tsv, and what failed its gate."""

    rows: pd.DataFrame
    failures: tuple[str, ...]

    def check_gate(self) -> None:
        """Raise GateError if a fit did not pass; to be called when everything is written."""
        if self.failures:
            raise GateError("\n".join(("done, but not every fit passed its convergence gate:", *self.failures)))


def prepare_stage(session: Session) -> Prepared:
    """Read the study's files; write cohort, exclusions, intervals and changes."""
    from atrobayes import __version__
    from atrobayes.data_prep.prepare import prepare, write_prepared

    _check_names(session)
    made = ("cohort.nc", "exclusions.tsv", "intervals.tsv", "changes.tsv")
    with session.stage("prepare"), session.folder.renewing("prepared", *made):
        prepared = prepare(session.study)
        session.folder.describe(session.study.study.name, __version__)
        write_prepared(prepared, session.folder.path, session.folder.scratch)
    for note in prepared.notes:
        session.remark(note)
    return prepared


def estimate_stage(session: Session, prepared: Prepared) -> Estimated:
    """Fit every analysis the data allow, classically and Bayesian; write estimates.tsv and the posteriors."""
    import pandas as pd

    from atrobayes.files import write_table
    from atrobayes.inference.store import Store
    from atrobayes.models.estimates import COLUMNS

    store = Store(session.folder.path / "posterior", session.folder.scratch)
    found = [(analysis, _estimate_one(session, frame, store)) for analysis, frame in _frames(session, prepared)]
    rows = pd.concat([one.rows.assign(outcome=analysis.outcome) for analysis, one in found], ignore_index=True)
    fits = [posterior for _, one in found for posterior in one.fits]
    for analysis, one in found:
        for model, reason in one.refused.items():
            session.remark(f"{analysis.id}: no {model} row by {session.study.inference.engine}: {reason}")
    with session.folder.renewing("estimated", "estimates.tsv"):
        write_table(session.folder.path / "estimates.tsv", rows, COLUMNS, session.folder.scratch)
    store.keep_only({one.name for one in fits})
    failures = tuple(f"{one.name}: {reason}" for one in fits for reason in one.verdict.reasons)
    return Estimated(rows, failures)


def contrast_stage(session: Session) -> pd.DataFrame:
    """Set classical and Bayesian rows side by side; write contrast.tsv."""
    from atrobayes.reports.contrast import contrast, write_contrast
    from atrobayes.reports.results import read_results

    with session.stage("contrast"):
        table = contrast(read_results(session.folder.path).estimates)
        write_contrast(table, session.folder.path, session.folder.scratch)
    return table


def report_stage(session: Session) -> Path:
    """Write report.html and its figures."""
    from atrobayes.reports.report import write_report

    with session.stage("report"):
        return write_report(session.folder.path, session.folder.scratch)


def rows_as_items(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table for JSON: missing is null."""
    counts = {name: "Int64" for name in ("n_obs", "n_patients") if name in table}
    items: list[dict[str, Any]] = json.loads(table.astype(counts).to_json(orient="records", double_precision=12))
    return items


def _check_names(session: Session) -> None:
    """Refuse unknown analyses, structures and engines before any work starts."""
    from atrobayes.data_prep.structures import resolve_structures
    from atrobayes.inference.engine import ENGINES, get_engine
    from atrobayes.models.analyses import resolve_analyses

    study = session.study
    resolve_analyses(study)
    # an unknown structure is told with the faults of the tables, all at once
    known = [structure.id for structure in resolve_structures(study)] if study.priors.outcome_sd else []
    faults = [
        _unknown(session, f"priors.outcome_sd.{name}", name, known)
        for name in study.priors.outcome_sd
        if name not in known
    ]
    engine = study.inference.engine
    if engine != "auto" and session.engine_given:
        get_engine(engine)
    elif engine != "auto" and engine not in ENGINES:
        faults.append(_unknown(session, "inference.engine", engine, ["auto", *ENGINES]))
    if faults:
        raise StudyError(faults)


def _unknown(session: Session, key: str, name: str, known: list[str]) -> Fault:
    return Fault(repr(name), f"one of {', '.join(known)}", "mend the name", str(session.study.path), column=key)


def _frames(session: Session, prepared: Prepared) -> list[tuple[Analysis, Frame]]:
    """Frames of the analyses the data allow; the others go to the ledger, with a line on standard error."""
    from atrobayes.data_prep.ledger import COLUMNS, to_frame
    from atrobayes.files import write_table
    from atrobayes.models.analyses import resolve_analyses
    from atrobayes.models.study_frames import build_frames

    framed = {
        analysis: build_frames(session.study, analysis, prepared.cohort) for analysis in resolve_analyses(session.study)
    }
    left_out = [item for one in framed.values() for item in one.exclusions]
    ledger = to_frame((*prepared.exclusions, *left_out))
    write_table(session.folder.path / "exclusions.tsv", ledger, COLUMNS, session.folder.scratch)
    skipped = [item for item in left_out if item.rule == "skipped"]
    if len(skipped) == len(framed):
        raise DataError([Fault(item.reason, "data to fit", "see exclusions.tsv", item.analysis) for item in skipped])
    for item in left_out:
        if item.rule in {"skipped", "group_without_rows"}:
            session.remark(f"{item.analysis}: {item.rule.replace('_', ' ')}: {item.reason}")
    return [(analysis, frame) for analysis, one in framed.items() for frame in one.frames]


def _estimate_one(session: Session, frame: Frame, store: Any) -> Found:
    from atrobayes.inference.estimate import estimate

    name = " ".join(filter(None, ("fit", frame.analysis, frame.part)))
    with session.stage(name, total=len(frame.outcomes)) as task:

        def show(done: int, total: int) -> None:
            session.progress.update(task, completed=done, total=total)

        return estimate(frame, _choices(session, len(frame.groups), show), store)


def _choices(session: Session, groups: int, show: Any) -> Choices:
    from atrobayes.inference.engine import Settings
    from atrobayes.inference.estimate import Choices
    from atrobayes.models.estimands import Rope
    from atrobayes.models.priors import read_priors

    asked = session.study.inference
    return Choices(
        priors=read_priors(session.study.priors, groups),
        engine=asked.engine,
        settings=Settings(draws=asked.draws, tune=asked.tune, chains=asked.chains, jobs=session.jobs, progress=show),
        seed=session.study.study.seed,
        interval=asked.interval.prob,
        rope=Rope(asked.rope.standardised or Rope.standardised, asked.rope.raw),
    )
