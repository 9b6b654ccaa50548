"""What no single scan can tell, or no recon-all says: rows that no scan has, and heads that cannot be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atrobayes.data_prep.stats_files import StatsFile
from atrobayes.data_prep.structures import Structure
from atrobayes.errors import Fault
from atrobayes.study import Study

# mm³. Far outside what heads are, small and large ones included: beyond it a registration failed or a unit is wrong.
ETIV_RANGE = (300_000.0, 4_000_000.0)


@dataclass
class FoundSources:
    """Every name that the stats files of a study hold.

    Attributes
    ----------
    rows, measures : set of str
        StructNames, and names of header measures.
    """

    rows: set[str] = field(default_factory=set)
    measures: set[str] = field(default_factory=set)

    def add(self, stats: StatsFile) -> None:
        """Take note of what one file holds."""
        self.rows |= stats.rows.keys()
        self.measures |= stats.measures.keys()

    def faults(self, study: Study, structures: Sequence[Structure]) -> Iterator[Fault]:
        """Name the rows of own structures that are in no scan; nothing is known before a scan was read.

        Parameters
        ----------
        study : Study
        structures : sequence of Structure
            Those the study asks for.
        """
        own = [structure for structure in structures if structure.id in study.structures]
        for structure in own if self.rows else ():
            for row in dict.fromkeys(name for names in structure.parts for name in names):
                if row not in self.rows:
                    column = f"structures.{structure.id}.sum"
                    expected = "a row (StructName) of stats/aseg.stats"
                    yield Fault(
                        f"{row!r}, which no scan has", expected, self._advice(row), str(study.path), None, column
                    )

    def _advice(self, row: str) -> str:
        if row in self.measures:
            return "rows of the table, not # Measure lines"
        names = {name.lower(): name for name in sorted(self.rows)}
        near = difflib.get_close_matches(row.lower(), names, n=1)
        return f"did you mean {names[near[0]]!r}?" if near else "mend the name, or remove it"


def etiv_fault(stats: StatsFile, names: tuple[str, ...]) -> list[Fault]:
    """Find an eTIV that is that of no head.

    Parameters
    ----------
    stats : StatsFile
    names : tuple of str
        What the measure is called, by version.

    Returns
    -------
    list of Fault, at most one
        Empty too where there is none, or not in mm³: that is a missing eTIV.
    """
    name = next((name for name in names if name in stats.measures), "")
    low, high = ETIV_RANGE
    if not name or stats.measures[name].unit != "mm^3" or low <= stats.measures[name].value <= high:
        return []
    measure = stats.measures[name]
    expected = f"{low:,.0f} to {high:,.0f} mm^3"
    todo = "look at the scan and its Talairach registration; run recon-all again, or write quality fail at the visit"
    return [Fault(f"{measure.value:,.8g} mm^3", expected, todo, str(stats.path), measure.line, name)]
