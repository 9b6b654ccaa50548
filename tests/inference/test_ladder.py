"""Outcomes that fail the gate are sampled again, harder, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from simulated import frame_of, long_table

from atrobayes.inference.diagnose import LADDER
from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.nuts import Work, run_nuts
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.priors import Priors

SETTINGS = Settings(draws=250, tune=100, chains=4, target_accept=0.9)


@dataclass(frozen=True)
class Stub:
    """A model of one number an outcome, without a graph."""

    joint: bool = False
    name: str = "stub"
    template: str = "stub"

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> SimpleNamespace:
        return SimpleNamespace(initial_point=lambda: {"a": 0.0})

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:
        return {"y": frame.y_standardised[:, 0], "outcome": np.array([int(name[1:]) for name in frame.outcomes])}

    def linear(self, frame: Frame, priors: Priors) -> None:
        return None

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        one = draws["a"].expand_dims(term=["t"]).expand_dims(outcome=[frame.outcomes[0]])
        return xr.concat([one.assign_coords(outcome=[name]) for name in frame.outcomes], dim="outcome")

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:
        return self.terms(draws, frame, priors).rename(term="sd")


@dataclass
class Sampler:
    """Gives chains that disagree for an outcome until it has been asked for it often enough."""

    needs: dict[int, int]
    asked: list[tuple[tuple[int, ...], Settings, Work]] = field(default_factory=list)

    def __call__(self, work: Sequence[Work], settings: Settings) -> Iterator[xr.DataTree]:
        for one in work:
            outcomes = tuple(one.data["outcome"].tolist())
            before = sum(outcomes == other for other, *_ in self.asked)
            self.asked.append((outcomes, settings, one))
            yield self.chains(settings, one.seed, before < max(self.needs.get(k, 0) for k in outcomes))

    def chains(self, settings: Settings, seed: int, bad: bool) -> xr.DataTree:
        rng = np.random.default_rng(seed)
        shape = (settings.chains, settings.draws)
        values = rng.normal(size=shape) + (3.0 * bad * np.arange(settings.chains)[:, None])
        record = {"diverging": np.zeros(shape, bool), "energy": rng.normal(size=shape), "n_steps": np.ones(shape, int)}
        stats = xr.Dataset({name: (("chain", "draw"), value) for name, value in record.items()})
        return xr.DataTree.from_dict(
            {"/posterior": xr.Dataset({"a": (("chain", "draw"), values)}), "/sample_stats": stats}
        )


def climb(sampler: Sampler, model: Stub | None = None, settings: Settings = SETTINGS) -> tuple[xr.DataTree, Draws]:
    module = ModuleType("made_up")
    module.__version__ = "1"
    frame = frame_of(long_table(1, outcomes=3))
    return run_nuts(module, sampler, model or Stub(), frame, Priors(), settings, 1)


def rungs(tree: xr.DataTree) -> list[int]:
    return tree["sample_stats"]["rung"].to_numpy().tolist()


def test_only_failing_outcomes_are_sampled_again_each_as_far_up_as_it_needs() -> None:
    """A good posterior would change because another outcome was difficult, or a bad one stay."""
    easy, _ = climb(Sampler({}))
    sampler = Sampler({1: 1, 2: 3})
    tree, _ = climb(sampler)
    assert [0, 0, 0] == rungs(easy)
    assert [0, 1, 3] == rungs(tree)
    assert [(0,), (1,), (2,), (1,), (2,), (2,), (2,)] == [outcomes for outcomes, *_ in sampler.asked]
    first = [one["posterior"]["terms"].sel(outcome="y0").to_numpy() for one in (easy, tree)]
    np.testing.assert_array_equal(*first)


def test_each_rung_works_as_stated() -> None:
    """The report would state a ladder that was not climbed."""
    sampler = Sampler({2: 3})
    climb(sampler)
    hard = [(settings, work) for outcomes, settings, work in sampler.asked if outcomes == (2,)]
    assert [100, 100, 100, 400] == [settings.tune for settings, _ in hard]
    assert [250, 250, 250, 1000] == [settings.draws for settings, _ in hard]
    assert [0.9, 0.95, 0.95, 0.99] == [settings.target_accept for settings, _ in hard]
    assert [False, True, True, True] == [settings.correlated for settings, _ in hard]
    assert 4 == len({work.seed for _, work in hard})
    keys = [work.key for _, work in hard]
    assert keys[0] == keys[1] == keys[3] != keys[2]


def test_what_no_rung_mends_keeps_its_best_attempt_and_is_marked() -> None:
    """A fit that never converged would be passed off as one that did."""
    sampler = Sampler({0: 99})
    tree, draws = climb(sampler)
    assert len(LADDER) == sum(outcomes == (0,) for outcomes, *_ in sampler.asked)
    from atrobayes.inference.diagnose import diagnose

    verdict = diagnose(tree)
    assert [False, True, True] == verdict.table["passed"].to_numpy().tolist()
    assert rungs(tree) == verdict.table["rung"].to_numpy().tolist()
    assert (4, 250, 3, 1) == draws.values.shape


def test_a_joint_model_is_sampled_again_as_a_whole() -> None:
    """Draws of one posterior would be mixed with draws of another."""
    sampler = Sampler({1: 1})
    tree, _ = climb(sampler, Stub(joint=True))
    assert [(0, 1, 2)] * 2 == [outcomes for outcomes, *_ in sampler.asked]
    assert [1, 1, 1] == rungs(tree)


def test_nothing_is_climbed_where_no_rung_can_help() -> None:
    """A trial run of a hundred draws would be sampled four times, to fail each time."""
    sampler = Sampler({0: 99})
    climb(sampler, settings=Settings(draws=100, tune=50, chains=4))
    assert 3 == len(sampler.asked)


@pytest.mark.parametrize("divergent", [0, 1, 999])
def test_thinning_hides_neither_a_divergence_nor_a_sticky_energy(divergent: int) -> None:
    """Leaving draws out would clear a fit of what was wrong with it."""

    class Diverging(Sampler):
        def chains(self, settings: Settings, seed: int, bad: bool) -> xr.DataTree:
            tree = super().chains(settings, seed, bad)
            stats = tree["sample_stats"].to_dataset()
            if settings.draws == 1000:
                stats["diverging"][0, divergent] = True
                stats["energy"] = stats["energy"].cumsum("draw")
            tree["sample_stats"] = stats
            return tree

    sampler = Diverging({1: 3})
    tree, _ = climb(sampler)
    from atrobayes.inference.diagnose import diagnose, ebfmi

    # the chains agree on the last rung only, which alone is longer; it has a divergence and keeps it
    assert [0, 3, 0] == rungs(tree)
    assert [0, 1, 0] == diagnose(tree).table["divergences"].to_numpy().tolist()
    stats = tree["sample_stats"].to_dataset().sel(outcome="y1")
    assert [4] * 1000 == stats["n_steps"].to_numpy().ravel().tolist()
    _, settings, work = sampler.asked[-1]
    whole = sampler.chains(settings, work.seed, bad=False)
    np.testing.assert_array_equal(ebfmi(whole["sample_stats"]["energy"]).to_numpy(), stats["ebfmi"].to_numpy())
    kept = tree["posterior"]["terms"].sel(outcome="y1", term="t").to_numpy()
    np.testing.assert_array_equal(whole["posterior"]["a"].to_numpy()[:, 3::4], kept)
