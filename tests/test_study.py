"""study.toml: what is wrong in it is said at once, at its place, in the words of the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from atrobayes.errors import Fault, StudyError
from atrobayes.study import read_study

DATA = '[data]\nsubjects_dir = "fs"\n'


def _write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def _faults(folder: Path, text: str) -> tuple[Fault, ...]:
    path = _write(folder, text)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert {str(path)} == {fault.file for fault in caught.value.faults}
    return caught.value.faults


def test_only_the_subjects_folder_is_required(tmp_path: Path) -> None:
    """A first study is two lines long."""
    study = read_study(_write(tmp_path, DATA))
    assert ("paper", "long", "auto", 0.95) == (
        study.data.structures,
        study.data.stream,
        study.inference.engine,
        study.inference.interval.prob,
    )
    assert tmp_path / "results" == study.default_out


def test_paths_are_relative_to_the_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Else the same study would read other files when started from another folder."""
    _write(tmp_path, '[data]\nsubjects_dir = "../fs"\npatients = "tables/p.tsv"\nvisits = "/abs/v.tsv"\n')
    monkeypatch.chdir(tmp_path)
    data = read_study(Path("study.toml")).data
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert (tmp_path / "../fs", tmp_path / "tables/p.tsv", Path("/abs/v.tsv")) == (
        data.subjects_dir,
        data.patients,
        data.visits,
    )


def test_a_study_cannot_be_changed_after_reading(tmp_path: Path) -> None:
    """What the report says was asked must be what was asked."""
    study = read_study(_write(tmp_path, DATA))
    with pytest.raises(ValidationError, match="frozen"):
        study.inference.draws = 5


def test_an_absent_study_file_is_named(tmp_path: Path) -> None:
    """The first mistake a user makes is the path."""
    with pytest.raises(StudyError, match=r"study\.toml: found no such file"):
        read_study(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("text", "column", "todo"),
    [
        (DATA + "[inference]\nchians = 4\n", "inference.chians", "did you mean 'chains'?"),
        (DATA + "[definitions]\nsteroids_week = 8\n", "definitions.steroids_week", "did you mean 'steroid_weeks'?"),
        (DATA + "[studdy]\n", "studdy", "did you mean 'study'?"),
        (DATA + "[priors]\nslope = { norml = [0, 1], normal = [0, 1] }\n", "priors.slope.norml", "'normal'?"),
        (DATA + '[structures]\nmine = { summ = ["a"], sum = ["a"] }\n', "structures.mine.summ", "mean 'sum'?"),
        (DATA + "[inference.interval]\nprobb = 0.9\n", "inference.interval.probb", "'prob'?"),
        (DATA + "zzz = 1\n", "data.zzz", "remove it"),
        ('path = "x"\n' + DATA, "path", "remove it"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, text: str, column: str, todo: str
) -> None:
    """A mistyped key that is passed over leaves the default in force, and the user believes otherwise."""
    (fault,) = _faults(tmp_path, text)
    assert (column, f"the unknown key {column.rpartition('.')[2]!r}") == (fault.column, fault.found)
    assert fault.todo.endswith(todo)


def test_the_keys_that_may_stand_there_are_listed(tmp_path: Path) -> None:
    """Where no key comes near, the user needs the list."""
    (fault,) = _faults(tmp_path, DATA + "[study]\nzzz = 1\n")
    assert "one of name, groups, seed" == fault.expected


@pytest.mark.parametrize(
    ("text", "column", "found", "expected"),
    [
        ("", "data", "nothing", "a value"),
        ("data = 3", "data", "3", "a table"),
        ("[data]\n", "data", "{}", "a source of volumes: subjects_dir, tables or volumes"),
        (DATA + "structures = 3", "data.structures", "3", "'paper' or 'all' or a list"),
        (DATA + 'structures = "papr"', "data.structures", "'papr'", "'paper' or 'all' or a list"),
        (DATA + 'structures = ["thalamus", 3]', "data.structures.1", "3", "text in quotes"),
        (DATA + "[study]\nseed = 1.5", "study.seed", "1.5", "a whole number"),
        (DATA + "[study]\nseed = -1", "study.seed", "-1", "a number greater than or equal to 0"),
        (DATA + '[study]\ngroups = "CLAD"', "study.groups", "'CLAD'", "a list"),
        (DATA + '[study]\ngroups = ["A", "A"]', "study.groups", "['A', 'A']", "each group once"),
        (DATA + "[definitions]\nsteroid_weeks = nan", "definitions.steroid_weeks", "nan", "a finite number"),
        (DATA + "[inference]\ninterval = { prob = 95 }", "inference.interval.prob", "95", "a number less than 1"),
        (DATA + "[priors]\nslope = { normal = [0, -1] }", "priors.slope.normal.1", "-1", "a number greater than 0"),
        (
            DATA + '[priors]\nslope = "bold"',
            "priors.slope",
            "'bold'",
            "'regularising', 'wide' or 'sceptical' or a table",
        ),
        (DATA + "[structures]\nmine = { sum = [] }", "structures.mine.sum", "[]", "at least one entry"),
        ("format = 2\n" + DATA, "format", "2", "1"),
        (
            DATA + "[inference]\nrope = { raw = 1, standardised = 1 }",
            "inference.rope",
            "the keys raw, standardised",
            "standardised or raw, not both",
        ),
    ],
)
def test_a_wrong_value_is_one_fault_with_its_place_and_what_should_stand_there(
    tmp_path: Path, text: str, column: str, found: str, expected: str
) -> None:
    """A message about Python's types would leave the writer of a TOML file alone."""
    (fault,) = _faults(tmp_path, text)
    assert (column, found, expected) == (fault.column, fault.found, fault.expected)


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    """Three mistakes are three lines of one message, not three runs."""
    faults = _faults(tmp_path, "[data]\n[study]\nseed = -1\n[inference]\nchians = 4\n")
    assert {"data", "study.seed", "inference.chians"} == {fault.column for fault in faults}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[data", "at end of document"),
        (b"[data]\nx = \n", "line 2: found Invalid value at column 5"),
        (b'[study]\nname = "\xff"\n', "not UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_line(tmp_path: Path, content: bytes, said: str) -> None:
    """The line is what an editor can jump to."""
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=said):
        read_study(path)


def test_a_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    """Some editors write one, unasked and unseen."""
    (tmp_path / "study.toml").write_bytes(b"\xef\xbb\xbf" + DATA.encode())
    assert 1 == read_study(tmp_path / "study.toml").format


@pytest.mark.parametrize(
    "line",
    [
        '[study]\nseed = "1"',
        "[study]\nseed = true",
        '[definitions]\nannualised = "yes"',
        "[definitions]\nannualised = 1",
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, line: str) -> None:
    """A text would be read as a number, and a slip as a choice."""
    path = tmp_path / "study.toml"
    path.write_text(f'{line}\n[data]\nsubjects_dir = "subjects"\n')
    with pytest.raises(StudyError):
        read_study(path)


def test_a_folder_in_place_of_the_study_file_is_called_one(tmp_path: Path) -> None:
    """A user who names the folder would be told it does not exist."""
    with pytest.raises(StudyError, match="found a folder"):
        read_study(tmp_path)


OWN = '[[analyses.own]]\nid = "mine"\nkind = "mixed"\npredictor = "age"\n'


def test_an_own_analysis_is_read_as_written(tmp_path: Path) -> None:
    """What the report says was asked must be what was asked; what is left out has the default of the catalogue."""
    more = 'from = 1\nto = 3\ncovariates = ["sex", "age"]\nexclude = "age > 60"\ngroup = false\n'
    plain, full = read_study(_write(tmp_path, DATA + OWN + OWN.replace("mine", "more") + more)).analyses.own
    assert ("change_pct_etiv", "next", (), "", True) == (
        plain.outcome, plain.to, plain.covariates, plain.exclude, plain.group,
    )  # fmt: skip
    assert (1, 3, ("sex", "age"), "age > 60", False) == (
        full.from_, full.to, full.covariates, full.exclude, full.group,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (OWN.replace('"mine"', '"my analysis"'), "id"),
        (OWN.replace('"mine"', '"../mine"'), "id"),
        (OWN.replace('"mixed"', '"anova"'), "kind"),
        (OWN.replace('predictor = "age"', ""), "predictor"),
        (OWN + "form = 1\n", "form"),
        (OWN + "from = 3\nto = 1\n", ""),
        (OWN + "to = 1.5\n", "to"),
        (OWN + "from = -1\n", "from"),
        (OWN + 'covariates = "age"\n', "covariates"),
    ],
)
def test_a_fault_in_an_own_analysis_is_said_at_its_place(tmp_path: Path, text: str, column: str) -> None:
    """Ids name files: one with a slash would be written elsewhere; an interval that runs backwards holds nothing."""
    (fault,) = _faults(tmp_path, DATA + text)
    assert ".".join(filter(None, ("analyses.own.0", column))) == fault.column


def test_a_prior_may_be_in_raw_units(tmp_path: Path) -> None:
    """0.01 % of eTIV per lesion would be read as 0.01 SDs."""
    text = DATA + '[priors]\nslope = { normal = [0, 0.01], scale = "raw" }\n'
    assert "raw" == read_study(_write(tmp_path, text)).priors.slope.scale
    plain = read_study(_write(tmp_path, text.replace(', scale = "raw"', "")))
    assert "standardised" == plain.priors.slope.scale
