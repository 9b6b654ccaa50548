"""Odd tables of published slopes: each row gets a posterior, or the reason why it has none; warnings are errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from published_rows import printed, published

from atrobayes.data_prep.published_tables import read_published
from atrobayes.errors import DataError
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse

HEADER = (
    "source",
    "analysis",
    "structure",
    "term",
    "group",
    "n",
    "estimate",
    "p",
    "se",
    "df",
    "ci_low",
    "ci_high",
    "model",
)
USUAL = dict(
    zip(HEADER, ("T", "a", "thalamus", "slope", "A", "9", "-0.30", "0.02", "", "", "", "", "ordinary"), strict=True)
)


def reanalysed(folder: Path, *rows: dict[str, str]) -> pd.DataFrame:
    lines = [HEADER, *((USUAL | row).values() for row in rows)]
    path = folder / "published.tsv"
    path.write_text("".join("\t".join(cells) + "\n" for cells in lines), encoding="utf-8")
    return reanalyse(read_published(path), Asked(rungs=(0.25, 2.5), error_correlations=(0.0, 0.9)))


@pytest.mark.parametrize(
    "row",
    [
        {"n": "3"},
        {"n": "100000"},
        {"p": "1e-12"},
        {"p": "1.0e-200", "n": "40"},
        {"p": "1e-300", "n": "200"},
        {"p": "0.9999"},
        {"estimate": "1.0e-90"},
        {"estimate": "1.0e90"},
        {"structure": "leaf"},
        {"model": ""},
        {"n": "", "df": "7"},
        {"p": "", "se": "0.10"},
        {"p": "", "ci_low": "-0.5", "ci_high": "-0.1"},
    ],
)  # fmt: skip
def test_a_row_that_says_enough_has_a_posterior(tmp_path: Path, row: dict[str, str]) -> None:
    """A crash or a hole in one odd row would cost the reader the whole table."""
    table = reanalysed(tmp_path, row)
    assert ["posterior"] * 2 == list(table["status"])
    numbers = table[["estimate", "median", "sd", "ci_low", "ci_high", "hdi_low", "hdi_high", "pd", "log_bf10"]]
    assert np.isfinite(numbers.to_numpy(float)).all()
    # with one degree of freedom a posterior may be a needle on a hill, which the rule for these misses and says so
    assert table["type_s"].notna().all() == (row.get("n") != "3")
    assert (np.sign(table["estimate"]) == np.sign(table["published"])).all()
    assert table["estimate"].abs().le(table["published"].abs()).all()
    assert table.eval("ci_low_least <= ci_low <= ci_low_most and ci_high_least <= ci_high <= ci_high_most").all()
    assert table.eval("pd_least <= pd <= pd_most and estimate_least <= estimate <= estimate_most").all()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"p": "1e-300", "n": "3"}, "beyond 1e-100"),
        ({"estimate": "1e-300"}, "beyond 1e-100"),
        ({"estimate": "1.0e200"}, "beyond 1e-100"),
        ({"p": ""}, "no p, standard error or interval"),
        ({"n": ""}, "neither n nor df"),
        ({"n": "", "df": "40", "model": "mixed"}, "the prior has no scale"),
        ({"p": "", "se": "0.0"}, "towards 0"),
        ({"p": "", "ci_low": "-0.3", "ci_high": "-0.3"}, "towards 0"),
        ({"p": "1.00"}, "towards infinity"),
        ({"estimate": "0.00", "p": "1.00"}, "towards 0 and infinity"),
    ],
)  # fmt: skip
def test_a_row_that_says_too_little_says_why(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    """A number made from nothing would look like all others."""
    table = reanalysed(tmp_path, row)
    assert len(table)
    assert table["status"].str.contains(reason).all()
    assert table["estimate"].isna().all()


@pytest.mark.parametrize(
    ("row", "se"),
    [
        ({"se": "0.11"}, 0.11),
        ({"se": "0.00"}, 0.100068),
        ({"p": "<0.001", "ci_low": "-0.5", "ci_high": "-0.1"}, 0.4 / 4.729249),
        ({"p": "0.000", "se": "0.12"}, 0.12),
    ],
)  # fmt: skip
def test_the_first_number_that_closes_the_standard_error_gives_it(
    tmp_path: Path, row: dict[str, str], se: float
) -> None:
    """A printed 0.00 would hide the p that stands beside it."""
    table = reanalysed(tmp_path, row)
    assert [se] * 2 == pytest.approx(list(table["se"]), rel=1e-5)


@pytest.mark.parametrize("n", ["1", "2"])
def test_too_few_rows_are_a_fault_of_the_table(tmp_path: Path, n: str) -> None:
    """No regression has a p with them."""
    with pytest.raises(DataError, match="3 or more"):
        reanalysed(tmp_path, {"n": n})


def test_of_repeated_rows_the_first_is_pooled_and_all_are_shown(tmp_path: Path) -> None:
    """The same structure twice would be two structures to the pool."""
    rows = [{}, {"estimate": "-0.10"}, {"structure": "caudate"}, {"structure": "putamen"}, {"structure": "leaf"}]
    table = reanalysed(tmp_path, *rows)
    one = table[(table["prior_s"] == 2.5) & table["error_correlation"].isin([np.nan, 0.0])]
    assert {"alone": 5, "structures": 4} == one["together"].value_counts().to_dict()
    pooled = one[one["together"] == "structures"].set_index("structure")
    assert ["common", "thalamus", "caudate", "putamen"] == list(pooled.index)
    assert pooled.loc["thalamus", "published"] == -0.30


def test_two_structures_are_not_pooled(tmp_path: Path) -> None:
    """Two say nothing about how much structures differ."""
    table = reanalysed(tmp_path, {}, {"structure": "caudate"})
    assert {"alone"} == set(table["together"])


@pytest.mark.parametrize(("groups", "pooled"), [("AB", 3), ("ABC", 6), ("ABCD", 0)])
def test_as_many_groups_are_pooled_as_the_grid_allows(tmp_path: Path, groups: str, pooled: int) -> None:
    """The slopes and each pair's difference, or only each alone."""
    table = reanalysed(tmp_path, *({"group": group} for group in groups))
    one = table[table["prior_s"] == 0.25]["together"].value_counts()
    assert (len(groups), pooled) == (one["alone"], one.get("groups", 0))


def test_a_slope_of_everybody_is_no_group(tmp_path: Path) -> None:
    """Its patients are those of the groups: pooled with them they would count twice."""
    table = reanalysed(tmp_path, {"group": "ALL"}, {}, {"group": "B"})
    assert {"A", "B", "A-B"} == set(table.loc[table["together"] == "groups", "group"])


def test_a_table_without_slopes_has_no_rows(tmp_path: Path) -> None:
    """Nothing is made up of a p-value alone."""
    table = reanalysed(tmp_path, {"term": "interaction", "group": "A-B", "estimate": ""}, {"estimate": ""})
    assert len(table) == 0
    assert "estimate" in table.columns


def test_a_structure_printed_for_all_alone_is_no_set_of_groups(tmp_path: Path) -> None:
    """A table without groups would end in a crash."""
    found = reanalysed(tmp_path, {"group": "ALL", "n": "40", "estimate": "1.0", "p": "0.05"})
    assert {"alone"} == set(found["together"])
    assert found["estimate"].notna().all()


def test_without_degrees_of_freedom_there_is_no_posterior() -> None:
    """Our own tables may hold a fit with none left: no cell of a file, so no fault, and a posterior from nothing."""
    (row,) = reanalyse(published(printed("-0.30", "0.02", n=9, df=0.0))).to_dict("records")
    assert "no degrees of freedom are left" in row["status"]
