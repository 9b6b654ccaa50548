"""Patient and visit of a time point, told from names of folders; where names do not tell, an error that asks."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atrobayes.data_prep.privacy import identifier_in
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.data_prep.visit_labels import EXAMPLES, PATTERN_HELP, look_like_months, read_labels, unreadable
from atrobayes.errors import DataError, Fault, UsageError

# what is taken off a template's name; what is left is the patient
_TEMPLATE = re.compile(
    r"(?:base|template|tmpl)[._-]+(?P<after>.+)|(?P<before>.+?)[._-]*(?:base|template|tmpl)(?:[._-]?\d+)?",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?P<patient>.+?)(?P<label>[._-]+(?:[a-z]+[._-]?\d+|bl|baseline))", re.IGNORECASE)
_PATIENT_IS = {"long": "what template and time points have in common", "cross": "what stands before the visit"}


@dataclass(frozen=True)
class TimePoint:
    """A scan and whose it is.

    Attributes
    ----------
    fsid : str
        Its name: what stands before ".long.".
    patient : str
    visit : int
        Nominal year.
    state : str
        That of its run, or "absent": a template lists it, but there is no longitudinal run.
    """

    fsid: str
    patient: str
    visit: int
    state: str


@dataclass(frozen=True)
class Reading:
    """Every time point of a SUBJECTS_DIR, and how its patient and visit were told.

    Attributes
    ----------
    points : tuple of TimePoint
        Sorted by patient and visit.
    rule : str
        In words, for the user to check.
    """

    points: tuple[TimePoint, ...]
    rule: str


def read_names(
    folder: Path, runs: Sequence[Run], stream: str, pattern: str | None = None, first_visit: int | None = None
) -> Reading:
    """Tell patient and visit of every time point.

    Without a pattern, the patient of a longitudinal run is its template's name without base, template or tmpl, or,
    where its time points do not begin so, what their names have in common. What is left of a time point's name must
    be one label, the same in all of them: a number after y or year (years), m or month (months), or after v, visit,
    ses, t, tp, fu, scan or a separator (counted visits, which must begin at 0 or be told by `first_visit`); bl or
    baseline is 0. Cross-sectional runs are named PATIENT, a separator and a label with letters. Visits are never
    told from the order of names: a missed visit would move all later ones.

    Parameters
    ----------
    folder : Path
        The SUBJECTS_DIR, for messages.
    runs : sequence of Run
        As `find_runs` gives them.
    stream : "long" or "cross"
    pattern : str, optional
        Regular expression that fits whole names, with (?P<patient>...) and (?P<visit>...) or (?P<month>...).
    first_visit : int, optional
        The number that names give to visit 0.

    Raises
    ------
    UsageError
        If the pattern is none.
    DataError
        If there are no runs, names hold identifiers of persons, or patient and visit cannot be told or are those of
        two time points.
    """
    points = _time_points(folder, runs, stream)
    _refuse_identifiers(folder, points)
    if pattern is not None:
        owners, rule = _by_pattern(folder, points, pattern, first_visit or 0)
    else:
        labels = _long_labels(folder, points) if stream == "long" else _cross_labels(folder, points)
        owners, visits = read_labels(folder, labels, first_visit)
        rule = f"patient: {_PATIENT_IS[stream]}; {visits}"
    read = [TimePoint(name, *owners[name], points[name].state) for name in owners]
    _refuse_doubled(folder, read)
    return Reading(tuple(sorted(read, key=lambda point: (point.patient, point.visit))), rule)


@dataclass(frozen=True)
class _Point:
    template: str
    state: str


def _time_points(folder: Path, runs: Sequence[Run], stream: str) -> dict[str, _Point]:
    """By name: those with a run of the stream, and those a template lists."""
    points: dict[str, _Point] = {}
    for run in runs:
        if run.stream != stream:
            continue
        if run.fsid in points:
            found = f"{run.fsid} with the templates {points[run.fsid].template} and {run.base}"
            todo = "move one of the two runs elsewhere, or write the tables yourself"
            raise DataError(Fault(found, "one longitudinal run of a time point", todo, str(folder)))
        points[run.fsid] = _Point(run.base or "", run.state)
    if not points:
        other = "cross" if stream == "long" else "long"
        found = ", ".join(f"{sum(run.stream == one for run in runs)} {one}" for one in (other, "base"))
        todo = f"name another folder, or --stream {other}"
        raise DataError(Fault(f"{found} and no {stream} runs", f"{stream} runs", todo, str(folder)))
    if stream == "long":
        for run in runs:
            points |= {name: _Point(run.fsid, "absent") for name in run.members if name not in points}
    return dict(sorted(points.items()))


def _refuse_identifiers(folder: Path, points: Iterable[str]) -> None:
    kinds = [kind for name in points if (kind := identifier_in(name))]
    if kinds:
        found = f"{kinds[0]} in {len(kinds)} name{'s' * (len(kinds) > 1)} of folders"
        todo = "give the runs pseudonyms: patient ids go into every result"
        raise DataError(Fault(found, "no identifiers of persons", todo, str(folder)))


def _long_labels(folder: Path, points: Mapping[str, _Point]) -> dict[str, tuple[str, str]]:
    """Patient of each time point, and what its name says besides."""
    templates: dict[str, list[str]] = {}
    for name, point in points.items():
        templates.setdefault(point.template, []).append(name)
    patients = {template: _patient(template, names) for template, names in templates.items()}
    unread = [name for template, names in templates.items() if not patients[template] for name in names]
    if unread:
        raise DataError(unreadable(folder, unread, "names that begin with their template's patient"))
    for patient in patients.values():
        twins = [other for other in patients if patients[other] == patient]
        if len(twins) > 1:
            found = f"the templates {' and '.join(twins)}, both read as of patient {patient}"
            raise DataError(Fault(found, "one template a patient", PATTERN_HELP, str(folder)))
    return {
        name: (patients[template], name.removeprefix(patients[template]))
        for template, names in templates.items()
        for name in names
    }


def _patient(template: str, names: Sequence[str]) -> str:
    """Patient that a template's name or else its time points tell; "" where neither does."""
    match = _TEMPLATE.fullmatch(template)
    told = (match["after"] or match["before"]) if match else template
    prefix = os.path.commonprefix(names)  # noqa: RUF071 - of letters, not of folders
    shared = re.sub(r"[._-]+[^._-]*$", "", prefix) if len(names) > 1 else ""
    for patient in (told, shared):
        if patient and all(name.startswith(patient) for name in names):
            return patient
    return ""


def _cross_labels(folder: Path, points: Mapping[str, _Point]) -> dict[str, tuple[str, str]]:
    matches = {name: _ALONE.fullmatch(name) for name in points}
    unread = [name for name, match in matches.items() if match is None]
    if unread:
        raise DataError(unreadable(folder, unread, "names such as A01_v0 or sub-A01_ses-0"))
    return {name: (match["patient"], match["label"]) for name, match in matches.items() if match}


def _by_pattern(
    folder: Path, points: Mapping[str, _Point], pattern: str, first: int
) -> tuple[dict[str, tuple[str, int]], str]:
    matches = {name: match for name in points if (match := _compiled(pattern).fullmatch(name))}
    if not matches:
        shown = ", ".join(sorted(points)[:EXAMPLES])
        todo = "it must fit the whole name, of a longitudinal run what stands before .long."
        raise DataError(Fault(f"a --pattern that fits none of {len(points)} names", f"one that fits {shown}", todo))
    unit, part = (12, "month") if "month" in _compiled(pattern).groupindex else (1, "visit")
    numbers = {name: match[part] or "" for name, match in matches.items()}
    bad = [
        name
        for name, text in numbers.items()
        if not text.isdecimal() or (int(text) - first) % unit or int(text) < first or not matches[name]["patient"]
    ]
    if bad:
        found = f"the {part} {numbers[bad[0]]!r} and the patient {matches[bad[0]]['patient'] or ''!r} in {bad[0]}"
        expected = f"a patient, and a whole number from {first} on{', months being whole years' * (unit == 12)}"
        raise DataError(Fault(found, expected, "change --pattern", str(folder)))
    visits = {name: (int(text) - first) // unit for name, text in numbers.items()}
    if unit == 1 and look_like_months(set(visits.values())):
        found = f"visits {', '.join(map(str, sorted(set(visits.values()))))}, which look like months"
        raise DataError(Fault(found, "nominal years (0, 1, 2 …)", "write (?P<month>...) in --pattern", str(folder)))
    owners = {name: (str(match["patient"]), visits[name]) for name, match in matches.items()}
    return owners, f"patient and visit: as --pattern reads them{f', less {first}' if first else ''}"


def _compiled(pattern: str) -> re.Pattern[str]:
    expected = "a regular expression with (?P<patient>...) and (?P<visit>...) or (?P<month>...)"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--pattern: found {error}; expected {expected}") from error
    if set(compiled.groupindex) not in ({"patient", "visit"}, {"patient", "month"}):
        raise UsageError(f"--pattern: found the groups {sorted(compiled.groupindex)}; expected {expected}")
    return compiled


def _refuse_doubled(folder: Path, points: Sequence[TimePoint]) -> None:
    owners: dict[tuple[str, int], list[str]] = {}
    for point in points:
        owners.setdefault((point.patient, point.visit), []).append(point.fsid)
    faults = [
        Fault(" and ".join(names), f"one scan of {patient}, visit {visit}", PATTERN_HELP, str(folder))
        for (patient, visit), names in owners.items()
        if len(names) > 1
    ]
    if faults:
        raise DataError(faults)
