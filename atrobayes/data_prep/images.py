"""Label images such as `mri/aseg.mgz`: voxels and volumes of each label, and whether a stats file tells the same."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atrobayes.data_prep.image_files import read_mgh
from atrobayes.data_prep.measured import Value
from atrobayes.data_prep.stats_files import StatsFile
from atrobayes.errors import DataError, Fault

# FreeSurfer's own table ends below 15 000, other atlases of its users below a hundred thousand.
_LARGEST_LABEL = 10**6
# Of the voxel's volume: the cross-sectional tables of 0.8 mm scans say 0.511991 for 0.512 mm³.
_SAME_VOXEL = 1e-3


class _Labels(NamedTuple):
    counts: Mapping[int, int]
    voxel_mm3: float


class Disagreement(NamedTuple):
    """A number that a stats file and the segmentation beside it do not share.

    Attributes
    ----------
    name : str
        StructName of the row; `VoxelVolume_mm3` for the size of a voxel.
    label : int
        SegId; -1 for the size of a voxel.
    in_stats, in_image : float
        Voxels; mm³ for the size of a voxel.
    """

    name: str
    label: int
    in_stats: float
    in_image: float

    @property
    def reason(self) -> str:
        """The disagreement in words."""
        unit = "mm^3" if self.label < 0 else "voxels"
        return f"{self.name}: {self.in_stats:.8g} {unit} in the table, {self.in_image:.8g} in the segmentation"


@dataclass(frozen=True)
class LabelImage:
    """A segmentation as a source of volumes: voxels of a label times the volume of a voxel.

    Such volumes are whole voxels. Those of aseg.stats are corrected for partial volume, and its header
    measures (cortex, white matter, whole brain) come from surfaces: an image holds none of these, nor an
    intracranial volume. The two kinds are not to be mixed in one study.

    Attributes
    ----------
    path : Path

    Raises
    ------
    DataError
        On making one, if the file is no sound label image.
    """

    path: Path

    def __post_init__(self) -> None:
        _ = self._labels

    @property
    def names(self) -> Collection[str]:
        """Names that aseg.stats uses, of the thalamus both the older and the newer one."""
        return _numbers().keys()

    @property
    def counts(self) -> Mapping[int, int]:
        """Voxels of each label that occurs."""
        return self._labels.counts

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in mm³."""
        return self._labels.voxel_mm3

    def value(self, name: str) -> Value | None:
        """Volume of a label by its name.

        Returns
        -------
        Value or None
            In mm^3, 0 where no voxel has the label, as aseg.stats has it; line 0, for an image has no
            lines. None for a name that is no label of aseg.mgz.
        """
        label = _numbers().get(name)
        return None if label is None else Value(self.counts.get(label, 0) * self.voxel_mm3, "mm^3", 0)

    @cached_property
    def _labels(self) -> _Labels:
        return _read_labels(self.path)


def label_counts(path: Path) -> Mapping[int, int]:
    """Voxels of each label of a segmentation, the background (0) with them.

    Raises
    ------
    DataError
        If the file is damaged, or its voxels are no labels: whole numbers from 0 on.
    """
    return LabelImage(path).counts


def label_volumes(path: Path, names: Mapping[int, str] | None = None) -> Mapping[str, float]:
    """Volume of each label of a segmentation by name.

    Parameters
    ----------
    path : Path
        Such as mri/aseg.mgz.
    names : mapping of int to str, optional
        Name of each label that is asked for, such as `stats_labels` of the table beside it. Default:
        the labels of aseg.mgz, in the words of FreeSurfer 7.

    Returns
    -------
    mapping of str to float
        mm³, voxels times the volume of a voxel by the file's own header; 0 where no voxel has the label.

    Raises
    ------
    DataError
        As `label_counts`.
    """
    image = LabelImage(path)
    named = standard_labels() if names is None else names
    return MappingProxyType({name: image.counts.get(label, 0) * image.voxel_mm3 for label, name in named.items()})


def standard_labels() -> Mapping[int, str]:
    """Names of the labels of aseg.mgz, in the words of FreeSurfer 7."""
    # of two names of a number the first stands: reversed, it is the last to be set
    return MappingProxyType({label: name for name, label in reversed(list(_numbers().items()))})


def stats_labels(stats: StatsFile) -> Mapping[int, str]:
    """Numbers and names of the labels of a stats file (columns SegId and StructName); empty where it has none."""
    return MappingProxyType(
        {int(label): name for name, row in stats.rows.items() if isinstance(label := row.get("SegId"), float)}
    )


def check_segmentation(stats: StatsFile, aseg: Path) -> tuple[Disagreement, ...]:
    """Compare the voxel counts of a stats file with the segmentation they were counted in.

    NVoxels is a plain count: in FreeSurfer 6.0 it equals that of mri/aseg.mgz in every row. Volume_mm3
    is corrected for partial volume, differs from it, and is not compared. A difference means that the
    segmentation was edited or made anew after the table, or belongs to another scan.

    Parameters
    ----------
    stats : StatsFile
        stats/aseg.stats of a run.
    aseg : Path
        mri/aseg.mgz of the same run.

    Returns
    -------
    tuple of Disagreement
        In the table's order, that of the voxel's size first; empty where all agree, and for a table
        without the columns SegId and NVoxels.

    Raises
    ------
    DataError
        As `label_counts`.
    """
    image = LabelImage(aseg)
    found = list(_voxel_size(stats, image.voxel_mm3))
    for label, name in stats_labels(stats).items():
        told, counted = stats.rows[name].get("NVoxels"), image.counts.get(label, 0)
        if isinstance(told, float) and told != counted:
            found.append(Disagreement(name, label, told, counted))
    return tuple(found)


def _voxel_size(stats: StatsFile, voxel_mm3: float) -> tuple[Disagreement, ...]:
    try:
        told = float(stats.header.get("VoxelVolume_mm3", "nan"))
    except ValueError:
        return ()
    differs = abs(told - voxel_mm3) > _SAME_VOXEL * voxel_mm3
    return (Disagreement("VoxelVolume_mm3", -1, told, voxel_mm3),) if differs else ()


@cache
def _numbers() -> Mapping[str, int]:
    return MappingProxyType(tomllib.loads(files("atrobayes.data_prep").joinpath("labels.toml").read_text("utf-8")))


def _read_labels(path: Path) -> _Labels:
    image = read_mgh(path)
    values = np.asanyarray(image.dataobj)
    _check_labels(path, values)
    counts = np.zeros(int(values.max()) + 1, np.int64)
    # plane by plane, for bincount makes 64-bit numbers of what it is given
    for place in range(values.shape[2]):
        counts += np.bincount(values[:, :, place].astype(np.intp).ravel(), minlength=counts.size)
    found = np.flatnonzero(counts)
    zooms = np.asarray(image.header.get_zooms()[:3], np.float64)
    return _Labels(MappingProxyType({int(label): int(counts[label]) for label in found}), float(zooms.prod()))


def _check_labels(path: Path, values: NDArray[np.generic]) -> None:
    lowest, highest = float(values.min()), float(values.max())
    # NaN is in no range
    if not (lowest >= 0 and highest <= _LARGEST_LABEL):
        _fail(path, f"values from {lowest:.6g} to {highest:.6g}")
    if values.dtype.kind == "f" and (fraction := values[values != np.rint(values)]).size:
        _fail(path, f"{fraction.size:,} voxels with fractions, such as {fraction[0]:.6g}")


def _fail(path: Path, found: str) -> None:
    todo = "name a segmentation such as mri/aseg.mgz, resampled with nearest neighbours if at all"
    raise DataError(Fault(found, "labels: whole numbers from 0 on", todo, str(path)))
