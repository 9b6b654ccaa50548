"""How the cohort came to the analyses: who and what was left out, and why."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.cohort_flow import Flow, Step, cohort_flow, ledger_counts, rule_words, steroids_unknown
from atrobayes.reports.figures.flow import Box, flow_svg
from atrobayes.reports.lesion_counts import lesion_counts
from atrobayes.reports.results import Results
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.sections.summary import left_out_words
from atrobayes.reports.wording import analysis_title, count, counted, listed


def make(results: Results) -> Section:
    """Flow diagram, the same as a table by group, and the ledger's counts."""
    flow = cohort_flow(results)
    tables = [*_lesions(results), _by_group(flow)]
    if len(results.exclusions):
        tables.append(_ledger(results))
    return Section("flow", "Who and what was analysed", "ok", _paragraphs(results), tuple(tables), (_figure(flow),))


def _paragraphs(results: Results) -> tuple[str, ...]:
    return (
        *_loose(results),
        "A yearly interval needs usable scans at two consecutive visits; a missed visit is not bridged. A visit "
        "without a usable scan costs the intervals it would open and close; the patient's other visits stay.",
        *filter(None, [steroids_unknown(results)]),
    )


def _loose(results: Results) -> tuple[str, ...]:
    loose = int((results.exclusions["rule"] == "scan_without_visit").sum())
    belong = "belongs" if loose == 1 else "belong"
    told = (
        f"Besides, {counted(loose, 'FreeSurfer run')} in the folder {belong} to no visit and {belong} to no count here."
    )
    return (told,) if loose else ()


def _figure(flow: Flow) -> Figure:
    boxes = [
        Box("Patients enrolled", (_split(flow.patients),), _unseen(flow.unseen)),
        Box(
            "Clinical visits",
            (f"{_split(flow.visits)}, of {_split(flow.patients - flow.unseen)} patients",),
            ("No scan at the visit", _split(flow.no_scan)),
        ),
        Box(
            "Scans",
            (f"{_split(flow.scans)}, of {_split(flow.scanned)} patients",),
            _reasons("Not processed, or failed", flow.unprocessed),
        ),
        Box("Processed scans", (_split(flow.scans - _total(flow.unprocessed)),), _reasons("Left out", flow.unfit)),
        Box("Usable scans", (f"{_split(flow.usable)}, of {_split(flow.usable_patients)} patients",)),
        Box(
            "Possible yearly intervals",
            (_split(flow.possible), "years between a patient's first and last visit"),
            _reasons("Years lost", flow.lost_years),
        ),
        Box(
            "Yearly intervals kept",
            (f"{_split(flow.yearly)}, of {_split(flow.yearly_patients)} patients",),
            tuple(_single_losses(flow)),
        ),
        Box("Intervals analysed", tuple(_analysed_lines(flow))),
    ]
    steps = " ".join(f"{box.title}: {'; '.join(box.lines)}." for box in boxes)
    alt = f"Flow diagram. {steps} {left_out_words(flow)}"
    caption = (
        "From enrolled patients to analysed intervals. Boxes on the right: what was left out at that step, and why. "
        "Intervals over several years need usable scans at their two ends only, so their number is not part of the "
        "yearly ones."
    )
    return Figure("flow", flow_svg("flow", boxes, alt), alt, caption)


def _unseen(counts: pd.Series) -> tuple[str, ...]:
    return ("No clinical visit", _split(counts)) if counts["all"] else ()


def _total(rows: pd.DataFrame) -> pd.Series:
    return rows.sum().astype("int64")


def _reasons(title: str, rows: pd.DataFrame) -> tuple[str, ...]:
    if not len(rows):
        return (title, "none")
    return (f"{title}: {_split(_total(rows))}", *(f"{reason}: {_split(row)}" for reason, row in rows.iterrows()))


def _split(counts: pd.Series) -> str:
    groups = " · ".join(f"{group} {value}" for group, value in counts.items() if group != "all")
    return f"{counts['all']} ({groups})" if groups else str(counts["all"])


def _single_losses(flow: Flow) -> list[str]:
    """What single analyses leave out; nothing where none does."""
    lines = [
        f"{analysis_title(name)}: {reason}: {_split(row)}"
        for name, step in flow.analyses.items()
        for reason, row in step.lost.iterrows()
    ]
    return ["Left out of one analysis only", *lines] if lines else []


def _analysed_lines(flow: Flow) -> list[str]:
    return [f"{analysis_title(name)}: {_of(step)}" for name, step in flow.analyses.items()]


def _of(step: Step) -> str:
    return _split(step.n) + (f" of {step.before['all']}" if step.before["all"] != step.n["all"] else "")


def _by_group(flow: Flow) -> Table:
    steps = {"Patients enrolled": flow.patients, "Clinical visits": flow.visits, "Visits without a scan": flow.no_scan}
    steps |= {"Patients with a scan": flow.scanned, "Scans": flow.scans}
    steps |= {f"Left out: {reason}": row for reason, row in flow.left_out.iterrows()}
    steps |= {
        "Usable scans": flow.usable,
        "Patients with a usable scan": flow.usable_patients,
        "Possible yearly intervals": flow.possible,
    }
    steps |= {f"Years lost: {reason}": row for reason, row in flow.lost_years.iterrows()}
    steps |= {
        "Yearly intervals kept": flow.yearly,
        "Patients with a yearly interval": flow.yearly_patients,
    }
    for name, step in flow.analyses.items():
        title = analysis_title(name)
        steps |= {f"Intervals left out, {title}: {reason}": row for reason, row in step.lost.iterrows()}
        steps[f"Intervals analysed, {title}"] = step.n
    cells = pd.DataFrame(steps).T.astype(str).rename(columns={"all": "All"})
    frame = cells.rename_axis("Step").reset_index()
    return Table("flow-counts", frame, "Counts at each step, as a table", "flow.tsv", folded=True)


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
