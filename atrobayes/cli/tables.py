"""Short tables for the terminal."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from atrobayes.files import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

SAID = {
    "both_clear": "both clear",
    "classical_only": "classical only",
    "bayes_only": "Bayesian only",
    "neither": "neither",
    "opposite_sign": "opposite signs",
}


def print_table(table: pd.DataFrame, title: str | None = None, whole: Collection[str] = ()) -> None:
    """Print a small table on standard output; in the columns `whole` no cell is ever broken."""
    rows = [[str(value) for value in row] for row in table.to_numpy().tolist()]
    heads = [str(name) for name in table.columns]
    widths = [max(map(len, [*name.split(), *table[name]])) if name in whole else None for name in heads]
    _print(heads, rows, title, widths)


def print_flow(table: pd.DataFrame) -> None:
    """Print the flow of a study: a row each step, a column each group, the reasons of all groups together."""
    groups = list(dict.fromkeys(table["group"]))
    rows = []
    for (analysis, step), part in table.groupby(["analysis", "step"], sort=False):
        total = part[part["group"] == "ALL"].iloc[0]
        if step != "intervals":  # those analysed say how many are lost of them
            counts = part.set_index("group")["n"].reindex(groups)
            rows.append([analysis or step, *map(str, counts), str(total["lost"] or ""), total["reasons"]])
    _print(["step", *groups, "lost", "reasons"], rows)


def print_contrast(table: pd.DataFrame, most: int) -> None:
    """Print the rows with the smallest classical p, with what the posterior says of each."""
    first = table.sort_values("classical_p", kind="stable").head(most)
    rows = [
        [
            *(row.analysis, row.structure, row.term),
            *(short(row.classical_estimate), short(row.classical_p)),
            *(short(row.bayes_estimate), short(row.bayes_pd, ".3f"), SAID.get(str(row.verdict), str(row.verdict))),
        ]
        for row in first.itertuples()
    ]
    heads = ["analysis", "structure", "term", "classical", "p", "posterior mean", "pd", "verdict"]
    _print(heads, rows, title=f"The {len(first)} smallest classical p of {len(table)} (uncorrected)")


def print_verdicts(table: pd.DataFrame, most: int) -> None:
    """Print how many results are called what, and the surest results with what is said of each."""
    counts = table["verdict"].value_counts(sort=False)
    _print(["verdict", "results"], [[name, str(count)] for name, count in counts.items()])
    first = table.sort_values("pd", ascending=False, kind="stable").head(most)
    rows = [
        [
            *(row.analysis, row.structure, row.term, short(row.pd, ".3f")),
            *(short(row.share_sign, ".0%"), short(row.share_pd, ".0%"), row.verdict, row.reasons or ""),
        ]
        for row in first.itertuples()
    ]
    heads = ["analysis", "structure", "term", "pd", "forks: same sign", "pd clear", "verdict", "why"]
    _print(heads, rows, title=f"The {len(first)} surest of {len(table)} results")


def print_estimates(rows: pd.DataFrame) -> None:
    """Print the rows of one table: every method with its estimate, its interval, and its p or pd."""
    said = [
        [
            *(row.structure, row.term, row.method, short(row.estimate)),
            *(f"{short(row.ci_low)} to {short(row.ci_high)}", short(row.p), short(row.pd, ".3f")),
        ]
        for row in rows.itertuples()
    ]
    prob = float(rows["ci_prob"].max())
    heads = ["outcome", "term", "method", "estimate", f"{prob:.0%} interval", "p", "pd"]
    _print(heads, said, title="; ".join(dict.fromkeys(rows["unit"])))


def short(value: Any, form: str = ".3g") -> str:
    """Write a number for the terminal; n/a where missing."""
    return MISSING if math.isnan(value) else format(value, form)


def _print(
    heads: list[str], rows: list[list[Any]], title: str | None = None, widths: Sequence[int | None] = ()
) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    # close together where a cell would else be broken
    padding = (0, 1, 0, 0) if widths else (0, 1)
    table = Table(box=SIMPLE, title=title, title_justify="left", highlight=False, padding=padding)
    for head, width in zip_longest(heads, widths):
        table.add_column(head, width=width)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False)
    # a file or a pipe has no width: nothing may be cut there
    console = console if console.is_terminal else Console(markup=False, highlight=False, width=160)
    console.print(table)
