"""Text of the example's aseg.stats: the format of FreeSurfer 7.4.1, the volumes of the example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atrobayes.data_prep.example_anatomy import SIDES
from atrobayes.data_prep.example_measures import global_volumes, measure_line

VERSION = "7.4.1"
HOME = f"/usr/local/freesurfer/{VERSION}"
SUBJECTS_DIR = "/data/subjects"

# mean, SD, minimum, maximum of the normalised image, by tissue; the same in every run
_FLUID = (28.0, 11.0, 8.0, 78.0)
_CORTEX = (70.0, 11.0, 20.0, 105.0)
_NUCLEUS = (88.0, 8.0, 50.0, 112.0)
_WHITE = (104.0, 9.0, 45.0, 128.0)
_LESION = (78.0, 12.0, 45.0, 102.0)
_NONE = (0.0, 0.0, 0.0, 0.0)
_MIDLINE = {
    14: ("3rd-Ventricle", _FLUID),
    15: ("4th-Ventricle", _FLUID),
    16: ("Brain-Stem", _WHITE),
    24: ("CSF", _FLUID),
    72: ("5th-Ventricle", _NONE),
    77: ("WM-hypointensities", _LESION),
    78: ("Left-WM-hypointensities", _NONE),
    79: ("Right-WM-hypointensities", _NONE),
    80: ("non-WM-hypointensities", _NONE),
    81: ("Left-non-WM-hypointensities", _NONE),
    82: ("Right-non-WM-hypointensities", _NONE),
    85: ("Optic-Chiasm", _CORTEX),
    251: ("CC_Posterior", _WHITE),
    252: ("CC_Mid_Posterior", _WHITE),
    253: ("CC_Central", _WHITE),
    254: ("CC_Mid_Anterior", _WHITE),
    255: ("CC_Anterior", _WHITE),
}
_PAIRS = {
    (4, 43): ("Lateral-Ventricle", _FLUID),
    (5, 44): ("Inf-Lat-Vent", _FLUID),
    (7, 46): ("Cerebellum-White-Matter", _WHITE),
    (8, 47): ("Cerebellum-Cortex", _CORTEX),
    (10, 49): ("Thalamus", _NUCLEUS),
    (11, 50): ("Caudate", _NUCLEUS),
    (12, 51): ("Putamen", _NUCLEUS),
    (13, 52): ("Pallidum", _WHITE),
    (17, 53): ("Hippocampus", _CORTEX),
    (18, 54): ("Amygdala", _CORTEX),
    (26, 58): ("Accumbens-area", _CORTEX),
    (28, 60): ("VentralDC", _NUCLEUS),
    (30, 62): ("vessel", _CORTEX),
    (31, 63): ("choroid-plexus", _FLUID),
}
_SIDED = {
    label: (f"{side}-{name}", intensity)
    for labels, (name, intensity) in _PAIRS.items()
    for label, side in zip(labels, SIDES, strict=True)
}
_LABELS = dict(sorted((_MIDLINE | _SIDED).items()))

_HEADER = """\
# Title Segmentation Statistics 
# 
# generating_program mri_segstats
# cvs_version {version}
# cmdline mri_segstats --seed 1234 --seg mri/aseg.mgz --sum stats/aseg.stats --pv mri/norm.mgz --empty \
--brainmask mri/brainmask.mgz --brain-vol-from-seg --excludeid 0 --excl-ctxgmwm --supratent --subcortgray \
--in mri/norm.mgz --in-intensity-name norm --in-intensity-units MR --etiv --surf-wm-vol --surf-ctx-vol \
--totalgray{euler} --ctab {home}/ASegStatsLUT.txt --subject {subject} 
# sysname  Linux
# hostname localhost
# machine  x86_64
# user     example
# anatomy_type volume
# 
# SUBJECTS_DIR {subjects_dir}
# subjectname {subject}
# BrainVolStatsFixed-NotNeeded because voxelvolume=1mm3
"""  # noqa: W291

_COLUMNS = f"""\
# SegVolFile mri/aseg.mgz 
# SegVolFileTimeStamp  2024/01/15 14:30:00 
# ColorTable {HOME}/ASegStatsLUT.txt 
# ColorTableTimeStamp 2023/06/14 00:00:00 
# InVolFile  mri/norm.mgz 
# InVolFileTimeStamp  2024/01/15 12:00:00 
# InVolFrame 0 
# PVVolFile  mri/norm.mgz 
# PVVolFileTimeStamp  2024/01/15 12:00:00 
# Excluding Cortical Gray and White Matter
# ExcludeSegId 0 2 3 41 42 
# VoxelVolume_mm3 1 
# TableCol  1 ColHeader Index 
# TableCol  1 FieldName Index 
# TableCol  1 Units     NA 
# TableCol  2 ColHeader SegId 
# TableCol  2 FieldName Segmentation Id
# TableCol  2 Units     NA
# TableCol  3 ColHeader NVoxels 
# TableCol  3 FieldName Number of Voxels
# TableCol  3 Units     unitless
# TableCol  4 ColHeader Volume_mm3
# TableCol  4 FieldName Volume
# TableCol  4 Units     mm^3
# TableCol  5 ColHeader StructName
# TableCol  5 FieldName Structure Name
# TableCol  5 Units     NA
# TableCol  6 ColHeader normMean 
# TableCol  6 FieldName Intensity normMean
# TableCol  6 Units     MR
# TableCol  7 ColHeader normStdDev
# TableCol  7 FieldName Intensity normStdDev
# TableCol  7 Units     MR
# TableCol  8 ColHeader normMin
# TableCol  8 FieldName Intensity normMin
# TableCol  8 Units     MR
# TableCol  9 ColHeader normMax
# TableCol  9 FieldName Intensity normMax
# TableCol  9 Units     MR
# TableCol 10 ColHeader normRange
# TableCol 10 FieldName Intensity normRange
# TableCol 10 Units     MR
# NRows 45 
# NTableCols 10 
# ColHeaders  Index SegId NVoxels Volume_mm3 StructName normMean normStdDev normMin normMax normRange  
"""  # noqa: W291


def aseg_text(subject: str, volumes: Mapping[str, float], holes: Sequence[int] | None) -> str:
    """Text of one run's aseg.stats.

    Parameters
    ----------
    subject : str
        Name of the run's folder.
    volumes : mapping
        mm³ by column of `example_anatomy.columns`, and `etiv`.
    holes : two ints or None
        Defects of the left and the right surface; None in a longitudinal run, which does not
        count them.

    Returns
    -------
    str
        The whole file.
    """
    euler = "" if holes is None else " --euler"
    header = _HEADER.format(version=VERSION, home=HOME, euler=euler, subject=subject, subjects_dir=SUBJECTS_DIR)
    return header + _measures(global_volumes(volumes), holes) + _COLUMNS + _table(volumes)


def _measures(totals: Mapping[str, float], holes: Sequence[int] | None) -> str:
    lines = [measure_line(name, value) for name, value in totals.items()]
    ratios = [_ratio(name, totals) for name in ("BrainSegVol", "MaskVol")]
    return "".join(lines[:-1] + ratios + _holes(holes) + lines[-1:])


def _ratio(name: str, totals: Mapping[str, float]) -> str:
    long_name = f"{name}-to-eTIV"
    value = totals[name] / totals["eTIV"]
    return f"# Measure {long_name}, {long_name}, Ratio of {name} to eTIV, {value:.6f}, unitless\n"


def _holes(holes: Sequence[int] | None) -> list[str]:
    if holes is None:
        return []
    text = "Number of defect holes in {0} surfaces prior to fixing"
    rows = [(f"{hemi}SurfaceHoles", text.format(hemi), count) for hemi, count in zip(("lh", "rh"), holes, strict=True)]
    rows.append(("SurfaceHoles", "Total number of defect holes in surfaces prior to fixing", sum(holes)))
    return [f"# Measure {name}, {name}, {description}, {count}, unitless\n" for name, description, count in rows]


def _row(index: int, label: int) -> str:
    """One row with gaps for the voxel count and the volume."""
    name, (mean, sd, low, high) = _LABELS[label]
    intensity = f"{mean:10.4f} {sd:10.4f} {low:10.4f} {high:10.4f} {high - low:10.4f}"
    return f"{index:3d} {label:3d}  %8d %10.1f  {name:<30s} {intensity} \n"


_TABLE = "".join(_row(index, label) for index, label in enumerate(_LABELS, start=1))
_NAMES = [name for name, _ in _LABELS.values()]


def _table(volumes: Mapping[str, float]) -> str:
    # a structure's edge voxels count half in the volume and wholly or not in the number
    values = [volumes.get(name, 0.0) for name in _NAMES]
    return _TABLE % tuple(number for value in values for number in (round(1.004 * value), value))
