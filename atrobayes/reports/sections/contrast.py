"""Classical and Bayesian numbers of every question, side by side."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT, contrast
from atrobayes.reports.contrast_table import contrast_rows, intervals_in_words
from atrobayes.reports.flags import flags_in_words
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import analysis_title, count, interval_name, listed, slug, term_label


def make(results: Results) -> Section:
    """One table per analysis and term."""
    rows = contrast(results.estimates)
    tables = [
        _table(results, str(analysis), str(term), part)
        for (analysis, term), part in rows.groupby(["analysis", "term"], sort=False)
    ]
    return Section("contrast", "Classical and Bayesian, side by side", "ok", _reading(results), tuple(tables))


def _reading(results: Results) -> tuple[str, ...]:
    bayes = interval_name(results.estimates, "bayes")
    marks = flags_in_words(results)
    return (
        "p: two-sided, not corrected for multiplicity. q: the same, adjusted by Benjamini-Hochberg over the "
        f"structures of one analysis and one term. The Bayesian interval is the {bayes}. pd (probability of "
        "direction): posterior probability that the term has the sign of its larger side, from 0.5 (no idea) to 1. "
        "P(in ROPE): posterior probability that the association is negligible by convention; the limits, in raw units "
        "per structure, are in the folded tables of the section before.",
        f"Verdict: classical is called clear when p < {P_CUT}, the posterior when pd > {PD_CUT}. Both cut-offs are "
        "conventions: 0.049 and 0.051 say the same. 'Classical only': a small p that the posterior does not bear out. "
        "'Bayesian only': a posterior sure of the sign where p is not small. Row colours repeat the verdict.",
        *([marks] if marks else []),
    )


def _table(results: Results, analysis: str, term: str, part: pd.DataFrame) -> Table:
    units = listed(part["unit"].unique())
    sizes = f"{_range(part['n_obs'])} intervals of {_range(part['n_patients'])} patients"
    details = f"in {units} ({sizes}): {intervals_in_words(results)}."
    caption = f"{analysis_title(analysis)}: {term_label(term, results.groups)},"
    name = slug("contrast", analysis, term)
    return Table(name, contrast_rows(results, part), caption, "contrast.tsv", details, tuple(part["verdict"]))


def _range(counts: pd.Series) -> str:
    low, high = count(counts.min()), count(counts.max())
    return low if low == high else f"{low} to {high}"
