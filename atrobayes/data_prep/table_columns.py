"""What the header of a wide table says: which program wrote it, and what each column holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

_NAMES = tomllib.loads(files("atrobayes.data_prep").joinpath("program_names.toml").read_text("utf-8"))
_MEASURES: dict[str, str] = _NAMES["aseg_measures"]
_UNITS: dict[str, str] = _NAMES["units"]
_SYNTHSEG: dict[str, str] = _NAMES["synthseg"]
_UNSIDED = frozenset(_NAMES["segmentations"]["names"]) | frozenset(_MEASURES)
_PREFIXES = tuple(_NAMES["segmentations"]["prefixes"])

_UNITLESS = re.compile(r".*-to-eTIV|.*SurfaceHoles")
_PARC = re.compile(
    r"(([lr]h)\..+?)\.(area|volume|thickness\.T1|thickness|thicknessstd|meancurv|gauscurv|foldind|curvind)"
)
# aparcstats2table leaves these two undecorated: TableWriter.write in FreeSurfer's python/fsbindings/legacy.py
_TOTALS = frozenset({"eTIV", "BrainSegVolNotVent"})
# aseg.stats never has these (recon-all gives mri_segstats --excl-ctxgmwm), SAMSEG always has
_HEMISPHERES = frozenset(
    f"{side}-Cerebral-{tissue}" for side in ("Left", "Right") for tissue in ("Cortex", "White-Matter")
)
_SBTIV = "SAMSEG:Intra-Cranial"


@dataclass(frozen=True)
class Layout:
    """Columns of a table after the first, which names the scan.

    Attributes
    ----------
    kind : "asegstats2table", "aparcstats2table", "qdec", "synthseg" or "samseg"
    names : tuple of str
        Name of each column in the words of FreeSurfer's stats files; "" where it holds no measurement.
    units : tuple of str
        Unit of each column; "" where the table does not tell.
    base, years : int or None
        Place of qdec's columns fsid-base and years in the row.
    """

    kind: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    base: int | None = None
    years: int | None = None


def read_layout(header: Sequence[str]) -> Layout | None:
    """Tell from a header which program wrote a table; None where it is none of those known."""
    first, cells = header[0], tuple(header[1:])
    if first.startswith("Measure:"):
        return _aseg(first.removeprefix("Measure:"), cells)
    if match := _PARC.fullmatch(first):
        return _aparc(match, cells)
    if first.lower() == "fsid":
        return _qdec(cells)
    # mri_synthseg: "subject" in a file of its own making, "" where --i was a list of images
    if first in {"", "subject"} and not _SYNTHSEG.keys().isdisjoint(cells):
        return Layout("synthseg", tuple(map(_synthseg_name, cells)), ("mm^3",) * len(cells))
    return None


def is_structure(name: str) -> bool:
    """Whether a program's table calls a structure so, rather than a scan or a clinical variable."""
    return name in _UNSIDED or name.startswith(_PREFIXES)


def _aseg(measure: str, cells: tuple[str, ...]) -> Layout:
    unit = _UNITS.get(measure, "")
    units = tuple("unitless" if _UNITLESS.fullmatch(cell) else unit for cell in cells)
    if measure == "volume" and _is_samseg(cells):
        names = tuple(_SBTIV if _MEASURES.get(cell) == "eTIV" else cell for cell in cells)
        return Layout("samseg", names, units)
    return Layout("asegstats2table", tuple(_MEASURES.get(cell, cell) for cell in cells), units)


def _is_samseg(cells: Sequence[str]) -> bool:
    """Tell tables of samseg.fs.stats, which calls SAMSEG's own intracranial volume eTIV.

    Samseg.writeResults in python/gems/Samseg.py of FreeSurfer: it is the only header measure there, and
    the hemispheres' cortex and white matter are rows.
    """
    measures = [cell for cell in cells if cell in _MEASURES]
    return measures == ["EstimatedTotalIntraCranialVol"] and not _HEMISPHERES.isdisjoint(cells)


def _aparc(match: re.Match[str], cells: tuple[str, ...]) -> Layout:
    stats, hemisphere, measure = match.groups()
    # --parcid-only leaves the decoration out
    bare = [cell.removeprefix(f"{hemisphere}_").removesuffix(f"_{measure}") for cell in cells]
    names = tuple(name if name in _TOTALS else f"{stats}.stats:{name}" for name in bare)
    units = tuple("mm^3" if name in _TOTALS else _UNITS[measure] for name in bare)
    return Layout("aparcstats2table", names, units)


def _qdec(cells: tuple[str, ...]) -> Layout:
    """Columns of a qdec table; what is no structure may be age as well, so its unit is unknown."""
    lower = [cell.lower() for cell in cells]
    base, years = (lower.index(name) + 1 if name in lower else None for name in ("fsid-base", "years"))
    names = tuple("" if place in {base, years} else _MEASURES.get(cell, cell) for place, cell in enumerate(cells, 1))
    return Layout("qdec", names, tuple(map(_qdec_unit, cells)), base, years)


def _qdec_unit(cell: str) -> str:
    if not is_structure(cell):
        return ""
    if _UNITLESS.fullmatch(cell):
        return "unitless"
    return _UNITS.get(cell.rpartition("_")[2], "mm^3") if cell.startswith(("lh_", "rh_")) else "mm^3"


def _synthseg_name(cell: str) -> str:
    if cell in _SYNTHSEG or cell.startswith("ctx-"):
        return _SYNTHSEG.get(cell, cell)
    return f"SynthSeg:{cell}"
