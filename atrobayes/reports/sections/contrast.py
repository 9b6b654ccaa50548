"""Classical and Bayesian numbers of every question, side by side."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT, contrast
from atrobayes.reports.contrast_table import contrast_rows, flags_in_words
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import analysis_title, count, interval_name, slug, term_words


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
        "P(in ROPE): posterior probability that the association is too small to matter by the convention given under "
        "Methods.",
        f"Verdict: classical is called clear when p < {P_CUT}, the posterior when pd > {PD_CUT}. Both cut-offs are "
        "conventions: 0.049 and 0.051 say the same. 'Classical only' marks a p below its cut-off that the posterior "
        "does not bear out. Row colours repeat the verdict and add nothing to it.",
        *([f"Marks: {marks}."] if marks else []),
    )


def _table(results: Results, analysis: str, term: str, part: pd.DataFrame) -> Table:
    sizes = f"{_range(part['n_obs'])} intervals of {_range(part['n_patients'])} patients"
    caption = f"{analysis_title(analysis)}: {term_words(term, results.groups)} ({sizes})"
    name = slug("contrast", analysis, term)
    return Table(name, contrast_rows(results, part), caption, "contrast.tsv", tuple(part["verdict"]))


def _range(counts: pd.Series) -> str:
    low, high = count(counts.min()), count(counts.max())
    return low if low == high else f"{low} to {high}"
