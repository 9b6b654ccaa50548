"""What `atrobayes check` found: tables for the terminal, items for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import typer

from atrobayes.cli.tables import print_table
from atrobayes.data_prep.ledger import ALL
from atrobayes.data_prep.quality_flags import RULES
from atrobayes.data_prep.scans import STATUSES

if TYPE_CHECKING:
    from atrobayes.data_prep.prepare import Prepared
    from atrobayes.data_prep.survey import Survey
    from atrobayes.errors import Fault
    from atrobayes.models.analyses import Analysis
    from atrobayes.models.study_frames import Framed

Found = dict[str, Any]


def items(survey: Survey, framed: Mapping[Analysis, Framed], faults: Sequence[Fault]) -> list[Found]:
    """List everything found; the key `kind` says what an item is about.

    Parameters
    ----------
    survey : Survey
    framed : mapping of Analysis to Framed
        Empty where there are faults.
    faults : sequence of Fault
    """
    found = [*_run_items(survey), *_table_items(survey)]
    if survey.prepared:
        found += [*_cohort_items(survey.prepared), *_flag_items(survey.prepared)]
    found += [{"kind": "note", "text": note} for note in survey.notes]
    found += [_analysis_item(analysis, one) for analysis, one in framed.items()]
    return found + [{"kind": "problem", **asdict(fault)} for fault in faults]


def show(survey: Survey, framed: Mapping[Analysis, Framed]) -> None:
    """Print what was found, table by table, in 80 columns; empty tables are left out."""
    found = items(survey, framed, ())
    _show(found, "runs", "Scans found", {"source": "source", "stream": "", "state": "", "program": "", "n": "scans"})
    for item in found:
        if item["kind"] == "format":
            typer.echo(f"{item['format']}: read as its source says; never tried on real output, check the numbers\n")
    _show(found, "table", "Clinical tables", {"table": "", "rows": "", "not_filled_in": "not filled in"})
    _show(found, "scans", "Scans of the visits", {"status": "", "n": "", "meaning": ""})
    _show(found, "structure", "Structures", {"structure": "", "volumes": "", "files": "read from"})
    _show(found, "flow", "Who and what is left", {"step": "", "unit": "", "left": "", "lost": ""})
    _show(found, "flag", "Kept, but worth a look", {"rule": "flag", "n": "", "meaning": ""})
    notes = [item["text"] for item in found if item["kind"] == "note"]
    if any(note.endswith(".tsv") for note in notes):
        notes.append("(these tables are written by atrobayes prep and run)")
    for note in notes:
        typer.echo(note)
    _show(found, "analysis", "Analyses", {"analysis": "", "allowed": "", "rows": "", "reason": "why not"})


def _show(found: Sequence[Found], kind: str, title: str, columns: Mapping[str, str]) -> None:
    rows = [item for item in found if item["kind"] == kind]
    if rows:
        heads = {name: head or name for name, head in columns.items()}
        print_table(pd.DataFrame([{head: _said(row[name]) for name, head in heads.items()} for row in rows]), title)


def _said(value: Any) -> str:
    """A cell for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{label} {number}" for label, number in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _run_items(survey: Survey) -> Iterator[Found]:
    for row in survey.runs.to_dict("records"):
        yield {"kind": "runs", **{str(name): value for name, value in row.items()}}
    for name in survey.untried:
        yield {"kind": "format", "format": name, "tried_on_real_output": False}


def _table_items(survey: Survey) -> Iterator[Found]:
    for table in survey.tables:
        yield {"kind": "table", "table": table.name, "rows": table.rows, "not_filled_in": list(table.empty)}


def _cohort_items(prepared: Prepared) -> Iterator[Found]:
    cohort = prepared.cohort
    statuses = cohort["scan_status"].to_numpy().tolist()
    for status, meaning in STATUSES.items():
        if status in statuses:
            yield {"kind": "scans", "status": status, "n": statuses.count(status), "meaning": meaning}
    for name, rows in _by_structure(prepared):
        files = sorted({PurePosixPath(file).name for cell in rows["file"] for file in str(cell).split(", ")})
        sources = sorted(set(rows["source"].astype("str")))
        yield {"kind": "structure", "structure": name, "volumes": len(rows), "files": files, "sources": sources}
    yield from _flow_items(prepared.flow)


def _by_structure(prepared: Prepared) -> Iterator[tuple[str, pd.DataFrame]]:
    """In the cohort's order, those without any volume too."""
    volumes = prepared.volumes
    for name in prepared.cohort["structure"].to_numpy().tolist():
        yield name, volumes[volumes["structure"] == name]


def _flow_items(flow: pd.DataFrame) -> Iterator[Found]:
    """A step each: how many are left in all and by group, and why the others are lost."""
    for (unit, step), rows in flow.groupby(["unit", "step"], sort=False):
        counts = dict(zip(rows["group"], rows["n"].astype("int"), strict=True))
        total = counts.pop(ALL)
        reasons = rows.loc[rows["group"] == ALL, "reasons"].iloc[0]
        left = f"{total}" + (f" ({_said(counts)})" if counts else "")
        yield {"kind": "flow", "step": step, "unit": unit, "n": total, "groups": counts, "left": left, "lost": reasons}


def _flag_items(prepared: Prepared) -> Iterator[Found]:
    rules = [flag.rule for flag in prepared.quality]
    for rule in dict.fromkeys(rules):
        yield {"kind": "flag", "rule": rule, "n": rules.count(rule), "meaning": RULES[rule].words}


def _analysis_item(analysis: Analysis, one: Framed) -> Found:
    allowed = bool(one.frames)
    rows: dict[str, int] = {}
    if allowed:
        frame = one.frames[0]
        counts = np.bincount(frame.group, minlength=len(frame.groups)).tolist()
        rows = dict(zip(frame.groups, counts, strict=True))
    told = [item.reason for item in one.exclusions if item.rule in {"skipped", "group_without_rows"}]
    return {"kind": "analysis", "analysis": analysis.id, "allowed": allowed, "rows": rows, "reason": "; ".join(told)}
