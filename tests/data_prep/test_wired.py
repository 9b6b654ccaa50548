"""Masks, label images and tables of events, from the files to the prepared study."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from atrobayes.data_prep.prepare import prepare
from atrobayes.errors import DataError

from .conftest import Tree, stats_text


def mask(path: Path, *lesions: tuple[slice, slice, slice]) -> None:
    """A mask with a box for each lesion, voxels of 1 mm."""
    data = np.zeros((20, 20, 20), dtype=np.uint8)
    for box in lesions:
        data[box] = 1
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)  # type: ignore[attr-defined,no-untyped-call]


def box(start: int, size: int = 2) -> tuple[slice, slice, slice]:
    return (slice(start, start + size),) * 3


def with_masks(tree: Tree, new_t2: str = "n/a") -> None:
    """Give the first patient full masks: one lesion, then the same and two others."""
    mask(tree.folder / "masks" / "a0.nii.gz", box(1))
    mask(tree.folder / "masks" / "a1.nii.gz", box(1), box(8), box(14))
    first, *rows = tree.visits
    named = {0: "masks/a0.nii.gz", 1: "masks/a1.nii.gz"}
    tree.visits = [f"{first}\tnew_t2\tlesion_mask"]
    tree.visits += [
        f"{row}\t{new_t2 if place == 1 else 'n/a'}\t{named.get(place, 'n/a')}" for place, row in enumerate(rows)
    ]


def test_new_lesions_of_masks_fill_the_visit_that_closes_the_interval(two_visits: Tree) -> None:
    """Lesions would be counted in the year before, or not at all."""
    with_masks(two_visits)
    prepared = prepare(two_visits.study())
    assert [1.0, 2.0] == prepared.cohort["new_t2"].to_numpy()[:2].tolist()
    assert np.isnan(prepared.cohort["new_t2"].to_numpy()[2:]).all()
    assert [2.0] == prepared.intervals["new_t2_to"].dropna().tolist()
    assert [("A01", 0), ("A01", 1)] == list(prepared.lesions[["patient", "visit"]].itertuples(index=False, name=None))
    assert not [note for note in prepared.notes if "no column new_t2" in note]


def test_a_count_in_the_table_goes_before_the_mask_and_the_difference_is_flagged(two_visits: Tree) -> None:
    """A neuroradiologist's count would be replaced by a program's without a word."""
    with_masks(two_visits, new_t2="3")
    prepared = prepare(two_visits.study())
    assert 3.0 == prepared.cohort["new_t2"].to_numpy()[1]
    assert [("mask_count_differs", "A01", 1)] == [
        (flag.rule, flag.patient, flag.visit) for flag in prepared.quality if flag.rule.startswith("mask")
    ]


def test_a_missing_mask_is_told_with_file_line_and_column(two_visits: Tree) -> None:
    """A typing slip in a path would look like a visit without new lesions."""
    with_masks(two_visits)
    (two_visits.folder / "masks" / "a1.nii.gz").unlink()
    with pytest.raises(DataError) as caught:
        prepare(two_visits.study())
    (fault,) = caught.value.faults
    assert ("visits.tsv", 3, "lesion_mask") == (Path(fault.file).name, fault.row, fault.column)


@pytest.mark.parametrize("column", ["lesion_mask", "change_mask"])
def test_a_mask_outside_the_study_is_refused(two_visits: Tree, column: str) -> None:
    """A study file could read any file of the machine."""
    first, row, *rows = two_visits.visits
    two_visits.visits = [f"{first}\t{column}", f"{row}\t../elsewhere.nii", *(f"{one}\tn/a" for one in rows)]
    with pytest.raises(DataError) as caught:
        prepare(two_visits.study())
    assert [(2, column)] == [(fault.row, fault.column) for fault in caught.value.faults]


def test_an_edss_between_visits_confirms_a_rise(two_visits: Tree) -> None:
    """A study that saw its patients every three months would have no confirmed progression."""
    first, *rows = two_visits.visits
    two_visits.visits = [f"{first}\tedss", *(f"{row}\t{2 if row.split()[1] == '0' else 3}" for row in rows)]
    assert ["unconfirmed"] * 2 == prepare(two_visits.study()).intervals["edss_progression"].tolist()
    (two_visits.folder / "edss.tsv").write_text("patient\tyears\tedss\nA01\t1.5\t3\nA02\t1.5\t2.5\n")
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nedss = "edss.tsv"\n'
    prepared = prepare(two_visits.study())
    assert ["yes", "no"] == prepared.intervals["edss_progression"].tolist()
    assert "edss.tsv" in prepared.cohort.attrs["files"]


def test_relapses_of_their_own_dates_fall_into_the_interval_they_belong_to(two_visits: Tree) -> None:
    """A relapse would count in two years or in none."""
    (two_visits.folder / "relapses.tsv").write_text("patient\tyears\nA01\t0.4\nA01\t1\nA01\t1.2\n")
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nrelapses = "relapses.tsv"\n'
    assert [2.0, 0.0] == prepare(two_visits.study()).intervals["relapses"].tolist()


def label_image(path: Path, voxels: dict[int, int]) -> None:
    """A segmentation of so many voxels of each label."""
    data = np.zeros(32**3, dtype=np.int32)
    place = 0
    for label, count in voxels.items():
        data[place : place + count] = label
        place += count
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.MGHImage(data.reshape(32, 32, 32), np.eye(4)), path)  # type: ignore[attr-defined,no-untyped-call]


def counted_stats(voxels: int) -> str:
    """An aseg.stats that says how many voxels the left caudate (label 11) has."""
    header = "# ColHeaders  Index Volume_mm3 StructName  "
    wider = "# ColHeaders  Index Volume_mm3 StructName SegId NVoxels "
    lines = stats_text().replace(header, wider).replace("# NTableCols 3", "# NTableCols 5").splitlines()
    rows = [line if line.startswith("#") else f"{line} {100 + number} 0" for number, line in enumerate(lines)]
    rows = [f"{row.rsplit(' ', 2)[0]} 11 {voxels}" if " Left-Caudate" in row else row for row in rows]
    return "\n".join(rows) + "\n"


def test_an_edited_segmentation_is_flagged_where_the_study_asks(two_visits: Tree) -> None:
    """Numbers of a table would be trusted that were made from another segmentation."""
    for run, voxels in zip(sorted(two_visits.subjects.iterdir()), (500, 501, 500, 500), strict=True):
        (run / "stats" / "aseg.stats").write_text(counted_stats(500))
        label_image(run / "mri" / "aseg.mgz", {11: voxels})
    assert not [flag for flag in prepare(two_visits.study()).quality if flag.rule == "labels_differ"]
    two_visits.settings = '[data]\nsubjects_dir = "fs"\n[quality]\nlabels = true\n'
    (flag,) = [flag for flag in prepare(two_visits.study()).quality if flag.rule == "labels_differ"]
    assert ("A01", 1) == (flag.patient, flag.visit)
    assert "Left-Caudate: 500 voxels in the table, 501 in the segmentation" in flag.reason


def test_volumes_may_come_from_the_label_image(two_visits: Tree) -> None:
    """A group that kept only its segmentations could not be analysed."""
    for run in two_visits.subjects.iterdir():
        label_image(run / "mri" / "aseg.mgz", {11: 3500, 50: 3600})
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nsegmentation = "aseg.mgz"\nstructures = ["caudate"]\n'
    prepared = prepare(two_visits.study())
    assert [7100.0] * 4 == prepared.cohort["volume"].to_numpy()[:, 0].tolist()
    # eTIV is no label: it is that of aseg.stats
    assert [1_500_000.0] * 4 == prepared.cohort["etiv"].to_numpy().tolist()
