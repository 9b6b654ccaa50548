"""What was believed before the data, in words and numbers."""

from __future__ import annotations

import math

import pandas as pd

from atrobayes.models import counts, ordinal
from atrobayes.models.prior_predictive import half_t_quantile, lognormal_range, normal_range
from atrobayes.reports.kinds import analyses_of, kind_of
from atrobayes.reports.prior_tables import headline_fits, raw_priors, raw_table, standardised_tables, year_table, years
from atrobayes.reports.results import FitRecord, Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import (
    analysis_title,
    between,
    decimals,
    fixed,
    number,
    probability,
    structure_name,
    unit_parts,
)

_KNOWN = "whole_brain"
KNOWN_LOSS = (
    "What is known of the whole brain from other cohorts of multiple sclerosis, by another method (SIENA): a loss of "
    "0.46 to 1.34% a year, pooled 0.69% (Vollmer et al. 2015, doi:10.1016/j.jns.2015.07.014)."
)


def make(results: Results) -> Section:
    """Every prior by name and number, in words, in raw units, and what it predicts of a year."""
    if not results.fits:
        return Section("priors", "Priors", "not_applicable", ("No Bayesian fit ran.",))
    analyses = analyses_of(results)
    found = [make_table(results, name) for name in analyses for make_table in (raw_table, year_table)]
    tables = (*standardised_tables(results), *(table for table in found if isinstance(table, Table)))
    paragraphs = (*_reading(results), *(said for name in analyses for said in _said(results, name)))
    return Section("priors", "Priors", "ok", paragraphs, tables)


def _reading(results: Results) -> tuple[str, ...]:
    names = dict.fromkeys(str(fit.history.get("prior", "")) for fit in results.fits)
    return (
        f"Slope prior: {', '.join(filter(None, names)) or 'not named'}. Priors are stated on a standardised scale: the "
        "outcome in its SD over the rows of the analysis, the predictor in its unit u. A prior of N(0, 0.5) for a "
        "slope is centred on no association. The SD of the outcome is taken from the data, so a prior in raw units "
        "differs from structure to structure, and the centre of a predicted year is the observed mean: these "
        "predictions check the priors' width, not their place.",
        "Predictions below are of a row without lesions or activity: intercept, slope, patient and residual drawn from "
        "their priors, computed by numerical integration over the SDs, without random draws. Intercepts have wide "
        "priors so that they decide nothing: ranges far beyond what brains do are meant, and harmless for the slopes.",
        KNOWN_LOSS,
    )


def _said(results: Results, analysis: str) -> tuple[str, ...]:
    kind = kind_of(results, analysis)
    fits = headline_fits(results, analysis)
    if kind == "course":
        return _course(analysis, fits)
    words = [_terms_in_words(results, analysis), _year_in_words(results, analysis)]
    told = " ".join(filter(None, words))
    return (f"{analysis_title(analysis)}. {told}",) if told else ()


def _terms_in_words(results: Results, analysis: str) -> str:
    rows = raw_priors(results, analysis)
    if not len(rows):
        return ""
    name = _KNOWN if (rows["structure"] == _KNOWN).any() else rows["structure"].iloc[0]
    own = rows[rows["structure"] == name]
    first = own.iloc[0]
    change, per = unit_parts(str(first["unit"]))
    low, high = normal_range(first["mean"], first["sd"])
    places = decimals([(high - low) / 2])
    if kind_of(results, analysis) == "groups":
        size = between(low, high, places)
        return f"This prior says: before treatment the groups differ in {_lower(name)} by {size} {change} (95%)."
    if not per:
        return (
            f"This prior says: a year with activity differs from one without by {between(low, high, places)} {change} "
            f"in the {_lower(name)} (95%)."
        )
    return (
        f"This prior says: a further {per} goes with between {fixed(low, places)} and {fixed(high, places)} {change} "
        f"in the {_lower(name)} (95%).{_interaction(own, places)}"
    )


def _interaction(own: pd.DataFrame, places: int) -> str:
    rows = own[own["term"].str.startswith("interaction")]
    if not len(rows):
        return ""
    _, high = normal_range(rows["mean"].iloc[0], rows["sd"].iloc[0])
    return f" Two groups' slopes differ by no more than {fixed(high, places)} (95%)."


def _year_in_words(results: Results, analysis: str) -> str:
    told = years(results, analysis)
    if _KNOWN not in told.index:
        return ""
    row = told.loc[_KNOWN].to_dict()
    factor, unit = _in_percent(results, analysis)
    prior = between(factor * row["prior_low"], factor * row["prior_high"], 1)
    seen = between(factor * row["low"], factor * row["high"], 1)
    text = (
        f"Whole brain without lesions or activity, in {unit}: the prior predicts {prior} (95%), 95% of the rows "
        f"observed lie in {seen}. The prior gives growth a probability of {probability(row['p_growth'])}; it was "
        f"observed in {100 * row['share_growth']:.0f}% of the rows."
    )
    if math.isnan(row["patient_median"]):
        return text
    median, high, sd = (fixed(factor * row[name], 2) for name in ("patient_median", "patient_high", "sd"))
    return f"{text} SD between patients: prior median {median}, 95% below {high}; the rows observed have an SD of {sd}."


def _in_percent(results: Results, analysis: str) -> tuple[float, str]:
    """Factor from the outcome's unit to % of the volume, and the unit in words."""
    rows = results.estimates[results.estimates["analysis"] == analysis]
    change = unit_parts(str(rows["unit"].iloc[0]))[0]
    volumes = results.changes[results.changes["structure"] == _KNOWN]
    if not change.startswith("% of eTIV") or not len(volumes):
        return 1.0, change
    factor = float((volumes["etiv"] / volumes["volume_from"]).mean())
    return factor, f"% of the volume{change.removeprefix('% of eTIV')}"


def _course(analysis: str, fits: list[FitRecord]) -> tuple[str, ...]:
    models = {str(fit.history.get("model")) for fit in fits}
    said = []
    if "counts" in models:
        low, high = lognormal_range(math.hypot(counts.LOG_RATE_SD, counts.CELL_SD))
        least, most = lognormal_range(math.sqrt(2) * counts.CELL_SD)
        said.append(
            f"Counts: log rate N(0, {counts.LOG_RATE_SD:g}) overall, N(0, {counts.CELL_SD:g}) for each group at each "
            f"visit, patient SD half-N(0, {counts.PATIENT_SD:g}) and 1/√shape half-N(0, {counts.DISPERSION_SD:g}). "
            f"This prior says: a typical patient has {number(low, 2)} to {number(high, 2)} events a year, and one "
            f"group has {number(least, 2)} to {number(most, 2)} times the rate of the other (95%)."
        )
    if "ordinal" in models:
        least, most = lognormal_range(math.sqrt(2) * ordinal.CELL_SD)
        high = float(half_t_quantile(ordinal.PATIENT_SD, 0.95))
        said.append(
            f"EDSS: cumulative logit, N(0, {ordinal.CELL_SD:g}) for each group at each visit, thresholds "
            f"N(0, {ordinal.THRESHOLD_SD:g}) in order, patient SD {ordinal.PATIENT_SD}. This prior says: the odds of a "
            f"higher score in one group are {number(least, 2)} to {number(most, 2)} times those in the other, and the "
            f"SD between patients is below {number(high, 2)} logits (95% each)."
        )
    return (f"{analysis_title(analysis)}. {' '.join(said)}",) if said else ()


def _lower(structure: str) -> str:
    name = structure_name(structure)
    return name if name.isupper() or name == structure else name[0].lower() + name[1:]
