"""SAMSEG's volumes of one scan: samseg.stats, and sbtiv.stats beside it."""

from __future__ import annotations

import math
import re
from pathlib import Path

from atrobayes.data_prep.clinical_columns import IllegalCellError
from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.text_files import NamedValues, cell_number, read_whole_lines
from atrobayes.errors import DataError, Fault

# Read from the source alone: FreeSurfer's samseg/run_samseg, commit 0045f1c, and Samseg.writeResults in
# python/freesurfer/samseg/Samseg.py, commit 052bdbb. Newer versions put Intra-Cranial into samseg.stats as well.
TRIED_ON_REAL_OUTPUT = False

_EXPECTED = "a samseg.stats of SAMSEG"
_MEASURE = re.compile(r"# Measure (\S+), *(\S+), *(\S+)\s*")
_WRITTEN = "Intra-Cranial"
_SBTIV = f"SAMSEG:{_WRITTEN}"
_SAME_MM3 = 1e-3  # both files print six decimals


def read_samseg(path: Path) -> NamedValues:
    """Read the volumes SAMSEG found in one scan, mm³.

    Parameters
    ----------
    path : Path
        `samseg.stats`; `sbtiv.stats` is read where it lies beside it.

    Returns
    -------
    NamedValues
        Names are as in the file, which has FreeSurfer's. "SAMSEG:Intra-Cranial" (sbTIV) is the sum of
        segmented volumes, not FreeSurfer's eTIV; its column says sbtiv.stats where that file has it.

    Raises
    ------
    DataError
        If a file is damaged or cut off, names a structure twice or a volume that is none, or the two
        disagree; all at once.
    """
    faults: list[Fault] = []
    values = _values(path, faults)
    beside = path.with_name("sbtiv.stats")
    if beside.exists():
        _add_sbtiv(beside, values, faults)
    if faults:
        raise DataError(faults)
    return NamedValues(path, values)


def _values(path: Path, faults: list[Fault]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for line, text in read_whole_lines(path, _EXPECTED).items():
        try:
            name, value = _measure(line, text)
        except IllegalCellError as error:
            todo = f"{error}" or "name samseg.stats itself: samseg.fs.stats and seg.stats are other files"
            faults.append(Fault(repr(text), "# Measure NAME, VOLUME, mm^3", todo, str(path), line))
            continue
        if name in values:
            faults.append(Fault(f"{name} twice", "each structure once", "run SAMSEG again", str(path), line))
        values.setdefault(name, value)
    return values


def _measure(line: int, text: str) -> tuple[str, Value]:
    match = _MEASURE.fullmatch(text)
    if match is None:
        raise IllegalCellError
    name, number, unit = match.groups()
    volume = cell_number(number)
    if volume < 0:
        raise IllegalCellError("no volume is negative")
    return _SBTIV if name == _WRITTEN else name, Value(volume, unit, line)


def _add_sbtiv(path: Path, values: dict[str, Value], faults: list[Fault]) -> None:
    found = _values(path, faults).get(_SBTIV)
    if found is None:
        faults.append(Fault(f"no {_WRITTEN}", f"# Measure {_WRITTEN}", "run SAMSEG again", str(path)))
        return
    there = values.get(_SBTIV)
    if there is None:
        values[_SBTIV] = found._replace(column=path.name)
    elif not math.isclose(there.value, found.value, rel_tol=0, abs_tol=_SAME_MM3):
        found_text = f"{found.value:.6f}, and {there.value:.6f} in samseg.stats"
        faults.append(Fault(found_text, "one number", "keep the file of the last run", str(path), found.line))
