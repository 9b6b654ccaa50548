"""Text of the example's lh.aparc.stats and rh.aparc.stats: 34 regions that add up to the cortex."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from atrobayes.data_prep.example_aseg import SUBJECTS_DIR, VERSION
from atrobayes.data_prep.example_measures import global_volumes, measure_line

# region: thousandths of a hemisphere's cortical volume, thickness in mm
REGIONS = {
    "bankssts": (11, 2.45),
    "caudalanteriorcingulate": (9, 2.55),
    "caudalmiddlefrontal": (29, 2.55),
    "cuneus": (14, 1.90),
    "entorhinal": (9, 3.30),
    "fusiform": (43, 2.75),
    "inferiorparietal": (58, 2.45),
    "inferiortemporal": (50, 2.80),
    "isthmuscingulate": (11, 2.40),
    "lateraloccipital": (53, 2.20),
    "lateralorbitofrontal": (34, 2.65),
    "lingual": (30, 2.05),
    "medialorbitofrontal": (23, 2.50),
    "middletemporal": (51, 2.90),
    "parahippocampal": (9, 2.70),
    "paracentral": (16, 2.40),
    "parsopercularis": (21, 2.60),
    "parsorbitalis": (11, 2.75),
    "parstriangularis": (18, 2.50),
    "pericalcarine": (10, 1.65),
    "postcentral": (43, 2.10),
    "posteriorcingulate": (14, 2.50),
    "precentral": (59, 2.55),
    "precuneus": (44, 2.40),
    "rostralanteriorcingulate": (11, 2.80),
    "rostralmiddlefrontal": (73, 2.40),
    "superiorfrontal": (100, 2.75),
    "superiorparietal": (58, 2.20),
    "superiortemporal": (54, 2.80),
    "supramarginal": (49, 2.55),
    "frontalpole": (4, 2.75),
    "temporalpole": (11, 3.60),
    "transversetemporal": (5, 2.35),
    "insula": (32, 3.00),
}
_SHARES = np.array([share for share, _ in REGIONS.values()]) / sum(share for share, _ in REGIONS.values())
_THICKNESS = np.array([thickness for _, thickness in REGIONS.values()])
TYPICAL_HEMISPHERE = 220_000.0  # mm³
VERTICES_PER_MM2 = 1.45

_HEADER = """\
# Table of FreeSurfer cortical parcellation anatomical statistics 
# 
# CreationTime 2024/01/15-14:20:00-GMT
# generating_program mris_anatomical_stats
# cvs_version {version}
# mrisurf.c-cvs_version {version}
# cmdline mris_anatomical_stats -th3 -mgz -cortex ../label/{hemi}.cortex.label -f ../stats/{hemi}.aparc.stats \
-b -a ../label/{hemi}.aparc.annot -c ../label/aparc.annot.ctab {subject} {hemi} white 
# sysname  Linux
# hostname localhost
# machine  x86_64
# user     example
# 
# SUBJECTS_DIR {subjects_dir}
# anatomy_type surface
# subjectname {subject}
# hemi {hemi}
# AnnotationFile ../label/{hemi}.aparc.annot
# AnnotationFileTimeStamp 2024/01/15 14:00:00
# Measure Cortex, NumVert, Number of Vertices, {vertices}, unitless
# Measure Cortex, WhiteSurfArea, White Surface Total Area, {area:g}, mm^2
# Measure Cortex, MeanThickness, Mean Thickness, {thickness:.5f}, mm
# BrainVolStatsFixed-NotNeeded because voxelvolume=1mm3
"""  # noqa: W291

_COLUMNS = """\
# NTableCols 10
# TableCol  1 ColHeader StructName
# TableCol  1 FieldName Structure Name
# TableCol  1 Units     NA
# TableCol  2 ColHeader NumVert
# TableCol  2 FieldName Number of Vertices
# TableCol  2 Units     unitless
# TableCol  3 ColHeader SurfArea
# TableCol  3 FieldName Surface Area
# TableCol  3 Units     mm^2
# TableCol  4 ColHeader GrayVol
# TableCol  4 FieldName Gray Matter Volume
# TableCol  4 Units     mm^3
# TableCol  5 ColHeader ThickAvg 
# TableCol  5 FieldName Average Thickness
# TableCol  5 Units     mm
# TableCol  6 ColHeader ThickStd
# TableCol  6 FieldName Thickness StdDev
# TableCol  6 Units     mm 
# TableCol  7 ColHeader MeanCurv
# TableCol  7 FieldName Integrated Rectified Mean Curvature
# TableCol  7 Units     mm^-1
# TableCol  8 ColHeader GausCurv 
# TableCol  8 FieldName Integrated Rectified Gaussian Curvature
# TableCol  8 Units     mm^-2
# TableCol  9 ColHeader  FoldInd
# TableCol  9 FieldName  Folding Index 
# TableCol  9 Units      unitless 
# TableCol 10 ColHeader CurvInd
# TableCol 10 FieldName Intrinsic Curvature Index
# TableCol 10 Units     unitless
# ColHeaders StructName NumVert SurfArea GrayVol ThickAvg ThickStd MeanCurv GausCurv FoldInd CurvInd
"""  # noqa: W291

_MEASURES = (
    "BrainSegVol",
    "BrainSegVolNotVent",
    "BrainSegVolNotVentSurf",
    "CortexVol",
    "SupraTentorialVol",
    "SupraTentorialVolNotVent",
    "eTIV",
)
_TABLE = "".join(f"{name:<40s}%5d  %5d  %5d  %5.3f 0.550     0.120     0.025  %7d %7.1f\n" for name in REGIONS)

Array = NDArray[np.float64]


def draw_shares(rng: np.random.Generator) -> Array:
    """One patient's division of a hemisphere into regions; sums to one."""
    own = _SHARES * np.exp(rng.normal(0, 0.08, len(_SHARES)))
    shares: Array = own / own.sum()
    return shares


def aparc_text(subject: str, hemi: str, volumes: Mapping[str, float], shares: Array) -> str:
    """Text of one run's lh.aparc.stats or rh.aparc.stats.

    Parameters
    ----------
    subject : str
        Name of the run's folder.
    hemi : {"lh", "rh"}
        Hemisphere.
    volumes : mapping
        mm³ by column of `example_anatomy.columns`, and `etiv`.
    shares : (34,) array
        The patient's division of the hemisphere, as `draw_shares` gives it.

    Returns
    -------
    str
        The whole file.
    """
    totals = global_volumes(volumes)
    totals["BrainSegVolNotVentSurf"] = totals["BrainSegVolNotVent"]  # the same number since version 7
    grey = totals[f"{hemi}CortexVol"] * shares
    # a larger cortex is half thicker, half wider
    thickness = _THICKNESS * np.sqrt(grey.sum() / TYPICAL_HEMISPHERE)
    area = grey / thickness
    vertices = np.rint(VERTICES_PER_MM2 * area)
    header = _HEADER.format(
        version=VERSION,
        hemi=hemi,
        subject=subject,
        subjects_dir=SUBJECTS_DIR,
        vertices=int(vertices.sum()),
        area=area.sum(),
        thickness=np.average(thickness, weights=area),
    )
    rows = np.column_stack([vertices, np.rint(area), np.rint(grey), thickness, np.rint(area / 90), area / 600])
    return (
        header
        + "".join(measure_line(name, totals[name]) for name in _MEASURES)
        + _COLUMNS
        + _TABLE % tuple(rows.ravel())
    )
