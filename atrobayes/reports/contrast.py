"""Classical and Bayesian answers to the same question, one row each, with a verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.files import Column, write_table
from atrobayes.models.estimates import METHODS

ENGINE_ORDER = ("quadrature", "nutpie", "pymc", "numpyro")
P_CUT = 0.05
PD_CUT = 0.975
KEY = ("analysis", "structure", "term")
VERDICTS = {
    "both_clear": "p below its cut-off and pd above its cut-off, same sign",
    "classical_only": "p below its cut-off, pd not above its cut-off",
    "bayes_only": "pd above its cut-off, p not below its cut-off",
    "neither": "neither is clear",
    "opposite_sign": "both are clear, but the estimates have different signs",
    "not_tested": "nothing to compare: a rate, a ratio of rates or a median, or no Bayesian answer beside the p",
}
_SHARED = ("unit", "n_obs", "n_patients")
_BAYES = ("estimate", "ci_low", "ci_high", "pd", "p_rope", "flags")
_OF_METHOD = {"classical": ("estimate", "ci_low", "ci_high", "p", "q_bh", "flags"), "bayes": _BAYES}
# beside the headline; what is not here equals the headline's or does not exist
_BESIDE = {
    "classical_kr": ("ci_low", "ci_high", "p", "q_bh"),
    "classical_clustered": ("p", "q_bh"),
    "classical_permutation": ("p", "q_bh"),
    "classical_welch": ("estimate", "ci_low", "ci_high", "p", "q_bh"),
    "bayes_robust": _BAYES,
    "bayes_normal": _BAYES,
    "bayes_structures": _BAYES,
}
_UNITS = {"p": "probability", "q_bh": "probability", "pd": "probability", "p_rope": "probability", "flags": ""}
_SAYS = {
    "estimate": "estimate (Bayesian: posterior mean)",
    "ci_low": "lower end of the interval",
    "ci_high": "upper end of the interval",
    "p": "two-sided p",
    "q_bh": "p adjusted by Benjamini-Hochberg",
    "pd": "probability of direction",
    "p_rope": "probability inside the region of practical equivalence",
    "flags": "flags, as in estimates.tsv",
}


def _beside(method: str, name: str) -> Column:
    description = f"{METHODS[method]}: {_SAYS[name]}; n/a where there is no such row."
    return Column(f"{method}_{name}", description[0].upper() + description[1:], _UNITS.get(name, "column unit"))


COLUMNS = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Structure, or clinical variable where there is no structure."),
    Column("term", "What is estimated, as in estimates.tsv: a slope, a difference, a rate, a rate ratio, a median."),
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
    *(_beside(method, name) for method, names in _BESIDE.items() for name in names),
)  # fmt: skip
_TEXTS = tuple(column.name for column in COLUMNS if column.name.endswith("_flags"))


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
        `estimates`. A missing p is not clear; without a pd there is nothing to compare
        (`not_tested`). `opposite_sign` takes precedence: both clear, but the two estimates differ in sign.
    """
    sides = [_side(estimates, method) for method in (*_OF_METHOD, *_BESIDE)]
    keys = estimates.loc[estimates["method"].isin(_OF_METHOD), list(KEY)].drop_duplicates()
    joined = pd.concat([side.reindex(pd.MultiIndex.from_frame(keys)) for side in sides], axis=1)
    joined = joined.assign(**{name: joined[f"classical_{name}"].fillna(joined[f"bayes_{name}"]) for name in _SHARED})
    joined = joined.assign(**{name: joined[name].fillna("") for name in _TEXTS})
    joined["verdict"] = _verdict(joined, p_cut, pd_cut)
    return joined.reset_index()[[column.name for column in COLUMNS]]


def write_contrast(frame: pd.DataFrame, out: Path, scratch: Path | None = None) -> Path:
    """Write contrast.tsv with its sidecar into the results folder `out`; returns its path."""
    path = out / "contrast.tsv"
    write_table(path, frame, COLUMNS, scratch)
    return path


def _side(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    rows = headline(estimates, method).set_index(list(KEY))
    names = [*_SHARED, *_OF_METHOD[method]] if method in _OF_METHOD else list(_BESIDE[method])
    return rows[names].add_prefix(f"{method}_")


def _verdict(joined: pd.DataFrame, p_cut: float, pd_cut: float) -> np.ndarray:
    classical = joined["classical_p"] < p_cut
    bayes = joined["bayes_pd"] > pd_cut
    described = joined.index.get_level_values("term").str.startswith(("rate", "median"))
    opposite = np.sign(joined["classical_estimate"]) * np.sign(joined["bayes_estimate"]) < 0
    return np.select(
        [joined["bayes_pd"].isna() | described, classical & bayes & opposite, classical & bayes, classical, bayes],
        ["not_tested", "opposite_sign", "both_clear", "classical_only", "bayes_only"],
        "neither",
    )
