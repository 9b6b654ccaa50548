"""Simulation-based calibration: right models pass, wrong ones do not, and no chunk depends on another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated import frame_of, long_table

from atrobayes.inference.calibration.exact_pits import Ranked, exact_pits, log_likelihood
from atrobayes.inference.calibration.pooled_draws import lkj_root
from atrobayes.inference.calibration.prior_draws import draw_linear, draw_linear_outcomes, values_of
from atrobayes.inference.calibration.reported import LOG_LIKELIHOOD, reporting_all
from atrobayes.inference.calibration.sampled_ranks import draw_from_prior, simulated_frames
from atrobayes.inference.calibration.sbc import Chunk, chunks, models_of, pits, sbc, template
from atrobayes.inference.calibration.sbc_table import COLUMNS, sbc_table, to_repeat
from atrobayes.inference.engine import Settings, get_engine
from atrobayes.inference.estimate import Choices
from atrobayes.inference.sums import gather
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors
from atrobayes.study import Calibration

SEED = 18_04  # chosen before the first look
CHOICES = Choices(seed=SEED)
RIGHT = 100  # simulations of the model as it is
SIMULATIONS = 60  # of wrong models, and of one that is right beside them


@pytest.fixture(scope="module")
def frame() -> Frame:
    return frame_of(long_table(1, patients=20, outcomes=2))


def _linear(frame: Frame, **changed: float) -> Linear:
    linear = MIXED.linear(template(MIXED, frame), replace(Priors(), **changed))
    assert linear is not None
    return linear


def _verdicts(ranked: Ranked) -> dict[str, str]:
    simulations, parameters = ranked.pit.shape
    found = pd.DataFrame(
        {
            "model": "m", "analysis": "a", "part": "", "run": 0, "chunk": 0,
            "simulation": np.repeat(np.arange(simulations), parameters),
            "parameter": np.tile(ranked.parameters, simulations),
            "pit": ranked.pit.ravel(),
            "bins": np.tile(ranked.bins, simulations),
            "passed": np.repeat(ranked.passed, parameters),
        }
    )  # fmt: skip
    return dict(sbc_table(found)[["parameter", "verdict"]].itertuples(index=False))


def _calibrated(truth: Linear, fitted: Linear, label: int, scan: np.ndarray | None = None) -> dict[str, str]:
    """Simulate from one model and fit another; `scan`: rows that share an error half as large as a year's own."""
    rng = np.random.default_rng([SEED, label])
    drawn = draw_linear(truth, SIMULATIONS, rng)
    y = draw_linear_outcomes(truth, drawn, rng)
    if scan is not None:
        shared = rng.normal(size=(SIMULATIONS, scan.max() + 1))
        y = y + values_of(drawn)["residual_sd"] * shared[:, scan]
    return _verdicts(exact_pits(fitted, y, drawn, rng))


def test_mixed_model_is_calibrated(frame: Frame) -> None:
    """The probabilities on every page of the report would not be those of the model it names."""
    table = sbc("mixed", frame, CHOICES, Calibration(simulations=RIGHT))
    assert [column.name for column in COLUMNS] == list(table.columns)
    assert {"slope[CLAD]", "interaction", "Intercept", "side", "patient_sd", "residual_sd", LOG_LIKELIHOOD} <= set(
        table["parameter"]
    )
    assert {"within"} == set(table["verdict"])
    assert {RIGHT} == set(table["simulations"])
    assert {0} == set(table["failed"])
    assert {"quadrature"} == set(table["engine"])
    assert {0.01 / len(table)} == set(table["limit"])


def test_priors_that_differ_from_those_simulated_from_are_found(frame: Frame) -> None:
    """A prior that the code states otherwise than the report does would go unnoticed."""
    verdicts = _calibrated(_linear(frame, slope_sd=0.5), _linear(frame, slope_sd=0.15), 1)
    assert "outside_once" == verdicts["slope[CLAD]"]


def test_leaving_out_the_patient_effect_is_found() -> None:
    """Years of one patient taken for independent ones make every interval too narrow."""
    truth = _linear(frame_of(long_table(2, patients=12, most_visits=9)))
    fitted = replace(truth, patient=None, patients=0, sd_names=truth.sd_names[1:], sd_priors=truth.sd_priors[1:])
    verdicts = _calibrated(truth, fitted, 2)
    assert "outside_once" == verdicts["residual_sd"]
    assert "outside_once" == verdicts["Intercept"]


def _long(frame: Frame, structures: int = 4) -> tuple[Linear, np.ndarray]:
    """Structures below each other, patients with one intercept; and the scan (pair) that each row comes from.

    The model of structures fitted together in miniature, with nothing to sample.
    """
    one = _linear(frame)
    linear = replace(
        one,
        X=np.tile(one.X, (structures, 1)),
        patient=np.tile(frame.patient, structures),
        residual_block=np.tile(one.residual_block, structures),
    )
    return linear, np.tile(np.arange(len(frame.x)), structures)


def test_leaving_out_the_scan_effect_in_long_format_is_found(frame: Frame) -> None:
    """Structures of one pair of scans share its error; taken for independent they make common slopes look sure."""
    linear, scan = _long(frame)
    verdicts = _calibrated(linear, linear, 3, scan)
    assert "outside_once" == verdicts["slope[CLAD]"]
    assert "outside_once" == verdicts["residual_sd"]


def test_long_format_without_a_shared_error_is_calibrated(frame: Frame) -> None:
    """What the test before finds would be the long format itself, not the error that scans share."""
    linear, _ = _long(frame)
    assert {"within"} == set(_calibrated(linear, linear, 4).values())


def test_exact_probabilities_are_those_of_draws(frame: Frame) -> None:
    """A probability looked up on the wrong scale, or of the wrong parameter, can still be uniform."""
    base = template(MIXED, frame)
    linear = _linear(frame)
    rng = np.random.default_rng([SEED, 5])
    truth = draw_linear(linear, 3, rng)
    y = draw_linear_outcomes(linear, truth, rng)
    ranked = exact_pits(linear, y, truth, rng)
    raw = base.scales.y_mean + base.scales.y_sd * y[..., None]
    (simulated,) = simulated_frames(base, raw, joint=False)
    tree, _ = get_engine("quadrature").run(MIXED, simulated, Priors(), Settings(draws=2500), 1)
    drawn = tree["posterior"].to_dataset()
    own = values_of(truth)
    for k, name in enumerate(simulated.outcomes):
        one = drawn.sel(outcome=name)
        below = {
            "slope[CLAD]": (
                one["terms"].sel(term="slope[CLAD]")
                < linear.contrasts[0] @ own["coefficients"][k] * base.slope_scale[0]
            ),
            "patient_sd": one["sds"].sel(sd="patient_sd") < own["patient_sd"][k] * base.scales.y_sd[0],
        }
        for parameter, share in below.items():
            pit = ranked.pit[k, ranked.parameters.index(parameter)]
            assert pytest.approx(float(share.mean()), abs=0.025) == pit


def test_log_likelihood_is_the_multivariate_normal_one(frame: Frame) -> None:
    """The test quantity that depends on the data would be another one, and find other faults."""
    linear = _linear(frame)
    rng = np.random.default_rng([SEED, 6])
    y = rng.normal(size=(1, len(frame.x)))
    sums = gather(linear.X, y.T, linear.patient, linear.residual_block)
    coefficients, sds = rng.normal(size=(1, 2, len(linear.coefs))), np.array([[[0.7, 1.2], [1.5, 0.4]]])
    own = log_likelihood(linear, sums, coefficients, sds)[0]
    same = linear.patient[:, None] == linear.patient
    whole = [
        stats.multivariate_normal.logpdf(y[0], linear.X @ beta, tau**2 * same + sigma**2 * np.eye(len(frame.x)))
        for beta, (tau, sigma) in zip(coefficients[0], sds[0], strict=True)
    ]
    assert pytest.approx(whole[1] - whole[0]) == own[1] - own[0]


def test_chunks_depend_on_their_number_alone(frame: Frame) -> None:
    """Results would depend on how many workers there are, or on which of them is killed."""
    cut = chunks("mixed", frame, CHOICES, Calibration(simulations=150))
    assert [100, 50] == [chunk.size for chunk in cut]
    small = Chunk("mixed", 1, 4)
    alone = pits(frame, CHOICES, small)
    pits(frame, CHOICES, Chunk("mixed", 0, 4))
    pd.testing.assert_frame_equal(alone, pits(frame, CHOICES, small))
    others = [Chunk("mixed", 0, 4), Chunk("mixed", 1, 4, run=1)]
    assert all(not np.allclose(alone["pit"], pits(frame, CHOICES, other)["pit"]) for other in others)


def test_data_sets_have_the_rows_with_values_and_the_scales_of_the_frame(frame: Frame) -> None:
    """Calibrated on another design, a model's word on this one would be untried."""
    y = frame.y.copy()
    y[3, 0] = np.nan
    holed = template(MIXED, frame.with_outcomes(y))
    assert ("y1",) == holed.outcomes
    assert len(frame.x) == len(holed.x)
    assert frame.scales.y_sd[1:] == holed.scales.y_sd


def _made_up(first: np.ndarray, again: np.ndarray | None) -> pd.DataFrame:
    runs = [first] if again is None else [first, again]
    parts = [pd.DataFrame({"run": run, "simulation": np.arange(len(pit)), "pit": pit}) for run, pit in enumerate(runs)]
    return pd.concat(parts, ignore_index=True).assign(
        model="m", analysis="a", part="", chunk=0, parameter="slope", bins=0, passed=True
    )


def test_a_failure_counts_only_when_repeated() -> None:
    """One unlucky run in a hundred would condemn a model that is right."""
    even, skewed = (np.arange(200) + 0.5) / 200, np.linspace(0, 1, 200) ** 3
    cases = {
        "within": _made_up(even, None),
        "outside_once": _made_up(skewed, None),
        "within_on_rerun": _made_up(skewed, even),
        "outside": _made_up(skewed, skewed),
    }
    assert list(cases) == [sbc_table(found)["verdict"].item() for found in cases.values()]
    assert [[], [("m", "a", "")]] == [to_repeat(cases[name]) for name in ("within", "outside_once")]
    histogram = sbc_table(cases["within_on_rerun"])["histogram"].item()
    assert {"2"} == set(histogram.split(","))


def test_fits_that_fail_their_gate_are_counted_not_dropped() -> None:
    """Left out, the hardest data sets would make a model look better than it is."""
    found = _made_up((np.arange(200) + 0.5) / 200, None).assign(passed=np.arange(200) > 2)
    assert (200, 3) == tuple(sbc_table(found)[["simulations", "failed"]].iloc[0])


def test_onion_correlations_have_the_lkj_distribution() -> None:
    """Structures would be simulated with other correlations than they are fitted with."""
    root = lkj_root(4, 2.0, 4000, np.random.default_rng([SEED, 7]))
    matrix = root @ np.swapaxes(root, 1, 2)
    np.testing.assert_allclose(np.ones((4000, 4)), np.diagonal(matrix, axis1=1, axis2=2))
    for row, column in zip(*np.tril_indices(4, -1), strict=True):
        share = (matrix[:, row, column] + 1) / 2
        assert 1e-4 < stats.kstest(share, stats.beta(2 - 1 + 2, 2 - 1 + 2).cdf).pvalue


def _course(kind: str) -> Frame:
    rng = np.random.default_rng([SEED, 8])
    table = pd.DataFrame(
        {
            "patient": np.repeat([f"P{k:02d}" for k in range(16)], 2),
            "group": np.repeat(["CLAD", "ALEM"], 16),
            "visit_from": np.tile([-1, 0], 16),
            "visit_to": np.tile([0, 1], 16),
            "value": rng.integers(0, 4, 32).astype(float),
        }
    )
    return Frame.from_table(
        table, outcomes=["value"], group="group", groups=("CLAD", "ALEM"), patient="patient", kind=kind
    )


def _pooled() -> Frame:
    names = ("thalamus", "caudate", "lateral_ventricle")
    table = long_table(3, patients=12, outcomes=3).rename(columns={f"y{k}": name for k, name in enumerate(names)})
    table.loc[2, "caudate"] = np.nan
    return Frame.from_table(
        table, outcomes=names, predictor="x", group="group", groups=("CLAD", "ALEM"), patient="patient",
        orientation={"lateral_ventricle": -1},
    )  # fmt: skip


FRAMES = {
    "mixed_robust": lambda: frame_of(long_table(1, patients=20)),
    "counts": lambda: _course("counts"),
    "ordinal": lambda: _course("scores"),
    "structures_pooled": _pooled,
}


@pytest.mark.parametrize("name", list(FRAMES))
def test_what_is_drawn_is_all_that_the_graph_leaves_open(name: str) -> None:
    """A parameter held fixed in the simulation and free in the fit would look like miscalibration, or hide one."""
    base = template(get_model(name), FRAMES[name]())
    model = reporting_all(get_model(name), base)
    truth, y = draw_from_prior(model, base, Priors(), 3, np.random.default_rng(SEED))
    assert (3, *base.y.shape) == y.shape
    np.testing.assert_array_equal(np.isnan(base.y), np.isnan(y[0]))
    graph = model.graph(base, Priors(), centred="structure_effects" in truth)
    free = {variable.name: tuple(variable.shape.eval()) for variable in graph.free_RVs}
    # correlations are drawn as a whole, errors of missing values not at all
    free = {key: shape for key, shape in free.items() if key not in {"structure_partial", "missing_errors"}}
    if name == "ordinal":  # thresholds are sampled as the middle one and the steps between, and drawn as they are
        assert {"middle_threshold", "log_steps"} <= set(free)
        steps = free.pop("log_steps")[0]
        free["thresholds"] = (*free.pop("middle_threshold"), steps + 1)
    assert free == {str(key): values.shape[2:] for key, values in truth.items()}


def test_kinds_of_frames_are_calibrated_with_all_their_models() -> None:
    """A model that is reported and never calibrated would be trusted for nothing."""
    frame = FRAMES["structures_pooled"]()
    assert ("mixed", "mixed_robust", "structures_pooled") == models_of(frame, CHOICES)
    assert ("mixed", "mixed_robust") == models_of(frame.without_groups(), CHOICES)
    assert ("ordinal",) == models_of(_course("scores"), CHOICES)


@pytest.mark.slow
def test_a_sampled_model_is_calibrated() -> None:
    """Counts are sampled, not integrated: ranks among draws must be uniform as exact probabilities are."""
    base = FRAMES["counts"]()
    found = pd.concat([pits(base, CHOICES, Chunk("counts", number, 5)) for number in range(2)], ignore_index=True)
    table = sbc_table(found)
    assert {"within"} == set(table["verdict"])
    assert {10} == set(table["simulations"])
    assert {"sampling"} == set(table["engine"])
    assert {101} == {histogram.count(",") + 1 for histogram in table["histogram"]}
    assert 4 >= table["failed"].max()
