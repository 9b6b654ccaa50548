"""The methods paragraphs, written from the histories of the fits that ran."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from atrobayes.reports.contrast import headline
from atrobayes.reports.results import FitRecord, Results, each_row
from atrobayes.reports.wording import (
    analysis_title,
    interval_name,
    listed,
    number,
)

_ENGINES = {
    "quadrature": "deterministic numerical integration, no random draws",
    "nutpie": "NUTS, a Markov chain Monte Carlo sampler",
    "pymc": "NUTS, a Markov chain Monte Carlo sampler",
    "numpyro": "NUTS, a Markov chain Monte Carlo sampler",
}
_CLASSICAL = {
    "reml": (
        "a linear mixed model with a random intercept per patient, fitted by restricted maximum likelihood (REML; "
        "Bates et al. 2015, doi:10.18637/jss.v067.i01); t tests and intervals use Satterthwaite's degrees of freedom "
        "(Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13), and slopes per group and their interaction are contrasts "
        "of the one model. The slope in all patients is a fit of its own, without groups"
    ),
    "ols": (
        "an ordinary least-squares regression in each group by itself; groups are compared by the difference of their "
        "slopes, each with its own residual variance (Welch 1947, doi:10.1093/biomet/34.1-2.28). The slope in all "
        "patients is a regression without a group term"
    ),
    "ranks": (
        "the Mann-Whitney (Wilcoxon rank-sum) test, two-sided, by the normal approximation with tie and continuity "
        "correction (Mann and Whitney 1947, doi:10.1214/aoms/1177730491), with the Hodges-Lehmann shift and its "
        "interval (Hodges and Lehmann 1963, doi:10.1214/aoms/1177704172)"
    ),
    "t": "Student's t test of two groups, with the standardised difference (Austin 2009, doi:10.1002/sim.3697)",
    "descriptive": "means (counts per year of observation) and medians, without a test",
}
_PROCEDURES = {
    "reml": "REML",
    "ols": "least squares",
    "ranks": "rank tests",
    "t": "t tests",
    "descriptive": "descriptions",
}
_BESIDE = {
    "classical_kr": (
        "Kenward and Roger's standard errors and degrees of freedom for the mixed models (1997, doi:10.2307/2533558)"
    ),
    "classical_z": "the normal test of the mixed models, the standard error taken as known",
    "classical_clustered": (
        "the rank-sum test for clustered data of Datta and Satten (2005, doi:10.1198/016214504000001583)"
    ),
    "classical_permutation": "a permutation test of the rank sum in which the years of a patient stay together",
    "classical_welch": "Welch's t test of the groups (1947, doi:10.1093/biomet/34.1-2.28)",
    "bayes_robust": "slopes with Student-t errors, which weigh outlying rows less",
    "bayes_normal": "comparisons with normal errors",
    "bayes_structures": "slopes of disjoint structures shrunk together",
}
_MODELS = {
    "mixed": "a linear mixed model with a random intercept per patient",
    "mixed_robust": "a linear mixed model with a random intercept per patient",
    "regression": "a regression with a residual SD for each group, the groups' slopes partially pooled",
    "regression_robust": "a regression with a residual SD for each group, the groups' slopes partially pooled",
    "comparison": "years with activity against years without, patients with random intercepts",
    "comparison_normal": "years with activity against years without, patients with random intercepts",
    "groups": "the difference of the groups before treatment",
    "groups_normal": "the difference of the groups before treatment",
    "structures_pooled": (
        "one model of all structures of which none contains another: intercepts and slopes vary between structures "
        "around a common value, with random intercepts per patient, per patient and structure, and per scan pair "
        "(structures of one scan pair share its error)"
    ),
    "counts": "a model of counts by visit and group with a random intercept per patient",
    "ordinal": "a model of an ordered score by visit and group with a random intercept per patient",
}
_RAW_SCALE = frozenset({"counts", "ordinal"})  # these models do not standardise
_OUTCOMES = {
    "change_pct_etiv": "the change of volume in % of eTIV (change_pct_etiv)",
    "change_pct": "the percentage change of volume (change_pct)",
}
_FAMILIES = {
    "gaussian": "normal errors",
    "t": "Student-t errors (Lange et al. 1989, doi:10.1080/01621459.1989.10478852)",
    "negative binomial, log link": "a negative binomial likelihood with log link",
    "cumulative logit": "a cumulative logit likelihood (McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x)",
}
_GROUP_COLUMNS = re.compile(r"\b(group|side)\b")


def engines_in_words(results: Results) -> str:
    """Say which engines ran: Bayesian with version, classical by method."""
    bayes = dict.fromkeys(_engine(fit) for fit in results.fits)
    classical = dict.fromkeys(row for row in headline(results.estimates, "classical")["engine"] if row)
    parts = [f"Bayesian: {listed(bayes)}." if bayes else "No Bayesian fit ran."]
    headlines = [name for name in headline(results.estimates, "bayes")["engine"].unique() if name]
    if len(bayes) > 1:
        parts.append(f"Headline numbers in this report are from {listed(headlines)}.")
    return " ".join([*parts, f"Classical: {listed(_PROCEDURES.get(name, name) for name in classical) or 'none'}."])


def methods_paragraphs(results: Results) -> tuple[str, ...]:
    """Write data, classical method, Bayesian models, and what is reported, one paragraph each."""
    return (
        _outcomes(results),
        *_classical(results),
        *_further(results),
        *_bayes(results),
        _reported(results),
    )


def method_words(method: str) -> str:
    """Say what a method of estimates.tsv other than the two headlines is, with its source."""
    return _BESIDE[method]


def model_words(model: str, family: str) -> str:
    """Say a model of the catalogue with the distribution of its outcome."""
    return f"{_MODELS.get(model, model)}, with {_FAMILIES.get(family, family)}"


def fit_name(fit: FitRecord) -> str:
    """Name a fit: title of the analysis, method, engine."""
    part = f" ({fit.history['part']})" if fit.history.get("part") else ""
    title = analysis_title(str(fit.history.get("analysis", fit.name)))
    return f"{title}{part}, {fit.history.get('method', '')} by {fit.engine}"


def sampled(fit: FitRecord) -> bool:
    """Whether a fit rests on random draws, and so on a seed."""
    return fit.verdict.get("kind") == "nuts"


def _outcomes(results: Results) -> str:
    parts = [
        f"{analysis_title(row.analysis)}: outcome {_OUTCOMES.get(row.outcome, row.outcome)}, predictor "
        f"{_counted(row.predictor)}, in {row.unit}"
        for row in each_row(results.estimates.drop_duplicates("analysis"))
        if row.predictor
    ]
    clinical = [
        analysis_title(row.analysis)
        for row in each_row(results.estimates.drop_duplicates("analysis"))
        if not row.predictor
    ]
    if clinical:
        parts.append(f"{listed(clinical)}: clinical variables by group")
    return f"Analyses. {'. '.join(parts)}. The groups in this study: {listed(results.groups) or 'none'}."


def _counted(predictor: str) -> str:
    count, _, end = predictor.rpartition("_")
    visit = {"to": "found at the visit that closes the interval", "from": "found at the visit that opens the interval"}
    return f"{count} {visit[end]}" if end in visit else predictor


def _classical(results: Results) -> list[str]:
    rows = results.classical
    told = []
    for name, own in rows.groupby("engine", sort=False):
        titles = listed(analysis_title(str(analysis)) for analysis in own["analysis"].unique())
        told.append(f"{titles}: {_CLASSICAL.get(str(name), str(name))}.")
    return [
        f"Classical, per structure or variable. {' '.join(told)} p are two-sided and uncorrected; q "
        "(Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x) and Holm's p adjust over the structures "
        f"of one analysis and one term. Intervals: {interval_name(results.estimates, 'classical')}."
    ]


def _further(results: Results) -> list[str]:
    methods = dict.fromkeys(results.estimates["method"])
    told = [f"{name}: {words}" for name, words in _BESIDE.items() if name in methods]
    return [f"Beside the two headlines. {'; '.join(told)}."] if told else []


def _bayes(results: Results) -> list[str]:
    together: dict[str, list[FitRecord]] = {}
    for fit in results.fits:
        together.setdefault(json.dumps(_shared(fit), sort_keys=True, default=str), []).append(fit)
    return [_fit_paragraph(fits) for fits in together.values()]


def _shared(fit: FitRecord) -> dict[str, Any]:
    return {name: fit.history.get(name) for name in ("model", "method", "formula", "family", "engine", "settings")}


def _fit_paragraph(fits: list[FitRecord]) -> str:
    history = fits[0].history
    formula = str(history.get("formula", ""))
    settings = _settings(history.get("settings", {}))
    told = f" Settings: {settings}. Seeds stand with the fits under Reproducibility." if sampled(fits[0]) else ""
    titles = "; ".join(dict.fromkeys(analysis_title(str(fit.history.get("analysis", ""))) for fit in fits))
    model, family = (str(history.get(name, "")) for name in ("model", "family"))
    return (
        f"Bayesian, method {history.get('method', '')} ({titles}). {_per(model)} {model_words(model, family)}: "
        f"{formula}{'' if model in _RAW_SCALE else _coding(formula)}.{_scale(model)} Engine: {_engine(fits[0])}.{told}"
    )


def _per(model: str) -> str:
    return "All together:" if model == "structures_pooled" else "Per structure or variable:"


def _scale(model: str) -> str:
    if model in _RAW_SCALE:
        return ""
    return (
        " Outcome and predictor are standardised first (both less their mean over all rows of the analysis; the "
        "outcome then in its SD, lesions in the unit u of the analysis; intercepts are those at the mean) and results "
        "turned back to raw units."
    )


def _engine(fit: FitRecord) -> str:
    engine = fit.history.get("engine", {})
    words = _ENGINES.get(fit.engine)
    return f"{fit.engine} {engine.get('version', '')}".strip() + (f" ({words})" if words else "")


def _coding(formula: str) -> str:
    return "; groups are coded symmetrically, so that none is the reference" if _GROUP_COLUMNS.search(formula) else ""


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())


def _reported(results: Results) -> str:
    rows = headline(results.estimates, "bayes")
    size = (rows["rope_high"] * rows["u"].fillna(1.0) / rows["s_y"]).dropna().round(6).unique()
    width = (
        f"smaller than {number(float(size[0]), 2)} SD of the outcome per u lesions"
        if len(size) == 1
        else "inside the bounds in estimates.tsv"
    )
    units = listed(f"{value:g}" for value in sorted(rows["u"].dropna().unique()))
    return (
        f"Reported. Posterior mean and {interval_name(results.estimates, 'bayes')}; probability of direction pd = "
        f"max(P(θ > 0), P(θ < 0)); posterior probability of an association negligible by convention, "
        f"{width} (u = {units or 'n/a'}; region of practical equivalence, ROPE)."
    )
