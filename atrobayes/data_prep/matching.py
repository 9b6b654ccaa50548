"""Which run of which source is the scan of a visit: by name, by a pattern, or as a table says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from atrobayes.data_prep.bids import sessions_file
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.subjects_dir import Run
from atrobayes.data_prep.visit_labels import EXAMPLES, look_like_months
from atrobayes.errors import Fault
from atrobayes.study import Study

Stream = Literal["long", "cross"]


class Match(NamedTuple):
    """A run and the source that holds it."""

    source: Source
    run: Run


@dataclass
class Matching:
    """Every run of a study's sources, laid out for finding those of a visit.

    Attributes
    ----------
    study : Study
    sources : sequence of Source
    faults : list of Fault
        What a pattern reads as no visit, a pattern that reads no name at all or months for years, and visits
        with several runs of one source.
    """

    study: Study
    sources: Sequence[Source]
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.misread: dict[str, list[str]] = {}
        self.other: Stream = "cross" if self.study.data.stream == "long" else "long"
        self.all = tuple(Match(source, self._owned(run)) for source in self.sources for run in source.runs)
        self.matches = tuple(match for match in self.all if match.run.stream in {self.study.data.stream, "any"})
        self.faults += self._pattern_faults()
        self.by_name = _index((name, match) for match in self.matches for name in _names(match.run))
        self.by_owner = _index((match.run.owner, match) for match in self.matches if match.run.owner)
        self.elsewhere = _index(
            (name, match) for match in self.all if match.run.stream == self.other for name in _names(match.run)
        )

    def of_visit(self, row: Mapping[Any, Any]) -> tuple[Match, ...]:
        """Find the runs of a visit, at most one of each source; none where it has no scan or several are possible.

        Parameters
        ----------
        row : mapping
            A row of `Clinical.visits`, with its `line` where that is known. A name in fsid goes before a pattern.
        """
        owner = (row["patient"], int(row["visit"]))
        found = self.by_name.get(row["fsid"], ()) if row["fsid"] else ()
        owned = tuple(match for match in self.by_owner.get(owner, ()) if match not in found)
        if row["fsid"]:
            owned = tuple(match for match in owned if match.run.stream == "any")
        candidates = found + owned
        for source in self.sources:
            several = [match.run for match in candidates if match.source is source]
            if len(several) > 1:
                self._ambiguous(row, several)
                return ()
        return candidates

    def absence(self, fsid: str, claimed: frozenset[str]) -> str:
        """Say why there is no run of this name.

        Parameters
        ----------
        fsid : str
        claimed : frozenset of str
            Names that visits have: a run that no visit names is the likelier one to be meant.
        """
        places = " and ".join(source.place for source in self.sources)
        reason = f"no {self.study.data.stream} run of {fsid} in {places}"
        if fsid in self.elsewhere:
            return f"{reason}, only {self.elsewhere[fsid][0].run.name} ({self.other})"
        loose = [
            name
            for name, found in self.by_name.items()
            if not any(claimed.intersection(_names(match.run)) for match in found)
        ]
        near = difflib.get_close_matches(fsid, loose, n=1) or difflib.get_close_matches(fsid, self.by_name, n=1)
        return f"{reason}; is {near[0]} meant?" if near else reason

    def _owned(self, run: Run) -> Run:
        """Read whose a run is from its name, where the study gives a pattern."""
        pattern = self.study.data.visit_pattern
        if pattern is None or run.owner or run.stream == "base":
            return run
        match = re.fullmatch(pattern, run.fsid)
        if match is None:
            return run
        if not match["patient"] or not (match["visit"] or "").isdecimal():
            part = "visit" if match["patient"] else "patient"
            self.misread.setdefault(part, []).append(f"the {part} {match[part] or ''!r} in {run.fsid}")
            return run
        return replace(run, owner=(match["patient"], int(match["visit"])))

    def _misread_fault(self, part: str, found: Sequence[str]) -> Fault:
        """One fault for all names in which a pattern reads no patient, or a visit that is no number."""
        expected = "a whole number, the nominal year" if part == "visit" else "a patient"
        todo = f"change visit_pattern so that (?P<{part}>...) is that alone, or give names in the column fsid"
        distinct = list(dict.fromkeys(found))
        more = f" and {len(distinct) - EXAMPLES} more" if len(distinct) > EXAMPLES else ""
        return self._pattern_fault(f"{', '.join(distinct[:EXAMPLES])}{more}", expected, todo)

    def _pattern_faults(self) -> list[Fault]:
        """What only all names together tell: none is read, or all visits are months."""
        if self.misread:
            return [self._misread_fault(part, found) for part, found in self.misread.items()]
        names = [match.run.fsid for match in self.matches if match.run.fsid]
        visits = {match.run.owner[1] for match in self.matches if match.run.fsid and match.run.owner}
        if self.study.data.visit_pattern is None or not names:
            return []
        if not visits:
            shown = ", ".join(sorted(set(names))[:EXAMPLES])
            todo = "it must fit the whole name, of a longitudinal run what stands before .long."
            found = f"a pattern that fits none of {len(set(names))} names"
            return [self._pattern_fault(found, f"one that fits {shown}", todo)]
        if look_like_months(visits):
            found = f"visits {', '.join(map(str, sorted(visits)))}"
            todo = "these look like months: remove visit_pattern, and give names in the column fsid of the visits"
            return [self._pattern_fault(found, "the nominal year (0, 1, 2 …)", todo)]
        return []

    def _pattern_fault(self, found: str, expected: str, todo: str) -> Fault:
        return Fault(found, expected, todo, str(self.study.path), column="data.visit_pattern")

    def _ambiguous(self, row: Mapping[Any, Any], runs: Sequence[Run]) -> None:
        folders = " and ".join(run.name or run.where for run in runs)
        wanted = row["fsid"] or f"{row['patient']}, visit {row['visit']}"
        todo = "write the whole name of the folder meant in fsid"
        data = self.study.data
        file = data.visits if data.bids is None else sessions_file(data.bids, row["patient"])
        # of BIDS, rows are counted over all files: the file of the patient is all there is to say
        line = row.get("line") if data.bids is None else None
        self.faults.append(Fault(folders, f"one run of {wanted}", todo, str(file), line, "fsid"))


def _names(run: Run) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (run.fsid, run.name))))


def _index[K: Hashable](pairs: Iterator[tuple[K, Match]]) -> dict[K, tuple[Match, ...]]:
    found: dict[K, tuple[Match, ...]] = {}
    for key, match in pairs:
        found[key] = (*found.get(key, ()), match)
    return found
