"""Oddities of real files, each made anew in a small file, and where each is tested.

The table says which test holds the code to an oddity that was found in a published data set; what no other file
tests is tested here. All numbers are made up.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.data_prep.subjects_dir import find_runs
from atrobayes.errors import DataError, Fault

from .conftest import MEASURES, Tree, stats_text

# file, beginning of the test's name, oddity
ODDITIES = """
matching      names_with_dots_on_both_sides_of_the_marker_are     dots on both sides of .long.
matching      a_template_whose_name_ends_in_a_number_is_no_scan   a template that ends in a number
oddities      etiv_of_cross_sectional_runs_is_not_held_against    one eTIV in long runs and template, another in cross
quality       holes_are_those_of_the_cross_sectional_run          no SurfaceHoles in long runs
stats_real    measure_line_with_its_comma_missing_is_read         a comma missing in a measure
subjects_dir  only_the_last_word_of_the_log_counts                logs that every call appends to
oddities      an_abandoned_run_is_unfinished_whatever_its_log     an abandoned run
oddities      a_done_file_counts_by_existing                      a done file of a later call
subjects_dir  only_the_last_word_of_the_log_counts                bare carriage returns in logs
stats_real    curvature_report_is_refused_once_or_twice_in_a      two tables in ?h.curv.stats
oddities      a_template_needs_no_tables                          a template without some tables
quality       a_template_and_its_time_points_must_agree           base-tps, a time point a line
oddities      names_of_5_3_give_the_same_structures               white matter and thalamus under other names
stats_real    odd_header_line_is_no_obstacle                      a typo in the header
stats_real    surface_table_of_5_3_has_no_brain_volumes           surface tables without brain volumes
oddities      an_atlas_under_its_older_name_is_asked_for_by_that  DKTatlas40 and BA
oddities      a_stamp_tells_version_and_platform                  -HCP after the version
cohort        small_and_large_heads_are_heads                     a small head
stats_real    odd_header_line_is_no_obstacle                      a header's subject that is not the folder
oddities      the_version_of_a_program_is_not_that_of_freesurfer  cvs_version, of FreeSurfer or of a program
stats_real    odd_header_line_is_no_obstacle                      BrainVolStatsFixed without the word Measure
oddities      a_volume_that_moved_to_brainvol_is_asked_for_there  volumes that moved to brainvol.stats
stats_real    fastsurfer_table_has_no_subject_and_no_measures     aseg+DKT.stats without subject and measures
sources       the_segmentation_the_study_names_is_the_one_read    another volume in aseg.stats of the same run
oddities      mapped_tables_of_fastsurfer_are_read_under_their    mapped atlases, and wmparc of 64 rows
oddities      a_scan_processed_again_is_no_further_visit          a scan processed again
oddities      a_table_that_resembles_aseg_stats_is_not_taken_for  aseg.presurf.hypos.stats
lesion_masks  lesions_of_real_change_masks                        binary masks of change
lesion_masks  volumes_and_centres_are_in_millimetres_of           voxels that are no cubes
lesion_masks  spacing_rounded_in_the_fourth_decimal_is_one_grid   voxel sizes that differ in the fourth decimal
oddities      a_table_of_commas_is_refused_whole_and_as_tabs      commas, CRLF, N/A, and other ids
oddities      visits_that_skip_numbers_make_years_only_where_two  visits that skip numbers, days for dates
oddities      names_of_columns_may_hold_blanks_and_no_slash       names with blanks and a slash
quality       etiv_of_scans_processed_one_by_one_is_found_out     an eTIV that varies in everybody
oddities      a_table_of_5_1_gives_what_it_has_and_says_what_it   old columns and no eTIV
"""
# the same, for the numbers of each real data set
REAL = """
cohort        real_longitudinal_run_is_a_patient_with_two_visits  hebbianloop-fs-summer-workshop
real_numbers  volumes_of_real_runs_are_the_numbers_in_their       spinoza-spynoza
real_numbers  volumes_of_real_runs_are_the_numbers_in_their       datalad-ds000114
real_numbers  volumes_of_real_runs_are_the_numbers_in_their       fphammerle-freesurfer-stats
real_numbers  volumes_of_real_runs_are_the_numbers_in_their       fastsurfer-oasis1
real_numbers  a_real_table_of_patients_is_read_once_its_slips     open-ms-data
real_numbers  a_real_table_of_visits_gives_its_numbers            oasis2-longitudinal
sources       a_real_table_of_freesurfer_51_gives_the_numbers_in  abide-fs51-table
"""


@pytest.mark.parametrize("row", [*ODDITIES.strip().splitlines(), *REAL.strip().splitlines()])
def test_every_oddity_has_its_test(row: str) -> None:
    """A table of tests that nobody wrote, or that were renamed, would promise what is not so."""
    file, name, _ = row.split(maxsplit=2)
    tests = re.findall(r"^def test_(\w+)", Path(__file__).with_name(f"test_{file}.py").read_text(), re.MULTILINE)
    assert 1 == sum(test.startswith(name) for test in tests)


def with_column(lines: list[str], *cells: str) -> list[str]:
    """A table with one more column."""
    return [f"{line}\t{cell}" for line, cell in zip(lines, cells, strict=True)]


def told(tree: Tree) -> tuple[Fault, ...]:
    with pytest.raises(DataError) as caught:
        prepare(tree.study())
    return caught.value.faults


def volumes(prepared: Prepared, structure: str) -> list[float]:
    found: list[float] = prepared.cohort["volume"].sel(structure=structure).to_numpy().tolist()
    return found


def rules(prepared: Prepared) -> list[str]:
    return [item.rule for item in prepared.exclusions]


def one_scan(tree: Tree, text: str | None = None, settings: str = "", **kwargs: object) -> Path:
    """A study of one longitudinal scan."""
    tree.visits.append("A01\t0\t0\tv0")
    tree.settings = f'[data]\nsubjects_dir = "fs"\n{settings}'
    return tree.scan("v0.long.A01_base", text, **kwargs)


def surface(*rows: str) -> str:
    """A table of regions, as ?h.aparc.stats without its header measures."""
    head = [
        "# Title Cortical Parcellation Statistics",
        "# TableCol  2 Units     mm^3",
        "# ColHeaders StructName GrayVol",
    ]
    return "\n".join([*head, *rows]) + "\n"


def test_etiv_of_cross_sectional_runs_is_not_held_against_the_longitudinal_ones(two_visits: Tree) -> None:
    """Every study would be flagged: a template's eTIV differs by percents from those of its scans."""
    for place, fsid in enumerate(("A01_v0", "A01_v1")):
        two_visits.scan(fsid, stats_text({"eTIV": 1_421_000.0 + place}))
    prepared = prepare(two_visits.study())
    assert [MEASURES["eTIV"]] * 4 == prepared.cohort["etiv"].to_numpy().tolist()
    assert "etiv_varies" not in {flag.rule for flag in prepared.quality}
    (two_visits.subjects / "A01_v1.long.A01_base" / "stats" / "aseg.stats").write_text(
        stats_text({"eTIV": 1_421_001.0})
    )
    flags = [flag for flag in prepare(two_visits.study()).quality if flag.rule == "etiv_varies"]
    assert ["A01"] == [flag.patient for flag in flags]


def test_an_abandoned_run_is_unfinished_whatever_its_log_once_said(tmp_path: Path) -> None:
    """An older call's last word would make a scan of a folder that was never finished."""
    tree = Tree(tmp_path)
    finished = "recon-all -s x finished without error at Tue\n"
    log = f"recon-all -s x exited with ERRORS at Mon\n{finished * 7}#@# Fix Topology lh Wed\n 10% \r 20% \r"
    run = tree.scan("x", "", done=False)
    (run / "scripts" / "recon-all.log").write_text(log)
    (run / "scripts" / "IsRunning.lh").touch()
    (run / "mri").mkdir()
    (found,) = find_runs(tree.subjects)
    assert ("unfinished", "recon-all is running or was killed (scripts/IsRunning.lh)") == (found.state, found.reason)


def test_a_done_file_counts_by_existing(two_visits: Tree) -> None:
    """Smoothing the surfaces later writes the done file anew; the segmentation is none the worse."""
    for run in two_visits.subjects.iterdir():
        done = "CMDARGS -long x y -qcache -measure thickness -fwhm 7\n"
        (run / "scripts" / "recon-all.done").write_text(done)
    assert ["usable"] * 4 == prepare(two_visits.study()).cohort["scan_status"].to_numpy().tolist()
    (two_visits.subjects / "A01_v0.long.A01_base" / "scripts" / "recon-all.done").write_text("")
    assert ["usable"] * 4 == prepare(two_visits.study()).cohort["scan_status"].to_numpy().tolist()


def test_a_template_needs_no_tables(two_visits: Tree) -> None:
    """A template has no w-g.pct.stats; published ones may have no tables at all."""
    before = volumes(prepare(two_visits.study()), "thalamus")
    for patient in ("A01", "A02"):
        base = two_visits.scan(f"{patient}_base", "")
        (base / "base-tps").write_text(f"{patient}_v0\n{patient}_v1\n")
    after = prepare(two_visits.study())
    assert before == volumes(after, "thalamus")
    assert [] == rules(after)
    assert "template_members" not in {flag.rule for flag in after.quality}


def test_names_of_5_3_give_the_same_structures(tree: Tree) -> None:
    """Studies processed with 5.3 would lose white matter, thalamus and what holds it."""
    newer = stats_text()
    older = newer.replace("CerebralWhiteMatterVol", "CorticalWhiteMatterVol").replace("-Thalamus ", "-Thalamus-Proper ")
    assert newer != older
    for fsid, text in (("v0", newer), ("v1", older)):
        tree.visits.append(f"A01\t{fsid[1]}\t{fsid[1]}\t{fsid}")
        tree.scan(f"{fsid}.long.A01_base", text)
    prepared = prepare(tree.study())
    values = prepared.cohort["volume"].to_numpy()
    assert values[0].tolist() == values[1].tolist()
    assert not any(map(math.isnan, values[0].tolist()))
    assert 420_000.0 == volumes(prepared, "total_wm")[1]


def test_an_atlas_under_its_older_name_is_asked_for_by_that_name(tree: Tree) -> None:
    """The atlas of another version would be read in its place, or a year of work seem to be missing."""
    settings = 'structures = ["insula"]\n[structures]\ninsula = { sum = ["lh.aparc.DKTatlas.stats:insula"] }\n'
    run = one_scan(tree, settings=settings)
    (run / "stats" / "lh.aparc.DKTatlas40.stats").write_text(surface("insula 6100"))
    (run / "stats" / "lh.BA.stats").write_text(surface("BA44 2500"))
    (fault,) = told(tree)
    assert "'lh.aparc.DKTatlas.stats:insula', which no scan has" == fault.found
    tree.settings = tree.settings.replace("DKTatlas.stats:insula", 'DKTatlas40.stats:insula", "lh.BA.stats:BA44')
    assert [8600.0] == volumes(prepare(tree.study()), "insula")


@pytest.mark.parametrize(
    ("stamp", "version", "platform"),
    [
        ("freesurfer-Linux-centos4_x86_64-stable-pub-v5.3.0-HCP", "5.3.0", "Linux-centos4_x86_64"),
        ("freesurfer-Darwin-OSX-stable-pub-v6.0.0-2beb96c", "6.0.0", "Darwin-OSX"),
        ("freesurfer-linux-ubuntu22_x86_64-7.4.1-20230614-7eb8460", "7.4.1", "linux-ubuntu22_x86_64"),
        ("a word of nobody", "", ""),
    ],
)
def test_a_stamp_tells_version_and_platform(tmp_path: Path, stamp: str, version: str, platform: str) -> None:
    """A change of version within a patient, which moves volumes, would not be seen."""
    run = Tree(tmp_path).scan("x")
    (run / "scripts" / "build-stamp.txt").write_text(f"{stamp}\n")
    (found,) = find_runs(tmp_path / "fs")
    assert (version, platform) == (found.freesurfer, found.platform)
    (run / "scripts" / "build-stamp.txt").rename(run / "scripts" / "lastcall.build-stamp.txt")
    (found,) = find_runs(tmp_path / "fs")
    assert (version, platform) == (found.freesurfer, found.platform)


def test_the_version_of_a_program_is_not_that_of_freesurfer(tree: Tree) -> None:
    """mri_segstats 1.121 would be reported as FreeSurfer 1.121."""
    text = stats_text().replace("cvs_version 7.4.1", "cvs_version $Id: mri_segstats.c,v 1.121 2016/05/31 greve Exp $")
    run = one_scan(tree, text)
    (run / "scripts" / "build-stamp.txt").unlink()
    assert [""] == prepare(tree.study()).cohort["freesurfer"].to_numpy().tolist()


def test_a_volume_that_moved_to_brainvol_is_asked_for_there(tree: Tree) -> None:
    """A volume that newer versions keep in a file of measures alone could not be studied."""
    settings = (
        'structures = ["supra"]\n[structures]\nsupra = { sum = ["brainvol.stats:SupraTentorialVolNotVentVox"] }\n'
    )
    run = one_scan(tree, settings=settings)
    line = "# Measure SupraTentorialNotVentVox, SupraTentorialVolNotVentVox, Voxel count, 965000.5, mm^3\n"
    (run / "stats" / "brainvol.stats").write_text(line)
    prepared = prepare(tree.study())
    assert [965_000.5] == volumes(prepared, "supra")
    assert ["1"] == prepared.volumes["lines"].tolist()


def test_mapped_tables_of_fastsurfer_are_read_under_their_names(tree: Tree) -> None:
    """FastSurfer writes no lh.aparc.stats, and a wmparc with fewer rows than FreeSurfer's."""
    settings = (
        'segmentation = "aseg.stats"\nstructures = ["insula", "white"]\n[structures]\n'
        'insula = { sum = ["lh.aparc.DKTatlas.mapped.stats:insula"] }\n'
        'white = { sum = ["wmparc.DKTatlas.mapped.stats:wm-lh-insula"] }\n'
    )
    run = one_scan(tree, settings=settings)
    (run / "stats" / "lh.aparc.DKTatlas.mapped.stats").write_text(surface("insula 6100"))
    names = ["wm-lh-insula", *(f"wm-lh-{place}" for place in range(63))]
    head = [
        "# generating_program segstats.py",
        "# TableCol 1 Units mm^3",
        "# NRows 64",
        "# ColHeaders Volume_mm3 StructName",
    ]
    table = "\n".join([*head, *(f"{9000 + place}.125 {name}" for place, name in enumerate(names))])
    (run / "stats" / "wmparc.DKTatlas.mapped.stats").write_text(f"{table}\n")
    prepared = prepare(tree.study())
    assert [6100.0] == volumes(prepared, "insula")
    assert [9000.125] == volumes(prepared, "white")


def test_a_scan_processed_again_is_no_further_visit(two_visits: Tree) -> None:
    """A second processing of one scan would be analysed as a third scan."""
    two_visits.scan("A01_v1-3.long.A01_base", stats_text({"Left-Thalamus": 6500.0}))
    prepared = prepare(two_visits.study())
    assert [14_000.0, 13_930.0] * 2 == volumes(prepared, "thalamus")
    (left,) = prepared.exclusions
    assert ("scan_without_visit", "A01_v1-3.long.A01_base") == (left.rule, left.file)


def test_a_table_that_resembles_aseg_stats_is_not_taken_for_it(two_visits: Tree) -> None:
    """The table of an early segmentation would stand for the final one."""
    run = two_visits.subjects / "A01_v1.long.A01_base"
    (run / "stats" / "aseg.presurf.hypos.stats").write_text(stats_text({"Left-Thalamus": 5000.0}))
    assert [14_000.0, 13_930.0] * 2 == volumes(prepare(two_visits.study()), "thalamus")
    (run / "stats" / "aseg.stats").unlink()
    assert ["stats_missing", "scan_unusable"] == rules(prepare(two_visits.study()))
    for file in (run / "scripts").iterdir():
        file.unlink()
    (run / "scripts").rmdir()
    assert ["recon_unfinished", "scan_unusable"] == rules(prepare(two_visits.study()))


PATIENT_INFO = ["patient_id,age,sex,ms_type,edss", "1,31,F,RR,0.0", "2,44,M,N/A,N/A", "3,29,F,CIS,0.5"]


def test_a_table_of_commas_is_refused_whole_and_as_tabs_cell_by_cell(two_visits: Tree) -> None:
    """A table as another group keeps it: nothing in it may be guessed, and 0.0 is an EDSS."""
    study = two_visits.study()
    study.data.patients.write_bytes("\r\n".join([*PATIENT_INFO, ""]).encode())
    with pytest.raises(DataError, match="commas or semicolons in the header; expected tabs"):
        prepare(study)
    two_visits.patients = [line.replace(",", "\t") for line in PATIENT_INFO]
    (fault,) = told(two_visits)
    assert (1, "patient", "rename 'patient_id'?") == (fault.row, fault.column, fault.todo)
    two_visits.patients[0] = two_visits.patients[0].replace("patient_id", "patient")
    unknown = [fault for fault in told(two_visits) if fault.column == "patient"]
    assert ["visits.tsv"] * 4 == [Path(fault.file).name for fault in unknown]
    assert "the unknown patient 'A01'" == unknown[0].found


def test_missing_as_other_programs_write_it_is_said_and_zero_is_a_value(two_visits: Tree) -> None:
    """N/A would be a text, and an EDSS of 0.0 a missing one."""
    two_visits.visits = with_column(two_visits.visits, "edss", "0.0", "N/A", "0.5", "")
    found = told(two_visits)
    assert [(3, "edss", "'N/A'"), (4, "edss", "'0.5'")] == [(fault.row, fault.column, fault.found) for fault in found]
    assert ["write n/a for missing", "0.5 does not exist"] == [fault.todo for fault in found]
    two_visits.visits = [line.replace("N/A", "n/a").replace("0.5", "0.0") for line in two_visits.visits]
    edss = prepare(two_visits.study()).cohort["edss"].to_numpy().tolist()
    assert [0.0, True, 0.0, True] == [math.isnan(value) or value for value in edss]


def test_visits_that_skip_numbers_make_years_only_where_two_follow(tree: Tree) -> None:
    """A patient seen at visits 1, 3 and 4 has one year, from 3 to 4, not one of two years' loss."""
    days = {1: 0, 3: 731, 4: 1096}
    tree.visits = ["patient\tvisit\tyears\tfsid"]
    for visit, day in days.items():
        tree.visits.append(f"A01\t{visit}\t{day / 365.25:.4f}\tv{visit}")
        tree.scan(f"v{visit}.long.A01_base", stats_text({"Left-Thalamus": 7000.0 - 10 * visit}))
    prepared = prepare(tree.study())
    years = prepared.intervals[["visit_from", "visit_to"]].to_numpy().tolist()
    assert [[3, 4]] == years
    assert [1.0] == pytest.approx(prepared.intervals["years"].tolist(), abs=0.003)
    assert {"missed_visit"} == set(rules(prepared)) - {"patient_without_visit"}


def test_names_of_columns_may_hold_blanks_and_no_slash(two_visits: Tree) -> None:
    """netCDF reads a slash as a folder; blanks are as good as letters, and empty cells are missing."""
    two_visits.visits = with_column(two_visits.visits, "MR Delay", "0", "457", "", "560")
    kept = prepare(two_visits.study()).cohort["MR Delay"].to_numpy().tolist()
    assert ["0", "457", "", "560"] == kept
    two_visits.patients = with_column(two_visits.patients, "M/F", "M", "F")
    (fault,) = told(two_visits)
    assert ("patients.tsv", 1, "M/F") == (Path(fault.file).name, fault.row, fault.column)


def test_a_table_of_5_1_gives_what_it_has_and_says_what_it_has_not(tree: Tree) -> None:
    """White matter under its old name is there; a head size that a table lacks is not made up."""
    name = "FS_SITE_b_0000042"
    columns = ["Measure:volume", "Left-Thalamus-Proper", "Right-Thalamus-Proper", "CorticalWhiteMatterVol", "CortexVol"]
    rows = ["\t".join(columns), f"{name}\t7100.0\t6900.0\t431000.25\t467000.5"]
    (tree.folder / "aseg.txt").write_text("\n".join(rows) + "\n")
    tree.visits.append(f"A01\t0\t0\t{name}")
    tree.settings = (
        '[data]\ntables = ["aseg.txt"]\nstream = "cross"\nstructures = ["thalamus", "total_wm", "whole_brain"]\n'
    )
    prepared = prepare(tree.study())
    assert [[14_000.0], [431_000.25]] == [volumes(prepared, name) for name in ("thalamus", "total_wm")]
    missing = {(item.rule, item.structure) for item in prepared.exclusions}
    assert {("source_missing", "whole_brain"), ("etiv_missing", "")} <= missing
    assert math.isnan(prepared.cohort["etiv"].item())
