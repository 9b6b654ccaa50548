"""What the end of a time point's name says of its visit: v1, ses-02, m12, bl."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atrobayes.errors import DataError, Fault

EXAMPLES = 3  # names shown where they cannot be read
_BASELINE = re.compile(r"[._-]*(?:bl|baseline)", re.IGNORECASE)
_LABEL = re.compile(r"(?P<mark>[._-]*)(?P<kind>[a-z]*)[._-]?(?P<number>\d+)", re.IGNORECASE)
_MONTHS = frozenset({"m", "mo", "month", "months"})
_YEARS = frozenset({"y", "yr", "year", "years"})
# these only count visits: whether from 0 or from 1, and whether yearly, the number does not say
_COUNTS = frozenset({"", "v", "visit", "vis", "ses", "session", "t", "tp", "time", "timepoint", "fu", "scan"})
_LAST_VISIT = 50  # beyond: a date, a scanner's number, a part of an id

PATTERN_HELP = (
    "say how to read them, such as --pattern '(?P<patient>[^_]+)_v(?P<visit>[0-9]+)'; (?P<month>...) in place of "
    "visit where names say months"
)


@dataclass(frozen=True)
class _Label:
    """What a name says of the visit: "v", 2."""

    kind: str
    number: int


def read_labels(
    folder: Path, labels: Mapping[str, tuple[str, str]], first_visit: int | None
) -> tuple[dict[str, tuple[str, int]], str]:
    """Tell visits from labels, if these are all of one kind.

    Parameters
    ----------
    folder : Path
        The SUBJECTS_DIR, for messages.
    labels : mapping of str to (str, str)
        By time point its patient, and what its name says besides, such as "_v1".
    first_visit : int or None
        The number that labels give to visit 0; None: not said.

    Returns
    -------
    dict of str to (str, int)
        By time point its patient and visit.
    str
        How visits were told, in words.

    Raises
    ------
    DataError
        If labels are of several kinds or none, or do not tell which visit is visit 0.
    """
    read = {name: _label(rest) for name, (_, rest) in labels.items()}
    unread = [name for name, label in read.items() if label is None]
    kinds = {label.kind for label in read.values() if label and label.kind != "bl"}
    if unread or len(kinds) > 1:
        shown = unread or [next(name for name, label in read.items() if label and label.kind == kind) for kind in kinds]
        raise DataError(unreadable(folder, sorted(shown), "names that end in one label for the visit, such as _v0"))
    kind = next(iter(kinds), "bl")
    numbers = {name: label.number for name, label in read.items() if label}
    counted = {name: numbers[name] for name, label in read.items() if label and label.kind != "bl"}
    first = _first(folder, labels, kind, sorted(numbers.values()), first_visit)
    unit = 12 if kind in _MONTHS else 1
    bad = [name for name, number in counted.items() if (number - first) % unit or number < first]
    if bad:
        why = "months that are whole years" if unit == 12 else f"visits from {first} on, the number of visit 0"
        raise DataError(unreadable(folder, bad, why))
    visits = {name: number if name not in counted else (number - first) // unit for name, number in numbers.items()}
    return {name: (labels[name][0], visit) for name, visit in visits.items()}, _rule(kind, first)


def look_like_months(visits: Collection[float]) -> bool:
    """Whether visits such as 0, 6, 12, 24 are months, where the nominal year is meant."""
    return bool(visits) and max(visits) >= 12 and all(visit % 6 == 0 for visit in visits)


def label_years(label: str) -> float | None:
    """Years since visit 0 that a label such as m12, y1 or baseline says; None where it says neither."""
    read = _label(label)
    if read is None or read.kind in _COUNTS:
        return None
    return read.number / 12 if read.kind in _MONTHS else read.number


def label_count(label: str) -> int | None:
    """Number of a label that only counts visits, such as 02 or v2; None of any other."""
    read = _label(f"_{label}")
    return read.number if read is not None and read.kind in _COUNTS else None


def _label(rest: str) -> _Label | None:
    if _BASELINE.fullmatch(rest):
        return _Label("bl", 0)
    match = _LABEL.fullmatch(rest)
    if match is None or (not match["kind"] and not match["mark"]):
        return None
    kind, number = match["kind"].lower(), int(match["number"])
    if kind not in _MONTHS | _YEARS | _COUNTS or number > _LAST_VISIT * (12 if kind in _MONTHS else 1):
        return None
    return _Label(kind, number)


def _first(folder: Path, labels: Iterable[str], kind: str, numbers: Sequence[int], first_visit: int | None) -> int:
    """Number that names give to visit 0; where they only count visits, and not from 0, that must be told."""
    if kind not in _COUNTS or first_visit is not None:
        return first_visit or 0
    if numbers[0] > 0:
        shown = ", ".join(sorted(labels)[:EXAMPLES])
        found = f"names that count visits from {numbers[0]}, such as {shown}"
        todo = (
            f"--first-visit {numbers[0]} if that is the visit before treatment, --first-visit 0 if that one is missing"
        )
        raise DataError(Fault(found, "visit 0 among them, or which number it has", todo, str(folder)))
    if look_like_months(numbers):
        found = f"visits {', '.join(map(str, dict.fromkeys(numbers)))}, which look like months"
        todo = "say so: --pattern with (?P<patient>...) and (?P<month>...)"
        raise DataError(Fault(found, "nominal years (0, 1, 2 …)", todo, str(folder)))
    return 0


def _rule(kind: str, first: int) -> str:
    if kind in _MONTHS:
        return f"visit: the months after {kind!r}, divided by 12"
    if kind == "bl":
        return "visit: bl or baseline is 0"
    said = "the number at the end" if not kind else f"the number after {kind!r}"
    less = f", less {first}" if first else ""
    return f"visit: {said}{less}, taken for the nominal year"


def unreadable(folder: Path, names: Sequence[str], expected: str) -> Fault:
    """Fault of names that do not tell patient and visit: the first few, and the option that helps."""
    more = f" ({len(names)} in all)" if len(names) > EXAMPLES else ""
    return Fault(f"{', '.join(names[:EXAMPLES])}{more}", expected, PATTERN_HELP, str(folder))
