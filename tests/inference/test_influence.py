"""Leave one patient out: against refits, and a log predictive density against brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated import frame_of, long_table

from atrobayes.inference.brief import brief
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import fit
from atrobayes.inference.influence import COLUMNS, look
from atrobayes.inference.plan import GAUSSIAN, parts
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors
from atrobayes.study import Sensitivity

SEED = 5_01  # fixed before looking


def mixed() -> Frame:
    """Two outcomes, one of them missing in all rows of a patient and in one row of another."""
    table = long_table(SEED, patients=7, outcomes=2)
    table.loc[table["patient"] == "P004", "y1"] = np.nan
    table.loc[table.index[table["patient"] == "P000"][0], "y1"] = np.nan
    return frame_of(table)


def regression() -> Frame:
    return frame_of(long_table(SEED + 1, patients=9, most_visits=1), kind="regression")


def comparison() -> Frame:
    table = long_table(SEED + 2, patients=7).eval("x = 1.0 * (x > 0)")
    return Frame.from_table(table, outcomes=["y0"], predictor="x", patient="patient", kind="comparison")


def rows_of(frame: Frame, priors: Priors | None = None) -> pd.DataFrame:
    return look(frame, Choices(priors=priors or Priors()), Sensitivity())


@pytest.mark.parametrize(
    ("make", "priors"),
    [(mixed, Priors()), (regression, Priors()), (comparison, Priors(name="own", slope_sd=0.3, raw=True))],
)
def test_every_row_is_the_fit_without_that_patient(make, priors: Priors) -> None:
    """The patient a study is told to look at would not be the one who carries its result."""
    for frame in parts(make()):
        rows = rows_of(frame, priors)
        model = get_model(GAUSSIAN[frame.kind])
        whole = fit(model, frame, priors)
        base = brief(whole.marginals, 0.95)
        for who in frame.patients[3:5]:
            left = fit(model, frame.without_patient(who), priors)
            now = brief(left.marginals, 0.95)
            expected = {
                "estimate": now.mean,
                "sd": now.sd,
                "ci_low": now.low,
                "ci_high": now.high,
                "pd": now.pd_of(np.sign(base.mean)),
                "shift": (now.mean - base.mean) / base.sd,
                "estimate_all": base.mean,
                "pd_all": base.pd,
                "elpd": np.broadcast_to(evidence(whole) - evidence(left), base.mean.shape),
            }
            own = rows[rows["patient"] == who].set_index(["structure", "term"])
            known = pd.MultiIndex.from_product([whole.marginals.outcomes, whole.marginals.terms])
            for name, values in expected.items():
                told = pd.Series(values.ravel(), known).loc[own.index]
                np.testing.assert_allclose(told, own[name], atol=1e-10, rtol=1e-10, err_msg=name)


def evidence(fitted) -> np.ndarray:
    return fitted.tree["mixture"]["log_evidence"].to_numpy()[:, None]


def test_a_patients_log_predictive_density_is_that_of_brute_force() -> None:
    """The surprise a patient is to the model fitted to the others would be on no scale at all."""
    table = long_table(SEED + 3, patients=5, most_visits=2)
    frame = frame_of(table)
    linear, y = MIXED.linear(frame, Priors()), frame.y_standardised[:, 0]
    rows = rows_of(frame)
    whole = brute_evidence(linear, y, np.ones(len(y), dtype=bool))
    for code, who in enumerate(frame.patients):
        expected = whole - brute_evidence(linear, y, frame.patient != code)
        own = rows.loc[rows["patient"] == who, "elpd"]
        np.testing.assert_allclose(expected, own, atol=2e-5)


def brute_evidence(linear: Linear, y: np.ndarray, rows: np.ndarray) -> float:
    """Log density of some rows: coefficients and patients as one big normal, the SDs on a grid of their logs."""
    X, same = linear.X[rows], np.equal.outer(linear.patient[rows], linear.patient[rows])
    mean, fixed = X @ linear.prior_mean, (X * linear.prior_sd**2) @ X.T
    logs = np.linspace(-12, 6, 181)
    tau, sigma = (grid.ravel() for grid in np.meshgrid(np.exp(logs), np.exp(logs), indexing="ij"))
    cov = fixed + tau[:, None, None] ** 2 * same + sigma[:, None, None] ** 2 * np.eye(len(X))
    residual = y[rows] - mean
    squares = (residual * np.linalg.solve(cov, np.broadcast_to(residual, (len(tau), len(X)))[..., None])[..., 0]).sum(1)
    density = -0.5 * (np.linalg.slogdet(cov)[1] + squares + len(X) * np.log(2 * np.pi))
    prior = sum(np.log(2) + stats.t.logpdf(sd, 3) + np.log(sd) for sd in (tau, sigma))
    whole = density + prior + 2 * np.log(logs[1] - logs[0])
    return float(np.logaddexp.reduce(whole))


def test_a_patient_without_a_structure_has_no_row_of_it() -> None:
    """A patient would be said to leave a result unmoved that they had no part in."""
    rows = rows_of(mixed())
    names = {name: set(own["patient"]) for name, own in rows.groupby("structure")}
    assert {"P004"} == names["y0"] - names["y1"]
    table = long_table(SEED, patients=7)
    counts = table.groupby("patient").size()
    own = rows[(rows["structure"] == "y0") & (rows["term"] == "interaction")].set_index("patient")["n_obs"]
    np.testing.assert_array_equal(counts[own.index], own)


def test_who_takes_a_groups_spread_along_is_flagged() -> None:
    """A slope that the prior alone made would be shown as what the data say without a patient."""
    table = long_table(SEED + 4, patients=10, most_visits=1)
    second = table["group"] == "ALEM"
    alone = table.loc[second, "patient"].iloc[-1]
    table.loc[second, "x"] = np.where(table.loc[second, "patient"] == alone, 4.0, 1.0)
    rows = rows_of(frame_of(table, kind="regression"))
    flagged = rows[rows["flags"].str.contains("prior_only")]
    assert {(alone, "slope[ALEM]"), (alone, "interaction")} == set(
        zip(flagged["patient"], flagged["term"], strict=True)
    )
    assert not rows["estimate"].isna().any()


def test_a_patient_who_is_a_whole_group_can_be_left_out() -> None:
    """A study with a single patient of a group would get no answer at all."""
    table = long_table(SEED + 5, patients=8, most_visits=1)
    table["group"] = np.where(table["patient"] == "P007", "ALEM", "CLAD")
    for kind in ("regression", "mixed"):
        rows = rows_of(frame_of(table, kind=kind))
        own = rows[(rows["patient"] == "P007") & (rows["term"] == "slope[ALEM]")].iloc[0]
        assert "prior_only" in own["flags"]
        # what the other group says by the prior correlation of 0.5: less than half its precision
        assert 0.4 < own["sd"] / frame_of(table).slope_scale[0] < 0.5


def test_leverage_is_the_largest_hat_value_of_the_patients_rows() -> None:
    """Patients with extreme lesion counts would not stand out."""
    frame = mixed()
    X = np.column_stack([np.eye(2)[frame.group], np.eye(2)[frame.group] * frame.x[:, None]])
    hats = np.einsum("rc,cd,rd->r", X, np.linalg.inv(X.T @ X), X)
    rows = rows_of(frame)
    own = rows[(rows["structure"] == "y0") & (rows["term"] == "interaction")].set_index("patient")["leverage"]
    expected = [hats[frame.patient == frame.patients.index(who)].max() for who in own.index]
    np.testing.assert_allclose(expected, own, rtol=1e-9)


def test_rows_stand_in_the_frames_order_and_hold_every_column() -> None:
    """The table would not be what its sidecar describes."""
    frame = mixed()
    rows = rows_of(frame)
    assert [column.name for column in COLUMNS] == list(rows.columns)
    terms = ["slope[CLAD]", "slope[ALEM]", "interaction"]
    expected = [
        (name, term, who)
        for name in ("y0", "y1")
        for term in terms
        for who in frame.patients
        if (name, who) != ("y1", "P004")
    ]
    assert expected == list(zip(rows["structure"], rows["term"], rows["patient"], strict=True))
    assert rows["pareto_k"].isna().all()


def test_what_quadrature_does_not_serve_and_a_single_patient_have_no_rows() -> None:
    """Whoever asks for it would get an exception in the middle of a long run."""
    assert 0 == len(rows_of(replace(mixed(), kind="counts")))
    table = long_table(SEED, patients=9).query("patient == 'P000'")
    table = pd.concat([table] * 3, ignore_index=True).assign(y0=np.arange(3.0 * len(table)) ** 2)
    assert 0 == len(rows_of(frame_of(table)))
