"""The example on disk: whole or not at all, the same for the same seed, like real FreeSurfer output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atrobayes.data_prep.example import simulate_cohort, write_example
from atrobayes.data_prep.example_anatomy import pieces
from atrobayes.errors import UsageError
from atrobayes.files import read_table
from atrobayes.study import read_study

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "real"
REAL_741 = REAL / "fastsurfer-oasis1" / "OAS1_0001-3" / "stats" / "aseg.stats"
REAL_APARC = REAL / "fphammerle-freesurfer-stats" / "soichi" / "stats" / "lh.aparc.stats"
REAL_LONG = REAL / "hebbianloop-fs-summer-workshop" / "sub.01.dh.02.long.sub.01.base.03"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "demo"
    write_example(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def measures(text: str) -> dict[str, float]:
    lines = [line.split(", ") for line in text.splitlines() if line.startswith("# Measure ")]
    return {fields[1]: float(fields[3]) for fields in lines}


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if not line.startswith("#")]


def skeleton(text: str) -> list[str]:
    """Header lines without what differs from run to run and machine to machine."""
    lines = [line for line in text.splitlines() if line.startswith("#")]
    lines = [re.sub(r", [-\d.e+]+, (?=mm|unitless)", ", #, ", line) for line in lines]
    own = r"# (\w*name|user|SUBJECTS_DIR|CreationTime|ColorTable|\w*TimeStamp|cmdline|\S*version)\b.*"
    return [re.sub(own, r"# \1", line) for line in lines]


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    """Nobody could repeat anybody's example."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_example(tmp_path / name, patients=4, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    other = contents(tmp_path / "c")
    assert contents(tmp_path / "a")["visits.tsv"] != other["visits.tsv"]


def test_study_file_is_read_with_every_value_at_its_default(example: Path) -> None:
    """A key shown as default that is not the default would mislead everybody who copies the file."""
    study = read_study(example / "study.toml")
    expected = ("CLAD", "ALEM")
    assert expected == study.study.groups
    for name in ("definitions", "analyses", "priors", "inference"):
        assert type(getattr(study, name))() == getattr(study, name)
    assert example / "subjects" == study.data.subjects_dir
    expected = ("paper", "long")
    assert expected == (study.data.structures, study.data.stream)


def test_tables_hold_the_simulated_cohort(example: Path) -> None:
    """What is analysed would not be what was simulated."""
    cohort = simulate_cohort()
    visits = read_table(example / "visits.tsv")
    assert cohort.visits["fsid"].fillna("n/a").tolist() == visits["fsid"].tolist()
    assert cohort.visits["new_t2"].tolist() == visits["new_t2"].astype(float).tolist()
    assert cohort.visits["edss"].tolist() == visits["edss"].astype(float).tolist()
    assert (visits.loc[visits["visit"] == "0", "relapses"] == "n/a").all()
    assert cohort.patients["group"].tolist() == read_table(example / "patients.tsv")["group"].tolist()
    assert len(cohort.truth) == len(read_table(example / "truth.tsv"))


def test_every_scan_has_cross_long_and_template_with_their_files(example: Path) -> None:
    """A reader tested on the example would meet folders that FreeSurfer does not make."""
    cohort = simulate_cohort()
    subjects = example / "subjects"
    scanned = cohort.visits[cohort.visits["status"] != "none"]
    expected = {f"{patient}.base" for patient in scanned["patient"]} | set(scanned["fsid"])
    expected |= {
        f"{fsid}.long.{patient}.base" for patient, fsid in zip(scanned["patient"], scanned["fsid"], strict=True)
    }
    assert expected == {run.name for run in subjects.iterdir()}
    for patient, own in scanned.groupby("patient"):
        assert own["fsid"].tolist() == (subjects / f"{patient}.base" / "base-tps").read_text().split()
    files = {"stats/aseg.stats", "stats/lh.aparc.stats", "stats/rh.aparc.stats"}
    files |= {f"scripts/{name}" for name in ("build-stamp.txt", "recon-all.done", "recon-all-status.log")}
    assert files == set(contents(subjects / scanned["fsid"].iloc[0]))


def test_the_unfinished_and_the_failed_run_look_so(example: Path) -> None:
    """The exclusions of the flow table could not be found on disk."""
    cohort = simulate_cohort()
    runs = {
        status: example / "subjects" / f"{row['fsid']}.long.{row['patient']}.base"
        for status in ("running", "errors", "quality")
        for _, row in cohort.visits[cohort.visits["status"] == status].iterrows()
    }
    running = set(contents(runs["running"]))
    assert {"scripts/IsRunning.lh+rh", "scripts/build-stamp.txt", "scripts/recon-all-status.log"} == running
    log = (runs["errors"] / "scripts" / "recon-all-status.log").read_text()
    assert "exited with ERRORS" in log.splitlines()[-1]
    assert not (runs["errors"] / "scripts" / "recon-all.done").exists()
    assert (runs["quality"] / "scripts" / "recon-all.done").exists()
    marked = read_table(example / "visits.tsv").query("quality == 'fail'")["fsid"].tolist()
    assert [runs["quality"].name.split(".long.")[0]] == marked


def test_a_finished_run_can_have_failed_before(example: Path) -> None:
    """Real logs hold old failures: only the last word counts, and a reader has to meet that."""
    log = (example / "subjects" / "P001.v0.long.P001.base" / "scripts" / "recon-all-status.log").read_text()
    assert "exited with ERRORS" in log
    assert "finished without error" in log.splitlines()[-1]


def test_volumes_on_disk_are_the_simulated_ones(example: Path) -> None:
    """The truth would be lost between the numbers and the files."""
    cohort = simulate_cohort()
    first = cohort.long.iloc[0]
    text = (example / "subjects" / "P001.v0.long.P001.base" / "stats" / "aseg.stats").read_text()
    table = {row[4]: float(row[3]) for row in rows(text)}
    expected = 45
    assert expected == len(table)
    assert first["Left-Thalamus"] == pytest.approx(table["Left-Thalamus"], abs=0.05)  # one decimal
    found = measures(text)
    assert first["etiv"] == pytest.approx(found["eTIV"], abs=1e-6)  # six decimals
    assert first[pieces("whole_brain")].sum() == pytest.approx(found["BrainSegVolNotVent"], abs=1e-6)
    base = measures((example / "subjects" / "P001.base" / "stats" / "aseg.stats").read_text())
    assert found["eTIV"] == base["eTIV"]


def test_regions_add_up_to_the_cortex(example: Path) -> None:
    """Regional analyses of the example would contradict its cortex."""
    stats = example / "subjects" / "P001.v0.long.P001.base" / "stats"
    cortex = measures((stats / "aseg.stats").read_text())
    for hemi in ("lh", "rh"):
        table = rows((stats / f"{hemi}.aparc.stats").read_text())
        expected = 34
        assert expected == len(table)
        # each region is rounded to a whole mm³
        assert cortex[f"{hemi}CortexVol"] == pytest.approx(sum(float(row[3]) for row in table), abs=17)


@pytest.mark.skipif(not REAL_741.is_file(), reason="the real files are not beside this checkout")
def test_cross_sectional_aseg_has_the_header_and_rows_of_a_real_one(example: Path) -> None:
    """The readers would be tested on a format that does not exist."""
    ours = (example / "subjects" / "P001.v0" / "stats" / "aseg.stats").read_text()
    real = REAL_741.read_text()
    assert skeleton(real) == skeleton(ours)
    assert [(row[0], row[1], row[4]) for row in rows(real)] == [(row[0], row[1], row[4]) for row in rows(ours)]
    widths = {len(line) for text in (real, ours) for line in text.splitlines() if not line.startswith("#")}
    expected = 1
    assert expected == len(widths)


@pytest.mark.skipif(not REAL_LONG.is_dir(), reason="the real files are not beside this checkout")
def test_longitudinal_aseg_lacks_the_surface_holes_as_a_real_one(example: Path) -> None:
    """A reader that asks for them would pass here and fail on real longitudinal runs."""
    ours = measures((example / "subjects" / "P001.v0.long.P001.base" / "stats" / "aseg.stats").read_text())
    real = measures((REAL_LONG / "stats" / "aseg.stats").read_text())
    # version 7 moved these two to brainvol.stats
    moved = {"BrainSegVolNotVentSurf", "SupraTentorialVolNotVentVox"}
    assert [name for name in real if name not in moved] == list(ours)
    assert "SurfaceHoles" in measures((example / "subjects" / "P001.base" / "stats" / "aseg.stats").read_text())


@pytest.mark.skipif(not REAL_APARC.is_file(), reason="the real files are not beside this checkout")
def test_aparc_has_the_regions_and_columns_of_a_real_one(example: Path) -> None:
    """Regional readers would be tested on regions that do not exist."""
    ours = (example / "subjects" / "P001.v0" / "stats" / "lh.aparc.stats").read_text()
    real = REAL_APARC.read_text()
    assert skeleton(real) == skeleton(ours)
    assert [row[0] for row in rows(real)] == [row[0] for row in rows(ours)]
    assert {len(line) for line in real.splitlines()[-34:]} == {len(line) for line in ours.splitlines()[-34:]}


def test_a_folder_with_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Somebody's study would be overwritten."""
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="found files in it"):
        write_example(tmp_path, patients=4)
    with pytest.raises(UsageError, match="found a file"):
        write_example(tmp_path / "note.txt", patients=4)
    expected = {"note.txt": b"mine"}
    assert expected == contents(tmp_path)


@pytest.mark.parametrize(("patients", "seed", "found"), [(3, 1, "3 patients"), (52, -1, "seed -1")])
def test_numbers_that_make_no_cohort_are_refused(tmp_path: Path, patients: int, seed: int, found: str) -> None:
    """A cohort without a group, or a traceback, would be the answer."""
    with pytest.raises(UsageError, match=found):
        write_example(tmp_path / "demo", patients=patients, seed=seed)
    expected = []
    assert expected == list(tmp_path.iterdir())


def test_an_empty_folder_is_filled_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """`atrobayes example .` in a new folder should work and leave no scratch."""
    target = tmp_path / "demo"
    target.mkdir()
    write_example(target, patients=4)
    expected = ["demo"]
    assert expected == [item.name for item in tmp_path.iterdir()]
    assert (target / "study.toml").is_file()
    assert (target / "subjects").is_dir()


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run would leave a study that looks whole."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("atrobayes.data_prep.example.write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        write_example(tmp_path / "demo", patients=4)
    expected = []
    assert expected == list(tmp_path.iterdir())


def test_no_trace_of_the_machine(example: Path) -> None:
    """Paths, users and hosts of whoever made the example would be published with it."""
    home = str(Path.home()).encode()
    text = b"".join(contents(example).values())
    assert str(example.parent).encode() not in text
    assert home == b"/" or home not in text
