"""Assurance against the power it averages, and the future study against the one it is drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from atrobayes.inference import simulated_futures
from atrobayes.inference.assurance import part_of, studies_of, summarise
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.future_study import future_frame, group_sizes, retention, years_of
from atrobayes.inference.simulated_futures import AT_ONCE, FutureStudies, _posterior, _Truth, simulate_studies
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import HalfStudentT, Priors
from atrobayes.study import Design

TERM = "slope[CLAD]"
ENROLLED = (20, 14)


def patient_years(slope: float = -0.4) -> Frame:
    """Up to three yearly intervals a patient, some lost; enrolled were two more of each group."""
    rng = np.random.default_rng(11)
    years = np.repeat([3, 3, 2, 1], 8)[:30]
    patient = np.repeat(np.arange(30), years)
    year = np.concatenate([np.arange(k) for k in years])
    table = pd.DataFrame(
        {
            "patient": [f"P{i:02d}" for i in patient],
            "group": np.where(patient % 5 < 3, "CLAD", "ALEM"),
            "x": rng.negative_binomial(0.8, 0.4, len(patient)).astype(float),
            "visit_from": year,
            "visit_to": year + 1,
        }
    )
    own = 0.4 * rng.normal(size=(30, 2))[patient] + rng.normal(size=(len(table), 2))
    table[["a", "b"]] = own + slope * table[["x"]].to_numpy()
    table.loc[3, "b"] = np.nan
    return Frame.from_table(
        table, outcomes=["a", "b"], predictor="x", group="group", groups=("CLAD", "ALEM"), patient="patient"
    )


def one_change() -> Frame:
    rng = np.random.default_rng(8)
    table = pd.DataFrame({"x": rng.poisson(1.5, 24).astype(float), "y": rng.normal(size=24)})
    table = table.assign(visit_from=0, visit_to=1)
    return Frame.from_table(table, outcomes=["y"], predictor="x", kind="regression")


def assured(
    frame: Frame, term: str, enrolled: tuple[int, ...], choices: Choices, most: int = 50, **wanted: object
) -> pd.DataFrame:
    """assurance.tsv from the first `most` simulations of each size."""
    work = studies_of(frame, choices, Design(**wanted), term, enrolled)
    work = tuple(one for one in work if one.number < most // AT_ONCE)
    return summarise(pd.concat(list(map(simulate_studies, work)), ignore_index=True))


def test_where_the_truth_is_known_assurance_is_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """Assurance would average something else than the chance of success at each truth."""
    frame, slope, sigma, patients, simulations = one_change(), 0.3, 1.0, 40, 150
    choices = Choices(priors=Priors(slope_sd=50.0, intercept_mean_sd=50.0, residual_sd=HalfStudentT(3, 10)))

    def known(_asked: FutureStudies) -> _Truth:
        return _Truth(np.tile([0.0, slope], (1, simulations, 1)), np.full((1, simulations, 1), sigma))

    monkeypatch.setattr(simulated_futures, "_posterior", known)
    table = assured(frame, "slope[ALL]", (24,), choices, simulations, patients=(patients,), simulations=simulations)
    rng = np.random.default_rng(5)
    expected = []
    for _ in range(200):
        x = future_frame(frame, patients, 1, (24,), rng).x
        ncp = slope * np.sqrt(((x - x.mean()) ** 2).sum()) / sigma
        critical = stats.t.isf(0.025, patients - 2)
        expected.append(stats.nct.sf(critical, patients - 2, ncp) + stats.nct.cdf(-critical, patients - 2, ncp))
    (row,) = table.to_dict("records")
    for name, error in (("assurance", "mc_error"), ("power", "power_mc_error"), ("power_at_mean", "mc_error")):
        assert np.mean(expected) == pytest.approx(row[name], abs=3 * row[error]), name
    assert 1 == row["years"]


def only_first(frame: Frame) -> Frame:
    return frame.select(np.arange(len(frame.x)), np.array([0]))


@pytest.mark.parametrize("most", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_more_patients_do_not_lower_assurance(most: int) -> None:
    """A curve that falls with the size of the study would be noise, or a study that grows in nothing."""
    wanted = {"patients": (10, 40, 160), "simulations": 200}
    table = assured(only_first(patient_years()), TERM, ENROLLED, Choices(), most, **wanted)
    assert [10, 40, 160] == table["patients"].tolist()
    rise, error = np.diff(table["assurance"]), table["mc_error"].to_numpy()
    assert (rise > -3 * np.hypot(error[1:], error[:-1])).all()
    assert table["assurance"].iloc[-1] > table["assurance"].iloc[0] + 0.1
    assert (np.diff(table["rows_mean"]) > 0).all()


def test_truths_are_the_posterior() -> None:
    """Truths would be drawn in other units than those data are simulated in, or from another posterior."""
    frame = patient_years()
    (asked,) = studies_of(frame, Choices(), Design(patients=(10,), simulations=2000), TERM, ENROLLED)[:1]
    truth = _posterior(asked)
    own = exact(MIXED, frame, Priors()).mixture
    contrasts = MIXED.whole(frame, Priors()).contrasts
    drawn = (truth.coefficients @ contrasts.T) * frame.slope_scale[:, None, None]
    np.testing.assert_allclose(drawn.mean(axis=1), own.mean(), atol=float(4 * own.sd().max() / np.sqrt(2000)))
    np.testing.assert_allclose(drawn.std(axis=1), own.sd(), rtol=0.08)
    assert own.sds is not None
    mean_sds = (own.sds * own.weight[:, None]).sum(axis=-1)
    np.testing.assert_allclose(truth.sds.mean(axis=1), mean_sds, atol=0.02)


def test_the_conclusion_is_the_one_asked_for() -> None:
    """A study would be called successful by another rule than the one in the study file."""
    frame = only_first(patient_years())
    small, large = (
        assured(frame, TERM, ENROLLED, Choices(), 25, patients=(8,), conclusion="width", threshold=threshold)
        for threshold in (1e-3, 50.0)
    )
    assert [0] == small["assurance"].tolist()
    assert [1] == large["assurance"].tolist()
    relevant, sure = (
        assured(frame, TERM, ENROLLED, Choices(), 25, patients=(40,), conclusion=conclusion)
        for conclusion in ("rope", "pd")
    )
    assert relevant["assurance"][0] < sure["assurance"][0]


def test_a_chunk_depends_on_nothing_but_itself() -> None:
    """Results would depend on how the work is cut up, or a stored chunk would answer another question."""
    one, two = studies_of(only_first(patient_years()), Choices(), Design(patients=(8,), simulations=50), TERM, ENROLLED)
    found = simulate_studies(two)
    assert list(range(AT_ONCE, 2 * AT_ONCE)) == sorted(found["study"].unique().tolist())
    pd.testing.assert_frame_equal(found, simulate_studies(two))
    assert one.key() != two.key() != replace(two, patients=9).key()


def test_terms_without_groups_have_their_own_part() -> None:
    """A conclusion about all patients together could not be asked for."""
    frame = patient_years()
    whole = part_of(frame, "slope[ALL]")
    assert whole is not None
    assert ("ALL",) == whole.groups
    assert part_of(frame, "slope[NONE]") is None


def test_patients_are_shared_out_as_observed() -> None:
    """The future study would have other proportions of the groups, or another number of patients."""
    assert (32, 18) == group_sizes((33, 19), 50)
    assert (4, 3) == group_sizes((1, 1), 7)
    assert (0, 6) == group_sizes((0, 5), 6)


def test_future_patients_are_observed_ones_with_their_gaps() -> None:
    """Lesions would come without the dropout that goes with them, or wander between groups."""
    frame = patient_years()
    drawn = future_frame(frame, 2000, 3, ENROLLED, np.random.default_rng(1))
    known = {tuple(frame.x[frame.patient == code]) for code in range(30)}
    size = group_sizes(ENROLLED, 2000)[0]
    for patient in range(0, 2000, 37):
        rows = drawn.patient == patient
        assert not rows.any() or tuple(drawn.x[rows]) in known
        assert set(drawn.group[rows]) <= {int(patient >= size)}
    # four of 34 enrolled have no row at all
    assert len(frame.x) / sum(ENROLLED) == pytest.approx(len(drawn.x) / 2000, rel=0.05)
    assert np.isnan(drawn.y.to_numpy()[:, 1]).mean() == pytest.approx(1 / len(frame.x), abs=0.01)


def test_a_shorter_study_has_the_first_years_only() -> None:
    """A study of one year would be counted with three years of data."""
    drawn = future_frame(patient_years(), 100, 1, ENROLLED, np.random.default_rng(1))
    assert {1} == set(drawn.visits[:, 1].tolist())


def test_years_beyond_the_observed_ones_lose_patients_as_before() -> None:
    """A longer study would be free of dropout, or bring no rows at all."""
    frame = patient_years()
    drawn = future_frame(frame, 4000, 5, ENROLLED, np.random.default_rng(2))
    stays = retention(frame, ENROLLED)
    counts = [[int(((drawn.visits[:, 1] == k) & (drawn.group == g)).sum()) for k in (3, 4, 5)] for g in (0, 1)]
    for g in (0, 1):
        assert stays[g] == pytest.approx(counts[g][1] / counts[g][0], abs=0.06)
        assert stays[g] == pytest.approx(counts[g][2] / counts[g][1], abs=0.06)
        latest = set(frame.x[(frame.visits[:, 1] == 3) & (frame.group == g)].tolist())
        assert set(drawn.x[(drawn.visits[:, 1] > 3) & (drawn.group == g)].tolist()) <= latest


def test_retention_is_the_share_seen_again() -> None:
    """Dropout would be another than observed."""
    table = pd.DataFrame(
        {"patient": list("AAABBC"), "x": range(6), "visit_from": [0, 1, 2, 0, 1, 0], "visit_to": [1, 2, 3, 1, 2, 1]}
    ).assign(y=[1.0, 2, 0, 4, 1, 3])
    frame = Frame.from_table(table, outcomes=["y"], predictor="x", patient="patient")
    # seen in year 1: A, B, C, of whom A and B again; in year 2: A and B, of whom A again
    assert 3 / 5 == pytest.approx(retention(frame, (3,))[0])
    first = frame.select(frame.visits[:, 1] == 1, np.array([0]))
    assert 3 / 4 == pytest.approx(retention(first, (4,))[0])


def test_a_regression_keeps_its_own_span() -> None:
    """A change over three years would be called one over five."""
    assert (1,) == years_of(one_change(), (3, 5))
    assert (3, 5) == years_of(patient_years(), (3, 5))
