"""A run that is killed, wherever it is, and started again ends with the bytes of one that was left alone.

CI kills at 4 moments; `ATROBAYES_KILLS=20 pytest tests/cli/test_killed.py` at 20.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

KILLS = int(os.environ.get("ATROBAYES_KILLS", "4"))
PATIENCE = 120.0  # seconds; only a run that hangs takes longer


def _kill_after(seconds: float, words: list[str], results: Path) -> float:
    """Kill a run so long after it opens its results folder; 0, or how long it took if it was done before."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        began = time.monotonic()
        while not (results / "logs" / "run.lock").exists():
            assert run.poll() is None
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.005)
        opened = time.monotonic()
        while time.monotonic() - opened < seconds:
            if run.poll() is not None:
                return time.monotonic() - opened
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        return 0.0


def _kill(moment: float, seconds: float, words: list[str], results: Path) -> None:
    """Kill a run at a moment between 0 and 1 of its time; a machine with less to do than before may be quicker."""
    for _ in range(5):
        done_before = _kill_after(moment * seconds, words, results)
        if not done_before:
            return
        seconds = done_before
        shutil.rmtree(results)
    pytest.fail("the run was always done before it could be killed")


@pytest.mark.slow
@pytest.mark.parametrize("moment", [(k + 0.5) / KILLS for k in range(KILLS)])
def test_a_killed_run_started_again_ends_as_if_nothing_had_happened(
    small_run, command_words, atrobayes, digests_of, tmp_path: Path, moment: float
) -> None:
    """A power cut or a cluster's time limit would leave results that are half of one run and half of another."""
    results = tmp_path / "results"
    _kill(moment, small_run.seconds, command_words("run", small_run.study, "--out", results), results)
    undisturbed, left = digests_of(small_run.results), digests_of(results)
    # under a real name stand whole files only
    assert set() == {name for name in left if left[name] != undisturbed.get(name)}
    assert 0 == atrobayes("run", small_run.study, "--out", results).code
    after = digests_of(results)
    assert set() == {name for name in undisturbed.keys() | after.keys() if undisturbed.get(name) != after.get(name)}
    assert [] == [path for path in results.rglob("*") if path.name.endswith(".partial")]
