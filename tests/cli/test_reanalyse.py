"""`atrobayes reanalyse`: published tables in, posteriors out, on the terminal, in a table and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from published_example import HEADER, HOSTILE, SLOPES, small_table

from atrobayes.data_prep.published_tables import COLUMNS as PUBLISHED_COLUMNS
from atrobayes.data_prep.published_tables import read_published
from atrobayes.files import read_table
from atrobayes.inference.reanalysis.columns import COLUMNS
from atrobayes.inference.reanalysis.reanalyse import reanalyse
from atrobayes.inference.reanalysis.rows import Asked

FAST = ("--prior-sds", "0.5", "--error-correlations", "0,0.9")
GOOD = "Table 1\tgrowth\tleaf\tslope\tA\t12\t0.200\t0.074\n"
BAD = {
    "one patient": (GOOD.replace("\t12\t", "\t1\t"), "line 2, n: found '1'"),
    "p of 0": (GOOD.replace("0.074", "0"), "line 2, p: found '0'"),
    "p above 1": (GOOD.replace("0.074", "1.2"), "line 2, p: found '1.2'"),
    "text for a number": (GOOD.replace("0.200", "large"), "line 2, estimate: found 'large'"),
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "table.tsv").write_text(small_table())
    return tmp_path / "table.tsv"


@pytest.fixture(scope="module")
def reported(atrobayes, tmp_path_factory: pytest.TempPathFactory):
    """A finished run with its page, and its results folder; not to be changed."""
    path = tmp_path_factory.mktemp("published") / "table.tsv"
    path.write_text(small_table())
    done = atrobayes("reanalyse", path, "--report", *FAST)
    return done, path.parent / "table-results"


def test_a_table_of_slopes_is_answered_with_posteriors(reported) -> None:
    """What is on file would differ from what the same table gives in Python."""
    done, folder = reported
    assert 0 == done.code, done.err
    found = read_table(folder / "reanalysis.tsv")
    assert [column.name for column in COLUMNS] == list(found)
    again = reanalyse(read_published(folder.parent / "table.tsv"), Asked(rungs=(0.5,), error_correlations=(0.0, 0.9)))
    assert again["estimate"].dropna().map("{:.8g}".format).tolist() == [
        one for one in found["estimate"] if one != "n/a"
    ]
    assert {"alone", "structures", "groups"} == set(found["together"])
    explained = json.loads((folder / "reanalysis.json").read_text())
    assert [column.name for column in COLUMNS] == list(explained)[1:]


def test_the_terminal_shows_size_and_sign_of_every_slope(reported) -> None:
    """The first answer would lack the slope somebody asked for, or the reason why it has none."""
    done, folder = reported
    shown = " ".join(done.out.split())
    assert "the 6 surest of 6 published slopes" in shown
    assert "95% equal-tailed" in shown
    alone = read_table(folder / "reanalysis.tsv").query("row == '2' and together == 'alone'").iloc[0]
    ends = [f"{float(alone[name]):.3g}" for name in ("ci_low", "ci_high")]
    assert f"Table 1 thalamus A -0.02 0.012 {float(alone['estimate']):.3g} {' to '.join(ends)}" in shown
    assert "towards 0): Table 2 amygdala A, Table 2 amygdala B" in shown
    assert f"report: {folder / 'report.html'}" in shown


def test_nothing_is_cut_in_a_narrow_terminal(atrobayes, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a number is another number."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "70")
    out = re.sub("\x1b\\[[0-9;]*m", "", atrobayes("reanalyse", table, *FAST).out)
    tables = out.partition("no posterior")[0]
    assert 70 >= max(map(len, tables.splitlines()))
    assert "…" not in tables
    assert "-0.0283 to -0.0022" in tables
    assert "-0.00799 to 0.0119" in tables


def test_only_so_many_rows_are_shown_as_asked_for(atrobayes, table: Path) -> None:
    """A table of a hundred slopes would scroll its head off the screen."""
    out = " ".join(atrobayes("reanalyse", table, "--top", 2, *FAST).out.split())
    assert "the 2 surest of 6 published slopes" in out
    assert "caudate" not in out


def test_json_is_one_object_with_every_row(atrobayes, table: Path) -> None:
    """Programs read posteriors by the names the documentation gives; NaN is no JSON."""
    text = atrobayes("reanalyse", table, "--json", "--quiet", *FAST).out
    told = json.loads(text, parse_constant=pytest.fail)
    assert ["schema_version", "items"] == list(told)
    assert [column.name for column in COLUMNS] == list(told["items"][0])
    assert len(read_table(table.parent / "table-results" / "reanalysis.tsv")) == len(told["items"])


def test_options_are_heeded(atrobayes, table: Path) -> None:
    """A reader who asks for 90 % intervals and other priors would get the defaults under their name."""
    options = ("--interval", "0.9", "--prior-sds", "1,2", "--error-correlations", "0.5")
    assert 0 == atrobayes("reanalyse", table, *options).code
    found = read_table(table.parent / "table-results" / "reanalysis.tsv")
    sets = [set(found[name]) - {"n/a"} for name in ("ci_prob", "prior_s", "error_correlation")]
    assert [{"0.9"}, {"0.5", "1", "2"}, {"0.5"}] == sets


def test_patients_of_mixed_models_are_heeded(atrobayes, tmp_path: Path) -> None:
    """Rows taken for patients would make a mixed model surer than it is."""
    path = tmp_path / "mixed.tsv"
    path.write_text(HEADER.replace("\n", "\tmodel\n") + GOOD.replace("\n", "\tmixed\n"))
    assert 0 == atrobayes("reanalyse", path, "--patients", 8, *FAST).code
    found = read_table(tmp_path / "mixed-results" / "reanalysis.tsv")
    assert [("t", "7"), ("normal", "n/a")] == list(zip(found["likelihood"], found["df"], strict=True))


@pytest.mark.parametrize(
    ("option", "value"), [("--prior-sds", "x"), ("--prior-sds", "0"), ("--error-correlations", "0,1")]
)
def test_an_option_that_cannot_work_is_wrong_usage(atrobayes, table: Path, option: str, value: str) -> None:
    """A correlation of 1 has no posterior; the reader would see a bug of ours instead of the slip."""
    done = atrobayes("reanalyse", table, option, value)
    assert 2 == done.code
    assert option in done.err
    assert ["table.tsv"] == [entry.name for entry in table.parent.iterdir()]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_one_clear_message_and_leaves_nothing(atrobayes, tmp_path: Path, name: str) -> None:
    """A posterior of a misread number is worse than none."""
    rows, said = BAD[name]
    (tmp_path / "table.tsv").write_text(HEADER + rows)
    done = atrobayes("reanalyse", tmp_path / "table.tsv", "--report")
    assert (1, "") == (done.code, done.out)
    assert said in done.err
    assert 1 == done.err.count("found ")
    assert ["table.tsv"] == [entry.name for entry in tmp_path.iterdir()]


def test_a_missing_column_is_one_clear_message(atrobayes, tmp_path: Path) -> None:
    """Without p there is no standard error, and it would be looked for in vain."""
    (tmp_path / "table.tsv").write_text(HEADER.replace("\tp\n", "\n") + GOOD.replace("\t0.074", ""))
    done = atrobayes("reanalyse", tmp_path / "table.tsv")
    assert 1 == done.code
    assert "found no such column; expected a column 'p'" in done.err


def test_r_above_1_is_one_clear_message(atrobayes, tmp_path: Path) -> None:
    """A correlation of 5.3 is a slip of the comma somewhere."""
    (tmp_path / "table.tsv").write_text(HEADER.replace("\n", "\tr\n") + GOOD.replace("\n", "\t5.3\n"))
    done = atrobayes("reanalyse", tmp_path / "table.tsv")
    assert (1, 1) == (done.code, done.err.count("found "))
    assert "line 2, r: found '5.3'" in done.err


def test_a_table_without_a_posterior_says_why(atrobayes, tmp_path: Path) -> None:
    """An empty page, or an error, would leave a reader with nothing to do."""
    (tmp_path / "table.tsv").write_text(HEADER + GOOD.replace("0.074", "<0.05"))
    done = atrobayes("reanalyse", tmp_path / "table.tsv", "--report")
    assert 0 == done.code, done.err
    assert "no slope has a posterior" in done.out
    assert "towards 0): Table 1 leaf A" in done.out
    page = (tmp_path / "table-results" / "report.html").read_text()
    assert "the printed digits leave the standard error open towards 0" in page
    assert "could not be made" not in page


def test_templates_are_those_of_the_audit(atrobayes, tmp_path: Path) -> None:
    """Two commands that read one table must not ask for two."""
    assert 0 == atrobayes("reanalyse", "--init", tmp_path / "mine.tsv").code
    header = (tmp_path / "mine.tsv").read_text().split()
    assert [column.name for column in PUBLISHED_COLUMNS] == header
    done = atrobayes("reanalyse", "--init", tmp_path / "mine.tsv")
    assert (1, "") == (done.code, done.out)


def test_the_page_has_findings_and_posteriors(reported) -> None:
    """A reader would get the posteriors without being told that the digits they rest on do not fit."""
    _, folder = reported
    page = (folder / "report.html").read_text()
    sections = re.findall(r'<section id="(\w+)" class="(\w+)">', page)
    assert ["summary", "audit", "reanalysis", "methods"] == [name for name, _ in sections]
    assert {"failed", "not_applicable"}.isdisjoint(status for _, status in sections)
    assert (folder / "audit.tsv").is_file()
    assert ["reanalysis-1"] == [path.stem for path in (folder / "figures").glob("*.svg")]


def test_names_cannot_inject_markup(reported) -> None:
    """A structure called <script> would run in the reader's browser."""
    page = (reported[1] / "report.html").read_text()
    assert HOSTILE in {slope[1] for slope in SLOPES}
    assert HOSTILE not in page
    assert "&lt;b&gt;leaf&lt;/b&gt;" in page


def test_the_same_table_gives_the_same_bytes(atrobayes, reported, digests_of, tmp_path: Path) -> None:
    """A page that changes by itself cannot be compared with the one a reviewer saw."""
    path = reported[1].parent / "table.tsv"
    assert 0 == atrobayes("reanalyse", path, "--report", "--out", tmp_path / "again", *FAST).code
    assert digests_of(reported[1]) == digests_of(tmp_path / "again")


def test_no_page_of_other_numbers_is_left(atrobayes, table: Path) -> None:
    """A page beside a newer table would be read as if it were made from it."""
    page = table.parent / "table-results" / "report.html"
    assert 0 == atrobayes("reanalyse", table, "--report", *FAST).code
    assert page.is_file()
    table.write_text(small_table().replace("0.012", "0.018"))
    assert 0 == atrobayes("audit", table).code
    assert not page.exists()
    assert 0 == atrobayes("reanalyse", table, "--report", *FAST).code
    table.write_text(small_table())
    assert 0 == atrobayes("reanalyse", table, *FAST).code
    assert not page.exists()


def test_no_sampler_is_loaded(atrobayes_process, table: Path, tmp_path: Path) -> None:
    """The first minute would be spent importing what is never used."""
    told = tmp_path / "modules"
    done = atrobayes_process("reanalyse", table, "--report", *FAST, TELL_MODULES=str(told))
    assert 0 == done.code, done.err
    loaded = {name.partition(".")[0] for name in told.read_text().split()}
    assert set() == loaded & {"pymc", "bambi", "arviz", "statsmodels", "jax", "nutpie"}


@pytest.mark.slow
def test_with_nothing_named_the_papers_slopes_are_reanalysed(
    atrobayes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first minute with real numbers: every slope of the paper answered, or the reason why not."""
    monkeypatch.chdir(tmp_path)
    done = atrobayes("reanalyse", "--report")
    assert 0 == done.code, done.err
    found = read_table(tmp_path / "published-results" / "reanalysis.tsv")
    slopes = [row.row for row in read_published().estimates if row.term == "slope" and row.estimate is not None]
    assert [str(row) for row in slopes] == sorted(set(found["row"]) - {"n/a"}, key=int)
    page = (tmp_path / "published-results" / "report.html").read_text()
    assert "could not be made" not in page
    assert 4 == len(list((tmp_path / "published-results" / "figures").iterdir()))
