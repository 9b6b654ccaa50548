"""Which brain structures there are, and what volumes each is the sum of."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from atrobayes.errors import Fault, StudyError
from atrobayes.study import OwnStructure, Study

_LEFT = re.compile(r"(?:.*[:/])?(?:left[- ]|lh[._-]|ctx-lh-|wm-lh-).*|hippo\.lh:.*|amygdala\.lh:.*", re.IGNORECASE)
_RIGHT = re.compile(r"(?:.*[:/])?(?:right[- ]|rh[._-]|ctx-rh-|wm-rh-).*|hippo\.rh:.*|amygdala\.rh:.*", re.IGNORECASE)
_SUFFIXES = (".stats", ".csv", ".txt", ".mgz")


class Term(NamedTuple):
    """One volume in a structure's sum.

    Attributes
    ----------
    names : tuple of str
        Alternatives over versions: a measure or row of the segmentation file, or FILE:ROW.
    sign : 1 or -1
        Added, or taken off.
    """

    names: tuple[str, ...]
    sign: int = 1

    @property
    def side(self) -> Literal["left", "right", ""]:
        """Side of the brain its names speak of; "" for both or neither."""
        if all(_LEFT.fullmatch(name) for name in self.names):
            return "left"
        return "right" if all(_RIGHT.fullmatch(name) for name in self.names) else ""


@dataclass(frozen=True)
class Structure:
    """A named volume and what it is the sum of.

    Attributes
    ----------
    id : str
        Name in tables and study files.
    label : str
        Name for people, as the paper prints it.
    terms : tuple of Term
        Added up with their signs.
    orientation : int
        1: shrinks with atrophy; -1: grows with atrophy.
    contains : tuple of str
        Ids of structures that lie wholly inside this one, at any depth.
    may_be_empty : bool
        Whether a term of 0 mm³ is a volume. In named structures it is an absent label: a failed
        segmentation, not an atrophied structure.
    change_pct : float
        A yearly change beyond this many percent is flagged; infinite: none is.
    remainder : bool
        Left over of a composite: may be negative, is measured only where a study lists it.
    volume_mm3 : tuple of two floats
        Lowest and highest plausible median of a study, both sides together, mm³: beyond it the unit
        or the definition is another. (0, inf): nothing is known.
    implausible : str
        What may have gone wrong beyond it, and what to do; "" where nothing particular is known.
    redefined : bool
        Has the name of a known structure and the study's own terms, or is the remainder of such ones:
        what is known of the name, above all what it overlaps with, does not hold.
    """

    id: str
    label: str
    terms: tuple[Term, ...]
    orientation: int = 1
    contains: tuple[str, ...] = ()
    may_be_empty: bool = False
    change_pct: float = math.inf
    remainder: bool = False
    volume_mm3: tuple[float, float] = (0.0, math.inf)
    implausible: str = ""
    redefined: bool = False

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """Side of each term."""
        return tuple(term.side for term in self.terms)

    @cached_property
    def signs(self) -> tuple[int, ...]:
        """Sign of each term."""
        return tuple(term.sign for term in self.terms)

    @cached_property
    def formula(self) -> str:
        """Source in words: alternatives joined by "|", terms by "+" and "-"."""
        words = "".join(f" {'+' if term.sign > 0 else '-'} {'|'.join(term.names)}" for term in self.terms)
        return words.removeprefix(" + ")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of every term."""
        return tuple(name for term in self.terms for name in term.names)

    @property
    def names_twice(self) -> tuple[str, ...]:
        """Names that are added twice, or taken off twice."""
        counted = Counter((name, term.sign) for term in self.terms for name in term.names)
        return tuple(dict.fromkeys(name for (name, _), times in counted.items() if times > 1))


@cache
def split_name(name: str) -> tuple[str, str]:
    """File and name of a source: ("lh.aparc.stats", "insula"), or ("", "Left-Thalamus").

    A file is told by its ending; hippo.lh, hippo.rh, amygdala.lh, amygdala.rh and thalamus stand for
    the file of subfields or nuclei of that family.
    """
    head, colon, tail = name.partition(":")
    return (head, tail) if colon and (head.endswith(_SUFFIXES) or head in FAMILIES) else ("", name)


FAMILIES = ("hippo.lh", "hippo.rh", "amygdala.lh", "amygdala.rh", "thalamus")


_RAW = tomllib.loads(files("atrobayes.data_prep").joinpath("structures.toml").read_text("utf-8"))


def _read_catalogue() -> Mapping[str, Structure]:
    known: dict[str, Structure] = {}
    for name, entry in _RAW["structures"].items():
        known[name] = _structure(name, entry, known)
    return MappingProxyType(known)


def _structure(name: str, entry: Mapping[str, Any], known: Mapping[str, Structure]) -> Structure:
    low, high = entry.get("volume_mm3", (0, math.inf))
    return Structure(
        id=name,
        label=entry["label"],
        terms=_terms(entry["sum"], entry.get("minus", ()), known),
        orientation=entry.get("orientation", 1),
        contains=tuple(entry.get("contains", ())),
        change_pct=float(entry.get("change_pct", "inf")),
        remainder=entry.get("remainder", False),
        volume_mm3=(float(low), float(high)),
        implausible=entry.get("implausible", ""),
    )


def _terms(
    added: Sequence[str | Sequence[str]], taken: Sequence[str | Sequence[str]], known: Mapping[str, Structure]
) -> tuple[Term, ...]:
    """Terms of a sum; ids of structures are replaced by their own terms."""
    return tuple(
        Term(term.names, sign * term.sign)
        for sign, entries in ((1, added), (-1, taken))
        for entry in entries
        for term in _expanded(entry, known)
    )


def _expanded(entry: str | Sequence[str], known: Mapping[str, Structure]) -> tuple[Term, ...]:
    if isinstance(entry, str):
        return known[entry].terms if entry in known else (Term((entry,)),)
    return (Term(tuple(entry)),)


CATALOGUE_VERSION: str = _RAW["version"]
NAME_VERSIONS: Mapping[str, str] = MappingProxyType(_RAW["versions"])
CATALOGUE = _read_catalogue()

EVERY = tuple(name for name, structure in CATALOGUE.items() if not structure.remainder)
PAPER = tuple(name for name in EVERY if name not in {"pallidum", "accumbens"})


def resolve_structures(study: Study) -> tuple[Structure, ...]:
    """Structures a study asks for.

    Parameters
    ----------
    study : Study
        `data.structures` is "paper", "all" (each with the study's own structures after them; one that
        takes the place of a known one in the set is measured there) or a list of ids, own ones
        included: then exactly those, in that order.

    Returns
    -------
    tuple of Structure
        `contains` also names own structures where their sums show that they are nested. Remainders are
        those of the study's own composites and parts where it redefines them.

    Raises
    ------
    StudyError
        If an id is unknown (the nearest one is named) or listed twice, an own structure has the name of
        a known one without saying that it takes its place, or a sum counts a name twice. All such
        faults at once.
    """
    own: dict[str, Structure] = {}
    for name, entry in study.structures.items():
        own[name] = _own_structure(name, entry, _known(own))
    known = _known(own)
    wanted = _wanted(study)
    faults = [_clash(study, name) for name in own if name in CATALOGUE and not study.structures[name].redefine]
    faults += [_unknown(study, name, tuple(known)) for name in wanted if name not in known]
    summed = dict.fromkeys((*own, *(name for name in wanted if name in known)))
    faults += [_counted_twice(study, known[name]) for name in summed if known[name].names_twice]
    doubled = sorted({name for name in wanted if wanted.count(name) > 1})
    faults += [_fault(study, f"{name!r} twice", "each structure once", "remove one") for name in doubled]
    if faults:
        raise StudyError(faults)
    return tuple(replace(known[name], contains=_inside(known[name], known)) for name in wanted)


def _wanted(study: Study) -> tuple[str, ...]:
    choice = study.data.structures
    if isinstance(choice, tuple):
        return choice
    named = PAPER if choice == "paper" else EVERY
    return (*named, *(name for name in study.structures if name not in named))


def _known(own: Mapping[str, Structure]) -> dict[str, Structure]:
    """Named structures and own ones; remainders follow a composite or a part that is redefined."""
    known = dict(CATALOGUE) | dict(own)
    for name, structure in CATALOGUE.items():
        if structure.remainder and name not in own:
            entry = _RAW["structures"][name]
            terms = _terms(entry["sum"], entry["minus"], known)
            if terms != structure.terms:
                known[name] = replace(structure, terms=terms, may_be_empty=True, redefined=True)
    return known


def _own_structure(name: str, entry: OwnStructure, known: Mapping[str, Structure]) -> Structure:
    others = {other: structure for other, structure in known.items() if other != name}
    return Structure(
        id=name,
        label=entry.label or name,
        terms=_terms(entry.sum, entry.minus, others),
        orientation=entry.orientation,
        may_be_empty=True,
        remainder=bool(entry.minus),
        redefined=name in CATALOGUE,
    )


def _inside(outer: Structure, known: Mapping[str, Structure]) -> tuple[str, ...]:
    """Ids of what lies wholly inside, as the catalogue says or sums show; what is taken off shows nothing."""
    said, held = set(outer.contains), set(outer.names)
    if any(term.sign < 0 for term in outer.terms):
        return ()
    shown: set[str] = set()
    while True:
        # the catalogue speaks of its own definitions, so their names are held whatever a study redefines
        held = held.union(*(CATALOGUE[name].names for name in said))
        covered = {name for name, inner in known.items() if _covers(held, inner)}
        if covered == shown:
            break
        shown = covered
        said = said.union(*(known[name].contains for name in shown))
    inside = {name for name in shown if not _covers(set(known[name].names), outer)}
    inside |= {name for name in said if not known[name].redefined}
    return tuple(name for name in known if name in inside and name != outer.id)


def _covers(held: set[str], inner: Structure) -> bool:
    """Whether every term of `inner`, none of them taken off, has one of the names."""
    return all(term.sign > 0 and not held.isdisjoint(term.names) for term in inner.terms)


def _fault(study: Study, found: str, expected: str, todo: str) -> Fault:
    return Fault(found, expected, todo, str(study.path), column="data.structures")


def _clash(study: Study, name: str) -> Fault:
    todo = "give your own structure another name, or write redefine = true to put it in the place of the known one"
    return Fault(f"the name {name!r}", "a name that is not taken", todo, str(study.path), column=f"structures.{name}")


def _counted_twice(study: Study, structure: Structure) -> Fault:
    names = ", ".join(map(repr, structure.names_twice))
    todo = "write a structure or its parts, not both: an id stands for all the names it is the sum of"
    place = f"structures.{structure.id}"
    return Fault(f"{names} counted twice", "a sum that counts each name once", todo, str(study.path), column=place)


def _unknown(study: Study, name: str, known: tuple[str, ...]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known)
    return _fault(study, f"the unknown structure {name!r}", "a known structure", todo)
