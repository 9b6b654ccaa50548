"""Errors to exit codes: every command ends through here."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Mapping

import typer

from atrobayes.errors import AtroError, DataError

INTERRUPTED = 130


def guarded[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors of a command into a message on standard error and the exit code of their kind."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except AtroError as error:
            raise _end(error, str(error), error.exit_code, kwargs) from error
        except PermissionError as error:
            if kwargs.get("debug"):
                raise
            typer.echo(f"atrobayes: {error.filename}: {error.strerror}; check its permissions", err=True)
            raise typer.Exit(DataError.exit_code) from error
        except KeyboardInterrupt as error:
            raise _end(error, "interrupted; what was finished is kept", INTERRUPTED, kwargs) from error
        except Exception as error:
            raise _end(error, _our_own(error), AtroError.exit_code, kwargs) from error

    return run


def _end(error: BaseException, said: str, code: int, options: Mapping[str, object]) -> typer.Exit:
    if options.get("debug"):
        traceback.print_exception(error)
    typer.echo(f"atrobayes: {said}", err=True)
    return typer.Exit(code)


def _our_own(error: Exception) -> str:
    where = ", ".join(getattr(error, "__notes__", [])) or "--debug shows where"
    return f"our own bug, please report it ({type(error).__name__}: {error}); {where}"
