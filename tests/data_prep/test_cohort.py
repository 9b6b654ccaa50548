"""Scans and visits joined: one status each, a ledger row for everything left out, the same bytes twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from atrobayes.data_prep.clinical import read_clinical
from atrobayes.data_prep.clinical_columns import PATIENT_COLUMNS, VISIT_COLUMNS
from atrobayes.data_prep.clinical_table import ClinicalTable
from atrobayes.data_prep.cohort import build_cohort, read_cohort, write_cohort
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.data_prep.sources import open_sources
from atrobayes.data_prep.structures import resolve_structures
from atrobayes.errors import DataError

from .conftest import MEASURES, Tree, stats_text


def build(tree: Tree) -> tuple[xr.Dataset, list[Exclusion]]:
    study = tree.study()
    built = build_cohort(study, read_clinical(study), open_sources(study, resolve_structures(study)))
    cohort, exclusions = built.cohort, built.exclusions
    return cohort, list(exclusions)


def statuses(cohort: xr.Dataset) -> list[str]:
    return cohort["scan_status"].to_numpy().tolist()


def rules(exclusions: list[Exclusion]) -> list[tuple[str, str, str]]:
    return [(item.stage, item.patient, item.rule) for item in exclusions]


def test_every_variable_has_units_and_a_long_name(two_visits: Tree) -> None:
    """Nobody could tell mm³ from ml in a saved cohort."""
    cohort, _ = build(two_visits)
    for name, variable in cohort.variables.items():
        assert {"units", "long_name"} <= set(variable.attrs), name


def test_no_column_of_a_users_table_can_have_a_name_of_the_cohorts(two_visits: Tree) -> None:
    """A column `platform` would replace the build of FreeSurfer, one called `left` volumes."""
    two_visits.settings = '[data]\nsubjects_dir = "fs"\nedss = "edss.tsv"\n'
    (two_visits.folder / "edss.tsv").write_text("patient\tyears\tedss\nA01\t0.5\t2\n")
    cohort, _ = build(two_visits)
    assert {"assessment", "left", "platform"} <= {*cohort.variables, *cohort.dims}
    own = sorted({*map(str, cohort.variables), *map(str, cohort.dims)} - {*PATIENT_COLUMNS, *VISIT_COLUMNS})
    text = pd.DataFrame([["A01"] * (1 + len(own))], columns=["patient", *own], index=[2])
    assert own == [fault.column for fault in ClinicalTable(Path("patients.tsv"), PATIENT_COLUMNS, text=text).faults]


def test_volumes_come_from_the_longitudinal_run_of_the_visit(two_visits: Tree) -> None:
    """The cross-sectional numbers, or another visit's, would be analysed."""
    two_visits.scan("A01_v0", stats_text({"Left-Thalamus": 1.0}))
    cohort, exclusions = build(two_visits)
    thalamus = cohort["volume"].sel(structure="thalamus").to_numpy().tolist()
    assert [14_000.0, 13_930.0, 14_000.0, 13_930.0] == thalamus
    assert [MEASURES["eTIV"]] * 4 == cohort["etiv"].to_numpy().tolist()
    assert ["usable"] * 4 == statuses(cohort)
    assert "Left-Thalamus|Left-Thalamus-Proper + Right-Thalamus|Right-Thalamus-Proper" == str(
        cohort["source"].sel(structure="thalamus").item()
    )
    assert [] == exclusions


def test_stream_cross_reads_the_cross_sectional_runs(tree: Tree) -> None:
    """A study without longitudinal processing could not be read."""
    tree.settings = '[data]\nsubjects_dir = "fs"\nstream = "cross"\n'
    tree.visits.append("A01\t0\t0\ts0")
    tree.scan("s0", stats_text({"Left-Thalamus": 5000.0}))
    cohort, _ = build(tree)
    assert 12_000.0 == cohort["volume"].sel(structure="thalamus").item()


def test_real_longitudinal_run_is_a_patient_with_two_visits(real: Callable[[str], Path], tree: Tree) -> None:
    """Our reading of real longitudinal output would differ from the files."""
    subjects = real("hebbianloop-fs-summer-workshop")
    tree.settings = f'[data]\nsubjects_dir = "{subjects}"\nstructures = "all"\n'
    tree.visits += ["A01\t0\t0\tsub.01.bl.01", "A01\t1\t0.003\tsub.01.dh.02"]
    cohort, exclusions = build(tree)
    for record, fsid in enumerate(("sub.01.bl.01", "sub.01.dh.02")):
        text = (subjects / f"{fsid}.long.sub.01.base.03" / "stats" / "aseg.stats").read_text()
        words = [line.split() for line in text.splitlines()]
        rows = {line[4]: float(line[3]) for line in words if len(line) == 10 and line[0].isdigit()}
        measures = {
            line.split(", ")[1]: float(line.split(", ")[3]) for line in text.splitlines() if "# Measure" in line
        }
        expected = {
            "cerebellum": sum(rows[name] for name in rows if "-Cerebellum-" in name),
            "lateral_ventricle": rows["Left-Lateral-Ventricle"] + rows["Right-Lateral-Ventricle"],
            "hippocampus": rows["Left-Hippocampus"] + rows["Right-Hippocampus"],
            "thalamus": rows["Left-Thalamus-Proper"] + rows["Right-Thalamus-Proper"],
            "whole_brain": measures["BrainSegVolNotVent"],
            "cortex": measures["CortexVol"],
            "total_gm": measures["TotalGrayVol"],
            "dgm": measures["SubCortGrayVol"],
        }
        volumes = cohort["volume"].isel(record=record)
        assert expected == pytest.approx({name: volumes.sel(structure=name).item() for name in expected}, rel=1e-12)
        assert 1353646.180618 == cohort["etiv"].isel(record=record).item()
    assert ["6.0.0", "6.0.0"] == cohort["freesurfer"].to_numpy().tolist()
    assert not np.isnan(cohort["volume"]).any()
    # The abandoned run belongs to no visit; nothing else is left out.
    assert [("found", "", "scan_without_visit")] == rules(exclusions)
    assert "sub.01.dh.01" == exclusions[0].file
    assert "etiv_varies" not in cohort.attrs["flags"]


@pytest.mark.parametrize(
    ("folder", "fsid"),
    [
        ("datalad-ds000114/derivatives/freesurfer", "sub-01"),
        ("spinoza-spynoza", "sub-0020"),
        ("fphammerle-freesurfer-stats", "soichi"),
        ("fastsurfer-oasis1", "OAS1_0001-3"),
    ],
)
def test_real_cross_sectional_trees_give_every_structure(
    real: Callable[[str], Path], tree: Tree, folder: str, fsid: str
) -> None:
    """A FreeSurfer version would lose structures."""
    tree.settings = f'[data]\nsubjects_dir = "{real(folder)}"\nstructures = "all"\nstream = "cross"\n'
    if folder.startswith("fastsurfer"):
        # two files hold a segmentation, and nobody says which counts
        with pytest.raises(DataError, match=r'segmentation = "aseg\+DKT\.stats"'):
            build(replace(tree, visits=[*tree.visits, f"A01\t0\t0\t{fsid}"]))
        tree.settings += 'segmentation = "aseg.stats"\n'
    tree.visits.append(f"A01\t0\t0\t{fsid}")
    cohort, exclusions = build(tree)
    assert ["usable"] == statuses(cohort)
    assert not np.isnan(cohort["volume"]).any()
    assert [] == exclusions


def test_visit_without_scan_and_scan_without_visit_are_ledger_rows(two_visits: Tree) -> None:
    """Scans and visits would vanish from the flow diagram."""
    two_visits.visits.append("A01\t2\t2\tn/a")
    two_visits.scan("A02_v2.long.A02_base")
    two_visits.scan("A02_v2")
    cohort, exclusions = build(two_visits)
    assert ["usable", "usable", "none", "usable", "usable"] == statuses(cohort)
    assert [("found", "A01", "visit_without_scan"), ("found", "A02", "scan_without_visit")] == rules(exclusions)
    assert "A02_v2.long.A02_base" == exclusions[1].file


def test_named_scan_that_is_not_there_is_missing_with_a_hint(two_visits: Tree) -> None:
    """A typing slip in an fsid would look like a scan nobody made."""
    two_visits.visits += ["A01\t2\t2\tA01-v2", "A01\t3\t3\tA01_v3"]
    two_visits.scan("A01_v3")
    cohort, exclusions = build(two_visits)
    assert ["missing", "missing"] == statuses(cohort)[2:4]
    assert "is A01_v" in exclusions[0].reason
    assert exclusions[1].reason.endswith("only A01_v3 (cross)")


def test_hint_for_a_wrong_fsid_prefers_a_run_that_no_visit_names(two_visits: Tree) -> None:
    """The hint would send the user to the scan of another visit."""
    two_visits.visits.append("A01\t2\t2\tA01_v11")
    two_visits.scan("A01_v21.long.A01_base")
    _, exclusions = build(two_visits)
    assert exclusions[0].reason.endswith("is A01_v21 meant?")
    two_visits.visits.append("A01\t3\t3\tA01_v21")
    _, exclusions = build(two_visits)
    assert exclusions[0].reason.endswith(" meant?")


def test_scan_folder_that_may_not_be_entered_is_not_a_missing_table(
    two_visits: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scans would leave the study because of their permissions."""
    plain = Path.stat

    def stat(path: Path, **kwargs: bool) -> object:
        if path.name == "aseg.stats":
            raise PermissionError(13, "refused", str(path))
        return plain(path, **kwargs)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(PermissionError):
        build(two_visits)


@pytest.mark.parametrize("etiv", [1_154_584.0, 300_000.0, 4_000_000.0])
def test_small_and_large_heads_are_heads(tree: Tree, etiv: float) -> None:
    """A patient with a small head would stop the study."""
    tree.visits.append("A01\t0\t0\tv0")
    tree.scan("v0.long.b", stats_text({"eTIV": etiv}))
    cohort, _ = build(tree)
    assert etiv == cohort["etiv"].item()


def test_etiv_of_no_head_is_an_error_for_every_usable_scan_that_has_one(two_visits: Tree) -> None:
    """A failed registration, or an eTIV in ml, would multiply a patient's changes by hundreds."""
    header = two_visits.visits[0] + "\tquality"
    two_visits.visits = [header, *(f"{line}\tok" for line in two_visits.visits[1:])]
    for fsid, etiv in (("A01_v0", 1500.0), ("A01_v1", 4_000_001.0), ("A02_v0", 0.0)):
        path = two_visits.subjects / f"{fsid}.long.{fsid[:3]}_base" / "stats" / "aseg.stats"
        path.write_text(stats_text({"eTIV": etiv}))
    with pytest.raises(DataError) as caught:
        build(two_visits)
    assert ["1,500 mm^3", "4,000,001 mm^3", "0 mm^3"] == [fault.found for fault in caught.value.faults]
    fault = caught.value.faults[0]
    assert ("300,000 to 4,000,000 mm^3", 16, "eTIV") == (fault.expected, fault.row, fault.column)
    assert fault.file.endswith("A01_v0.long.A01_base/stats/aseg.stats")
    two_visits.visits = [line.replace("\tok", "\tfail") for line in two_visits.visits]
    assert ["failed"] * 4 == statuses(build(two_visits)[0])


OWN = '[data]\nsubjects_dir = "fs"\n[structures]\nmy_own = {{ sum = ["Left-Caudate", "{}"] }}\n'


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ("right-caudate", "did you mean 'Right-Caudate'?"),
        ("Right-Cuadate", "did you mean 'Right-Caudate'?"),
        ("CortecsVol", "did you mean 'CortexVol'?"),
        ("xyz", "mend the name, or remove it"),
    ],
)
def test_own_structure_whose_row_is_in_no_scan_is_an_error(two_visits: Tree, row: str, advice: str) -> None:
    """A typing slip would give a structure without a single volume, and no word of it."""
    two_visits.settings = OWN.format(row)
    with pytest.raises(DataError) as caught:
        build(two_visits)
    (fault,) = caught.value.faults
    assert (f"{row!r}, which no scan has", advice) == (fault.found, fault.todo)
    assert "structures.my_own.sum" == fault.column
    assert fault.file.endswith("study.toml")


def test_own_structure_is_not_judged_before_a_scan_was_read(tree: Tree) -> None:
    """A study still being scanned could not be checked."""
    tree.settings = OWN.format("Right-Caudate")
    tree.visits.append("A01\t0\t0\tn/a")
    assert ["none"] == statuses(build(tree)[0])


def test_unfinished_failed_and_empty_runs_are_left_out_with_reasons(tree: Tree) -> None:
    """Half-made segmentations would be analysed, or one of them would stop the study."""
    tree.visits += [f"A01\t{visit}\t{visit}\tv{visit}" for visit in range(4)]
    tree.scan("v0.long.b", done=False)
    tree.scan("v1.long.b", done=False, log="recon-all -s v1 exited with ERRORS at Mon\n")
    tree.scan("v2.long.b", "")
    tree.scan("v3.long.b")
    cohort, exclusions = build(tree)
    assert ["unfinished", "failed", "failed", "usable"] == statuses(cohort)
    assert [
        ("processed", "A01", "recon_unfinished"),
        ("processed", "A01", "recon_failed"),
        ("processed", "A01", "stats_missing"),
    ] == rules(exclusions)
    assert "v2.long.b/stats/aseg.stats" == exclusions[2].file
    assert np.isnan(cohort["volume"].to_numpy()[:3]).all()


def test_all_damaged_tables_are_one_error(two_visits: Tree) -> None:
    """The user would find the second damaged file only after mending the first."""
    for fsid in ("A01_v0", "A02_v1"):
        path = two_visits.subjects / f"{fsid}.long.{fsid[:3]}_base" / "stats" / "aseg.stats"
        path.write_text(stats_text()[:-100] + "\n")
    with pytest.raises(DataError) as caught:
        build(two_visits)
    assert 2 == len(caught.value.faults)


def test_structure_without_source_is_missing_alone(tree: Tree) -> None:
    """One absent row would cost the whole scan, or count as zero."""
    tree.visits.append("A01\t0\t0\tv0")
    tree.scan("v0.long.b", stats_text(left_out=["Left-Amygdala", "eTIV"]))
    cohort, exclusions = build(tree)
    missing = cohort["structure"][np.isnan(cohort["volume"].to_numpy()[0])].to_numpy().tolist()
    assert ["amygdala"] == missing
    assert ["usable"] == statuses(cohort)
    assert np.isnan(cohort["etiv"].item())
    assert [("amygdala", "source_missing"), ("", "etiv_missing")] == [(row.structure, row.rule) for row in exclusions]


def test_two_templates_for_one_scan_ask_which(two_visits: Tree) -> None:
    """Volumes of two different templates would be compared with each other."""
    two_visits.scan("A01_v0.long.A01_other")
    with pytest.raises(DataError, match=r"A01_v0\.long\.A01_base and A01_v0\.long\.A01_other"):
        build(two_visits)
    two_visits.visits[1] = "A01\t0\t0\tA01_v0.long.A01_other"
    cohort, exclusions = build(two_visits)
    assert ["usable"] * 4 == statuses(cohort)
    assert "A01_v0.long.A01_other/stats/aseg.stats" in cohort.attrs["files"]
    # The other template's run is then a scan of no visit.
    assert [("found", "A01", "scan_without_visit")] == rules(exclusions)


def test_steroids_protocol_and_quality_keep_numbers_but_not_the_scan(two_visits: Tree) -> None:
    """Swollen brains under steroids, or another scanner's, would count as atrophy."""
    extra = ["days_since_steroid\tprotocol\tquality", "55\ta\tok", "56\tb\tok", "n/a\ta\tok", "200\ta\tfail"]
    two_visits.visits = [f"{line}\t{more}" for line, more in zip(two_visits.visits, extra, strict=True)]
    cohort, exclusions = build(two_visits)
    assert ["steroid", "protocol", "usable", "failed"] == statuses(cohort)
    assert [
        ("usable", "A01", "steroid_washout"),
        ("usable", "A01", "other_protocol"),
        ("usable", "A02", "quality_fail"),
    ] == rules(exclusions)
    assert not np.isnan(cohort["volume"]).any()
    assert "1 usable scan without days" in cohort.attrs["flags"]


def test_etiv_that_moves_within_a_patient_is_flagged_and_kept(tree: Tree) -> None:
    """Cross-sectional numbers among longitudinal ones would go unnoticed."""
    tree.visits += ["A01\t0\t0\tv0", "A01\t1\t1.9\tv1"]
    tree.scan("v0.long.b", stamp="7.3.2")
    tree.scan("v1.long.b", stats_text({"eTIV": MEASURES["eTIV"] * (1 + 2e-6)}))
    cohort, exclusions = build(tree)
    flagged = [(flag["rule"], flag["visit"]) for flag in json.loads(cohort.attrs["flags"])]
    assert [("etiv_varies", None), ("freesurfer_versions", None), ("visit_off_nominal", 1)] == flagged
    assert [] == exclusions
    assert ["usable", "usable"] == statuses(cohort)


def test_equal_input_gives_equal_bytes_and_reads_back_as_written(two_visits: Tree, tmp_path: Path) -> None:
    """A rerun would look like a change; missing texts would come back as something else."""
    two_visits.visits.append("A02\t2\tn/a\tn/a")
    for name in ("a", "b"):
        write_cohort(tmp_path / f"{name}.nc", build(two_visits)[0])
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    xr.testing.assert_identical(build(two_visits)[0], read_cohort(tmp_path / "a.nc"))
    assert str(tmp_path) not in str(read_cohort(tmp_path / "a.nc").attrs)


def test_damaged_or_absent_cohort_is_named(tmp_path: Path) -> None:
    """A later command would end in a trace of our code."""
    with pytest.raises(DataError, match="no such file"):
        read_cohort(tmp_path / "cohort.nc")
    (tmp_path / "cohort.nc").write_bytes(b"CDF?")
    with pytest.raises(DataError, match="a damaged file"):
        read_cohort(tmp_path / "cohort.nc")
