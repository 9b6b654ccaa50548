"""Made-up tables of forks: a Gaussian posterior for each, so that effect, interval, pd and p go together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

# the first level of each axis is the study's own choice
AXES: dict[str, tuple[str, ...]] = {
    "prior": ("regularising", "wide", "sceptical"),
    "likelihood": ("normal", "student_t"),
    "outliers": ("keep", "drop_over_20", "winsorise_95", "log1p"),
    "timing": ("end", "start"),
    "outcome": ("change_pct_etiv", "change_pct", "annualised", "change_mm3"),
    "intervals": ("all", "without_first"),
    "random_effects": ("intercept", "none"),
    "predictor": ("counted", "split"),
    "covariates": ("none", "demographic", "visit"),
    "pooling": ("none", "partial"),
}
PAIRS = (("prior", "outliers"), ("prior", "outcome"), ("outliers", "timing"), ("outcome", "intervals"))
_BAYESIAN = ("axis_prior", "axis_likelihood", "axis_pooling")


def choices(
    axes: Mapping[str, Sequence[str]] = AXES, pairs: Sequence[tuple[str, str]] = PAIRS, most: int = 60
) -> pd.DataFrame:
    """The base, every level alone, then pairs: fork and axis_… columns."""
    base = {axis: levels[0] for axis, levels in axes.items()}
    alone = [{axis: level} for axis, levels in axes.items() for level in levels[1:]]
    two = [
        {a: one, b: other} for a, b in pairs if a in axes and b in axes
        for one, other in itertools.product(axes[a][1:], axes[b][1:])
    ]  # fmt: skip
    changed = [{}, *alone, *two][:most]
    rows = [
        {"fork": "+".join(f"{axis}={level}" for axis, level in change.items()) or "base"}
        | {f"axis_{axis}": level for axis, level in (base | change).items()}
        for change in changed
    ]
    return pd.DataFrame(rows)


def sensitivity(
    forks: pd.DataFrame, effects: Mapping[tuple[str, str, str], np.ndarray], sd: float = 0.1
) -> pd.DataFrame:
    """Rows of sensitivity.tsv: for every result an effect per fork, in SDs of the outcome."""
    rows: list[dict[str, Any]] = []
    shared_by: dict[tuple[str, ...], int] = {}  # forks that differ in the prior alone have one classical fit
    for place, fork in enumerate(forks.to_dict("records")):
        data = tuple(value for name, value in fork.items() if name not in ("fork", *_BAYESIAN))
        fitted = shared_by.setdefault(data, place)
        for (analysis, structure, term), own in effects.items():
            shared = {"analysis": analysis, "structure": structure, "term": term} | fork
            shared |= {"n_obs": 95.0, "n_patients": 46.0, "flags": "", "s_y": 0.5, "u": 1.0, "ci_prob": 0.95}
            shared |= {"unit": "% of eTIV per new T2 lesion"}
            rows += [shared | _bayes(own[place], sd, fork), shared | _classical(own[fitted], sd)]
    return pd.DataFrame(rows)


def fork_list(analysis: str, forks: pd.DataFrame, skipped: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Rows of forks.tsv: those of `forks` fitted, and others skipped with their reason."""
    fitted = forks.assign(analysis=analysis, status="fitted", reason="", n_obs=95.0, n_patients=46.0)
    rest = [
        {"analysis": analysis, "fork": fork, "status": "skipped", "reason": why}
        for fork, why in (skipped or {}).items()
    ]
    return pd.concat([fitted, pd.DataFrame(rest)], ignore_index=True).fillna({"reason": ""})


def _bayes(effect: float, sd: float, fork: Mapping[str, str]) -> dict[str, Any]:
    pooled, robust = fork.get("axis_pooling") == "partial", fork.get("axis_likelihood") == "student_t"
    method = "bayes_structures" if pooled else "bayes_robust" if robust else "bayes"
    numbers = {"estimate": effect / 2, "effect": effect, "p": np.nan, "pd": stats.norm.cdf(abs(effect) / sd)}
    ends = {"effect_low": effect - 1.96 * sd, "effect_high": effect + 1.96 * sd, "ci_kind": "eti"}
    return numbers | ends | {"method": method, "engine": "quadrature"}


def _classical(effect: float, sd: float) -> dict[str, Any]:
    raw = 1.2 * effect
    numbers = {"estimate": raw / 2, "effect": raw, "pd": np.nan, "p": 2 * stats.norm.sf(abs(raw) / (1.1 * sd))}
    ends = {"effect_low": raw - 2.2 * sd, "effect_high": raw + 2.2 * sd, "ci_kind": "confidence"}
    return numbers | ends | {"method": "classical", "engine": "reml"}
