"""Assurance: the probability that a future study reaches a stated conclusion, given what is known now."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from atrobayes.files import Column
from atrobayes.inference.estimate import Choices
from atrobayes.inference.future_study import years_of
from atrobayes.inference.operating import KINDS, rate_of
from atrobayes.inference.plan import parts
from atrobayes.inference.simulated_futures import AT_ONCE, FutureStudies
from atrobayes.models.frame import Frame
from atrobayes.models.terms import terms_of
from atrobayes.study import Design

_CONCLUSIONS = {
    "pd": "the probability of direction is above the threshold",
    "rope": "the probability that the term lies outside the region of practical equivalence is above the threshold",
    "width": "the interval is narrower than the threshold",
}
COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis that the future study repeats."),
    Column("structure", "Id of the structure."),
    Column("term", "Term as in estimates.tsv that the conclusion is about."),
    Column("patients", "Patients enrolled in the future study, in the groups' observed proportions."),
    Column("years", "Years of follow-up."),
    Column("conclusion", "What the future study is to conclude.", levels=_CONCLUSIONS),
    Column("threshold", "A probability; for width a multiple of the outcome's SD, of the effect of u lesions."),
    Column(
        "assurance",
        "Probability that the future study reaches the conclusion, the truth being drawn from this posterior.",
    ),
    Column("mc_error", "Monte Carlo standard error of assurance."),
    Column("wrong_direction", "Probability that it does, with the posterior mean on the wrong side of zero."),
    Column("power", "Probability that the headline classical test of the same studies finds p < 0.05."),
    Column("power_mc_error", "Monte Carlo standard error of power."),
    Column(
        "power_at_mean",
        "Power as usually stated: the truth taken as known, equal to the posterior means of coefficients and SDs.",
    ),
    Column("power_at_mean_mc_error", "Monte Carlo standard error of power_at_mean."),
    Column("simulations", "Studies simulated."),
    Column("rows_mean", "Rows of such a study for this structure, on average: what dropout leaves."),
    Column("ci_prob", "Level of the interval."),
)


def part_of(frame: Frame, term: str) -> Frame | None:
    """Part of a frame that has a term; None: no part does."""
    return next((part for part in parts(frame) if term in {one.name for one in terms_of(part)}), None)


def studies_of(
    frame: Frame, choices: Choices, design: Design, term: str, enrolled: Sequence[int]
) -> tuple[FutureStudies, ...]:
    """All the work of one design.

    Parameters
    ----------
    frame : Frame
        The part with the term, and of its structures those asked for.
    choices : Choices
    design : Design
    term : str
    enrolled : sequence of int
        Observed patients of each group of the frame, with rows or without.

    Returns
    -------
    tuple of FutureStudies
        None where no classical test and quadrature serve the frame's kind.
    """
    if frame.kind not in KINDS:
        return ()
    return tuple(
        FutureStudies(frame, choices, design, term, tuple(enrolled), patients, years, number)
        for years in years_of(frame, design.years)
        for patients in design.patients
        for number in range(-(-design.simulations // AT_ONCE))
    )


def summarise(studies: pd.DataFrame) -> pd.DataFrame:
    """Average over simulated studies.

    Parameters
    ----------
    studies : DataFrame
        Rows of `simulate_studies`, of as many chunks as there are.

    Returns
    -------
    DataFrame
        assurance.tsv: by structure, years and patients, structures in the order of the frame.
    """
    key = ["analysis", "structure", "term", "patients", "years", "conclusion", "threshold", "ci_prob"]
    rows = []
    for labels, some in studies.groupby(key, sort=False):
        reached, power, at_mean = (
            rate_of(some[name].to_numpy(bool)) for name in ("reached", "significant", "significant_at_mean")
        )
        rows.append(
            dict(zip(key, labels, strict=True))
            | {"assurance": reached["rate"], "mc_error": reached["mc_error"], "wrong_direction": some["wrong"].mean()}
            | {"power": power["rate"], "power_mc_error": power["mc_error"]}
            | {"power_at_mean": at_mean["rate"], "power_at_mean_mc_error": at_mean["mc_error"]}
            | {"simulations": reached["simulations"], "rows_mean": some["rows"].mean()}
        )
    table = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    place = {name: k for k, name in enumerate(dict.fromkeys(table["structure"]))}
    order = np.lexsort([table["patients"], table["years"], table["structure"].map(place)])
    return table.iloc[order].reset_index(drop=True)
