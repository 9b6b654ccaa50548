"""The methods paragraphs, written from the histories of the fits that ran."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from atrobayes.reports.contrast import headline
from atrobayes.reports.results import FitRecord, Results, each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import (
    analysis_title,
    interval_name,
    listed,
    number,
    slug,
    structure_name,
    term_words,
)

_ENGINES = {
    "quadrature": "deterministic numerical integration, no random draws",
    "nutpie": "NUTS, a Markov chain Monte Carlo sampler",
    "pymc": "NUTS, a Markov chain Monte Carlo sampler",
    "numpyro": "NUTS, a Markov chain Monte Carlo sampler",
}
_CLASSICAL = {
    "reml": (
        "a linear mixed model with a random intercept per patient, fitted by restricted maximum likelihood (REML); t "
        "tests and intervals use Satterthwaite's degrees of freedom, and slopes per group and their interaction are "
        "contrasts of the one model"
    ),
}
_MODELS = {
    "mixed": "a linear mixed model with a random intercept per patient",
}
_OUTCOMES = {
    "change_pct_etiv": "the change of volume in % of eTIV (change_pct_etiv)",
    "change_pct": "the percentage change of volume (change_pct)",
}
_FAMILIES = {"gaussian": "normal"}
_GROUP_COLUMNS = re.compile(r"\b(group|side)\b")


def engines_in_words(results: Results) -> str:
    """Say which engines ran: Bayesian with version, classical by method."""
    bayes = dict.fromkeys(_engine(fit) for fit in results.fits)
    classical = dict.fromkeys(row for row in headline(results.estimates, "classical")["engine"] if row)
    parts = [f"Bayesian: {listed(bayes)}." if bayes else "No Bayesian fit ran."]
    headlines = [name for name in headline(results.estimates, "bayes")["engine"].unique() if name]
    if len(bayes) > 1:
        parts.append(f"Numbers in this report are from {listed(headlines)}.")
    return " ".join([*parts, f"Classical: {listed(name.upper() for name in classical) or 'none'}."])


def methods_paragraphs(results: Results) -> tuple[str, ...]:
    """Write data, classical method, Bayesian models, and what is reported, one paragraph each."""
    return (_outcomes(results), *_classical(results), *_bayes(results), _reported(results))


def fit_name(fit: FitRecord) -> str:
    """Name a fit: title of the analysis, method, engine."""
    return (
        f"{analysis_title(str(fit.history.get('analysis', fit.name)))}, {fit.history.get('method', '')} by {fit.engine}"
    )


def sampled(fit: FitRecord) -> bool:
    """Whether a fit rests on random draws, and so on a seed."""
    return fit.verdict.get("kind") == "nuts"


def prior_tables(results: Results) -> tuple[Table, ...]:
    """Tabulate the priors on the standardised scale, once for all fits that share them, and in raw units (folded)."""
    together: dict[str, list[FitRecord]] = {}
    for fit in results.fits:
        together.setdefault(json.dumps(_standardised(fit)), []).append(fit)
    shared = [_shared_priors(fits) for fits in together.values() if _standardised(fits[0])]
    raw = [_raw_priors(fit, results) for fit in results.fits if fit.history.get("priors", {}).get("raw")]
    return (*shared, *raw)


def _standardised(fit: FitRecord) -> Mapping[str, str]:
    priors: Mapping[str, str] = fit.history.get("priors", {}).get("standardised", {})
    return priors


def _shared_priors(fits: list[FitRecord]) -> Table:
    rows = [(name.replace("_", " "), str(text)) for name, text in _standardised(fits[0]).items()]
    frame = pd.DataFrame(rows, columns=["Parameter", "Prior"])
    caption = f"Priors on the standardised scale: {'; '.join(fit_name(fit) for fit in fits)}"
    return Table(slug("priors", fits[0].name), frame, caption)


def _raw_priors(fit: FitRecord, results: Results) -> Table:
    raw = fit.history["priors"]["raw"]
    columns = {
        "Structure": [structure_name(str(row["structure"])) for row in raw],
        "Term": [term_words(str(row["term"]), results.groups) for row in raw],
        "Prior mean": [number(float(row["mean"])) for row in raw],
        "Prior SD": [number(float(row["sd"])) for row in raw],
        "Unit": [str(row["unit"]) for row in raw],
    }
    caption = f"The same priors in raw units: {fit_name(fit)}"
    return Table(slug("priors-raw", fit.name), pd.DataFrame(columns), caption, folded=True)


def _outcomes(results: Results) -> str:
    parts = [
        f"{analysis_title(row.analysis)}: outcome {_OUTCOMES.get(row.outcome, row.outcome)}, predictor "
        f"{_counted(row.predictor)}, slopes in {row.unit}"
        for row in each_row(results.estimates.drop_duplicates("analysis"))
    ]
    return f"Analyses. {'. '.join(parts)}. The groups in this study: {listed(results.groups) or 'none'}."


def _counted(predictor: str) -> str:
    count, _, end = predictor.rpartition("_")
    visit = {"to": "found at the visit that closes the interval", "from": "found at the visit that opens the interval"}
    return f"{count} {visit[end]}" if end in visit else predictor


def _classical(results: Results) -> list[str]:
    engines = dict.fromkeys(headline(results.estimates, "classical")["engine"])
    return [
        f"Classical. Per structure {_CLASSICAL.get(name, name)}. p are two-sided and uncorrected; q "
        "(Benjamini-Hochberg) and Holm's p adjust over the structures of one analysis and one term. Intervals: "
        f"{interval_name(results.estimates, 'classical')}."
        for name in engines
    ]


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
    seeds = listed(dict.fromkeys(str(fit.history.get("seed", "n/a")) for fit in fits))
    told = f" Settings: {_settings(history.get('settings', {}))}. Seeds: {seeds}." if sampled(fits[0]) else ""
    titles = "; ".join(dict.fromkeys(analysis_title(str(fit.history.get("analysis", ""))) for fit in fits))
    model, family = (str(history.get(name, "")) for name in ("model", "family"))
    return (
        f"Bayesian, method {history.get('method', '')} ({titles}). Per structure {_MODELS.get(model, model)} with "
        f"{_FAMILIES.get(family, family)} errors: {formula}{_coding(formula)}. Outcome and lesions are standardised "
        "first (both less their mean over all rows of the analysis; the outcome then in its SD, lesions in the unit u "
        "of the analysis; intercepts are those at the mean lesion count) and results "
        f"turned back to raw units. Engine: {_engine(fits[0])}.{told}"
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
    size = (rows["rope_high"] * rows["u"] / rows["s_y"]).dropna().round(6).unique()
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
