"""Any long table, one row per observation: tab, comma or semicolon between the cells."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atrobayes.data_prep.clinical_columns import IllegalCellError, read_number
from atrobayes.errors import DataError, Fault

# how R, pandas, spreadsheets and we ourselves write that a value is missing
_MISSING = frozenset({"", "n/a", "N/A", "NA", "NaN"})
_MOST_TEXTS = 3  # texts named of a column that holds nothing but text


@dataclass(frozen=True)
class _Text:
    """A table as written: header, and rows by the line they begin on."""

    path: Path
    header: list[str]
    rows: dict[int, list[str]]


def read_long_table(path: Path, numbers: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a table.

    Parameters
    ----------
    path : Path
        UTF-8 (a byte-order mark is tolerated), one header line; cells separated by tabs, commas or semicolons
        and quoted or not. Missing are empty cells, n/a, N/A, NA and NaN.
    numbers, labels : sequence of str
        Columns to read as numbers and as text; whatever else the table has is passed over.

    Returns
    -------
    DataFrame
        These columns, `float64` with NaN and `str` with NA where missing. The index is each row's line number
        in the file (the header is line 1).

    Raises
    ------
    DataError
        If the file is absent, not UTF-8 or no table, a column is not there or there twice, rows have another
        length than the header, or a number is none; all of it at once.
    """
    table = _split(path)
    names = [*numbers, *labels]
    faults = _length_faults(table) + [fault for name in names for fault in _name_faults(table, name)]
    whole = {line: cells for line, cells in table.rows.items() if len(cells) == len(table.header)}
    columns: dict[str, pd.Series] = {}
    for name in names:
        if table.header.count(name) == 1:
            place = table.header.index(name)
            texts = {line: cells[place].strip() for line, cells in whole.items()}
            columns[name] = _labels(texts) if name in labels else _numbers(path, name, texts, faults)
    if faults:
        raise DataError(faults)
    return pd.DataFrame(columns, index=pd.Index(list(whole), name="line", dtype="int64"))


def _split(path: Path) -> _Text:
    text = _text_of(path)
    if not text.strip():
        raise DataError(Fault("an empty file", "a header line and rows", "write the column names first", str(path)))
    rows: dict[int, list[str]] = {}
    # newline="": a line end inside quotes stays part of its cell
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(path, text), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows[begins] = cells
            begins = reader.line_num + 1
    except csv.Error as error:
        fault = Fault(f"{error}", "cells whose quotes are closed", "mend the quotes", str(path), begins)
        raise DataError(fault) from error
    head = min(rows)
    return _Text(path, [name.strip() for name in rows.pop(head)], rows)


def _text_of(path: Path) -> str:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise DataError(Fault(found, "a table", "name the file", str(path)))
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start}"
        raise DataError(Fault(found, "UTF-8 text", "save it as UTF-8", str(path))) from error


def _separator(path: Path, text: str) -> str:
    """What separates the names of the header; cells may hold commas of their own."""
    header = next(line for line in text.splitlines() if line.strip())
    if "\t" in header:
        return "\t"
    try:
        return str(csv.Sniffer().sniff(header, delimiters=",;").delimiter)
    except csv.Error as error:
        found, expected = "a header of one column", "several, separated by tabs, commas or semicolons"
        raise DataError(Fault(found, expected, "save it as TSV or CSV", str(path), 1)) from error


def _length_faults(table: _Text) -> list[Fault]:
    expected = f"{len(table.header)} as in the header"
    todo = "add or remove separators; row names need a name in the header, decimals a point"
    return [
        Fault(f"{len(cells)} cells", expected, todo, str(table.path), line)
        for line, cells in table.rows.items()
        if len(cells) != len(table.header)
    ]


def _name_faults(table: _Text, name: str) -> list[Fault]:
    times, place = table.header.count(name), (str(table.path), 1, name)
    if times > 1:
        return [Fault(f"this column {times} times", "it once", "rename the others", *place)]
    if times == 1:
        return []
    near = difflib.get_close_matches(name, table.header, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "name one of them"
    return [Fault("no such column", f"one of {', '.join(filter(None, table.header))}", todo, *place)]


def _labels(texts: dict[int, str]) -> pd.Series:
    return pd.Series([None if text in _MISSING else text for text in texts.values()], index=list(texts), dtype="str")


def _numbers(path: Path, name: str, texts: dict[int, str], faults: list[Fault]) -> pd.Series:
    """Read a column as numbers; what is none of them becomes NaN and a fault."""
    read = {line: _number(text) for line, text in texts.items()}
    wrong = {line: advice for line, advice in read.items() if isinstance(advice, str)}
    if wrong and len(wrong) == sum(text not in _MISSING for text in texts.values()) and not _with_comma(wrong.values()):
        faults.append(_no_numbers(path, name, [texts[line] for line in wrong]))
    else:
        faults += [_no_number(path, name, line, texts[line], advice) for line, advice in wrong.items()]
    values = [math.nan if isinstance(value, str) else value for value in read.values()]
    return pd.Series(values, index=list(texts), dtype="float64")


def _number(text: str) -> float | str:
    """Value of a cell, or what to write instead."""
    if text in _MISSING:
        return math.nan
    try:
        value = read_number(text)
    except IllegalCellError as error:
        return str(error)
    return "write a finite number" if math.isinf(value) else value


def _with_comma(advices: Iterable[str]) -> bool:
    return any("comma" in advice for advice in advices)


def _no_number(path: Path, name: str, line: int, text: str, advice: str) -> Fault:
    # equal words for every line: such a file has a comma in each of them, and one line shall say so
    found = "a decimal comma" if "comma" in advice else repr(text)
    return Fault(found, "a number", advice, str(path), line, name)


def _no_numbers(path: Path, name: str, texts: Sequence[str]) -> Fault:
    distinct = list(dict.fromkeys(texts))
    some = ", ".join(map(repr, distinct[:_MOST_TEXTS])) + ", ..." * (len(distinct) > _MOST_TEXTS)
    todo = "code two states as 0 and 1" if len(distinct) == 2 else "choose a column of numbers"
    return Fault(f"text ({some})", "numbers", todo, str(path), column=name)
