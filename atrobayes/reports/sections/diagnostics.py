"""Whether the numbers that follow may be trusted."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.flags import FLAG_WORDS, singular_in_words, split_flags
from atrobayes.reports.methods import fit_name, sampled
from atrobayes.reports.results import FitRecord, Results, each_row
from atrobayes.reports.section import Section, Status, Table
from atrobayes.reports.wording import analysis_title, counted, number, structure_name

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
_FEW = 3  # so many fits, or reasons of one, are told openly


def make(results: Results) -> Section:
    """Verdict of every fit, and the flags on classical and Bayesian rows."""
    tables = _fits(results) if results.fits else []
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
    names = "; ".join(fit_name(fit) for fit in failed[:_FEW])
    names += f"; and {len(failed) - _FEW} more" if len(failed) > _FEW else ""
    return (
        f"{len(failed)} of {counted(total, 'Bayesian fit')} did not pass the checks: {names}. Every number that did "
        "not pass is marked † in the tables."
    )


def _passed(results: Results) -> str:
    total = len(results.fits)
    bayes = results.estimates[results.estimates["fit_id"] != ""]
    sizes = bayes.groupby(["analysis", "method", "engine"])["structure"].nunique().unique()
    several = f"{sizes.min()} to {sizes.max()} structures or variables"
    size = counted(sizes.max(), "structure") if len(set(sizes)) == 1 else several
    which = {1: "The Bayesian fit", 2: "Both Bayesian fits"}.get(total, f"All {total} Bayesian fits")
    each, their = ("", "its") if total == 1 else (" each", "their")
    exactly = "reliably" if any(map(sampled, results.fits)) else "accurately"
    return (
        f"{which} ({size}{each}) passed {their} numerical checks. These say that the numbers are computed {exactly}, "
        "not that the model fits."
    )


def _failed(results: Results) -> list[FitRecord]:
    return [fit for fit in results.fits if not fit.verdict.get("passed")]


def _fits(results: Results) -> list[Table]:
    """Fits that did not pass, and all fits; these folded where they are many."""
    tables = []
    if failed := _failed(results):
        frame = pd.DataFrame(_named(fit) | {"What was found": _reasons(fit)} for fit in failed)
        classes = ("gate_failed",) * len(failed)
        tables.append(Table("failed-fits", frame, "Bayesian fits that did not pass", "posterior/", row_classes=classes))
    frame = pd.DataFrame(
        _named(fit) | {"Passed": "yes" if fit.verdict.get("passed") else "no", "Checks": _checks(fit)}
        for fit in results.fits
    )
    folded = len(results.fits) > _FEW
    return [*tables, Table("fits", frame, "All Bayesian fits and their checks", "posterior/", folded=folded)]


def _named(fit: FitRecord) -> dict[str, str]:
    return {"Analysis": _title(fit), "Method": str(fit.history.get("method", "")), "Engine": fit.engine}


def _reasons(fit: FitRecord) -> str:
    """The first reasons, structures by their names; the others are in the log and the file."""
    reasons = [str(reason).partition(": ") for reason in fit.verdict.get("reasons", ())]
    told = [f"{structure_name(of)}{sign}{what}" for of, sign, what in reasons[:_FEW]]
    rest = f"; and {counted(len(reasons) - _FEW, 'more', 'more')}" if len(reasons) > _FEW else ""
    return f"{'; '.join(told)}{rest}" or "no reason recorded"


def _checks(fit: FitRecord) -> str:
    checks = fit.verdict.get("checks", {})
    return "; ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in checks.items())


def _title(fit: FitRecord) -> str:
    title = analysis_title(str(fit.history.get("analysis", fit.name)))
    part = str(fit.history.get("part", ""))
    return f"{title} ({'all patients' if part == 'ALL' else part})" if part else title


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
