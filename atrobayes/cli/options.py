"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# readable=False: whether it may be read is for read_study to say, with the exit code of a study file
StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False, readable=False)
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Results folder. Default: results/ beside the study file.", metavar="DIR")
]
Engine = Annotated[
    str | None, typer.Option("--engine", help="auto, quadrature, nutpie, numpyro or pymc; over the study file's.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of everything random; over the study file's.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Cores to use. The numbers do not depend on it.")]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="Spread the work over a Dask cluster: tcp://scheduler:8786, or local."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no remarks on standard error.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Top = Annotated[int, typer.Option("--top", min=1, help="How many rows the table at the end shows.")]

Table = Annotated[
    Path | None,
    typer.Option("--table", metavar="FILE", help="Any table instead of a study, TSV or CSV; results in FILE-results/."),
]
Outcome = Annotated[
    str | None, typer.Option("--outcome", metavar="Y[,Y2]", help="With --table: columns of numbers to explain.")
]
Predictor = Annotated[
    str | None,
    typer.Option("--predictor", metavar="X", help="With --table: column of numbers; its slope is asked for."),
]
Group = Annotated[
    str | None, typer.Option("--group", metavar="G", help="With --table: column of groups, each with its own slope.")
]
Patient = Annotated[
    str | None, typer.Option("--patient", metavar="P", help="With --table: column that says whose row it is.")
]
Covariates = Annotated[
    str | None, typer.Option("--covariates", metavar="A[,B]", help="With --table: columns of numbers to adjust for.")
]
