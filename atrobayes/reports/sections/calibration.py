"""Do probabilities mean what they say: simulation-based calibration, and what tests and intervals do on this design."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from atrobayes.reports import operating_characteristics
from atrobayes.reports.figures.calibration import calibration_svg
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Status, Table
from atrobayes.reports.wording import analysis_title, count, counted, fixed, listed, p_cell

MODELS = {
    "mixed": "Mixed model, normal errors",
    "mixed_robust": "Mixed model, Student-t errors",
    "regression": "Regression, normal errors",
    "regression_robust": "Regression, Student-t errors",
    "comparison": "Comparison of years, Student-t errors",
    "comparison_normal": "Comparison of years, normal errors",
    "groups": "Comparison of groups, Student-t errors",
    "groups_normal": "Comparison of groups, normal errors",
    "structures_pooled": "Structures fitted together",
    "counts": "Counts of events",
    "ordinal": "Ordinal score",
}
_ENGINES = {"quadrature": "exact", "sampling": "sampled"}
_VERDICTS = {
    "within": "inside the band",
    "within_on_rerun": "inside when repeated",
    "outside": "outside twice",
    "outside_once": "outside, not repeated",
}
_ASKED = (
    "A posterior says, for instance, that a value lies below some number with a probability of 10 %. Simulation-based "
    "calibration asks whether such probabilities are right: true values are drawn from the priors, data sets "
    "simulated from them with the rows, groups, lesion counts and missing visits of this study, and each is fitted "
    "as the real data were. The true value must then lie where the posterior puts 10 % in a tenth of the data sets, "
    "below its median in half of them, and so on for every probability."
)
_UNSAID = (
    "This checks that models are computed right on a design like this one, for data as their priors expect them. It "
    "does not show that a model describes these patients. Fits that did not pass their own checks are counted with all "
    "others, never left out."
)


def make(results: Results) -> Section:
    """Simulation-based calibration, and operating characteristics where they were computed."""
    operating = operating_characteristics.make(results)
    # the page shows parts, but no parts of parts
    parts = (simulation_based(results), replace(operating, parts=()), *operating.parts)
    known = tuple(part for part in parts if part.status != "not_applicable")
    if not known:
        said = "Not computed. `atrobayes calibrate STUDY.toml` simulates data sets on this study's design."
        return Section("calibration", "Calibration", "not_applicable", (said,))
    status: Status = "warning" if any(part.status == "warning" for part in known) else "ok"
    return Section("calibration", "Calibration", status, parts=known)


def simulation_based(results: Results) -> Section:
    """Whether each model finds again what its own prior drew.

    Parameters
    ----------
    results : Results

    Returns
    -------
    Section
        A figure for each analysis and a row for each model; a warning if a parameter left its band twice.
    """
    title = "Do models find again what they assume?"
    table = results.look("sbc")
    if table is None or not len(table):
        return Section(
            "simulation-based", title, "not_applicable", ("`atrobayes calibrate STUDY.toml` computes this.",)
        )
    bad = table["verdict"].isin(["outside", "outside_once"])
    models = Table("sbc-models", _by_model(table), "Models", "sbc.tsv", details="One row for each model and analysis.")
    every = Table("sbc-parameters", _by_parameter(table), "Every parameter", "sbc.tsv", folded=True)
    paragraphs = (_found(table), _ASKED, _UNSAID)
    return Section(
        "simulation-based", title, "warning" if bad.any() else "ok", paragraphs, (models, every), (_figure(table),)
    )


def _found(table: pd.DataFrame) -> str:
    """The verdict in plain words."""
    fits = table.groupby(["model", "analysis", "part"])["simulations"].first()
    whole = f"{counted(len(table), 'parameter')} in {counted(len(fits), 'fit')} of {table['model'].nunique()} models"
    outside = table[table["verdict"].isin(["outside", "outside_once"])]
    again = int((table["verdict"] == "within_on_rerun").sum())
    repeated = f" {again} left the band at first and stayed inside when repeated with new seeds." if again else ""
    if not len(outside):
        return f"Yes, as far as {count(fits.sum())} simulated data sets can tell: {whole} were found again.{repeated}"
    names = listed(
        f"{row.parameter} ({_model(row.model)}, {analysis_title(row.analysis)})" for row in each_row(outside)
    )
    return f"Not all: of {whole}, {len(outside)} left the band, {names}. Their probabilities are in doubt.{repeated}"


def _figure(table: pd.DataFrame) -> Figure:
    keys = each_row(table[["model", "analysis", "part"]].drop_duplicates())
    titles = {
        (row.model, row.analysis, row.part): f"{_model(row.model)}\n{analysis_title(row.analysis)}{_suffix(row.part)}"
        for row in keys
    }
    outside = int((table["verdict"] == "outside").sum())
    alt = (
        f"Calibration of {counted(len(titles), 'model')}, a panel each: lines of {len(table)} parameters around zero "
        f"with a band; {outside} leave it."
    )
    caption = (
        "Each panel is a model on the design of one analysis, each line one of its parameters: by how much the share "
        "of simulated data sets whose true value lies below each posterior probability differs from what it should "
        "be. Lines near 0 are calibrated. Above 0 on the left and below on the right: posteriors too narrow; the other "
        "way round: too wide; all above 0: too high; all below: too low. Grey: where all parameters of a calibrated "
        "model stay in 99 of 100 such calibrations. Parameters outside it, also when repeated, are drawn thick and "
        "named."
    )
    return Figure("calibration", calibration_svg("calibration", table, titles, alt), alt, caption)


def _by_model(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (model, analysis, part), own in table.groupby(["model", "analysis", "part"], sort=False):
        first, worst = own.iloc[0], own.sort_values("p").iloc[0]
        inside = int(own["verdict"].isin(["within", "within_on_rerun"]).sum())
        rows.append(
            {
                "Model": _model(str(model)) + _suffix(str(part)),
                "Analysis": analysis_title(str(analysis)),
                "Posteriors": _ENGINES.get(first["engine"], first["engine"]),
                "Data sets": count(first["simulations"]),
                "Fits that failed their checks": count(own["failed"].max()),
                "Parameters inside": f"{inside} of {len(own)}",
                "Smallest p (must exceed)": f"{p_cell(worst['p'])} ({p_cell(first['limit'])})",
                "Parameter": worst["parameter"],
            }
        )
    return pd.DataFrame(rows)


def _by_parameter(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Model": [_model(row.model) + _suffix(row.part) for row in each_row(table)],
            "Analysis": table["analysis"].map(analysis_title),
            "Parameter": table["parameter"],
            "Mean probability below the truth (0.5)": [fixed(value, 3) for value in table["mean_pit"]],
            "Largest difference": [fixed(value, 3) for value in table["max_difference"]],
            "p": [p_cell(value) for value in table["p"]],
            "Verdict": table["verdict"].map(_VERDICTS),
        }
    )


def _model(name: str) -> str:
    return MODELS.get(name, name)


def _suffix(part: str) -> str:
    return {"": "", "ALL": ", all patients"}.get(part, f", {part}")
