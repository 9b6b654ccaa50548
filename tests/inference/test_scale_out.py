"""Many calls in this process or in several come to the same tables, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import spread_tasks
from simulated import frame_of, long_table
from spread_tasks import LeftOut, Piece, calls, workers

from atrobayes.errors import DataError, Fault, UsageError
from atrobayes.inference import look_keys
from atrobayes.inference.look_keys import digest, key_of, name_of
from atrobayes.inference.look_store import LookStore
from atrobayes.inference.scale_out import Pool, spread
from atrobayes.inference.table_text import from_text, to_text

TWO = Pool(jobs=2)
TESTS = Path(__file__).parents[1]
MANY, SECONDS = 120, 0.05
# a run as a command makes it, in a process that can be stopped from outside
# a process begun in the background may have been told to pass over Ctrl-C, and so would all it begins
RUN = """
import signal
import sys
from pathlib import Path
from spread_tasks import Piece, marked
from atrobayes.inference.look_store import LookStore
from atrobayes.inference.scale_out import Pool, spread
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    looks, marks, *seconds = sys.argv[1:]
    items = [Piece(number, Path(marks), float(each)) for number, each in enumerate(seconds)]
    spread(marked, items, pool=Pool(2), store=LookStore(Path(looks)))
"""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> LookStore:
    return LookStore(tmp_path / "looks", tmp_path / "scratch")


def pieces(marks: Path, count: int = 6) -> list[Piece]:
    return [Piece(number, marks) for number in range(count)]


def content(tables: list[pd.DataFrame]) -> list[str]:
    return [to_text(table) for table in tables]


def file_of(function: Callable[..., pd.DataFrame], store: LookStore) -> Path:
    return store.path(name_of(function))


def assert_same_bits(expected: pd.DataFrame, table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(expected, table, check_exact=True)
    for name in expected.select_dtypes("number"):
        assert expected[name].to_numpy().tobytes() == table[name].to_numpy().tobytes()


@pytest.mark.parametrize("pool", [Pool(), TWO])
def test_tables_come_back_as_the_function_made_them(pool: Pool) -> None:
    """A digit lost on the way between processes would make results depend on --jobs."""
    tables = spread(spread_tasks.mixed_columns, range(40), pool=pool)
    assert 40 == len(tables)
    for number, table in enumerate(tables):
        assert_same_bits(spread_tasks.mixed_columns(number), table)


def test_tables_stand_in_the_order_of_the_items(marks: Path) -> None:
    """Rows of one analysis under another's name: the item that takes longest must not come last."""
    slow_first = [Piece(number, marks, seconds=0.4 * (number == 0)) for number in range(5)]
    tables = spread(spread_tasks.marked, slow_first, pool=TWO)
    assert [0, 1, 2, 3, 4] == [table["number"][0] for table in tables]


def test_leaving_each_patient_out_gives_the_same_posteriors_in_one_process_and_in_two() -> None:
    """Someone with more cores would publish other digits."""
    frame = frame_of(long_table(5, patients=14, outcomes=3))
    items = [LeftOut(frame, patient) for patient in frame.patients]
    one, two = (spread(spread_tasks.without_patient, items, pool=pool) for pool in (Pool(), TWO))
    for item, alone, beside in zip(items, one, two, strict=True):
        assert_same_bits(spread_tasks.without_patient(item), alone)
        assert_same_bits(alone, beside)
    assert 14 == len({to_text(table.drop(columns="patient")) for table in one})


@pytest.mark.parametrize("pool", [Pool(), TWO])
def test_linear_algebra_has_one_thread_while_items_are_computed(pool: Pool) -> None:
    """With more, the order of sums, so the last digits, could hang on the machine, and cores be asked for twice."""
    before = spread_tasks.threads(0)["threads"].tolist()
    found = pd.concat(spread(spread_tasks.threads, range(4), pool=pool))["threads"]
    assert len(found) >= 4
    assert {1} == set(found)
    assert before == spread_tasks.threads(0)["threads"].tolist()


@pytest.mark.parametrize("pool", [Pool(), TWO])
def test_what_is_kept_is_not_computed_again(pool: Pool, store: LookStore, marks: Path) -> None:
    """A night's work would be done anew because one item was added."""
    first = spread(spread_tasks.marked, pieces(marks), pool=pool, store=store)
    told: list[tuple[int, int]] = []
    more = spread(
        spread_tasks.marked, pieces(marks, 8), pool=pool, store=store, progress=lambda *done: told.append(done)
    )
    assert [0, 1, 2, 3, 4, 5, 6, 7] == calls(marks)
    assert content(first) == content(more)[:6]
    assert [(6, 8), (7, 8), (8, 8)] == told


def test_progress_moves_through_long_work() -> None:
    """A bar that stands still for an hour looks like a run that hangs."""
    told: list[int] = []
    spread(spread_tasks.mixed_columns, range(300), pool=TWO, progress=lambda done, _: told.append(done))
    assert (0, 300) == (told[0], told[-1])
    assert max(np.diff(told)) <= 16
    assert sorted(told) == told


@pytest.mark.parametrize("damage", ["cut off", "a digit changed", "another key", "no text"])
def test_a_damaged_line_is_computed_again_and_no_other(damage: str, store: LookStore, marks: Path) -> None:
    """Half a line that is read as a table, or an edited one, would be reported as a result."""
    whole = spread(spread_tasks.marked, pieces(marks), store=store)
    path = file_of(spread_tasks.marked, store)
    lines = path.read_text().splitlines(keepends=True)
    undamaged, last = path.read_bytes(), lines[-1]
    worse = {
        "cut off": last[: len(last) // 2],
        "a digit changed": last.replace("0.", "1.", 1),
        "another key": "0" * 64 + last[64:],
        "no text": "\x00\n",
    }[damage]
    assert worse != last
    path.write_text("".join(lines[:-1]) + worse)
    again = spread(spread_tasks.marked, pieces(marks), store=store)
    assert 7 == len(calls(marks))
    assert content(whole) == content(again)
    store.keep_only_asked()
    assert undamaged == path.read_bytes()


def test_a_line_added_after_one_that_was_cut_off_stands_by_itself(store: LookStore) -> None:
    """The first result after a resumed run would be lost with the half line before it, again and again."""
    store.add("look", {"a": "1"})
    path = store.path("look")
    path.write_bytes(path.read_bytes()[:-3])
    store.add("look", {"b": "2"})
    assert {"b": "2"} == store.find("look", ["a", "b"])


def test_results_of_items_that_are_gone_are_removed_and_other_looks_stay(store: LookStore, marks: Path) -> None:
    """The folder would grow with every change of the study file."""
    spread(spread_tasks.marked, pieces(marks), store=store)
    spread(spread_tasks.mixed_columns, range(3), store=store)
    later = LookStore(store.folder, store.scratch)
    spread(spread_tasks.marked, pieces(marks, 2), store=later)
    assert 6 == len(file_of(spread_tasks.marked, later).read_text().splitlines())
    later.keep_only_asked()
    assert 2 == len(file_of(spread_tasks.marked, later).read_text().splitlines())
    assert 3 == len(file_of(spread_tasks.mixed_columns, later).read_text().splitlines())
    assert 6 == len(calls(marks))


@pytest.mark.parametrize("pool", [Pool(), TWO])
def test_an_error_is_told_as_itself_with_the_item_named(pool: Pool, store: LookStore, marks: Path) -> None:
    """Of 10,000 items one fails at three in the morning: which?"""
    with pytest.raises(ZeroDivisionError, match="no rows left") as caught:
        spread(spread_tasks.faulty, pieces(marks), pool=pool, store=store)
    (note,) = caught.value.__notes__
    assert note.startswith("spread_tasks.faulty, item 4 of 6: Piece(number=3")
    done = calls(marks)
    assert 3 not in done
    # whoever starts the third item is the second to be free: at most one of those before is still at work
    assert (3 if pool.jobs == 1 else 2) <= len({0, 1, 2} & set(done))
    # what was finished is whole: it is found, and not computed again
    finished = [piece for piece in pieces(marks) if piece.number < 3]
    kept = spread(spread_tasks.faulty, finished, store=store)
    assert content([spread_tasks.mixed_columns(number) for number in range(3)]) == content(kept)
    if pool == Pool():
        assert [0, 1, 2] == calls(marks)


def test_an_error_that_cannot_be_sent_is_told_in_words(marks: Path) -> None:
    """The pool would break, and the message be about the pool."""
    with pytest.raises(RuntimeError, match=r"HardToSendError: out of range; spread_tasks.hard_to_send, item 1 of 2"):
        spread(spread_tasks.hard_to_send, pieces(marks, 2), pool=TWO)


def test_faults_of_the_data_can_be_sent() -> None:
    """A fault found in a worker process would be told as a bug of ours."""
    import pickle

    error = DataError([Fault("nothing", "a number", file="visits.tsv", row=3), Fault("two", "one")])
    error.add_note("item 7")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(error), error.faults, ["item 7"]) == (str(back), back.faults, back.__notes__)


def test_a_worker_that_dies_is_told_with_what_to_do(store: LookStore, marks: Path) -> None:
    """The system ends a process when memory runs out: the message must say so, and the finished items stay."""
    with pytest.raises(UsageError, match=r"memory.*what was finished is kept.*--jobs 1"):
        spread(spread_tasks.deadly, [*pieces(marks, 3), Piece(3, marks)], pool=TWO, store=store)
    done = calls(marks)
    kept = spread(spread_tasks.deadly, pieces(marks, 3), pool=Pool(), store=store)
    assert content([spread_tasks.mixed_columns(number) for number in range(3)]) == content(kept)
    assert len(calls(marks)) < 3 + len(done)


def start(looks: Path, marks: Path, seconds: list[float]) -> subprocess.Popen[str]:
    """A run of items that take so long each."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    words = [sys.executable, "-c", RUN, str(looks), str(marks), *map(str, seconds)]
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(marks: Path, count: int, run: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    while len(calls(marks)) < count:
        assert run.poll() is None, run.stderr.read()
        assert time.monotonic() - began < 120
        time.sleep(0.01)


def wait_for_the_end_of(processes: set[int]) -> None:
    """Workers that outlive their run would fill the machine, night by night."""
    import psutil

    def alive(process: int) -> bool:
        try:
            return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    began = time.monotonic()
    while left := {process for process in processes if alive(process)}:
        assert time.monotonic() - began < 20, left
        time.sleep(0.05)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_stood(tmp_path: Path, marks: Path) -> None:
    """A cluster's time limit would cost everything, or leave other numbers than an undisturbed run."""
    looks = tmp_path / "looks"
    with start(looks, marks, [SECONDS] * MANY) as run:
        wait_for(marks, 20, run)
        run.kill()
    wait_for_the_end_of(workers(marks))
    before = calls(marks)
    store, items = LookStore(looks), [Piece(k, marks, SECONDS) for k in range(MANY)]
    name, keys = name_of(spread_tasks.marked), [key_of(spread_tasks.marked, digest(item)) for item in items]
    kept = store.find(name, keys)
    assert 10 <= len(kept) < MANY
    resumed = spread(spread_tasks.marked, items, pool=TWO, store=store)
    assert len(before) + MANY - len(kept) == len(calls(marks))
    expected = [spread_tasks.mixed_columns(k) for k in range(MANY)]
    assert content(expected) == content(resumed)
    undisturbed = LookStore(tmp_path / "undisturbed")
    undisturbed.add(name, dict(zip(keys, content(expected), strict=True)))
    undisturbed.settle(name)
    assert undisturbed.path(name).read_bytes() == store.path(name).read_bytes()


@pytest.mark.slow
def test_ctrl_c_stops_at_once_and_keeps_what_is_done(tmp_path: Path, marks: Path) -> None:
    """Whoever stops a run would wait for it all the same, read traces of every worker, or lose what was done."""
    run = start(tmp_path / "looks", marks, [SECONDS] * 10 + [100.0])
    wait_for(marks, 10, run)
    time.sleep(1)  # one worker is at the long item, the other has nothing to do
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert 1 == said.count("Traceback")
    assert said.strip().endswith("KeyboardInterrupt")
    assert run.returncode in {130, -signal.SIGINT}
    wait_for_the_end_of(workers(marks))
    assert 10 == len(file_of(spread_tasks.marked, LookStore(tmp_path / "looks")).read_text().split("\n")) - 1


def test_the_key_hangs_on_function_item_and_software(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result of an older program, or of another question, would be taken for this one's."""
    base = key_of(spread_tasks.marked, "1")
    assert base == key_of(spread_tasks.marked, "1")
    others = {key_of(spread_tasks.faulty, "1"), key_of(spread_tasks.marked, "2")}
    for name in ("atrobayes", "numpy", "scipy", "pandas", "source"):
        changed = {**look_keys.versions(), name: "other"}
        with monkeypatch.context() as patched:
            patched.setattr(look_keys, "versions", lambda changed=changed: changed)
            others.add(key_of(spread_tasks.marked, "1"))
    assert 7 == len(others - {base})


def test_the_digest_of_an_item_tells_apart_what_differs() -> None:
    """Two items with one digest would share one result."""
    from dataclasses import replace

    from atrobayes.inference.engine import Settings
    from atrobayes.inference.estimate import Choices

    frame = frame_of(long_table(5, patients=8))
    renamed = replace(frame, patients=tuple(f"X{k}" for k in range(8)))
    values = [1, 1.0, "1", True, None, (1,), [1], {"a": 1}, {"a": 2}, np.ones(2), np.ones(3), np.ones(2, np.float32)]
    values += [np.array(["a"]), np.array(["b"]), 0.0, -0.0, {1}, {1, 2}, Piece(1, Path("a")), Piece(1, Path("b"))]
    values += [frame, renamed, frame.without_patient(frame.patients[0]), Choices(), Choices(seed=2)]
    assert len(values) == len(set(map(digest, values)))
    assert digest(Choices()) == digest(Choices(settings=Settings(jobs=7)))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(TypeError, match="no digest of a object"):
        digest((1, object()))


@pytest.mark.parametrize(
    "column",
    [pd.to_datetime(["2020-01-01"]), pd.Categorical(["a"]), pd.array([1, None], dtype="Int64"), [(1, 2)]],
    ids=["date", "category", "nullable", "tuple"],
)
def test_columns_that_could_not_be_read_back_are_refused(column: object) -> None:
    """A category that comes back as text, or an integer as a float, would sort or print in another way."""
    with pytest.raises(TypeError, match="column 'it'"):
        to_text(pd.DataFrame({"it": column}))
    with pytest.raises(TypeError, match="names, each once"):
        to_text(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_an_empty_table_keeps_its_columns() -> None:
    """Tables of many analyses are put together: one without rows must not lose its columns' kinds."""
    empty = spread_tasks.mixed_columns(1).iloc[:0]
    assert_same_bits(empty.reset_index(drop=True), from_text(to_text(empty)))
    assert [] == spread(spread_tasks.mixed_columns, [], pool=TWO)
