"""Studies whose volumes come from elsewhere than aseg.stats, or from several places."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from atrobayes.data_prep.prepare import Prepared, prepare, write_prepared
from atrobayes.errors import DataError

from .conftest import MEASURES, ROWS, Tree, stats_text

SURFACE = """# Title Cortical Parcellation Statistics
# hemi lh
# TableCol  1 ColHeader StructName
# TableCol  1 Units     NA
# TableCol  2 ColHeader GrayVol
# TableCol  2 Units     mm^3
# NTableCols 2
# ColHeaders StructName GrayVol
insula {insula}
cuneus 2500
"""


def volumes(prepared: Prepared, structure: str) -> list[float]:
    found: list[float] = prepared.cohort["volume"].sel(structure=structure).to_numpy().tolist()
    return found


def reasons(prepared: Prepared, rule: str) -> list[str]:
    return [item.reason for item in prepared.exclusions if item.rule == rule]


def wide(path: Path, rows: dict[str, dict[str, float]], first: str = "Measure:volume", separator: str = "\t") -> None:
    """A table as asegstats2table writes it."""
    columns = list(next(iter(rows.values())))
    lines = [separator.join([first, *columns])]
    lines += [separator.join([name, *(f"{row[column]:.1f}" for column in columns)]) for name, row in rows.items()]
    path.write_text("\n".join(lines) + "\n")


def table_row(thalamus: float) -> dict[str, float]:
    named = {"EstimatedTotalIntraCranialVol" if name == "eTIV" else name: value for name, value in MEASURES.items()}
    return {**ROWS, **named, "Left-Thalamus": thalamus}


def test_a_parcellation_beside_the_segmentation_is_one_more_structure(two_visits: Tree) -> None:
    """The cortex's own regions could not be studied, or would be read from the wrong side."""
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\nstructures = ["thalamus", "insula"]\n[structures]\n'
        'insula = { sum = ["lh.aparc.stats:insula", "rh.aparc.stats:insula"], label = "Insula" }\n'
    )
    for place, run in enumerate(sorted(two_visits.subjects.iterdir())):
        (run / "stats" / "lh.aparc.stats").write_text(SURFACE.format(insula=6000 + place))
        (run / "stats" / "rh.aparc.stats").write_text(SURFACE.format(insula=7000))
    prepared = prepare(two_visits.study())
    assert [13_000.0, 13_001.0, 13_002.0, 13_003.0] == volumes(prepared, "insula")
    row = prepared.volumes[prepared.volumes["structure"] == "insula"].iloc[1]
    assert "A01_v1.long.A01_base/stats/lh.aparc.stats, A01_v1.long.A01_base/stats/rh.aparc.stats" == row["file"]
    assert ("9+9", "lh.aparc.stats:insula+rh.aparc.stats:insula") == (row["lines"], row["source"])
    assert (6001.0, 7000.0) == (row["left"], row["right"])


def test_a_scan_without_the_further_file_misses_that_structure_alone(two_visits: Tree) -> None:
    """One missing parcellation would cost the whole scan."""
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\nstructures = ["thalamus", "insula"]\n'
        '[structures]\ninsula = { sum = ["lh.aparc.stats:insula"] }\n'
    )
    for run in sorted(two_visits.subjects.iterdir())[1:]:
        (run / "stats" / "lh.aparc.stats").write_text(SURFACE.format(insula=6000))
    prepared = prepare(two_visits.study())
    assert [True, False, False, False] == [math.isnan(volume) for volume in volumes(prepared, "insula")]
    assert ["no lh.aparc.stats:insula"] == reasons(prepared, "source_missing")
    assert not any(map(math.isnan, volumes(prepared, "thalamus")))


@pytest.mark.parametrize("separator", ["\t", ",", " "])
def test_a_table_of_asegstats2table_serves_like_the_folders_it_was_made_from(tree: Tree, separator: str) -> None:
    """A group that shares tables instead of folders would get other numbers."""
    names = [f"{patient}_v{visit}" for patient in ("A01", "A02") for visit in (0, 1)]
    tree.visits += [f"{name[:3]}\t{name[-1]}\t{name[-1]}\t{name}" for name in names]
    rows = {f"{name}.long.{name[:3]}_base": table_row(7000.0 - 50 * place) for place, name in enumerate(names)}
    wide(tree.folder / "aseg.table", rows, separator=separator)
    tree.settings = '[data]\ntables = ["aseg.table"]\n'
    prepared = prepare(tree.study())
    assert [14_000.0, 13_950.0, 13_900.0, 13_850.0] == volumes(prepared, "thalamus")
    assert [MEASURES["eTIV"]] * 4 == prepared.cohort["etiv"].to_numpy().tolist()
    assert {"aseg.table"} == set(prepared.volumes["file"])
    assert ["2+2", "3+3", "4+4", "5+5"] == prepared.volumes.loc[
        prepared.volumes["structure"] == "thalamus", "lines"
    ].tolist()
    assert ["A01_base", "A01_base", "A02_base", "A02_base"] == prepared.cohort["template"].to_numpy().tolist()


def test_some_scans_in_folders_and_others_in_a_table(two_visits: Tree) -> None:
    """A study that moved half its runs to an archive could not be analysed."""
    two_visits.visits += ["A01\t2\t2\tA01_v2", "A02\t2\t2\tA02_v2"]
    wide(two_visits.folder / "aseg.tsv", {f"{who}_v2.long.{who}_base": table_row(6800.0) for who in ("A01", "A02")})
    two_visits.settings = '[data]\nsubjects_dir = "fs"\ntables = ["aseg.tsv"]\n'
    prepared = prepare(two_visits.study())
    assert [14_000.0, 13_930.0, 13_800.0] * 2 == volumes(prepared, "thalamus")
    assert ["usable"] * 6 == prepared.cohort["scan_status"].to_numpy().tolist()


def test_a_table_that_contradicts_the_folder_makes_the_volume_missing_and_says_so(two_visits: Tree) -> None:
    """The older of two processings would be analysed without a word."""
    wide(two_visits.folder / "aseg.tsv", {"A01_v0.long.A01_base": table_row(6000.0)})
    two_visits.settings = '[data]\nsubjects_dir = "fs"\ntables = ["aseg.tsv"]\n'
    prepared = prepare(two_visits.study())
    (told,) = reasons(prepared, "source_missing")
    assert "Left-Thalamus is 7000 in aseg.stats" in told
    assert "6000 in aseg.tsv, line 2: two sources that disagree" in told


def test_cross_sectional_rows_of_a_table_do_not_pass_for_longitudinal_ones(tree: Tree) -> None:
    """Volumes without a common template would be compared as if they had one."""
    tree.visits.append("A01\t0\t0\tA01_v0")
    wide(tree.folder / "aseg.tsv", {"A01_v0": table_row(7000.0)})
    tree.settings = '[data]\ntables = ["aseg.tsv"]\n'
    with pytest.raises(DataError) as caught:
        prepare(tree.study())
    assert "no long run of A01_v0 in the table aseg.tsv, only A01_v0 (cross)" in str(caught.value)


def test_what_volumes_tsv_says_is_read_again_as_the_same_volumes(two_visits: Tree, tmp_path: Path) -> None:
    """Results could not be handed on without the folders they came from."""
    first = prepare(two_visits.study())
    write_prepared(first, tmp_path / "made")
    (two_visits.folder / "volumes.tsv").write_bytes((tmp_path / "made" / "volumes.tsv").read_bytes())
    two_visits.settings = '[data]\nvolumes = "volumes.tsv"\n'
    two_visits.visits = ["patient\tvisit\tyears", *(line.rpartition("\t")[0] for line in two_visits.visits[1:])]
    again = prepare(two_visits.study())
    assert first.cohort["volume"].to_numpy().tolist() == again.cohort["volume"].to_numpy().tolist()
    assert first.cohort["etiv"].to_numpy().tolist() == again.cohort["etiv"].to_numpy().tolist()
    assert first.intervals.equals(again.intervals)


def test_a_pattern_reads_patients_and_visits_from_the_names(two_visits: Tree) -> None:
    """150 folder names would have to be typed."""
    two_visits.visits = ["patient\tvisit\tyears", "A01\t0\t0", "A01\t1\t1", "A02\t0\t0", "A02\t1\t1"]
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nvisit_pattern = "(?P<patient>A\\\\d+)_v(?P<visit>\\\\d)"\n'
    assert ["usable"] * 4 == prepare(two_visits.study()).cohort["scan_status"].to_numpy().tolist()


def test_a_structure_redefined_by_the_study_is_the_studys_own(two_visits: Tree) -> None:
    """DGM without the hippocampus, the usual wish, would still hold it."""
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\nstructures = ["dgm"]\n[structures.dgm]\nredefine = true\n'
        'sum = ["thalamus", "caudate", "putamen", "pallidum"]\n'
    )
    prepared = prepare(two_visits.study())
    first = sum(2 * ROWS[f"Left-{name}"] for name in ("Thalamus", "Caudate", "Putamen", "Pallidum"))
    assert first == volumes(prepared, "dgm")[0]
    assert ["Left-Thalamus|Left-Thalamus-Proper + Right-Thalamus|Right-Thalamus-Proper + Left-Caudate"] == [
        text.split(" + Right-Caudate")[0] for text in prepared.cohort["source"].to_numpy().tolist()
    ]


def test_the_segmentation_the_study_names_is_the_one_read(tree: Tree) -> None:
    """FastSurfer's two segmentations differ by percents; one would be taken by chance."""
    tree.visits.append("A01\t0\t0\tv0")
    run = tree.scan("v0.long.b")
    (run / "stats" / "aseg+DKT.stats").write_text(stats_text({"Left-Thalamus": 6900.0}, left_out=list(MEASURES)))
    with pytest.raises(DataError, match=r'segmentation = "aseg.stats" or segmentation = "aseg\+DKT.stats"'):
        prepare(tree.study())
    for name, expected in (("aseg.stats", 14_000.0), ("aseg+DKT.stats", 13_900.0)):
        tree.settings = f'[data]\nsubjects_dir = "fs"\nstructures = ["thalamus"]\nsegmentation = "{name}"\n'
        prepared = prepare(tree.study())
        assert [expected] == volumes(prepared, "thalamus")
        assert [MEASURES["eTIV"]] == prepared.cohort["etiv"].to_numpy().tolist()


def test_a_real_table_of_freesurfer_51_gives_the_numbers_in_the_file(real: Callable[[str], Path], tree: Tree) -> None:
    """Other people's tables would be misread by a column."""
    (path,) = [found for found in real("abide-fs51-table").rglob("*") if found.is_file()]
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    name = rows[0]["Measure:volume"]
    tree.visits.append(f"A01\t0\t0\t{name}")
    tree.settings = f'[data]\ntables = ["{path}"]\nstream = "cross"\nstructures = ["thalamus", "total_wm", "caudate"]\n'
    prepared = prepare(tree.study())
    thalamus = float(rows[0]["Left-Thalamus-Proper"]) + float(rows[0]["Right-Thalamus-Proper"])
    assert [thalamus] == volumes(prepared, "thalamus")
    assert [float(rows[0]["CorticalWhiteMatterVol"])] == volumes(prepared, "total_wm")
    assert ["no measure eTIV or ICV: no change in % of eTIV"] == reasons(prepared, "etiv_missing")
    assert len(rows) - 1 == len(reasons(prepared, "scan_without_visit"))


def test_cells_of_a_table_that_are_no_numbers_are_faults_all_at_once(tree: Tree) -> None:
    """A slip in one cell would pass for a missing volume, or end in a trace."""
    tree.visits += ["A01\t0\t0\tA01_v0", "A02\t0\t0\tA02_v0"]
    wide(tree.folder / "aseg.tsv", {f"{who}_v0.long.b": table_row(7000.0) for who in ("A01", "A02")})
    text = (tree.folder / "aseg.tsv").read_text().replace("7000.0", "7000.o")
    (tree.folder / "aseg.tsv").write_text(text)
    tree.settings = '[data]\ntables = ["aseg.tsv"]\nstructures = ["thalamus", "cortex"]\n'
    with pytest.raises(DataError) as caught:
        prepare(tree.study())
    assert {(2, "Left-Thalamus"), (3, "Left-Thalamus")} <= {(fault.row, fault.column) for fault in caught.value.faults}


def test_a_family_with_two_files_asks_which(two_visits: Tree) -> None:
    """Subfields of two atlases differ by tens of percents; one would be taken by chance."""
    (run, *_) = sorted(two_visits.subjects.iterdir())
    (run / "mri").mkdir()
    for atlas in ("v21", "v22"):
        (run / "mri" / f"lh.hippoSfVolumes-T1.long.{atlas}.txt").write_text("Whole_hippocampus 3500.5\n")
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\nstructures = ["hippo"]\n'
        '[structures]\nhippo = { sum = ["hippo.lh:Whole_hippocampus"] }\n'
    )
    with pytest.raises(DataError, match=r"lh\.hippoSfVolumes-T1\.long\.v21\.txt and lh\.hippoSfVolumes"):
        prepare(two_visits.study())
    (run / "mri" / "lh.hippoSfVolumes-T1.long.v22.txt").unlink()
    assert 3500.5 == volumes(prepare(two_visits.study()), "hippo")[0]


def test_a_run_named_by_an_identifier_is_refused_without_saying_it(two_visits: Tree) -> None:
    """National numbers would stand in the ledger and in volumes.tsv."""
    digits = "9001010000"
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    number = f"{digits}{-sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True)) % 10}"
    two_visits.scan(f"{number}_v0.long.base")
    with pytest.raises(DataError) as caught:
        prepare(two_visits.study())
    assert "PESEL checksum in the name of run 1" in str(caught.value)
    assert number not in str(caught.value)


def test_a_scan_at_two_visits_is_an_error(two_visits: Tree) -> None:
    """Between the two nothing would have changed: the cohort's mean change would move towards zero."""
    two_visits.visits[2] = "A01\t1\t1\tA01_v0.long.A01_base"
    with pytest.raises(DataError, match=r"A01_v0\.long\.A01_base at visit 0 of A01 and visit 1 of A01"):
        prepare(two_visits.study())


def test_volumes_in_millilitres_are_refused(two_visits: Tree) -> None:
    """Changes in % of eTIV would come out a thousand times too small."""
    for run in two_visits.subjects.iterdir():
        (run / "stats" / "aseg.stats").write_text(stats_text({name: volume / 1000 for name, volume in ROWS.items()}))
    with pytest.raises(DataError) as caught:
        prepare(two_visits.study())
    assert "median thalamus of 14 mm^3 over 4 scans" in str(caught.value)
    assert "looks like millilitres" in str(caught.value)


def test_dgm_of_freesurfer_51_is_refused_by_its_size(two_visits: Tree) -> None:
    """What FreeSurfer 5.1 called subcortical grey matter holds cerebellar cortex and brain stem."""
    for run in two_visits.subjects.iterdir():
        (run / "stats" / "aseg.stats").write_text(stats_text({"SubCortGrayVol": 212_039.0}))
    with pytest.raises(DataError, match=r"FreeSurfer 5\.1 also holds the cerebellar cortex"):
        prepare(two_visits.study())


def test_an_own_structure_that_no_scan_has_in_mm3_is_an_error(two_visits: Tree) -> None:
    """A thickness asked for by mistake would be a structure without a number, and no word why."""
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\n[structures]\nown = { sum = ["lh.aparc.stats:MeanThickness"] }\n'
    )
    measure = "# Measure Cortex, MeanThickness, Mean Thickness, 2.45, mm\n# TableCol"
    for run in two_visits.subjects.iterdir():
        text = SURFACE.format(insula=6000).replace("# TableCol", measure, 1)
        (run / "stats" / "lh.aparc.stats").write_text(text)
    with pytest.raises(DataError, match=r"structures\.own: found lh\.aparc\.stats:MeanThickness is in mm, not mm\^3"):
        prepare(two_visits.study())


def test_a_study_of_which_nothing_is_read_says_the_likeliest_reason(two_visits: Tree) -> None:
    """A report of no scans would be written, and the reason stand in a ledger nobody opens."""
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nsegmentation = "aseg.stat"\n'
    with pytest.raises(DataError, match=r"there is no aseg\.stat.*, and 3 more.*compare data\.segmentation"):
        prepare(two_visits.study())
    two_visits.settings = '[data]\nsubjects_dir = "fs"\n'
    two_visits.visits = [line.rpartition("\t")[0] for line in two_visits.visits]
    with pytest.raises(DataError, match=r"fill in fsid in the table of visits"):
        prepare(two_visits.study())


def test_names_of_a_tidy_table_that_nothing_reads_are_told(tree: Tree) -> None:
    """A capital letter would cost a structure."""
    tree.visits.append("A01\t0\t0\tn/a")
    rows = [
        "patient\tvisit\tstructure\tvolume\tetiv",
        "A01\t0\tcaudate\t7000\t1500000",
        "A01\t0\tThalamus\t14000\t1500000",
    ]
    (tree.folder / "v.tsv").write_text("\n".join(rows) + "\n")
    tree.settings = '[data]\nvolumes = "v.tsv"\nstructures = ["caudate", "thalamus"]\n'
    notes = prepare(tree.study()).notes
    assert "the table v.tsv: nothing is read from Thalamus" in notes
    assert any(note.startswith("thalamus: missing in 1 of 1 scans") for note in notes)


def test_tables_of_one_name_from_two_folders_stay_apart(tree: Tree) -> None:
    """Of two tables one hash would be kept, and volumes.tsv point to the wrong one."""
    for visit in (0, 1):
        tree.visits.append(f"A01\t{visit}\t{visit}\tA01_v{visit}")
        (tree.folder / str(visit)).mkdir()
        wide(tree.folder / str(visit) / "aseg.tsv", {f"A01_v{visit}.long.b": table_row(7000.0 + visit)})
    tree.settings = '[data]\ntables = ["0/aseg.tsv", "1/aseg.tsv"]\n'
    prepared = prepare(tree.study())
    assert {"0/aseg.tsv", "1/aseg.tsv"} == set(prepared.volumes["file"])
    assert {"0/aseg.tsv", "1/aseg.tsv"} <= set(json.loads(prepared.cohort.attrs["files"]))


def test_the_place_of_the_etiv_is_kept_beside_the_volume(two_visits: Tree) -> None:
    """Half of a change in % of eTIV could not be traced."""
    row = prepare(two_visits.study()).volumes.iloc[0]
    path = two_visits.subjects / str(row["etiv_file"])
    assert "eTIV" in path.read_text().splitlines()[int(row["etiv_line"]) - 1]


def test_a_named_scan_that_is_not_there_is_not_replaced_by_a_table(two_visits: Tree) -> None:
    """A typing slip in fsid would mix numbers of two processings."""
    two_visits.visits[2] = "A01\t1\t1\tA01_vl"
    (two_visits.folder / "v.tsv").write_text("patient\tvisit\tstructure\tvolume\nA01\t1\tcaudate\t7000\n")
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nvolumes = "v.tsv"\n'
    prepared = prepare(two_visits.study())
    assert "missing" == prepared.cohort["scan_status"].to_numpy()[1]


def test_a_damaged_file_of_a_scan_judged_bad_stops_nothing(two_visits: Tree) -> None:
    """The scan is left out anyway: marking it so is how the user gets on."""
    first, row, *rows = two_visits.visits
    two_visits.visits = [f"{first}\tquality", f"{row}\tfail", *(f"{one}\tok" for one in rows)]
    (two_visits.subjects / "A01_v0.long.A01_base" / "stats" / "aseg.stats").write_text("# cut")
    prepared = prepare(two_visits.study())
    assert "failed" == prepared.cohort["scan_status"].to_numpy()[0]
    assert "its file is damaged" in reasons(prepared, "quality_fail")[0]
