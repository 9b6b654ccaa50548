"""Correct numbers of kinds that one may forget: none of them is accused, by any check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from atrobayes.data_prep.published_tables import read_published
from atrobayes.reports.audit.checks import run_checks

HEADER = ["source", "analysis", "structure", "term", "group", "n", "estimate", "p", "r", "r2", "se", "df",
          "ci_low", "ci_high", "model", "note"]  # fmt: skip
OWN = {"source": "T1", "analysis": "an", "structure": "hippocampus", "term": "slope", "group": "ALL", "n": 40}


def accused(folder: Path, *rows: dict[str, object]) -> list[str]:
    """Checks that find digits which do not fit."""
    lines = ["\t".join(str((OWN | row).get(name, "")) for name in HEADER) for row in rows]
    path = folder / "table.tsv"
    path.write_text("\n".join(["\t".join(HEADER), *lines]) + "\n")
    return [finding.check for finding in run_checks(read_published(path)) if finding.disagrees]


def in_groups(rng: np.random.Generator, sizes: tuple[int, int], sds: tuple[float, float], model: str) -> list[dict]:
    """A regression of each group alone, and the interaction of one regression of both."""
    x = [rng.poisson(3, n).astype(float) for n in sizes]
    for own in x:
        own[:2] = 0, 6
    y = [0.1 * own + sd * rng.normal(size=len(own)) for own, sd in zip(x, sds, strict=True)]
    fits = [stats.linregress(*pair) for pair in zip(x, y, strict=True)]
    rows = [
        {"group": name, "n": n, "estimate": f"{fit.slope:.5f}", "p": f"{fit.pvalue:.3f}", "model": model}
        for name, n, fit in zip("AB", sizes, fits, strict=True)
    ]
    df = sum(sizes) - 4
    left = sum(((b - fit.intercept - fit.slope * a) ** 2).sum() for a, b, fit in zip(x, y, fits, strict=True))
    se = np.sqrt(left / df * sum(1 / ((a - a.mean()) ** 2).sum() for a in x))
    gap = fits[0].slope - fits[1].slope
    p = 2 * stats.t.sf(abs(gap) / se, df)
    return [*rows, {"term": "interaction", "group": "A-B", "n": sum(sizes), "p": f"{p:.3f}", "model": model}]


@pytest.mark.parametrize("model", ["ordinary", ""])
@pytest.mark.parametrize(("sizes", "sds"), [((9, 7), (1, 1)), ((30, 30), (1, 2)), ((40, 8), (2, 1))])
def test_interactions_of_one_regression_beside_slopes_of_two(
    tmp_path: Path, sizes: tuple[int, int], sds: tuple[float, float], model: str
) -> None:
    """Half of such tables would be accused: the slopes have a residual variance each, the interaction a common one."""
    rng = np.random.default_rng([6, *sizes])
    tables = [accused(tmp_path, *in_groups(rng, sizes, sds, model)) for _ in range(25)]
    assert [[]] * 25 == tables


def test_an_interaction_surer_than_any_common_variance_allows_is_still_found(tmp_path: Path) -> None:
    """The bound from below would bound nothing."""
    slopes = [{"group": name, "n": 20, "estimate": b, "se": "0.100", "model": "ordinary"} for name, b in
              (("A", "0.300"), ("B", "0.100"))]  # fmt: skip
    row = {"term": "interaction", "group": "A-B", "n": 40, "model": "ordinary"}
    # standard error at least 0.1 · √2: t at most 1.41 with 36 degrees of freedom, p at least 0.166
    assert [] == accused(tmp_path, *slopes, row | {"p": "0.166"})
    assert [] == accused(tmp_path, *slopes, row | {"p": "0.700"})
    assert ["interaction"] == accused(tmp_path, *slopes, row | {"p": "0.120"})


@pytest.mark.parametrize(
    "row",
    [
        {"n": 95, "estimate": "0.3", "p": "0.20", "r2": "0.10", "model": "mixed"},
        {"n": 95, "estimate": "0.3", "p": "0.20", "r2": "0.40", "model": "ordinary", "df": 90},
        {"n": 95, "estimate": "0.3", "p": "0.20", "r2": "0.10", "note": "linear mixed-effects model"},
        {"n": 95, "estimate": "0.3", "p": "0.20", "r2": "0.40", "note": "adjusted for age"},
        {"term": "correlation", "n": 7, "p": "0.024", "r": "0.857", "note": "Spearman's rho, exact p"},
        # 90 % interval; Kenward-Roger with 5 degrees of freedom
        {"estimate": "1.00", "se": "0.48", "p": "0.040", "ci_low": "0.21", "ci_high": "1.79", "model": "mixed"},
        {"estimate": "1.00", "se": "0.389", "p": "0.050", "model": "mixed"},
    ],
)
def test_models_that_are_no_regression_on_one_predictor(tmp_path: Path, row: dict[str, object]) -> None:
    """A marginal R², an adjusted slope or a rank correlation would be held to the arithmetic of another model."""
    assert [] == accused(tmp_path, row)


def test_the_mean_of_two_sides_is_not_their_sum(tmp_path: Path) -> None:
    """Thickness and mean volumes of both sides would be accused."""
    rows = [{"structure": name, "estimate": b, "p": "0.1", "model": "ordinary"} for name, b in
            (("left_hippocampus", "-0.010"), ("right_hippocampus", "-0.020"), ("hippocampus", "-0.015"))]  # fmt: skip
    assert [] == accused(tmp_path, *rows)
    assert ["additivity"] == accused(tmp_path, *rows[:2], rows[2] | {"estimate": "-0.035"})


def test_groups_that_divide_the_same_rows_in_two_ways(tmp_path: Path) -> None:
    """Men, women, young and old are twice all patients."""
    sizes = {"ALL": 40, "men": 15, "women": 25, "young": 20, "old": 20}
    assert [] == accused(tmp_path, *({"group": name, "n": n, "estimate": "1.0"} for name, n in sizes.items()))
    assert ["group_sizes"] == accused(
        tmp_path, *({"group": name, "n": n, "estimate": "1.0"} for name, n in {"ALL": 40, "a": 15, "b": 24}.items())
    )


def test_an_interaction_of_two_among_four_groups(tmp_path: Path) -> None:
    """A joint fit of four groups rests on the rows of all four."""
    slopes = [{"group": name, "n": 20, "estimate": "1.0"} for name in "ABCD"]
    row = {"term": "interaction", "group": "A-B", "estimate": "0.0"}
    assert [] == accused(tmp_path, *slopes, row | {"n": 80})
    assert [] == accused(tmp_path, *slopes, row | {"n": 40})
    assert ["group_sizes"] == accused(tmp_path, *slopes, row | {"n": 60})


@pytest.mark.parametrize(
    "names", [("age above 20 years", "age above 40 years"), ("1-year annualised change", "2-year annualised change")]
)
def test_years_that_are_no_follow_up(tmp_path: Path, names: tuple[str, str]) -> None:
    """Equal slopes above two ages, or of two rates, would have to be proportional to time."""
    row = {"n": 400, "estimate": "1.00", "p": "1e-40", "model": "ordinary"}
    assert [] == accused(tmp_path, *(row | {"analysis": name} for name in names))
    plain = [row | {"analysis": f"{years}-year change"} for years in (1, 2)]
    assert ["slope_ratios"] == accused(tmp_path, *plain)
