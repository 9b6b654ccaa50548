"""Errors to exit codes: every command ends through here."""

from __future__ import annotations

import functools
from collections.abc import Callable

import typer

from atrobayes.errors import AtroError

INTERRUPTED = 130


def guarded[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors of a command into a message on standard error and the exit code of their kind."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AtroError as error:
            if kwargs.get("debug"):
                raise
            typer.echo(f"atrobayes: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            typer.echo("atrobayes: interrupted; what was finished is kept", err=True)
            raise typer.Exit(INTERRUPTED) from error
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if kwargs.get("debug"):
                raise
            typer.echo(f"atrobayes: our own bug, please report it ({type(error).__name__}: {error})", err=True)
            typer.echo("the trace is in logs/trace.txt of the results folder, or shown with --debug", err=True)
            raise typer.Exit(AtroError.exit_code) from error

    return run
