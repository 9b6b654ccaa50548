"""Tables of published numbers: every fault at once, and the paper's own as shipped."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from atrobayes.data_prep.published_tables import of_estimates, read_published
from atrobayes.errors import DataError

HEADER = "source\tanalysis\tstructure\tterm\tgroup\tn\testimate\tp\tr\tci_low\tci_high\tprinted_digits\tdf\n"
GOOD = ["Table 1", "growth", "leaf", "slope", "A", "12", "0.50", "0.03", "0.6", "0.1", "0.9", "", ""]
NAMES = HEADER.split()


def _table(tmp_path: Path, **cells: str) -> Path:
    path = tmp_path / "estimates.tsv"
    row = [cells.get(name, cell) for name, cell in zip(NAMES, GOOD, strict=True)]
    path.write_text(HEADER + "\t".join(row) + "\n", encoding="utf-8")
    return path


def test_the_papers_tables_are_part_of_the_package() -> None:
    """The first minute of a new user would end with a missing file."""
    paper = read_published()
    assert (105, 48, ()) == (len(paper.estimates), len(paper.summaries), paper.notes)
    first = paper.estimates[0]
    assert ("Table 2", "CLAD", 59, -0.31265, 5) == (
        *(first.source, first.group, first.n),
        *(first.estimate.value, first.estimate.places),
    )
    assert {"", "ordinary"} == {row.model for row in paper.estimates}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"n": "1"}, "line 2, n: found '1'; expected a whole number, 3 or more"),
        ({"n": "7.5"}, "line 2, n: found '7.5'"),
        ({"p": "0"}, "line 2, p: found '0'; expected a p-value above 0"),
        ({"p": "1.2"}, "line 2, p: found '1.2'; expected a number from 0 to 1"),
        ({"p": "-0.2"}, "line 2, p: found '-0.2'; expected a number from 0 to 1"),
        ({"r": "1.1"}, "line 2, r: found '1.1'; expected a number from -1 to 1"),
        ({"estimate": "large"}, "line 2, estimate: found 'large'; expected a number"),
        ({"estimate": "<2"}, "line 2, estimate: found '<2'; expected a number, no bound"),
        ({"p": "1e-99999999"}, "line 2, p: found '1e-99999999'; expected a power of ten from -300 to 300"),
        ({"estimate": "2 × 10^400"}, "expected a power of ten from -300 to 300"),
        (
            {"n": "<10"},
            "line 2, n: found '<10'; expected a whole number, 3 or more: with fewer rows a slope has no p; no",
        ),
        ({"df": "> 30"}, "line 2, df: found '> 30'; expected a number, no bound"),
        ({"df": "0"}, "line 2, df: found '0'; expected a number above 0"),
        ({"r": "37.5%"}, "line 2, r: found '37.5%'; expected a number; leave the % out"),
        ({"p": "p = 0.03"}, "line 2, p: found 'p = 0.03'; expected a number; write the number alone, or n/a"),
        ({"p": "n.s."}, "line 2, p: found 'n.s.'; expected a number; write the number alone, or n/a"),
        ({"term": "slop"}, "did you mean 'slope'?"),
        ({"group": ""}, "line 2, group: found nothing; expected a name"),
        ({"ci_low": "1.5"}, "line 2, ci_low: found 1.5 above 0.9"),
    ],
)
def test_a_bad_cell_is_one_clear_fault(tmp_path: Path, cells: dict[str, str], said: str) -> None:
    """Whoever typed a table in by hand must learn where the slip is, not that something failed."""
    with pytest.raises(DataError) as told:
        read_published(_table(tmp_path, **cells))
    assert 1 == len(told.value.faults)
    assert said in str(told.value)


def test_all_faults_of_both_tables_are_told_at_once(tmp_path: Path) -> None:
    """One fault a run makes a table of a hundred rows a day's work."""
    summaries = tmp_path / "summaries.tsv"
    summaries.write_text("source\tquantity\tgroup\tn\tkind\nT\tage\tA\t5\tmean\n", encoding="utf-8")
    with pytest.raises(DataError) as told:
        read_published(_table(tmp_path, n="1", p="2"), summaries)
    assert [("n", 2), ("p", 2), ("value", 1)] == [(fault.column, fault.row) for fault in told.value.faults]


def test_a_missing_column_is_named_with_the_one_that_may_be_meant(tmp_path: Path) -> None:
    """A column in other letters would be passed over, and its numbers never checked."""
    path = _table(tmp_path)
    path.write_text(path.read_text().replace("\tp\t", "\tP\t"))
    with pytest.raises(DataError, match=r"found no such column; expected a column 'p'; rename 'P'\?"):
        read_published(path)


def test_what_is_read_otherwise_than_it_stands_is_noted(tmp_path: Path) -> None:
    """A decimal comma read silently cannot be checked by whoever knows the table."""
    read = read_published(_table(tmp_path, estimate="−0,5", p="0,030", ci_low="−0,9", ci_high="−0,1", n="1,200"))
    (row,) = read.estimates
    assert (-0.5, 0.03, 3, 1200) == (row.estimate.value, row.p.value, row.p.places, row.n)
    assert "estimates.tsv: n: thousands marks left out (1 cell)" in read.notes
    assert any("another minus sign; a decimal comma" in note for note in read.notes)


def test_zeros_lost_at_the_end_are_given_back(tmp_path: Path) -> None:
    """A spreadsheet writes 0.50 as 0.5, ten times as wide."""
    (row,) = read_published(_table(tmp_path, estimate="0.5", printed_digits="3")).estimates
    assert (3, 2) == (row.estimate.places, row.p.places)


def _own(term: str, **cells: object) -> dict[str, object]:
    row = {"analysis": "a", "structure": "s", "term": term, "method": "classical", "engine": "ols", "n_obs": 9.0}
    return row | {"estimate": 0.25, "p": 0.5, "sd": 0.1, "df": 7.0, "ci_prob": 0.95, "ci_low": 0.1} | cells


def test_our_own_table_is_translated() -> None:
    """Our own numbers would escape the audit, or be held to assumptions they do not make."""
    rows = [_own("slope[A]"), _own("slope[B]", ci_prob=0.9), _own("interaction"), _own("slope[A]", method="bayes")]
    rows += [_own("difference", engine="ranks"), _own("interaction", analysis="with age")]
    read = of_estimates(pd.DataFrame(rows), adjusted={"with age"}).estimates
    assert [("slope", "A"), ("slope", "B"), ("interaction", "A-B")] == [(row.term, row.group) for row in read]
    assert (0.1, None) == (read[0].ci_low.value, read[1].ci_low)
    assert ("ordinary", 9, 0.1, 7.0) == (read[0].model, read[0].n, read[0].se.value, read[0].df)


def test_the_step_of_a_persons_value_is_no_bound(tmp_path: Path) -> None:
    """A step below 1 would be taken for 1, and means held to whole numbers."""
    path = tmp_path / "summaries.tsv"
    path.write_text(
        "source\tquantity\tgroup\tn\tkind\tvalue\tgranularity\nT\tage\tA\t5\tmean\t37.5\t<1\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="line 2, granularity: found '<1'; expected a number, no bound"):
        read_published(None, path)


def test_a_comment_line_is_not_taken_for_the_header(tmp_path: Path) -> None:
    """Whoever wrote where the table is from would be told that every column is missing."""
    path = _table(tmp_path)
    path.write_text("# Table 2, as printed\n" + path.read_text())
    with pytest.raises(DataError, match="line 1: found a comment line; expected the header; remove it"):
        read_published(path)
