"""Slopes on lesions: mixed models and regressions."""

from __future__ import annotations

import pandas as pd

from atrobayes.models.estimates import FEW_PATIENTS
from atrobayes.reports.all_numbers import all_numbers
from atrobayes.reports.analyses.words import both_answers, opening, verdicts
from atrobayes.reports.contrast import P_CUT, headline
from atrobayes.reports.flags import singular_in_words, split_flags
from atrobayes.reports.forests import forest
from atrobayes.reports.kinds import contrast_of, rows_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.wording import analysis_title, counted, listed, slug, structure_name, term_words


def part(results: Results, analysis: str) -> Section:
    """Question, rows, what weakens them, forest plot, both answers side by side."""
    estimates = rows_of(results, analysis)
    rows = contrast_of(results, analysis)
    paragraphs = (
        *opening(results, analysis, "patient-years"),
        *verdicts(rows),
        *_singular(results, analysis, rows),
        *_fitted(estimates),
        *_weak(results, estimates),
        *_together(estimates),
    )
    tables = (*both_answers(results, rows, analysis, ("structure", "term")), all_numbers(results, analysis))
    name, title = slug("analysis", analysis), analysis_title(analysis)
    return Section(name, title, "ok", paragraphs, tables, (forest(results, analysis),))


def _singular(results: Results, analysis: str, rows: pd.DataFrame) -> tuple[str, ...]:
    told = singular_in_words(results, analysis)
    if not told:
        return ()
    small = rows[rows["classical_p"] < P_CUT]
    kept = int((small["classical_kr_p"] < P_CUT).sum())
    return (
        f"{told} There Satterthwaite's degrees of freedom count rows as if they were patients, so Kenward-Roger's p "
        f"stands first in the tables, Satterthwaite's beside it. Of {len(small)} Satterthwaite p < {P_CUT} in this "
        f"analysis, {kept} {'is' if kept == 1 else 'are'} also < {P_CUT} by Kenward-Roger. Verdicts and q go by "
        "Satterthwaite's, the published procedure.",
    )


def _fitted(estimates: pd.DataFrame) -> tuple[str, ...]:
    r2 = headline(estimates, "classical").set_index("structure")["r2"].dropna()
    if not len(r2):
        return ()
    best = structure_name(str(r2.idxmax()))
    return (
        f"R² of the single regressions: {r2.min():.2f} to {r2.max():.2f}, median {r2.median():.2f} (largest: {best}). "
        "In few patients R² is high by chance alone.",
    )


def _weak(results: Results, estimates: pd.DataFrame) -> tuple[str, ...]:
    """What the flags leverage, few_patients, not_estimable and prior_only say, and of which terms."""
    words = {
        "leverage": "one row alone decides the slope (hat value above 0.5) in at least one structure",
        "few_patients": f"fewer than {FEW_PATIENTS} patients",
        "not_estimable": "no spread in the predictor, so no classical slope",
        "prior_only": "the data of the group say nothing: the posterior shows the prior and the other groups",
    }
    said = []
    for flag, meaning in words.items():
        flagged = estimates["flags"].map(lambda flags, flag=flag: flag in split_flags(flags))
        terms = [term_words(str(term), results.groups) for term in estimates.loc[flagged, "term"].unique()]
        if terms:
            said.append(f"{meaning}: {listed(terms)}")
    return (f"Read with care. {'; '.join(said)}.".replace(". o", ". O").replace(". f", ". F"),) if said else ()


def _together(estimates: pd.DataFrame) -> tuple[str, ...]:
    rows = headline(estimates, "bayes_structures")
    if not len(rows):
        return ()
    return (
        f"Light blue: the same slopes with {counted(rows['structure'].nunique(), 'structure')}, none of which contains "
        "another, shrunk together. The distance from the blue line beside it is what the other structures say about "
        "this one.",
    )
