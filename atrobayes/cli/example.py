"""atrobayes example: a study with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json, Quiet


@guarded
def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.", show_default=False)],
    patients: Annotated[int, typer.Option("--patients", min=4, help="How many patients.")] = 52,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulated cohort.")] = 1,
    null: Annotated[bool, typer.Option("--null", help="Lesions cost no volume.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Write an example study with known truth, as FreeSurfer would leave it on disk.

    For instance: atrobayes example demo
    """
    from atrobayes.cli.session import print_items
    from atrobayes.data_prep.example import write_example

    write_example(folder, patients=patients, seed=seed, null=null)
    if json:
        print_items([{"study": str(folder / "study.toml"), "patients": patients, "seed": seed, "null": null}])
    elif not quiet:
        typer.echo(f"study: {folder / 'study.toml'}\nnext: atrobayes run {folder / 'study.toml'}")


command = example
