"""How the cohort came to the analyses: who and what was left out, and why."""

from __future__ import annotations

import json
from collections import Counter

import pandas as pd

from atrobayes.reports.cohort_flow import (
    Flow,
    analysed,
    cohort_flow,
    ledger_counts,
    rule_words,
    steroids_unknown,
)
from atrobayes.reports.figures.flow import Box, flow_svg
from atrobayes.reports.lesion_counts import lesion_counts
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.sections.summary import left_out_words
from atrobayes.reports.wording import analysis_title, count, counted, listed


def make(results: Results) -> Section:
    """Flow diagram, the same as a table by group, and the ledger's counts."""
    flow = cohort_flow(results)
    tables = [*_lesions(results), _by_group(flow, results)]
    if len(results.exclusions):
        tables.append(_ledger(results))
    return Section(
        "flow", "Who and what was analysed", "ok", _paragraphs(results), tuple(tables), (_figure(flow, results),)
    )


def _paragraphs(results: Results) -> tuple[str, ...]:
    return (
        *_loose(results),
        "A yearly interval needs usable scans at two consecutive visits; a missed visit is not bridged. A visit "
        "without a usable scan costs the intervals it would open and close; the patient's other visits stay.",
        *_kept(results),
        *filter(None, [steroids_unknown(results)]),
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
    general = [flag["reason"] for flag in flags if not flag["patient"] and flag["rule"] != "steroid_unknown"]
    tally = Counter(flag["rule"].replace("_", " ") for flag in flags if flag["patient"])
    told = [*general, *(f"{rule} ({number})" for rule, number in tally.items())]
    return (f"Kept, but worth knowing: {'; '.join(told)}.",) if told else ()


def _figure(flow: Flow, results: Results) -> Figure:
    boxes = [
        Box("Patients enrolled", (_split(flow.patients),)),
        Box("Clinical visits", (_split(flow.visits),), ("No scan at the visit", _split(flow.no_scan))),
        Box("Scans", (_split(flow.scans),), _reasons("Scans left out", flow.left_out)),
        Box("Usable scans", (_split(flow.usable),)),
        Box(
            "Possible yearly intervals",
            (_split(flow.possible), "years between a patient's first and last visit"),
            _reasons("Years lost", flow.lost_years),
        ),
        Box("Yearly intervals kept", (_split(flow.yearly), f"in {_split(flow.yearly_patients)} patients")),
        Box("Intervals analysed", tuple(_analysed_lines(results))),
    ]
    steps = " ".join(f"{box.title}: {'; '.join(box.lines)}." for box in boxes)
    alt = f"Flow diagram. {steps} {left_out_words(flow)}"
    caption = (
        "From enrolled patients to analysed intervals. Boxes on the right: what was left out at that step, and why."
    )
    return Figure("flow", flow_svg("flow", boxes, alt), alt, caption)


def _reasons(title: str, rows: pd.DataFrame) -> tuple[str, ...]:
    if not len(rows):
        return (title, "none")
    return (f"{title}: {_split(rows.sum())}", *(f"{reason}: {_split(row)}" for reason, row in rows.iterrows()))


def _split(counts: pd.Series) -> str:
    groups = " · ".join(f"{group} {value}" for group, value in counts.items() if group != "all" and value != "n/a")
    return f"{counts['all']} ({groups})" if groups else str(counts["all"])


def _analysed_lines(results: Results) -> list[str]:
    return [f"{analysis_title(str(name))}: {_split(counts)}" for name, counts in analysed(results).iterrows()]


def _by_group(flow: Flow, results: Results) -> Table:
    steps = {"Patients enrolled": flow.patients, "Clinical visits": flow.visits, "Visits without a scan": flow.no_scan}
    steps["Scans"] = flow.scans
    steps |= {f"Left out: {reason}": row for reason, row in flow.left_out.iterrows()}
    steps |= {
        "Usable scans": flow.usable,
        "Possible yearly intervals": flow.possible,
    }
    steps |= {f"Years lost: {reason}": row for reason, row in flow.lost_years.iterrows()}
    steps |= {
        "Yearly intervals kept": flow.yearly,
        "Patients with a yearly interval": flow.yearly_patients,
    }
    steps |= {f"Intervals over visits {span}": counts for span, counts in flow.spans.items()}
    cells = pd.DataFrame(steps).T.astype(str).rename(columns={"all": "All"})
    frame = cells.rename_axis("Step").reset_index()
    analyses = analysed(results).rename(columns={"all": "All"})
    analyses.index = [f"Intervals analysed: {analysis_title(str(name))}" for name in analyses.index]
    frame = pd.concat([frame, analyses.rename_axis("Step").reset_index()], ignore_index=True)
    return Table("flow-counts", frame, "Counts at each step, as a table", "cohort.nc", folded=True)


def _lesions(results: Results) -> list[Table]:
    counts = lesion_counts(results)
    if not len(counts):
        return []
    visit = listed(counts["visit"].unique())
    frame = counts.drop(columns="visit").assign(
        analysis=counts["analysis"].map(analysis_title), group=counts["group"].replace("all", "All")
    )
    texts = frame.assign(most=frame["most"].map(count)).astype(str).rename(columns={"3+": "3 or more"})
    named = texts.rename(columns={"analysis": "Analysis", "group": "Group", "most": "Highest count"})
    details = f"yearly intervals by number of lesions at the {visit} visit."
    return [Table("lesion-counts", named, "How many lesions the slopes rest on:", "intervals.tsv", details)]


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
