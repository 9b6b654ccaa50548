"""Published slopes of several structures or groups shrunk together, held against brute force and NUTS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from published_rows import line, printed, published
from scipy import stats

from atrobayes.data_prep.published_tables import read_published
from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.reanalysis.groups import can_pool, pool_groups
from atrobayes.inference.reanalysis.reanalyse import Asked, reanalyse
from atrobayes.inference.reanalysis.structures import nested_free, pool

ESTIMATES = np.array([-0.6, -0.2, 0.1, -0.4])
ERRORS = np.array([0.25, 0.1, 0.2, 0.3])


def force(
    estimate: np.ndarray, se: np.ndarray, df: float, s: float, correlation: float, nodes: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Mass, and mass times first and second moments, at each SD between structures: all matrices written out.

    Terms are the common slope and the structures.
    """
    count = len(se)
    errors = se[:, None] * (correlation + (1 - correlation) * np.eye(count)) * se
    u = np.linspace(-14, 4, 500) if np.isfinite(df) else np.zeros(1)
    log_lam = df / 2 * (u - np.exp(u)) if np.isfinite(df) else np.zeros(1)
    mass, moments = [], []
    for t, w in zip(*nodes, strict=True):
        prior = s**2 + t**2 * np.diag([0.0] + [1.0] * count)
        total = prior[1:, 1:] + errors / np.exp(u)[:, None, None]
        gain = np.swapaxes(np.linalg.solve(total, np.broadcast_to(prior[1:], (len(u), count, count + 1))), 1, 2)
        mean = gain @ estimate
        variance = np.diagonal(prior - gain @ prior[1:], axis1=1, axis2=2)
        white = np.linalg.solve(total, np.broadcast_to(estimate[:, None], (len(u), count, 1)))[..., 0]
        logs = log_lam - 0.5 * (t / s) ** 2 - 0.5 * (np.linalg.slogdet(total)[1] + white @ estimate)
        weight = w * np.exp(logs)
        mass.append(weight.sum())
        moments.append([weight @ mean, weight @ (mean**2 + variance)])
    return np.array(mass), np.array(moments)


def pooled_by_force(estimate: np.ndarray, se: np.ndarray, df: float, s: float, correlation: float) -> np.ndarray:
    """Posterior means and SDs."""
    mass, moments = force(estimate, se, df, s, correlation, line(0, 8 * s, 12))
    mean, square = moments.sum(axis=0) / mass.sum()
    return np.array([mean, np.sqrt(square - mean**2)])


@pytest.mark.parametrize("df", [7.0, np.inf])
@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_structures_shrunk_together_agree_with_matrices_written_out(df: float, correlation: float) -> None:
    """The rotated formulas would pass every test of their own while pooling towards something else."""
    found = pool("abcd", ESTIMATES, ERRORS, df, 0.5, correlation)
    expected = pooled_by_force(ESTIMATES, ERRORS, df, 0.5, correlation)
    assert expected == pytest.approx(np.array([found.mixture.mean()[0], found.mixture.sd()[0]]), rel=1e-8)


def test_the_sd_between_structures_agrees_with_matrices_written_out() -> None:
    """How far structures differ is what decides how much they are shrunk."""
    found = pool("abcd", ESTIMATES, ERRORS, 7.0, 0.5, 0.6)
    tau, weight = line(0, 4, 12)
    mass, _ = force(ESTIMATES, ERRORS, 7.0, 0.5, 0.6, (tau, weight))
    assert tau @ mass / mass.sum() == pytest.approx(found.between_mean, rel=1e-8)
    for level, end in ((0.025, found.between_low), (0.975, found.between_high)):
        below, _ = force(ESTIMATES, ERRORS, 7.0, 0.5, 0.6, line(0, end, 6))
        assert level == pytest.approx(below.sum() / mass.sum(), abs=1e-6)


def test_structures_of_the_paper_are_pooled_as_worked_out_by_hand() -> None:
    """From printed numbers to rows: scale, orientation, correlation and turning back, with nothing of ours."""
    printed_numbers = {
        "thalamus": (-0.004, 0.0186, 1),
        "cerebellar_cortex": (-0.035, 0.00001, 1),
        "lateral_ventricle": (0.019, 0.0014, -1),
    }
    b, p, turn = np.array(list(printed_numbers.values())).T
    t = stats.t.isf(p / 2, 27)
    se = np.abs(b) / t
    scale = se * np.sqrt(27 + t**2)
    mean, sd = pooled_by_force(turn * b / scale, se / scale, 27.0, 0.5, 0.6)
    table = reanalyse(read_published(), Asked(rungs=(0.5,), error_correlations=(0.6,)))
    rows = table[(table["source"] == "Section 3.5") & (table["together"] == "structures")].set_index("structure")
    assert ["common", *printed_numbers] == list(rows.index)
    assert mean[0] == pytest.approx(rows.loc["common", "estimate"], rel=1e-8)
    assert mean[1:] * turn * scale == pytest.approx(rows["estimate"].to_numpy()[1:], rel=1e-8)
    assert sd[1:] * scale == pytest.approx(rows["sd"].to_numpy()[1:], rel=1e-8)
    assert np.append(1, scale) == pytest.approx(rows["scale"].to_numpy(), rel=1e-9)
    # variance of a structure's slope under the prior: the common one's and the mean square of its own part
    assert 0.5 * np.append(1, np.sqrt(2) * scale) == pytest.approx(rows["prior_sd"].to_numpy(), rel=1e-9)


@pytest.mark.parametrize(
    ("df", "s", "correlation", "least"), [(7.0, 0.5, 0.9, 0.1), (1.0, 2.5, 0.99, 0.1), (50.0, 0.5, 0.0, 0.001)]
)
def test_shrinking_together_is_fine_enough(df: float, s: float, correlation: float, least: float) -> None:
    """A much finer rule may change nothing that is reported, however far apart the smallest error and the prior lie."""
    errors = np.minimum(ERRORS, np.array([1, least, 1, 1]))
    coarse, fine = (pool("abcd", ESTIMATES, errors, df, s, correlation, count) for count in (0, 12))
    assert fine.mixture.mean() == pytest.approx(coarse.mixture.mean(), rel=1e-8)
    assert fine.mixture.sd() == pytest.approx(coarse.mixture.sd(), rel=1e-8)
    assert (fine.between_mean, fine.between_low, fine.between_high) == pytest.approx(
        (coarse.between_mean, coarse.between_low, coarse.between_high), rel=1e-4
    )


def test_equal_estimates_are_shrunk_more_together_than_different_ones() -> None:
    """The SD between structures would not be learned."""
    equal = pool("abcd", np.full(4, -0.3), np.full(4, 0.1), np.inf, 0.5, 0.0)
    apart = pool("abcd", np.array([-0.9, 0.3, -0.6, 0.0]), np.full(4, 0.1), np.inf, 0.5, 0.0)
    assert equal.mixture.sd()[0, 1] < 0.8 * apart.mixture.sd()[0, 1]
    assert equal.between_high < apart.between_mean


def grid_of_groups(log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray], s: float) -> np.ndarray:
    """Means and SDs of both slopes and their difference, on a fine grid."""
    one, two = np.meshgrid(np.linspace(-5 * s, 5 * s, 1201), np.linspace(-5 * s, 5 * s, 1201), indexing="ij")
    prior = stats.multivariate_normal.logpdf(np.stack([one, two], -1), [0, 0], s**2 * np.array([[1, 0.5], [0.5, 1]]))
    logs = log_likelihood(one, two) + prior
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    values = [one, two, one - two]
    means = [(mass * v).sum() for v in values]
    return np.array([means, [np.sqrt((mass * (v - m) ** 2).sum()) for v, m in zip(values, means, strict=True)]])


def test_groups_of_separate_regressions_agree_with_a_grid() -> None:
    """The interaction is what the paper is about."""
    found = pool_groups("AB", np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 5.0]), 0.5, shared=False)
    expected = grid_of_groups(
        lambda a, b: stats.t.logpdf((a + 0.3) / 0.15, 7) + stats.t.logpdf((b - 0.1) / 0.2, 5),
        0.5,
    )
    assert expected == pytest.approx(np.array([found.mean()[0], found.sd()[0]]), rel=1e-5)
    assert ("A", "B", "A-B") == found.terms


def test_groups_of_one_model_share_its_error() -> None:
    """One variance estimate serves both slopes of a mixed model: their likelihood is one bivariate t."""
    found = pool_groups("AB", np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 7.0]), 0.5, shared=True)

    def bivariate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(-4.5 * np.log1p((((a + 0.3) / 0.15) ** 2 + ((b - 0.1) / 0.2) ** 2) / 7))

    assert grid_of_groups(bivariate, 0.5) == pytest.approx(np.array([found.mean()[0], found.sd()[0]]), rel=1e-5)


def test_structures_with_unlike_n_have_the_fewest_degrees_of_freedom() -> None:
    """More would claim to know their common error better than one of them does."""
    names = ("thalamus", "caudate", "putamen")
    rows = [printed("-0.30", "0.010", n=n, structure=name) for n, name in zip((20, 8, 14), names, strict=True)]
    table = reanalyse(published(*rows), Asked(rungs=(0.5,), error_correlations=(0.3,)))
    alone, together = (table[table["together"] == kind] for kind in ("alone", "structures"))
    b, se, scale = (alone[name].to_numpy(float) for name in ("published", "se", "scale"))
    expected = pooled_by_force(b / scale, se / scale, 6.0, 0.5, 0.3)[0]
    assert expected * np.append(1, scale) == pytest.approx(together["estimate"].to_numpy(float), rel=1e-8)
    assert [6.0] * 4 == list(together["df"])


def test_three_groups_agree_with_two_of_them_where_the_third_says_nothing() -> None:
    """An axis more must not move what the others say, nor the prior that they share."""
    b, se, df = np.array([-0.3, 0.1, 0.2]), np.array([0.15, 0.2, 1e4]), np.array([7.0, 5.0, 12.0])
    two = pool_groups("AB", b[:2], se[:2], df[:2], 0.5, shared=False)
    three = pool_groups("ABC", b, se, df, 0.5, shared=False)
    assert ("A", "B", "C", "A-B", "A-C", "B-C") == three.terms
    for values in ("mean", "sd"):
        one, other = getattr(two, values)()[0], getattr(three, values)()[0]
        assert one == pytest.approx(other[[0, 1, 3]], rel=1e-6)
    # what is not known of C follows the mean of the others
    mean = three.mean()[0]
    assert (mean[0] + mean[1]) / 3 == pytest.approx(mean[2], rel=1e-6)


def test_groups_too_many_or_too_small_are_left_alone() -> None:
    """The grid would take minutes: three axes of one degree of freedom."""
    assert can_pool(np.array([1.0, 1.0]), shared=False)
    assert can_pool(np.array([3.0, 3.0, 3.0]), shared=False)
    assert not can_pool(np.array([3.0, 1.0, 3.0]), shared=False)
    assert can_pool(np.array([1.0, 1.0, 1.0]), shared=True)
    assert not can_pool(np.full(4, 9.0), shared=True)
    assert not can_pool(np.array([9.0]), shared=False)


@pytest.mark.parametrize(("source", "likelihood"), [("Table 3", "t"), ("Table 2", "t"), ("Table 2", "normal")])
def test_groups_of_the_paper_are_pooled_as_worked_out_by_hand(source: str, likelihood: str) -> None:
    """Separate regressions each have their own variance, a mixed model one; both from printed numbers."""
    numbers = {
        "Table 3": [(-0.02001, 0.09193, 9, 7.0), (-0.00267, 0.62083, 7, 5.0)],
        "Table 2": [(-0.00989, 0.02153, 59, 50.0), (0.00247, 0.57166, 36, 50.0)],
    }
    b, p, n, df = np.array(numbers[source]).T
    t = stats.norm.isf(p / 2) if likelihood == "normal" else stats.t.isf(p / 2, df)
    se = np.abs(b) / t
    s = 0.5 * np.max(se * np.sqrt(n - 2 + t**2))

    def log_likelihood(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        x, y = (one - b[0]) / se[0], (two - b[1]) / se[1]
        if likelihood == "normal":
            return np.asarray(-0.5 * (x**2 + y**2))
        if source == "Table 2":
            return np.asarray(-26 * np.log1p((x**2 + y**2) / 50))
        return np.asarray(stats.t.logpdf(x, df[0]) + stats.t.logpdf(y, df[1]))

    table = reanalyse(read_published(), Asked(rungs=(0.5,), error_correlations=()))
    rows = table[(table["source"] == source) & (table["together"] == "groups") & (table["structure"] == "thalamus")]
    rows = rows[rows["likelihood"] == likelihood]
    expected = grid_of_groups(log_likelihood, s)
    assert ["CLAD", "ALEM", "CLAD-ALEM"] == list(rows["group"])
    assert ["slope", "slope", "interaction"] == list(rows["term"])
    assert expected[0] == pytest.approx(rows["estimate"].to_numpy(), rel=1e-4)
    assert expected[1] == pytest.approx(rows["sd"].to_numpy(), rel=1e-4)
    assert [*b, b[0] - b[1]] == pytest.approx(list(rows["published"]), rel=1e-9)
    assert [*se, np.hypot(*se)] == pytest.approx(list(rows["se"]), rel=1e-9)
    assert [s] * 3 == pytest.approx(list(rows["prior_sd"]), rel=1e-9)
    # two separate regressions have no common degrees of freedom for their difference
    both = {"Table 3": np.nan, "Table 2": df[0]}[source]
    expected_df = [np.nan] * 3 if likelihood == "normal" else [*df, both]
    assert expected_df == pytest.approx(list(rows["df"]), nan_ok=True)
    assert rows["type_s"].isna().to_list() == [False, False, source == "Table 3"]


def test_the_order_of_groups_is_no_statement() -> None:
    """A first group that were the reference would get another prior than the rest."""
    b, se, df = np.array([-0.3, 0.1]), np.array([0.15, 0.2]), np.array([7.0, 5.0])
    one = pool_groups("AB", b, se, df, 0.5, shared=False)
    other = pool_groups("BA", b[::-1], se[::-1], df[::-1], 0.5, shared=False)
    assert one.mean()[0, :2] == pytest.approx(other.mean()[0, 1::-1], rel=1e-12)
    assert one.mean()[0, 2] == pytest.approx(-other.mean()[0, 2], rel=1e-12)


def test_no_pooled_structure_contains_another() -> None:
    """A composite pooled with its parts would count the same tissue twice."""
    found = nested_free([*CATALOGUE, "a_structure_of_their_own"])
    assert len(found) > 5
    assert not [(a, b) for a in found for b in found if b in CATALOGUE[a].contains]
    assert ("cerebellum",) == nested_free(["cerebellum", "whole_brain"])
    assert ("cerebellar_cortex",) == nested_free(["cerebellum", "cerebellar_cortex", "their_own"])


def test_structures_that_grow_with_atrophy_are_turned_before_they_are_pooled() -> None:
    """A ventricle that widens would speak against shrinking tissue, and pull it towards zero."""
    tissue = [printed("-0.30", "0.010", n=20, structure=name) for name in ("thalamus", "caudate", "putamen")]
    ventricle = printed("0.30", "0.010", n=20, structure="lateral_ventricle")
    one = [Asked(rungs=(0.5,), error_correlations=(0.3,))]
    found = reanalyse(published(*tissue, ventricle), *one).query("together == 'structures'").set_index("structure")
    assert -found.loc["thalamus", "estimate"] == pytest.approx(found.loc["lateral_ventricle", "estimate"], rel=1e-12)
    assert found.loc["common", "estimate"] < 0
