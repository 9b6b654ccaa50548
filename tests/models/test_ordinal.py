"""An ordinal score by visit and group: the density as written down, medians by hand, known effects recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import integrate, stats
from scipy.special import expit

from atrobayes.inference.engine import Settings
from atrobayes.inference.fit import fit
from atrobayes.models.frame import Frame
from atrobayes.models.ordinal import ORDINAL, levels
from atrobayes.models.priors import Priors
from atrobayes.models.terms import terms_of

# no compiler to wait for
PYTHON = Mode(linker="py", optimizer="fast_compile")
EFFECTS = np.array([-0.5, 0.3, 0.8, -0.2])
CUTS = np.array([-2.0, -0.7, 0.4, 1.5])
LEVELS = np.array([0.0, 1.0, 1.5, 2.0, 3.5])
TAU = 1.5


def _frame(patients: int = 24, seed: int = 1) -> Frame:
    """Two groups, two visits; cells by visit, then group."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(patients):
        own = TAU * rng.normal()
        for visit in (0, 1):
            latent = EFFECTS[2 * visit + person % 2] + own + rng.logistic()
            score = LEVELS[np.searchsorted(CUTS, latent)]
            rows.append((f"P{person:03d}", ("CLAD", "ALEM")[person % 2], visit - 1, visit, score))
    table = pd.DataFrame(rows, columns=["patient", "group", "visit_from", "visit_to", "edss"])
    return Frame.from_table(
        table, outcomes=["edss"], group="group", groups=("CLAD", "ALEM"), patient="patient", kind="scores"
    )


def _draws(draws: int = 200, seed: int = 5) -> xr.Dataset:
    rng, shape = np.random.default_rng(seed), (2, draws)
    return xr.Dataset(
        {
            "cell_effects": (("chain", "draw", "cell_effects_dim_0"), rng.normal(0, 1.5, (*shape, 4))),
            "thresholds": (("chain", "draw", "thresholds_dim_0"), np.sort(rng.normal(0, 2, (*shape, 4)))),
            "patient_sd": (("chain", "draw"), rng.uniform(0.1, 6, shape)),
        }
    )


@pytest.mark.parametrize("centred", [False, True])
def test_log_density_of_the_graph_is_the_cumulative_logit_written_down(centred: bool) -> None:
    """Effects with the sign turned, or scores coded by number, would fit as smoothly."""
    frame = _frame()
    assert 5 == len(levels(frame))
    graph = ORDINAL.graph(frame, Priors(), centred=centred)
    density, start, rng = graph.compile_logp(mode=PYTHON), graph.initial_point(), np.random.default_rng(2)
    code = np.searchsorted(LEVELS, frame.y.to_numpy()[:, 0])
    cell = 2 * frame.visits[:, 1] + frame.group
    for _ in range(50):
        point = {name: np.asarray(rng.normal(0, 1, np.shape(value))) for name, value in start.items()}
        log_steps, log_tau = point["log_steps"], point["patient_sd_log__"]
        # four thresholds, the third the middle one; steps from the lowest to the highest
        steps, tau = np.exp(log_steps), np.exp(log_tau)
        cuts = point["middle_threshold"] + np.array([-steps[0] - steps[1], -steps[1], 0, steps[2]])
        drawn = point["intercepts" if centred else "intercepts_raw"]
        state = point["cell_effects"][cell] + (drawn if centred else tau * drawn)[frame.patient]
        below = np.concatenate([[-np.inf], cuts, [np.inf]])
        expected = (
            stats.norm.logpdf(point["cell_effects"]).sum()
            + stats.norm.logpdf(drawn, 0, tau if centred else 1).sum()
            + stats.norm.logpdf(cuts, 0, 5).sum()
            + log_steps.sum()
            + np.log(2)
            + stats.t.logpdf(tau, 3, scale=2.5)
            + log_tau
            + np.log(expit(below[code + 1] - state) - expit(below[code] - state)).sum()
        )
        assert np.isclose(expected, density(point), rtol=1e-9, atol=0)


def test_median_is_the_least_level_that_half_of_all_patients_do_not_exceed() -> None:
    """The median of the average patient's score is another quantity, unless the integral says they agree."""
    frame, draws = _frame(), _draws()
    terms = ORDINAL.terms(draws, frame, Priors())
    assert [term.name for term in terms_of(frame)] == terms["term"].to_numpy().tolist()
    for chain, draw in ((0, 0), (0, 9), (1, 3), (1, 150)):
        one = draws.isel(chain=chain, draw=draw)
        tau = float(one["patient_sd"])
        for cell, effect in enumerate(one["cell_effects"].to_numpy()):
            below = [_share_below(float(cut) - effect, tau) for cut in one["thresholds"].to_numpy()]
            expected = LEVELS[np.argmax(np.array([*below, 1.0]) >= 0.5)]
            assert expected == terms[chain, draw, 0, cell]


def _share_below(margin: float, tau: float) -> float:
    """Return P(score ≤ level) over patients, by quadrature."""

    def joint(own: float) -> float:
        return float(expit(margin - tau * own) * stats.norm.pdf(own))

    return integrate.quad(joint, -10, 10, points=[float(np.clip(margin / tau, -9, 9))])[0]


def test_medians_take_scores_that_occur() -> None:
    """A median of 2.7 is no EDSS, and 0.5 does not exist."""
    values = ORDINAL.terms(_draws(), _frame(), Priors()).to_numpy()
    assert set(LEVELS) == set(np.unique(values))


def test_convergence_is_judged_on_what_medians_are_made_of() -> None:
    """A median that never moves has no R-hat: a fit that has not converged would pass."""
    frame, draws = _frame(), _draws()
    sds = ORDINAL.sds(draws, frame, Priors()).isel(outcome=0)
    cuts = ["threshold[0]", "threshold[1]", "threshold[1.5]", "threshold[2]"]
    effects = ["effect[CLAD,0]", "effect[ALEM,0]", "effect[CLAD,1]", "effect[ALEM,1]"]
    assert ["patient_sd", *cuts, *effects] == sds["sd"].to_numpy().tolist()
    np.testing.assert_array_equal(draws["patient_sd"], sds.sel(sd="patient_sd"))
    np.testing.assert_array_equal(draws["thresholds"][..., 2], sds.sel(sd="threshold[1.5]"))
    np.testing.assert_array_equal(draws["cell_effects"][..., 1], sds.sel(sd="effect[ALEM,0]"))


def test_patients_without_rows_change_nothing() -> None:
    """Leaving one patient out must be the model of the others, not of a shorter list."""
    frame = _frame().without_patient("P007")
    graph = ORDINAL.graph(frame, Priors())
    assert (24,) == graph.initial_point()["intercepts_raw"].shape
    assert 46 == len(ORDINAL.data(frame, Priors())["y"])


def test_one_and_the_same_score_is_refused() -> None:
    """No threshold could be learned, and the median would be the input."""
    frame = _frame()
    with pytest.raises(ValueError, match="edss: one and the same score"):
        ORDINAL.data(frame.with_outcomes(frame.y * 0 + 2), Priors())


@pytest.mark.slow
def test_known_effects_are_recovered() -> None:
    """The model would fit, but not what it says it fits."""
    frame = _frame(patients=150, seed=3)
    found = fit(ORDINAL, frame, Priors(), engine="nutpie", settings=Settings(draws=500, tune=500, jobs=2))
    sds = found.tree["posterior"].to_dataset()["sds"].isel(outcome=0)
    effects, cuts = sds.isel(sd=slice(5, 9)), sds.isel(sd=slice(1, 5))
    # thresholds and effects may all shift together: only their differences are the data's
    away = cuts - effects.isel(sd=0, drop=True)
    moved = effects - effects.isel(sd=0, drop=True)
    for truth, own in ((CUTS - EFFECTS[0], away), ((EFFECTS - EFFECTS[0])[1:], moved[..., 1:]), (TAU, sds[..., 0])):
        miss = np.abs(truth - own.mean(("chain", "draw"))) / own.std(("chain", "draw"))
        assert miss.max() < 4
    assert float(away.std(("chain", "draw")).max()) < 0.6
