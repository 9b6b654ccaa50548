"""What these numbers cannot say."""

from __future__ import annotations

from atrobayes.reports.cohort_flow import steroids_unknown
from atrobayes.reports.flags import singular_fits
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.wording import counted, interval_name


def make(results: Results) -> Section:
    """Limits of the design and of the methods that ran."""
    paragraphs = (
        _design(results), _models(), *_singular(results), _multiplicity(), _intervals(results), _measure(results)
    )  # fmt: skip
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
        + "In the year-to-year analyses lesions and volume change were observed in the same interval: neither can be "
        "called the cause of the other. Lesions counted at baseline gathered over an unknown time before treatment."
    )


def _models() -> str:
    return (
        "Unless the study names covariates the models hold none: not age, sex or the length of the interval. Loss of "
        "volume related to treatment in the first year (pseudoatrophy) and regression to the mean are not separated "
        "from the association. A few patient-years with many lesions can carry a slope; regressions over three years "
        "rest on the patients who stayed so long, who may differ from those who did not. A year's NEDA-3 rests on what "
        "was looked for: EDSS rises at a last visit cannot be confirmed."
    )


def _singular(results: Results) -> tuple[str, ...]:
    singular, total = singular_fits(results)
    if not singular:
        return ()
    return (
        f"{singular} of {counted(total, 'classical mixed model')} {'is' if singular == 1 else 'are'} singular: the "
        "variance between patients was estimated as zero, and the degrees of freedom then count intervals as if they "
        "were patients, so these p may be too small. Kenward and Roger's p, shown first there, adds what not knowing "
        "that variance costs; it helps with few patients and cannot know a variance that was estimated as zero. "
        "Changes of one patient that share a scan favour this. Such rows are kept.",
    )


def _multiplicity() -> str:
    return (
        "p and pd are not corrected for the number of questions; q is, within one analysis and term, not over the "
        "analyses. Structures contain one another (the thalamus is part of the deep grey matter), the slope in all "
        "patients holds those of the groups, and analyses share patients and scans, so rows are not independent pieces "
        "of evidence. Mann-Whitney's p also takes the years of one patient as independent; the clustered and the "
        "permutation p beside it do not."
    )


def _intervals(results: Results) -> str:
    return (
        f"The {interval_name(results.estimates, 'bayes')} holds the stated probability given the model and its prior; "
        "a nominal coverage is owed on average over the prior, not at every true value. The prior draws most where the "
        "data say least. A pd below its cut-off is no evidence of absence; the ROPE "
        "column speaks to that, and its width is a convention."
    )


def _measure(results: Results) -> str:
    return " ".join(
        [
            "Successive yearly changes of one patient share a scan, so their errors are negatively related; the models "
            "here do not express that. Volumes come from automatic segmentation.",
            *filter(None, [steroids_unknown(results)]),
        ]
    )
