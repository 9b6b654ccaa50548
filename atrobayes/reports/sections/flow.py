"""How the cohort came to the analyses: who and what was left out, and why."""

from __future__ import annotations

import json
from collections import Counter

import pandas as pd

from atrobayes.reports.cohort_flow import Flow, analysed, cohort_flow, ledger_counts, rule_words
from atrobayes.reports.figures.flow import Box, flow_svg
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.sections.summary import left_out_words
from atrobayes.reports.wording import analysis_title, counted


def make(results: Results) -> Section:
    """Flow diagram, the same as a table by group, and the ledger's counts."""
    flow = cohort_flow(results)
    tables = [_by_group(flow, results)]
    if len(results.exclusions):
        tables.append(_ledger(results))
    return Section(
        "flow", "Who and what was analysed", "ok", _paragraphs(flow, results), tuple(tables), (_figure(flow, results),)
    )


def _paragraphs(flow: Flow, results: Results) -> tuple[str, ...]:
    return (
        left_out_words(flow),
        *_loose(results),
        "A yearly interval needs usable scans at two consecutive visits; a missed visit is not bridged. A visit "
        "without a usable scan never drops the patient: the other visits stay.",
        *_kept(results),
    )


def _loose(results: Results) -> tuple[str, ...]:
    loose = int((results.exclusions["rule"] == "scan_without_visit").sum())
    belong = "belongs" if loose == 1 else "belong"
    told = (
        f"Besides, {counted(loose, 'FreeSurfer run')} in the folder {belong} to no visit and {belong} to no count here."
    )
    return (told,) if loose else ()


def _kept(results: Results) -> tuple[str, ...]:
    flags = json.loads(results.cohort.attrs.get("flags", "[]"))
    general = [flag["reason"] for flag in flags if not flag["patient"]]
    tally = Counter(flag["rule"].replace("_", " ") for flag in flags if flag["patient"])
    told = [*general, *(f"{rule} ({number})" for rule, number in tally.items())]
    return (f"Kept, but worth knowing: {'; '.join(told)}.",) if told else ()


def _figure(flow: Flow, results: Results) -> Figure:
    boxes = [
        Box("Patients enrolled", (_split(flow.patients),)),
        Box("Clinical visits", (_split(flow.visits),), ("No scan at the visit", _split(flow.no_scan))),
        Box("Scans", (_split(flow.scans),), _reasons("Scans left out", flow.left_out)),
        Box("Usable scans", (_split(flow.usable),), _lost_lines(flow)),
        Box(
            "Yearly intervals between usable scans",
            (_split(flow.yearly), f"in patients: {_split(flow.yearly_patients)}"),
        ),
        Box("Analysed", tuple(_analysed_lines(results))),
    ]
    steps = " ".join(f"{box.title}: {'; '.join(box.lines)}." for box in boxes)
    alt = f"Flow diagram. {steps} {left_out_words(flow)}"
    caption = (
        "From enrolled patients to analysed intervals. Boxes on the right hold what left the way at that step, with "
        "reasons."
    )
    return Figure("flow", flow_svg("flow", boxes, alt), alt, caption)


def _reasons(title: str, rows: pd.DataFrame) -> tuple[str, ...]:
    if not len(rows):
        return (title, "none")
    return (f"{title}: {_split(rows.sum())}", *(f"{reason}: {_split(row)}" for reason, row in rows.iterrows()))


def _lost_lines(flow: Flow) -> tuple[str, ...]:
    without = flow.patients - flow.yearly_patients
    return (*_reasons("Years lost", flow.lost_years), f"patients without any interval: {_split(without)}")


def _split(counts: pd.Series) -> str:
    groups = " · ".join(f"{group} {value}" for group, value in counts.items() if group != "all")
    return f"{counts['all']} ({groups})" if groups else str(counts["all"])


def _analysed_lines(results: Results) -> list[str]:
    lines: list[str] = []
    for name, counts in analysed(results).iterrows():
        lines.append(f"{analysis_title(str(name))}:")
        lines.append(f"{_split(counts.drop('patients'))} intervals, {counts['patients']} patients")
    return lines


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
    analyses = analysed(results).drop(columns="patients").rename(columns={"all": "All"})
    analyses.index = [f"Intervals analysed: {analysis_title(str(name))}" for name in analyses.index]
    frame = pd.concat([frame, analyses.rename_axis("Step").reset_index()], ignore_index=True)
    return Table("flow-counts", frame, "Counts at each step", "cohort.nc")


def _ledger(results: Results) -> Table:
    counts = ledger_counts(results.exclusions)
    frame = pd.DataFrame(
        {
            "Stage": counts["stage"],
            "Analysis": [analysis_title(name) if name else "" for name in counts["analysis"]],
            "Reason": counts["rule"].map(rule_words),
            "Entries": counts["entries"].map(str),
            "Patients": counts["patients"].map(str),
        }
    )
    return Table("ledger", frame, "Everything left out, by stage and rule", "exclusions.tsv", folded=True)
