"""Which brain structures there are, and where FreeSurfer writes the volume of each."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from atrobayes.errors import Fault, StudyError
from atrobayes.study import OwnStructure, Study


@dataclass(frozen=True)
class Structure:
    """A named volume and its source in stats/aseg.stats.

    Attributes
    ----------
    id : str
        Name in tables and study files.
    label : str
        Name for people, as the paper prints it.
    measures : tuple of str
        Alternative names of one header measure; empty if the structure is a sum of rows.
    parts : tuple of tuple of str
        Rows of the table to add up, each with its alternative names; empty if a measure.
    orientation : int
        1: shrinks with atrophy; -1: grows with atrophy.
    contains : tuple of str
        Ids of structures that lie wholly inside this one, at any depth.
    may_be_empty : bool
        Whether a row of 0 mm³ is a volume. In named structures it is an absent label: a failed
        segmentation, not an atrophied structure.
    """

    id: str
    label: str
    measures: tuple[str, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    orientation: int = 1
    contains: tuple[str, ...] = ()
    may_be_empty: bool = False

    @property
    def formula(self) -> str:
        """Source in words: alternatives joined by "|", rows added with "+"."""
        return " + ".join("|".join(names) for names in self.parts) if self.parts else "|".join(self.measures)


def _read_catalogue() -> tuple[str, Mapping[str, Structure]]:
    raw = tomllib.loads(files("atrobayes.data_prep").joinpath("structures.toml").read_text("utf-8"))
    return raw["version"], MappingProxyType(
        {name: _structure(name, entry) for name, entry in raw["structures"].items()}
    )


def _structure(name: str, entry: Mapping[str, Any]) -> Structure:
    return Structure(
        id=name,
        label=entry["label"],
        measures=tuple(entry.get("measures", ())),
        parts=tuple(tuple(names) for names in entry.get("parts", ())),
        orientation=entry.get("orientation", 1),
        contains=tuple(entry.get("contains", ())),
    )


CATALOGUE_VERSION, CATALOGUE = _read_catalogue()

PAPER = tuple(name for name in CATALOGUE if name not in {"pallidum", "accumbens"})


def resolve_structures(study: Study) -> tuple[Structure, ...]:
    """Structures a study asks for.

    Parameters
    ----------
    study : Study
        `data.structures` is "paper", "all" (each with the study's own structures after them) or a
        list of ids, own ones included: then exactly those, in that order.

    Returns
    -------
    tuple of Structure
        `contains` also names own structures where the rows show that they are nested.

    Raises
    ------
    StudyError
        If an id is unknown (the nearest one is named) or listed twice, or an own structure has the
        name of a known one. All such faults at once.
    """
    own = {name: _own_structure(name, entry) for name, entry in study.structures.items()}
    known = dict(CATALOGUE) | {name: _with_nested(structure, own) for name, structure in own.items()}
    known |= {name: _with_nested(structure, own) for name, structure in CATALOGUE.items()}
    wanted = _wanted(study)
    faults = [_clash(study, name) for name in own if name in CATALOGUE]
    faults += [_unknown(study, name, tuple(known)) for name in wanted if name not in known]
    doubled = sorted({name for name in wanted if wanted.count(name) > 1})
    faults += [_fault(study, f"{name!r} twice", "each structure once", "remove one") for name in doubled]
    if faults:
        raise StudyError(faults)
    return tuple(known[name] for name in wanted)


def _wanted(study: Study) -> tuple[str, ...]:
    choice = study.data.structures
    if choice == "paper":
        return PAPER + tuple(name for name in study.structures if name not in CATALOGUE)
    if choice == "all":
        return tuple(CATALOGUE) + tuple(name for name in study.structures if name not in CATALOGUE)
    return tuple(choice)


def _own_structure(name: str, entry: OwnStructure) -> Structure:
    return Structure(name, name, parts=tuple((row,) for row in entry.sum), may_be_empty=True)


def _with_nested(structure: Structure, own: Mapping[str, Structure]) -> Structure:
    others = dict(CATALOGUE) | dict(own)
    inside = tuple(
        name
        for name, other in others.items()
        if name != structure.id and (name in structure.contains or _within(other, structure))
    )
    return replace(structure, contains=inside)


def _within(inner: Structure, outer: Structure) -> bool:
    """Every row of `inner` is a row of `outer`, or of something known to lie inside it."""
    rows = set(_row_names(outer)).union(*(_row_names(CATALOGUE[name]) for name in outer.contains))
    return bool(inner.parts) and all(rows.intersection(names) for names in inner.parts)


def _row_names(structure: Structure) -> tuple[str, ...]:
    return tuple(name for names in structure.parts for name in names)


def _fault(study: Study, found: str, expected: str, todo: str) -> Fault:
    return Fault(found, expected, todo, str(study.path), column="data.structures")


def _clash(study: Study, name: str) -> Fault:
    todo = "give your own structure another name"
    return Fault(f"the name {name!r}", "a name that is not taken", todo, str(study.path), column=f"structures.{name}")


def _unknown(study: Study, name: str, known: tuple[str, ...]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known)
    return _fault(study, f"the unknown structure {name!r}", "a known structure", todo)
