"""What is shown of reanalysis.tsv: every published slope at one prior, alone and together with others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.data_prep.printed import is_below
from atrobayes.models.priors import SLOPE_SD

BASE = SLOPE_SD["regularising"]


def shown_slopes(found: pd.DataFrame) -> pd.DataFrame:
    """Published slopes with a posterior, one a row, in the table's order.

    Parameters
    ----------
    found : DataFrame
        With the columns of reanalysis.tsv.

    Returns
    -------
    DataFrame
        The rows alone under the prior BASE (of t and normal likelihood the former, where both are there), and the
        probability of the published sign: `sign` alone, `sign_structures_low` and `sign_structures_high` over the
        assumed error correlations, `sign_groups`; NaN where nothing was shrunk with it.
    """
    rows = at_base(found, "alone").drop_duplicates("row")
    sign = ["row", "likelihood", "sign"]
    structures = at_base(found, "structures")[sign].groupby(sign[:2])["sign"].agg(["min", "max"]).reset_index()
    names = {"min": "sign_structures_low", "max": "sign_structures_high"}
    groups = at_base(found, "groups")[sign].rename(columns={"sign": "sign_groups"})
    rows = rows.merge(structures.rename(columns=names), on=sign[:2], how="left", validate="one_to_one")
    return rows.merge(groups, on=sign[:2], how="left", validate="one_to_one")


def at_base(found: pd.DataFrame, together: str) -> pd.DataFrame:
    """Rows of published slopes under the prior BASE, with the probability of the published sign as `sign`.

    Parameters
    ----------
    found : DataFrame
        With the columns of reanalysis.tsv.
    together : str
        Its level of `together`: "alone", "structures" or "groups".
    """
    rows = found[(found["together"] == together) & (found["prior_s"] == BASE) & found["row"].notna()]
    same = np.sign(rows["median"].astype(float)) == np.sign(rows["published"].astype(float))
    return rows.assign(sign=np.where(same, rows["pd"], 1 - rows["pd"]).astype(float))


def p_below(rows: pd.DataFrame, limit: float) -> pd.Series:
    """Whether each published p is below a limit, bounds by what they say.

    Parameters
    ----------
    rows : DataFrame
        With the columns `p` and `p_bound`.
    limit : float

    Returns
    -------
    Series of bool
        With the index of `rows`; false where no p is published.
    """
    cells = zip(rows["p"], rows["p_bound"], strict=True)
    return pd.Series([is_below(p, bound, limit) for p, bound in cells], rows.index, dtype=bool)


def interactions(found: pd.DataFrame) -> pd.DataFrame:
    """Differences of two groups' slopes, shrunk together, under the prior BASE; of t and normal the former.

    Parameters
    ----------
    found : DataFrame
        With the columns of reanalysis.tsv.
    """
    rows = found[(found["term"] == "interaction") & (found["prior_s"] == BASE)]
    return rows.drop_duplicates(["source", "analysis", "structure", "group"])


def without_posterior(found: pd.DataFrame) -> pd.DataFrame:
    """Published slopes that have no posterior, one a row; why is in `status`.

    Parameters
    ----------
    found : DataFrame
        With the columns of reanalysis.tsv.
    """
    rows = found[found["status"] != "posterior"]
    return rows.drop_duplicates("row").assign(status=rows["status"].map(_reason))


def _reason(status: str) -> str:
    """What is lacking; the first part of a status says which model was assumed."""
    return status.rpartition("; ")[2].removesuffix(": no posterior")
