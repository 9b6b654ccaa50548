"""The example's brain volumes: patients' own levels and ageing, lesions' losses, scans' errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.example_anatomy import PARTS, columns, sides
from atrobayes.data_prep.example_groups import PLANS

Array = NDArray[np.float64]

SHARED_SPREAD = 0.05  # between-patient coefficient of variation that all parts share
SIDE_SPREAD = 0.02  # and of one side against the other
TISSUE_ERROR = 0.004  # relative error that a scan gives all its tissue
CROSS_NOISE = 2.5  # cross-sectional runs err by this many times as much
CROSS_ETIV_SD = 0.03
SMALLEST = 0.001  # % of eTIV
FAILED_CORTEX = 0.85  # a failed segmentation misses part of the cortex


@dataclass(frozen=True)
class _Layout:
    """The parts' constants, one entry per column (sides apart)."""

    part: NDArray[np.int64]  # which of PARTS
    level: Array
    ageing: Array
    scan_sd: Array
    contrast: Array
    spread: Array
    loss: Array  # (group, column)
    tissue: NDArray[np.bool_]


def _layout() -> _Layout:
    """Lay the parts out by column: sides share level, loss and contrast, not their own errors."""
    counts = [len(sides(part.name)) for part in PARTS]
    rows = [(part, n) for part, n in zip(PARTS, counts, strict=True) for _ in range(n)]
    return _Layout(
        part=np.repeat(np.arange(len(PARTS)), counts),
        level=np.array([part.level / n for part, n in rows]),
        ageing=np.array([part.ageing / 100 for part, _ in rows]),
        scan_sd=np.array([part.scan_sd / np.sqrt(n) for part, n in rows]),
        contrast=np.array([part.contrast / n for part, n in rows]),
        spread=np.array([part.spread for part, _ in rows]),
        loss=np.array([[part.loss[group] / n for part, n in rows] for group in range(len(PLANS))]),
        tissue=np.array([part.ageing < 0 for part, _ in rows]),
    )


def draw_volumes(
    patients: pd.DataFrame, visits: pd.DataFrame, null: bool, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the volumes of every scan, in the longitudinal and the cross-sectional stream.

    Parameters
    ----------
    patients, visits : DataFrame
        As `draw_clinical` gives them.
    null : bool
        Lesions cost nothing.
    rng : Generator
        Source of everything random.

    Returns
    -------
    long, cross : DataFrame
        One row per visit with a scan (index: that visit's index in `visits`), one column per
        part and side and `etiv`, all in mm³. In `long` eTIV is the same at all visits of a
        patient, and the volume in % of eTIV = level + own ageing by the years since the first visit +
        loss by the lesions found since + error of the scan. `cross` has the same truth, larger
        errors, and an eTIV of each run's own.
    """
    layout = _layout()
    scanned = visits[visits["status"] != "none"]
    row_of = pd.Index(patients["patient"]).get_indexer(scanned["patient"])
    level, yearly = _draw_patients(layout, len(patients), rng)
    etiv = _draw_etiv(patients["sex"].to_numpy() == "F", rng)[row_of]
    lesions = _lesions_so_far(visits).loc[scanned.index].to_numpy()
    years = _years(visits).loc[scanned.index].to_numpy()
    group = patients["group"].map({plan.label: code for code, plan in enumerate(PLANS)}).to_numpy()[row_of]
    loss = np.zeros_like(layout.loss) if null else layout.loss
    expected = level[row_of] + yearly[row_of] * years[:, None] + loss[group] * lesions[:, None]
    long = _in_mm3(expected + _draw_errors(layout, len(scanned), rng), etiv, scanned)
    cross = _in_mm3(expected + CROSS_NOISE * _draw_errors(layout, len(scanned), rng), etiv, scanned)
    cross_etiv = etiv * np.exp(rng.normal(0, CROSS_ETIV_SD, len(scanned)))
    failed = scanned["status"].isin(["quality", "errors"])
    cortex = [name for name in long.columns if name.endswith("Cerebral-Cortex")]
    long.loc[failed, cortex] *= FAILED_CORTEX
    return long.assign(etiv=etiv), cross.assign(etiv=cross_etiv)


def _in_mm3(percent: Array, etiv: Array, scanned: pd.DataFrame) -> pd.DataFrame:
    # the smallest parts must not fall to nothing by error alone
    volumes = np.maximum(percent, SMALLEST) / 100 * etiv[:, None]
    return pd.DataFrame(volumes, index=scanned.index, columns=columns())


def _draw_patients(layout: _Layout, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Each patient's level and change per year, (patient, column) in % of eTIV.

    Both are independent of the lesions. The change varies by half its mean, half of it
    shared by all parts: who loses much, loses much everywhere.
    """
    own = rng.normal(size=(size, len(PARTS)))[:, layout.part] * layout.spread
    side = rng.normal(size=(size, len(layout.level))) * SIDE_SPREAD
    shared = rng.normal(size=(size, 1)) * np.where(layout.tissue, SHARED_SPREAD, 0.0)
    level = layout.level * np.exp(shared + own + side)
    pace = 1 + 0.35 * rng.normal(size=(size, 1)) + 0.35 * rng.normal(size=own.shape)
    return level, level * layout.ageing * pace


def _draw_etiv(women: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    typical = np.where(women, 1.43e6, 1.60e6)
    return typical * np.exp(rng.normal(0, 0.075, len(women)))


def _draw_errors(layout: _Layout, size: int, rng: np.random.Generator) -> Array:
    """Errors of the scans' levels, (scan, column): of all tissue, of its contrast, of each part."""
    tissue = TISSUE_ERROR * rng.normal(size=(size, 1)) * np.where(layout.tissue, layout.level, 0.0)
    contrast = rng.normal(size=(size, 1)) * layout.contrast
    return tissue + contrast + rng.normal(size=(size, len(layout.level))) * layout.scan_sd


def _lesions_so_far(visits: pd.DataFrame) -> pd.Series[float]:
    """Add up the new T2 lesions found at the visits after baseline, up to and including each visit."""
    later = visits["new_t2"].where(visits["visit"] > 0, 0.0)
    return later.groupby(visits["patient"]).cumsum()


def _years(visits: pd.DataFrame) -> pd.Series[float]:
    dates = pd.to_datetime(visits["date"])
    first = dates.groupby(visits["patient"]).transform("min")
    return (dates - first).dt.days / 365.25
