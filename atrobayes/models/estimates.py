"""The estimates table: one row a result, whoever computed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from atrobayes.files import Column

if TYPE_CHECKING:
    from atrobayes.models.frame import Frame
    from atrobayes.models.terms import Term

FEW_PATIENTS = 10
METHODS = {
    "classical": "headline classical result (mixed models: REML with Satterthwaite degrees of freedom; regressions: "
    "least squares in each group; comparisons: Mann-Whitney U with the Hodges-Lehmann shift; groups: Student's t or "
    "Wilcoxon's rank sum; courses: a plain mean or median)",
    "classical_kr": "mixed models with Kenward and Roger's standard errors and degrees of freedom",
    "classical_z": "mixed models with the standard error taken as known: a normal test",
    "classical_clustered": "Datta and Satten's rank sum for patients with several rows",
    "classical_permutation": "rank sum against permutations of whole patients",
    "classical_welch": "groups: Welch's t, variances not taken as equal",
    "bayes": "headline Bayesian result: normal errors for slopes, Student-t for comparisons",
    "bayes_robust": "slopes with Student-t errors",
    "bayes_normal": "comparisons with normal errors",
    "bayes_structures": "slopes shrunk together over structures of which none contains another",
}
_FLAGS = {
    "singular": "the patient SD is estimated as 0",
    "leverage": "one row decides the slope of a group: its hat value is above 0.5",
    "few_patients": f"fewer than {FEW_PATIENTS} patients in a group the term rests on",
    "not_estimable": "a group has no spread in the predictor: no classical slope",
    "prior_only": "the group's own data say nothing of this slope: the row shows the prior and the other groups",
    "gate_failed": "the fit did not pass its convergence gate",
}

COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure, or the clinical variable where there is none."),
    Column(
        "term",
        "slope[G]: slope in group G (ALL: without groups); interaction: first group minus second (three or more: "
        "interaction[A-B]); difference: rows with activity minus rows without, or first group minus second; "
        "rate[G,v], median[G,v]: in group G at visit v; rate_ratio[A/B,v]: of two groups.",
    ),
    Column("method", "How the row was computed.", levels=METHODS),
    Column("engine", "Engine of a Bayesian row; for classical rows the procedure: reml, ols, ranks, t or descriptive."),
    Column("prior", "Name of the slope prior; n/a for classical rows."),
    Column("outcome", "Outcome as in changes.tsv."),
    Column("predictor", "Predictor as in intervals.tsv."),
    Column("unit", "Unit of estimate, its intervals, sd, rope and prior_sd."),
    Column("n_obs", "Rows the term rests on: those of its group, or of all groups for differences."),
    Column("n_patients", "Patients these rows come from."),
    Column("estimate", "Point estimate (classical) or posterior mean.", "as unit"),
    Column("median", "Posterior median.", "as unit"),
    Column("sd", "Standard error (classical) or posterior SD.", "as unit"),
    Column("ci_low", "Lower end of the interval.", "as unit"),
    Column("ci_high", "Upper end of the interval.", "as unit"),
    Column("hdi_low", "Lower end of the highest-density interval of probability ci_prob.", "as unit"),
    Column("hdi_high", "Upper end of the highest-density interval of probability ci_prob.", "as unit"),
    Column("ci_prob", "Level of the intervals."),
    Column(
        "ci_kind",
        "Kind of ci_low to ci_high.",
        levels={"confidence": "confidence interval, t with df degrees of freedom", "eti": "equal-tailed posterior"},
    ),
    Column("df", "Degrees of freedom of a t statistic."),
    Column("statistic", "Test statistic: t or z, for rank tests U or its standardised form."),
    Column("p", "Two-sided p-value, not corrected for multiplicity."),
    Column("q_bh", "p after Benjamini and Hochberg, over the structures of one analysis and term."),
    Column("p_holm", "p after Holm, over the structures of one analysis and term."),
    Column("r2", "Share of variance explained, of ordinary regressions."),
    Column("pd", "Probability of direction: max(P(term > 0), P(term < 0))."),
    Column("p_rope", "Posterior probability that the term lies between rope_low and rope_high."),
    Column(
        "rope_low", "Lower end of the region of practical equivalence; the study states it for u lesions.", "as unit"
    ),
    Column("rope_high", "Upper end of the region of practical equivalence.", "as unit"),
    Column("log_bf10", "Natural log of the Bayes factor against a term of 0 (Savage-Dickey)."),
    Column("type_s", "P(wrong sign) of the classical estimate when p < 0.05, the posterior being true."),
    Column("type_m", "Mean |classical estimate| over mean |term| when p < 0.05, the posterior being true."),
    Column("p_sig_rep", "Probability that the same study, repeated, finds p < 0.05, the posterior being true."),
    Column("pull", "(classical estimate - posterior mean) / classical standard error."),
    Column("shrinkage", "1 - posterior mean / classical estimate, where that is at least its standard error."),
    Column("u", "Lesions the prior and the region of practical equivalence speak of."),
    Column("s_y", "SD of the outcome over all rows of the analysis.", "as the outcome"),
    Column("prior_sd", "Prior SD of the term.", "as unit"),
    Column(
        "prob_superiority",
        "P(a row with activity > one without), of two random patients; classical: U over the number of pairs.",
    ),
    Column("prob_superiority_within", "The same for two rows of one patient."),
    Column("n_both", "Patients with rows of both states: those that a comparison within patients rests on."),
    Column("std_difference", "Standardised mean difference of two groups."),
    Column("rhat", "Rank-normalised R-hat; n/a for quadrature."),
    Column("ess_bulk", "Bulk effective sample size; n/a for quadrature."),
    Column("ess_tail", "Tail effective sample size; n/a for quadrature."),
    Column("divergences", "Divergent transitions of the fit; n/a for quadrature."),
    Column("flags", "Comma-separated.", levels=_FLAGS),
    Column("fit_id", "Which posterior file the row comes from; n/a for classical rows."),
)

TEXT = frozenset(
    {"analysis", "structure", "term", "method", "engine", "prior", "outcome", "predictor", "unit"}
    | {"ci_kind", "flags", "fit_id"}
)
KEY = ("analysis", "structure", "term", "method", "engine")


def table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with every column of the table, those a row lacks missing."""
    # column by column: converting the columns of a finished frame takes ten times as long
    return pd.DataFrame({column.name: _values(rows, column.name) for column in COLUMNS})


def _values(rows: Sequence[dict[str, Any]], name: str) -> Any:
    values = [row.get(name, np.nan) for row in rows]
    return pd.array(values, dtype="str") if name in TEXT else np.array(values, dtype=float)


def constants(frame: Frame, term: Term, k: int) -> dict[str, Any]:
    """Give the cells of a row that every method shares: what is estimated, in which unit, from how much data.

    Parameters
    ----------
    frame : Frame
    term : Term
        One of `terms_of(frame)`.
    k : int
        Index of the outcome; rows without it do not count.
    """
    used = term.rows & ~np.isnan(frame.y.to_numpy()[:, k])
    return {
        "analysis": frame.analysis,
        "structure": frame.outcomes[k],
        "term": term.name,
        "unit": term.unit or frame.units[k],
        "predictor": frame.predictor,
        "u": frame.scales.x_unit if frame.predictor else np.nan,
        "s_y": frame.scales.y_sd[k],
        "n_obs": float(used.sum()),
        "n_patients": float(len(set(frame.patient[used].tolist()))),
    }
