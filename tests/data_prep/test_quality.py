"""Quality control over time: what is flagged, what is not, and that nothing is dropped."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import atrobayes
from atrobayes.data_prep import quality_changes
from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.data_prep.quality_changes import asymmetry_flags, asymmetry_index
from atrobayes.data_prep.quality_flags import QUALITY_COLUMNS, RULES, Flag, quality_table
from atrobayes.data_prep.robust import robust_sd, robust_z
from atrobayes.errors import DataError

from .conftest import MEASURES, ROWS, Tree, stats_text

_PACKAGE = Path(atrobayes.__file__).parent


def flagged(prepared: Prepared, rule: str) -> list[Flag]:
    return [flag for flag in prepared.quality if flag.rule == rule]


def keys(flags: list[Flag]) -> list[tuple[str, int | None]]:
    return [(flag.patient, flag.visit) for flag in flags]


def cross_text(holes: int) -> str:
    """Statistics of a cross-sectional run, which say how many holes its surfaces had."""
    line = f"# Measure SurfaceHoles, SurfaceHoles, Total number of defect holes, {holes}, unitless\n"
    text = stats_text()
    return text.replace("# TableCol  1 ColHeader", line + "# TableCol  1 ColHeader", 1)


@pytest.fixture
def many(tree: Tree) -> Tree:
    """Twelve patients, two scans each; every volume changes by its own percent, from -1.2 to -0.1 a year."""
    tree.patients = ["patient\tgroup", *(f"A{n:02d}\t{'CLAD' if n < 6 else 'ALEM'}" for n in range(12))]
    for n in range(12):
        for visit in (0, 1):
            tree.visits.append(f"A{n:02d}\t{visit}\t{visit}\tA{n:02d}_v{visit}")
            tree.scan(f"A{n:02d}_v{visit}.long.A{n:02d}_base", scaled(visit * -(n + 1) / 10))
    return tree


def scaled(percent: float, **others: float) -> str:
    """Every volume but eTIV changed by some percent, ventricles the other way; `others`: rows by their own."""
    change = {
        name: value * (1 + (-percent if "Ventricle" in name else percent) / 100)
        for name, value in (MEASURES | ROWS).items()
        if name != "eTIV"
    }
    own = {name.replace("_", "-"): value for name, value in others.items()}
    return stats_text(change | {name: (MEASURES | ROWS)[name] * (1 + value / 100) for name, value in own.items()})


def rescan(tree: Tree, fsid: str, text: str) -> None:
    (tree.subjects / f"{fsid}.long.{fsid[:3]}_base" / "stats" / "aseg.stats").write_text(text)


def test_a_cohort_without_oddities_has_no_flags(many: Tree) -> None:
    """A list in which everything stands is a list nobody reads."""
    assert () == prepare(many.study()).quality


def test_every_rule_the_code_writes_has_words() -> None:
    """A reader of the report would meet `template_mixed` instead of a reason and what to do."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (_PACKAGE / "data_prep").rglob("*.py"))
    written = set(re.findall(r'\bFlag\(\s*"(\w+)"', code)) | set(re.findall(r'_several\("(\w+)"', code))
    written |= set(re.findall(r'_unlike\("(\w+)"', code)) | set(re.findall(r'_flag\(pairs, "(\w+)"', code))
    assert {"holes", "etiv_varies", "platforms", "change_limit", "versions_between_groups"} <= written
    assert set() == written - set(RULES)
    assert all(rule.words and rule.look for rule in RULES.values())


@pytest.mark.parametrize(
    ("rule", "unit", "value", "limit", "text"),
    [
        ("change_limit", "% a year", -12.0, 10.0, scaled(-0.5, Left_Putamen=-12, Right_Putamen=-12)),
        # -4 among -0.1 to -1.2 without -0.6: median -0.75, median distance from it 0.35
        (
            "change_robust_z",
            "robust z",
            (-4 + 0.75) / (1.4826 * 0.35),
            3.5,
            scaled(-0.5, Left_Putamen=-4, Right_Putamen=-4),
        ),
    ],
)
def test_an_implausible_change_is_flagged_and_kept(
    many: Tree, rule: str, unit: str, value: float, limit: float, text: str
) -> None:
    """A failed segmentation would be analysed as atrophy, or left out by a rule nobody agreed to."""
    rescan(many, "A05_v1", text)
    result = prepare(many.study())
    (flag,) = flagged(result, rule)
    assert ("A05", 1, 0, "putamen", unit, limit) == (
        flag.patient,
        flag.visit,
        flag.visit_from,
        flag.structure,
        flag.unit,
        flag.limit,
    )
    assert value == pytest.approx(flag.value, rel=1e-3)
    assert 24 == (result.cohort["scan_status"] == "usable").sum()
    assert () == result.exclusions


def test_limits_are_those_of_the_study_and_of_a_known_structure(many: Tree) -> None:
    """A limit with a slip in its name would never be used."""
    many.settings = "[quality]\nchange_pct = { putamen = 1.15 }\n"
    assert [("A11", 1)] == keys(flagged(prepare(many.study()), "change_limit"))
    many.settings = "[quality]\nchange_pct = { puttamen = 1.15 }\n"
    with pytest.raises(DataError, match=r"quality\.change_pct\.puttamen.*did you mean 'putamen'"):
        prepare(many.study())


def test_changes_are_those_of_a_year_of_real_time(many: Tree) -> None:
    """Two years' loss would be judged as one; a rescan next day as a loss of hundreds of percent a year."""
    many.visits[2] = "A00\t1\t2.0\tA00_v1"
    many.visits[4] = "A01\t1\t0.003\tA01_v1"
    many.settings = "[quality]\nchange_pct = { putamen = 5.5 }\n[definitions]\nvisit_tolerance_months = 24\n"
    for fsid in ("A00_v1", "A01_v1", "A02_v1"):
        rescan(many, fsid, scaled(-0.5, Left_Putamen=-6, Right_Putamen=-6))
    flags = {flag.patient: flag for flag in flagged(prepare(many.study()), "change_limit")}
    assert {"A01": -12.0, "A02": -6.0} == {who: pytest.approx(flag.value, abs=0.01) for who, flag in flags.items()}
    assert "over 0.003 years taken as 0.5; kept" in flags["A01"].reason


def test_nominal_years_stand_in_where_times_are_unknown(many: Tree) -> None:
    """A study without dates would have no quality control."""
    many.visits = ["\t".join((*line.split("\t")[:2], line.split("\t")[3])) for line in many.visits]
    rescan(many, "A05_v1", scaled(-0.5, Left_Putamen=-12, Right_Putamen=-12))
    (flag,) = flagged(prepare(many.study()), "change_limit")
    assert flag.reason.endswith("over 1 nominal year; kept")


def test_only_usable_scans_are_judged(many: Tree) -> None:
    """A scan that was left out already would be reported as a finding."""
    many.visits = [
        f"{line}\t{'quality' if not n else 'fail' if n == 12 else 'ok'}" for n, line in enumerate(many.visits)
    ]
    rescan(many, "A05_v1", scaled(-0.5, Left_Putamen=-30, Right_Putamen=-30))
    assert () == prepare(many.study()).quality


def test_too_few_values_give_no_robust_z() -> None:
    """With three patients one of them is always an outlier."""
    assert np.isnan(robust_z(np.array([0.0, 1, 2, 3, 4, 5, 100]))).all()
    assert np.isnan(robust_sd(np.array([0.0, 1, 2, 3, 4, 5, 100, np.nan])))


def test_robust_z_by_hand() -> None:
    """The limit of 3.5 would mean something else than it says."""
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 50, np.nan])
    # median 5; distances 4 3 2 1 0 1 2 3 45, their median 2
    assert 2 * 1.4826 == pytest.approx(robust_sd(values))
    assert 45 / (2 * 1.4826) == pytest.approx(robust_z(values)[8])
    assert np.isnan(robust_z(values)[9])
    # shift and scale do not matter, the outlier's own size does not move the others
    np.testing.assert_allclose(robust_z(-3 * values + 7)[:9], -robust_z(values)[:9])
    np.testing.assert_allclose(robust_z(np.where(values == 50, 5000, values))[:8], robust_z(values)[:8])


def test_a_spread_of_zero_flags_what_differs_and_nothing_else() -> None:
    """Equal values would give endless z, or hide the one value that differs."""
    assert [0.0] * 9 == robust_z(np.full(9, 0.1) * 3).tolist()
    z = robust_z(np.array([2.0] * 8 + [12.0]))
    # mean absolute deviation 10 / 9
    assert 10 / (1.253314 * 10 / 9) == pytest.approx(z[8])
    assert [0.0] * 8 == z[:8].tolist()


def test_asymmetry_of_a_scan_and_its_change_within_a_patient(many: Tree) -> None:
    """A segmentation that lost half of one side would pass, as long as the sum looks right."""
    for n in range(12):
        for visit in (0, 1):
            rescan(many, f"A{n:02d}_v{visit}", scaled(-visit * (n + 1) / 10, Left_Caudate=n / 10 + 0.02 * visit * n))
    rescan(many, "A05_v1", scaled(-0.6, Left_Caudate=-3, Right_Caudate=2))
    result = prepare(many.study())
    (scan,), (change,) = flagged(result, "asymmetry"), flagged(result, "asymmetry_change")
    assert ("A05", 1, None, "caudate") == (scan.patient, scan.visit, scan.visit_from, scan.structure)
    assert ("A05", 1, 0, "caudate") == (change.patient, change.visit, change.visit_from, change.structure)
    index = (0.97 - 1.02) / (0.97 + 1.02)
    assert f"is {index:.3f}, " in scan.reason
    assert scan.value < -3.5
    assert change.value < -3.5


def test_asymmetry_is_worked_out_once_for_all_structures(many: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again for each structure it took seconds for a large cohort."""
    study = many.study()
    cohort, asked = prepare(study).cohort, []

    def counted(cohort: xr.Dataset) -> np.ndarray:
        asked.append(1)
        return asymmetry_index(cohort)

    monkeypatch.setattr(quality_changes, "asymmetry_index", counted)
    assert [] == list(asymmetry_flags(cohort, study.quality))
    assert 1 == len(asked)


def test_ventricle_and_brain_that_shrink_together_are_flagged(many: Tree) -> None:
    """Tissue that is lost leaves room for fluid; a scan in which both are less was measured otherwise."""
    rng = np.random.default_rng(1)
    for n in range(12):
        ventricle = {f"{side}_Lateral_Ventricle": 3 + rng.normal(0, 1) for side in ("Left", "Right")}
        rescan(many, f"A{n:02d}_v1", scaled(-(n + 1) / 10, **ventricle))
    assert [] == flagged(prepare(many.study()), "ventricle_and_brain")
    for side in ("Left", "Right"):
        ventricle[f"{side}_Lateral_Ventricle"] = -6.0
    rescan(many, "A07_v1", scaled(-0.8, **ventricle))
    rescan(many, "A00_v1", scaled(-0.1, **ventricle))  # a brain that hardly shrinks says nothing
    assert [("A07", 1)] == keys(flagged(prepare(many.study()), "ventricle_and_brain"))


def test_a_template_and_its_time_points_must_agree(two_visits: Tree) -> None:
    """A scan added after the template was made is biased against those that made it."""
    base = two_visits.scan("A01_base")
    (base / "base-tps").write_text("A01_v0\nA01_v9\n")
    flags = flagged(prepare(two_visits.study()), "template_members")
    assert [("A01", 1), ("A01", None)] == keys(flags)
    assert "A01_v1 is not among the 2 in A01_base/base-tps; kept" == flags[0].reason
    assert "A01_base/base-tps lists A01_v9, which has no longitudinal run" == flags[1].reason
    (base / "base-tps").write_text("A01_v0\nA01_v1\n")
    assert () == prepare(two_visits.study()).quality
    (base / "base-tps").unlink()  # a published tree without it tells nothing
    assert [] == flagged(prepare(two_visits.study()), "template_members")


def test_scans_with_different_templates_are_flagged(two_visits: Tree) -> None:
    """Their difference is one of templates too."""
    two_visits.visits += ["A02\t2\t2\tA02_v2"]
    two_visits.scan("A02_v2.long.A02_new_base", stats_text())
    assert [("A02", None)] == keys(flagged(prepare(two_visits.study()), "template_mixed"))


def test_versions_that_go_with_the_group_are_a_warning_about_the_study(tree: Tree) -> None:
    """A difference between versions of a program would be published as one between treatments."""
    for patient, stamp in (("A01", "7.4.1"), ("A02", "7.3.2")):
        for visit in (0, 1):
            tree.visits.append(f"{patient}\t{visit}\t{visit}\t{patient}_v{visit}")
            tree.scan(f"{patient}_v{visit}.long.{patient}_base", stamp=stamp)
    result = prepare(tree.study())
    (flag,) = flagged(result, "versions_between_groups")
    assert ("", 100.0) == (flag.patient, flag.value)
    assert "CLAD: 7.3.2 in 0 of 2 scans, 7.4.1 in 2 of 2 scans" in flag.reason
    assert [] == flagged(result, "freesurfer_versions")
    tree.patients = ["patient\tgroup", "A01\tCLAD", "A02\tCLAD"]
    assert [] == flagged(prepare(tree.study()), "versions_between_groups")


def test_platforms_within_a_patient_are_flagged(two_visits: Tree) -> None:
    """FreeSurfer gives other volumes on another operating system."""
    stamp = two_visits.subjects / "A01_v1.long.A01_base" / "scripts" / "build-stamp.txt"
    stamp.write_text("freesurfer-Darwin-macOS-7.4.1-20230614-7eb8460\n")
    result = prepare(two_visits.study())
    assert [("A01", None)] == keys(flagged(result, "platforms"))
    assert ["platforms_between_groups"] == [flag.rule for flag in result.quality if not flag.patient]


def test_holes_are_those_of_the_cross_sectional_run(two_visits: Tree) -> None:
    """Longitudinal runs have none, so the worst scans would look perfect; a damaged file would stop everything."""
    two_visits.scan("A01_v0", cross_text(101))
    two_visits.scan("A01_v1", cross_text(100))
    two_visits.scan("A02_v0", "not statistics\n")
    two_visits.scan("A02_v1", stats_text())  # old versions do not say
    result = prepare(two_visits.study())
    assert [("A01", 0)] == keys(flagged(result, "holes"))
    (damaged,) = flagged(result, "cross_unreadable")
    assert ("A02", 0) == (damaged.patient, damaged.visit)
    assert damaged.reason.startswith("A02_v0/stats/aseg.stats: ")
    assert str(two_visits.folder) not in damaged.reason


def test_holes_of_both_sides_are_added_where_there_is_no_sum(two_visits: Tree) -> None:
    """FreeSurfer 5 gives the two sides only."""
    line = "# Measure {0}SurfaceHoles, {0}SurfaceHoles, Number of defect holes, 60, unitless\n"
    text = stats_text().replace("# TableCol  1", line.format("lh") + line.format("rh") + "# TableCol  1", 1)
    two_visits.scan("A01_v0", text)
    (flag,) = flagged(prepare(two_visits.study()), "holes")
    assert (120.0, 100) == (flag.value, flag.limit)


def test_unfinished_runs_of_any_stream_are_told(two_visits: Tree) -> None:
    """An abandoned run would be taken for data, or fill the disk for years."""
    two_visits.scan("A01_v0", done=False)
    two_visits.scan("stray", "", done=False, log="recon-all -s stray exited with ERRORS at Mon\n")
    flags = flagged(prepare(two_visits.study()), "run_unfinished")
    assert [("A01", 0), ("", None)] == keys(flags)
    assert "A01_v0 (cross-sectional run): no scripts/recon-all.done" == flags[0].reason
    assert "stray (cross-sectional run): recon-all exited with errors" == flags[1].reason


def test_new_rules_are_one_line_on_standard_error(many: Tree) -> None:
    """Two hundred lines of remarks hide the one that matters."""
    rescan(many, "A05_v1", scaled(-0.5, Left_Putamen=-12, Right_Putamen=-12))
    result = prepare(many.study())
    assert f"quality: {len(result.quality)} flags in 1 patient, see quality.tsv" in result.notes
    many.visits[8] = "A03\t1\t1.9\tA03_v1"
    notes = prepare(many.study()).notes
    assert f"quality: {len(result.quality)} more flags in 1 patient, see quality.tsv" in notes
    assert 1 == sum(note.startswith("A03, visit 1: nominally 1 year after visit 0") for note in notes)


def test_the_table_is_sorted_by_rule_and_whole_numbers_stay_whole() -> None:
    """The same study would give other bytes from another order of finding; a visit would be 1.0."""
    flags = [Flag(rule, who, visit) for rule in ("holes", "etiv_varies") for who in ("b", "a") for visit in (2, None)]
    table = quality_table(flags)
    assert [column.name for column in QUALITY_COLUMNS] == list(table.columns)
    assert ["etiv_varies"] * 4 + ["holes"] * 4 == table["rule"].tolist()
    assert ["a", "a", "b", "b"] == table["patient"].tolist()[:4]
    assert [None, 2] == table["visit"].tolist()[:2]


def test_a_rescan_of_the_next_morning_has_no_flags_but_the_abandoned_run(
    real: Callable[[str], Path], tree: Tree
) -> None:
    """A real longitudinal run, one person twice within a day: whatever is flagged in it is a false alarm."""
    subjects = real("hebbianloop-fs-summer-workshop")
    tree.settings = f'[data]\nsubjects_dir = "{subjects}"\n[definitions]\nvisit_tolerance_months = 24\n'
    tree.visits += ["A01\t0\t0\tsub.01.bl.01", "A01\t1\t0.0027\tsub.01.dh.02"]
    result = prepare(tree.study())
    assert [("run_unfinished", "", None)] == [(flag.rule, flag.patient, flag.visit) for flag in result.quality]
    assert result.quality[0].reason.startswith("sub.01.dh.01 (cross-sectional run): ")
    # surfaces of its cross-sectional runs had 51 and 63 holes, as their aseg.stats say
    tree.settings += "[quality]\nholes = 42\n"
    holes = {flag.visit: flag.value for flag in flagged(prepare(tree.study()), "holes")}
    assert {0: 51.0, 1: 63.0} == holes


@pytest.fixture
def oasis(real: Callable[[str], Path], tree: Tree) -> Tree:
    """OASIS-2 as a tidy table: whole brain and eTIV of 373 scans, each processed on its own."""
    source = next(real("oasis2-longitudinal").glob("*.csv"))
    with source.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    tidy = ["patient\tvisit\tstructure\tvolume\tetiv"]
    tree.visits, tree.patients = ["patient\tvisit\tyears"], ["patient\tgroup"]
    for row in rows:
        visit, etiv = int(row["Visit"]) - 1, 1000 * float(row["eTIV"])
        who = row["Subject ID"]
        tidy.append(f"{who}\t{visit}\twhole_brain\t{float(row['nWBV']) * etiv:.1f}\t{etiv:.0f}")
        tree.visits.append(f"{who}\t{visit}\t{int(row['MR Delay']) / 365.25:.4f}")
        if f"{who}\tall" not in tree.patients:
            tree.patients.append(f"{who}\tall")
    tree.folder.joinpath("volumes.tsv").write_text("\n".join(tidy) + "\n")
    tree.settings = '[data]\nvolumes = "volumes.tsv"\nstructures = ["whole_brain"]\n'
    return tree


def test_etiv_of_scans_processed_one_by_one_is_found_out(oasis: Tree) -> None:
    """Cross-sectional numbers, called longitudinal, would be analysed as if the head kept its size."""
    result = prepare(oasis.study())
    flags = flagged(result, "etiv_varies")
    assert 149 == len({flag.patient for flag in flags}) == len(flags)
    assert 150 == result.cohort.sizes["patient"]
    assert 17 < max(flag.value for flag in flags) < 19
    oasis.settings = oasis.settings.replace("structures", 'stream = "cross"\nstructures')
    assert [] == flagged(prepare(oasis.study()), "etiv_varies")


def test_flags_kept_with_the_cohort_are_those_told_one_by_one(two_visits: Tree) -> None:
    """The cohort's file would hold a copy of a table that stands beside it."""
    two_visits.scan("stray", "", done=False)
    two_visits.visits[2] = "A01\t1\t1.9\tA01_v1"
    result = prepare(two_visits.study())
    kept = json.loads(result.cohort.attrs["flags"])
    assert {"visit_off_nominal", "run_unfinished"} == {flag.rule for flag in result.quality}
    assert [{"rule", "patient", "visit", "reason"}] == [set(flag) for flag in kept]
    assert result.cohort.attrs["flags"] == prepare(replace(two_visits).study()).cohort.attrs["flags"]
