"""Write the generated parts of docs/ from the code they describe: `make docs`.

The study file's keys come from its pydantic model, the commands from their help, the
tables from the column lists they are written with, the modules from their docstrings.
Of each page only what stands between two marks is generated; the rest is written by hand.
tests/test_docs.py fails while a page differs from what is generated here.
"""

from __future__ import annotations

import ast
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from atrobayes.cli import app
from atrobayes.data_prep import flow, intervals, ledger, quality_flags
from atrobayes.data_prep.clinical_columns import (
    EDSS_COLUMNS,
    PATIENT_COLUMNS,
    RELAPSE_COLUMNS,
    VISIT_COLUMNS,
    ClinicalColumn,
)
from atrobayes.data_prep.lesion_counts import LESION_COLUMNS
from atrobayes.data_prep.structures import CATALOGUE as STRUCTURES
from atrobayes.data_prep.structures import NAME_VERSIONS, Structure
from atrobayes.data_prep.volume_table import VOLUME_COLUMNS
from atrobayes.files import Column
from atrobayes.inference import assurance, looks, multiverse, operating
from atrobayes.inference.calibration import sbc_table
from atrobayes.inference.reanalysis import columns as reanalysis_columns
from atrobayes.models import clinical_table, estimates
from atrobayes.models.analyses import CATALOGUE as ANALYSES
from atrobayes.reports import contrast, verdicts
from atrobayes.reports.audit import finding
from atrobayes.study import Study

DOCS = Path(__file__).parent
ROOT = DOCS.parent
BEGIN, END = "<!-- from here written by make docs -->\n", "<!-- to here -->\n"
OUTPUT_TABLES = (
    ("estimates.tsv", "Every result, one row each, whoever computed it.", estimates.COLUMNS),
    ("contrast.tsv", "Classical and Bayesian answer to one question in one row.", contrast.COLUMNS),
    ("exclusions.tsv", "Everything left out, with the rule that left it out.", ledger.COLUMNS),
    ("flow.tsv", "What is left at each step, from enrolled patients to the rows of each analysis.", flow.FLOW_COLUMNS),
    ("quality.tsv", "What is kept but worth a look, one flag a row.", quality_flags.QUALITY_COLUMNS),
    ("clinical.tsv", "Clinical variables by group, before treatment and at each visit.", clinical_table.COLUMNS),
    ("volumes.tsv", "Every volume with the file and the lines it was read from.", VOLUME_COLUMNS),
    ("lesions.tsv", "Lesions counted in masks; empty where visits.tsv names none.", LESION_COLUMNS),
    ("intervals.tsv", "One row per patient-year with usable scans at both ends.", intervals.INTERVAL_COLUMNS),
    ("changes.tsv", "Change of every structure in every interval.", intervals.CHANGE_COLUMNS),
    ("audit.tsv", "Whether printed numbers fit each other; beside a report, our own.", finding.COLUMNS),
    ("reanalysis.tsv", "`reanalyse`: posteriors of published slopes.", reanalysis_columns.COLUMNS),
    ("verdicts.tsv", "`sensitivity`: is each result robust, and if not, why.", verdicts.COLUMNS),
    ("forks.tsv", "`sensitivity`: which choices were tried, and why some were not.", multiverse.FORK_COLUMNS),
    ("sensitivity.tsv", "`sensitivity`: every result under every fork.", multiverse.COLUMNS),
    ("prior_sensitivity.tsv", "`sensitivity`: results under other priors.", looks.columns("prior_sensitivity")),
    ("influence.tsv", "`sensitivity`: results without each patient.", looks.columns("influence")),
    ("tipping_sets.tsv", "`sensitivity`: how few patients carry a result.", looks.columns("tipping_sets")),
    (
        "patient_loo.tsv",
        "`sensitivity`: how well sampled fits predict each patient from all others; absent where none was sampled.",
        looks.columns("patient_loo"),
    ),
    ("checks.tsv", "`sensitivity`: what the models predict, and what was seen.", looks.columns("checks")),
    ("definitions.tsv", "`sensitivity`: miscounted lesions and missing visits.", looks.columns("definitions")),
    ("sbc.tsv", "`calibrate`: simulation-based calibration of every model.", sbc_table.COLUMNS),
    ("operating.tsv", "`calibrate`: how often tests and intervals are right at this design.", operating.COLUMNS),
    ("assurance.tsv", "`design`: what a future study would find.", assurance.COLUMNS),
)


CLINICAL_TABLES = (
    ("patients.tsv", PATIENT_COLUMNS),
    ("visits.tsv", VISIT_COLUMNS),
    ("relapses.tsv", RELAPSE_COLUMNS),
    ("edss.tsv", EDSS_COLUMNS),
)


def pages() -> dict[Path, str]:
    """Every page with a generated part: where it lies, and what it should say."""
    parts = {
        "ARCHITECTURE": module_table,
        "study-file": study_file,
        "command-line": command_line,
        "output-tables": output_tables,
    }
    return {DOCS / f"{name}.md": _renewed(DOCS / f"{name}.md", make()) for name, make in parts.items()}


def _renewed(page: Path, generated: str) -> str:
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{generated}\n\n{END}{after}"


def study_file() -> str:
    """Keys of study.toml, the names it may use, and columns of the tables it names."""
    parts = []
    for name, field in Study.model_fields.items():
        if name not in {"path", "format"}:
            model = _model_of(field)
            rows = ((f"`{key}`", *cells) for key, *cells in _keys(model))
            parts += [_about(model), _markdown(("key", "value", "default", "meaning"), rows)]
    for file, columns in CLINICAL_TABLES:
        parts += [f"## `{file}`", _markdown(("column", "cell", "unit", "meaning"), map(_clinical, columns.values()))]
    structures = ((f"`{name}`", *_structure(one)) for name, one in STRUCTURES.items())
    versions = ((f"`{name}`", _used_by(name), when) for name, when in NAME_VERSIONS.items())
    asked = (
        (f"`{name}`", one.question, one.unit() if one.outcome else "of each variable") for name, one in ANALYSES.items()
    )
    parts += ["## Ids of structures", _markdown(("id", "structure", "sum of", "flagged beyond"), structures)]
    parts += ["Names that changed with FreeSurfer's versions:", _markdown(("name", "read for", "versions"), versions)]
    parts += ["## Ids of analyses", _markdown(("id", "question", "unit of a slope or difference"), asked)]
    return "\n\n".join(parts)


def _structure(structure: Structure) -> tuple[str, str, str]:
    """Label, formula and plausible change of a structure."""
    limit = f"{structure.change_pct:g} % a year" if math.isfinite(structure.change_pct) else ""
    return structure.label, f"`{structure.formula}`", limit


def _used_by(name: str) -> str:
    """Ids of the structures that read a name."""
    return ", ".join(f"`{one.id}`" for one in STRUCTURES.values() if name in one.names) or "intracranial volume"


def command_line() -> str:
    """Help of every command, as the terminal shows it."""
    group: Any = typer.main.get_command(app)
    with group.make_context("atrobayes", [], resilient_parsing=True, terminal_width=100) as context:
        parts = [f"```text\n{_plain_help(group, context)}\n```"]
        for name, command in group.commands.items():
            with command.make_context(name, [], parent=context, resilient_parsing=True) as inner:
                parts += [f"## `atrobayes {name}`", f"```text\n{_plain_help(command, inner)}\n```"]
    return "\n\n".join(parts)


def output_tables() -> str:
    """Columns of the tables a run leaves behind."""
    parts = []
    for file, about, columns in OUTPUT_TABLES:
        rows = ((f"`{column.name}`", column.units, _meaning(column)) for column in columns)
        parts += [f"## `{file}`", about, _markdown(("column", "unit", "meaning"), rows)]
    return "\n\n".join(parts)


def module_table() -> str:
    """Every module of the package, with what its docstring says first."""
    return _markdown(("module", "what it is"), modules())


def modules() -> Iterator[tuple[str, str]]:
    """Every module that says something, with the first line of its docstring."""
    package = ROOT / "atrobayes"
    for path in sorted(package.rglob("*.py"), key=lambda path: (path.parent != package, path)):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if docstring:
            yield f"`{path.relative_to(ROOT).as_posix()}`", docstring.splitlines()[0]


def _markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain_help(command: Any, context: Any) -> str:
    command.rich_markup_mode = None
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def _meaning(column: Column) -> str:
    levels = "".join(f"<br>`{level}`: {meaning}" for level, meaning in (column.levels or {}).items())
    return column.description + levels


def _clinical(column: ClinicalColumn) -> tuple[str, str, str, str]:
    needed = "; required" if column.required else ""
    units = "" if column.units == "1" else column.units
    return f"`{column.name}`", column.expected + needed, units, column.long_name


def _model_of(field: FieldInfo) -> type[BaseModel]:
    """Model of a table; of a table of tables, the model of its entries."""
    if typing.get_origin(field.annotation) is dict:
        return typing.get_args(field.annotation)[1]
    return typing.cast("type[BaseModel]", field.annotation)


def _about(model: type[BaseModel]) -> str:
    head, _, text = (model.__doc__ or "").partition(": ")
    words = " ".join(text.split())
    return f"## `{head}`\n\n{words[0].upper()}{words[1:]}"


def _keys(model: type[BaseModel], default: BaseModel | None = None) -> Iterator[tuple[str, str, str, str]]:
    """Key, value, default and meaning of every key; the keys of a table inside the table are dotted."""
    for name, field in model.model_fields.items():
        value = getattr(default, name) if default else field.get_default(call_default_factory=True)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            said = f"{field.description} " if field.description else ""
            for key, kind, inner, meaning in _keys(field.annotation, value):
                yield f"{name}.{key}", kind, inner, said + meaning
        else:
            required = default is None and field.is_required()
            shown = "required" if required else "" if value is None else f"`{_toml(value)}`"
            yield name, _kind(field.annotation, field.metadata), shown, field.description or ""


def _kind(annotation: Any, limits: Iterable[Any] = ()) -> str:
    """What may be written as a value, in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0], _constraints(arguments[1:]))
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_kind(one, limits) for one in arguments if one is not types.NoneType)
    if origin is Literal:
        return " or ".join(f"`{_toml(one)}`" for one in arguments)
    if origin in {tuple, dict}:
        return _collection(origin, arguments)
    if issubclass(annotation, BaseModel):
        inner = ", ".join(f"{name} = {_kind(field.annotation)}" for name, field in annotation.model_fields.items())
        return f"`{{ {inner.replace('`', '')} }}`"
    words = {str: "text", Path: "path", bool: "`true` or `false`", int: "whole number", float: "number"}
    return " ".join((words[annotation], *_limits(limits)))


def _collection(origin: type, entries: tuple[Any, ...]) -> str:
    if origin is dict:
        return f"`{{ NAME = {_kind(entries[1]).replace('`', '')} }}`"
    return "list of texts" if Ellipsis in entries else f"`[{', '.join(map(_kind, entries))}]`"


def _constraints(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _limits(metadata: Iterable[Any]) -> Iterator[str]:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    found = [
        f"{sign} {getattr(item, name)}" for item in metadata for name, sign in signs.items() if hasattr(item, name)
    ]
    if found:
        yield " and ".join(found)


def _toml(value: Any) -> str:
    plain: Mapping[type, Callable[[Any], str]] = {bool: lambda one: str(one).lower(), str: lambda one: f'"{one}"'}
    if type(value) in plain:
        return plain[type(value)](value)
    if isinstance(value, Path):
        return f'"{value.as_posix()}"'
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {_toml(one)}' for name, one in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}"


def main() -> None:
    """Write the pages anew."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
