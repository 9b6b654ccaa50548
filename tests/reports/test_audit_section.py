"""What the audit's section shows of the founding paper's numbers beside those that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.data_prep.published_tables import read_published
from atrobayes.reports.audit.checks import run_checks
from atrobayes.reports.own_audit import write_audit
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.sections import audit, published_summary


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder: Path = tmp_path_factory.mktemp("audited")
    write_audit(folder, run_checks(read_published()))
    return Results(folder)


@pytest.fixture(scope="module")
def tables(results: Results) -> dict[str, Table]:
    made: Section = audit.make(results)
    return {table.name: table for table in made.tables}


def test_what_few_patients_can_show_stands_on_the_page(tables: dict[str, Table]) -> None:
    """That no |r| below 0.75 reaches p < 0.05 with seven patients would stay in a file that nobody opens."""
    shown = tables["audit-small"].frame
    (seven,) = [words for words in shown["In words"] if words.startswith("With n = 7 ")]
    assert "below 0.754 reaches p < 0.05" in seven


def test_the_number_of_tests_stands_on_the_page_and_in_the_summary(tables: dict[str, Table], results: Results) -> None:
    """A reader would take twenty small p-values for twenty findings, not knowing of how many tests."""
    first = tables["audit-tests"].frame.iloc[0]
    assert "all" == first["Analysis"]
    assert "76 tests in all; 21 have p < 0.05, and 3.8 would be expected" in first["In words"]
    (glance,) = published_summary.make(results).tables
    facts = dict(glance.frame.itertuples(index=False, name=None))
    assert facts["How many tests"].startswith("76 tests in all; 21 have p < 0.05")


def test_every_p_below_the_limit_has_its_own_row(tables: dict[str, Table]) -> None:
    """An adjusted p would be missing, or the count would contradict the list."""
    assert 21 == len(tables["audit-p"].frame)
    assert tables["audit-p"].folded


def test_what_only_describes_is_not_counted_as_fitting(tables: dict[str, Table], results: Results) -> None:
    """The share of numbers that fit would look larger than it is."""
    found = results.look("audit")
    assert found is not None
    assert "multiplicity" not in set(tables["audit-counts"].frame["Check"])
    counted = tables["audit-counts"].frame.drop(columns="Check").astype(int).to_numpy().sum()
    assert counted == len(found) - int((found["check"] == "multiplicity").sum())
