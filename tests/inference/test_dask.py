"""A Dask cluster comes to the tables that this process comes to, whoever is killed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import spread_tasks
from simulated import frame_of, long_table
from spread_tasks import LeftOut, Piece, calls

from atrobayes.errors import UsageError
from atrobayes.inference import chunk, scale_out
from atrobayes.inference.look_store import LookStore
from atrobayes.inference.scale_out import Pool, spread
from atrobayes.inference.table_text import to_text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Pool]:
    """A scheduler of two workers, called by its address."""
    import dask
    from distributed import LocalCluster

    quick = {"distributed.scheduler.allowed-failures": 1, "distributed.comm.timeouts.connect": "2s"}
    with dask.config.set(quick), LocalCluster(2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as two:
        yield Pool(dask=two.scheduler_address)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def content(tables: list[pd.DataFrame]) -> list[str]:
    return [to_text(table) for table in tables]


def expected(count: int) -> list[str]:
    return content([spread_tasks.mixed_columns(number) for number in range(count)])


def test_a_cluster_leaves_patients_out_as_one_process_does(cluster: Pool) -> None:
    """Whoever has a cluster would publish other digits than whoever has a laptop."""
    frame = frame_of(long_table(5, patients=14, outcomes=3))
    items = [LeftOut(frame, patient) for patient in frame.patients]
    alone = spread(spread_tasks.without_patient, items)
    assert content(alone) == content(spread(spread_tasks.without_patient, items, pool=cluster))


def test_workers_of_this_machine_are_started_and_ended(marks: Path) -> None:
    """`--dask local` is how someone tries it before asking for a cluster."""
    told: list[int] = []
    found = spread(
        spread_tasks.marked,
        [Piece(number, marks) for number in range(6)],
        pool=Pool(2, "local"),
        progress=lambda done, _: told.append(done),
    )
    assert expected(6) == content(found)
    assert [0, 1, 2, 3, 4, 5, 6] == told
    assert [0, 1, 2, 3, 4, 5] == calls(marks)


def test_a_worker_killed_in_the_middle_changes_no_table(cluster: Pool, marks: Path, tmp_path: Path) -> None:
    """On a cluster workers end all the time: their time is up, their memory full."""
    items = [Piece(number, marks) for number in range(12)]
    found = spread(spread_tasks.deadly_once, items, pool=cluster, store=LookStore(tmp_path / "looks"))
    assert expected(12) == content(found)
    # the item was begun twice, so a worker did die of it
    assert 2 == calls(marks).count(3)
    assert expected(12) == content(spread(spread_tasks.deadly_once, items, store=LookStore(tmp_path / "looks")))
    assert 2 == calls(marks).count(3)


def test_an_item_that_ends_every_worker_is_told(cluster: Pool, marks: Path, tmp_path: Path) -> None:
    """The cluster would be killed worker by worker for ever."""
    items, store = [Piece(number, marks) for number in range(4)], LookStore(tmp_path / "looks")
    with pytest.raises(UsageError, match=r"(?s)workers.*What was finished is kept.*memory"):
        spread(spread_tasks.deadly, items, pool=cluster, store=store)
    # the workers are back, and serve others
    assert expected(2) == content(spread(spread_tasks.deadly, items[:2], pool=cluster, store=store))


def test_an_error_is_told_as_itself_with_the_item_named(cluster: Pool, marks: Path) -> None:
    """Of 10,000 items on 100 machines one fails: which?"""
    with pytest.raises(ZeroDivisionError, match="no rows left") as caught:
        spread(spread_tasks.faulty, [Piece(number, marks) for number in range(6)], pool=cluster)
    assert caught.value.__notes__[0].startswith("spread_tasks.faulty, item 4 of 6: Piece(number=3")


def test_workers_with_other_software_are_refused(cluster: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the forks would come from an older version, and nothing would tell which."""
    here = chunk.versions()
    monkeypatch.setattr(scale_out, "versions", lambda: {**here, "scipy": "0.1"})
    with pytest.raises(UsageError, match=rf"a worker has other software.*scipy {here['scipy']} and not 0\.1"):
        spread(spread_tasks.mixed_columns, range(2), pool=cluster)


def test_an_address_where_nobody_answers_is_told(cluster: Pool) -> None:
    """A misspelt address ends in a sentence, not in a trace."""
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        spread(spread_tasks.mixed_columns, range(2), pool=Pool(dask="tcp://127.0.0.1:9"))


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask is no dependency: most people never need it."""
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'atrobayes\[cluster\]'"):
        spread(spread_tasks.mixed_columns, range(2), pool=Pool(2, "local"))
