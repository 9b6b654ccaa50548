"""The results folder: nobody else's files are touched, and two runs never mix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from atrobayes.errors import StudyError
from atrobayes.folder import Folder, open_folder


def _refused(path: Path) -> str:
    with pytest.raises(StudyError) as caught, open_folder(path):
        pass
    (fault,) = caught.value.faults
    assert str(path) == fault.file
    return fault.found


@pytest.mark.parametrize("name", ["thesis.docx", "patients.tsv", ".ssh"])
def test_a_folder_with_a_strangers_file_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    """Results replace what has their name; in somebody's own folder that could be their data."""
    (tmp_path / name).write_text("years of work")
    assert repr(name) == _refused(tmp_path)
    assert [tmp_path / name] == list(tmp_path.iterdir())


def test_names_that_results_have_do_not_make_a_folder_ours(tmp_path: Path) -> None:
    """Somebody's figures/ would be cleaned of the figures this run does not make."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "fMRIPrep"}]}')
    assert "'dataset_description.json'" == _refused(tmp_path)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"GeneratedBy": "atrobayes"}', '{"GeneratedBy": [{}]}'])
def test_a_description_that_does_not_name_us_does_not_open_a_folder(tmp_path: Path, text: str) -> None:
    """A description of another kind is no leave to write, and no reason to break down."""
    (tmp_path / "dataset_description.json").write_text(text)
    assert "'dataset_description.json'" == _refused(tmp_path)


def test_a_folder_of_ours_is_opened_again(tmp_path: Path) -> None:
    """A second run, or one after a kill, goes on in the folder of the first."""
    with open_folder(tmp_path / "results") as folder:
        folder.describe("Study", "0.1.0")
        (folder.path / "figures").mkdir()
    with open_folder(tmp_path / "results") as folder:
        assert Folder(tmp_path / "results") == folder
    description = json.loads((tmp_path / "results" / "dataset_description.json").read_text())
    assert ("derivative", [{"Name": "atrobayes", "Version": "0.1.0"}]) == (
        description["DatasetType"],
        description["GeneratedBy"],
    )


def test_what_a_killed_run_left_unfinished_is_cleared_away(tmp_path: Path) -> None:
    """Unfinished files would gather, and a half-written one could be taken for something."""
    for _ in range(2):
        with open_folder(tmp_path) as folder:
            folder.scratch.mkdir()
            (folder.scratch / ".estimates.tsv.partial").write_text("half")
        assert not folder.scratch.exists()
    folder.scratch.mkdir()
    (folder.scratch / ".estimates.tsv.partial").write_text("half, killed")
    with open_folder(tmp_path) as folder:
        assert not folder.scratch.exists()


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    """Two runs writing one folder would leave a mixture of both."""
    with open_folder(tmp_path):
        assert "another run at work" == _refused(tmp_path)
    with open_folder(tmp_path):
        pass


def test_a_run_that_fails_gives_its_folder_back(tmp_path: Path) -> None:
    """Else one error would lock the folder for good."""
    with pytest.raises(RuntimeError), open_folder(tmp_path):
        raise RuntimeError
    with open_folder(tmp_path):
        pass


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    """A slip of the hand in --out is not a bug of ours, and must not cost the file."""
    path = tmp_path / "results"
    path.write_text("mine")
    assert _refused(path)
    assert "mine" == path.read_text()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The user can mend a path; a traceback would not say so."""
    shutil.copy(__file__, tmp_path / "file")
    assert "Not a directory" == _refused(tmp_path / "file" / "results")


def test_what_a_file_browser_leaves_is_no_stranger(tmp_path: Path) -> None:
    """Opening the results in a file browser would lock the user out of them."""
    (tmp_path / ".DS_Store").write_bytes(b"")
    with open_folder(tmp_path) as folder:
        folder.describe("study", "0")
    (tmp_path / "Thumbs.db").write_bytes(b"")
    with open_folder(tmp_path):
        assert (tmp_path / ".DS_Store").exists()


def test_later_results_go_when_what_they_rest_on_changes(tmp_path: Path) -> None:
    """A report of the earlier data would lie beside the new tables."""
    with open_folder(tmp_path) as folder:
        folder.describe("study", "0")
        for text, kept in (("a", False), ("a", True), ("b", False)):
            (tmp_path / "report.html").write_text("old")
            with folder.renewing("estimated", "estimates.tsv"):
                (tmp_path / "estimates.tsv").write_text(text)
            assert kept == (tmp_path / "report.html").exists()


def test_a_run_killed_while_renewing_leaves_nothing_stale_after_the_next(tmp_path: Path) -> None:
    """Killed between a new table and the removal of the old report, the next run would see no change and keep both."""
    with open_folder(tmp_path) as folder:
        folder.describe("study", "0")
        (tmp_path / "report.html").write_text("old")
        half_way = folder.renewing("estimated", "estimates.tsv")
        half_way.__enter__()
        (tmp_path / "estimates.tsv").write_text("new")
        with folder.renewing("estimated", "estimates.tsv"):
            (tmp_path / "estimates.tsv").write_text("new")
        assert not (tmp_path / "report.html").exists()
