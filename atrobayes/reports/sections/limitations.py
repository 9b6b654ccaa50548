"""What these numbers cannot say."""

from __future__ import annotations

from atrobayes.reports.contrast import P_CUT, headline
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.sections.diagnostics import singular_fits
from atrobayes.reports.wording import counted, interval_name


def make(results: Results) -> Section:
    """Limits of the design and of the methods that ran."""
    paragraphs = (_design(results), *_singular(results), _multiplicity(results), _intervals(results), _measure())
    return Section("limitations", "Limitations", "ok", paragraphs)


def _design(results: Results) -> str:
    groups = (
        "Treatment was not randomised and the groups may differ at baseline, so a difference between groups is an "
        "association, never an effect of treatment. "
        if len(results.groups) > 1
        else "This is an observational cohort: associations, never effects of treatment. "
    )
    return (
        groups
        + "Lesions and volume change were observed in the same interval: neither can be called the cause of the other."
    )


def _singular(results: Results) -> tuple[str, ...]:
    singular, total = singular_fits(results)
    if not singular:
        return ()
    return (
        f"{singular} of {counted(total, 'classical fit')} {'is' if singular == 1 else 'are'} singular: the variance "
        "between patients was estimated as zero, and the degrees of freedom then count intervals as if they were "
        "patients, so these p may be too small. Changes of one patient that share a scan favour this. Such rows are "
        "marked ˢ and kept.",
    )


def _multiplicity(results: Results) -> str:
    p = headline(results.estimates, "classical")["p"].dropna()
    return (
        f"{len(p)} p-values were computed. If no association existed at all, about {P_CUT * len(p):.0f} of them would "
        f"be expected below {P_CUT} by chance; q corrects for this within one analysis and term. Structures contain "
        "one another (the thalamus is part of the deep grey matter), so rows are not independent pieces of evidence."
    )


def _intervals(results: Results) -> str:
    return (
        f"The {interval_name(results.estimates, 'bayes')} holds the stated probability given the model and its prior; "
        "a nominal coverage is owed on average over the prior, not at every true value. The prior pulls estimates "
        "towards zero, most where the data say least. A pd below its cut-off is no evidence of absence; the ROPE "
        "column speaks to that, and its width is a convention."
    )


def _measure() -> str:
    return (
        "Successive yearly changes of one patient share a scan, so their errors are negatively related; the models "
        "here do not express that. Volumes come from automatic segmentation."
    )
