"""What no single scan can tell, or no recon-all says: rows that no scan has, and heads that cannot be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atrobayes.data_prep.measured import MissingSourceError, VolumeFile
from atrobayes.data_prep.structures import Structure
from atrobayes.data_prep.volumes import find_etiv
from atrobayes.errors import Fault
from atrobayes.study import Study

# mm³. Far outside what heads are, small and large ones included: beyond it a registration failed or a unit is wrong.
ETIV_RANGE = (300_000.0, 4_000_000.0)


@dataclass
class FoundSources:
    """Every name that the files of a study hold.

    Attributes
    ----------
    names : set of str
        Measures and rows, as the files call them.
    """

    names: set[str] = field(default_factory=set)

    def add(self, files: Sequence[VolumeFile]) -> None:
        """Take note of what the files of one scan hold."""
        for file in files:
            self.names.update(file.names)

    def faults(self, study: Study, structures: Sequence[Structure]) -> Iterator[Fault]:
        """Find names of own structures that are in no scan; nothing is known before a scan was read.

        Parameters
        ----------
        study : Study
        structures : sequence of Structure
            Those the study asks for.
        """
        own = [structure for structure in structures if structure.id in study.structures]
        for structure in own if self.names else ():
            if structure.id in self.names:
                continue
            for term in structure.terms:
                if self.names.isdisjoint(term.names):
                    column = f"structures.{structure.id}.sum"
                    expected = "a measure or row (StructName) of the files"
                    found = f"{term.names[0]!r}, which no scan has"
                    yield Fault(found, expected, self._advice(term.names[0]), str(study.path), None, column)

    def _advice(self, row: str) -> str:
        names = {name.lower(): name for name in sorted(self.names)}
        near = difflib.get_close_matches(row.lower(), names, n=1)
        return f"did you mean {names[near[0]]!r}?" if near else "mend the name, or remove it"


def etiv_fault(files: Sequence[VolumeFile]) -> list[Fault]:
    """Find an eTIV that is that of no head.

    Parameters
    ----------
    files : sequence of VolumeFile
        Of one scan.

    Returns
    -------
    list of Fault, at most one
        Empty too where there is none, or not in mm³: that is a missing eTIV.
    """
    low, high = ETIV_RANGE
    try:
        origin = find_etiv(files)
    except MissingSourceError:
        return []  # in the ledger already, as etiv_missing
    # NaN too is in the ledger already: missing, not wrong
    if origin is None or origin.value.unit != "mm^3" or not (origin.value.value < low or origin.value.value > high):
        return []
    expected = f"{low:,.0f} to {high:,.0f} mm^3"
    todo = "look at the scan and its Talairach registration; run recon-all again, or write quality fail at the visit"
    if low <= 1000 * origin.value.value <= high:
        todo = "it looks like millilitres: write mm^3, a thousand times as much, in volumes and eTIV"
    found = f"{origin.value.value:,.8g} mm^3"
    return [Fault(found, expected, todo, str(origin.file.path), origin.value.line, origin.name)]
