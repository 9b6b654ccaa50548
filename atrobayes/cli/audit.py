"""atrobayes audit: whether the numbers of published tables fit each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atrobayes.data_prep.published_tables import Published
    from atrobayes.reports.audit.finding import Finding

Estimates = Annotated[
    Path | None,
    typer.Argument(metavar="[ESTIMATES.tsv]", help="Table of published estimates.", show_default="the paper's"),
]
Summaries = Annotated[
    Path | None, typer.Option("--summaries", metavar="FILE", help="Table of published means and percentages.")
]
Init = Annotated[
    Path | None,
    typer.Option("--init", metavar="PATH", help="Write empty tables with every column explained, and stop."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Default: FILE-results/ beside the table, or published-results/."),
]


@guarded
def audit(
    estimates: Estimates = None,
    summaries: Summaries = None,
    init: Init = None,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Check whether published numbers fit each other, to the digits printed; write audit.tsv.

    For instance: atrobayes audit
    """
    from dataclasses import asdict

    from atrobayes.cli.published import open_published, write_templates
    from atrobayes.cli.session import print_items
    from atrobayes.data_prep.published_tables import read_published
    from atrobayes.errors import DisagreementError
    from atrobayes.reports.audit.checks import run_checks
    from atrobayes.reports.own_audit import disagreement, write_audit

    if init is not None:
        write_templates(init)
        return
    published = read_published(estimates, summaries)
    findings = run_checks(published)
    # renewing: no page with other findings beside the new ones
    with open_published(published.name, estimates or summaries, out) as folder, folder.renewing("looked", "audit.tsv"):
        write_audit(folder.path, findings, folder.scratch)
    if json:
        print_items([asdict(finding) for finding in findings])
    else:
        _show(published, findings)
        typer.echo(f"every comparison: {folder.path / 'audit.tsv'}")
    for note in () if quiet else published.notes:
        typer.echo(note, err=True)
    if any(finding.disagrees for finding in findings):
        raise DisagreementError(f"{published.name}: {disagreement(findings)}")


command = audit


def _show(published: Published, findings: Sequence[Finding]) -> None:
    import pandas as pd

    from atrobayes.cli.tables import print_table
    from atrobayes.reports.audit.finding import VERDICTS, to_table
    from atrobayes.reports.sections.audit import comparisons

    if not findings:
        typer.echo(f"{published.name}: nothing that could be compared")
        return
    table = comparisons(to_table(findings))
    counts = pd.crosstab(table["check"], table["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    counts = counts.reindex(list(dict.fromkeys(table["check"])))
    heads = [name.replace("_", " ") for name in VERDICTS]
    print_table(counts.set_axis(heads, axis="columns").rename_axis("check").reset_index(), f"{published.name}: checks")
    apart = [finding for finding in findings if finding.disagrees]
    if apart:
        rows = [
            [one.check, one.verdict.replace("_", " "), one.source, f"{one.structure} {one.group}".strip(), one.message]
            for one in sorted(apart, key=lambda one: one.verdict != "inconsistent")
        ]
        print_table(
            pd.DataFrame(rows, columns=["check", "verdict", "source", "result", "arithmetic"]),
            "Digits that do not fit each other",
        )
