"""Whether the numbers of the tables fit each other."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.audit import multiplicity, small_n
from atrobayes.reports.audit.finding import DISAGREEING, VERDICTS
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Section, Table
from atrobayes.reports.wording import analysis_title, counted, listed, structure_name

TITLE = "Do the printed numbers fit each other?"
_FEW = 12  # longer tables are shown closed
_SMALL = (
    "For true correlations called small, medium and large by convention. Several rows of a patient show less than as "
    "many patients."
)
_MANY = (
    "p-values adjusted within a family: the structures of one analysis and group. Tests that were made and not printed "
    "are not counted: where only those below 0.05 are printed, there were more."
)
_ALONE = "Adjusted within its family; and the highest odds that it can give alone, whatever the alternative."
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
    compared, apart = comparisons(found), found[found["verdict"].isin(DISAGREEING)]
    tables = [
        *([_findings(apart)] if len(apart) else []),
        _counts(compared),
        *_told(found, small_n.CHECK, "audit-small", "What so few rows can show at all.", _SMALL),
        *_told(found[found["quantity"] != "p"], multiplicity.CHECK, "audit-tests", "How many tests there were.", _MANY),
        *_told(found[found["quantity"] == "p"], multiplicity.CHECK, "audit-p", "What each p < 0.05 says.", _ALONE),
        _assumptions(found),
    ]
    said = (_about(compared), _outcome(apart))
    return Section("audit", TITLE, "warning" if len(apart) else "ok", said, tuple(tables))


def comparisons(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of audit.tsv that compare numbers; the others describe."""
    return found[found["check"] != multiplicity.CHECK]


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


def _told(found: pd.DataFrame, check: str, name: str, caption: str, details: str) -> list[Table]:
    """Rows of a check whose message is what it is for."""
    own = found[found["check"] == check]
    cells = [
        {
            "Where": row.source,
            "Analysis": analysis_title(row.analysis) if row.analysis else "all",
            "Structure": _structures(row.structure),
            "Group": row.group,
            "Printed": row.printed,
            "In words": row.message,
        }
        for row in each_row(own)
    ]
    return [Table(name, pd.DataFrame(cells), caption, "audit.tsv", details, folded=len(cells) > _FEW)] if cells else []


def _structures(names: str) -> str:
    each = names.split("; ")
    return structure_name(each[0]) if len(each) == 1 else f"{len(each)} structures"


def _assumptions(found: pd.DataFrame) -> Table:
    kinds = found.drop_duplicates(["check", "assumptions"])
    cells = [{"Check": row.check.replace("_", " "), "Takes for granted": row.assumptions} for row in each_row(kinds)]
    return Table("audit-assumptions", pd.DataFrame(cells), "What each check takes for granted", folded=True)
