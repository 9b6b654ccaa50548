"""The reader of stats files against files nobody thought of: written at random, cut anywhere, mutated."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrobayes.data_prep.stats_files import StatsFile, parse_stats
from atrobayes.errors import DataError

from .conftest import stats_text

SMALL = settings(derandomize=True, deadline=None, max_examples=40)
FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_stats.py"

# A name is a word: no blanks and no control characters of any script; the # of a row's first word would be a comment.
WORDS = st.text(
    st.characters(exclude_categories=("Z", "C"), exclude_characters="#,"), min_size=1, max_size=12
)  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
# as %d, %10.4f, %g and repr write them
NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(-1e9, 1e9).map("{:10.4f}".format),
    FINITE.map("{:g}".format),
    FINITE.map(repr),
)


@dataclass(frozen=True)
class Written:
    """A table at random, and its text.

    Attributes
    ----------
    measures : dict
        Words of the number and of the unit, by name.
    units : dict
        By column, StructName among them.
    rows : dict
        Words of the numbers, by name.
    text : str
    """

    measures: dict[str, tuple[str, str]]
    units: dict[str, str]
    rows: dict[str, list[str]]
    text: str


@st.composite
def written(draw: st.DrawFn) -> Written:
    measures = draw(st.dictionaries(WORDS, st.tuples(NUMBERS, TEXTS), max_size=5))
    columns = draw(st.lists(WORDS.filter(lambda name: name != "StructName"), min_size=1, max_size=6, unique=True))
    columns.insert(draw(st.integers(0, len(columns))), "StructName")
    units = {name: draw(TEXTS) for name in columns}
    cells = st.lists(NUMBERS, min_size=len(columns) - 1, max_size=len(columns) - 1)
    rows = draw(st.dictionaries(WORDS, cells, min_size=1, max_size=6))
    lines = ["# Title of a table "]
    for name, (number, unit) in measures.items():
        comma = draw(st.sampled_from([",", ""]))
        lines.append(f"# Measure {draw(WORDS)}, {name}{comma} {draw(TEXTS)}, {number}, {unit}")
    lines += [f"# TableCol {place:2d} Units     {unit} " for place, unit in enumerate(units.values(), start=1)]
    lines += [f"# NRows {len(rows)} "] * draw(st.booleans())
    lines.append(f"# ColHeaders  {' '.join(columns)}  ")
    for name, numbers in rows.items():
        words = list(numbers)
        words.insert(columns.index("StructName"), name)
        lines.append("  ".join(words))
    return Written(measures, units, rows, "".join(f"{line}\n" for line in lines))


@SMALL
@given(written())
def test_any_table_in_the_layout_of_freesurfer_reads_back(table: Written) -> None:
    """A name, a number or a unit that no test thought of would be another one after reading."""
    stats = parsed(table.text)
    assert table.units == stats.units
    assert {name: (float(number), unit) for name, (number, unit) in table.measures.items()} == {
        name: (value.value, value.unit) for name, value in stats.measures.items()
    }
    assert {name: [float(word) for word in words] for name, words in table.rows.items()} == {
        name: list(row.values()) for name, row in stats.rows.items()
    }
    lines = table.text.split("\n")
    assert all(name in lines[line - 1].split() for name, line in stats.lines.items())


@SMALL
@given(written(), st.data())
def test_cut_table_is_refused_or_has_its_first_rows(table: Written, data: st.DataObject) -> None:
    """Half a table would pass for a whole one although its header says how many rows there are."""
    raw = table.text.encode()
    part = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        stats = parse_stats(Path("x"), part)
    except DataError:
        return
    whole = parse_stats(Path("x"), raw)
    assert "# NRows" not in table.text
    assert part.endswith(b"\n")
    assert whole.measures == stats.measures
    assert list(whole.rows.items())[: len(stats.rows)] == list(stats.rows.items())
    assert 0 < len(stats.rows) < len(whole.rows)


def parsed(text: str) -> StatsFile:
    return parse_stats(Path("x"), text.encode())


def survivors(text: str) -> list[StatsFile]:
    """What is read of a file cut after each of its bytes, the whole file left out."""
    found = []
    for end in range(len(text)):
        try:
            found.append(parsed(text[:end]))
        except DataError:
            continue
    return found


def test_table_that_says_its_rows_is_refused_wherever_it_is_cut() -> None:
    """A full disk would leave an aseg.stats that lacks structures or digits, and it would be read."""
    assert [] == survivors(stats_text())


def test_table_that_does_not_say_its_rows_survives_a_cut_between_rows_only() -> None:
    """Surface tables promise no rows: a missing row must be all that a cut can do."""
    text = "".join(line for line in stats_text().splitlines(keepends=True) if "NRows" not in line)
    found = survivors(text)
    assert list(range(1, 20)) == [len(stats.rows) for stats in found]
    assert all(parsed(text).measures == stats.measures for stats in found)
    assert all(parsed(text).rows[name] == row for stats in found for name, row in stats.rows.items())


def test_measures_alone_survive_a_cut_between_lines_only() -> None:
    """brainvol.stats promises nothing: a missing measure must be all that a cut can do."""
    text = "".join(line for line in stats_text().splitlines(keepends=True) if "# Measure" in line)
    found = survivors(text)
    assert list(range(1, 6)) == [len(stats.measures) for stats in found]
    assert all(parsed(text).measures[name] == value for stats in found for name, value in stats.measures.items())


@pytest.fixture(scope="module")
def fuzzing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_stats", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_files_are_read_or_refused_and_nothing_else(fuzzing: ModuleType) -> None:
    """A damaged file would end a run of a thousand scans in a trace of our code."""
    counts = fuzzing.fuzz(fuzzing.generated(), 2000, 1)
    assert 2000 == counts["accepted"] + counts["refused"]
    assert 700 < counts["reached the table"] < 1500
    assert 300 < counts["accepted"] < 1000
