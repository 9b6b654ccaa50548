"""Volumes of structures out of the files of one scan, each with the places it was read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from atrobayes.data_prep.measured import MissingSourceError, Value, VolumeFile
from atrobayes.data_prep.structures import Structure, Term

_MM3 = "mm^3"
ETIV = ("eTIV", "ICV")  # ICV: FreeSurfer 5.1 and older
# Two sources may print one number with different digits; a row of aseg.stats has one decimal.
_SAME_MM3, _SAME_SHARE = 0.06, 1e-6


class Origin(NamedTuple):
    """Where a number was read.

    Attributes
    ----------
    file : VolumeFile
    name : str
        Of the alternatives, the one that was there.
    value : Value
    """

    file: VolumeFile
    name: str
    value: Value


@dataclass(frozen=True)
class Volume:
    """A structure's volume in one scan.

    Attributes
    ----------
    value : float
        mm³.
    left, right : float
        mm³ of the terms on each side; NaN where the structure is not made of two sides.
    origins : tuple of Origin
        One for each term.
    """

    value: float
    left: float
    right: float
    origins: tuple[Origin, ...]


def structure_volume(files: Sequence[VolumeFile], structure: Structure) -> Volume:
    """Volume of a structure in mm³.

    Parameters
    ----------
    files : sequence of VolumeFile
        All that is known of one scan. A table that gives structures whole, by their ids, says so by its
        attribute `gives_structures`; in any other file an id is the name of a row, and no structure.
    structure : Structure

    Raises
    ------
    MissingSourceError
        If a term is in no file, is not a volume in mm³, is an empty label (0 mm³) of a structure that
        everybody has, or differs between two files, by whichever of its names; or if the structure as
        given whole is not the sum of its terms.
    """
    whole = _found([file for file in files if getattr(file, "gives_structures", False)], (structure.id,))
    if whole is not None:
        _check_sum(whole, structure, [_found(files, term.names) for term in structure.terms])
        whole_volume = _checked(whole, may_be_empty=structure.may_be_empty, may_be_negative=structure.remainder)
        return Volume(whole_volume, math.nan, math.nan, (whole,))
    origins = tuple(_of_term(files, term) for term in structure.terms)
    volumes = [
        term.sign * _checked(origin, may_be_empty=structure.may_be_empty)
        for term, origin in zip(structure.terms, origins, strict=True)
    ]
    left, right = _sides(structure.sides, volumes) if len(volumes) > 1 else (math.nan, math.nan)
    return Volume(sum(volumes), left, right, origins)


def find_etiv(files: Sequence[VolumeFile]) -> Origin | None:
    """Estimated total intracranial volume as the files give it, whatever it is; None where none does.

    Raises
    ------
    MissingSourceError
        If two files disagree.
    """
    return _found(files, ETIV)


def etiv_volume(files: Sequence[VolumeFile]) -> float:
    """Estimated total intracranial volume, mm³.

    Raises
    ------
    MissingSourceError
        If no file has one, two disagree, or it is not a positive number of mm³.
    """
    origin = find_etiv(files)
    if origin is None:
        raise MissingSourceError(f"no measure {' or '.join(ETIV)}")
    return _checked(origin, may_be_empty=False)


def _of_term(files: Sequence[VolumeFile], term: Term) -> Origin:
    origin = _found(files, term.names)
    if origin is None:
        raise MissingSourceError(f"no {' or '.join(term.names)}")
    return origin


def _found(files: Sequence[VolumeFile], names: Sequence[str]) -> Origin | None:
    """First of the alternatives that a file has; all that are volumes in mm³ must agree.

    Tables of one parcellation have one name for a volume and a thickness: what is no volume counts only
    where there is none.
    """
    origins = [Origin(file, name, value) for name in names for file in files if (value := file.value(name)) is not None]
    volumes = [origin for origin in origins if origin.value.unit == _MM3]
    _check_agreement(volumes)
    return next(iter(volumes or origins), None)


def _check_agreement(origins: Sequence[Origin]) -> None:
    for other in origins[1:]:
        first = origins[0]
        if not math.isclose(first.value.value, other.value.value, rel_tol=_SAME_SHARE, abs_tol=_SAME_MM3):
            name = "" if other.name == first.name else f"{other.name} "
            places = f"{_place(first)} and {name}{_place(other)}"
            raise MissingSourceError(f"{first.name} is {places}: two sources that disagree")


def _place(origin: Origin) -> str:
    return f"{origin.value.value:.8g} in {origin.file.path.name}, line {origin.value.line}"


def _check_sum(whole: Origin, structure: Structure, found: Sequence[Origin | None]) -> None:
    """Hold a structure given whole against the sum of its terms, where all of them are there as volumes."""
    terms = [origin for origin in found if origin is not None and origin.value.unit == _MM3]
    if len(terms) < len(found):
        return
    total = sum(sign * origin.value.value for sign, origin in zip(structure.signs, terms, strict=True))
    # every term is rounded, and so is the whole
    if not math.isclose(whole.value.value, total, rel_tol=_SAME_SHARE, abs_tol=_SAME_MM3 * (1 + len(terms))):
        names = " ".join(f"{'+' if sign > 0 else '-'} {o.name}" for sign, o in zip(structure.signs, terms, strict=True))
        places = ", ".join(dict.fromkeys(f"{origin.file.path.name}, line {origin.value.line}" for origin in terms))
        summed = f"{names.removeprefix('+ ')} {total:.8g} in {places}"
        raise MissingSourceError(f"{whole.name} is {_place(whole)} and {summed}: two sources that disagree")


def _checked(origin: Origin, *, may_be_empty: bool, may_be_negative: bool = False) -> float:
    value, unit = origin.value.value, origin.value.unit
    if unit != _MM3:
        raise MissingSourceError(f"{origin.name} is in {unit or 'no unit'}, not mm^3")
    if not math.isfinite(value) or (value < 0 and not may_be_negative) or (value == 0 and not may_be_empty):
        raise MissingSourceError(f"{origin.name} is {value:g} mm^3")
    return value


def _sides(sides: Sequence[str], volumes: Sequence[float]) -> tuple[float, float]:
    """Sum of each side; NaN unless half of the terms are left and half right."""
    left = [volume for side, volume in zip(sides, volumes, strict=True) if side == "left"]
    right = [volume for side, volume in zip(sides, volumes, strict=True) if side == "right"]
    if 2 * len(left) == 2 * len(right) == len(volumes):
        return sum(left), sum(right)
    return math.nan, math.nan
