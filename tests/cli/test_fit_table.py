"""`atrobayes fit --table`: any long table, without a study."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atrobayes.files import read_table

WORDS = ("--outcome", "reaction", "--predictor", "days", "--engine", "quadrature")


def _rows(patients: int = 8, visits: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    subject = np.repeat([f"S{k}" for k in range(patients)], visits)
    days = np.tile(np.arange(visits), patients)
    reaction = 250 + 10 * days + np.repeat(rng.normal(0, 20, patients), visits) + rng.normal(0, 10, len(days))
    arm = np.repeat(["b", "a"] * (patients // 2), visits)
    return pd.DataFrame({"reaction": reaction.round(2), "days": days, "subject": subject, "arm": arm})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    _rows().to_csv(tmp_path / "sleep.csv", index=False)
    return tmp_path / "sleep.csv"


def _edit(path: Path, line: int, **cells: str) -> None:
    """Write cells into a line of a table (the header is line 1)."""
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column, text in cells.items():
        rows.loc[line - 2, column] = text
    rows.to_csv(path, index=False)


def _estimates(path: Path) -> pd.DataFrame:
    return read_table(path.parent / "sleep-results" / "estimates.tsv")


def test_a_table_is_fitted_both_ways_beside_itself(atrobayes, table: Path) -> None:
    """Whoever tries us on the table they fitted with lme4 wants both answers, and a place to find them."""
    done = atrobayes("fit", "--table", table, *WORDS, "--patient", "subject", "--group", "arm")
    assert 0 == done.code, done.err
    rows = _estimates(table)
    assert ["slope[b]", "slope[a]", "interaction", "slope[ALL]"] == list(dict.fromkeys(rows["term"]))
    assert {"classical", "classical_kr", "classical_z", "bayes"} == set(rows["method"])
    assert {"reaction per days"} == set(rows["unit"])
    assert {"reaction"} == set(rows["outcome"]) == set(rows["structure"])
    made = {entry.name for entry in (table.parent / "sleep-results").iterdir()}
    assert {"estimates.tsv", "exclusions.tsv", "posterior", "logs"} <= made
    assert not {"report.html", "cohort.nc"} & made
    assert "40 rows of 8 patients: slopes on a predictor, patients with several rows" in done.err
    # a row of the printed table for each row of the file
    printed = [line.split() for line in done.out.splitlines() if line.split()[:1] == ["reaction"]]
    assert len(rows) == sum("slope[" in " ".join(line) or "interaction" in line for line in printed)


def test_the_classical_slope_is_that_of_least_squares_where_each_patient_has_one_row(atrobayes, table: Path) -> None:
    """A slope in other units than the table's would be ten or a hundred times another."""
    assert 0 == atrobayes("fit", "--table", table, *WORDS).code
    rows = _estimates(table).set_index("method")
    slope = np.polyfit(_rows()["days"], _rows()["reaction"], 1)[0]
    assert slope == pytest.approx(float(rows.loc["classical", "estimate"]), rel=1e-6)
    assert slope == pytest.approx(float(rows.loc["bayes", "estimate"]), rel=0.1)
    assert {"ols"} == {rows.loc["classical", "engine"]}


def test_the_prior_speaks_of_one_sd_of_the_predictor(atrobayes, table: Path) -> None:
    """A prior for one day, or one millisecond, would shrink the slope by what unit the table happens to use."""
    assert 0 == atrobayes("fit", "--table", table, *WORDS, "--patient", "subject").code
    days = _estimates(table).set_index("method").loc["bayes"]
    scaled = _rows().assign(days=_rows()["days"] * 24.0)
    scaled.to_csv(table, index=False)
    assert 0 == atrobayes("fit", "--table", table, *WORDS, "--patient", "subject").code
    hours = _estimates(table).set_index("method").loc["bayes"]
    assert float(days["estimate"]) == pytest.approx(24 * float(hours["estimate"]), rel=1e-6)
    assert float(days["u"]) == pytest.approx(_rows()["days"].std(), rel=1e-6)


def test_rows_that_lack_something_are_left_out_counted_and_named(atrobayes, table: Path) -> None:
    """A row dropped without a word is a bias nobody can look up; a missing value taken for zero is worse."""
    _edit(table, 4, days="NA")
    _edit(table, 9, arm="")
    _edit(table, 12, reaction="n/a")
    done = atrobayes("fit", "--table", table, *WORDS, "--patient", "subject", "--group", "arm")
    assert 0 == done.code
    ledger = read_table(table.parent / "sleep-results" / "exclusions.tsv")
    found = set(ledger[["stage", "patient", "analysis", "rule", "reason"]].itertuples(index=False, name=None))
    assert {
        ("analysis", "S0", "table", "count_missing", "line 4: no days: missing is not zero"),
        ("analysis", "S1", "table", "label_missing", "line 9: no arm: missing is not zero"),
        ("analysis", "S2", "table", "outcome_missing", "line 12: no reaction"),
    } == found
    assert all(f"1 row left out: no {name}; see exclusions.tsv" in done.err for name in ("days", "arm", "reaction"))
    assert {"37"} == set(_estimates(table).query("term == 'slope[ALL]'")["n_obs"])


def test_two_outcomes_each_have_their_own_rows(atrobayes, table: Path) -> None:
    """An outcome missing in one row must not cost the other outcome that row."""
    _rows().assign(errors=_rows()["reaction"] ** 0.5).to_csv(table, index=False)
    _edit(table, 5, errors="")
    words = ("--outcome", "reaction,errors", *WORDS[2:], "--patient", "subject")
    assert 0 == atrobayes("fit", "--table", table, *words).code
    rows = _estimates(table).query("method == 'bayes'").set_index("structure")
    assert {"reaction": "40", "errors": "39"} == rows["n_obs"].to_dict()
    assert {"reaction": "reaction per days", "errors": "errors per days"} == rows["unit"].to_dict()


@pytest.mark.parametrize(
    ("separator", "bom", "quoted", "name"),
    [("\t", False, False, "sleep.tsv"), (";", True, False, "sleep.csv"), (",", False, True, "sleep.txt")],
)
def test_the_ways_tables_are_written_give_one_result(
    atrobayes, tmp_path: Path, table: Path, separator: str, bom: bool, quoted: bool, name: str
) -> None:
    """R, pandas and spreadsheets write the same rows in different ways."""
    words = (*WORDS, "--patient", "subject", "--json", "--quiet")
    expected = json.loads(atrobayes("fit", "--table", table, *words).out)["items"]
    other = tmp_path / "other" / name
    other.parent.mkdir()
    encoding = "utf-8-sig" if bom else "utf-8"
    # with row names and quotes, as R's write.csv has them
    _rows().to_csv(other, sep=separator, index=quoted, quoting=2 if quoted else 0, encoding=encoding)
    done = atrobayes("fit", "--table", other, *words)
    assert (0, "") == (done.code, done.err)
    assert expected == json.loads(done.out)["items"]


def test_all_faults_of_a_table_are_said_at_once_with_file_line_and_column(atrobayes, table: Path) -> None:
    """Nobody should rerun to see the second error."""
    _edit(table, 3, reaction="fast")
    _edit(table, 5, days="1,5")
    _edit(table, 7, days="2,5")
    done = atrobayes("fit", "--table", table, *WORDS, "--covariates", "arm,weight")
    assert (1, "") == (done.code, done.out)
    said = done.err.splitlines()
    assert "atrobayes: 5 problems:" == said[0]
    assert f"{table}, line 3, reaction: found 'fast'; expected a number; write a number" in done.err
    assert f"{table}, lines 5, 7, days: found a decimal comma; expected a number; write a decimal point" in done.err
    assert f"{table}, arm: found text ('b', 'a'); expected numbers; code two states as 0 and 1" in done.err
    assert f"{table}, line 1, weight: found no such column; expected one of reaction, days, subject, arm" in done.err
    assert [table] == list(table.parent.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty file"),
        ("reaction\n1\n", "a header of one column"),
        ("reaction,days\n1,2\n3\n", "line 3: found 1 cells; expected 2 as in the header"),
        ('reaction,days\n"1,2\n3,4\n', "line 2: found"),
        ("reaction,days,days\n1,2,3\n", "days: found this column 2 times"),
        ("reaction,days\n1,2\n3,4\n", "reaction: found 2 rows with everything; expected at least 4 for 1 group"),
        ("reaction,days\n1,2\n3,2\n5,2\n4,2\n", "days: found one and the same value"),
        ("reaction;days\n1,5;2\n3,5;1\n5;2\n4;2\n", "lines 2, 3, reaction: found a decimal comma"),
    ],
)
def test_a_table_that_cannot_be_fitted_is_one_clear_error(atrobayes, table: Path, text: str, said: str) -> None:
    """A guess about a broken row would change results without a word."""
    table.write_text(text)
    done = atrobayes("fit", "--table", table, *WORDS)
    assert (1, "") == (done.code, done.out)
    assert str(table) in done.err
    assert said in done.err
    assert [table] == list(table.parent.iterdir())


def test_an_unknown_engine_is_refused_before_anything_is_made(atrobayes, table: Path) -> None:
    """A mistyped engine must not fall back to another one."""
    done = atrobayes("fit", "--table", table, *WORDS[:-1], "nutpy")
    assert (2, "") == (done.code, done.out)
    assert "unknown engine 'nutpy'" in done.err
    assert [table] == list(table.parent.iterdir())


def test_a_studys_results_are_not_mixed_with_a_tables(atrobayes, table: Path, results_copy: Path, digests_of) -> None:
    """Estimates of a table beside the cohort of a study would look as if they came from it."""
    before = digests_of(results_copy)
    done = atrobayes("fit", "--table", table, *WORDS, "--out", results_copy)
    assert 1 == done.code
    assert "found the results of a study" in done.err
    assert before == digests_of(results_copy)


def test_fitting_again_changes_nothing_and_another_seed_the_draws_only(
    atrobayes, table: Path, digests_of, fit_ids_of
) -> None:
    """Results that cannot be repeated to the byte cannot be checked by anyone else."""
    results = table.parent / "sleep-results"
    words = ("fit", "--table", table, *WORDS, "--patient", "subject")
    assert 0 == atrobayes(*words).code
    first, ids = digests_of(results), fit_ids_of(results)
    assert 0 == atrobayes(*words, "--jobs", 1).code
    assert first == digests_of(results)
    assert 0 == atrobayes(*words, "--seed", 7).code
    assert all(ids[name] != other for name, other in fit_ids_of(results).items())
