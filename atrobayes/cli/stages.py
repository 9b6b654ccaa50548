"""The stages every command is made of: prepare, estimate, contrast, report."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrobayes.cli.fitting import Asked, Estimated, fit_stage
from atrobayes.cli.questions import frame_analyses, name_faults
from atrobayes.cli.session import StudySession
from atrobayes.errors import DataError, Fault, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.data_prep.prepare import Prepared
    from atrobayes.inference.estimate import Choices
    from atrobayes.models.analyses import Analysis
    from atrobayes.models.study_frames import Framed


@dataclass(frozen=True)
class Ready:
    """A study ready to be fitted.

    Attributes
    ----------
    prepared : Prepared
        Its ledger includes what single analyses leave out.
    framed : dict of Analysis to Framed
        Every analysis the study asks for.
    """

    prepared: Prepared
    framed: dict[Analysis, Framed]


def prepare_stage(session: StudySession) -> Ready:
    """Read the study's files, pick the rows of every analysis; write cohort, exclusions and the tables they hold."""
    from atrobayes import __version__
    from atrobayes.data_prep.flow import flow
    from atrobayes.data_prep.prepare import prepare, write_prepared
    from atrobayes.models.analysed_rows import analysed_rows
    from atrobayes.models.clinical_table import write_clinical

    _check_names(session)
    tables = ("exclusions", "flow", "quality", "clinical", "volumes", "lesions", "intervals", "changes")
    made = ("cohort.nc", *(f"{name}.tsv" for name in tables))
    with session.stage("prepare"), session.folder.renewing("prepared", *made):
        prepared = prepare(session.study, session.jobs)
        framed = frame_analyses(session.study, prepared.cohort)
        left_out = [item for one in framed.values() for item in one.exclusions]
        exclusions = (*prepared.exclusions, *left_out)
        counts = flow(prepared.cohort, exclusions, analysed_rows(prepared.cohort, framed))
        prepared = replace(prepared, exclusions=exclusions, flow=counts)
        session.folder.describe(session.study.study.name, __version__)
        write_prepared(prepared, session.folder.path, session.folder.scratch)
        groups = json.loads(prepared.cohort.attrs["groups"])
        write_clinical(prepared.cohort, groups, prepared.intervals, session.folder.path, session.folder.scratch)
    for note in prepared.notes:
        session.remark(note)
    for item in left_out:
        if item.rule in {"skipped", "group_without_rows"}:
            session.remark(f"{item.analysis}: {item.rule.replace('_', ' ')}: {item.reason}")
    return Ready(prepared, framed)


def estimate_stage(session: StudySession, ready: Ready) -> Estimated:
    """Fit every analysis the data allow, classically and Bayesian; write estimates.tsv and the posteriors."""
    asked = [
        Asked(frame, study_choices(session, len(frame.groups)), analysis.outcome)
        for analysis, one in ready.framed.items()
        for frame in one.frames
    ]
    if not asked:
        last = [one.exclusions[-1] for one in ready.framed.values()]
        raise DataError([Fault(item.reason, "data to fit", "see exclusions.tsv", item.analysis) for item in last])
    return fit_stage(session, asked)


def contrast_stage(session: StudySession) -> pd.DataFrame:
    """Set classical and Bayesian rows side by side; write contrast.tsv."""
    from atrobayes.reports.contrast import contrast, write_contrast
    from atrobayes.reports.results import read_results

    with session.stage("contrast"):
        table = contrast(read_results(session.folder.path).estimates)
        write_contrast(table, session.folder.path, session.folder.scratch)
    return table


def report_stage(session: StudySession) -> Path:
    """Write report.html and its figures, our own estimates audited first."""
    from atrobayes.reports.report import write_report

    with session.stage("audit"):
        audit_stage(session)
    with session.stage("report"):
        return write_report(session.folder.path, session.folder.scratch)


def audit_stage(session: StudySession) -> None:
    """Put the checks of published tables to our own estimates; write audit.tsv and remark on what does not fit."""
    from atrobayes.models.analyses import resolve_analyses
    from atrobayes.reports.own_audit import audit_estimates, disagreement, write_audit
    from atrobayes.reports.results import read_results

    adjusted = frozenset(one.id for one in resolve_analyses(session.study) if one.covariates)
    findings = audit_estimates(read_results(session.folder.path).estimates, adjusted)
    write_audit(session.folder.path, findings, session.folder.scratch)
    if any(finding.disagrees for finding in findings):
        session.remark(f"our own estimates: {disagreement(findings)}; see audit.tsv")


def rows_as_items(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table for JSON: missing is null."""
    counts = {name: "Int64" for name in ("n_obs", "n_patients") if name in table}
    items: list[dict[str, Any]] = json.loads(table.astype(counts).to_json(orient="records", double_precision=12))
    return items


def _check_names(session: StudySession) -> None:
    """Refuse unknown analyses, structures and engines before any work starts."""
    from atrobayes.inference.engine import get_engine

    study = session.study
    if study.inference.engine != "auto" and session.engine_given:
        get_engine(study.inference.engine)
    faults = name_faults(study)
    if faults:
        raise StudyError(faults)


def study_choices(session: StudySession, groups: int) -> Choices:
    """How the study wants its frames fitted and reported.

    Parameters
    ----------
    session : StudySession
    groups : int
        How many groups the frame has.
    """
    from atrobayes.inference.engine import Settings
    from atrobayes.inference.estimate import Choices
    from atrobayes.models.estimands import Rope
    from atrobayes.models.priors import read_priors

    asked = session.study.inference
    return Choices(
        priors=read_priors(session.study.priors, groups),
        engine=asked.engine,
        settings=Settings(draws=asked.draws, tune=asked.tune, chains=asked.chains, jobs=session.jobs),
        seed=session.study.study.seed,
        interval=asked.interval.prob,
        rope=Rope(asked.rope.standardised or Rope.standardised, asked.rope.raw),
    )
