"""Which kind of model a published row comes from, and so what may be worked out from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrobayes.models.analyses import CATALOGUE

if TYPE_CHECKING:
    from atrobayes.data_prep.published_tables import PublishedEstimate

_OTHER = re.compile(
    r"mixed|multilevel|hierarchical|random (effect|intercept)|\bGEE\b|multiple|multivaria|adjusted|covariate|partial"
    r"|spearman|kendall|\brank|robust|logistic",
    re.IGNORECASE,
)
_KINDS = {"regression": "ordinary", "mixed": "mixed"}


def model_of(row: PublishedEstimate) -> str:
    """Kind of model of a row.

    Parameters
    ----------
    row : PublishedEstimate

    Returns
    -------
    str
        "ordinary": least squares on one predictor, n - 2 degrees of freedom; "mixed": with patient effects; ""
        where nothing tells. What the table says comes first, then the catalogue of analyses, by its id; else a
        printed r or R² makes a slope "ordinary", unless its note speaks of another model.
    """
    if row.model:
        return row.model
    known = CATALOGUE.get(row.analysis)
    if known is not None:
        return _KINDS.get(known.kind, "")
    if row.term not in {"slope", "correlation"} or _OTHER.search(row.note):
        return ""
    return "ordinary" if row.r or row.r2 else ""
