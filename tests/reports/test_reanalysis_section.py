"""The page of a published table: what stands in its tables, figures and words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from published_example import HOSTILE, small_table
from scipy import stats

from atrobayes.cli.reanalysis_tables import print_sizes
from atrobayes.data_prep.published_tables import read_published
from atrobayes.files import write_table
from atrobayes.inference.reanalysis.columns import COLUMNS
from atrobayes.inference.reanalysis.reanalyse import reanalyse
from atrobayes.inference.reanalysis.rows import Asked
from atrobayes.reports.audit.finding import Finding
from atrobayes.reports.own_audit import write_audit
from atrobayes.reports.published_forests import forest_rows, published_forest
from atrobayes.reports.published_report import SECTIONS, write_published_report
from atrobayes.reports.reanalysis_rows import at_base, interactions, shown_slopes, without_posterior
from atrobayes.reports.reanalysis_tables import printed, tipping_words
from atrobayes.reports.results import Results
from atrobayes.reports.sections import published_methods, published_summary, reanalysis

ASKED = Asked(rungs=(0.25, 0.5), error_correlations=(0.0, 0.6))


def _finding(verdict: str, source: str, structure: str, group: str) -> Finding:
    return Finding("same_result", verdict, source, "growth", structure, "p", group, "1", "2", "", "made up")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("published")
    (folder / "table.tsv").write_text(small_table())
    write_table(folder / "reanalysis.tsv", reanalyse(read_published(folder / "table.tsv"), ASKED), COLUMNS)
    findings = [
        _finding("inconsistent", "Table 1; Figure 1", "thalamus; caudate", "A"),
        _finding("only_under", "Table 1", "thalamus", "A; B"),
        _finding("consistent", "Table 1", "hippocampus", "A"),
    ]
    write_audit(folder, findings)
    return Results(folder)


@pytest.fixture(scope="module")
def found(results: Results) -> pd.DataFrame:
    table = results.look("reanalysis")
    assert table is not None
    return table


@pytest.fixture(scope="module")
def section(results: Results):
    return reanalysis.make(results)


def _table(section, name: str) -> pd.DataFrame:
    (part,) = section.parts
    (table,) = [table for table in part.tables if table.name == f"reanalysis-1-{name}"]
    return table.frame


def test_every_slope_is_shown_once_or_said_to_have_no_posterior(found: pd.DataFrame) -> None:
    """A slope would vanish between the two tables, or stand there for each prior."""
    assert [2, 3, 4, 5, 6, 7] == shown_slopes(found)["row"].tolist()
    assert [8, 9] == without_posterior(found)["row"].tolist()


def test_of_two_likelihoods_the_one_with_fat_tails_is_shown(tmp_path: Path) -> None:
    """Of a mixed model the surer answer would stand on the page, the other only in the file."""
    path = tmp_path / "table.tsv"
    mixed = small_table().replace("\tp\n", "\tp\tmodel\n")
    for p in ("0.012", "0.950"):
        mixed = mixed.replace(f"{p}\n", f"{p}\tmixed\n")
    path.write_text(mixed)
    rows = [line + "\t" * (8 - line.count("\t")) for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")
    found = reanalyse(read_published(path), Asked(0.95, (0.5,), (0.0,), 20))
    shown = shown_slopes(found)
    assert ["t"] == shown.loc[shown["row"] == 2, "likelihood"].tolist()
    assert 2 == (found["row"] == 8).sum()
    assert [8, 9] == without_posterior(found)["row"].tolist()


def test_the_probability_is_that_of_the_published_sign(found: pd.DataFrame) -> None:
    """A sign that turns when structures are shrunk together would be shown as sure as before."""
    shown = shown_slopes(found).set_index("row")
    structures = found[(found["together"] == "structures") & (found["row"] == 4) & (found["prior_s"] == 0.5)]
    turned = structures["median"] < 0  # published: above 0
    assert turned.any()
    expected = np.where(turned, 1 - structures["pd"], structures["pd"])
    got = shown.loc[4, ["sign_structures_low", "sign_structures_high"]].astype(float)
    assert [expected.min(), expected.max()] == pytest.approx(got.tolist())
    assert shown.loc[4, "pd"] == pytest.approx(shown.loc[4, "sign"])


def test_the_drawn_confidence_interval_is_the_published_one(found: pd.DataFrame) -> None:
    """A published p below 0.05 and an interval across 0 would contradict each other on one line."""
    rows = forest_rows(shown_slopes(found), found)
    published = rows[rows["method"] == "published"].set_index("row")
    apart = (published["ci_low"] > 0) | (published["ci_high"] < 0)
    assert (published["p"] < 0.05).tolist() == apart.tolist()
    half = 0.02 * stats.t.isf(0.025, 10) / stats.t.isf(0.006, 10)  # thalamus in A: b = -0.02, p = 0.012, n = 12
    assert [-0.02 - half, -0.02 + half] == pytest.approx(
        (published.loc[2, ["ci_low", "ci_high"]].astype(float) * published.loc[2, "scale"]).tolist(), rel=1e-6
    )


def test_every_posterior_that_there_is_is_drawn(found: pd.DataFrame) -> None:
    """The structure that moves most when shrunk together would be the one left out."""
    rows = forest_rows(shown_slopes(found), found)
    drawn = rows.groupby("method")["row"].apply(sorted).to_dict()
    assert {
        "published": [2, 3, 4, 5, 6, 7],
        "alone": [2, 3, 4, 5, 6, 7],
        "structures 0": [2, 3, 4],
        "structures 0.6": [2, 3, 4],
        "groups": [2, 6],
    } == drawn
    alone = rows[rows["method"] == "alone"].set_index("row")
    assert alone.loc[2, "estimate"] == pytest.approx(
        at_base(found, "alone").set_index("row").loc[2, "estimate"] / alone.loc[2, "scale"]
    )


def test_the_figure_can_be_heard_and_holds_no_markup_of_others(found: pd.DataFrame) -> None:
    """Who cannot see it would be told nothing; a name could close the drawing."""
    figure = published_forest("f", "growth", shown_slopes(found), found)
    assert "5 structures, panels A and B" in figure.alt
    assert "3 of 6 published, with confidence interval" in figure.alt
    assert f'<title id="f-title">{figure.alt}</title>' in figure.svg
    assert "errors correlated 0.6" in figure.svg
    assert HOSTILE not in figure.svg
    assert "&lt;b&gt;leaf" in figure.svg
    assert "#f0e442" not in figure.svg  # the band of other forest plots


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("narrower", "if wider than 0.25"),
        ("wider", "if narrower than 0.25"),
        ("below", "with no prior"),
        ("above", "with every prior"),
        ("", "n/a"),
    ],
)
def test_tipping_priors_are_told_in_words(reason: str, words: str) -> None:
    """Turned round, the sentence would call the doubtful slope the sure one."""
    assert words == tipping_words(SimpleNamespace(tipping_s=0.2501, tipping_reason=reason))


@pytest.mark.parametrize(
    ("text", "value"), [("−0.31265", -0.31265), ("0.00002", 2e-5), ("−0.05", -0.05), ("n/a", np.nan), ("120", 120.0)]
)
def test_published_numbers_keep_their_digits(text: str, value: float) -> None:
    """A number with other digits than in print could not be found there again."""
    assert text == printed(value)


def test_rows_whose_digits_do_not_fit_say_so(section) -> None:
    """A posterior of doubtful digits would look like any other."""
    alone = _table(section, "alone")
    said = dict(zip(zip(alone["Structure"], alone["Group"], strict=True), alone["Digits in the audit"], strict=True))
    assert "do not fit" == said["Thalamus", "A"]
    assert "fit only if cut off or rounded up" == said["Thalamus", "B"]
    assert {""} == {words for name, words in said.items() if name[0] != "Thalamus"}


def test_tables_hold_what_the_file_holds(section, found: pd.DataFrame) -> None:
    """The page would show the numbers of another prior, group or correlation."""
    base = found[(found["prior_s"] == 0.5) & (found["row"] == 2)].set_index(["together", "error_correlation"])
    cells = _table(section, "together").iloc[0]
    pooled = base.loc[("structures", 0.6)]
    assert pooled["estimate"] == pytest.approx(_first(cells["Structures, errors correlated 0.6"]), abs=6e-5)
    assert "n/a" == _table(section, "together").iloc[3]["Structures, errors correlated 0"]
    narrow = found[(found["prior_s"] == 0.25) & (found["row"] == 2) & (found["together"] == "alone")].iloc[0]
    assert narrow["estimate"] == pytest.approx(_first(_table(section, "ladder").iloc[0]["Prior SD 0.25"]), abs=6e-5)
    (difference,) = interactions(found).to_dict("records")
    shown = _table(section, "differences").iloc[0]
    assert ("A − B", "−0.016") == (shown["Difference"], shown["Of the published slopes"])
    assert difference["estimate"] == pytest.approx(_first(shown["Posterior mean"]), abs=6e-5)
    open_ = _table(section, "digits").iloc[0]
    low, high = (float(found.loc[found["row"] == 2, f"se_{end}"].iloc[0]) for end in ("low", "high"))
    assert [low, high] == pytest.approx(list(map(_first, open_["Standard error"].split(" to "))), rel=1e-2)


def _first(cell: str) -> float:
    return float(cell.split(maxsplit=1)[0].replace("−", "-"))


def test_slopes_without_a_posterior_stand_with_the_reason(section) -> None:
    """A reader would take the missing slope for one that was forgotten."""
    (table,) = section.tables
    first, second = table.frame.to_dict("records")
    assert ("0", "the printed digits leave the standard error open towards 0") == (first["Published"], first["Why"])
    assert "< 0.001" == second["p"]


def test_the_summary_counts_what_the_tables_hold(results: Results) -> None:
    """The one paragraph that everybody reads would be wrong."""
    (table,) = published_summary.make(results).tables
    facts = dict(table.frame.itertuples(index=False, name=None))
    assert (
        "Of 3 comparisons 1 fit, 1 fit only if numbers were cut off or rounded up, 1 do not fit"
        in (facts["Do the digits fit each other?"])
    )
    assert "6 of 8. 2 slopes have too little in print for one." == facts["Slopes with a posterior"]
    small = facts["Published with p < 0.05"]
    assert small.startswith("3 slopes")
    assert "95% probable in 3." in small
    assert "Of the 1 among them" in small


def test_methods_name_assumptions_and_sources(results: Results) -> None:
    """A reviewer could not tell what was assumed, nor look it up."""
    text = " ".join(published_methods.make(results).paragraphs)
    assert 6 <= text.count("doi:10.")
    assert "any two correlated 0 and 0.6" in text
    assert "prior SDs of 0.25 and 0.5" in text
    assert "95% equal-tailed posterior interval" in text


def test_a_folder_with_one_of_the_tables_gives_a_page(results: Results, tmp_path: Path) -> None:
    """Whoever audits alone would get a page of failures."""
    for name in ("audit.tsv", "reanalysis.tsv"):
        (tmp_path / name).write_bytes((results.folder / name).read_bytes())
        page = write_published_report(tmp_path, "x").read_text()
        assert 1 == page.count('class="not_applicable"'), name
        assert "could not be made" not in page
        (tmp_path / name).unlink()
    assert ["summary", "audit", "reanalysis", "methods"] == [make(Results(tmp_path)).id for make in SECTIONS]


@pytest.fixture(scope="module")
def bounds(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Bounds of p beside a standard error and, in the last row, without one."""
    folder = tmp_path_factory.mktemp("bounds")
    lines = [
        "source\tanalysis\tstructure\tterm\tgroup\tn\testimate\tp\tse",
        "T\ta\tthalamus\tslope\tA\t40\t-0.50\t<0.05\t0.200",
        "T\ta\tcaudate\tslope\tA\t40\t-0.10\t> 0.01\t0.200",
        "T\ta\tputamen\tslope\tA\t40\t-0.10\t0.62\t0.200",
        "T\ta\tleaf\tslope\tA\t40\t0.000\t>0.05\tn/a",
    ]
    (folder / "table.tsv").write_text("\n".join(lines) + "\n")
    found = reanalyse(read_published(folder / "table.tsv"), Asked(rungs=(0.5,), error_correlations=(0.0,)))
    write_table(folder / "reanalysis.tsv", found, COLUMNS)
    return Results(folder)


def test_a_bound_of_p_is_shown_as_one(bounds: Results, capsys: pytest.CaptureFixture[str]) -> None:
    """A p above 0.05 would stand on the page as one below, or as the bound itself."""
    page = reanalysis.make(bounds)
    assert ["< 0.05", "> 0.01", "0.62"] == _table(page, "alone")["p"].tolist()
    assert ["> 0.05"] == page.tables[0].frame["p"].tolist()
    print_sizes(shown_slopes(bounds.look("reanalysis")), "t")
    assert "> 0.01" in capsys.readouterr().out


def test_a_bound_of_p_is_clear_only_where_it_must_be(bounds: Results) -> None:
    """A p printed as > 0.01 would be drawn and counted as significant, and < 0.05 not."""
    found = bounds.look("reanalysis")
    rows = forest_rows(shown_slopes(found), found)
    assert [True, False, False] == rows.loc[rows["method"] == "published", "clear"].tolist()
    (table,) = published_summary.make(bounds).tables
    facts = dict(table.frame.itertuples(index=False, name=None))
    assert facts["Published with p < 0.05"].startswith("1 slope ")


def test_why_many_groups_are_not_shrunk_together_is_told(section) -> None:
    """n/a beside four groups would look like a failure."""
    (part,) = section.parts
    (table,) = [table for table in part.tables if table.name.endswith("together")]
    assert "More than 3 groups are not shrunk together" in table.details
