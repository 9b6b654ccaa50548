"""Tables of a reanalysis for the page: alone, together, what the digits leave open, other priors, differences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from atrobayes.inference.reanalysis.groups import FEWEST_DF, MOST_GROUPS
from atrobayes.reports.reanalysis_rows import at_base
from atrobayes.reports.results import each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import (
    MINUS,
    between,
    decimals,
    fixed,
    level,
    listed,
    number,
    probability,
    structure_name,
)

FILE = "reanalysis.tsv"


def alone_table(name: str, shown: pd.DataFrame, audited: Mapping[float, str]) -> Table:
    """Each slope from its own numbers: as published, and its posterior.

    Parameters
    ----------
    name : str
        Anchor.
    shown : DataFrame
        Some rows of `shown_slopes`.
    audited : mapping of float to str
        What the audit says of a row whose digits do not fit others, by `row`.
    """
    cells = [
        _named(row)
        | {
            "Published": printed(row.published),
            "p": _p(row),
            "Posterior mean": fixed(row.estimate, _places(row)),
            f"{level(shown)} equal-tailed": between(row.ci_low, row.ci_high, _places(row)),
            "Shrunk by": _percent(row.shrinkage),
            "Sign as published": probability(row.sign),
            "Sign 95% sure": tipping_words(row),
            "Type S": probability(row.type_s),
            "Type M": number(row.type_m),
        }
        | ({"Digits in the audit": audited.get(row.row, "")} if audited else {})
        for row in each_row(shown)
    ]
    found = " Digits in the audit: empty where it found nothing." if audited else ""
    details = (
        "Slopes in their published unit. Sign as published: its posterior probability. What the columns after it say "
        f"is told at the head of the section.{found}"
    )
    return Table(name, pd.DataFrame(cells), "Each slope alone, from its own printed numbers.", FILE, details)


def printed(value: float) -> str:
    """Write a number with all the digits it has in the table; n/a where missing."""
    return "n/a" if math.isnan(value) else f"{Decimal(f'{value:.8g}'):f}".replace("-", MINUS)


def tipping_words(row: Any) -> str:
    """Say from which prior on the sign of a slope is 95% sure.

    Parameters
    ----------
    row : row of reanalysis.tsv
        With tipping_s and tipping_reason.
    """
    said = {
        "narrower": f"if wider than {number(row.tipping_s, 2)}",
        "wider": f"if narrower than {number(row.tipping_s, 2)}",
        "below": "with no prior",
        "above": "with every prior",
    }
    return said.get(row.tipping_reason, "n/a")


def together_table(name: str, shown: pd.DataFrame, found: pd.DataFrame) -> Table | None:
    """Probability of each published sign, shrunk together with structures and with groups; None where none was.

    Parameters
    ----------
    name : str
        Anchor.
    shown : DataFrame
        Some rows of `shown_slopes`.
    found : DataFrame
        All rows of reanalysis.tsv.
    """
    keys = shown[["row", "likelihood"]]
    structures, groups = at_base(found, "structures").merge(keys), at_base(found, "groups").merge(keys)
    if not len(structures) + len(groups):
        return None
    by_correlation = structures.groupby("error_correlation")
    columns = {f"Structures, errors correlated {rho:g}": _by_row(own) for rho, own in by_correlation}
    columns |= {"Groups": _by_row(groups)} if len(groups) else {}
    cells = [
        _named(row)
        | {"Alone": _mean_and_sign(row)}
        | {head: _mean_and_sign(own[row.row]) if row.row in own else "n/a" for head, own in columns.items()}
        for row in each_row(shown)
    ]
    details = (
        "Posterior mean, and in brackets the probability of the published sign. Structures: shrunk together, for each "
        f"assumed correlation of their errors{_with(structures)}. n/a: a structure that contains others, or nothing to "
        f"be shrunk with. More than {MOST_GROUPS} groups are not shrunk together, nor {MOST_GROUPS} of separate "
        f"regressions where one has fewer than {FEWEST_DF} degrees of freedom."
    )
    caption = "The same slopes, shrunk together with other structures or other groups."
    return Table(name, pd.DataFrame(cells), caption, FILE, details)


def digits_table(name: str, shown: pd.DataFrame) -> Table:
    """What the printed digits leave open: ranges over all numbers that would have been printed so.

    Parameters
    ----------
    name : str
        Anchor.
    shown : DataFrame
        Some rows of `shown_slopes`.
    """
    cells = [
        _named(row)
        | {
            "Standard error": _span(row.se_low, row.se_high),
            "Posterior mean": _span(row.estimate_least, row.estimate_most),
            f"Lower end, {level(shown)}": _span(row.ci_low_least, row.ci_low_most),
            f"Upper end, {level(shown)}": _span(row.ci_high_least, row.ci_high_most),
            "pd": _sure_span(row.pd_least, row.pd_most),
        }
        for row in each_row(shown)
    ]
    caption = "What the printed digits leave open, each slope alone"
    details = "Lowest and highest over all numbers that would have been printed with the same digits by rounding."
    return Table(name, pd.DataFrame(cells), caption, FILE, details, folded=True)


def ladder_table(name: str, shown: pd.DataFrame, found: pd.DataFrame) -> Table:
    """Posterior mean and pd of each slope alone under every prior of the ladder.

    Parameters
    ----------
    name : str
        Anchor.
    shown : DataFrame
        Some rows of `shown_slopes`.
    found : DataFrame
        All rows of reanalysis.tsv.
    """
    alone = found[found["together"] == "alone"].merge(shown[["row", "likelihood"]])
    alone = alone.assign(sign=alone["pd"])
    rungs = {f"Prior SD {s:g}": _by_row(own) for s, own in alone.groupby("prior_s")}
    cells = [
        _named(row) | {head: _mean_and_sign(own[row.row]) for head, own in rungs.items()} for row in each_row(shown)
    ]
    caption = "The same slopes under narrower and wider priors, each alone"
    details = "Posterior mean (probability of the published sign), by standardised SD of the slope's prior."
    return Table(name, pd.DataFrame(cells), caption, FILE, details, folded=True)


def difference_table(name: str, rows: pd.DataFrame) -> Table:
    """Differences of two groups' slopes, shrunk together.

    Parameters
    ----------
    name : str
        Anchor.
    rows : DataFrame
        As `interactions` gives them.
    """
    cells = [
        {
            "Structure": structure_name(row.structure),
            "Difference": row.group.replace("-", f" {MINUS} ") if row.group.count("-") == 1 else row.group,
            "Of the published slopes": printed(row.published),
            "Posterior mean": fixed(row.estimate, _places(row)),
            f"{level(rows)} equal-tailed": between(row.ci_low, row.ci_high, _places(row)),
            "pd": probability(row.pd),
        }
        for row in each_row(rows)
    ]
    details = "Groups shrunk together; pd: probability of the direction that the posterior shows."
    return Table(name, pd.DataFrame(cells), "Differences of the groups' slopes.", FILE, details)


def refused_table(name: str, rows: pd.DataFrame) -> Table:
    """Published slopes that have no posterior, and why.

    Parameters
    ----------
    name : str
        Anchor.
    rows : DataFrame
        As `without_posterior` gives them.
    """
    cells = [
        {"Where": row.source}
        | _named(row)
        | {
            "Published": printed(row.published),
            "p": _p(row),
            "Standard error, as the digits allow": _span(row.se_low, row.se_high),
            "Why": row.status,
        }
        for row in each_row(rows)
    ]
    return Table(name, pd.DataFrame(cells), "Slopes without a posterior.", FILE)


def _named(row: Any) -> dict[str, str]:
    return {
        "Structure": structure_name(row.structure),
        "Group": "all" if row.group == "ALL" else row.group,
    }


def _p(row: Any) -> str:
    return f"{row.p_bound} {printed(row.p)}".strip()


def _places(row: Any) -> int:
    return decimals([(row.ci_high - row.ci_low) / 2], [row.ci_low, row.ci_high])


def _by_row(rows: pd.DataFrame) -> dict[float, Any]:
    return {row.row: row for row in each_row(rows)}


def _mean_and_sign(row: Any) -> str:
    return f"{fixed(row.estimate, _places(row))} ({probability(row.sign)})"


def _with(structures: pd.DataFrame) -> str:
    sets = [note.removeprefix("with ").split(", ") for note in structures["note"].drop_duplicates()]
    if len(sets) != 1:
        return ""
    return f" ({listed(structure_name(name) for name in sets[0])})"


def _percent(share: float) -> str:
    return "n/a" if math.isnan(share) else f"{100 * share:.0f}%".replace("-", MINUS)


def _span(low: float, high: float) -> str:
    ends = number(low), number(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _sure_span(low: float, high: float) -> str:
    ends = probability(low), probability(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
