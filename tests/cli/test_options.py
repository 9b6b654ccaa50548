"""What the shared options do: --json, --quiet, --out, --engine, --seed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from atrobayes.files import cell, read_table

STUDY_COMMANDS = ("prep", "fit", "compare", "report", "run")


def _refuse_numbers_json_does_not_know(text: str) -> None:
    raise AssertionError(text)


def _items(out: str) -> list[dict[str, object]]:
    """Items of the one JSON object that must be all of standard output."""
    whole = json.loads(out, parse_constant=_refuse_numbers_json_does_not_know)
    assert {"schema_version", "items"} == set(whole)
    return whole["items"]


@pytest.mark.parametrize("command", STUDY_COMMANDS)
def test_json_is_the_whole_of_standard_output_and_quiet_the_end_of_standard_error(
    atrobayes, small_run, results_copy: Path, command: str
) -> None:
    """A program that reads the output stops at the first line that is no JSON; a cron job mails each line of noise."""
    done = atrobayes(command, small_run.study, "--out", results_copy, "--json", "--quiet")
    assert (0, "") == (done.code, done.err)
    assert _items(done.out)


def test_json_of_the_commands_without_a_study(atrobayes, tmp_path: Path) -> None:
    """Scripts that make an example or log the versions read JSON as well."""
    (made,) = _items(atrobayes("example", tmp_path / "demo", "--patients", 8, "--null", "--json").out)
    assert {"study": str(tmp_path / "demo" / "study.toml"), "patients": 8, "seed": 1, "null": True} == made
    assert {"python", "numpy"} <= {item["name"] for item in _items(atrobayes("environment", "--json").out)}


def test_progress_goes_to_standard_error(atrobayes, small_run, results_copy: Path) -> None:
    """Progress in standard output would end up in the file somebody saves the results to."""
    done = atrobayes("compare", small_run.study, "--out", results_copy, "--json")
    assert _items(done.out)
    assert all(stage in done.err for stage in ("prepare", "fit year_to_year_t2", "fit relapse_years", "contrast"))


@pytest.mark.parametrize(("command", "table"), [("fit", "estimates"), ("compare", "contrast")])
def test_json_and_table_say_the_same(atrobayes, small_run, results_copy: Path, command: str, table: str) -> None:
    """Two ways to read one result must not give two results."""
    items = _items(atrobayes(command, small_run.study, "--out", results_copy, "--json").out)
    rows = read_table(results_copy / f"{table}.tsv")
    assert len(rows) == len(items)
    for row, item in zip(rows.to_dict("records"), items, strict=True):
        assert row.keys() == item.keys()
        assert [] == [name for name in row if not _same(row[name], item[name])]


def _same(text: str, value: object) -> bool:
    if text in {"inf", "-inf"}:
        return value is None  # JSON knows no infinity
    if isinstance(value, str) or value is None:
        return text == cell(value)
    # JSON carries 12 decimals, the table 8 significant digits
    return math.isclose(float(text), float(str(value)), rel_tol=1e-7, abs_tol=1e-12)


def test_out_names_the_results_folder_and_nothing_is_written_elsewhere(
    atrobayes, small_study: Path, tmp_path: Path
) -> None:
    """Data folders are often read-only, and must stay as they are."""
    before = sorted(small_study.parent.rglob("*"))
    assert 0 == atrobayes("prep", small_study, "--out", tmp_path / "elsewhere" / "results").code
    assert before == sorted(small_study.parent.rglob("*"))
    assert (tmp_path / "elsewhere" / "results" / "cohort.nc").is_file()


def test_the_engine_of_the_command_line_goes_over_that_of_the_study(atrobayes, small_study: Path) -> None:
    """Whoever asks for another engine must not get the file's, and the table must say which one ran."""
    small_study.write_text(small_study.read_text().replace('engine = "quadrature"', 'engine = "nutpie"'))
    assert 0 == atrobayes("fit", small_study, "--engine", "quadrature").code
    rows = read_table(small_study.parent / "results" / "estimates.tsv")
    assert {"quadrature"} == set(rows.loc[rows["method"].str.startswith("bayes"), "engine"])
    posteriors = {path.stem for path in (small_study.parent / "results" / "posterior").iterdir()}
    slopes = {f"year_to_year_{which}--bayes--quadrature{part}" for which in ("t2", "gd") for part in ("", "--ALL")}
    assert slopes | {"relapse_years--bayes_normal--quadrature"} == posteriors


def test_what_the_engine_leaves_out_is_said_once_for_each_model(atrobayes, small_run, results_copy: Path) -> None:
    """A model missing from the table without a word would be taken for one that nobody thought of."""
    said = atrobayes("fit", small_run.study, "--out", results_copy).err
    left_out = [line.split()[2] for line in said.splitlines() if line.startswith("left out: ")]
    assert ["mixed_robust", "structures_pooled", "comparison"] == left_out


def test_the_seed_of_the_command_line_goes_over_that_of_the_study(
    atrobayes, results_copy: Path, small_run, fit_ids_of
) -> None:
    """A seed that is not used, or not kept with the fit, makes draws that nobody can repeat."""
    assert 0 == atrobayes("fit", small_run.study, "--out", results_copy, "--seed", 1).code
    assert small_run.fit_ids == fit_ids_of(results_copy)
    assert 0 == atrobayes("fit", small_run.study, "--out", results_copy, "--seed", 2).code
    other = fit_ids_of(results_copy)
    assert small_run.fit_ids.keys() == other.keys()
    assert all(small_run.fit_ids[name] != other[name] for name in other)
    assert 2 == json.loads((results_copy / "logs" / "run.json").read_text())["study"]["study"]["seed"]


def test_example_with_another_seed_is_another_cohort(atrobayes, tmp_path: Path) -> None:
    """Calibration over many examples would repeat one and the same cohort."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert 0 == atrobayes("example", tmp_path / name, "--patients", 8, "--seed", seed).code
    visits = [(tmp_path / name / "visits.tsv").read_text() for name in "abc"]
    assert visits[0] == visits[1]
    assert visits[0] != visits[2]
