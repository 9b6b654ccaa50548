"""The same study gives the same bytes: elsewhere, again, after damage; and another study gives others."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


def _different(a: dict[str, str], b: dict[str, str]) -> set[str]:
    return {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}


def test_two_runs_of_one_study_differ_in_nothing_outside_logs(
    atrobayes_process, small_study: Path, small_run, digests_of
) -> None:
    """Results that cannot be repeated to the byte cannot be checked by anyone else."""
    # another copy of the study, another folder, another number of cores, another order of Python's sets
    results = small_study.parent / "elsewhere" / "out"
    done = atrobayes_process("run", small_study, "--out", results, "--jobs", 2, PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert 0 == done.code, done.err
    first, second = digests_of(small_run.results), digests_of(results)
    assert set() == _different(first, second)
    every_kind = {"report.html", "cohort.nc", "estimates.tsv", "posterior/year_to_year_t2--bayes--quadrature.nc"}
    assert every_kind <= set(first)


@pytest.mark.parametrize("command", ["prep", "compare", "run"])
def test_running_again_changes_nothing(atrobayes, results_copy: Path, small_run, digests_of, command: str) -> None:
    """A second look must not move the numbers of the first; nor may a single stage leave the rest behind."""
    assert 0 == atrobayes(command, small_run.study, "--out", results_copy).code
    assert set() == _different(digests_of(small_run.results), digests_of(results_copy))


def test_no_file_outside_logs_names_this_machine(small_run) -> None:
    """A results folder is passed on: paths and names of the machine would tell where patients' data lie."""
    words = {str(small_run.results.parent), str(small_run.study.parent)}
    # a short name, such as root, may be part of any other word
    words |= {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 5}
    found = [
        (path.name, word)
        for path in small_run.results.rglob("*")
        if path.is_file() and "logs" not in path.relative_to(small_run.results).parts
        for word in words
        if word.encode() in path.read_bytes()
    ]
    assert [] == found


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _flip_bytes(path: Path) -> None:
    """Damage each tenth of the file: some of it must hit numbers."""
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 20, len(content), len(content) // 10):
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [_truncate, _empty, _flip_bytes, Path.unlink])
def test_a_damaged_posterior_is_fitted_again_to_the_same_bytes(
    atrobayes, results_copy: Path, small_run, digests_of, damage: Callable[[Path], None]
) -> None:
    """A posterior that a full disk cut short would be read as it is, or stop every later run."""
    damage(results_copy / "posterior" / "year_to_year_gd--bayes--quadrature.nc")
    assert 0 == atrobayes("fit", small_run.study, "--out", results_copy).code
    assert set() == _different(digests_of(small_run.results), digests_of(results_copy))


def test_another_prior_is_fitted_anew(
    atrobayes, small_study: Path, results_copy: Path, small_run, digests_of, fit_ids_of
) -> None:
    """An answer kept from the earlier prior would be reported under the new one."""
    small_study.write_text(small_study.read_text().replace('slope = "regularising"', 'slope = "wide"'))
    assert 0 == atrobayes("fit", small_study, "--out", results_copy).code
    changed = fit_ids_of(results_copy)
    assert not {"contrast.tsv", "report.html", "figures"} & {entry.name for entry in results_copy.iterdir()}
    assert all(small_run.fit_ids[name] != changed[name] for name in small_run.fit_ids)
    assert "estimates.tsv" in _different(digests_of(small_run.results), digests_of(results_copy))
    # and back again: nothing of the detour stays
    assert 0 == atrobayes("report", small_run.study, "--out", results_copy).code
    assert set() == _different(digests_of(small_run.results), digests_of(results_copy))


def test_a_changed_count_is_fitted_anew_where_it_is_used(
    atrobayes, small_study: Path, results_copy: Path, small_run, fit_ids_of
) -> None:
    """A corrected visit table must reach the posterior; an analysis it does not touch need not wait."""
    visits = small_study.with_name("visits.tsv")
    text = visits.read_text()
    assert "\tP001.v1\t0\t0\t" in text
    visits.write_text(text.replace("\tP001.v1\t0\t0\t", "\tP001.v1\t4\t0\t"))
    assert 0 == atrobayes("fit", small_study, "--out", results_copy).code
    assert {"year_to_year_t2"} == _refitted(small_run.fit_ids, fit_ids_of(results_copy))


def test_an_edited_analysis_is_fitted_anew_and_no_other(
    atrobayes, small_study: Path, results_copy: Path, small_run, fit_ids_of
) -> None:
    """Whoever tries one more exclusion would wait for every model again, or get the old answer."""
    own = """
[[analyses.own]]
id = "few_lesions"
kind = "mixed"
predictor = "new_t2"
exclude = "new_t2_to > {most}"
"""
    plain = small_study.read_text().replace('"relapse_years"]', '"relapse_years", "few_lesions"]')
    small_study.write_text(plain + own.format(most=3))
    assert 0 == atrobayes("fit", small_study, "--out", results_copy).code
    before = fit_ids_of(results_copy)
    assert {name: before.get(name) for name in small_run.fit_ids} == small_run.fit_ids
    assert {"few_lesions--bayes--quadrature.nc", "few_lesions--bayes--quadrature--ALL.nc"} <= before.keys()
    times = _times(results_copy)
    small_study.write_text(plain + own.format(most=2))
    assert 0 == atrobayes("fit", small_study, "--out", results_copy).code
    assert {"few_lesions"} == _refitted(before, fit_ids_of(results_copy))
    written = {name for name, time in _times(results_copy).items() if time != times[name]}
    assert {"few_lesions"} == {name.partition("--")[0] for name in written}


def _refitted(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """Analyses of which a fit changed."""
    assert before.keys() == after.keys()
    return {name.partition("--")[0] for name in before if before[name] != after[name]}


def _times(results: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (results / "posterior").iterdir()}


def test_an_analysis_no_longer_asked_for_leaves_no_trace(
    atrobayes, small_study: Path, results_copy: Path, ask_only, digests_of, tmp_path: Path
) -> None:
    """A stale posterior or figure beside the new ones would be taken for one of them."""
    ask_only(small_study, "year_to_year_t2")
    assert 0 == atrobayes("run", small_study, "--out", results_copy).code
    assert 0 == atrobayes("run", small_study, "--out", tmp_path / "fresh").code
    after, fresh = digests_of(results_copy), digests_of(tmp_path / "fresh")
    assert set() == _different(after, fresh)
    assert not any("year_to_year_gd" in name for name in fresh)
