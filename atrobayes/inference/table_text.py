"""A table as one line of text and back, without loss: what workers send and the store keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_KINDS = "fiub"  # of numpy: float, signed and unsigned integer, bool
_CELLS = (str, bool, int, float, type(None))


def to_text(table: pd.DataFrame) -> str:
    """Write a table as one line; its index, which only counts rows, is left out.

    Parameters
    ----------
    table : DataFrame
        Columns of numbers, bools or texts (missing: NaN or None), each with a name of its own.

    Raises
    ------
    TypeError
        If a column is of another kind.
    """
    if not (table.columns.is_unique and all(isinstance(name, str) for name in table.columns)):
        raise TypeError("columns must have names, each once")
    columns = [[name, str(table[name].dtype), _cells(table[name])] for name in table.columns]
    # a float is written so that it reads back as itself; NaN, Infinity and -0.0 as Python writes them
    return json.dumps({"rows": len(table), "columns": columns}, separators=(",", ":"))


def _cells(column: pd.Series[Any]) -> list[Any]:
    cells = column.tolist()
    if column.dtype == "str":
        return [cell if isinstance(cell, str) else None for cell in cells]
    if column.dtype == object:
        known = all(type(cell) in _CELLS for cell in cells)
    else:
        known = column.dtype.kind in _KINDS and column.dtype == column.to_numpy().dtype
    if not known:
        raise TypeError(f"column {column.name!r} ({column.dtype}) holds other things than numbers and texts")
    return cells


def from_text(text: str) -> pd.DataFrame:
    """Read a table back: the same numbers, bit for bit, and the same kinds of columns.

    Parameters
    ----------
    text : str
        As `to_text` wrote it.
    """
    import pandas as pd

    kept = json.loads(text)
    columns = {name: pd.Series(cells, dtype=kind) for name, kind, cells in kept["columns"]}
    return pd.DataFrame(columns, index=pd.RangeIndex(kept["rows"]))
