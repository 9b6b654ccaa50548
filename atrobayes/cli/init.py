"""atrobayes init: a study begun from a SUBJECTS_DIR."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from atrobayes.data_prep.new_study import Begun


class Stream(StrEnum):
    """Streams of FreeSurfer."""

    long = "long"
    cross = "cross"


@guarded
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.", show_default=False)],
    subjects_dir: Annotated[
        Path, typer.Option("--subjects-dir", metavar="SD", help="FreeSurfer SUBJECTS_DIR.", show_default=False)
    ],
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            metavar="REGEX",
            help="How names of time points are read: (?P<patient>...) and (?P<visit>...), the nominal year, or "
            "(?P<month>...). Default: from the templates and the end of the names, where these are plain.",
        ),
    ] = None,
    first_visit: Annotated[
        int | None, typer.Option("--first-visit", metavar="N", min=0, help="The number that names give to visit 0.")
    ] = None,
    bids: Annotated[
        Path | None,
        typer.Option("--bids", metavar="DIR", help="BIDS dataset to take patients and visits from, in place of names."),
    ] = None,
    stream: Annotated[Stream, typer.Option("--stream", help="Which runs.")] = Stream.long,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Find every run and write study.toml, patients.tsv and visits.tsv, clinical columns left n/a.

    For instance: atrobayes init mystudy --subjects-dir /data/fs
    """
    from atrobayes.cli.session import print_items
    from atrobayes.data_prep.new_study import begin_study
    from atrobayes.errors import UsageError

    if bids is not None and (pattern is not None or first_visit is not None):
        raise UsageError("found --bids with --pattern or --first-visit; BIDS tells patients and visits itself")
    begun = begin_study(folder, subjects_dir, stream=stream.value, pattern=pattern, first_visit=first_visit, bids=bids)
    for note in () if quiet else begun.notes:
        typer.echo(note, err=True)
    if json:
        told = {"patients": begun.patients, "visits": begun.visits, "states": dict(sorted(begun.states.items()))}
        print_items([{"study": str(folder / "study.toml"), **told, "rule": begun.rule, "notes": list(begun.notes)}])
    elif not quiet:
        typer.echo(_told(folder, begun, stream.value))


def _told(folder: Path, begun: Begun, stream: str) -> str:
    late = {"unfinished": "unfinished", "failed": "failed", "absent": "without a run"}
    counts = "".join(f", {begun.states[state]} {word}" for state, word in late.items() if begun.states.get(state))
    runs, people = begun.visits, begun.patients
    return "\n".join(
        [
            f"{runs} {stream} run{'s' * (runs != 1)} of {people} patient{'s' * (people != 1)}{counts}",
            f"{begun.rule}: check a few rows of {folder / 'visits.tsv'}",
            f"fill in group, sex … in {folder / 'patients.tsv'} and date, new_t2 … in {folder / 'visits.tsv'}",
            f"next: atrobayes check {folder / 'study.toml'}",
        ]
    )


command = init
