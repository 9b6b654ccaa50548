"""What audit and reanalyse share: the folder their results go to, and templates of the tables they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from atrobayes.errors import Fault, StudyError

if TYPE_CHECKING:
    from atrobayes.folder import Folder


def default_out(file: Path | None) -> Path:
    """Results folder when none is named: beside the table; of the founding paper in the current folder.

    Parameters
    ----------
    file : Path or None
        None: the paper's tables.
    """
    return Path("published-results") if file is None else file.absolute().parent / f"{file.stem}-results"


@contextmanager
def open_published(name: str, file: Path | None, out: Path | None) -> Iterator[Folder]:
    """Check, make and lock the results folder of a published table.

    Parameters
    ----------
    name : str
        Of the publication.
    file : Path or None
        The table; None: the paper's.
    out : Path or None
        As the option says.

    Raises
    ------
    StudyError
        As `open_folder`, and where it holds the results of a study.
    """
    from atrobayes import __version__
    from atrobayes.folder import KNOWN, open_folder

    path = out or default_out(file)
    if (
        out is None
        and file is not None
        and path.name not in KNOWN
        and (path.parent / "dataset_description.json").exists()
    ):
        raise StudyError(
            Fault("a table inside a results folder", "a folder for what is found", "name one with --out", str(file))
        )
    with open_folder(path) as folder:
        if (path / "estimates.tsv").exists():
            found, expected = "the results of a study", "an empty folder, or results of published tables"
            raise StudyError(Fault(found, expected, "choose another --out", str(path)))
        folder.describe(name, __version__)
        yield folder


def write_templates(path: Path) -> None:
    """Write empty tables of published numbers with a sidecar that explains every column, and say what to do next.

    Parameters
    ----------
    path : Path
        A folder gets estimates.tsv and summaries.tsv; a name that ends with .tsv is the table of estimates alone.

    Raises
    ------
    StudyError
        If one of the files is there.
    """
    import pandas as pd

    from atrobayes.data_prep.published_tables import COLUMNS, SUMMARY_COLUMNS
    from atrobayes.files import write_table

    wanted = {path: COLUMNS}
    if path.suffix != ".tsv":
        wanted = {path / "estimates.tsv": COLUMNS, path / "summaries.tsv": SUMMARY_COLUMNS}
    places = [file for table in wanted for file in (table, table.with_suffix(".json"))]
    there = [Fault("a file", "a free name", "name another place", str(file)) for file in places if file.exists()]
    if there:
        raise StudyError(there)
    for table, columns in wanted.items():
        write_table(table, pd.DataFrame(columns=[column.name for column in columns]), columns)
        typer.echo(f"{table}: an empty table; {table.with_suffix('.json').name} explains every column")
    files = " --summaries ".join(map(str, wanted))
    typer.echo(f"fill it in, then: atrobayes audit {files}; atrobayes reanalyse {files}")
