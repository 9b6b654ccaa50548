"""How names and numbers are said to a reader."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

MINUS = "\N{MINUS SIGN}"
_STRUCTURES = {
    "total_wm": "Total white matter",
    "whole_brain": "Whole brain",
    "cerebellum": "Cerebellum",
    "cerebellar_cortex": "Cerebellar cortex",
    "cortex": "Cortex",
    "dgm": "Deep grey matter",
    "total_gm": "Total grey matter",
    "thalamus": "Thalamus",
    "caudate": "Caudate",
    "putamen": "Putamen",
    "pallidum": "Pallidum",
    "hippocampus": "Hippocampus",
    "amygdala": "Amygdala",
    "accumbens": "Accumbens",
    "lateral_ventricle": "Lateral ventricle",
}
VERDICT_WORDS = {
    "both_clear": "both clear",
    "classical_only": "classical only",
    "bayes_only": "Bayesian only",
    "neither": "neither clear",
    "opposite_sign": "opposite signs",
}
_KINDS = {"eti": "equal-tailed", "hdi": "highest-density"}


def structure_name(structure: str) -> str:
    """Name of a structure in words; a user's own structure keeps the name it was given."""
    return _STRUCTURES.get(structure, structure)


def analysis_title(analysis: str) -> str:
    """Title of an analysis from the catalogue, or its id where the catalogue has none."""
    from atrobayes.models.analyses import CATALOGUE

    return CATALOGUE[analysis].title if analysis in CATALOGUE else analysis


def analysis_question(analysis: str) -> str:
    """Question of an analysis in one plain sentence, or its id where the catalogue has none."""
    from atrobayes.models.analyses import CATALOGUE

    return CATALOGUE[analysis].question if analysis in CATALOGUE else analysis


def term_words(term: str, groups: tuple[str, ...]) -> str:
    """Name of a term: `slope[CLAD]` becomes "slope in CLAD"."""
    match = re.fullmatch(r"(\w+)\[(.*)\]", term)
    if match:
        name, group = match.groups()
        return f"{name.replace('_', ' ')} in {'all patients' if group == 'ALL' else group}"
    if term == "interaction" and len(groups) == 2:
        return f"interaction (slope in {groups[0]} {MINUS} slope in {groups[1]})"
    return term.replace("_", " ")


def number(value: float, digits: int = 3) -> str:
    """Write a number to `digits` significant digits, with a true minus sign; n/a where missing."""
    if math.isnan(value):
        return "n/a"
    if value and abs(value) < 10.0 ** -(digits + 3):
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    rounded = float(f"{value:.{digits - 1}e}")
    if not rounded:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{places}f}".replace("-", MINUS)


def count(value: float) -> str:
    """Write a whole number, or n/a."""
    return "n/a" if math.isnan(value) else f"{value:,.0f}"


def between(low: float, high: float) -> str:
    """Write an interval, both ends to the decimal place that gives the larger one three significant digits."""
    if math.isnan(low) or math.isnan(high):
        return "n/a"
    widest = max(abs(low), abs(high))
    if not 1e-6 <= widest < 1e6:
        return f"{number(low)} to {number(high)}"
    places = max(0, 2 - math.floor(math.log10(widest)))
    return f"{low:z.{places}f} to {high:z.{places}f}".replace("-", MINUS)


def p_cell(p: float) -> str:
    """Write a p-value for a table: 0.0213, 0.341, < 0.0001, n/a."""
    if math.isnan(p):
        return "n/a"
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.3f}"


def probability(value: float) -> str:
    """Write a probability for a table, never rounded to certainty: 0.341, 0.9871, > 0.9999, < 0.0001."""
    if math.isnan(value):
        return "n/a"
    if value > 1 - 1e-4:
        return "> 0.9999"
    if value < 1e-4:
        return "< 0.0001"
    return f"{value:.4f}" if value > 0.95 or value < 0.01 else f"{value:.3f}"


def interval_name(estimates: pd.DataFrame, method: str) -> str:
    """Level and kind of a method's intervals, for instance "95% equal-tailed posterior interval"."""
    rows = estimates[estimates["method"] == method]
    levels = listed(f"{100 * level:g}%" for level in sorted(rows["ci_prob"].dropna().unique()))
    if method.startswith("classical"):
        return f"{levels} confidence interval".strip()
    kinds = listed(_KINDS.get(kind, kind) for kind in rows["ci_kind"].unique() if kind)
    return " ".join(part for part in (levels, kinds, "posterior interval") if part)


def listed(items: Iterable[str]) -> str:
    """Join items as a sentence lists them: "a", "a and b", "a, b and c"."""
    *most, last = list(items) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def counted(value: float, one: str, many: str | None = None) -> str:
    """Write a count with its noun: "1 scan", "5 scans"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def slug(*parts: str) -> str:
    """Turn names into an anchor or file stem made of letters, digits, `_` and `-` only."""
    return "-".join(filter(None, (re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)))
