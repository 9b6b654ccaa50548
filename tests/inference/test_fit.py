"""The one door to a fit: what is stored, looked up and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulated import frame_of, long_table

from atrobayes.errors import UsageError
from atrobayes.inference.diagnose import diagnose
from atrobayes.inference.engine import Settings
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.seeds import derive
from atrobayes.inference.store import Store
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors

SETTINGS = Settings(draws=50, chains=2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "posterior", tmp_path / "scratch")


def test_a_fit_read_back_is_exact(store: Store) -> None:
    """Quadrature's exactness would be lost by saving."""
    frame = frame_of(long_table(1, outcomes=2))
    made = fit(MIXED, frame, Priors(), settings=SETTINGS, store=store)
    read = Fit.read(store.path(made.name))
    for q in (0.001, 0.025, 0.5, 0.999):
        np.testing.assert_array_equal(made.marginals.quantile(q), read.marginals.quantile(q))
    np.testing.assert_array_equal(made.marginals.log_pdf(np.zeros((2, 3))), read.marginals.log_pdf(np.zeros((2, 3))))
    assert made.history == read.history
    assert made.verdict.checks == read.verdict.checks
    assert "quadrature" == read.history["engine"]["name"]


def test_an_equal_fit_is_looked_up_and_any_difference_is_fitted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale posterior would be reported after the data, prior or seed changed."""
    frame = frame_of(long_table(1))
    first = fit(MIXED, frame, Priors(), settings=SETTINGS, store=store)
    stamp = store.path(first.name).stat().st_mtime_ns
    assert first.history["fit_id"] == fit(MIXED, frame, Priors(), settings=SETTINGS, store=store).history["fit_id"]
    assert stamp == store.path(first.name).stat().st_mtime_ns
    other_data = frame.with_outcomes(frame.y + 1e-9)
    others = [
        fit(MIXED, other_data, Priors(), settings=SETTINGS),
        fit(MIXED, frame, replace(Priors(), slope_sd=0.51), settings=SETTINGS),
        fit(MIXED, frame, Priors(), settings=replace(SETTINGS, draws=51)),
        fit(MIXED, frame, Priors(), settings=SETTINGS, seed=2),
        fit(replace(MIXED, revision="a later one"), frame, Priors(), settings=SETTINGS),
    ]
    ids = {one.history["fit_id"] for one in (first, *others)}
    assert 6 == len(ids)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_posterior_is_fitted_again(store: Store, damage: str) -> None:
    """Numbers from a broken file would reach the report."""
    frame = frame_of(long_table(1))
    made = fit(MIXED, frame, Priors(), settings=SETTINGS, store=store)
    path = store.path(made.name)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "cut": whole[:middle],
            "flip": whole[:middle] + bytes(255 - b for b in whole[middle : middle + 200]) + whole[middle + 200 :],
            "empty": b"",
            "text": b"not a posterior",
        }[damage]
    )
    again = fit(MIXED, frame, Priors(), settings=SETTINGS, store=store)
    np.testing.assert_array_equal(made.marginals.mean(), again.marginals.mean())
    assert whole == path.read_bytes()


def test_the_same_rows_without_groups_are_a_fit_of_their_own(store: Store) -> None:
    """slope[ALL] would overwrite the slopes of the groups, or be looked up in their place."""
    frame = frame_of(long_table(1))
    both = [fit(MIXED, part, Priors(), settings=SETTINGS, store=store) for part in (frame, frame.without_groups())]
    assert ["table--bayes--quadrature", "table--bayes--quadrature--ALL"] == [one.name for one in both]
    assert {"ALL"} == {both[1].history["part"]}
    assert both[0].history["fit_id"] != both[1].history["fit_id"]
    assert ("slope[ALL]",) == Fit.read(store.path(both[1].name)).marginals.terms


def test_stale_posteriors_are_removed(store: Store) -> None:
    """The report would show a fit that is no longer asked for."""
    made = fit(MIXED, frame_of(long_table(1)), Priors(), settings=SETTINGS, store=store)
    stale = store.path("old--bayes--quadrature")
    stale.write_bytes(b"")
    store.keep_only({made.name})
    assert [store.path(made.name)] == sorted(store.folder.iterdir())


def test_draws_in_the_file_agree_with_the_mixture() -> None:
    """What ArviZ shows of a file would differ from the tables."""
    made = fit(MIXED, frame_of(long_table(4)), Priors(), settings=Settings(draws=10_000, chains=4))
    draws = made.tree["posterior"]["terms"]
    # 40,000 independent draws: standard error of a mean is 0.005 posterior SDs
    z = (draws.mean(("chain", "draw")).to_numpy() - made.marginals.mean()) / made.marginals.sd() / 0.005
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(made.marginals.sd(), draws.std(("chain", "draw")).to_numpy(), rtol=0.02)


def test_an_unknown_engine_is_refused_by_name() -> None:
    """A typing slip would silently run another engine."""
    with pytest.raises(UsageError, match="quadratur"):
        fit(MIXED, frame_of(long_table(1)), Priors(), engine="quadratur")


def test_the_gate_notices_chains_that_disagree() -> None:
    """A fit that has not converged would be reported as if it had."""
    rng = np.random.default_rng(1)
    import xarray as xr

    def tree(shift: float, divergent: int) -> xr.DataTree:
        dims = ("chain", "draw", "outcome")
        terms = rng.normal(size=(4, 1000, 1, 3))
        terms[0] += shift
        diverging = np.zeros((4, 1000, 1), dtype=bool)
        diverging[0, :divergent] = True
        coords = {"outcome": ["a"], "term": ["x", "y", "z"], "sd": ["s"]}
        posterior = xr.Dataset(
            {"terms": ((*dims, "term"), terms), "sds": ((*dims, "sd"), rng.normal(size=(4, 1000, 1, 1)))}, coords
        )
        stats = xr.Dataset(
            {"diverging": (dims, diverging), "energy": (dims, rng.normal(size=(4, 1000, 1)))}, {"outcome": ["a"]}
        )
        return xr.DataTree.from_dict({"/posterior": posterior, "/sample_stats": stats})

    assert diagnose(tree(0.0, 0)).passed
    for shift, divergent, said in ((1.0, 0, "R-hat"), (0.0, 3, "divergences 3")):
        verdict = diagnose(tree(shift, divergent))
        assert not verdict.passed
        assert said in verdict.reasons[0]
        assert 0 == int(verdict.table["passed"].sum())


def test_seeds_depend_on_labels_alone() -> None:
    """Results would change with the order of fits or the number of workers."""
    assert derive(1, "a", "b") == derive(1, "a", "b")
    assert 4 == len({derive(1, "a", "b"), derive(2, "a", "b"), derive(1, "ab", ""), derive(1, "b", "a")})
