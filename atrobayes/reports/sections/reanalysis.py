"""What published slopes say under priors: each alone, and shrunk together with structures and groups."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pandas as pd

from atrobayes.reports.audit.finding import DISAGREEING
from atrobayes.reports.published_forests import published_forest
from atrobayes.reports.reanalysis_rows import BASE, interactions, shown_slopes, without_posterior
from atrobayes.reports.reanalysis_tables import (
    alone_table,
    difference_table,
    digits_table,
    ladder_table,
    refused_table,
    together_table,
)
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section
from atrobayes.reports.sections.audit import SAID
from atrobayes.reports.wording import analysis_title, counted, number, structure_name

TITLE = "What do the published slopes say?"


def make(results: Results) -> Section:
    """Every published slope with its posteriors, a part for each source and analysis."""
    found = results.look("reanalysis")
    if found is None or not len(found):
        nothing = "No table with slopes was reanalysed. `atrobayes reanalyse ESTIMATES.tsv` does so with any table."
        return Section("reanalysis", TITLE, "not_applicable", (nothing,))
    shown, refused = shown_slopes(found), without_posterior(found)
    families = list(shown.groupby(["source", "analysis"], sort=False)) if len(shown) else []
    audited = _audited(shown, results.look("audit"))
    parts = [_part(f"reanalysis-{k}", own, found, audited) for k, (_, own) in enumerate(families, start=1)]
    words = [_about(shown, refused), *(_how_to_read() if parts else ())]
    tables = (refused_table("reanalysis-without", refused),) if len(refused) else ()
    return Section("reanalysis", TITLE, "ok", tuple(words), tables, (), tuple(parts))


def _about(shown: pd.DataFrame, refused: pd.DataFrame) -> str:
    many = counted(len(shown), "published slope gets", "published slopes get")
    lacking = f" {counted(len(refused), 'slope has', 'slopes have')} none; why stands in the table."
    return (
        "A slope, its p (or standard error, or interval) and the number of rows it rests on say all that an ordinary "
        f"regression has to say of it. From these alone {many} a posterior: what to think of it after the data for "
        f"somebody who, before them, held slopes of more than about {2 * BASE:g} SD of the outcome per SD of the "
        f"predictor to be unlikely.{lacking if len(refused) else ''}"
    )


def _how_to_read() -> tuple[str, ...]:
    return (
        "Of many slopes from a small study, those that stand out are on average too large. The posterior draws slopes "
        "back towards zero, the more so the less the data say: compare Published with Posterior mean. The interval "
        "holds the slope with the stated probability, given data, model and prior.",
        'Sign 95% sure, in plain words: how open must one have been? "If wider than 0.2" says that the published sign '
        "is at least 95% probable for everybody who, before the data, thought that slopes may well reach 0.2 SD per "
        'SD, and not for those who expected smaller ones. "With no prior" says that these numbers convince nobody that '
        'far, "with every prior" that they convince all who were asked.',
        "Type S: if the posterior is right, how often would such a study, when it finds p < 0.05, find the wrong sign? "
        "Type M: how many times too large would its slope then be, on average?",
        "Shrunk together: structures of one brain, and groups of one study, tell of each other. How far depends on "
        "how much the errors of two structures go together (they are measured in the same scans); nobody published "
        "that, so answers for several assumed correlations are shown and none is chosen. Where they differ, the tables "
        "cannot tell.",
    )


def _part(name: str, shown: pd.DataFrame, found: pd.DataFrame, audited: Mapping[float, str]) -> Section:
    source, analysis = shown[["source", "analysis"]].iloc[0]
    title = f"{source}: {analysis_title(analysis)}"
    differences = interactions(found)
    differences = differences[(differences["source"] == source) & (differences["analysis"] == analysis)]
    tables = [
        alone_table(f"{name}-alone", shown, {row: said for row, said in audited.items() if row in set(shown["row"])}),
        together_table(f"{name}-together", shown, found),
        difference_table(f"{name}-differences", differences) if len(differences) else None,
        ladder_table(f"{name}-ladder", shown, found),
        digits_table(f"{name}-digits", shown),
    ]
    return Section(
        name,
        title,
        "ok",
        (_likelihood(shown, found), _digits(shown)),
        tuple(table for table in tables if table is not None),
        (published_forest(name, title, shown, found),),
    )


def _audited(shown: pd.DataFrame, audit: pd.DataFrame | None) -> dict[float, str]:
    """What the audit says of rows whose digits do not fit others."""
    said: dict[tuple[str, ...], str] = {}
    apart = [] if audit is None else each_row(audit[audit["verdict"].isin(DISAGREEING)])
    for one in sorted(apart, key=lambda one: one.verdict == "inconsistent"):
        for source, structure in _places(one.source.split("; "), one.structure.split("; ")):
            said |= {(source, one.analysis, structure, group): SAID[one.verdict] for group in one.group.split("; ")}
    keys = zip(shown["row"], *(shown[name] for name in ("source", "analysis", "structure", "group")), strict=True)
    return {row: said[key] for row, *rest in keys if (key := tuple(rest)) in said}


def _places(sources: list[str], structures: list[str]) -> list[tuple[str, str]]:
    """Where two sources name two structures, each its own."""
    if len(sources) == len(structures):
        return list(zip(sources, structures, strict=True))
    return list(product(sources, structures))


def _likelihood(shown: pd.DataFrame, found: pd.DataFrame) -> str:
    rests = shown["note"].drop_duplicates().tolist()
    said = f"Rests on: {'; or '.join(rests)}."
    alone = found[(found["together"] == "alone") & (found["prior_s"] == BASE)].merge(shown[["row"]])
    spread = alone.groupby("row")["pd"].agg(["min", "max", "size"])
    both = spread[spread["size"] > 1]
    if not len(both):
        return said
    most = float((both["max"] - both["min"]).max())
    return (
        f"{said} How many degrees of freedom the standard errors really have was not published; a normal distribution, "
        f"which takes them for endless, changes no pd by more than {number(most, 2)} (its rows are in the file)."
    )


def _digits(shown: pd.DataFrame) -> str:
    width = (shown["se_high"] - shown["se_low"]) / (2 * shown["se"])
    row = next(each_row(shown[width == width.max()]))
    group = "" if row.group == "ALL" else f", {row.group}"
    return (
        f"The printed digits leave the standard errors open by at most ±{100 * float(width.max()):.2g}% "
        f"({structure_name(row.structure)}{group}: {number(row.se_low)} to {number(row.se_high)})."
    )
