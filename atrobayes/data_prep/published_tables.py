"""Tables of published results: what was printed, row by row."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrobayes.data_prep.printed import Printed, exactly
from atrobayes.data_prep.published_cells import Limits, Reader, read_rows
from atrobayes.data_prep.published_columns import (
    COLUMNS,
    KINDS,
    MODELS,
    NEEDED,
    SUMMARY_COLUMNS,
    SUMMARY_NEEDED,
    TERMS,
)
from atrobayes.errors import DataError, Fault, attempt
from atrobayes.files import MISSING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "SUMMARY_COLUMNS", "Published", "PublishedEstimate", "PublishedSummary"]

THE_PAPER = "the founding paper"
_AMOUNT = Limits(0, math.inf, "a number, 0 or more")
_DF = Limits(sys.float_info.min, math.inf, "a number above 0", bounds=False)
_STEP = Limits(0, math.inf, "a number, 0 or more", bounds=False)
_SHARE = Limits(0, 1, "a number from 0 to 1")
_CORRELATION = Limits(-1, 1, "a number from -1 to 1")
_PERCENTAGE = Limits(0, 100, "a number from 0 to 100")
_MODEL_WORDS = {"simple regression": "ordinary", "ordinary regression": "ordinary", "mixed model": "mixed"}
# engines of classical rows whose numbers are slopes or their differences
_OWN_MODELS = {"ols": "ordinary", "reml": "mixed"}
_LEVEL = 0.95  # of the intervals that published tables hold
_OURS = frozenset({"method", "engine", "n_obs", "sd", "fit_id"})


@dataclass(frozen=True)
class PublishedEstimate:
    """One printed slope, interaction, difference or correlation.

    Attributes
    ----------
    row : int
        Line of the file.
    source, analysis, structure, term, group : str
        As the table names them; term is "slope", "interaction", "difference" or "correlation"; the group of an
        interaction names its two groups with a hyphen between.
    n : int or None
        Rows of data it rests on.
    estimate, p, r, r2, se, ci_low, ci_high : Printed or None
    df : float or None
    model : str
        "ordinary", "mixed", or "" where the table does not say.
    parts : tuple of str
        Structures that the row's structure is exactly the sum of; () where the table does not say.
    note : str
    """

    row: int
    source: str
    analysis: str
    structure: str
    term: str
    group: str
    n: int | None = None
    estimate: Printed | None = None
    p: Printed | None = None
    r: Printed | None = None
    r2: Printed | None = None
    se: Printed | None = None
    df: float | None = None
    ci_low: Printed | None = None
    ci_high: Printed | None = None
    model: str = ""
    parts: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class PublishedSummary:
    """One printed mean, median or percentage.

    Attributes
    ----------
    row : int
        Line of the file.
    source, quantity, group : str
    n : int or None
        Patients it rests on.
    kind : str
        "mean", "median" or "percent".
    value : Printed or None
    granularity : float or None
        Step of a single person's value: 1 for counts, 0.5 for half points; of percentages, the persons counted at
        once. None: no step.
    p : Printed or None
        Of the comparison of the groups.
    """

    row: int
    source: str
    quantity: str
    group: str
    n: int | None
    kind: str
    value: Printed | None
    granularity: float | None
    p: Printed | None


@dataclass(frozen=True)
class Published:
    """Printed tables of one publication.

    Attributes
    ----------
    name : str
        Of the publication or file, for people.
    estimates : tuple of PublishedEstimate
    summaries : tuple of PublishedSummary
    notes : tuple of str
        What was read otherwise than it stood.
    """

    name: str
    estimates: tuple[PublishedEstimate, ...]
    summaries: tuple[PublishedSummary, ...] = ()
    notes: tuple[str, ...] = ()


def read_published(estimates: Path | None = None, summaries: Path | None = None) -> Published:
    """Read tables of published numbers.

    Parameters
    ----------
    estimates, summaries : Path, optional
        Tab-separated, with the columns of COLUMNS and SUMMARY_COLUMNS; our own estimates.tsv is translated. Neither
        given: the founding paper's, which are part of the package.

    Raises
    ------
    DataError
        If a file, its header or a cell is not what it should be; all of it at once.
    """
    if estimates is None and summaries is None:
        folder = Path(str(files("atrobayes.data_prep") / "published"))
        return _read(THE_PAPER, folder / "estimates.tsv", folder / "summaries.tsv")
    named = estimates or summaries
    assert named is not None
    return _read(named.name, estimates, summaries)


def of_estimates(
    table: pd.DataFrame, name: str = "estimates.tsv", adjusted: Collection[str] = frozenset()
) -> Published:
    """Translate our own table of estimates: its classical rows, as if printed with eight significant digits.

    Parameters
    ----------
    table : DataFrame
        With the columns of estimates.tsv, as numbers or as the text of the file.
    name : str
        Stands as the source of every row.
    adjusted : collection of str
        Analyses with covariates: their interactions are left out, because slopes that share covariates are not
        independent.
    """
    rows = table[(table["method"] == "classical") & table["engine"].isin(_OWN_MODELS)]
    rows = rows[~(rows["analysis"].isin(list(adjusted)) & rows["term"].str.startswith("interaction"))]
    groups: dict[tuple[str, str], list[str]] = {}
    for analysis, structure, term in zip(rows["analysis"], rows["structure"], rows["term"], strict=True):
        if term.startswith("slope[") and term != "slope[ALL]":
            groups.setdefault((analysis, structure), []).append(term[len("slope[") : -1])
    records = zip(rows.index, rows.to_dict("records"), strict=True)
    return Published(
        name,
        tuple(_own(row, int(line), name, groups.get((row["analysis"], row["structure"]), [])) for line, row in records),
    )


def _read(name: str, estimates: Path | None, summaries: Path | None) -> Published:
    faults: list[Fault] = []
    parts = [
        part
        for path, read in ((estimates, _read_estimates), (summaries, _read_summaries))
        if path is not None and (part := attempt(lambda path=path, read=read: read(path), faults)) is not None  # type: ignore[misc]
    ]
    if faults:
        raise DataError(faults)
    return Published(
        name,
        tuple(row for part in parts for row in part.estimates),
        tuple(row for part in parts for row in part.summaries),
        tuple(note for part in parts for note in part.notes),
    )


def _read_estimates(path: Path) -> Published:
    table = read_rows(path)
    if set(table.columns) >= _OURS:
        return of_estimates(table, path.name)
    reader = Reader(path, table, COLUMNS, NEEDED)
    rows = tuple(_estimate(reader, line) for line in reader.lines())
    if reader.faults:
        raise DataError(reader.faults)
    return Published(path.name, rows, (), tuple(reader.notes()))


def _read_summaries(path: Path) -> Published:
    reader = Reader(path, read_rows(path), SUMMARY_COLUMNS, SUMMARY_NEEDED)
    rows = tuple(_summary(reader, line) for line in reader.lines())
    if reader.faults:
        raise DataError(reader.faults)
    return Published(path.name, (), rows, tuple(reader.notes()))


def _estimate(reader: Reader, line: int) -> PublishedEstimate:
    places = reader.whole(line, "printed_digits", 0, "a number of decimal places")
    df = reader.printed(line, "df", _DF)
    low, high = (reader.printed(line, name, None, places) for name in ("ci_low", "ci_high"))
    if low and high and low.value > high.value:
        reader.fault(line, "ci_low", f"{low.text} above {high.text}", "the lower end of the interval", "swap the ends")
    note = reader.text(line, "note")
    return PublishedEstimate(
        row=line,
        source=reader.text(line, "source"),
        analysis=reader.label(line, "analysis"),
        structure=reader.label(line, "structure"),
        term=reader.label(line, "term", list(TERMS)),
        group=reader.label(line, "group"),
        n=reader.whole(line, "n", 3, "a whole number, 3 or more: with fewer rows a slope has no p"),
        estimate=reader.printed(line, "estimate", None, places),
        p=_p(reader, line),
        r=reader.printed(line, "r", _CORRELATION),
        r2=reader.printed(line, "r2", _SHARE),
        se=reader.printed(line, "se", _AMOUNT, places),
        df=df.value if df else None,
        ci_low=low,
        ci_high=high,
        model=reader.text(line, "model", list(MODELS)) or _model_in(note),
        parts=tuple(filter(None, map(str.strip, reader.text(line, "parts").split("+")))),
        note=note,
    )


def _summary(reader: Reader, line: int) -> PublishedSummary:
    kind = reader.label(line, "kind", list(KINDS))
    step = reader.printed(line, "granularity", _STEP)
    return PublishedSummary(
        line,
        reader.text(line, "source"),
        reader.label(line, "quantity"),
        reader.label(line, "group"),
        reader.whole(line, "n", 1, "a whole number, 1 or more"),
        kind,
        reader.printed(line, "value", _PERCENTAGE if kind == "percent" else None),
        step.value if step else None,
        _p(reader, line),
    )


def _p(reader: Reader, line: int) -> Printed | None:
    p = reader.printed(line, "p", _SHARE)
    if p and p.value == 0 and (p.places <= 0 or p.bound == "<"):
        reader.fault(line, "p", repr(p.text), "a p-value above 0", "write it as printed, such as 0.000 or <0.001")
        return None
    return p


def _model_in(note: str) -> str:
    return next((model for words, model in _MODEL_WORDS.items() if words in note.lower()), "")


def _own(row: Mapping[Any, Any], line: int, name: str, groups: Sequence[str]) -> PublishedEstimate:
    term, _, rest = str(row["term"]).partition("[")
    df, n, level = (_exact(row.get(own)) for own in ("df", "n_obs", "ci_prob"))
    usual = level is not None and level.value == _LEVEL
    return PublishedEstimate(
        row=line,
        source=name,
        analysis=str(row["analysis"]),
        structure=str(row["structure"]),
        term=term,
        group=rest.rstrip("]") or ("-".join(groups) if term == "interaction" else "ALL"),
        n=int(n.value) if n else None,
        estimate=_exact(row.get("estimate")),
        p=_exact(row.get("p")),
        r2=_exact(row.get("r2")),
        se=_exact(row.get("sd")),
        df=df.value if df else None,
        ci_low=_exact(row.get("ci_low")) if usual else None,
        ci_high=_exact(row.get("ci_high")) if usual else None,
        model=_OWN_MODELS[str(row["engine"])],
    )


def _exact(value: Any) -> Printed | None:
    number = math.nan if value in {None, MISSING} else float(value)
    return exactly(number) if math.isfinite(number) else None
