"""The example's anatomy: what a brain is made of, how it ages, what a lesion costs, how scans err.

All volumes are in % of eTIV. The parts are disjoint, and the structures of the analyses are
sums of parts, so what is true of the parts is true of the structures.
"""

from __future__ import annotations

from dataclasses import dataclass

SIDES = ("Left", "Right")


@dataclass(frozen=True)
class Part:
    """One part of the brain, both sides together where it has two.

    Parameters
    ----------
    name : str
        As in the catalogue of structures.
    level : float
        Typical volume, % of eTIV.
    ageing : float
        Typical change per year in percent of the part's own volume.
    scan_sd : float
        SD of a scan's own error of the level, % of eTIV.
    contrast : float
        Further error, % of eTIV per SD of the scan's contrast of grey and white: it moves the
        border, so what the cortex gains the white matter loses.
    loss : tuple of two floats
        Change per new T2 lesion in the first and the second group, % of eTIV.
    spread : float
        Part of the between-patient coefficient of variation that is this part's own.
    paired : bool
        Whether there is one on each side.
    """

    name: str
    level: float
    ageing: float
    scan_sd: float
    contrast: float = 0.0
    loss: tuple[float, float] = (0.0, 0.0)
    spread: float = 0.07
    paired: bool = True


# Losses of the first group follow the published slopes where these are clear of zero; in the
# second group most are nil and a few about a quarter. The cortex has none in either.
PARTS = (
    Part("Cerebral-Cortex", 29.6, -0.35, 0.20, contrast=0.50, spread=0.04),
    Part("Cerebral-White-Matter", 29.8, -0.30, 0.22, contrast=-0.60, loss=(-0.21, -0.05), spread=0.05),
    Part("Cerebellum-Cortex", 7.0, -0.30, 0.08, loss=(-0.041, 0.0)),
    Part("Cerebellum-White-Matter", 1.9, -0.25, 0.045, loss=(-0.010, 0.0)),
    Part("Thalamus", 0.96, -0.70, 0.0165, loss=(-0.0099, -0.0025)),
    Part("Caudate", 0.46, -0.60, 0.0105, loss=(-0.0003, 0.0)),
    Part("Putamen", 0.64, -0.60, 0.0140, loss=(-0.0015, 0.0)),
    Part("Pallidum", 0.26, -0.40, 0.0080, loss=(-0.0003, 0.0)),
    Part("Hippocampus", 0.54, -0.50, 0.0085),
    Part("Amygdala", 0.21, -0.50, 0.0055, loss=(-0.0025, 0.0)),
    Part("Accumbens-area", 0.072, -0.60, 0.0040, spread=0.10),
    Part("VentralDC", 0.54, -0.20, 0.0110, loss=(-0.0002, 0.0)),
    Part("Lateral-Ventricle", 1.50, 3.00, 0.065, loss=(0.0345, 0.008), spread=0.30),
    Part("Inf-Lat-Vent", 0.055, 3.00, 0.0060, spread=0.30),
    Part("choroid-plexus", 0.070, 0.50, 0.0050, spread=0.15),
    Part("vessel", 0.006, 0.00, 0.0010, spread=0.30),
    Part("3rd-Ventricle", 0.075, 3.00, 0.0040, spread=0.25, paired=False),
    Part("4th-Ventricle", 0.120, 1.00, 0.0060, spread=0.25, paired=False),
    Part("CSF", 0.070, 1.00, 0.0050, spread=0.20, paired=False),
    Part("Brain-Stem", 1.42, -0.10, 0.0200, paired=False),
    Part("Optic-Chiasm", 0.014, 0.00, 0.0015, spread=0.15, paired=False),
    Part("WM-hypointensities", 0.220, 4.00, 0.0150, spread=0.45, paired=False),
    Part("CC_Posterior", 0.062, -0.50, 0.0014, spread=0.12, paired=False),
    Part("CC_Mid_Posterior", 0.030, -0.50, 0.0012, spread=0.12, paired=False),
    Part("CC_Central", 0.031, -0.50, 0.0012, spread=0.12, paired=False),
    Part("CC_Mid_Anterior", 0.031, -0.50, 0.0012, spread=0.12, paired=False),
    Part("CC_Anterior", 0.058, -0.50, 0.0014, spread=0.12, paired=False),
)

DEEP_GREY = (
    "Thalamus",
    "Caudate",
    "Putamen",
    "Pallidum",
    "Hippocampus",
    "Amygdala",
    "Accumbens-area",
    "VentralDC",
)
_CEREBELLUM = ("Cerebellum-Cortex", "Cerebellum-White-Matter")
_WHOLE = ("Cerebral-Cortex", "Cerebral-White-Matter", *DEEP_GREY, *_CEREBELLUM)
_GREY = ("Cerebral-Cortex", *DEEP_GREY, "Cerebellum-Cortex")

# FreeSurfer counts WM-hypointensities and the corpus callosum as cerebral white matter: their
# rows in the table are pieces of that part, not parts beside it.
STRUCTURES: dict[str, tuple[str, ...]] = {
    "total_wm": ("Cerebral-White-Matter",),
    "whole_brain": _WHOLE,
    "cerebellum": _CEREBELLUM,
    "cerebellar_cortex": ("Cerebellum-Cortex",),
    "cortex": ("Cerebral-Cortex",),
    "dgm": DEEP_GREY,
    "total_gm": _GREY,
    "thalamus": ("Thalamus",),
    "caudate": ("Caudate",),
    "putamen": ("Putamen",),
    "hippocampus": ("Hippocampus",),
    "amygdala": ("Amygdala",),
    "lateral_ventricle": ("Lateral-Ventricle",),
}
FLUID = ("Lateral-Ventricle", "Inf-Lat-Vent", "choroid-plexus", "3rd-Ventricle", "4th-Ventricle", "CSF")


def columns() -> list[str]:
    """Names of all parts by side ("Left-Thalamus"), in the order volumes are kept in."""
    return [label for part in PARTS for label in sides(part.name)]


def sides(name: str) -> list[str]:
    """One part's columns: left and right, or the one in the middle."""
    part = next(part for part in PARTS if part.name == name)
    return [f"{side}-{name}" for side in SIDES] if part.paired else [name]


def pieces(structure: str) -> list[str]:
    """Columns that add up to a structure of the analyses."""
    return [label for name in STRUCTURES[structure] for label in sides(name)]


def loss_per_lesion(structure: str) -> tuple[float, float]:
    """Sum a structure's true change per new T2 lesion, first and second group, % of eTIV."""
    losses = [part.loss for part in PARTS if part.name in STRUCTURES[structure]]
    return sum(first for first, _ in losses), sum(second for _, second in losses)
