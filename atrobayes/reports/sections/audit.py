"""Whether the numbers of the tables fit each other."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.audit.finding import DISAGREEING, VERDICTS
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import analysis_title, counted, listed, structure_name

TITLE = "Do the printed numbers fit each other?"
SAID = {
    "consistent": "fit",
    "only_under": "fit only if cut off or rounded up",
    "inconsistent": "do not fit",
    "cannot_check": "cannot be checked",
}


def make(results: Results) -> Section:
    """Every finding that disagrees with its arithmetic, and the counts of all checks."""
    found = results.look("audit")
    if found is None or not len(found):
        words = "No table was checked. `atrobayes audit ESTIMATES.tsv` checks the numbers of any published table."
        return Section("audit", TITLE, "not_applicable", (words,))
    apart = found[found["verdict"].isin(DISAGREEING)]
    tables = [*([_findings(apart)] if len(apart) else []), _counts(found), _assumptions(found)]
    return Section("audit", TITLE, "warning" if len(apart) else "ok", (_about(found), _outcome(apart)), tuple(tables))


def _about(found: pd.DataFrame) -> str:
    sources = listed(dict.fromkeys(one for text in found["source"] for one in text.split("; ") if one))
    return (
        f"Numbers of one table imply each other: p follows from a correlation and n, the total from its parts. "
        f"{counted(len(found), 'comparison was', 'comparisons were')} made of the numbers in {sources}. Each asks what "
        "the other printed digits allow, if every number was rounded, cut off or rounded up at its last digit. "
        "Digits that do not fit each other tell that one of them stands for something else than it seems; not which "
        "one, nor why."
    )


def _outcome(apart: pd.DataFrame) -> str:
    if not len(apart):
        return "All digits that could be checked fit each other."
    counts = {verdict: int((apart["verdict"] == verdict).sum()) for verdict in DISAGREEING}
    said = [f"{count} {SAID[verdict]}" for verdict, count in reversed(counts.items()) if count]
    return f"Of the comparisons {listed(said)}."


def _findings(apart: pd.DataFrame) -> Table:
    rows = sorted(each_row(apart), key=lambda row: row.verdict != "inconsistent")
    cells = [
        {
            "Where": row.source,
            "Result": _result(row),
            "Quantity": row.quantity,
            "Printed": row.printed,
            "Would fit": row.implied or "n/a",
            "The digits": SAID[row.verdict],
            "Arithmetic": row.message,
        }
        for row in rows
    ]
    classes = tuple("gate_failed" if row.verdict == "inconsistent" else "" for row in rows)
    details = "Would fit: what the other printed numbers allow under rounding; assumptions in the table below."
    return Table(
        "audit-findings", pd.DataFrame(cells), "Digits that do not fit each other", "audit.tsv", details, classes
    )


def _result(row: object) -> str:
    analysis, structure, group = (str(getattr(row, name)) for name in ("analysis", "structure", "group"))
    structures = "; ".join(map(structure_name, structure.split("; ")))
    return ", ".join(filter(None, (analysis_title(analysis) if analysis else "", structures, group)))


def _counts(found: pd.DataFrame) -> Table:
    cells = [
        {"Check": str(name).replace("_", " ")}
        | {SAID[verdict]: str((own["verdict"] == verdict).sum()) for verdict in VERDICTS}
        for name, own in found.groupby("check", sort=False)
    ]
    return Table("audit-counts", pd.DataFrame(cells), "Comparisons by check", "audit.tsv")


def _assumptions(found: pd.DataFrame) -> Table:
    kinds = found.drop_duplicates(["check", "assumptions"])
    cells = [{"Check": row.check.replace("_", " "), "Takes for granted": row.assumptions} for row in each_row(kinds)]
    return Table("audit-assumptions", pd.DataFrame(cells), "What each check takes for granted", folded=True)
