"""Which result a printed row is of, and which rows are of the same one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atrobayes.models.published_model import model_of

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import PublishedEstimate

# analysis, structure, term, group
type Name = tuple[str, str, str, str]

NUMBERS = ("estimate", "p", "r", "r2", "se", "ci_low", "ci_high")


def name_of(row: PublishedEstimate) -> Name:
    """Name of the result that a row is printed under: analysis, structure, term, group."""
    return row.analysis, row.structure, row.term, row.group


def same_model(one: PublishedEstimate, other: PublishedEstimate) -> bool:
    """Whether two rows of one name may be of one model.

    Parameters
    ----------
    one, other : PublishedEstimate
        Where nothing tells the model of one, the other must not state its own.
    """
    models = {model_of(one), model_of(other)}
    return len(models) == 1 or ("" in models and not (one.model or other.model))


def fullest(rows: Sequence[PublishedEstimate]) -> list[PublishedEstimate]:
    """One row for each name: with an estimate if there is one, then with most digits of p, then the first.

    Parameters
    ----------
    rows : sequence of PublishedEstimate
    """
    best: dict[Name, PublishedEstimate] = {}
    for row in rows:
        name = name_of(row)
        if name not in best or _fullness(row) > _fullness(best[name]):
            best[name] = row
    return list(best.values())


def _fullness(row: PublishedEstimate) -> tuple[bool, int]:
    return row.estimate is not None, row.p.places if row.p else -1
