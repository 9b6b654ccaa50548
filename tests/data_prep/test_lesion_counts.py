"""Counts of new lesions by visit: which mask is compared with which, what is flagged, what is refused."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from atrobayes.data_prep.lesion_counts import LESION_COLUMNS, MaskCounts, mask_counts
from atrobayes.files import write_table
from atrobayes.study import Study

from .conftest import Tree

NONE = float("nan")


@pytest.fixture
def study(tree: Tree) -> Study:
    tree.settings = "[images]\nmin_volume_mm3 = 3\n"
    made = tree.study()
    # lesions by the first plane they lie in; each voxel has 2 mm³
    write(tree.folder / "one.nii", {2: 2})
    write(tree.folder / "two.nii", {2: 2, 10: 2})
    write(tree.folder / "three.nii", {2: 6, 10: 2, 16: 3})
    write(tree.folder / "change.nii", {10: 2, 16: 2, 24: 1, 27: 3})
    write(tree.folder / "elsewhere.nii", {2: 2}, shift=5.0)
    return made


def write(path: Path, lesions: dict[int, int], shift: float = 0.0) -> None:
    voxels = np.zeros((32, 3, 3), np.uint8)
    for first, length in lesions.items():
        voxels[first : first + length, 1, 1] = 1
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[0, 3] = shift
    nib.save(nib.Nifti1Image(voxels, affine), path)


def count(study: Study, *rows: Sequence[object], line: bool = False) -> MaskCounts:
    """Rows: patient, visit, new_t2, lesion_mask, change_mask, lesion_mask_reference."""
    columns = ["patient", "visit", "new_t2", "lesion_mask", "change_mask", "lesion_mask_reference"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return mask_counts(study, frame.set_index(frame.index + 2).rename_axis("line") if line else frame)


def numbers(counts: MaskCounts) -> list[float | None]:
    return [None if math.isnan(value) else value for value in counts.new_t2]


def rules(counts: MaskCounts) -> list[tuple[str, str, int | None]]:
    return [(flag.rule, flag.patient, flag.visit) for flag in counts.flags]


def test_each_full_mask_is_compared_with_the_one_before_and_counts_for_its_own_visit(study: Study) -> None:
    """Lesions found at the end of a year would be set against the year that follows."""
    counts = count(
        study,
        ("A01", 0, NONE, "one.nii", "", NONE),
        ("A01", 1, NONE, "two.nii", "", NONE),
        ("A01", 2, NONE, "three.nii", "", NONE),
        ("A02", 0, NONE, "", "", NONE),
    )
    # at visit 0 all lesions; then one new; then one new and one grown from 4 to 12 mm³
    assert [1, 1, 2, None] == numbers(counts)
    assert () == counts.flags + counts.faults
    told = counts.table[["visit", "visit_reference", "lesions", "new", "enlarging", "new_t2", "volume_mm3"]]
    assert [1, 0, 2, 1, 0, 1, 8.0] == told.iloc[1].tolist()
    assert [2, 1, 3, 1, 1, 2, 22.0] == told.iloc[2].tolist()
    assert [0, 1] == told.iloc[0][["visit", "lesions"]].tolist()
    assert told.iloc[0][["visit_reference", "new", "enlarging"]].isna().all()


def test_lesions_of_a_change_mask_are_counted_as_they_are(study: Study) -> None:
    """A mask of change compared with a full mask would have its enlarged lesions taken for old ones."""
    counts = count(
        study,
        ("A01", 0, NONE, "two.nii", "", NONE),
        ("A01", 1, NONE, "three.nii", "change.nii", NONE),
    )
    # four components, one of them of 2 mm³
    assert [2, 3] == numbers(counts)
    assert ["change", "change.nii", "", 0] == counts.table.iloc[1][
        ["mask", "file", "file_reference", "visit_reference"]
    ].tolist()
    assert counts.table.iloc[1][["new", "enlarging"]].isna().all()
    assert () == counts.flags + counts.faults


def test_the_mask_named_in_the_table_is_the_one_compared_with_and_flagged_if_not_the_previous(study: Study) -> None:
    """Lesions of two years would count as those of the last one, and nobody know."""
    counts = count(
        study,
        ("A01", 0, NONE, "one.nii", "", NONE),
        ("A01", 1, NONE, "two.nii", "", NONE),
        ("A01", 2, NONE, "three.nii", "", 0.0),
        ("A01", 3, NONE, "", "change.nii", 1.0),
    )
    assert [1, 1, 3, 3] == numbers(counts)
    rule = "mask_reference_not_previous"
    assert [(rule, "A01", 2), (rule, "A01", 3)] == rules(counts)
    assert "three.nii is compared with visit 0, the previous visit is 1" in counts.flags[0].reason
    # named, but the previous one
    assert () == count(study, ("A01", 0, NONE, "one.nii", "", ""), ("A01", 1, NONE, "two.nii", "", "0")).flags


def test_a_visit_without_a_mask_is_not_bridged_unseen(study: Study) -> None:
    """Where a mask is lacking, the count of the next visit covers both years: by the contract a flag."""
    counts = count(
        study,
        ("A01", 0, NONE, "one.nii", "", NONE),
        ("A01", 1, NONE, "", "", NONE),
        ("A01", 2, NONE, "two.nii", "", NONE),
        ("A02", 1, NONE, "three.nii", "", NONE),
        ("A03", 0, NONE, "", "", NONE),
        ("A03", 1, NONE, "elsewhere.nii", "", NONE),
    )
    assert [1, None, 1, None, None, None] == numbers(counts)
    assert [
        ("mask_reference_not_previous", "A01", 2),
        ("mask_without_reference", "A02", 1),
        ("mask_without_reference", "A03", 1),
    ] == rules(counts)


def test_a_number_in_the_table_goes_before_and_a_difference_is_flagged(study: Study) -> None:
    """A radiologist's count would be replaced by one of connected components without a word."""
    counts = count(
        study,
        ("A01", 0, 1.0, "one.nii", "", NONE),
        ("A01", 1, 4.0, "two.nii", "", NONE),
        ("A01", 2, NONE, "three.nii", "", NONE),
    )
    assert [1, 1, 2] == numbers(counts)
    assert [("mask_count_differs", "A01", 1)] == rules(counts)
    assert "the table has 4 new T2 lesions, two.nii shows 1" in counts.flags[0].reason
    told = pd.Series([1.0, 4.0, NONE])
    assert [1, 4, 2] == told.fillna(counts.new_t2).tolist()


@pytest.mark.parametrize(
    ("rows", "column", "said"),
    [
        ([("A01", 0, NONE, "gone.nii", "", NONE)], "lesion_mask", "gone.nii, no such file (patient A01, visit 0)"),
        (
            [("A01", 0, NONE, "", "", NONE), ("A01", 1, NONE, "", "gone.nii", NONE)],
            "change_mask",
            "gone.nii, no such file (patient A01, visit 1)",
        ),
        ([("A01", 0, NONE, "", "change.nii", NONE)], "change_mask", "a change mask at the first visit"),
        ([("A01", 0, NONE, "one.nii", "", 0.0)], "lesion_mask_reference", "visit 0 (patient A01, visit 0)"),
        ([("A01", 0, NONE, "", "", 0.0)], "lesion_mask_reference", "visit 0, and no mask"),
        (
            [("A01", 0, NONE, "", "", NONE), ("A01", 1, NONE, "one.nii", "", 0.0)],
            "lesion_mask_reference",
            "visit 0, which has no lesion_mask",
        ),
        (
            [("A01", 0, NONE, "one.nii", "", NONE), ("A02", 1, NONE, "two.nii", "", 0.0)],
            "lesion_mask_reference",
            "visit 0 (patient A02, visit 1)",
        ),
        (
            [("A01", 0, NONE, "one.nii", "", NONE), ("A01", 1, NONE, "./one.nii", "", NONE)],
            "lesion_mask",
            "./one.nii again, named before at patient A01, visit 0",
        ),
    ],
)
def test_what_cannot_be_compared_names_line_and_column(
    study: Study, rows: list[tuple[object, ...]], column: str, said: str
) -> None:
    """Somebody would look through a hundred masks for the one that is meant."""
    (fault,) = count(study, *rows, line=True).faults
    assert (str(study.data.visits), column, len(rows) + 1) == (fault.file, fault.column, fault.row)
    assert said in fault.found


def test_all_faults_are_told_at_once_and_damaged_files_once(study: Study) -> None:
    """Each run would show one more broken file."""
    folder = study.data.visits.parent
    (folder / "page.nii").write_text("<html>" * 99)
    counts = count(
        study,
        ("A01", 0, NONE, "page.nii", "", NONE),
        ("A01", 1, NONE, "two.nii", "", NONE),
        ("A02", 0, NONE, "one.nii", "", NONE),
        ("A02", 1, NONE, "elsewhere.nii", "", NONE),
        ("A02", 2, NONE, "gone.nii", "", 7.0),
    )
    found = [(Path(fault.file).name, fault.column) for fault in counts.faults]
    table = study.data.visits.name
    assert [
        (table, "lesion_mask"),
        ("page.nii", ""),
        ("elsewhere.nii", ""),
        (table, "lesion_mask_reference"),
    ] == found
    assert [None, None, 1, None, None] == numbers(counts)


def test_a_study_without_masks_has_no_counts_and_loses_nothing(study: Study) -> None:
    """Most studies have none of these columns."""
    counts = mask_counts(study, pd.DataFrame({"patient": ["A01"], "visit": [0], "new_t2": [3.0]}))
    assert ([None], (), (), 0) == (numbers(counts), counts.flags, counts.faults, len(counts.table))


def test_ten_thousand_visits_are_gone_through_once(study: Study) -> None:
    """Each patient's visits were looked for among all: seconds for nothing, or minutes in a registry."""
    many = pd.DataFrame({"patient": [f"A{n // 2}" for n in range(10_000)], "visit": [0, 1] * 5000, "new_t2": 3.0})
    begin = time.perf_counter()
    assert mask_counts(study, many).table.empty
    assert time.perf_counter() - begin < 0.2
    referring = many.assign(lesion_mask_reference=[1.0, *[np.nan] * 9999])
    assert 1 == len(mask_counts(study, referring).faults)
    assert time.perf_counter() - begin < 1


def test_the_order_of_rows_does_not_matter(study: Study) -> None:
    """A table sorted by visit, or not at all, is the same record."""
    rows = [
        ("A01", 2, NONE, "three.nii", "", NONE),
        ("A02", 0, NONE, "change.nii", "", NONE),
        ("A01", 0, NONE, "one.nii", "", NONE),
        ("A01", 1, NONE, "two.nii", "", NONE),
    ]
    assert [2, 3, 1, 1] == numbers(count(study, *rows))


def test_the_table_of_lesions_is_written_with_its_columns_explained(study: Study, tmp_path: Path) -> None:
    """A count without the rule it was made by cannot be repeated."""
    counts = count(study, ("A01", 0, NONE, "one.nii", "", NONE), ("A01", 1, NONE, "two.nii", "", NONE))
    write_table(tmp_path / "lesions.tsv", counts.table, LESION_COLUMNS)
    header, *rows = (line.split("\t") for line in (tmp_path / "lesions.tsv").read_text().splitlines())
    first, second = (dict(zip(header, row, strict=True)) for row in rows)
    assert ("26", "3", "50") == tuple(second[key] for key in ("connectivity", "min_volume_mm3", "enlarging_percent"))
    assert ("n/a", "n/a", "1") == tuple(first[key] for key in ("file_reference", "new", "new_t2"))
    assert ("one.nii", "1", "0") == tuple(second[key] for key in ("file_reference", "new", "enlarging"))


def test_rules_of_the_study_file_are_used(tree: Tree, study: Study) -> None:
    """The numbers in the study file would be an ornament."""
    tree.settings = tree.settings.replace("min_volume_mm3 = 3", "min_volume_mm3 = 0\nenlarging_percent = 300")
    rows = [
        ("A01", 0, NONE, "one.nii", "", NONE),
        ("A01", 1, NONE, "three.nii", "", NONE),
        ("A01", 2, NONE, "", "change.nii", NONE),
    ]
    assert [1, 3, 3] == numbers(count(study, *rows))
    assert [1, 2, 4] == numbers(count(tree.study(), *rows))


def test_real_change_masks_give_counts_of_closing_visits(real: Callable[[str], Path], study: Study) -> None:
    """The way from a table to counts would work on small made-up masks only."""
    folder = study.data.visits.parent
    source = real("open-ms-data") / "longitudinal" / "coregistered"
    rows: list[tuple[object, ...]] = []
    for patient in ("patient02", "patient05", "patient13"):
        shutil.copy(source / patient / "gt.nii.gz", folder / f"{patient}.nii.gz")
        rows += [(patient, 0, NONE, "", "", NONE), (patient, 1, NONE, "", f"{patient}.nii.gz", NONE)]
    counts = count(study, *rows)
    assert [None, 11, None, 8, None, 13] == numbers(counts)
    assert () == counts.flags + counts.faults
    assert [1006.9, 3921.1, 488.9] == pytest.approx(counts.table["volume_mm3"].tolist(), abs=0.05)
