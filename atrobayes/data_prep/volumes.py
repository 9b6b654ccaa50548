"""Volumes of structures out of the files of one scan, each with the places it was read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from atrobayes.data_prep.measured import MissingSourceError, Value, VolumeFile
from atrobayes.data_prep.structures import Structure, Term

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
        All that is known of one scan. A table may give the structure whole, by its id.
    structure : Structure

    Raises
    ------
    MissingSourceError
        If a term is in no file, is not a volume in mm³, is an empty label (0 mm³) of a structure that
        everybody has, or differs between two files.
    """
    whole = _found(files, (structure.id,))
    if whole is not None:
        return Volume(_checked(whole, may_be_empty=structure.may_be_empty), math.nan, math.nan, (whole,))
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
    """First of the alternatives that a file has; all files that have it must agree."""
    for name in names:
        origins = [Origin(file, name, value) for file in files if (value := file.value(name)) is not None]
        if origins:
            _check_agreement(origins)
            return origins[0]
    return None


def _check_agreement(origins: Sequence[Origin]) -> None:
    first = origins[0]
    for other in origins[1:]:
        if not math.isclose(first.value.value, other.value.value, rel_tol=_SAME_SHARE, abs_tol=_SAME_MM3):
            places = " and ".join(
                f"{origin.value.value:.8g} in {origin.file.path.name}, line {origin.value.line}"
                for origin in (first, other)
            )
            raise MissingSourceError(f"{first.name} is {places}: two sources that disagree")


def _checked(origin: Origin, *, may_be_empty: bool) -> float:
    value, unit = origin.value.value, origin.value.unit
    if unit != "mm^3":
        raise MissingSourceError(f"{origin.name} is in {unit or 'no unit'}, not mm^3")
    if not 0 <= value < math.inf or (value == 0 and not may_be_empty):
        raise MissingSourceError(f"{origin.name} is {value:g} mm^3")
    return value


def _sides(sides: Sequence[str], volumes: Sequence[float]) -> tuple[float, float]:
    """Sum of each side; NaN unless half of the terms are left and half right."""
    left = [volume for side, volume in zip(sides, volumes, strict=True) if side == "left"]
    right = [volume for side, volume in zip(sides, volumes, strict=True) if side == "right"]
    if 2 * len(left) == 2 * len(right) == len(volumes):
        return sum(left), sum(right)
    return math.nan, math.nan
