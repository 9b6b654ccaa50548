"""A study begun from a SUBJECTS_DIR: whose scan is told from names, or asked for, never guessed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atrobayes.data_prep.new_study import begin_study
from atrobayes.data_prep.prepare import prepare
from atrobayes.data_prep.run_names import Reading, read_names
from atrobayes.data_prep.subjects_dir import Run, find_runs
from atrobayes.errors import DataError, UsageError
from atrobayes.files import read_table
from atrobayes.study import read_study

from .conftest import write_run

HERE = Path("fs")
HEBBIANLOOP = "hebbianloop-fs-summer-workshop"


def _runs(names: Sequence[str]) -> list[Run]:
    """Runs by the names of their folders; those without the marker are cross-sectional."""
    parts = [(name, *name.partition(".long.")) for name in names]
    return [
        Run(fsid, base or None, "long" if base else "cross", HERE / name, "7.4.1", "finished", "", where=name)
        for name, fsid, _, base in parts
    ]


def _read(*names: str, stream: str = "long", pattern: str | None = None, first: int | None = None) -> Reading:
    return read_names(HERE, _runs(names), stream, pattern, first)


def _told(reading: Reading) -> dict[str, tuple[str, int]]:
    return {point.fsid: (point.patient, point.visit) for point in reading.points}


def _refused(*names: str, stream: str = "long", pattern: str | None = None, first: int | None = None) -> str:
    with pytest.raises(DataError) as error:
        _read(*names, stream=stream, pattern=pattern, first=first)
    return str(error.value)


@pytest.mark.parametrize(
    ("template", "names", "patient", "visits"),
    [
        ("P001.base", ["P001.v0", "P001.v2"], "P001", [0, 2]),
        ("sub.01.base.03", ["sub.01.0", "sub.01.1"], "sub.01", [0, 1]),
        ("base_A01", ["A01_bl", "A01_m12", "A01_m36"], "A01", [0, 1, 3]),
        ("A01_template", ["A01_y0", "A01_y4"], "A01", [0, 4]),
        ("A01", ["A01_baseline", "A01_FU1"], "A01", [0, 1]),
        ("sub-01", ["sub-01_ses-0", "sub-01_ses-03"], "sub-01", [0, 3]),
        ("tmplX", ["A01-tp0", "A01-tp1"], "A01", [0, 1]),
        ("A01base", ["A01v0", "A01v1"], "A01", [0, 1]),
    ],
)
def test_patient_is_what_template_and_time_points_share_and_visit_the_label(
    template: str, names: list[str], patient: str, visits: list[int]
) -> None:
    """150 folders with plain names should not be typed again; each row wrong would be another patient's change."""
    reading = _read(*(f"{name}.long.{template}" for name in names))
    assert {name: (patient, visit) for name, visit in zip(names, visits, strict=True)} == _told(reading)


def test_a_missed_visit_is_not_renumbered() -> None:
    """Numbered by order, visit 2 of this patient would be visit 1, and its two years one."""
    reading = _read("A01_v0.long.A01", "A01_v1.long.A01", "A02_v0.long.A02", "A02_v2.long.A02")
    assert ("A02", 2) == _told(reading)["A02_v2"]


def test_visits_counted_from_1_must_be_told(tmp_path: Path) -> None:
    """v1 may be the scan before treatment, or the one a year after a baseline that is missing."""
    names = ["A01_v1.long.A01", "A01_v2.long.A01", "A02_v1.long.A02"]
    said = _refused(*names)
    assert "names that count visits from 1, such as A01_v1, A01_v2, A02_v1" in said
    assert "--first-visit 1" in said
    assert {"A01_v1": ("A01", 0), "A01_v2": ("A01", 1), "A02_v1": ("A02", 0)} == _told(_read(*names, first=1))
    assert {"A01_v1": ("A01", 1), "A01_v2": ("A01", 2), "A02_v1": ("A02", 1)} == _told(_read(*names, first=0))


@pytest.mark.parametrize(
    "names",
    [
        ["sub.01.bl.01.long.sub.01.base.03", "sub.01.dh.02.long.sub.01.base.03"],  # two labels
        ["A01_20190314.long.A01", "A01_20200320.long.A01"],  # dates
        ["A01_v0.long.A01", "A01_m12.long.A01"],  # two kinds of label
        ["A01_scanA.long.A01", "A01_scanB.long.A01"],  # letters
        ["A01_m0.long.A01", "A01_m6.long.A01"],  # no whole years
        ["A012_v0.long.A01"],  # another patient
        ["X_v0.long.A01"],  # nothing in common
    ],
)
def test_names_that_do_not_tell_are_refused_with_examples_and_the_way_out(names: list[str]) -> None:
    """A visit read wrongly is not found later: every number of the study would be built on it."""
    said = _refused(*names)
    assert any(name.partition(".long.")[0] in said for name in names)
    assert "--pattern '(?P<patient>" in said


def test_at_most_three_names_are_shown() -> None:
    """150 names on the screen hide what is asked."""
    said = _refused(*(f"A{number}_x.long.A{number}" for number in range(1, 8)))
    assert "A1_x, A2_x, A3_x (7 in all)" in said
    assert "A4_x" not in said


def test_numbers_that_look_like_months_are_refused() -> None:
    """Month 12 taken for year 12 leaves no two visits a year apart."""
    said = _refused("A01_0.long.A01", "A01_12.long.A01", "A01_24.long.A01")
    assert "visits 0, 12, 24, which look like months" in said
    assert "(?P<month>...)" in said


def test_a_pattern_reads_names_that_nothing_else_reads() -> None:
    """The error says so, and it must work."""
    names = ["sub.01.bl.01.long.sub.01.base.03", "sub.01.dh.02.long.sub.01.base.03"]
    reading = _read(*names, pattern=r"(?P<patient>sub\.\d+)\.\w+\.(?P<visit>\d+)", first=1)
    assert {"sub.01.bl.01": ("sub.01", 0), "sub.01.dh.02": ("sub.01", 1)} == _told(reading)


def test_a_pattern_may_read_months() -> None:
    """visit is the nominal year; names of trials mostly say months."""
    reading = _read("A01x0.long.T1", "A01x24.long.T1", pattern=r"(?P<patient>A\d+)x(?P<month>\d+)")
    assert {"A01x0": ("A01", 0), "A01x24": ("A01", 2)} == _told(reading)
    assert "the month '6' and the patient 'A01' in A01x6" in _refused(
        "A01x0.long.T1", "A01x6.long.T1", pattern=r"(?P<patient>A\d+)x(?P<month>\d+)"
    )


@pytest.mark.parametrize(
    "pattern", ["(?P<patient>", "(?P<patient>.+)", "(?P<patient>.+)(?P<visit>.)(?P<month>.)", ".+"]
)
def test_a_pattern_that_is_none_is_wrong_usage(pattern: str) -> None:
    """A slip on the command line is told as one."""
    with pytest.raises(UsageError, match="--pattern: found"):
        _read("A01_v0.long.A01", pattern=pattern)


def test_a_pattern_that_fits_nothing_shows_what_there_is() -> None:
    """An empty study would be written, and nobody would know why."""
    said = _refused("A01_v0.long.A01", "A01_v1.long.A01", pattern="(?P<patient>B.*)(?P<visit>.)")
    assert "a --pattern that fits none of 2 names; expected one that fits A01_v0, A01_v1" in said


def test_two_scans_of_one_visit_are_an_error_that_lists_them() -> None:
    """A rescan picked by chance."""
    said = _refused("A01_v1.long.A01", "A01_v01.long.A01", "A01_v0.long.A01")
    assert "found A01_v01 and A01_v1; expected one scan of A01, visit 1" in said


def test_two_templates_of_one_time_point_are_an_error_that_lists_them() -> None:
    """fsid names the time point: which of the two runs is meant must be settled in the folder."""
    assert "A01_v0 with the templates A01 and A01_base" in _refused("A01_v0.long.A01", "A01_v0.long.A01_base")


def test_two_templates_read_as_one_patient_are_an_error_that_lists_them() -> None:
    """Either a patient's scans have two templates, or two patients have one name."""
    said = _refused("A01_v0.long.A01", "A01_v1.long.A01_base")
    assert "the templates A01 and A01_base, both read as of patient A01" in said


def test_cross_sectional_names_tell_patient_and_visit_by_a_label_with_letters() -> None:
    """sub-0020 is no visit 20 of sub."""
    reading = _read("sub-01_ses-0", "sub-01_ses-1", "sub-02_ses-0", stream="cross")
    assert {"sub-01_ses-0": ("sub-01", 0), "sub-01_ses-1": ("sub-01", 1), "sub-02_ses-0": ("sub-02", 0)} == _told(
        reading
    )
    assert "found sub-0020; expected names such as" in _refused("sub-0020", stream="cross")


def test_a_folder_without_runs_of_the_stream_says_what_it_has() -> None:
    """Somebody with cross-sectional runs only needs --stream cross, not an empty study."""
    said = _refused("A01_v0", "A01_v1")
    assert "found 2 cross, 0 base and no long runs; expected long runs" in said
    assert "--stream cross" in said


def test_identifiers_in_names_are_refused_and_not_repeated() -> None:
    """Names of folders become patient ids, and those go into every table and the report."""
    said = _refused("44051401359_v0.long.44051401359", "44051401359_v1.long.44051401359")
    assert "an 11-digit number with a valid PESEL checksum in 2 names of folders" in said
    assert "4405" not in said


def test_every_time_point_of_a_template_is_written_finished_or_not(tmp_path: Path) -> None:
    """A scan that is still being processed belongs to the study; left out now, it would be forgotten."""
    subjects = tmp_path / "fs"
    write_run(subjects, "A01_v0.long.A01_base")
    write_run(subjects, "A01_v1.long.A01_base", done=False)
    template = write_run(subjects, "A01_base")
    (template / "base-tps").write_text("A01_v0\nA01_v1\nA01_v2\n")
    write_run(subjects, "A01_v3")
    begun = begin_study(tmp_path / "study", subjects)
    assert ["A01_v0", "A01_v1", "A01_v2"] == read_table(tmp_path / "study" / "visits.tsv")["fsid"].tolist()
    assert {"finished": 1, "unfinished": 1, "absent": 1} == dict(begun.states)
    assert ("1 cross run stands in no row: A01_v3",) == begun.notes


@pytest.fixture
def begun_study(tmp_path: Path) -> Path:
    for patient in ("A01", "A02"):
        for visit in (0, 1):
            write_run(tmp_path / "fs", f"{patient}_v{visit}.long.{patient}_base")
    begin_study(tmp_path / "study", tmp_path / "fs")
    return tmp_path / "study"


def test_a_begun_study_can_be_read_at_once_as_one_group(begun_study: Path) -> None:
    """`atrobayes check` right after init must say what is missing, not stumble over the empty columns."""
    cohort = prepare(read_study(begun_study / "study.toml")).cohort
    assert ["usable"] * 4 == cohort["scan_status"].to_numpy().tolist()
    assert ["ALL", "ALL"] == cohort["group"].to_numpy().tolist()
    assert "[]" == cohort.attrs["groups"]


def test_a_group_filled_in_for_some_patients_only_is_an_error(begun_study: Path) -> None:
    """A forgotten patient would be analysed in a group that nobody chose."""
    path = begun_study / "patients.tsv"
    path.write_text(path.read_text().replace("A01\tn/a", "A01\tCLAD"))
    with pytest.raises(DataError, match="line 3, group: found nothing; expected a group label"):
        prepare(read_study(begun_study / "study.toml"))


def test_groups_named_in_the_study_file_must_be_filled_in(begun_study: Path) -> None:
    """Named groups and an empty column: the comparison the study is about would be missing without a word."""
    path = begun_study / "study.toml"
    path.write_text(path.read_text().replace('# groups = ["A", "B"]', 'groups = ["A", "B"]  #'))
    with pytest.raises(DataError, match="lines 2, 3, group: found nothing; expected one of A, B"):
        prepare(read_study(path))


def test_clinical_columns_are_there_and_empty(begun_study: Path) -> None:
    """What is to be filled in must be seen; a zero in its place would be a finding."""
    visits = read_table(begun_study / "visits.tsv")
    expected = ["patient", "visit", "date", "fsid", "new_t2", "new_gd", "relapses", "edss", "days_since_steroid"]
    assert expected == visits.columns.tolist()
    assert {"n/a"} == set(visits.drop(columns=["patient", "visit", "fsid"]).to_numpy().ravel())
    assert ["A01_v0", "A01_v1", "A02_v0", "A02_v1"] == visits["fsid"].tolist()


@pytest.mark.parametrize(("place", "expected"), [("fs", "../fs"), ("a/b/fs", "../a/b/fs")])
def test_subjects_dir_is_relative_where_it_lies_beside_the_study(tmp_path: Path, place: str, expected: str) -> None:
    """Study and scans that are moved together must still find each other."""
    write_run(tmp_path / place, "A01_v0.long.A01")
    begin_study(tmp_path / "study", tmp_path / place)
    assert expected == tomllib.loads((tmp_path / "study" / "study.toml").read_text())["data"]["subjects_dir"]


def test_subjects_dir_is_absolute_where_it_lies_elsewhere(tmp_path: Path) -> None:
    """A path up to the root and down again breaks as soon as the study moves."""
    write_run(tmp_path / "fs", "A01_v0.long.A01")
    folder = tmp_path / "home" / "me" / 'a "quoted" study'
    begin_study(folder, tmp_path / "fs")
    study = read_study(folder / "study.toml")
    assert tmp_path / "fs" == study.data.subjects_dir
    assert 'a "quoted" study' == study.study.name


def test_nothing_is_left_behind_where_names_do_not_tell(tmp_path: Path) -> None:
    """Half a study would be taken for a whole one."""
    write_run(tmp_path / "fs", "A01_x.long.A01")
    with pytest.raises(DataError):
        begin_study(tmp_path / "study", tmp_path / "fs")
    assert ["fs"] == [path.name for path in tmp_path.iterdir()]


def test_what_bids_tells_is_filled_in(tmp_path: Path) -> None:
    """Dates and sexes that a dataset holds need not be typed again."""
    write_run(tmp_path / "fs", "sub-A01_ses-1.long.sub-A01")
    (tmp_path / "bids" / "sub-A01").mkdir(parents=True)
    (tmp_path / "bids" / "participants.tsv").write_text("participant_id\tsex\thandedness\nsub-A01\tf\tleft\n")
    (tmp_path / "bids" / "sub-A01" / "sub-A01_sessions.tsv").write_text(
        "session_id\tacq_time\nses-1\t2020-03-01T09:00:00\nses-2\t2021-03-01T09:00:00\n"
    )
    begun = begin_study(tmp_path / "study", tmp_path / "fs", bids=tmp_path / "bids")
    assert {"finished": 1, "absent": 1} == dict(begun.states)
    patients, visits = (read_table(tmp_path / "study" / f"{name}.tsv") for name in ("patients", "visits"))
    assert ["A01", "n/a", "F", "left"] == patients[
        ["patient", "group", "sex", "handedness"]
    ].to_numpy().ravel().tolist()
    assert ["2020-03-01", "2021-03-01"] == visits["date"].tolist()
    assert ["sub-A01_ses-1", "sub-A01_ses-2"] == visits["fsid"].tolist()
    prepared = prepare(read_study(tmp_path / "study" / "study.toml"))
    assert ["usable", "missing"] == prepared.cohort["scan_status"].to_numpy().tolist()


def test_names_of_a_real_folder_are_asked_for(real: Callable[[str], Path]) -> None:
    """Two states of one volunteer, named bl.01 and dh.02: no rule could know that these are no years."""
    folder = real(HEBBIANLOOP)
    with pytest.raises(DataError, match=r"found sub\.01\.bl\.01, sub\.01\.dh\.02") as error:
        read_names(folder, find_runs(folder), "long")
    assert "--pattern" in str(error.value)


def test_a_real_folder_is_read_by_a_pattern(real: Callable[[str], Path], tmp_path: Path) -> None:
    """Names with dots on both sides of the marker, a template with a number, an abandoned run."""
    pattern = r"(?P<patient>sub\.\d+)\.\w+\.(?P<visit>\d+)"
    begun = begin_study(tmp_path / "study", real(HEBBIANLOOP), pattern=pattern, first_visit=1)
    visits = read_table(tmp_path / "study" / "visits.tsv")
    assert [("sub.01", "0", "sub.01.bl.01"), ("sub.01", "1", "sub.01.dh.02")] == list(
        visits[["patient", "visit", "fsid"]].itertuples(index=False, name=None)
    )
    assert ("1 cross run stands in no row: sub.01.dh.01",) == begun.notes
    cohort = prepare(read_study(tmp_path / "study" / "study.toml")).cohort
    assert ["usable", "usable"] == cohort["scan_status"].to_numpy().tolist()
