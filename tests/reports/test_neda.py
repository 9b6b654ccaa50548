"""NEDA and its bounds as the report shows them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from atrobayes.reports.analyses import course
from atrobayes.reports.analyses.neda import neda_tables, neda_words
from atrobayes.reports.results import Results, read_results

YEARS = pd.DataFrame(
    [
        ("A", "CLAD", 0.0, 1.0, "yes", "undetermined", "no"),
        ("B", "CLAD", 0.0, 1.0, "undetermined", "undetermined", ""),
        ("C", "CLAD", 0.0, 1.0, "no", "no", "yes"),
        ("D", "ALEM", 1.0, 2.0, "yes", "yes", "unconfirmed"),
    ],
    columns=["patient", "group", "visit_from", "visit_to", "neda3", "neda4", "edss_progression"],
)


@pytest.fixture
def results(made_up, tmp_path: Path) -> Results:
    folder = read_results(made_up.make_results(tmp_path, every_kind=True))
    folder.__dict__["intervals"] = YEARS
    return folder


def test_shares_stand_with_their_bounds(results: Results) -> None:
    """Undetermined years would be hidden in one share that looks exact."""
    (table,) = neda_tables(results)
    shown = table.frame.set_index(["Measure", "Year", "Group"])
    first = shown.loc[("NEDA-3", "0 to 1", "CLAD")]
    assert ["3", "1", "1", "1", "50", "33 to 67"] == first.tolist()
    assert ("NEDA-3", "0 to 1", "ALEM") not in shown.index  # no patient-year at all
    assert "0 to 67" == shown.loc[("NEDA-4", "0 to 1", "CLAD"), "Worst to best case, %"]


def test_unconfirmed_rises_are_said(results: Results) -> None:
    """Rises nobody could confirm would count silently, one way or the other."""
    how, rises = neda_words(results)
    assert "another method" in how
    assert "1 year with a confirmed progression, 1 year with a rise" in rises


def test_the_course_shows_neda_where_it_is_known(results: Results) -> None:
    """A study without relapses or lesions would get a table of nothing but unknown."""
    names = [table.name for table in course.part(results, "clinical_course").tables]
    assert ["course-seen", "neda-bounds"] == names[:2]
    nothing = YEARS.assign(neda3="undetermined", neda4="undetermined")
    results.__dict__["intervals"] = nothing
    part = course.part(results, "clinical_course")
    assert "neda-bounds" not in [table.name for table in part.tables]
    assert not any("NEDA" in text for text in part.paragraphs)
