"""Posterior predictive checks: right where the model is right, loud where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from simulated import frame_of, long_table

from atrobayes.inference.engines.quadrature.exact import problems
from atrobayes.inference.estimate import Choices
from atrobayes.inference.posterior_draws import draw
from atrobayes.inference.predicted_quantities import QUANTITIES
from atrobayes.inference.predictive import COLUMNS, look, replicate
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors
from atrobayes.models.regression import REGRESSION
from atrobayes.study import Sensitivity

DATA_SETS = 100


def _years(seed: int, **keywords: object) -> pd.DataFrame:
    table = long_table(seed, **keywords)
    opened = table.groupby("patient").cumcount()
    return table.assign(visit_from=opened, visit_to=opened + 1)


def _checked(frame: Frame) -> pd.DataFrame:
    return look(frame, Choices(), Sensitivity())


def _from_the_prior(frame: Frame, seed: int) -> Frame:
    """The frame with DATA_SETS outcomes, each simulated with parameters drawn from the prior."""
    rng = np.random.default_rng(seed)
    linear = (MIXED if frame.kind == "mixed" else REGRESSION).linear(frame, Priors())
    y = np.empty((len(frame.x), DATA_SETS))
    for k in range(DATA_SETS):
        beta = linear.prior_mean + linear.prior_sd * rng.normal(size=len(linear.coefs))
        sds = np.abs([prior.scale * rng.standard_t(prior.nu) for prior in linear.sd_priors])
        sigma = sds[1:] if linear.patient is not None else sds
        effect = 0.0 if linear.patient is None else sds[0] * rng.normal(size=linear.patients)[linear.patient]
        y[:, k] = linear.X @ beta + effect + sigma[linear.residual_block] * rng.normal(size=len(y))
    return _with(frame, y)


def _with(frame: Frame, y: np.ndarray) -> Frame:
    """The frame with other outcomes, whose scales are 0 and 1."""
    count = y.shape[1]
    named = xr.DataArray(y, dims=("row", "outcome"), coords={"outcome": [f"y{k}" for k in range(count)]})
    return frame.with_outcomes(named, replace(frame.scales, y_mean=np.zeros(count), y_sd=np.ones(count)))


def _observed(rows: pd.DataFrame) -> pd.Series:
    return rows.set_index("quantity")["observed"]


@pytest.fixture(scope="module")
def small() -> Frame:
    """Two patients of each group, by hand: two years each, and a third of the first patient."""
    table = pd.DataFrame(
        {
            "patient": list("aaabbccdd"),
            "group": ["CLAD"] * 5 + ["ALEM"] * 4,
            "x": [0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 3.0, 1.0, 0.0],
            "visit_from": [0, 1, 2, 0, 1, 0, 1, 0, 1],
            "visit_to": [1, 2, 3, 1, 2, 1, 2, 1, 2],
            "y0": [-1.0, -3.0, 0.5, 0.2, -0.4, -2.0, 0.1, -0.3, -0.9],
        }
    )
    return frame_of(table, unit="% of eTIV per lesion")


def test_quantities_are_those_of_a_hand_calculation(small):
    """A clinician would read another number than the one the words name."""
    rows = _checked(small)
    found = _observed(rows)
    assert 3.0 == pytest.approx(found["largest_loss"])
    assert "a" == rows.set_index("quantity").loc["largest_loss", "patient"]
    assert 3 / 9 == pytest.approx(found["share_growth"])
    means = [-3.5 / 3, -0.1, -0.95, -0.6]
    assert np.std(means, ddof=1) == pytest.approx(found["patients_sd"])
    assert -3.7 / 5 == pytest.approx(found["mean[CLAD]"])
    assert -3.1 / 4 == pytest.approx(found["mean[ALEM]"])
    # four rows with lesions, fewer than five in later years: nothing is said of either
    assert not {"spread_ratio", "first_year"} & set(found.index)


def test_successive_years_are_paired_within_patients(small):
    """Pairs across patients, or of the same year, would tell nothing of shared scans."""
    rows = _checked(small).set_index("quantity")
    X = MIXED.linear(small, Priors()).X
    y = small.y.to_numpy()[:, 0]
    rest = y - X @ np.linalg.lstsq(X, y)[0]
    first, second = rest[[0, 1, 3, 5, 7]], rest[[1, 2, 4, 6, 8]]
    assert 5 == rows.loc["successive", "n"]
    expected = (first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum())
    assert expected == pytest.approx(rows.loc["successive", "observed"])
    largest = np.abs(rest).max() / np.sqrt((rest**2).sum() / (9 - 4))
    assert largest == pytest.approx(rows.loc["largest_residual", "observed"])


def test_a_structure_that_grows_with_atrophy_is_read_the_other_way():
    """The ventricle's largest loss would be its largest shrinking, which is no atrophy."""
    frame = frame_of(_years(1))
    mirrored = replace(
        frame, y=-frame.y, orientation=-frame.orientation, scales=replace(frame.scales, y_mean=-frame.scales.y_mean)
    )
    there, here = _checked(frame), _checked(mirrored)
    same = ["largest_loss", "share_growth", "patients_sd", "successive", "skewness", "largest_residual"]
    assert list(_observed(there)[same]) == pytest.approx(list(_observed(here)[same]))
    assert _observed(there)["mean[CLAD]"] == pytest.approx(-_observed(here)["mean[CLAD]"])
    assert (-frame.y.to_numpy()).max() == pytest.approx(_observed(here)["largest_loss"])


def test_p_values_are_calibrated_where_the_model_is_true():
    """Checks would cry wolf in studies that are just as the model says, or never cry."""
    frame = _from_the_prior(frame_of(_years(3, patients=24)), 4)
    rows = _checked(frame)
    assert set(rows["quantity"]) >= set(QUANTITIES) - {"mean[G]"}
    by = rows.groupby("quantity")
    for name, own in by:
        error = 0.5 / np.sqrt(DATA_SETS)  # an SD of p-values cannot be more than ½
        assert (own["p"] < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / DATA_SETS), name
        if name != "patients_outside":  # a count with ties: both tails hold them
            assert 0.5 == pytest.approx(((own["p_above"] + 1 - own["p_below"]) / 2).mean(), abs=4 * error), name
    # what the model cannot adapt to has p-values that do vary
    spread = by["p_above"].std()[["successive", "largest_residual", "skewness"]]
    assert (spread > 0.2).all(), spread


def test_p_values_of_a_residual_that_no_parameter_moves_are_uniform():
    """A p of 0.02 would not be one in fifty."""
    table = _years(5, patients=30, most_visits=1)
    frame = _from_the_prior(frame_of(table, kind="regression").without_groups(), 6)
    rows = _checked(frame)
    for name in ("largest_residual", "skewness"):
        p = rows.loc[rows["quantity"] == name, "p_above"]
        assert stats.kstest(p, "uniform").pvalue > 0.001, name


def _planted(noise: np.ndarray, frame: Frame) -> pd.DataFrame:
    rows = _checked(_with(frame, noise))
    return rows.pivot_table(index="structure", columns="quantity", values="p")


def test_errors_of_shared_scans_are_found():
    """Successive changes of a patient correlate by -1/2, and nobody would be told that the model does not know."""
    frame = frame_of(_years(7, patients=50, most_visits=4), kind="mixed")
    rng = np.random.default_rng(8)
    scans = rng.normal(size=(len(frame.patients), 5, 20))
    shared = scans[frame.patient, frame.visits[:, 1]] - scans[frame.patient, frame.visits[:, 0]]
    assert (_planted(shared, frame)["successive"] < 0.05).mean() >= 0.95
    independent = rng.normal(size=shared.shape)
    assert (_planted(independent, frame)["successive"] < 0.05).mean() <= 0.2


def test_heavy_tails_are_found():
    """One gross error of segmentation in a cohort would pass for what normal errors do."""
    frame = frame_of(_years(9, patients=40))
    rng = np.random.default_rng(10)
    heavy = rng.normal(size=(len(frame.x), 20))
    heavy[rng.integers(len(heavy), size=20), np.arange(20)] += 7
    found = _planted(heavy, frame)
    assert (found["largest_residual"] < 0.05).mean() >= 0.95
    assert (found["mean[CLAD]"] < 0.05).mean() == 0


def test_spread_that_grows_with_lesions_is_found():
    """Patients with many lesions vary more, and one residual SD would be believed."""
    frame = frame_of(_years(11, patients=60))
    noise = np.random.default_rng(12).normal(size=(len(frame.x), 20))
    wider = noise * np.where(frame.x > np.median(frame.x), 3.0, 1.0)[:, None]
    assert (_planted(wider, frame)["spread_ratio"] < 0.05).mean() >= 0.95


def test_replicated_patients_are_new_ones():
    """The patients' own effects, kept, would make any spread between patients look expected."""
    frame = frame_of(_years(13, patients=30, tau=2.0))
    (problem,) = problems(MIXED, frame, Priors())
    size = 4000
    y = replicate(problem, [np.random.default_rng(1)], size)[0]
    drawn = draw(problem, size, [np.random.default_rng(1)])
    fixed = drawn.coefficients[0] @ problem.linear.X.T
    rest = y - fixed
    tau, sigma = drawn.sds[0].T
    who = frame.patient
    same, other = np.flatnonzero(who == who[0])[:2], (0, int(np.flatnonzero(who != who[0])[0]))
    assert (tau**2).mean() == pytest.approx((rest[:, same[0]] * rest[:, same[1]]).mean(), rel=0.1)
    assert (tau**2 + sigma**2).mean() == pytest.approx((rest**2).mean(), rel=0.05)
    assert abs((rest[:, other[0]] * rest[:, other[1]]).mean()) < 0.1 * (tau**2).mean()
    assert np.allclose(0, rest.mean(axis=0), atol=4 * np.sqrt((rest**2).mean() / size))


def test_a_structure_is_checked_alike_whatever_else_there_is():
    """Adding a structure would change the p-values of the others."""
    frame = frame_of(_years(14, outcomes=3))
    whole = _checked(frame)
    alone = _checked(frame.select(np.arange(len(frame.x)), np.array([1])))
    pd.testing.assert_frame_equal(
        whole[whole["structure"] == "y1"].reset_index(drop=True), alone, check_exact=False, rtol=1e-9
    )
    pd.testing.assert_frame_equal(whole, _checked(frame))


def test_missing_changes_are_left_out_of_both_sides():
    """A patient-year that one structure lacks would count as no change."""
    frame = frame_of(_years(15, outcomes=2))
    y = frame.y.to_numpy().copy()
    y[:3, 0] = np.nan
    rows = _checked(replace(frame, y=frame.y.copy(data=y)))
    n = rows[rows["quantity"] == "largest_loss"].set_index("structure")["n"]
    assert [len(frame.x) - 3, len(frame.x)] == [n["y0"], n["y1"]]
    assert rows["observed"].notna().all()


def test_the_table_has_its_columns_and_units():
    """A reader would not know what is compared with what."""
    rows = _checked(frame_of(_years(16), unit="% of eTIV per new T2 lesion"))
    assert [column.name for column in COLUMNS] == list(rows.columns)
    units = rows.set_index("quantity")["unit"]
    assert ["% of eTIV", "proportion", "correlation"] == list(units[["largest_loss", "share_growth", "successive"]])
    assert {"", *_years(16)["patient"]} >= set(rows["patient"])
    assert (rows["low"] <= rows["predicted"]).all()
    assert (rows["predicted"] <= rows["high"]).all()
