"""Schemas of the clinical tables in pandera: what of a table breaks the rules of its columns and rows."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.data_prep.clinical_columns import ClinicalColumn, RowRule


def broken_cells(text: pd.DataFrame, columns: Mapping[str, ClinicalColumn]) -> list[tuple[int, str]]:
    """Find illegal cells.

    Parameters
    ----------
    text : DataFrame
        The table as text, indexed by row number.
    columns : mapping of str to ClinicalColumn
        Its known columns; others are not looked at.

    Returns
    -------
    list of (int, str)
        Row number and column of each.
    """
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {
            name: pa.Column(str, pa.Check(column.holds, element_wise=True))
            for name, column in columns.items()
            if name in text
        }
    )
    try:
        schema.validate(text, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        return [(int(str(row)), str(name)) for row, name in zip(cases["index"], cases["column"], strict=True)]
    return []


def broken_rules(
    cells: pd.DataFrame, rules: Sequence[RowRule], illegal: Container[tuple[int, str]]
) -> list[tuple[int, RowRule]]:
    """Find rows that break a rule.

    Parameters
    ----------
    cells : DataFrame
        The table as values, indexed by row number.
    rules : sequence of RowRule
    illegal : container of (int, str)
        Cells that could not be read: a rule that reads one of them does not judge the row.

    Returns
    -------
    list of (int, RowRule)
        Row number and rule, rule by rule.
    """
    import pandera.pandas as pa

    def check(rule: RowRule) -> Any:
        unread = np.array([any((row, name) in illegal for name in rule.reads) for row in cells.index], dtype=bool)
        return pa.Check(lambda rows: rule.kept(rows) | unread, name=str(rules.index(rule)))

    try:
        pa.DataFrameSchema(checks=[check(rule) for rule in rules]).validate(cells, lazy=True)
    except pa.errors.SchemaErrors as errors:
        # a failure case for each cell of the row
        cases = errors.failure_cases[["check", "index"]].drop_duplicates()
        return [(int(str(row)), rules[int(rule)]) for rule, row in cases.itertuples(index=False, name=None)]
    return []
