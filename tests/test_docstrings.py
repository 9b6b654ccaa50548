"""Every public name says what it is for, in a form that numpydoc can read."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import atrobayes

# what of numpydoc's checks holds everywhere
CHECKED = {
    "GL06": "an unknown section is a misspelt one: readers and tools would not find it",
    "GL07": "sections stand in numpydoc's order: readers know where to look",
    "GL08": "a public name without a docstring has no meaning but its code",
    "GL09": "a deprecation stands first or is overlooked",
    "GL10": "a directive with one colon is shown as text",
    "SS01": "a docstring without a summary is a list of arguments",
    "SS03": "the summary is a sentence",
    "SS04": "the summary begins at the margin",
    "SS06": "the summary is one line: it is what editors and tables of contents show",
    "PR02": "a parameter that does not exist was renamed, and its text is about something else",
    "PR05": "a type does not end with a full stop: it is no sentence",
    "PR06": "bool, int and str, not boolean, integer and string",
    "PR09": "a description is a sentence",
    "PR10": "a blank stands before the colon, or name and type run together",
    "RT05": "the description of what comes back is a sentence",
}
# and which do not: the text begins beside the quotes and sections end without a blank line (GL01, GL02, GL03, GL05:
# layout is ruff's); a long text, an example and cross-references are for docs/ (ES01, EX01, SA01 to SA04); a property
# reads best as a noun, and "columns" is not a third person (SS05); a summary may begin with
# dims or a symbol (SS02); Parameters and Returns stand where names and types do not say it all, see below (PR01, RT01,
# YD01); parameters alike are documented together, apart from their order in the call (PR03); type or description
# alone where it says it all (PR04, PR07, RT02, RT03); descriptions may begin with a symbol, such as mm³ (PR08, RT04)

# more parameters than this are not told by their names
SELF_EVIDENT = 3


def _modules() -> list[Any]:
    return [importlib.import_module(info.name) for info in pkgutil.walk_packages(atrobayes.__path__, "atrobayes.")]


@cache
def _public() -> dict[str, Any]:
    """Everything public by its dotted name: functions, classes, and what classes define."""
    return {name: thing for module in _modules() for name, thing in _named(module.__name__, module)}


def _named(module_name: str, module: Any) -> Iterator[tuple[str, Any]]:
    for name, thing in vars(module).items():
        if name.startswith("_") or not (inspect.isfunction(thing) or inspect.isclass(thing)):
            continue
        if (thing.__module__, thing.__name__) != (module_name, name):  # imported, or another name for the same
            continue
        yield f"{module_name}.{name}", thing
        if inspect.isclass(thing):
            yield from ((f"{module_name}.{name}.{part}", value) for part, value in _members(thing))


def _members(cls: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(cls).items():
        function = inspect.isfunction(value) or isinstance(value, classmethod | staticmethod | property)
        if function and not name.startswith("_"):
            yield name, value


@cache
def _protocols() -> list[dict[str, Any]]:
    """Documented contracts: for each protocol its methods."""
    classes = [thing for thing in _public().values() if getattr(thing, "_is_protocol", False)]
    return [dict(_members(cls)) for cls in classes]


def _contracted(name: str) -> bool:
    """Whether a method is one of a protocol's, whose docstring speaks for all that keep it."""
    owner = _public().get(name.rpartition(".")[0])
    if not inspect.isclass(owner):
        return False
    part = name.rpartition(".")[2]
    return any(part in contract and all(hasattr(owner, one) for one in contract if one not in _fields(owner))
               for contract in _protocols())  # fmt: skip


def _fields(thing: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else []


def _documented(thing: Any) -> set[str]:
    """Names in the sections Parameters and Attributes, of a class also those of its bases."""
    own = (
        [base for base in thing.__mro__ if base.__module__.startswith("atrobayes")]
        if inspect.isclass(thing)
        else [thing]
    )
    sections = [NumpyDocString(inspect.getdoc(one) or "") for one in own]
    entries = [entry for one in sections for part in ("Parameters", "Attributes") for entry in one[part]]
    return {name.strip(" *") for entry in entries for name in entry.name.split(",")}


def test_the_checks_look_at_the_whole_package() -> None:
    """A walk that finds nothing finds no fault."""
    names = _public()
    assert {"atrobayes.inference.fit.fit", "atrobayes.models.frame.Frame.from_table", "atrobayes.study.Study"} <= set(
        names
    )
    assert 300 < len(names)


def test_every_file_says_in_a_sentence_what_it_is_about() -> None:
    """The table of modules in docs/ARCHITECTURE.md is made of these sentences."""
    texts = {module.__name__: module.__doc__ or "" for module in _modules() if Path(module.__file__).read_text()}
    assert [] == [name for name, text in texts.items() if not text.partition("\n\n")[0].rstrip().endswith(".")]


def test_docstrings_keep_numpydocs_form() -> None:
    """Help in an editor and the reference pages are made from these texts."""
    faults = [
        f"{name}: {code} {message}"
        for name, thing in _public().items()
        if thing.__doc__ or not _contracted(name)
        for code, message in validate(name)["errors"]
        if code in CHECKED
    ]
    assert [] == faults


def test_a_section_on_parameters_names_all_of_them() -> None:
    """The one left out is the one that is looked for."""
    gaps = {}
    for name, thing in _public().items():
        if inspect.isfunction(thing) and NumpyDocString(inspect.getdoc(thing) or "")["Parameters"]:
            gaps[name] = _parameters(thing) - _documented(thing)
    assert {} == {name: gap for name, gap in gaps.items() if gap}
    assert 20 < len(gaps)


def test_functions_with_many_parameters_explain_them() -> None:
    """Units and dims of four arguments cannot be guessed from their names."""
    silent = [
        name
        for name, thing in _public().items()
        # options of the command line carry their help themselves
        if inspect.isfunction(thing) and not name.startswith("atrobayes.cli.") and not _contracted(name)
        and len(_parameters(thing)) > SELF_EVIDENT and not _documented(thing)
    ]  # fmt: skip
    assert [] == silent


def test_frozen_values_explain_their_fields() -> None:
    """What passes between rooms is known by its fields: their dims and units stand nowhere else."""
    gaps = {
        name: set(_fields(thing)) - _documented(thing)
        for name, thing in _public().items()
        # engines and models are contracts: their fields are the protocol's
        if inspect.isclass(thing) and len(_fields(thing)) >= SELF_EVIDENT and not _keeps_a_contract(thing)
    }
    assert {} == {name: gap for name, gap in gaps.items() if gap}
    assert 20 < len(gaps)


def _keeps_a_contract(cls: type) -> bool:
    return any(all(hasattr(cls, one) for one in contract) for contract in _protocols() if len(contract) > 1)


@pytest.mark.parametrize("name", [name for name in atrobayes.__all__ if name != "__version__"])
def test_the_public_names_are_fully_documented(name: str) -> None:
    """These few are what a notebook begins with: help(name) must be enough."""
    thing = getattr(atrobayes, name)
    sections = NumpyDocString(inspect.getdoc(thing) or "")
    assert sections["Summary"]
    if inspect.isfunction(thing):
        assert _parameters(thing) <= _documented(thing)
        assert sections["Returns"]


def _parameters(function: Any) -> set[str]:
    return {name for name in inspect.signature(function).parameters if name not in {"self", "cls"}}
