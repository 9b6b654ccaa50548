"""Volumes of hippocampal subfields, nuclei of the amygdala and nuclei of the thalamus, one file of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from atrobayes.data_prep.clinical_columns import IllegalCellError
from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.text_files import NamedValues, cell_number, read_whole_lines
from atrobayes.errors import DataError, Fault

# Read from the sources alone, all of FreeSurfer: HippoSF/segmentHA_T1.sh, segmentHA_T2.sh and
# segmentHA_T1_long.sh (commits 33161eb, 3bbd8ae), HippoSF/src/SegmentSubfieldsT1Longitudinal.m (10b74d8),
# ThalamicNuclei/segmentThalamicNuclei.sh (0fdb4e9), and for segment_subregions of FreeSurfer 7.3 and newer
# python/gems/subregions/{core,hippocampus,process}.py (4e96757, c465552) and thalamus.py (a5696eb).
TRIED_ON_REAL_OUTPUT = False

_EXPECTED = "volumes of subfields or nuclei"

# By family: files in mri/, and the copies that the scripts put into stats/ of a cross-sectional run. What stands
# between says sequence, analysis and version: "-T1.v21", "-T1.long.v21", ".long", ".v13.T1" or nothing. The
# thalamus has no copy: it is split into two files there.
_FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "hippo.lh": (r"lh\.hippoSfVolumes(|[-.].*)\.txt", r"hipposubfields\.lh\..*\.stats"),
        "hippo.rh": (r"rh\.hippoSfVolumes(|[-.].*)\.txt", r"hipposubfields\.rh\..*\.stats"),
        "amygdala.lh": (r"lh\.amygNucVolumes(|[-.].*)\.txt", r"amygdalar-nuclei\.lh\..*\.stats"),
        "amygdala.rh": (r"rh\.amygNucVolumes(|[-.].*)\.txt", r"amygdalar-nuclei\.rh\..*\.stats"),
        "thalamus": (r"ThalamicNuclei(|\..*)\.volumes\.txt", ""),
    }
)
_LONG = re.compile(r".*\.long([-.].*)?")
_ROW = re.compile(r"\s*(\S+)\s+(\S+)\s*")
# the scripts' awk '{print NR" "NR"  0 "$2" "$1}'
_STATS_ROW = re.compile(r"\s*\d+\s+\d+\s+0\s+(\S+)\s+(\S+)\s*")


def subfield_files(folder: Path, family: str, long: bool) -> tuple[Path, ...]:
    """List the files a run has of a family, sorted; with more than one, somebody has to say which counts.

    Parameters
    ----------
    folder : Path
        Of the run.
    family : "hippo.lh", "hippo.rh", "amygdala.lh", "amygdala.rh" or "thalamus"
    long : bool
        Those of the longitudinal segmentation, which fits all time points together, or those of the
        cross-sectional, which may have been run on a longitudinal run's images as well.

    Returns
    -------
    tuple of Path
        In mri/; where there is none, in stats/, whose files the scripts copy from those in mri/.
    """
    own, copied = _FILES[family]
    found = [path for path, between in _matching(folder / "mri", own) if bool(_LONG.fullmatch(between)) == long]
    if not found and not long and copied:
        found = [path for path, _ in _matching(folder / "stats", copied)]
    return tuple(found)


def read_subfields(path: Path) -> NamedValues:
    """Read volumes of subfields or nuclei, mm³.

    Parameters
    ----------
    path : Path
        Such as lh.hippoSfVolumes-T1.v21.txt, rh.amygNucVolumes-T1.long.v22.txt,
        ThalamicNuclei.v13.T1.volumes.txt or hipposubfields.lh.T1.v21.stats.

    Returns
    -------
    NamedValues
        Names as in the file: those of hippocampus and amygdala do not say the side, its name does.

    Raises
    ------
    DataError
        If the file is damaged or cut off, or holds a name twice or a volume that is none; all at once.
    """
    pattern = _STATS_ROW if path.suffix == ".stats" else _ROW
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    for line, text in read_whole_lines(path, _EXPECTED).items():
        if text.startswith("#"):
            continue
        try:
            name, volume = _row(pattern, text)
        except IllegalCellError as error:
            faults.append(Fault(repr(text), "a name and a volume in mm^3", f"{error}", str(path), line))
            continue
        if name in values:
            faults.append(Fault(f"{name} twice", "each name once", "segment this scan again", str(path), line))
        values.setdefault(name, Value(volume, "mm^3", line))
    if not values and not faults:
        faults.append(Fault("no volumes", _EXPECTED, "segment this scan again", str(path)))
    if faults:
        raise DataError(faults)
    return NamedValues(path, values)


def _matching(folder: Path, pattern: str) -> list[tuple[Path, str]]:
    """Files whose names match, each with what its name says between the fixed parts."""
    if not folder.is_dir():
        return []
    matches = [(path, re.fullmatch(pattern, path.name)) for path in sorted(folder.iterdir())]
    return [(path, match[1] if match.re.groups else "") for path, match in matches if match]


def _row(pattern: re.Pattern[str], text: str) -> tuple[str, float]:
    match = pattern.fullmatch(text)
    if match is None:
        raise IllegalCellError("segment this scan again, or name another file")
    # the text files have the name first, the copies in stats/ have it last
    number, name = match.groups() if pattern is _STATS_ROW else match.groups()[::-1]
    volume = cell_number(number)
    if volume < 0:
        raise IllegalCellError("no volume is negative")
    return name, volume
