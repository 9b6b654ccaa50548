"""`atrobayes audit`: published tables in, findings out, and our own numbers under the same eye."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from atrobayes.data_prep.published_tables import COLUMNS
from atrobayes.files import read_table
from atrobayes.reports import own_audit
from atrobayes.reports.audit.finding import COLUMNS as FINDING_COLUMNS

GOOD = "Table 1\tgrowth\tleaf\tslope\tA\t12\t0.200\t0.074\t0.53\t0.28\n"
HEADER = "source\tanalysis\tstructure\tterm\tgroup\tn\testimate\tp\tr\tr2\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "table.tsv").write_text(HEADER + GOOD)
    return tmp_path / "table.tsv"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_with_nothing_named_the_papers_tables_are_audited(atrobayes, elsewhere: Path) -> None:
    """The first minute: findings, a file with all comparisons, and the exit code of a disagreement."""
    done = atrobayes("audit")
    assert 4 == done.code
    assert "the founding paper: checks" in done.out
    assert "digits that do not fit each other" in done.err
    found = read_table(elsewhere / "published-results" / "audit.tsv")
    assert [column.name for column in FINDING_COLUMNS] == list(found)
    assert {"inconsistent", "only_under", "consistent", "cannot_check"} == set(found["verdict"])
    again = (elsewhere / "published-results" / "audit.tsv").read_bytes()
    assert 4 == atrobayes("audit").code
    assert again == (elsewhere / "published-results" / "audit.tsv").read_bytes()


def test_a_table_whose_digits_fit_ends_with_0(atrobayes, table: Path) -> None:
    """A script that audits a manuscript before it is sent must be able to tell."""
    done = atrobayes("audit", table)
    assert (0, "") == (done.code, done.err)
    assert (table.parent / "table-results" / "audit.json").is_file()


def test_a_table_whose_digits_do_not_fit_ends_with_4(atrobayes, table: Path) -> None:
    """The same script would let it pass."""
    table.write_text(HEADER + GOOD.replace("0.074", "0.014"))
    done = atrobayes("audit", table, "--quiet")
    assert 4 == done.code
    assert "table.tsv: 3 findings of digits that do not fit each other" in done.err
    assert "r = 0.53 with n = 12 gives p" in " ".join(done.out.split())


def test_json_is_one_object_with_every_finding(atrobayes, table: Path) -> None:
    """Programs read findings by the names the documentation gives."""
    told = json.loads(atrobayes("audit", table, "--json").out)
    assert ["schema_version", "items"] == list(told)
    assert [column.name for column in FINDING_COLUMNS] == list(told["items"][0])


def test_what_was_read_otherwise_is_said(atrobayes, table: Path) -> None:
    """A comma read as a decimal point where a thousand was meant would be seen by nobody."""
    table.write_text(HEADER + GOOD.replace("0.200", "0,200"))
    done = atrobayes("audit", table)
    assert "table.tsv: estimate: a decimal comma (1 cell)" in done.err


def test_a_bad_table_is_one_clear_message_and_leaves_nothing(atrobayes, table: Path) -> None:
    """Half an audit of a misread table is worse than none."""
    table.write_text(HEADER + GOOD.replace("\t12\t", "\t1\t"))
    done = atrobayes("audit", table)
    assert (1, "") == (done.code, done.out)
    assert "line 2, n: found '1'" in done.err
    assert ["table.tsv"] == [entry.name for entry in table.parent.iterdir()]


def test_templates_explain_every_column_and_are_never_overwritten(atrobayes, elsewhere: Path) -> None:
    """A table filled in over an hour must survive a second --init."""
    assert 0 == atrobayes("audit", "--init", "mine").code
    assert {"estimates", "summaries"} == {path.stem for path in (elsewhere / "mine").iterdir()}
    explained = json.loads((elsewhere / "mine" / "estimates.json").read_text())
    assert [column.name for column in COLUMNS] == list(explained)[1:]
    header = (elsewhere / "mine" / "estimates.tsv").read_text().rstrip("\n").split("\t")
    (elsewhere / "mine" / "estimates.tsv").write_text(
        "\t".join(header) + "\n" + GOOD.rstrip() + "\t" * (len(header) - 10) + "\n"
    )
    assert 0 == atrobayes("audit", "mine/estimates.tsv").code
    done = atrobayes("audit", "--init", "mine/estimates.tsv")
    assert (1, "") == (done.code, done.out)
    assert GOOD.rstrip() in (elsewhere / "mine" / "estimates.tsv").read_text()


def test_results_of_a_study_are_not_overwritten(atrobayes, table: Path, small_run) -> None:
    """The audit of a paper beside the estimates of a study would look as if it were of them."""
    before = (small_run.results / "audit.tsv").read_bytes()
    done = atrobayes("audit", table, "--out", small_run.results)
    assert 1 == done.code
    assert "the results of a study" in done.err
    done = atrobayes("audit", small_run.results / "estimates.tsv")
    assert 1 == done.code
    assert "name one with --out" in done.err
    assert before == (small_run.results / "audit.tsv").read_bytes()


def test_our_own_estimates_pass_their_audit(atrobayes, small_run, tmp_path: Path) -> None:
    """Numbers of ours that do not fit each other would be published by somebody who trusted them."""
    found = read_table(small_run.results / "audit.tsv")
    assert {"consistent", "cannot_check"} >= set(found["verdict"])
    assert {"p_from_interval", "interaction"} <= set(found.loc[found["verdict"] == "consistent", "check"])
    done = atrobayes("audit", small_run.results / "estimates.tsv", "--out", tmp_path / "own")
    assert 0 == done.code, done.out
    assert Counter(found["check"]) == Counter(read_table(tmp_path / "own" / "audit.tsv")["check"])


def test_a_misprint_of_ours_is_a_warning_and_no_exit_code(
    atrobayes, small_run, results_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report must not be lost to its own audit, nor the audit in the report."""
    honest = own_audit.audit_estimates

    def off(*args):
        first, *others = honest(*args)
        return [replace(first, verdict="inconsistent", message="made up"), *others]

    monkeypatch.setattr(own_audit, "audit_estimates", off)
    done = atrobayes("report", small_run.study, "--out", results_copy)
    assert 0 == done.code, done.err
    assert "our own estimates: 1 finding of digits that do not fit each other; see audit.tsv" in done.err
    page = (results_copy / "report.html").read_text()
    assert "Digits that do not fit each other" in page
    assert "made up" in page
