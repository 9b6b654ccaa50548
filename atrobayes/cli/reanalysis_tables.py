"""What the terminal shows of a reanalysis: how large each published slope is, and how sure its sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrobayes.cli.tables import print_table, short
from atrobayes.reports.results import each_row

if TYPE_CHECKING:
    import pandas as pd

_NAME = "result"


def print_sizes(rows: pd.DataFrame, title: str) -> None:
    """Print published and posterior slopes, each from its own numbers.

    Parameters
    ----------
    rows : DataFrame
        As `shown_slopes` gives them.
    title : str
    """
    prior, level = float(rows["prior_s"].iloc[0]), float(rows["ci_prob"].iloc[0])
    interval = f"{level:.3g} equal-tailed" if level * 100 % 1 else f"{level:.0%} equal-tailed"
    cells = [
        {
            _NAME: f"{row.source} {row.structure} {row.group}",
            "slope": short(row.published),
            "p": f"{row.p_bound} {short(row.p)}".strip(),
            "mean": short(row.estimate),
            interval: f"{short(row.ci_low)} to {short(row.ci_high)}",
            "shrunk by": short(row.shrinkage, ".0%"),
        }
        for row in each_row(rows)
    ]
    _print(
        cells,
        f"{title}\nHow large: slope and p as published; posterior mean and interval, each alone, "
        f"under the prior N(0, {prior:g}) in SDs of outcome and predictor",
    )


def print_signs(rows: pd.DataFrame) -> None:
    """Print the probability of each published sign, alone and together, and what it rests on.

    Parameters
    ----------
    rows : DataFrame
        As `shown_slopes` gives them.
    """
    cells = [
        {
            _NAME: f"{row.source} {row.structure} {row.group}",
            "alone": _sure(row.sign),
            "with structures": _range(row.sign_structures_low, row.sign_structures_high),
            "with groups": _sure(row.sign_groups),
            "unsure, prior SD": _tipping(row),
            "type S": short(row.type_s, ".1g"),
            "type M": short(row.type_m, ".2f"),
        }
        for row in each_row(rows)
    ]
    _print(
        cells,
        "How sure: probability of the published sign, alone and shrunk together with other structures (over the "
        "assumed error correlations) or groups",
    )


def _print(cells: list[dict[str, str]], title: str) -> None:
    import pandas as pd

    print_table(pd.DataFrame(cells), title, whole=[name for name in cells[0] if name != _NAME])


def _sure(value: float) -> str:
    return "> 0.999" if value >= 0.9995 else short(value, ".3f")


def _range(low: float, high: float) -> str:
    ends = _sure(low), _sure(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _tipping(row: Any) -> str:
    said = {
        "narrower": f"< {short(row.tipping_s, '.2g')}",
        "wider": f"> {short(row.tipping_s, '.2g')}",
        "below": "any",
        "above": "none",
    }
    return said[row.tipping_reason]
