"""Reading in several processes gives what one process gives."""

from __future__ import annotations

import pytest
import xarray as xr

from atrobayes.data_prep import scan_reader
from atrobayes.data_prep.prepare import prepare
from atrobayes.errors import DataError

from .conftest import ROWS, Tree, stats_text


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few visits count as many."""
    monkeypatch.setattr(scan_reader, "FEWEST_TO_SHARE", 2)
    monkeypatch.setattr(scan_reader, "_ROWS_AT_ONCE", 3)


@pytest.mark.usefixtures("shared")
def test_the_cohort_does_not_depend_on_the_number_of_processes(two_visits: Tree) -> None:
    """The same study would give other numbers, or the same in another order, on a larger machine."""
    two_visits.visits += ["A01\t2\t2\tA01_v2", "A02\t2\t2\tn/a"]
    two_visits.scan("A01_v2.long.A01_base", stats_text(left_out=["Left-Amygdala"]))
    study = two_visits.study()
    alone, together = prepare(study), prepare(study, jobs=2)
    xr.testing.assert_identical(alone.cohort, together.cohort)
    assert alone.exclusions == together.exclusions
    assert alone.volumes.equals(together.volumes)
    assert alone.notes == together.notes


@pytest.mark.usefixtures("shared")
def test_rows_of_tables_are_read_in_other_processes_too(tree: Tree) -> None:
    """A study of tables with thousands of scans would end in a bug of ours."""
    lines = ["patient\tvisit\tstructure\tvolume\tetiv"]
    wide = ["\t".join(["Measure:volume", *ROWS])]
    for visit in range(4):
        tree.visits.append(f"A01\t{visit}\t{visit}\tv{visit}")
        wide.append("\t".join([f"v{visit}.long.b", *(str(volume - visit) for volume in ROWS.values())]))
        lines.append(f"A01\t{visit}\tlesions\t{100 + visit}\t1500000")
    (tree.folder / "aseg.tsv").write_text("\n".join(wide) + "\n")
    (tree.folder / "own.tsv").write_text("\n".join(lines) + "\n")
    tree.settings = (
        '[data]\ntables = ["aseg.tsv"]\nvolumes = "own.tsv"\nstructures = ["thalamus", "lesions"]\n'
        '[structures]\nlesions = { sum = ["lesions"] }\n'
    )
    alone, together = prepare(tree.study()), prepare(tree.study(), jobs=2)
    xr.testing.assert_identical(alone.cohort, together.cohort)
    assert [100.0, 101.0, 102.0, 103.0] == together.cohort["volume"].sel(structure="lesions").to_numpy().tolist()


@pytest.mark.usefixtures("shared")
def test_faults_of_all_processes_are_told_at_once(two_visits: Tree) -> None:
    """Of two damaged files in two processes one would be told, the other after the next run."""
    for run in ("A01_v0.long.A01_base", "A02_v1.long.A02_base"):
        (two_visits.subjects / run / "stats" / "aseg.stats").write_text("# cut")
    two_visits.settings = '[data]\nsubjects_dir = "fs"\n[structures]\nmy_own = { sum = ["Left-Cuadate"] }\n'
    said = []
    for jobs in (1, 2):
        with pytest.raises(DataError) as caught:
            prepare(two_visits.study(), jobs=jobs)
        said.append(str(caught.value))
    assert 3 == len(caught.value.faults)
    assert said[0] == said[1]


def _with_column(tree: Tree, name: str, *cells: str) -> None:
    tree.visits = [f"{line}\t{cell}" for line, cell in zip(tree.visits, (name, *cells), strict=True)]


def _statuses(tree: Tree) -> list[str]:
    found: list[str] = prepare(tree.study()).cohort["scan_status"].to_numpy().tolist()
    return found


def test_a_scan_of_unknown_protocol_is_kept_and_of_two_equally_usual_ones_the_first_by_name(two_visits: Tree) -> None:
    """A protocol nobody wrote down would cost the scan; a tie would be broken by the order of rows."""
    _with_column(two_visits, "protocol", "b", "a", "n/a", "n/a")
    assert ["protocol", "usable", "usable", "usable"] == _statuses(two_visits)


def test_the_ledger_says_how_soon_after_steroids_and_what_was_asked(two_visits: Tree) -> None:
    """A reader could not see that 55 days were held against 56."""
    _with_column(two_visits, "days_since_steroid", "55", "56", "n/a", "300")
    (row,) = [item for item in prepare(two_visits.study()).exclusions if item.rule == "steroid_washout"]
    assert "55 days after steroids, fewer than 56" == row.reason


def test_what_is_taken_off_has_a_minus_in_the_table_of_volumes(two_visits: Tree) -> None:
    """Lines that are subtracted would look added to whoever checks a volume by hand."""
    two_visits.settings = (
        '[data]\nsubjects_dir = "fs"\nstructures = ["own"]\n'
        '[structures]\nown = { sum = ["SubCortGrayVol"], minus = ["Left-Caudate"] }\n'
    )
    row = prepare(two_visits.study()).volumes.iloc[0]
    assert "SubCortGrayVol-Left-Caudate" == row["source"]
    first, second = str(row["lines"]).split("-")
    lines = (two_visits.subjects / str(row["file"])).read_text().splitlines()
    assert "SubCortGrayVol" in lines[int(first) - 1]
    assert "Left-Caudate" in lines[int(second) - 1]
    assert 60_000.0 - 3500.0 == row["volume"]


def test_a_run_with_another_segmentation_alone_asks_too(two_visits: Tree) -> None:
    """FastSurfer's volumes would stand in for FreeSurfer's because they are all there is."""
    for run in two_visits.subjects.iterdir():
        (run / "stats" / "aseg.stats").rename(run / "stats" / "aseg+DKT.stats")
    with pytest.raises(DataError, match=r'found aseg\+DKT\.stats; .* write segmentation = "aseg\+DKT\.stats"'):
        prepare(two_visits.study())


def test_of_two_files_of_one_name_that_in_stats_counts(two_visits: Tree) -> None:
    """Which of two files is read would hang on the order of folders."""
    for run in two_visits.subjects.iterdir():
        (run / "mri").mkdir()
        (run / "mri" / "aseg.stats").write_text(stats_text({"Left-Caudate": 3000.0}))
    assert {7000.0} == set(prepare(two_visits.study()).cohort["volume"].sel(structure="caudate").to_numpy())


def test_a_tidy_table_adds_to_the_scan_that_is_named(two_visits: Tree) -> None:
    """Lesion volumes from another program could not be joined with FreeSurfer's."""
    (two_visits.folder / "v.tsv").write_text("patient\tvisit\tstructure\tvolume\nA01\t0\tlesions\t5000\n")
    own = '[structures]\nlesions = { sum = ["lesions"], orientation = -1 }\n'
    two_visits.settings = f'[data]\nsubjects_dir = "fs"\nvolumes = "v.tsv"\n{own}'
    cohort = prepare(two_visits.study()).cohort
    assert ["usable"] * 4 == cohort["scan_status"].to_numpy().tolist()
    assert 5000.0 == cohort["volume"].sel(structure="lesions").to_numpy()[0]
    assert 7000.0 == cohort["volume"].sel(structure="caudate").to_numpy()[0]


def test_a_pattern_serves_the_visits_without_a_name_beside_those_with_one(two_visits: Tree) -> None:
    """One scan named by hand would turn the pattern off for all others."""
    two_visits.scan("odd.long.A02_base")
    two_visits.visits = [
        "patient\tvisit\tyears\tfsid",
        "A01\t0\t0\tn/a",
        "A01\t1\t1\tn/a",
        "A02\t0\t0\tn/a",
        "A02\t1\t1\todd",
    ]
    two_visits.settings = "[data]\nsubjects_dir = \"fs\"\nvisit_pattern = '(?P<patient>A\\d+)_v(?P<visit>\\d)'\n"
    cohort = prepare(two_visits.study()).cohort
    assert ["usable"] * 4 == cohort["scan_status"].to_numpy().tolist()
    assert "A02_v1" not in "".join(name for name in cohort.attrs["files"].split('"') if "aseg" in name)
