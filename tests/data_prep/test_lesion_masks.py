"""Lesions in masks: counts worked out by hand, invariances, refusals, and the masks of open-ms-data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atrobayes.data_prep.lesion_masks import compare_masks, components
from atrobayes.data_prep.masks import Mask, check_same_grid, read_mask
from atrobayes.errors import DataError
from atrobayes.study import Images

# 6, 18, 26 neighbours, lesions of 3 mm³ and more, counted by another program than this one (see flood_fill)
LONGITUDINAL = {
    "patient01": (1.5498, 2264, 14, 13, 13),
    "patient02": (2.4204, 416, 11, 11, 11),
    "patient03": (1.5498, 2768, 48, 47, 46),
    "patient04": (2.4204, 516, 25, 25, 25),
    "patient05": (2.4204, 1620, 8, 8, 8),
    "patient06": (2.4204, 1667, 33, 30, 30),
    "patient07": (2.4204, 2726, 71, 70, 70),
    "patient08": (2.4204, 6493, 89, 75, 74),
    "patient09": (1.0832, 8667, 47, 47, 46),
    "patient10": (2.4204, 692, 20, 19, 19),
    "patient11": (2.4204, 3725, 57, 53, 52),
    "patient12": (1.5498, 2614, 50, 46, 46),
    "patient13": (2.4204, 202, 14, 13, 13),
    "patient14": (2.4204, 7830, 37, 37, 35),
}
STEPS = {6: 1, 18: 2, 26: 3}


def rules(connectivity: int = 26, min_volume_mm3: float = 0.0, enlarging_percent: float = 50.0) -> Images:
    return Images(
        connectivity=connectivity,  # type: ignore[arg-type]
        min_volume_mm3=min_volume_mm3,
        enlarging_percent=enlarging_percent,
    )


def mask(voxels: np.ndarray, spacing: Sequence[float] = (1, 1, 1), origin: Sequence[float] = (0, 0, 0)) -> Mask:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Mask(Path("here.nii"), voxels.astype(bool), affine, float(np.prod(spacing)))


def row(*marks: tuple[int, int], length: int = 40) -> np.ndarray:
    """A line of voxels, marked from the first of each pair up to before the second."""
    voxels = np.zeros((length, 1, 1), bool)
    for first, last in marks:
        voxels[first:last] = True
    return voxels


def saved(
    folder: Path, voxels: np.ndarray, spacing: Sequence[float] = (1, 1, 1), name: str = "mask.nii.gz", **header: object
) -> Path:
    image = nib.Nifti1Image(voxels, np.diag([*spacing, 1.0]))
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, folder / name)
    return folder / name


def flood_fill(voxels: np.ndarray, connectivity: int) -> list[int]:
    """Sizes of components, in the plainest way: take a voxel, then its neighbours, then theirs."""
    left = set(map(tuple, np.argwhere(voxels).tolist()))
    steps = [s for s in itertools.product((-1, 0, 1), repeat=3) if 0 < np.abs(s).sum() <= STEPS[connectivity]]
    sizes = []
    while left:
        stack, size = [left.pop()], 0
        while stack:
            i, j, k = stack.pop()
            size += 1
            near = {(i + a, j + b, k + c) for a, b, c in steps} & left
            left -= near
            stack += near
        sizes.append(size)
    return sorted(sizes, reverse=True)


@pytest.mark.parametrize(("connectivity", "count"), [(6, 4), (18, 3), (26, 2)])
def test_faces_edges_and_corners_connect_as_the_study_says(connectivity: int, count: int) -> None:
    """The number of lesions hangs on it, and a paper states it."""
    voxels = np.zeros((6, 6, 6), bool)
    voxels[0, 0, 0] = voxels[1, 1, 0] = True  # an edge
    voxels[2, 2, 1] = True  # a corner further
    voxels[5, 5, 5] = True
    assert count == len(components(mask(voxels), rules(connectivity)).volumes)


def test_volumes_and_centres_are_in_millimetres_of_anisotropic_voxels() -> None:
    """A count of voxels is no volume where slices are 3 mm thick."""
    voxels = np.zeros((8, 8, 4), bool)
    voxels[2:4, 5, 1:3] = True  # four voxels
    voxels[7, 0, 0] = True
    lesions = components(mask(voxels, (0.5, 0.8, 3.0), (-10, 20, 0)), rules())
    assert [4.8, 1.2] == pytest.approx(lesions.volumes.tolist())
    assert [[-8.75, 24.0, 4.5], [-6.5, 20.0, 0.0]] == [pytest.approx(place) for place in lesions.centres.tolist()]
    assert [251, 4, 1] == np.bincount(lesions.labels.ravel()).tolist()


def test_the_smallest_lesion_counted_is_one_of_just_the_volume_stated() -> None:
    """Whether the limit itself counts decides for one-voxel lesions of many scanners."""
    voxels = row((0, 2), (5, 8), (10, 14))
    assert [4, 3] == components(mask(voxels), rules(min_volume_mm3=3)).volumes.tolist()
    assert [4] == components(mask(voxels), rules(min_volume_mm3=3.1)).volumes.tolist()


def test_rounding_of_voxel_sizes_takes_no_lesion_away(tmp_path: Path) -> None:
    """Three voxels of 1 mm³ may come to 2.9999999 mm³, for sizes are kept as 32-bit numbers."""
    spacing = [float(np.float32(0.1)) * 10 * (1 - 1e-7)] * 3
    path = saved(tmp_path, row((0, 3)).astype(np.uint8), spacing)
    assert read_mask(path).voxel_mm3 < 1
    assert 1 == len(components(read_mask(path), rules(min_volume_mm3=3)).volumes)


def test_an_empty_mask_has_no_lesions() -> None:
    """A scan without lesions is the best news there is, and must not stop a study."""
    none = mask(row())
    assert 0 == len(components(none, rules()).volumes)
    assert (0, 0) == states(row(), row())
    assert (1, 0) == states(row((3, 5)), row())
    assert compare_masks(none, mask(row((3, 5))), rules()).resolved == 1


def states(current: np.ndarray, reference: np.ndarray, chosen: Images | None = None) -> tuple[int, int]:
    """New and enlarging."""
    change = compare_masks(mask(current), mask(reference), chosen or rules())
    return change.new, change.enlarging


def test_new_is_what_shares_no_voxel_with_the_reference() -> None:
    """New and enlarging lesions would be mixed up, or old ones be counted again."""
    reference = row((5, 10))
    assert (1, 0) == states(row((5, 10), (20, 23)), reference)
    # touching is not sharing
    assert (1, 0) == states(row((10, 12)), reference)
    assert (0, 0) == states(row((9, 12)), reference)
    # what was there is not new, though it was too small to be counted
    assert (0, 1) == states(row((5, 15)), row((7, 8)), rules(min_volume_mm3=3))
    assert (0, 0) == states(row((20, 22)), reference, rules(min_volume_mm3=3))


def test_enlarging_needs_the_percentage_and_the_smallest_volume() -> None:
    """One voxel more at the rim of a small lesion is 50 percent, and no growth anybody can see."""
    assert (0, 0) == states(row((5, 9)), row((5, 8)), rules(min_volume_mm3=0, enlarging_percent=50))  # 33 %
    assert (0, 1) == states(row((5, 11)), row((5, 9)), rules(min_volume_mm3=0, enlarging_percent=50))  # just 50 %
    assert (0, 0) == states(row((5, 11)), row((5, 9)), rules(min_volume_mm3=3, enlarging_percent=50))  # 2 mm³
    assert (0, 1) == states(row((5, 12)), row((5, 9)), rules(min_volume_mm3=3, enlarging_percent=50))  # 3 mm³, 75 %
    assert (0, 0) == states(row((5, 25)), row((5, 20)), rules(min_volume_mm3=3, enlarging_percent=50))  # 5 mm³, 33 %


def test_lesions_that_merge_are_compared_with_the_sum_of_what_they_were() -> None:
    """Two old lesions that touch by now would count as one that doubled."""
    before = row((5, 10), (11, 16))
    assert (0, 0) == states(row((5, 16)), before)  # 10 to 11
    assert (0, 1) == states(row((5, 20)), before)  # 10 to 15
    change = compare_masks(mask(row((5, 16))), mask(before), rules())
    assert [1, 2] == change.table[["pieces", "reference_pieces"]].iloc[0].tolist()


def test_pieces_of_a_lesion_that_fell_apart_are_added_up_and_count_once() -> None:
    """Each piece would be small beside the old lesion, or a lesion that grew at both ends count twice."""
    before = row((10, 20))
    assert (0, 0) == states(row((10, 14), (16, 20)), before)
    assert (0, 1) == states(row((5, 14), (16, 25)), before)  # 10 to 18, in two pieces
    assert (1, 0) == states(row((10, 14), (16, 20), (30, 32)), before)
    # a chain: the middle piece shares voxels with both old lesions
    assert (0, 1) == states(row((4, 13), (15, 24)), row((10, 16), (20, 22)))  # 8 to 18


def test_what_shrinks_and_what_is_gone_is_told_apart() -> None:
    """A mask drawn more tightly at the second visit shows as shrinking everywhere: worth a look."""
    change = compare_masks(mask(row((5, 9))), mask(row((5, 15), (20, 24), (30, 32))), rules(min_volume_mm3=3))
    assert (0, 0, 1, 1) == (change.new, change.enlarging, change.shrinking, change.resolved)
    assert [(4.0, 10.0, 4.0), (0.0, 4.0, 0.0)] == [
        tuple(numbers) for numbers in change.table[["volume_mm3", "reference_mm3", "overlap_mm3"]].to_numpy().tolist()
    ]
    assert [7 - 0.5, 21.5] == [pytest.approx(place) for place in change.table["x_mm"].tolist()]


BOXES = arrays.arrays(bool, st.tuples(*[st.integers(1, 5)] * 3), elements=st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(voxels=BOXES, connectivity=st.sampled_from([6, 18, 26]))
def test_components_are_those_of_a_flood_fill(voxels: np.ndarray, connectivity: int) -> None:
    """scipy asked for the wrong neighbours would count other lesions than the study says."""
    lesions = components(mask(voxels), rules(connectivity))
    assert flood_fill(voxels, connectivity) == lesions.volumes.tolist()
    assert voxels.tolist() == (lesions.labels > 0).tolist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), axes=st.permutations([0, 1, 2]), flips=st.tuples(*[st.booleans()] * 3))
def test_nothing_hangs_on_how_the_axes_are_stored(
    data: st.DataObject, axes: list[int], flips: tuple[bool, ...]
) -> None:
    """The same head stored left to right or right to left would have other lesions."""
    shape = data.draw(st.tuples(*[st.integers(1, 5)] * 3))
    current, reference = (data.draw(arrays.arrays(bool, shape, elements=st.booleans())) for _ in range(2))
    once = [mask(one, (0.7, 0.9, 3.0), (-20, 4, 7)) for one in (current, reference)]
    again = [stored_otherwise(one, axes, flips) for one in once]
    chosen = rules(18, 2.0, 30)
    plain, turned = (compare_masks(*pair, chosen).table for pair in (once, again))
    numbers = plain.columns.drop("state")
    assert plain["state"].tolist() == turned["state"].tolist()
    assert plain[numbers].to_numpy().ravel().tolist() == pytest.approx(turned[numbers].to_numpy().ravel().tolist())
    one, other = (components(masks[0], chosen) for masks in (once, again))
    assert one.volumes.tolist() == pytest.approx(other.volumes.tolist())
    assert one.centres.ravel().tolist() == pytest.approx(other.centres.ravel().tolist())


def stored_otherwise(one: Mask, axes: list[int], flips: tuple[bool, ...]) -> Mask:
    """The same mask in space with its axes in another order and direction."""
    voxels, affine = one.voxels.transpose(axes), one.affine[:, [*axes, 3]].copy()
    for axis, flipped in enumerate(flips):
        if flipped:
            voxels = np.flip(voxels, axis)
            affine[:, 3] += affine[:, axis] * (voxels.shape[axis] - 1)
            affine[:, axis] *= -1
    return Mask(one.path, voxels, affine, one.voxel_mm3)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_voxel_is_in_one_row_and_looking_back_turns_new_into_resolved(data: st.DataObject) -> None:
    """A voxel counted twice or not at all would make lesions out of nothing, or lose them."""
    shape = data.draw(st.tuples(*[st.integers(1, 5)] * 3))
    current, reference = (mask(data.draw(arrays.arrays(bool, shape, elements=st.booleans()))) for _ in range(2))
    there, back = compare_masks(current, reference, rules()), compare_masks(reference, current, rules())
    sums = there.table[["volume_mm3", "reference_mm3", "overlap_mm3"]].sum().tolist()
    voxels = (current.voxels, reference.voxels, current.voxels & reference.voxels)
    assert [one.sum() for one in voxels] == sums
    assert (there.new, there.resolved) == (back.resolved, back.new)
    assert len(there.table) == len(back.table)


def test_spacing_rounded_in_the_fourth_decimal_is_one_grid_and_a_tenth_of_a_millimetre_is_not() -> None:
    """Masks of one grid written by two programs would be refused, or lesions of shifted scans all be new."""
    voxels = np.zeros((300, 300, 50), bool)
    one = mask(voxels, (0.71875, 0.71875, 3.0))
    check_same_grid(one, mask(voxels, (0.7188, 0.7187, 3.0)))
    for other in (
        mask(voxels, (0.71875, 0.71875, 3.0), (0.1, 0, 0)),
        mask(voxels, (0.72, 0.71875, 3.0)),
        mask(voxels, (-0.71875, 0.71875, 3.0)),
        mask(voxels, (0.71875, 0.71875, 3.0), (np.nan, 0, 0)),
    ):
        with pytest.raises(DataError, match="from where they should be"):
            check_same_grid(one, other)
    with pytest.raises(DataError, match=r"300 × 300 × 50 voxels; expected the grid of here\.nii: 300 × 50 × 300"):
        check_same_grid(one, mask(voxels.transpose(0, 2, 1), (0.71875, 3.0, 0.71875)))
    with pytest.raises(DataError, match="from where they should be"):
        compare_masks(one, mask(voxels, (0.71875, 0.71875, 3.0), (0, 0, 3.0)), rules())


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("level", [1, 255, 100])
def test_a_mask_of_any_number_type_and_level_is_read(tmp_path: Path, dtype: type, level: int) -> None:
    """Programs write masks as 0 and 1, or 0 and 255, as whole numbers or not."""
    if level == 255 and dtype == np.int16:
        level = 1
    read = read_mask(saved(tmp_path, row((2, 5)).astype(dtype) * dtype(level), (2, 1, 1)))
    assert row((2, 5)).tolist() == read.voxels.tolist()
    assert 2.0 == read.voxel_mm3


def test_a_scaled_mask_and_an_unpacked_one_are_read(tmp_path: Path) -> None:
    """The value of a voxel is what the header makes of it."""
    voxels = row((2, 5)).astype(np.uint8)
    path = saved(tmp_path, voxels, name="mask.nii")
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([0.5, 0.0], "<f4").tobytes()
    path.write_bytes(raw)
    assert voxels.astype(bool).tolist() == read_mask(path).voxels.tolist()
    flat = saved(tmp_path, voxels[..., np.newaxis], name="four.nii")
    assert voxels.shape == read_mask(flat).voxels.shape


def levels(*values: float) -> np.ndarray:
    voxels = np.zeros((4, 4, 4), np.float32)
    voxels.ravel()[: len(values)] = values
    return voxels


@pytest.mark.parametrize(
    ("voxels", "said"),
    [
        (levels(1, 2, 3), "the values 1, 2, 3 beside 0"),
        (levels(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "0.1, 0.2, 0.3, 0.4, 0.5 and 2 more"),
        (levels(-1), "the values -1 beside 0"),
        (levels(1, np.nan, np.nan), "2 voxels that are no numbers"),
        (levels(1, np.inf), "1 voxels that are no numbers"),
        (np.ones((3, 3, 3), np.uint8), "no voxel outside"),
        (np.ones((3, 3, 3), np.uint8) + (np.arange(27) % 2).astype(np.uint8).reshape(3, 3, 3), "the values 1, 2;"),
        (np.zeros((3, 3), np.uint8), "dimensions 3 × 3"),
        (np.zeros((3, 3, 3, 2), np.uint8), "dimensions 3 × 3 × 3 × 2"),
        (np.zeros((3, 3, 3), np.complex64), "voxels of type complex64"),
    ],
)
def test_what_is_no_binary_mask_is_refused_with_its_values(tmp_path: Path, voxels: np.ndarray, said: str) -> None:
    """A probability map or numbered lesions would be taken for one mask of everything above 0."""
    path = saved(tmp_path, voxels, name="mask.nii")
    with pytest.raises(DataError) as caught:
        read_mask(path)
    assert said in str(caught.value)
    assert str(path) == caught.value.faults[0].file


@pytest.mark.parametrize(
    ("place", "raw", "said"),
    [
        (0, b"\0\0\0\0", "no header of this format"),
        (344, b"ni1\0", "two files"),
        (123, b"\x03", "voxel sizes in micron"),
        (80, np.array([0], "<f4").tobytes(), "voxel sizes"),
        (80, np.array([2.5], "<f4").tobytes(), "(pixdim) and 1 × 1 × 1 mm (affine)"),
        (42, np.array([32767, 32767, 32767], "<i2").tobytes(), "at most"),
        (42, np.array([-4, 4, 4], "<i2").tobytes(), "dimensions"),
        (42, np.array([4, 4, 400], "<i2").tobytes(), "cut off"),
        (108, np.array([1e30], "<f4").tobytes(), "voxels from byte 1e+30 on"),
        (70, b"\xff\x7f", "damaged header"),
    ],
)
def test_headers_that_cannot_be_are_refused(tmp_path: Path, place: int, raw: bytes, said: str) -> None:
    """Volumes in mm³ are made of what stands there."""
    path = saved(tmp_path, levels(1), name="mask.nii")
    data = bytearray(path.read_bytes())
    data[place : place + len(raw)] = raw
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_mask(path)
    assert said in str(caught.value)


def test_what_is_no_nifti_is_refused(tmp_path: Path) -> None:
    """An error page in place of a mask, or FreeSurfer's format under NIfTI's name."""
    page = tmp_path / "mask.nii.gz"
    page.write_text("<html>" * 200)
    volume = tmp_path / "mask.mgz"
    nib.save(nib.MGHImage(levels(1), np.eye(4)), volume)
    cut = saved(tmp_path, levels(1), name="cut.nii.gz")
    cut.write_bytes(cut.read_bytes()[:-20])
    for path in (page, volume, cut):
        with pytest.raises(DataError, match="NIfTI") as caught:
            read_mask(path)
        assert str(path) == caught.value.faults[0].file


@pytest.mark.parametrize("patient", LONGITUDINAL)
def test_lesions_of_real_change_masks(real: Callable[[str], Path], patient: str) -> None:
    """Masks of 0.6 to 3.3 mm voxels, a different grid for each patient, are what studies have."""
    found = read_mask(real("open-ms-data") / "longitudinal" / "coregistered" / patient / "gt.nii.gz")
    voxel, voxels, *counts = LONGITUDINAL[patient]
    assert voxel == pytest.approx(found.voxel_mm3, abs=5e-5)
    assert voxels == found.voxels.sum()
    for connectivity, count in zip((6, 18, 26), counts, strict=True):
        lesions = components(found, rules(connectivity, 3.0))
        large = [size for size in flood_fill(found.voxels, connectivity) if size * found.voxel_mm3 >= 3]
        assert count == len(large) == len(lesions.volumes)
        assert large == pytest.approx((lesions.volumes / found.voxel_mm3).tolist())


@pytest.mark.parametrize("patient", ["patient01", "patient07", "patient12"])
def test_a_brain_mask_written_by_another_program_is_on_the_grid_of_the_lesions(
    real: Callable[[str], Path], patient: str
) -> None:
    """uint8 and int16 headers with voxel sizes that differ in the seventh digit describe one grid."""
    folder = real("open-ms-data") / "longitudinal" / "coregistered" / patient
    lesions, brain = read_mask(folder / "gt.nii.gz"), read_mask(folder / "brainmask.nii.gz")
    assert not np.array_equal(lesions.affine, brain.affine)
    check_same_grid(lesions, brain)
    # all lesions lie in the brain, whatever grew out of what
    change = compare_masks(lesions, brain, Images())
    assert (0, 1) == (change.new, change.shrinking)
    moved = Mask(brain.path, brain.voxels, brain.affine + np.eye(4)[:, [3, 0, 1, 2]] * [0, 0, 0, 0.1], 1.0)
    with pytest.raises(DataError, match=r"up to 0\.1 mm"):
        check_same_grid(lesions, moved)


def test_real_masks_of_different_patients_are_not_compared(real: Callable[[str], Path]) -> None:
    """A path in the wrong row would make all lesions new."""
    folder = real("open-ms-data") / "longitudinal" / "coregistered"
    masks = [read_mask(folder / patient / "gt.nii.gz") for patient in ("patient01", "patient02")]
    with pytest.raises(DataError, match="325 × 334 × 53"):
        compare_masks(*masks, Images())


def test_a_real_full_mask_is_read(real: Callable[[str], Path]) -> None:
    """Fifty million voxels, few of them lesion: the size of a research scan."""
    found = read_mask(real("open-ms-data") / "cross_sectional" / "coregistered" / "patient03" / "consensus_gt.nii.gz")
    assert (192, 512, 512) == found.voxels.shape
    assert 6203 == found.voxels.sum()
    assert 0.8 * 0.46875**2 == pytest.approx(found.voxel_mm3, rel=1e-5)
    large = [size for size in flood_fill(found.voxels, 26) if size * found.voxel_mm3 >= 3]
    assert 17 == len(large)
    assert large == pytest.approx((components(found, rules(26, 3.0)).volumes / found.voxel_mm3).tolist())
