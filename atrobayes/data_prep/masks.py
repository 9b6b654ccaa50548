"""Binary masks in space: one file, and whether two of them lie on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from atrobayes.data_prep.image_files import read_nifti, voxel_volume
from atrobayes.errors import DataError, Fault

# mm. Voxel sizes written with four decimals move the far side of a grid of 500 voxels by up to 0.05 mm; real masks of
# one grid, written by different programs, were 0.0001 mm apart. A tenth of a voxel is more than this in any brain scan.
SAME_PLACE_MM = 0.05


@dataclass(frozen=True, eq=False)
class Mask:
    """A binary image in space.

    Attributes
    ----------
    path : Path
    voxels : bool array (i, j, k)
    affine : float array (4, 4)
        From voxel numbers to mm.
    voxel_mm3 : float
        Volume of a voxel.
    """

    path: Path
    voxels: NDArray[np.bool_]
    affine: NDArray[np.float64]
    voxel_mm3: float


def read_mask(path: Path) -> Mask:
    """Read a binary mask.

    Parameters
    ----------
    path : Path
        NIfTI, of any number type: 0 outside, and one other value above it inside (1, 255).

    Returns
    -------
    Mask

    Raises
    ------
    DataError
        If the file is damaged or no NIfTI image of three dimensions, or holds other values than two, such
        as a probability map or numbered lesions, no background, or something that is not a number.
    """
    image = read_nifti(path)
    values = np.asanyarray(image.dataobj)
    values = values.reshape(values.shape[:3])
    affine = cast("NDArray[np.float64]", np.asarray(image.affine, np.float64))
    return Mask(path, _binary(path, values), affine, voxel_volume(image))


def check_same_grid(mask: Mask, other: Mask) -> None:
    """Refuse two masks whose voxels are not at the same places.

    Voxel sizes and positions may differ by rounding: no voxel of one may be further than 0.05 mm from
    the voxel of the same number in the other.

    Raises
    ------
    DataError
        If numbers of voxels differ, or their places do; both files are named.
    """
    todo = "resample both to one registered grid, with nearest neighbours"
    expected = f"the grid of {other.path}"
    if mask.voxels.shape != other.voxels.shape:
        shapes = [" × ".join(map(str, one.voxels.shape)) for one in (mask, other)]
        raise DataError(Fault(f"{shapes[0]} voxels", f"{expected}: {shapes[1]}", todo, str(mask.path)))
    # the difference of two affine maps is greatest at a corner of the grid
    corners = np.indices((2, 2, 2)).reshape(3, -1) * (np.array(mask.voxels.shape)[:, None] - 1)
    difference = mask.affine - other.affine
    apart = np.linalg.norm(difference[:3, :3] @ corners + difference[:3, 3:], axis=0).max()
    if not apart <= SAME_PLACE_MM:
        found = f"voxels up to {apart:.3g} mm from where they should be"
        raise DataError(Fault(found, f"{expected}, to {SAME_PLACE_MM} mm", todo, str(mask.path)))


def _binary(path: Path, values: NDArray[np.generic]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        _fail(path, f"{int((~np.isfinite(values)).sum()):,} voxels that are no numbers")
    inside = values != 0
    levels = np.unique(values[inside])
    if levels.size > 1 or (levels.size and levels[0] < 0):
        shown = ", ".join(f"{float(level):.6g}" for level in levels[:5])
        more = f" and {levels.size - 5:,} more" if levels.size > 5 else ""
        _fail(path, f"the values {shown}{more} beside 0" if not inside.all() else f"the values {shown}{more}")
    if inside.all():
        _fail(path, "no voxel outside")
    return np.asarray(inside, np.bool_)


def _fail(path: Path, found: str) -> NoReturn:
    todo = "threshold a probability map, or take the one label that is meant"
    raise DataError(Fault(found, "a binary mask: 0 outside, one value above 0 inside", todo, str(path)))
