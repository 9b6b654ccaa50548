"""The priors of the fits that ran, as tables: standardised, in raw units, and what they predict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.models.prior_predictive import Year, half_t_quantile, normal_range, read_record, year_prior
from atrobayes.reports.kinds import kind_of, rows_of
from atrobayes.reports.methods import fit_name
from atrobayes.reports.results import FitRecord, Results
from atrobayes.reports.section import Table
from atrobayes.reports.wording import (
    analysis_title,
    between,
    decimals,
    fixed,
    listed,
    number,
    probability,
    slug,
    structure_name,
    term_label,
)

HEADLINE = "bayes"


def headline_fits(results: Results, analysis: str) -> list[FitRecord]:
    """Fits of an analysis whose rows are its Bayesian headline; with none, those with normal errors."""
    own = [fit for fit in results.fits if fit.history.get("analysis") == analysis]
    return [fit for fit in own if fit.history.get("method") == HEADLINE] or [
        fit for fit in own if fit.history.get("method") == "bayes_normal"
    ]


def standardised_tables(results: Results) -> tuple[Table, ...]:
    """Tabulate the priors on the standardised scale, once for all fits that share them."""
    together: dict[str, list[FitRecord]] = {}
    for fit in results.fits:
        together.setdefault(json.dumps(_standardised(fit)), []).append(fit)
    shared = [fits for fits in together.values() if _standardised(fits[0])]
    return tuple(_shared(fits, only=len(shared) == 1) for fits in shared)


def raw_table(results: Results, analysis: str) -> Table | None:
    """Tabulate what the prior of each slope or difference allows in raw units; None where none is normal."""
    rows = raw_priors(results, analysis)
    if not len(rows):
        return None
    spans = [normal_range(row["mean"], row["sd"]) for _, row in rows.iterrows()]
    frame = pd.DataFrame(
        {
            "Structure": rows["structure"].map(structure_name),
            "Term": rows["term"].map(lambda term: term_label(term, results.groups)),
            "Prior mean": rows["mean"].map(number),
            "Prior SD": rows["sd"].map(number),
            "95% of the prior": [between(*span, decimals([(span[1] - span[0]) / 2])) for span in spans],
            "Unit": rows["unit"],
        }
    )
    caption = f"Priors in raw units: {analysis_title(analysis)}"
    return Table(slug("priors-raw", analysis), frame, caption, folded=True)


def raw_priors(results: Results, analysis: str) -> pd.DataFrame:
    """Normal priors of an analysis's headline: structure, term, mean, sd, unit."""
    columns = ["structure", "term", "mean", "sd", "unit"]
    rows = [row for fit in headline_fits(results, analysis) for row in fit.history.get("priors", {}).get("raw", [])]
    table = pd.DataFrame(rows, columns=columns)
    return table.dropna(subset=["mean", "sd"]).astype({"mean": float, "sd": float}).reset_index(drop=True)


def years(results: Results, analysis: str) -> pd.DataFrame:
    """Prior predictive of a row without lesions or activity, beside what was observed.

    Parameters
    ----------
    results : Results
    analysis : str
        Of kind slopes or comparison.

    Returns
    -------
    DataFrame
        Index structure; in raw units prior_low, prior_high (95 %), low, high (2.5th to 97.5th percentile of the rows
        observed), sd; p_growth, share_growth: prior probability and observed share of a change above 0;
        patient_median, patient_high: median and 95th percentile of the prior of the SD between patients (NaN without
        one). Empty where no headline fit tells its priors.
    """
    fits = [fit for fit in headline_fits(results, analysis) if _standardised(fit) and fit.history.get("scales")]
    if not fits or kind_of(results, analysis) not in {"slopes", "comparison"}:
        return pd.DataFrame()
    fit = fits[0]
    observed = results.observed(fit)
    scales = fit.history["scales"]["outcome_sd"]
    prior, patient = _row_prior(results, analysis, fit)
    ends = (prior.quantile(0.025), prior.quantile(0.975))
    patients = half_t_quantile(patient, np.array([0.5, 0.95])) if patient else None
    rows = {
        name: _year(observed[name].dropna().to_numpy(), float(scales[name]), prior, ends, patients) for name in observed
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def year_table(results: Results, analysis: str) -> Table | None:
    """Tabulate `years`, folded; None where there is nothing to tell."""
    told = years(results, analysis)
    if not len(told):
        return None
    places = [decimals([(row["high"] - row["low"]) / 2]) for _, row in told.iterrows()]
    columns: dict[str, Any] = {
        "Structure": [structure_name(str(name)) for name in told.index],
        "95% of the prior": list(map(between, told["prior_low"], told["prior_high"], places)),
        "95% of the rows observed": list(map(between, told["low"], told["high"], places)),
        "P(change > 0), prior": told["p_growth"].map(probability).to_numpy(),
        "Share with change > 0, observed": told["share_growth"].map(lambda share: f"{share:.2f}").to_numpy(),
    }
    if told["patient_median"].notna().any():
        columns["SD between patients, prior median"] = list(map(fixed, told["patient_median"], places))
        columns["SD between patients, 95% below"] = list(map(fixed, told["patient_high"], places))
        columns["SD of the rows observed"] = list(map(fixed, told["sd"], places))
    unit = listed(dict.fromkeys(unit.partition(" per ")[0] for unit in rows_of(results, analysis)["unit"].unique()))
    caption = f"What the priors predict, in {unit}: {analysis_title(analysis)}"
    return Table(slug("prior-predictive", analysis), pd.DataFrame(columns), caption, "posterior/", folded=True)


def _row_prior(results: Results, analysis: str, fit: FitRecord) -> tuple[Year, Any]:
    told = read_record(_standardised(fit))
    kind = kind_of(results, analysis)
    nu = told.nu if fit.history.get("family") == "t" else None
    groups = max(len(results.groups), 1) if kind == "slopes" else 1
    mean, sd = _at_zero(fit, 0.5 if kind == "comparison" else None)
    patient = told.patient_sd if "patient" in str(fit.history.get("formula", "")) else None
    return year_prior(mean, math.hypot(told.intercept_sd(groups), sd), patient, told.residual_sd, nu), patient


def _at_zero(fit: FitRecord, state: float | None) -> tuple[float, float]:
    """Mean and SD of what the slope's prior adds at no lesion (or no activity), standardised."""
    first = fit.history["priors"]["raw"][0]
    scales = fit.history["scales"]
    steps = state if state is not None else scales["predictor_mean"]
    factor = steps / scales["outcome_sd"][first["structure"]]
    return -float(first["mean"]) * factor, float(first["sd"]) * factor


def _year(
    observed: np.ndarray, scale: float, prior: Year, ends: tuple[float, float], patients: np.ndarray | None
) -> dict[str, float]:
    centre = float(observed.mean())
    low, high = np.quantile(observed, [0.025, 0.975])
    return {
        "prior_low": centre + scale * ends[0],
        "prior_high": centre + scale * ends[1],
        "low": float(low),
        "high": float(high),
        "sd": float(observed.std(ddof=1)),
        "p_growth": 1 - prior.cdf(-centre / scale),
        "share_growth": float((observed > 0).mean()),
        "patient_median": math.nan if patients is None else scale * float(patients[0]),
        "patient_high": math.nan if patients is None else scale * float(patients[1]),
    }


def _standardised(fit: FitRecord) -> Mapping[str, str]:
    priors: Mapping[str, str] = fit.history.get("priors", {}).get("standardised", {})
    return priors


def _shared(fits: list[FitRecord], *, only: bool) -> Table:
    rows = [(name.replace("_", " "), str(text)) for name, text in _standardised(fits[0]).items()]
    frame = pd.DataFrame(rows, columns=["Parameter", "Prior"])
    whose = "all fits" if only else "; ".join(map(fit_name, fits))
    return Table(slug("priors", fits[0].name), frame, f"Priors on the standardised scale: {whose}")
