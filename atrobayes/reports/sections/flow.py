"""How the cohort came to the analyses: who and what was left out, and why."""

from __future__ import annotations

import textwrap

import pandas as pd

from atrobayes.reports.cohort_flow import Flow, analysed, cohort_flow, ledger_counts
from atrobayes.reports.figures.flow import Box, flow_svg
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.sections.summary import left_out_words
from atrobayes.reports.wording import analysis_title, count


def make(results: Results) -> Section:
    """Flow diagram, the same as a table by group, and the ledger's counts."""
    flow = cohort_flow(results)
    tables = [_by_group(flow, results)]
    if len(results.exclusions):
        tables.append(_ledger(results))
    return Section(
        "flow", "Who and what was analysed", "ok", _paragraphs(flow), tuple(tables), (_figure(flow, results),)
    )


def _paragraphs(flow: Flow) -> tuple[str, ...]:
    return (
        left_out_words(flow),
        "A yearly interval needs usable scans at two consecutive visits; a missed visit is not bridged. A visit "
        "without a usable scan never drops the patient: the other visits stay.",
    )


def _figure(flow: Flow, results: Results) -> Figure:
    lost = flow.patients - flow.yearly_patients
    boxes = [
        Box("Patients enrolled", (_split(flow.patients),)),
        Box("Clinical visits", (_split(flow.visits),), ("No scan at the visit", _split(flow.no_scan))),
        Box("Scans", (_split(flow.scans),), _left_out_lines(flow)),
        Box("Usable scans", (_split(flow.usable),), ("Patients without two consecutive usable scans", _split(lost))),
        Box(
            "Yearly intervals between usable scans",
            (_split(flow.yearly), f"in patients: {_split(flow.yearly_patients)}"),
        ),
        Box("Analysed", tuple(_analysed_lines(results))),
    ]
    steps = " ".join(f"{box.title}: {'; '.join(box.lines)}." for box in boxes)
    alt = f"Flow diagram. {steps} {left_out_words(flow)}"
    caption = (
        "From enrolled patients to analysed intervals. Boxes on the right hold what left the way at that step, "
        "with reasons."
    )
    return Figure("flow", flow_svg("flow", boxes, alt), alt, caption)


def _left_out_lines(flow: Flow) -> tuple[str, ...]:
    if not len(flow.left_out):
        return ("Scans left out", "none")
    total = _split(flow.left_out.sum().astype(int))
    return (f"Scans left out: {total}", *(f"{reason}: {_split(row)}" for reason, row in flow.left_out.iterrows()))


def _split(counts: pd.Series) -> str:
    groups = " · ".join(f"{group} {value}" for group, value in counts.items() if group != "all")
    return f"{counts['all']} ({groups})" if groups else str(counts["all"])


def _analysed_lines(results: Results) -> list[str]:
    lines: list[str] = []
    for row in each_row(analysed(results)):
        lines += textwrap.wrap(analysis_title(str(row.analysis)), 58)
        lines.append(f"   {_rows(row.fewest, row.most)} intervals, {count(row.patients)} patients")
    return lines


def _rows(fewest: float, most: float) -> str:
    return count(most) if fewest == most else f"{count(fewest)} to {count(most)}"


def _by_group(flow: Flow, results: Results) -> Table:
    steps = {"Patients enrolled": flow.patients, "Clinical visits": flow.visits, "Visits without a scan": flow.no_scan}
    steps["Scans"] = flow.scans
    steps |= {f"Left out: {reason}": row for reason, row in flow.left_out.iterrows()}
    steps |= {
        "Usable scans": flow.usable,
        "Yearly intervals": flow.yearly,
        "Patients with a yearly interval": flow.yearly_patients,
    }
    steps |= {f"Intervals over visits {span}": counts for span, counts in flow.spans.items()}
    cells = pd.DataFrame(steps).T.astype(str).rename(columns={"all": "All"})
    frame = cells.rename_axis("Step").reset_index()
    empty = dict.fromkeys(flow.columns[1:], "")
    analyses = [
        {"Step": f"Analysed: {analysis_title(str(row.analysis))}", "All": f"{_rows(row.fewest, row.most)} intervals"}
        | empty
        for row in each_row(analysed(results))
    ]
    frame = pd.concat([frame, pd.DataFrame(analyses, columns=frame.columns)], ignore_index=True)
    return Table("flow-counts", frame, "Counts at each step", "cohort.nc")


def _ledger(results: Results) -> Table:
    counts = ledger_counts(results.exclusions)
    frame = pd.DataFrame(
        {
            "Stage": counts["stage"],
            "Analysis": [analysis_title(name) if name else "" for name in counts["analysis"]],
            "Rule": counts["rule"].str.replace("_", " "),
            "Entries": counts["entries"].map(str),
            "Patients": counts["patients"].map(str),
        }
    )
    return Table("ledger", frame, "Everything left out, by stage and rule", "exclusions.tsv", folded=True)
