"""The command line: one file a command, library calls with flags around them."""

from __future__ import annotations

from typing import Annotated

import typer

from atrobayes.cli import (
    audit,
    calibrate,
    check,
    compare,
    design,
    environment,
    example,
    fit,
    init,
    prep,
    reanalyse,
    report,
    run,
    sensitivity,
)

app = typer.Typer(
    name="atrobayes",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    example,
    init,
    check,
    prep,
    fit,
    compare,
    sensitivity,
    calibrate,
    design,
    report,
    run,
    audit,
    reanalyse,
    environment,
):
    app.command()(module.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from atrobayes import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Brain atrophy in small longitudinal MRI cohorts: Bayesian posteriors beside classical p-values.

    Start with: atrobayes example demo && atrobayes run demo/study.toml
    """


def main() -> None:
    """Run the command line."""
    app()
