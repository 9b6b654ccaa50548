"""How well sampled fits predict each patient from all others: sums of patient_loo.tsv, and rows of its priors."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from atrobayes.inference.patient_loo import LARGE_K
from atrobayes.inference.power_scaling import ALL_PRIORS, LIKELIHOOD
from atrobayes.reports.kinds import kind_of
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import (
    analysis_title,
    count,
    counted,
    fixed,
    number,
    slug,
    structure_name,
    term_label,
)

_FIT = ["part", "method", "engine", "structure"]


def loo_words(rows: pd.DataFrame) -> str:
    """Say how many patients importance sampling could not leave out, and what became of them.

    Parameters
    ----------
    rows : DataFrame
        Rows of patient_loo.tsv of one analysis.
    """
    large = rows[rows["pareto_k"] > LARGE_K]
    failed = int((large["refitted"] == "gate_failed").sum())
    kept = int((large["refitted"] == "no").sum())
    said = (
        f"Sampled fits: each patient was also left out by weighting the draws. Of {count(len(rows))} pairs of a "
        f"patient and a fit of one structure, {len(large)} have a Pareto-k above {LARGE_K:g}, where weighting may not "
        f"be trusted ({counted(large['patient'].nunique(), 'patient')}); {len(large) - kept} were sampled anew without "
        "the patient."
    )
    said += f" {failed} of these did not pass their checks." if failed else ""
    return said + (f" {kept} could not be sampled anew." if kept else "")


def loo_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum the log predictive densities over patients.

    Parameters
    ----------
    rows : DataFrame
        Rows of patient_loo.tsv of one analysis.

    Returns
    -------
    DataFrame
        By part, method, engine and structure, in the order of the table: patients, large (how many have a large
        Pareto-k), refitted, failed (refits that did not pass), elpd, se.

    Notes
    -----
    The standard error is the root of the number of patients times the variance of their densities (n - 1), as Vehtari,
    Gelman & Gabry (2017) have it, doi:10.1007/s11222-016-9696-4; missing for one patient.
    """
    found = [
        dict(zip(_FIT, key, strict=True))
        | {
            "patients": len(own),
            "large": int((own["pareto_k"] > LARGE_K).sum()),
            "refitted": int((own["refitted"] != "no").sum()),
            "failed": int((own["refitted"] == "gate_failed").sum()),
            "elpd": own["elpd"].sum(),
            "se": math.sqrt(len(own) * own["elpd"].var()) if len(own) > 1 else math.nan,
        }
        for key, own in rows.groupby(_FIT, sort=False)
    ]
    return pd.DataFrame(found)


def loo_table(results: Results, analysis: str, rows: pd.DataFrame) -> Table:
    """Tabulate, for each structure and sampled fit, the total log predictive density and what was refitted.

    Parameters
    ----------
    results : Results
    analysis : str
    rows : DataFrame
        Rows of patient_loo.tsv of this analysis.
    """
    sums = loo_sums(rows)
    cells = {
        "Structure": sums["structure"].map(structure_name),
        "Fit": [fit_words(results, analysis, row) for row in each_row(sums)],
        "Patients": sums["patients"].map(count),
        f"Pareto-k above {LARGE_K:g}": sums["large"].map(count),
        "Sampled anew": [_anew(row) for row in each_row(sums)],
        "elpd": [fixed(value, 1) for value in sums["elpd"]],
        "SE": [fixed(value, 1) for value in sums["se"]],
    }
    details = (
        "elpd: log predictive density of each patient's rows given all other patients, summed over patients, on the "
        "standardised scale; larger is better, and only fits of one structure to the same rows can be compared. SE: "
        "from how it varies between patients."
    )
    caption = f"{analysis_title(analysis)}: how well sampled fits predict a patient from all others"
    return Table(slug("patient-loo", analysis), pd.DataFrame(cells), caption, "patient_loo.tsv", details, folded=True)


def sampled_priors_table(results: Results, analysis: str, power: pd.DataFrame) -> Table:
    """Tabulate the power-scaling of sampled fits.

    Parameters
    ----------
    results : Results
    analysis : str
    power : DataFrame
        Rows of prior_sensitivity.tsv of this analysis, look "power", with draws.
    """
    key = ["structure", "term", "method", "engine"]
    index = power[key].drop_duplicates()
    blocks = ["slopes", ALL_PRIORS, LIKELIHOOD]
    wide = power.pivot_table(index=key, columns="block", values="sensitivity")
    wide = wide.reindex(pd.MultiIndex.from_frame(index)).reindex(columns=blocks)
    exact = _exact(results, analysis)
    beside = [exact.get((row.structure, row.term), math.nan) for row in each_row(index)]
    cells = {
        "Structure": [structure_name(name) for name in index["structure"]],
        "Term": [term_label(term, results.groups) for term in index["term"]],
        "Fit": [fit_words(results, analysis, row) for row in each_row(index)],
        "Sensitivity to slope prior": [number(value, 2) for value in wide["slopes"]],
        "to all priors": [number(value, 2) for value in wide[ALL_PRIORS]],
        "… exact, normal errors": [number(value, 2) for value in beside],
        "to the data": [number(value, 2) for value in wide[LIKELIHOOD]],
    }
    details = (
        "draws weighted as ArviZ does it, nothing refitted; sensitivities per doubling of the power, with the error of "
        "a finite number of draws."
    )
    caption = f"Priors of sampled fits: {analysis_title(analysis)}"
    name = slug("prior_sensitivity", "sampled", analysis)
    return Table(name, pd.DataFrame(cells), caption, "prior_sensitivity.tsv", details, folded=True)


def fit_words(results: Results, analysis: str, row: Any) -> str:
    """Name a sampled fit of an analysis by its errors: "Student-t errors, nutpie, without groups".

    Parameters
    ----------
    results : Results
    analysis : str
    row : tuple
        With method and engine, and part where there is one, as attributes.
    """
    # `bayes` is the headline: normal errors for slopes, Student-t for comparisons
    heavy = row.method == "bayes_robust" or (row.method == "bayes" and kind_of(results, analysis) != "slopes")
    words = [f"{'Student-t' if heavy else 'normal'} errors", row.engine]
    return ", ".join([*words, *(["without groups"] if getattr(row, "part", "") else [])])


def _anew(row: Any) -> str:
    return f"{count(row.refitted)} ({row.failed} did not pass)" if row.failed else count(row.refitted)


def _exact(results: Results, analysis: str) -> dict[tuple[str, str], float]:
    """Sensitivity to all priors of the exact fit, by structure and term."""
    told = results.look("prior_sensitivity")
    if told is None:
        return {}
    own = told[(told["analysis"] == analysis) & told["draws"].isna() & (told["block"] == ALL_PRIORS)]
    own = own.drop_duplicates(["structure", "term"])
    return dict(zip(zip(own["structure"], own["term"], strict=True), own["sensitivity"], strict=True))
