"""Label images: the numbers of real segmentations, and every way such a file can be broken."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from atrobayes.data_prep.image_files import read_mgh, read_nifti
from atrobayes.data_prep.images import (
    LabelImage,
    check_segmentation,
    label_counts,
    label_volumes,
    standard_labels,
    stats_labels,
)
from atrobayes.data_prep.stats_files import read_stats
from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.errors import DataError

REAL_RUNS = [
    "hebbianloop-fs-summer-workshop/sub.01.bl.01.long.sub.01.base.03",
    "hebbianloop-fs-summer-workshop/sub.01.dh.02.long.sub.01.base.03",
    "spinoza-spynoza/sub-0020",
]


def labels() -> np.ndarray:
    """Five voxels of Left-Thalamus, two of Left-Caudate and one of a label without a name."""
    values = np.zeros((4, 3, 2), np.int32)
    values[:4, 0, 0] = values[0, 1, 0] = 10
    values[1:3, 2, 1] = 11
    values[3, 2, 1] = 4021
    return values


def mgz(folder: Path, values: np.ndarray, zooms: tuple[float, float, float] = (1, 1, 1)) -> Path:
    path = folder / "aseg.mgz"
    nib.save(nib.MGHImage(values, np.diag([*zooms, 1])), path)
    return path


real_image = cache(LabelImage)  # reading one takes half a second


def refusal(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(path) == caught.value.faults[0].file
    return str(caught.value)


@pytest.mark.parametrize("run", REAL_RUNS)
def test_voxel_counts_of_real_tables_are_those_of_the_segmentation_beside_them(
    real: Callable[[str], Path], run: str
) -> None:
    """Every sound scan would be flagged, or labels be taken for one another."""
    name, folder = run.split("/")
    stats = read_stats(real(name) / folder / "stats" / "aseg.stats")
    aseg = real(name) / folder / "mri" / "aseg.mgz"
    assert () == check_segmentation(stats, aseg)
    counts = real_image(aseg).counts
    rows = {int(row["SegId"]): row["NVoxels"] for row in stats.rows.values()}
    assert 45 == len(rows)
    assert rows == {label: counts.get(label, 0) for label in rows}
    # what the table leaves out: background, cerebral white matter and cortex
    assert {0, 2, 3, 41, 42} == counts.keys() - rows.keys()
    assert 256**3 == sum(counts.values())


@pytest.mark.parametrize("run", REAL_RUNS)
def test_whole_voxel_volumes_come_near_those_corrected_for_partial_volume(
    real: Callable[[str], Path], run: str
) -> None:
    """A label number against the wrong name, or a wrong voxel size, would be off by far more than edges are."""
    name, folder = run.split("/")
    stats = read_stats(real(name) / folder / "stats" / "aseg.stats")
    image = real_image(real(name) / folder / "mri" / "aseg.mgz")
    volumes = {row: image.counts.get(label, 0) * image.voxel_mm3 for label, row in stats_labels(stats).items()}
    large = {row: volume / stats.rows[row]["Volume_mm3"] - 1 for row, volume in volumes.items() if volume > 3000}
    assert 15 < len(large)
    assert 0.08 > max(map(abs, large.values()))
    assert 0.001 < max(map(abs, large.values()))


def test_names_of_labels_are_those_of_a_real_table(real: Callable[[str], Path]) -> None:
    """A number given to the wrong structure would put its volume there in every study."""
    image_names = dict.fromkeys(real_image(real("spinoza-spynoza") / "sub-0020" / "mri" / "aseg.mgz").names)
    older = stats_labels(read_stats(real("spinoza-spynoza") / "sub-0020" / "stats" / "aseg.stats"))
    newer = stats_labels(read_stats(real("fphammerle-freesurfer-stats") / "soichi" / "stats" / "aseg.stats"))
    known = standard_labels()
    assert newer == {label: known[label] for label in newer}
    assert {10, 49} == {label for label in older if older[label] != known[label]}
    assert set(older.values()) | set(newer.values()) <= image_names.keys()


def test_every_label_of_the_catalogue_has_a_number(tmp_path: Path) -> None:
    """A structure would be missing from every study that takes its volumes from images."""
    image = LabelImage(mgz(tmp_path, labels()))
    rows = {
        name for structure in CATALOGUE.values() for name in structure.names if name.startswith(("Left-", "Right-"))
    }
    assert {"Left-Accumbens-area", "Right-Cerebellum-White-Matter", "Left-Lateral-Ventricle"} < rows
    assert rows <= set(image.names)


def test_volumes_are_voxels_times_the_voxel_of_the_header(tmp_path: Path) -> None:
    """A 0.8 mm scan read as 1 mm would have twice its volume."""
    path = mgz(tmp_path, labels(), (0.5, 0.8, 2.0))
    assert {0: 16, 10: 5, 11: 2, 4021: 1} == label_counts(path)
    volumes = label_volumes(path)
    assert (4.0, 1.6, 0.0) == pytest.approx([volumes[f"Left-{name}"] for name in ("Thalamus", "Caudate", "Putamen")])
    assert {"here": pytest.approx(0.8)} == label_volumes(path, {4021: "here"})


def test_a_label_image_speaks_of_volumes_as_a_stats_file_does(tmp_path: Path) -> None:
    """The thalamus would be lost in a study that names it as FreeSurfer 6 does, or an eTIV be invented."""
    image = LabelImage(mgz(tmp_path, labels(), (1, 1, 3)))
    assert (15.0, "mm^3", 0, "") == image.value("Left-Thalamus")
    assert image.value("Left-Thalamus") == image.value("Left-Thalamus-Proper")
    assert (0.0, "mm^3", 0, "") == image.value("Right-Thalamus")
    assert [None, None, None] == [image.value(name) for name in ("eTIV", "CortexVol", "thalamus")]
    assert all(image.value(name) is not None for name in image.names)


def table(folder: Path, voxels: int, voxel_mm3: str) -> Path:
    path = folder / "aseg.stats"
    path.write_text(
        f"# Title\n# VoxelVolume_mm3 {voxel_mm3}\n# NRows 2\n# ColHeaders Index SegId NVoxels Volume_mm3 StructName\n"
        f"1 10 5 14.0 Left-Thalamus-Proper\n2 11 {voxels} 3.0 Left-Caudate\n"
    )
    return path


def test_a_table_made_before_the_segmentation_was_edited_is_told(tmp_path: Path) -> None:
    """Corrections by hand that never reached the table would go unnoticed, and so would another person's image."""
    aseg = mgz(tmp_path, labels(), (1, 1, 3))
    assert () == check_segmentation(read_stats(table(tmp_path, 2, "3")), aseg)
    assert () == check_segmentation(read_stats(table(tmp_path, 2, "2.99999")), aseg)
    (count,) = check_segmentation(read_stats(table(tmp_path, 7, "3")), aseg)
    assert ("Left-Caudate", 11, 7, 2) == count
    assert "Left-Caudate: 7 voxels in the table, 2 in the segmentation" == count.reason
    (size,) = check_segmentation(read_stats(table(tmp_path, 2, "1")), aseg)
    assert "VoxelVolume_mm3: 1 mm^3 in the table, 3 in the segmentation" == size.reason


def test_whole_numbers_kept_as_floats_are_labels_and_fractions_are_not(tmp_path: Path) -> None:
    """A segmentation resampled with interpolation has labels between structures, counted as other ones."""
    assert 5 == label_counts(mgz(tmp_path, labels().astype(np.float32)))[10]
    blurred = labels().astype(np.float32)
    blurred[1, 1, 1] = 10.5
    assert "1 voxels with fractions, such as 10.5" in refusal(label_counts, mgz(tmp_path, blurred))


@pytest.mark.parametrize("value", [np.nan, -3.0, 2e6, np.inf])
def test_values_that_are_no_labels_are_refused(tmp_path: Path, value: float) -> None:
    """NaN, negative and huge values have no place in a table of labels."""
    values = labels().astype(np.float32)
    values[0, 0, 0] = value
    assert "labels: whole numbers from 0 on" in refusal(label_counts, mgz(tmp_path, values))


def test_an_image_of_several_volumes_is_refused(tmp_path: Path) -> None:
    """Volumes of all frames would be added up."""
    assert "dimensions 4 × 3 × 2 × 2" in refusal(label_counts, mgz(tmp_path, np.stack([labels()] * 2, axis=3)))


def header_with(path: Path, place: int, raw: bytes) -> Path:
    """The same file, packed, with some bytes of its header replaced."""
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[place : place + len(raw)] = raw
    path.write_bytes(gzip.compress(bytes(data)))
    return path


def big(*numbers: int) -> bytes:
    return np.array(numbers, ">i4").tobytes()


@pytest.mark.parametrize(
    ("place", "raw", "said"),
    [
        (4, big(40_000, 40_000, 40_000, 1), "at most"),
        (4, big(4, 0, 2, 1), "at least one voxel"),
        (4, big(4, -3, 2, 1), "at least one voxel"),
        (4, big(4, 3, 200, 1), "cut off"),
        (0, big(7), "no header of this format"),
        (20, big(99), "no header of this format"),
        (28, b"\0\0", "without voxel sizes"),
        (30, np.array([0, 1, 1], ">f4").tobytes(), "voxel sizes 0 × 1 × 1 mm"),
        (30, np.array([np.nan, 1, 1], ">f4").tobytes(), "voxel sizes"),
    ],
)
def test_headers_that_cannot_be_are_refused_before_memory_is_asked_for(
    tmp_path: Path, place: int, raw: bytes, said: str
) -> None:
    """A damaged header would fill the memory, or give volumes in units of nothing."""
    assert said in refusal(label_counts, header_with(mgz(tmp_path, labels()), place, raw))


def test_a_header_without_voxel_sizes_is_not_taken_for_one_millimetre(tmp_path: Path) -> None:
    """nibabel would quietly say 1 mm, whatever the scan."""
    path = header_with(mgz(tmp_path, labels(), (2, 2, 2)), 28, b"\0\0")
    assert (1, 1, 1) == nib.load(path).header.get_zooms()
    refusal(label_counts, path)


def flip_a_byte(data: bytes) -> bytes:
    return data[:-6] + bytes([data[-6] ^ 1]) + data[-5:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-30], "damaged packed file"),
        (lambda data: data[:60], "damaged packed file"),
        (flip_a_byte, "damaged packed file"),
        (lambda data: data + b"rubbish", "damaged packed file"),
        (lambda data: gzip.decompress(data)[:-60], "cut off"),
        (lambda _: b"", "0 bytes"),
        (lambda _: b"<html>not found</html>" * 40, "no header of this format"),
        (lambda _: b"\x1f\x8b", "damaged packed file"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, damage: Callable[[bytes], bytes], said: str) -> None:
    """Half a download would be read as an atrophied brain: the last planes are empty or the numbers wrong."""
    path = mgz(tmp_path, labels())
    path.write_bytes(damage(path.read_bytes()))
    assert said in refusal(read_mgh, path)


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """A few kilobytes of zeros could fill the memory of the machine."""
    path = mgz(tmp_path, labels())
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(2**25)))
    assert path.stat().st_size < 100_000
    assert "more than the" in refusal(read_mgh, path)


def test_absent_files_and_folders_are_named(tmp_path: Path) -> None:
    """A traceback of nibabel would say nothing about what to do."""
    assert "no such file" in refusal(read_mgh, tmp_path / "aseg.mgz")
    assert "cannot be read" in refusal(read_mgh, tmp_path)
    assert "no such file" in refusal(read_nifti, tmp_path / "mask.nii.gz")


def test_an_unpacked_volume_is_read_like_a_packed_one(tmp_path: Path) -> None:
    """Some programs write .mgh, or call it .mgz all the same."""
    path = mgz(tmp_path, labels())
    packed = label_counts(path)
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert packed == label_counts(path)
