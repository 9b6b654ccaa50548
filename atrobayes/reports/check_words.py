"""Posterior predictive checks in words a clinician uses, and what it means where data and model part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from atrobayes.reports.wording import MINUS, listed

# quantity → in a table, above a panel, and as the subject of a sentence
_WORDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "largest_loss": ("largest loss", "largest loss", "the largest loss"),
        "share_growth": ("share that changed against atrophy", "share that grew", "the share that grew"),
        "patients_sd": (
            "SD between patients' mean changes",
            "SD between patients",
            "the difference between patients",
        ),
        "patients_outside": (
            "share of patients outside their own range",
            "patients outside own range",
            "the number of unusual patients",
        ),
        "spread_ratio": (
            "spread of changes with many lesions or activity over that of the others",
            "spread many / few lesions",
            "the spread of changes with many lesions against that with few",
        ),
        "successive": (
            "correlation of a patient's successive yearly changes",
            "successive years",
            "the correlation of successive years",
        ),
        "first_year": (
            f"mean change of the first year {MINUS} later years",
            f"first year {MINUS} later",
            "the first year against later ones",
        ),
        "skewness": ("skewness of residuals along atrophy", "skewness", "the lean of the residuals to one side"),
        "largest_residual": ("largest residual", "largest residual", "the most unusual single change"),
    }
)
# quantity, higher than expected → what that means
MEANINGS: Mapping[tuple[str, bool], str] = MappingProxyType(
    {
        ("successive", False): "Two successive changes of a patient share a scan, and an error of that scan makes one "
        f"larger and the other smaller: the correlation is {MINUS}½ if scans vary independently and patients do not "
        "differ. A patient's random intercept can only make years alike, so the model does not know of this. Such "
        "errors leave slopes unbiased; what they do to intervals and tests here, `atrobayes calibrate` counts (errors "
        "of shared scans).",
        ("successive", True): "Years of one patient resemble their neighbours more than a lasting difference between "
        "patients explains: something drifts from year to year.",
        ("patients_sd", False): "Patients are more alike than the model thinks. Where successive years also go against "
        "each other, this is the same finding: errors of shared scans cancel in a patient's mean.",
        ("patients_sd", True): "Patients differ more than the model thinks: a few of them may carry the result, see "
        "the patients left out one at a time.",
        ("patients_outside", True): "More patients are unusual than the model allows for.",
        ("largest_loss", True): "A single loss is larger than normal errors allow: look at that scan, and at the rows "
        "with Student-t errors.",
        ("largest_residual", True): "Single changes stand out further than normal errors allow: look at these scans, "
        "and at the rows with Student-t errors.",
        ("largest_residual", False): "No change stands out as far as one would under normal errors.",
        ("spread_ratio", True): "Changes vary more where there are many lesions, and the model has one spread for "
        "all: intervals of slopes may be too narrow.",
        ("spread_ratio", False): "Changes vary less where there are many lesions, and the model has one spread for "
        "all: intervals of slopes may be wider than need be.",
        ("skewness", False): "A few large losses stand against many small gains, which normal errors do not have.",
        ("skewness", True): "A few large gains stand against many small losses, which normal errors do not have.",
        ("first_year", True): "The model has no effect of the year: see the choice of intervals, without the first.",
        ("first_year", False): "The model has no effect of the year: see the choice of intervals, without the first.",
    }
)


def quantity_words(quantity: str, *, short: bool = False) -> str:
    """Name of a quantity of checks.tsv, for a table or, short, above a panel."""
    if match := re.fullmatch(r"mean\[(.*)\]", quantity, flags=re.DOTALL):
        return "mean change" if match[1] == "ALL" else f"mean change in {match[1]}"
    return _WORDS[quantity][1 if short else 0] if quantity in _WORDS else quantity.replace("_", " ")


def expectation(tallies: Mapping[str, int], whole: int) -> str:
    """Say in how many structures each quantity is as expected.

    Parameters
    ----------
    tallies : mapping of str to int
        Structures in which it is, by quantity; group means, which every model fits, are passed over.
    whole : int
        Structures there are.

    Returns
    -------
    str
        Quantities with the same count share a clause; the highest count first.
    """
    by_count: dict[int, list[str]] = {}
    for quantity, inside in tallies.items():
        if quantity in _WORDS:
            by_count.setdefault(inside, []).append(_WORDS[quantity][2])
    counts = sorted(by_count, reverse=True)
    clauses = [f"in {count} of {whole} structures for {listed(by_count[count])}" for count in counts]
    return f"The data look as the model expects {'; '.join(clauses)}."
