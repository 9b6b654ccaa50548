"""The example's `# Measure` lines: sums of parts, as FreeSurfer defines them.

The brain is counted without its stem; corpus callosum and hypointensities are white matter;
fluid is what lies between "BrainSeg" and "BrainSegNotVent".
"""

from __future__ import annotations

from collections.abc import Mapping

from atrobayes.data_prep.example_anatomy import DEEP_GREY, FLUID, sides

MASK_OVER_BRAIN = 1.4

# short name, long name, description: what stands before the number
MEASURES = {
    "BrainSegVol": "BrainSeg, BrainSegVol, Brain Segmentation Volume",
    "BrainSegVolNotVent": "BrainSegNotVent, BrainSegVolNotVent, Brain Segmentation Volume Without Ventricles",
    "BrainSegVolNotVentSurf": (
        "BrainSegNotVentSurf, BrainSegVolNotVentSurf, Brain Segmentation Volume Without Ventricles from Surf"
    ),
    "VentricleChoroidVol": "VentricleChoroidVol, VentricleChoroidVol, Volume of ventricles and choroid plexus",
    "lhCortexVol": "lhCortex, lhCortexVol, Left hemisphere cortical gray matter volume",
    "rhCortexVol": "rhCortex, rhCortexVol, Right hemisphere cortical gray matter volume",
    "CortexVol": "Cortex, CortexVol, Total cortical gray matter volume",
    "lhCerebralWhiteMatterVol": (
        "lhCerebralWhiteMatter, lhCerebralWhiteMatterVol, Left hemisphere cerebral white matter volume"
    ),
    "rhCerebralWhiteMatterVol": (
        "rhCerebralWhiteMatter, rhCerebralWhiteMatterVol, Right hemisphere cerebral white matter volume"
    ),
    "CerebralWhiteMatterVol": "CerebralWhiteMatter, CerebralWhiteMatterVol, Total cerebral white matter volume",
    "SubCortGrayVol": "SubCortGray, SubCortGrayVol, Subcortical gray matter volume",
    "TotalGrayVol": "TotalGray, TotalGrayVol, Total gray matter volume",
    "SupraTentorialVol": "SupraTentorial, SupraTentorialVol, Supratentorial volume",
    "SupraTentorialVolNotVent": "SupraTentorialNotVent, SupraTentorialVolNotVent, Supratentorial volume",
    "MaskVol": "Mask, MaskVol, Mask Volume",
    "eTIV": "EstimatedTotalIntraCranialVol, eTIV, Estimated Total Intracranial Volume",
}


def measure_line(name: str, value: float) -> str:
    """One `# Measure` line of a volume, six decimals."""
    return f"# Measure {MEASURES[name]}, {value:.6f}, mm^3\n"


def global_volumes(volumes: Mapping[str, float]) -> dict[str, float]:
    """Add the parts up to the measures of the header.

    Parameters
    ----------
    volumes : mapping
        mm³ by column of `example_anatomy.columns`, and `etiv`.

    Returns
    -------
    dict
        mm³ by FreeSurfer's name of the measure.
    """

    def total(*names: str) -> float:
        return sum(volumes[label] for name in names for label in sides(name))

    cerebellum = total("Cerebellum-Cortex", "Cerebellum-White-Matter")
    forebrain = total("Cerebral-Cortex", "Cerebral-White-Matter", *DEEP_GREY)
    fluid = total(*FLUID)
    return {
        "BrainSegVol": forebrain + cerebellum + fluid,
        "BrainSegVolNotVent": forebrain + cerebellum,
        "VentricleChoroidVol": total("Lateral-Ventricle", "Inf-Lat-Vent", "choroid-plexus"),
        "lhCortexVol": volumes["Left-Cerebral-Cortex"],
        "rhCortexVol": volumes["Right-Cerebral-Cortex"],
        "CortexVol": total("Cerebral-Cortex"),
        "lhCerebralWhiteMatterVol": volumes["Left-Cerebral-White-Matter"],
        "rhCerebralWhiteMatterVol": volumes["Right-Cerebral-White-Matter"],
        "CerebralWhiteMatterVol": total("Cerebral-White-Matter"),
        "SubCortGrayVol": total(*DEEP_GREY),
        "TotalGrayVol": total("Cerebral-Cortex", *DEEP_GREY, "Cerebellum-Cortex"),
        "SupraTentorialVol": forebrain + fluid,
        "SupraTentorialVolNotVent": forebrain,
        "MaskVol": MASK_OVER_BRAIN * (forebrain + cerebellum + fluid),
        "eTIV": volumes["etiv"],
    }
