"""Classical and Bayesian answers to the same question, one row each, with a verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.files import Column, write_table
from atrobayes.reports.results import ENGINE_ORDER

P_CUT = 0.05
PD_CUT = 0.975
KEY = ("analysis", "structure", "term")
VERDICTS = {
    "both_clear": "p below its cut-off and pd above its cut-off, same sign",
    "classical_only": "p below its cut-off, pd not above its cut-off",
    "bayes_only": "pd above its cut-off, p not below its cut-off",
    "neither": "neither is clear",
    "opposite_sign": "both are clear, but the estimates have different signs",
}
_SHARED = ("unit", "n_obs", "n_patients")
_OF_METHOD = {
    "classical": ("estimate", "ci_low", "ci_high", "p", "q_bh", "flags"),
    "bayes": ("estimate", "ci_low", "ci_high", "pd", "p_rope", "flags"),
}
COLUMNS = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Structure, or clinical variable where there is no structure."),
    Column("term", "What is estimated: slope of a group, or the interaction (first group minus second)."),
    Column("unit", "Unit of the estimates and interval ends of this row."),
    Column("n_obs", "Rows in the analysis.", "count"),
    Column("n_patients", "Patients in the analysis.", "count"),
    Column("classical_estimate", "Classical point estimate.", "column unit"),
    Column("classical_ci_low", "Lower end of the classical confidence interval.", "column unit"),
    Column("classical_ci_high", "Upper end of the classical confidence interval.", "column unit"),
    Column("classical_p", "Two-sided p, not corrected for multiplicity.", "probability"),
    Column("classical_q_bh", "p adjusted by Benjamini-Hochberg over one analysis and term.", "probability"),
    Column("bayes_estimate", "Posterior mean.", "column unit"),
    Column("bayes_ci_low", "Lower end of the posterior interval; level and kind as in estimates.tsv.", "column unit"),
    Column("bayes_ci_high", "Upper end of the posterior interval.", "column unit"),
    Column("bayes_pd", "Posterior probability of direction: the larger of P(> 0) and P(< 0).", "probability"),
    Column("bayes_p_rope", "Posterior probability inside the region of practical equivalence.", "probability"),
    Column("verdict", f"Clear means p < {P_CUT} and pd > {PD_CUT}; both cut-offs are conventions.", levels=VERDICTS),
    Column("classical_flags", "Flags of the classical row, as in estimates.tsv; n/a: none."),
    Column("bayes_flags", "Flags of the Bayesian row, as in estimates.tsv; n/a: none."),
)  # fmt: skip


def headline(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    """Rows of one method, one per analysis, structure and term.

    Parameters
    ----------
    estimates : DataFrame
        As `Results.estimates`.
    method : str
        For instance `classical` or `bayes`.

    Returns
    -------
    DataFrame
        Where several engines answered the same question, the first of quadrature, nutpie,
        pymc, numpyro, then any other; row order as in `estimates`.
    """
    rows = estimates[estimates["method"] == method]
    rank = rows["engine"].map({name: place for place, name in enumerate(ENGINE_ORDER)}).fillna(len(ENGINE_ORDER))
    best = rows.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates(list(KEY))
    return best.sort_index().drop(columns="rank")


def contrast(estimates: pd.DataFrame, p_cut: float = P_CUT, pd_cut: float = PD_CUT) -> pd.DataFrame:
    """Set the classical and the Bayesian answer side by side.

    Parameters
    ----------
    estimates : DataFrame
        As `Results.estimates`.
    p_cut, pd_cut : float
        An answer is clear when p < `p_cut`, or pd > `pd_cut`. Both are conventions.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, one row per analysis, structure and term in the order of
        `estimates`. A missing p or pd is not clear. `opposite_sign` takes precedence: both
        clear, but the two estimates differ in sign.
    """
    sides = [_side(estimates, method) for method in _OF_METHOD]
    keys = estimates.loc[estimates["method"].isin(_OF_METHOD), list(KEY)].drop_duplicates()
    joined = pd.concat([side.reindex(pd.MultiIndex.from_frame(keys)) for side in sides], axis=1)
    for name in _SHARED:
        joined[name] = joined[f"classical_{name}"].fillna(joined[f"bayes_{name}"])
    for name in ("classical_flags", "bayes_flags"):
        joined[name] = joined[name].fillna("")
    joined["verdict"] = _verdict(joined, p_cut, pd_cut)
    return joined.reset_index()[[column.name for column in COLUMNS]]


def write_contrast(frame: pd.DataFrame, out: Path, scratch: Path | None = None) -> Path:
    """Write contrast.tsv with its sidecar into the results folder `out`; returns its path."""
    path = out / "contrast.tsv"
    write_table(path, frame, COLUMNS, scratch)
    return path


def _side(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    rows = headline(estimates, method).set_index(list(KEY))
    return rows[[*_SHARED, *_OF_METHOD[method]]].add_prefix(f"{method}_")


def _verdict(joined: pd.DataFrame, p_cut: float, pd_cut: float) -> np.ndarray:
    classical = joined["classical_p"] < p_cut
    bayes = joined["bayes_pd"] > pd_cut
    opposite = np.sign(joined["classical_estimate"]) * np.sign(joined["bayes_estimate"]) < 0
    return np.select(
        [classical & bayes & opposite, classical & bayes, classical, bayes],
        ["opposite_sign", "both_clear", "classical_only", "bayes_only"],
        "neither",
    )
