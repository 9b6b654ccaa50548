"""Whether the numbers that follow may be trusted."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.flags import FLAG_WORDS, singular_in_words, split_flags
from atrobayes.reports.methods import fit_name, sampled
from atrobayes.reports.results import FitRecord, Results, each_row
from atrobayes.reports.section import Section, Status, Table
from atrobayes.reports.wording import analysis_title, counted, number

_KINDS = {
    "quadrature": (
        "Quadrature computes a posterior as a sum over a grid of the standard deviations, without random draws. It "
        "passes when refining and widening the grid no longer changes means, standard deviations, quantiles or "
        "probabilities."
    ),
    "nuts": (
        "NUTS draws at random from the posterior with several chains. It passes when the chains agree (R-hat), when "
        "there are enough independent draws (effective sample size, ESS), and when no divergent transitions "
        "occurred."
    ),
}


def make(results: Results) -> Section:
    """Verdict of every fit, and the flags on classical and Bayesian rows."""
    tables = [_fits(results)] if results.fits else []
    flags = _flags(results.estimates)
    if len(flags):
        tables.append(Table("flags", flags, "Flagged rows, by analysis and method", "estimates.tsv"))
    marked = "gate_failed" in " ".join(results.estimates["flags"])
    status: Status = "warning" if marked or _failed(results) else "ok"
    kinds = dict.fromkeys(str(fit.verdict.get("kind", "")) for fit in results.fits)
    paragraphs = (
        checks_in_words(results),
        *filter(None, [singular_in_words(results)]),
        *(_KINDS[kind] for kind in kinds if kind in _KINDS),
    )
    return Section("diagnostics", "Diagnostics", status, paragraphs, tuple(tables))


def checks_in_words(results: Results) -> str:
    """Say whether all Bayesian fits passed their checks, and which did not."""
    total, failed = len(results.fits), _failed(results)
    if not total:
        return "No posterior was found in this folder, so there is nothing Bayesian to check."
    if not failed:
        return _passed(results)
    names = "; ".join(fit_name(fit) for fit in failed)
    return (
        f"{len(failed)} of {counted(total, 'Bayesian fit')} did not pass the checks: {names}. Every number that did "
        "not pass is marked † in the tables."
    )


def _passed(results: Results) -> str:
    total = len(results.fits)
    bayes = results.estimates[results.estimates["fit_id"] != ""]
    sizes = bayes.groupby(["analysis", "method", "engine"])["structure"].nunique().unique()
    size = counted(sizes.max(), "structure") if len(set(sizes)) == 1 else f"{sizes.min()} to {sizes.max()} structures"
    which = {1: "The Bayesian fit", 2: "Both Bayesian fits"}.get(total, f"All {total} Bayesian fits")
    each, their = ("", "its") if total == 1 else (" each", "their")
    exactly = "reliably" if any(map(sampled, results.fits)) else "accurately"
    return (
        f"{which} ({size}{each}) passed {their} numerical checks. These say that the numbers are computed {exactly}, "
        "not that the model fits."
    )


def _failed(results: Results) -> list[FitRecord]:
    return [fit for fit in results.fits if not fit.verdict.get("passed")]


def _fits(results: Results) -> Table:
    frame = pd.DataFrame(
        [
            {
                "Analysis": analysis_title(str(fit.history.get("analysis", fit.name))),
                "Method": str(fit.history.get("method", "")),
                "Engine": fit.engine,
                "Passed": "yes" if fit.verdict.get("passed") else "no",
                "Reasons": "; ".join(map(str, fit.verdict.get("reasons", ()))) or "none",
                "Checks": "; ".join(
                    f"{name.replace('_', ' ')} {_value(value)}" for name, value in fit.verdict.get("checks", {}).items()
                ),
            }
            for fit in results.fits
        ]
    )
    classes = tuple("" if fit.verdict.get("passed") else "gate_failed" for fit in results.fits)
    return Table("fits", frame, "Bayesian fits and their checks", "posterior/", row_classes=classes)


def _value(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else str(value)


def _flags(estimates: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {"Analysis": analysis_title(row.analysis), "Method": f"{row.method} ({row.engine})", "Flag": flag}
        for row in each_row(estimates[["analysis", "method", "engine", "flags"]])
        for flag in split_flags(row.flags)
    ]
    if not rows:
        return pd.DataFrame()
    counts = pd.DataFrame(rows).value_counts(sort=False).rename("Rows").reset_index()
    meaning = counts["Flag"].map(lambda flag: FLAG_WORDS.get(flag, ""))
    return counts.assign(Flag=counts["Flag"].str.replace("_", " "), Rows=counts["Rows"].map(str), Meaning=meaning)
