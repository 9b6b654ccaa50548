"""Estimates under other definitions on one scale, from the tables of forks and of definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.reports.results import Results
from atrobayes.reports.wording import number

BASE = "base"
KEY = ["analysis", "structure", "term"]
# forks that are other definitions, with their names
_FORKS = {
    "intervals=without_first": "without the first year",
    "predictor=split": "lesions as deviation from the patient's mean",
    "undetermined=yes": "undetermined years counted as with NEDA-3",
    "undetermined=no": "undetermined years counted as without NEDA-3",
}
_COLUMNS = [*KEY, "series", "label", "estimate", "low", "high", "pd", "unit", "u", "s_y"]


def definition_rows(results: Results) -> pd.DataFrame:
    """Estimates as analysed and under every other definition that was tried.

    Parameters
    ----------
    results : Results
        Uses definitions.tsv and sensitivity.tsv, either of which may be absent.

    Returns
    -------
    DataFrame
        analysis, structure, term, series (what was tried; "base": nothing), label (in words), estimate, low, high
        (effect of u lesions or of the state, in SDs of the outcome), pd (probability of the sign that the term has as
        analysed), unit, u and s_y. Of miscounts low and high are the range of estimates over the miscounted data
        sets, else the ends of a posterior interval. Models have normal errors throughout. Of the shifts of unseen
        years only the outermost. Empty where neither table is there.
    """
    tables = [_looked(results.look("definitions")), _forked(results.look("sensitivity"))]
    rows = pd.concat([table for table in tables if len(table)] or [pd.DataFrame(columns=_COLUMNS)], ignore_index=True)
    # the base stands in both tables, with the same numbers
    return rows.drop_duplicates([*KEY, "series"]).reset_index(drop=True)


def _looked(table: pd.DataFrame | None) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame(columns=_COLUMNS)
    rows = table[np.isfinite(table["estimate"])]
    rows = rows[rows["look"].isin([BASE, "miscounts"]) | rows["delta"].isin(_outermost(rows["delta"]))]
    by = rows["u"].fillna(1.0) / rows["s_y"]
    ranged = rows["look"] == "miscounts"
    return rows.assign(
        series=rows["setting"],
        label=[_label(str(setting)) for setting in rows["setting"]],
        estimate=rows["estimate"] * by,
        low=rows["range_low"].where(ranged, rows["ci_low"]) * by,
        high=rows["range_high"].where(ranged, rows["ci_high"]) * by,
    )[_COLUMNS]


def _outermost(deltas: pd.Series) -> list[float]:
    known = deltas.dropna()
    return [delta for delta in {known.min(), known.max()} if delta != 0] if len(known) else []


def _label(setting: str) -> str:
    name, _, value = setting.partition("=")
    if name == "delta":
        size = f"{number(abs(float(value)), 2)} SD {'more' if float(value) < 0 else 'less'}"
        return f"unseen years: {size} atrophy than predicted"
    if name == "miscounted":
        return "lesions miscounted by one: range of estimates"
    return "as analysed"


def _forked(table: pd.DataFrame | None) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame(columns=_COLUMNS)
    # other likelihoods are forks of their own: these rows have normal errors
    rows = table[table["fork"].isin([BASE, *_FORKS]) & table["method"].isin(["bayes", "bayes_normal"])]
    base = rows[rows["fork"] == BASE].drop_duplicates(KEY)[[*KEY, "estimate"]].rename(columns={"estimate": "before"})
    rows = rows[np.isfinite(rows["estimate"])].merge(base, on=KEY, validate="many_to_one")
    turned = np.sign(rows["estimate"]) != np.sign(rows["before"])
    return rows.assign(
        series=rows["fork"],
        label=[_FORKS.get(str(fork), "as analysed") for fork in rows["fork"]],
        estimate=rows["effect"],
        low=rows["effect_low"],
        high=rows["effect_high"],
        # pd is that of the fork's own direction, which may be the other one
        pd=rows["pd"].where(~turned, 1 - rows["pd"]),
    )[_COLUMNS]
