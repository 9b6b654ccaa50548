"""atrobayes reanalyse: posteriors of published slopes, from the tables alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atrobayes.cli.audit import Estimates, Init, Out, Summaries
from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json, Quiet, Top
from atrobayes.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.data_prep.published_tables import Published
    from atrobayes.folder import Folder
    from atrobayes.inference.reanalysis.rows import Asked

Report = Annotated[bool, typer.Option("--report", help="Audit the table too, and write both into report.html.")]
Interval = Annotated[float, typer.Option("--interval", min=0.5, max=0.999, help="Level of the posterior intervals.")]
Patients = Annotated[
    int | None,
    typer.Option("--patients", min=3, help="Patients of mixed models. Default: as the table of summaries says."),
]
Priors = Annotated[
    str | None,
    typer.Option("--prior-sds", metavar="A[,B]", help="Standardised SDs of the slope priors; 0.5 is always there."),
]
Correlations = Annotated[
    str | None,
    typer.Option("--error-correlations", metavar="A[,B]", help="Assumed correlations of two structures' errors."),
]


@guarded
def reanalyse(
    estimates: Estimates = None,
    summaries: Summaries = None,
    init: Init = None,
    out: Out = None,
    report: Report = False,
    interval: Interval = 0.95,
    patients: Patients = None,
    prior_sds: Priors = None,
    error_correlations: Correlations = None,
    top: Top = 15,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Posterior of every published slope, from its estimate, p and n alone; write reanalysis.tsv.

    For instance: atrobayes reanalyse --report
    """
    from atrobayes.cli.published import open_published, write_templates
    from atrobayes.cli.session import bars, print_items
    from atrobayes.data_prep.published_tables import read_published
    from atrobayes.inference.reanalysis.reanalyse import reanalyse as posteriors

    if init is not None:
        write_templates(init)
        return
    asked = _asked(interval, patients, prior_sds, error_correlations)
    published = read_published(estimates, summaries)
    with open_published(published.name, estimates or summaries, out) as folder, bars(quiet) as progress:
        task = progress.add_task("reanalyse", total=None)
        found = posteriors(published, asked)
        _write(folder, published, found, report)
        progress.update(task, total=1, completed=1)
    if json:
        print_items(_items(found))
    else:
        _show(published, found, top)
        typer.echo(f"every posterior: {folder.path / 'reanalysis.tsv'}")
        if report:
            typer.echo(f"report: {folder.path / 'report.html'}")
    for note in () if quiet else published.notes:
        typer.echo(note, err=True)


command = reanalyse


def _asked(interval: float, patients: int | None, prior_sds: str | None, error_correlations: str | None) -> Asked:
    from atrobayes.inference.reanalysis.rows import Asked
    from atrobayes.reports.reanalysis_rows import BASE

    default = Asked(interval=interval, patients=patients)
    rungs = _numbers("--prior-sds", prior_sds, 0.001, 1000) or default.rungs
    correlations = _numbers("--error-correlations", error_correlations, 0, 0.99) or default.error_correlations
    return Asked(interval, tuple(sorted({*rungs, BASE})), tuple(sorted({*correlations})), patients)


def _numbers(option: str, text: str | None, least: float, most: float) -> tuple[float, ...]:
    found = []
    for one in (text or "").split(",") if text is not None else ():
        try:
            number = float(one)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise UsageError(
                f"{option}: found {one.strip()!r}; expected numbers from {least:g} to {most:g}, with commas"
            )
        found.append(number)
    return tuple(found)


def _write(folder: Folder, published: Published, found: pd.DataFrame, report: bool) -> None:
    from atrobayes.files import write_table
    from atrobayes.inference.reanalysis.columns import COLUMNS
    from atrobayes.reports.audit.checks import run_checks
    from atrobayes.reports.own_audit import write_audit
    from atrobayes.reports.published_report import write_published_report

    # no page of another table beside the new one
    with folder.renewing("looked", "reanalysis.tsv"):
        write_table(folder.path / "reanalysis.tsv", found, COLUMNS, folder.scratch)
    if report:
        write_audit(folder.path, run_checks(published), folder.scratch)
        write_published_report(folder.path, published.name, folder.scratch)


def _items(found: pd.DataFrame) -> list[dict[str, Any]]:
    import pandas as pd

    plain = found.astype(object)
    finite = plain.where(~found.isna() & ~found.isin([math.inf, -math.inf]), None)
    items: list[dict[str, Any]] = pd.DataFrame(finite).to_dict("records")  # type: ignore[assignment]
    return items


def _show(published: Published, found: pd.DataFrame, most: int) -> None:
    from atrobayes.cli.reanalysis_tables import print_signs, print_sizes
    from atrobayes.reports.reanalysis_rows import shown_slopes, without_posterior

    rows = shown_slopes(found)
    if len(rows):
        first = rows.sort_values("pd", ascending=False, kind="stable").head(most)
        title = f"{published.name}: the {len(first)} surest of {len(rows)} published slopes"
        print_sizes(first, title)
        print_signs(first)
    else:
        typer.echo(f"{published.name}: no slope has a posterior")
    for reason, own in without_posterior(found).groupby("status", sort=False):
        names = (f"{row.source} {row.structure} {row.group}" for row in own.itertuples())
        typer.echo(f"no posterior ({reason}): {', '.join(names)}")
