"""Faults: said once for all the lines they stand in."""

from __future__ import annotations

from atrobayes.errors import DataError, Fault


def test_equal_faults_are_one_line_that_names_the_rows() -> None:
    """A table written by another program would bury every other fault under its own."""
    same = [
        Fault("'NA'", "a number or n/a", "write n/a for missing", "visits.tsv", row, "edss") for row in range(2, 12)
    ]
    other = Fault("'x'", "a number or n/a", "mend it", "visits.tsv", 3, "new_t2")
    lines = str(DataError([*same, other])).splitlines()
    assert "11 problems:" == lines[0]
    assert 3 == len(lines)
    assert "visits.tsv, lines 2, 3, 4, 5, 6 and 5 more, edss: found 'NA'" in lines[1]
    assert lines[2].startswith("visits.tsv, line 3, new_t2: found 'x'")


def test_one_fault_names_its_place() -> None:
    """A user would have to look for the row."""
    fault = Fault("'1,5'", "a decimal point", "write 1.5", "visits.tsv", 7, "edss")
    assert "visits.tsv, line 7, edss: found '1,5'; expected a decimal point; write 1.5" == str(fault)
    assert str(fault) == str(DataError(fault))
