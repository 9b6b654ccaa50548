"""How choices are said to a reader: axes, their levels, forks."""

from __future__ import annotations

import math

from atrobayes.reports.fork_summary import BASE, TOGETHER

AXES = {
    "prior": "prior of the slopes",
    "likelihood": "distribution of errors",
    "outliers": "large lesion counts",
    "timing": "timing of lesion counts",
    "outcome": "outcome",
    "intervals": "intervals",
    "random_effects": "patient intercepts",
    "predictor": "form of lesion counts",
    "covariates": "covariates",
    "pooling": "pooling of structures",
    "undetermined": "undetermined NEDA-3",
    TOGETHER: "choices in combination",
}
_LEVELS = {
    "prior": {"wide": "wide", "regularising": "regularising", "sceptical": "sceptical"},
    "likelihood": {"normal": "normal", "student_t": "Student-t"},
    "outliers": {
        "keep": "kept",
        "drop_over_20": "over 20 left out",
        "winsorise_95": "set to 95th percentile",
        "log1p": "log(1 + count)",
    },
    "timing": {"end": "end of the interval", "start": "start of the interval"},
    "outcome": {
        "change_pct_etiv": "% of eTIV",
        "change_pct": "% of opening volume",
        "annualised": "per year",
        "change_mm3": "mm³, eTIV as covariate",
    },
    "intervals": {"all": "all", "without_first": "without 0 to 1"},
    "random_effects": {"intercept": "yes", "none": "no"},
    "predictor": {"counted": "as counted", "split": "patient mean and deviation"},
    "covariates": {"none": "none", "demographic": "age, sex, duration", "visit": "visit"},
    "pooling": {"none": "each for itself", "partial": "shrunk together"},
    "undetermined": {"missing": "left out", "yes": "with NEDA-3", "no": "without NEDA-3"},
}
SIDES = {"bayes": "Bayesian", "classical": "classical"}


def axis_name(axis: str) -> str:
    """Name of an axis, with or without "axis_" before it."""
    plain = axis.removeprefix("axis_")
    return AXES.get(plain, plain.replace("_", " "))


def level_name(axis: str, level: str) -> str:
    """Name of a choice on an axis; a dash where the axis has no bearing on the fork."""
    plain = axis.removeprefix("axis_")
    return _LEVELS.get(plain, {}).get(level, level.replace("_", " ")) or "–"


def level_place(axis: str, level: str) -> int:
    """Place of a choice among those of its axis; unknown ones come last."""
    known = [*_LEVELS.get(axis.removeprefix("axis_"), ())]
    return known.index(level) if level in known else len(known)


def share_cell(share: float) -> str:
    """Write a share of forks for a table or a sentence: 100%, 94.7%, n/a."""
    return "n/a" if math.isnan(share) else f"{100 * share:.1f}%".replace(".0%", "%")


def fork_name(fork: str) -> str:
    """Name of a fork in words: "prior=wide" becomes "prior of the slopes: wide"."""
    if fork == BASE:
        return "the study's own choices"
    parts = (part.partition("=") for part in fork.split("+"))
    return "; ".join(
        f"{axis_name(axis)}: {level_name(axis, level)}" if equals else axis for axis, equals, level in parts
    )
