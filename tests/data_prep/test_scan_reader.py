"""Reading in several processes gives what one process gives."""

from __future__ import annotations

import pytest
import xarray as xr

from atrobayes.data_prep import scan_reader
from atrobayes.data_prep.prepare import prepare
from atrobayes.errors import DataError

from .conftest import Tree, stats_text


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
