"""How names and numbers are said to a reader."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

MINUS = "\N{MINUS SIGN}"
_MOST_PLACES = 12
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
_VARIABLES = {
    "age": "Age",
    "disease_duration": "Disease duration",
    "previous_dmts": "Previous therapies",
    "relapses_before": "Relapses in the year before",
    "edss": "EDSS",
    "new_t2": "New T2 lesions",
    "new_gd": "New Gd+ lesions",
    "relapses": "Relapses",
}
VERDICT_WORDS = {
    "both_clear": "both clear",
    "classical_only": "classical only",
    "bayes_only": "Bayesian only",
    "neither": "neither clear",
    "opposite_sign": "opposite signs",
    "not_tested": "not compared",
}
_KINDS = {"eti": "equal-tailed", "hdi": "highest-density"}


def structure_name(structure: str) -> str:
    """Name of a structure or clinical variable in words; a user's own structure keeps the name it was given."""
    return (_STRUCTURES | _VARIABLES).get(structure, structure)


def analysis_title(analysis: str) -> str:
    """Title of an analysis from the catalogue, or its id where the catalogue has none."""
    from atrobayes.models.analyses import CATALOGUE

    return CATALOGUE[analysis].title if analysis in CATALOGUE else analysis


def analysis_question(analysis: str) -> str:
    """Question of an analysis in one plain sentence, or its id where the catalogue has none."""
    from atrobayes.models.analyses import CATALOGUE

    return CATALOGUE[analysis].question if analysis in CATALOGUE else analysis


def term_words(term: str, groups: tuple[str, ...]) -> str:
    """Name of a term: `slope[CLAD]` becomes "slope in CLAD", `rate[CLAD,1]` "rate in CLAD at visit 1"."""
    if term == "interaction" and len(groups) == 2:
        return f"interaction (slope in {groups[0]} {MINUS} slope in {groups[1]})"
    match = re.fullmatch(r"(\w+)\[(.*?)(?:,(-?\d+))?\]", term, flags=re.DOTALL)
    if not match:
        return term.replace("_", " ")
    name, of, visit = match.groups()
    when = f" at visit {visit}" if visit else ""
    if name in {"interaction", "difference", "rate_ratio"}:
        return f"{name.replace('_', ' ')} {_pair(of, groups, '/' if name == 'rate_ratio' else '-')}{when}"
    return f"{name} in {'all patients' if of == 'ALL' else of}{when}"


def _pair(of: str, groups: tuple[str, ...], sign: str) -> str:
    """Two groups, whatever signs their labels hold themselves."""
    pairs = {f"{a}{sign}{b}": (a, b) for a in groups for b in groups}
    between = f" {MINUS} " if sign == "-" else " / "
    return between.join(pairs[of]) if of in pairs else of


def term_label(term: str, groups: tuple[str, ...]) -> str:
    """Name of a term where space is short: "interaction, CLAD - ALEM"."""
    two = term == "interaction" and len(groups) == 2
    return f"interaction, {groups[0]} {MINUS} {groups[1]}" if two else term_words(term, groups)


def number(value: float, digits: int = 3) -> str:
    """Write a number to `digits` significant digits, with a true minus sign; n/a where missing, ∞ where endless."""
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
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


def decimals(halves: Iterable[float], ends: Iterable[float] = ()) -> int:
    """Give the decimal places that suit a row of estimates and intervals.

    Parameters
    ----------
    halves : iterable of float
        Half-widths of the row's intervals; missing ones do not count.
    ends : iterable of float
        Interval ends that must not look like zero.

    Returns
    -------
    int
        The narrowest half-width gets two or three significant digits (30 to 299 of the last place); more
        places where an end would be rounded to zero, since on which side of zero it lies decides how it is read.
    """
    known = [half for half in halves if half > 0]
    if not known:
        return 3
    places = max(0, -math.floor(math.log10(min(known) / 30)))
    while places < _MOST_PLACES and any(abs(end) > 0 and not float(f"{end:.{places}f}") for end in ends):
        places += 1
    return places


def fixed(value: float, places: int) -> str:
    """Write a number to a number of decimal places, with a true minus sign and no minus zero; n/a where missing."""
    return "n/a" if math.isnan(value) else f"{value:z.{places}f}".replace("-", MINUS)


def between(low: float, high: float, places: int) -> str:
    """Write an interval to a number of decimal places; n/a where an end is missing."""
    return "n/a" if math.isnan(low + high) else f"{fixed(low, places)} to {fixed(high, places)}"


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
    return f"{interval_header(estimates, method)}{'' if method.startswith('classical') else ' posterior'} interval"


def interval_header(estimates: pd.DataFrame, method: str) -> str:
    """Level and kind of a method's intervals as a column header, for instance "95% equal-tailed"."""
    rows = estimates[estimates["method"] == method]
    kinds = ["confidence"] if method.startswith("classical") else [_KINDS.get(kind, kind) for kind in rows["ci_kind"]]
    return " ".join(part for part in (level(rows), listed(dict.fromkeys(filter(None, kinds)))) if part)


def level(rows: pd.DataFrame) -> str:
    """Level of the intervals of some rows, for instance "95%"."""
    return listed(f"{100 * prob:g}%" for prob in sorted(rows["ci_prob"].dropna().unique()))


def unit_parts(unit: str) -> tuple[str, str]:
    """Split the unit of a slope into that of the change and what it is per: ("% of eTIV", "new T2 lesion")."""
    change, _, per = unit.partition(" per ")
    return change, per


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
