"""Lesions as connected components of a binary mask, and what became of them between two masks.

A mask says which voxels are lesion. Which of them make one lesion, and when it is new or enlarging, are
conventions: connectivity, smallest volume and growth are those of the study file, the rest is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.masks import Mask, check_same_grid
from atrobayes.study import Images

# Voxel sizes are kept as 32-bit numbers: three voxels of 1 mm³ may come to 2.9999997 mm³.
_ROUNDING = 1e-5
_NEIGHBOURS = {6: 1, 18: 2, 26: 3}  # scipy counts the steps along axes that lead to a neighbour


@dataclass(frozen=True, eq=False)
class Lesions:
    """The lesions of one mask, largest first.

    Attributes
    ----------
    labels : int array (i, j, k)
        0 outside, else the number of the lesion, from 1.
    volumes : float array (lesion,)
        mm³.
    centres : float array (lesion, 3)
        Centres of mass, mm.
    """

    labels: NDArray[np.int32]
    volumes: NDArray[np.float64]
    centres: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LesionChange:
    """What became of lesions between a reference mask and a current one.

    Attributes
    ----------
    table : DataFrame
        A row for each lesion, largest first: `state` (new, enlarging, stable, shrinking, resolved),
        `volume_mm3`, `reference_mm3` and `overlap_mm3`, `pieces` and `reference_pieces` (components it
        has in each mask: more than one where lesions merged or fell apart), `x_mm`, `y_mm`, `z_mm`
        (centre of mass in the current mask; of a resolved lesion in the reference).
    """

    table: pd.DataFrame

    @property
    def new(self) -> int:
        """Lesions where the reference has none."""
        return self._count("new")

    @property
    def enlarging(self) -> int:
        """Lesions that grew by as much as the study asks."""
        return self._count("enlarging")

    @property
    def shrinking(self) -> int:
        """Lesions that lost as much."""
        return self._count("shrinking")

    @property
    def resolved(self) -> int:
        """Lesions of the reference that are gone."""
        return self._count("resolved")

    def _count(self, state: str) -> int:
        return int((self.table["state"] == state).sum())


def components(mask: Mask, rules: Images) -> Lesions:
    """Split a mask into lesions: voxels that are connected, if they are large enough together.

    Parameters
    ----------
    mask : Mask
    rules : Images
        `connectivity`: 6 (voxels that share a face), 18 (or an edge) or 26 (or a corner);
        `min_volume_mm3`: lesions of this volume or more are counted.

    Returns
    -------
    Lesions
        The same in whatever order the axes are stored.
    """
    parts = _components(mask, rules.connectivity)
    volumes: NDArray[Any] = np.bincount(parts.component, minlength=parts.number) * mask.voxel_mm3
    centres: NDArray[Any] = _centres(parts.places, parts.component, parts.number, mask.affine)
    order = [place for place in _largest_first(volumes, centres) if _reaches(volumes[place], rules.min_volume_mm3)]
    numbers = np.zeros(parts.number, np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    labels = np.zeros(mask.voxels.shape, np.int32)
    labels[tuple(parts.places)] = numbers[parts.component]
    return Lesions(labels, volumes[order], centres[order])


def compare_masks(current: Mask, reference: Mask, rules: Images) -> LesionChange:
    """Say which lesions are new, enlarging, stable, shrinking or resolved.

    Components of the two masks that share a voxel are one lesion, and so are all that hang together in
    this way: lesions that merged are compared with the sum of what they were, the pieces of one that fell
    apart are added up, and count once. What touches a lesion of the reference without sharing a voxel is new.

    Parameters
    ----------
    current, reference : Mask
        Full masks of all lesions at the later and the earlier visit, on one grid.
    rules : Images
        A lesion is new where it shares no voxel with any component of the reference, however small. It is
        enlarging (shrinking) where it grew (shrank) by at least `enlarging_percent` of its volume in the
        reference and by at least `min_volume_mm3`. Lesions that reach that volume in neither mask are left out.

    Returns
    -------
    LesionChange
        Volumes are numbers of voxels times the current mask's voxel.

    Raises
    ------
    DataError
        If the grids differ.
    """
    check_same_grid(current, reference)
    now, then = (_components(mask, rules.connectivity) for mask in (current, reference))
    family = _families(now, then)
    count = int(family.max(initial=-1)) + 1
    # of each voxel the lesion it belongs to
    now_lesion, then_lesion = family[: now.number][now.component], family[now.number :][then.component]
    sizes, was = np.bincount(now_lesion, minlength=count), np.bincount(then_lesion, minlength=count)
    shared = np.bincount(now_lesion[reference.voxels[tuple(now.places)]], minlength=count)
    now_centres = _centres(now.places, now_lesion, count, current.affine)
    centres = np.where(sizes[:, None] > 0, now_centres, _centres(then.places, then_lesion, count, current.affine))
    table = pd.DataFrame(
        {
            "state": [_state(int(n), int(w), current.voxel_mm3, rules) for n, w in zip(sizes, was, strict=True)],
            "volume_mm3": sizes * current.voxel_mm3,
            "reference_mm3": was * current.voxel_mm3,
            "overlap_mm3": shared * current.voxel_mm3,
            "pieces": np.bincount(family[: now.number], minlength=count),
            "reference_pieces": np.bincount(family[now.number :], minlength=count),
        }
    ).assign(x_mm=centres[:, 0], y_mm=centres[:, 1], z_mm=centres[:, 2])
    largest = np.maximum(sizes, was) * current.voxel_mm3
    ordered = table.iloc[_largest_first(largest, centres)]
    return LesionChange(ordered[ordered["state"] != ""].reset_index(drop=True))


class _Components(NamedTuple):
    """Marked voxels only: a mask of fifty million voxels marks a few thousand."""

    places: NDArray[np.intp]  # (axis, voxel)
    component: NDArray[np.intp]  # (voxel,), from 0
    number: int


def _components(mask: Mask, connectivity: int) -> _Components:
    from scipy import ndimage

    places = np.stack(np.nonzero(mask.voxels.T)[::-1])  # as images are stored, the first axis runs fastest
    if not places.size:
        return _Components(places, np.zeros(0, np.intp), 0)
    low, high = places.min(axis=1), places.max(axis=1)
    box = mask.voxels[tuple(slice(first, last + 1) for first, last in zip(low, high, strict=True))]
    structure = ndimage.generate_binary_structure(3, _NEIGHBOURS[connectivity])
    labels, count = ndimage.label(box, structure)
    return _Components(places, labels[tuple(places - low[:, None])].astype(np.intp) - 1, count)


def _families(now: _Components, then: _Components) -> NDArray[np.intp]:
    """Number of the lesion each component belongs to: those of `now` first, then those of `then`."""
    from scipy import sparse

    nodes = now.number + then.number
    if not nodes:
        return np.zeros(0, np.intp)
    both = _shared(now.places, then.places)
    links = np.unique(np.stack([now.component[both[0]], now.number + then.component[both[1]]]), axis=1)
    graph = sparse.coo_array((np.ones(links.shape[1]), (links[0], links[1])), shape=(nodes, nodes))
    return np.asarray(sparse.csgraph.connected_components(graph, directed=False)[1], np.intp)


def _shared(one: NDArray[np.intp], other: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where in each list of voxels those stand that are in both."""
    shape = tuple(np.concatenate([one, other], axis=1).max(axis=1) + 1)
    flat = [np.ravel_multi_index(tuple(places), shape) for places in (one, other)]
    _, first, second = np.intersect1d(flat[0], flat[1], assume_unique=True, return_indices=True)
    return first, second


def _state(size: int, was: int, voxel_mm3: float, rules: Images) -> str:
    """What became of a lesion, from its voxels in both masks; "" where it is too small to be one."""
    if not _reaches(max(size, was) * voxel_mm3, rules.min_volume_mm3):
        return ""
    if not was:
        return "new"
    if not size:
        return "resolved"
    changed = abs(size - was)
    if 100 * changed >= rules.enlarging_percent * was and _reaches(changed * voxel_mm3, rules.min_volume_mm3):
        return "enlarging" if size > was else "shrinking"
    return "stable"


def _reaches(volume: float, least: float) -> bool:
    return volume >= least * (1 - _ROUNDING)


def _centres(
    places: NDArray[np.intp], label: NDArray[np.intp], count: int, affine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centres of mass (label, 3) in mm; NaN where no voxel has the label."""
    size = np.bincount(label, minlength=count)[:, None]
    sums = np.stack([np.bincount(label, weights=axis, minlength=count) for axis in places], axis=1)
    middle = np.divide(sums, size, out=np.full(sums.shape, np.nan), where=size > 0)
    return middle @ affine[:3, :3].T + affine[:3, 3]


def _largest_first(volumes: NDArray[Any], centres: NDArray[Any]) -> list[int]:
    """Order that does not hang on how the axes are stored."""
    places = [tuple(centre) for centre in np.round(centres, 4).tolist()]
    return sorted(range(len(volumes)), key=lambda place: (-volumes[place], places[place]))
