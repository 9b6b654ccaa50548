"""Columns of reanalysis.tsv."""

from __future__ import annotations

from atrobayes.files import Column
from atrobayes.inference.prior_ladder import REASONS

TOGETHER = {
    "alone": "from the row's own numbers",
    "structures": "with the other structures of the same source, analysis and group, of which none contains another",
    "groups": "with the other group, or two others, of the same source, analysis and structure",
}
COLUMNS: tuple[Column, ...] = (
    Column("row", "Line of the table the published numbers stand in; n/a where the row has several."),
    Column("source", "Where the number stands."),
    Column("analysis", "As published."),
    Column("structure", "As published; common: the slope that structures are shrunk towards."),
    Column("term", "slope; interaction: first group's slope minus the second's."),
    Column("group", "As published; of an interaction both with a hyphen between."),
    Column("n", "Rows of data it rests on, as published."),
    Column("together", "What the posterior is made from.", levels=TOGETHER),
    Column(
        "likelihood",
        "Of the slope, located at the published one with scale se.",
        levels={"t": "Student's t with df degrees of freedom", "normal": "normal, the variance taken as known"},
    ),
    Column("df", "Degrees of freedom of the likelihood; n/a where it is normal."),
    Column("error_correlation", "Assumed correlation of two structures' errors, atrophy-oriented; not published."),
    Column("prior", "Name of the slope prior."),
    Column("prior_s", "Its standardised SD, per SD of outcome and predictor."),
    Column("scale", "SD of the outcome over SD of the predictor: the largest of the groups'.", "as unit"),
    Column(
        "prior_sd", "Prior SD of the term; of pooled structures the common slope's and their own together.", "as unit"
    ),
    Column(
        "unit",
        "Of all estimates, intervals, SDs and errors.",
        levels={
            "as published": "of the published slope",
            "standardised": "SDs of the outcome per SD of the predictor; negative is atrophy in every structure",
        },
    ),
    Column("published", "Published slope, or the difference of two.", "as unit"),
    Column("p", "As published; where p_bound is one, the bound."),
    Column(
        "p_bound",
        "Whether only a bound of p is published; n/a where p itself is.",
        levels={"<": "p is below the number", ">": "p is above the number"},
    ),
    Column("se", "Standard error from the printed values.", "as unit"),
    Column("se_low", "Lowest standard error that the printed digits allow; 0: none excluded.", "as unit"),
    Column("se_high", "Highest standard error that the printed digits allow; inf: none excluded.", "as unit"),
    Column("estimate", "Posterior mean.", "as unit"),
    Column("median", "Posterior median.", "as unit"),
    Column("sd", "Posterior SD.", "as unit"),
    Column("ci_low", "Lower end of the equal-tailed posterior interval.", "as unit"),
    Column("ci_high", "Upper end of the equal-tailed posterior interval.", "as unit"),
    Column("hdi_low", "Lower end of the highest-density interval.", "as unit"),
    Column("hdi_high", "Upper end of the highest-density interval.", "as unit"),
    Column("ci_prob", "Level of the intervals."),
    Column("pd", "Probability of direction: max(P(slope > 0), P(slope < 0))."),
    Column("log_bf10", "Natural log of the Bayes factor against a slope of 0 (Savage-Dickey); alone only."),
    Column("type_s", "P(wrong sign) of a published estimate with p < 0.05, the posterior being true."),
    Column("type_m", "Mean |estimate| with p < 0.05 over mean |slope|, the posterior being true."),
    Column("p_sig_rep", "Probability that the study, repeated, finds p < 0.05, the posterior being true."),
    Column("pull", "(published - posterior mean) / standard error."),
    Column("shrinkage", "1 - posterior mean / published, where that is at least its standard error."),
    Column("estimate_least", "Lowest posterior mean over the printed digits; alone only.", "as unit"),
    Column("estimate_most", "Highest.", "as unit"),
    Column("ci_low_least", "Lowest ci_low over the printed digits.", "as unit"),
    Column("ci_low_most", "Highest.", "as unit"),
    Column("ci_high_least", "Lowest ci_high over the printed digits.", "as unit"),
    Column("ci_high_most", "Highest.", "as unit"),
    Column("pd_least", "Lowest pd over the printed digits."),
    Column("pd_most", "Highest."),
    Column("tipping_s", "prior_s at which the published sign has probability 0.95; alone only."),
    Column("tipping_reason", "On which side the sign is not sure.", levels=dict(REASONS)),
    Column("between_sd", "Posterior mean of the SD between structures, standardised."),
    Column("between_low", "Lower end of its equal-tailed 95 % interval."),
    Column("between_high", "Upper end of its equal-tailed 95 % interval."),
    Column("status", "posterior, or why there is none."),
    Column("note", "Where the standard error comes from; structures or groups shrunk with it."),
)
