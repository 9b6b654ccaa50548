"""What a fork does to the rows of its analysis: which are left, and what becomes of the predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from atrobayes.models.analysis_rows import Rows
from atrobayes.models.forks import Fork

LARGEST_COUNT = 20
WINSORISED_AT = 0.95
PATIENT_MEAN = "patient_mean"

# level → what becomes of the counts; rows whose count becomes missing are left out
_OUTLIERS: Mapping[str, Callable[[pd.Series], pd.Series]] = MappingProxyType(
    {
        "drop_over_20": lambda counts: counts.where(counts <= LARGEST_COUNT),
        "winsorise_95": lambda counts: counts.clip(upper=float(np.quantile(counts, WINSORISED_AT))),
        "log1p": np.log1p,
    }
)


def change_rows(rows: Rows, fork: Fork, sides: pd.DataFrame) -> tuple[Rows, tuple[str, ...]]:
    """Rows of a fork, from those of its analysis under the fork's timing, outcome and covariates.

    Parameters
    ----------
    rows : Rows
    fork : Fork
    sides : DataFrame
        Columns that tell the groups apart, indexed like the rows; no column where they are not told apart.

    Returns
    -------
    Rows
        Without the first interval, and with the predictor changed, as the fork says. The 95th percentile is that of
        the rows the fork has left, by linear interpolation.
    tuple of str
        Covariates added: of a split predictor the patient's mean over the rows left, and its product with the sides.
    """
    table = rows.table[rows.table[list(rows.structures)].notna().any(axis=1)]
    if fork.level("intervals") == "without_first":
        table = table[table["visit_from"] > 0]
    change = _OUTLIERS.get(fork.level("outliers"))
    if change is not None and len(table):
        table = table.assign(**{rows.predictor: change(table[rows.predictor])})
        table = table[table[rows.predictor].notna()]
    if fork.level("predictor") != "split":
        return replace(rows, table=table), ()
    columns = _split(table, rows.predictor, sides.loc[table.index])
    added = tuple(name for name in columns if name != rows.predictor)
    return replace(rows, table=table.assign(**columns)), added


def _split(table: pd.DataFrame, predictor: str, sides: pd.DataFrame) -> dict[str, pd.Series]:
    counts = table.groupby("patient")[predictor]
    mean = counts.transform("mean")
    # the mean of equal numbers is not quite that number
    deviation = (table[predictor] - mean).where(counts.transform("max") > counts.transform("min"), 0.0)
    # centred before it is multiplied, so that the sides' own coefficients stay what they are at the mean
    products = {f"{PATIENT_MEAN}:{name}": (mean - mean.mean()) * sides[name] for name in sides}
    return {predictor: deviation, PATIENT_MEAN: mean} | products
