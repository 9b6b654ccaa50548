"""Multiplicity: adjusted p-values over the structures of one analysis and one term."""

from __future__ import annotations

import numpy as np
import pandas as pd


def adjust(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `q_bh` and `p_holm` to classical rows.

    Parameters
    ----------
    rows : DataFrame
        Columns analysis, structure, term, method, p; NaN p (not estimable) stays out of its family.

    Returns
    -------
    DataFrame
        The same rows with the two columns set. Read q_bh as: calling all rows with a smaller q clear
        would make at most that share of them false ones, on average.

    Notes
    -----
    Benjamini & Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Holm (1979), Scand. J. Statist. 6:65.
    """
    out = rows.copy()
    families = out.groupby(["analysis", "term", "method"], sort=False)["p"]
    return out.assign(q_bh=families.transform(benjamini_hochberg), p_holm=families.transform(holm))


def benjamini_hochberg(p: pd.Series) -> pd.Series:
    """False-discovery-rate adjusted p-values; NaN stays NaN."""
    known = p.dropna().sort_values()
    steps = known.to_numpy() * len(known) / np.arange(1, len(known) + 1)
    adjusted = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    return pd.Series(adjusted, index=known.index).reindex(p.index)


def holm(p: pd.Series) -> pd.Series:
    """Family-wise adjusted p-values; NaN stays NaN."""
    known = p.dropna().sort_values()
    steps = known.to_numpy() * np.arange(len(known), 0, -1)
    return pd.Series(np.minimum(np.maximum.accumulate(steps), 1), index=known.index).reindex(p.index)
