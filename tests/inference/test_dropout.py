"""Unseen patient-years: at random they change nothing, shifted they move results as algebra says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference import definition_look, dropout
from atrobayes.inference.brief import brief
from atrobayes.inference.dropout import fill_in, no_unseen, sure_excess, tipping, unseen
from atrobayes.inference.engines.quadrature.exact import exact, problems
from atrobayes.inference.estimate import Choices
from atrobayes.inference.posterior_draws import Drawn
from atrobayes.models.comparison import COMPARISON_NORMAL
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors
from atrobayes.study import Sensitivity

WANTED = Sensitivity(dropout_shift=(-0.5, 0.5), miscounts=20)


def _frame(seed: int, patients: int = 24, **keywords: object) -> Frame:
    table = long_table(seed, patients=patients, **keywords)
    opened = table.groupby("patient").cumcount()
    return frame_of(table.assign(visit_from=opened, visit_to=opened + 1))


@pytest.fixture(scope="module")
def frame() -> Frame:
    return _frame(2, outcomes=2)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few imputations, where their number is not what is asked about."""
    monkeypatch.setattr(dropout, "IMPUTATIONS", 4)


def test_unseen_years_are_those_after_the_last_and_between():
    """Years would be made up that were seen, or those after a patient left forgotten."""
    table = pd.DataFrame(
        {
            "patient": list("aaabcc"),
            "group": ["CLAD"] * 4 + ["ALEM"] * 2,
            "x": [0.0, 1.0, 2.0, 0.0, 1.0, 0.0],
            "visit_from": [0, 1, 3, 0, 1, 2],
            "visit_to": [1, 2, 4, 1, 2, 3],
            "y0": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0],
        }
    )
    frame = frame_of(table)
    gaps = unseen(frame)
    who = [frame.patients[code] for code in frame.patient[gaps.like]]
    years = list(zip(who, map(tuple, gaps.visits.tolist()), strict=True))
    # a has a gap, b left after a year, c came a year late and left a year early
    assert [("a", (2, 3)), ("b", (1, 2)), ("b", (2, 3)), ("b", (3, 4)), ("c", (3, 4))] == years


def test_lesions_of_an_unseen_year_are_those_of_the_group_at_that_visit(frame):
    """Counts of the first year, when lesions are many, would be put where they are few."""
    gaps = unseen(frame)
    known = replace(frame, x=10.0 * frame.group + frame.visits[:, 1])
    found = dropout._counts(known, gaps, np.random.default_rng(1))
    wanted = 10.0 * frame.group[gaps.like] + gaps.visits[:, 1]
    seen = np.isin(wanted, known.x)
    assert np.array_equal(wanted[seen], found[seen])
    # nobody of the second group was seen at its last visit: any count of that group, then
    assert not seen.all()
    assert np.array_equal(frame.group[gaps.like][~seen], found[~seen] // 10)


def test_at_random_nothing_changes():
    """Filling in would itself move results, and dropout would be blamed."""
    frame = _frame(7, patients=60, outcomes=3)
    wanted = Sensitivity(dropout_shift=())
    base = brief(exact(MIXED, frame, Priors()).mixture, 0.95)
    found = fill_in(frame, Choices(), wanted)
    assert (0.0,) == found.deltas
    (filled,) = found.briefs
    # the pairs leave what is not linear: the SDs
    assert np.all(np.abs(filled.mean - base.mean) < 0.05 * base.sd)
    assert np.all(np.abs(filled.sd / base.sd - 1) < 0.25)
    assert len(unseen(frame).like) == found.filled.sum() > 5


def test_imputed_changes_have_the_conditional_distribution():
    """A patient who loses much each year would be given the years of an average one."""
    frame = _frame(3, patients=6)
    gaps = unseen(frame)
    (problem,) = problems(MIXED, frame, Priors())
    tau, sigma, pairs = 0.8, 0.6, 3000
    linear, rng = problem.linear, np.random.default_rng(4)
    whole = dropout._with_rows(frame, gaps, np.full(len(gaps.like), 1.0))
    X = MIXED.linear(whole, Priors()).X
    # everything at once: the joint normal of rows seen and unseen, given the SDs
    Z = (whole.patient[:, None] == np.arange(linear.patients)).astype(float)
    cov = X @ np.diag(linear.prior_sd**2) @ X.T + tau**2 * Z @ Z.T + sigma**2 * np.eye(len(X))
    n, y = len(frame.x), frame.y_standardised[:, 0]
    gain = cov[n:, :n] @ np.linalg.inv(cov[:n, :n])
    mean, covariance = gain @ y, cov[n:, n:] - gain @ cov[:n, n:]
    precision = linear.X.T @ np.linalg.inv(cov[:n, :n] - linear.X @ np.diag(linear.prior_sd**2) @ linear.X.T)
    posterior = np.linalg.inv(precision @ linear.X + np.diag(linear.prior_sd**-2))
    beta = posterior @ precision @ y
    draws = rng.multivariate_normal(beta, posterior, size=pairs)
    drawn = Drawn(draws[None], np.tile(beta, (1, pairs, 1)), np.tile([tau, sigma], (1, pairs, 1)))
    found = dropout._predicted(problem, 0, y, drawn, whole.patient[n:], [X[n:]] * pairs, rng)
    assert np.allclose(mean, found.reshape(pairs, 2, -1).mean(axis=1))
    error = covariance.max() * 5 / np.sqrt(pairs)
    assert np.allclose(covariance, np.cov(found[::2].T), atol=error)
    assert np.allclose(covariance, np.cov(found[1::2].T), atol=error)


def test_a_shift_moves_results_as_algebra_says(few):
    """The tipping point would be at a shift other than the one printed."""
    frame = _frame(5, patients=150, tau=0.5)
    # at each visit every count of a group is the same, so that those of unseen years are known
    x = np.where(frame.group == 0, 1.0, 3.0) * frame.visits[:, 1] % 4
    frame = replace(frame, x=x, orientation=-frame.orientation)
    found = fill_in(frame, Choices(), WANTED)
    half, none = (found.briefs[found.deltas.index(delta)].mean for delta in (0.5, 0.0))
    gaps = unseen(frame)
    whole = dropout._with_rows(frame, gaps, dropout._counts(frame, gaps, np.random.default_rng(1)))
    linear = MIXED.linear(whole, Priors())
    tau, sigma = (exact(MIXED, frame, Priors()).mixture.sds[0] @ exact(MIXED, frame, Priors()).mixture.weight[0]).T
    Z = (whole.patient[:, None] == np.arange(len(whole.patients))).astype(float)
    weighed = linear.X.T @ np.linalg.inv(tau**2 * Z @ Z.T + sigma**2 * np.eye(len(Z)))
    added = np.append(np.zeros(len(frame.x)), np.full(len(gaps.like), 0.5))
    moved = np.linalg.solve(weighed @ linear.X + np.diag(linear.prior_sd**-2), weighed @ added)
    # against atrophy: of what grows where tissue shrinks, downwards
    expected = -linear.contrasts @ moved * frame.slope_scale
    assert expected == pytest.approx((half - none)[0], rel=0.1, abs=0.02 * np.abs(expected).max())
    assert np.abs(expected).max() > 0.05 * frame.slope_scale


def test_comparisons_are_filled_in_too(few):
    """Years of those who left would count for slopes and not for states."""
    table = long_table(6, patients=24)
    opened = table.groupby("patient").cumcount()
    table = table.assign(visit_from=opened, visit_to=opened + 1, group="ALL", x=(table["x"] > 0).astype(float))
    frame = frame_of(table, ("ALL",), kind="comparison")
    base = brief(exact(COMPARISON_NORMAL, frame, Priors()).mixture, 0.95)
    found = fill_in(frame, Choices(), WANTED)
    assert np.all(np.abs(found.briefs[1].mean - base.mean) < 0.1 * base.sd)
    rows = definition_look.look(frame, Choices(), WANTED)
    assert {"base", "delta=-0.5", "delta=0", "delta=0.5", "tipping_pd", "tipping_sign", "left_out"} == set(
        rows["setting"]
    )
    assert "the predictor is a state, not a count" in set(rows["reason"])


def test_the_tipping_point_is_the_nearest_crossing():
    """A far shift would be named where a near one is enough."""
    deltas = (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert 0.25 == pytest.approx(tipping(deltas, np.array([-3.0, 1.5, 1.0, -1.0, -3.0])))
    assert -0.5 - 0.5 / 3 == pytest.approx(tipping(deltas, np.array([-2.0, 1.0, 1.0, 2.0, 3.0])))
    assert np.isnan(tipping(deltas, np.ones(5)))
    assert np.isnan(tipping(deltas, np.array([1.0, 1.0, -0.1, 1.0, 1.0])))


def test_tipping_points_say_why_there_is_none(frame, few):
    """An empty cell would be read as robust, where the result never was sure."""
    rows = definition_look.look(frame, Choices(), WANTED)
    tips = rows[rows["setting"] == "tipping_pd"].set_index(["structure", "term"])
    at_0 = rows[rows["setting"] == "delta=0"].set_index(["structure", "term"])
    never = at_0["pd"] <= 0.95
    assert never.any()
    assert {"pd is below 0.95 without any shift"} == set(tips.loc[never, "reason"])
    assert ((tips["reason"] == "") == tips["delta"].notna()).all()
    shifted = fill_in(frame, Choices(), WANTED)
    sign = np.sign(brief(exact(MIXED, frame, Priors()).mixture, 0.95).mean)
    assert np.array_equal(never.to_numpy().reshape(sign.shape), sure_excess(shifted, sign, 0.95)[1] <= 0)


def test_where_nothing_can_be_known_that_is_said(frame):
    """Patients who left are not in a one-interval analysis at all: silence would look like safety."""
    one = frame.select(frame.visits[:, 0] == 0, np.arange(2))
    assert "one interval a patient" in no_unseen(one)
    assert "one interval a patient" in no_unseen(replace(frame, kind="regression"))
    full = frame.select(np.isin(frame.patient, frame.patient[frame.visits[:, 1] == 3]), np.arange(2))
    assert "no patient lacks a patient-year" == no_unseen(full)
    visits = frame.covariates.copy(data=frame.covariates.to_numpy())
    years = visits.reindex(covariate=["visit"]).copy(data=frame.visits[:, :1].astype(float))
    assert "covariates change" in no_unseen(replace(frame, covariates=years))


def test_imputations_are_the_same_again(frame, few):
    """The same study would have another answer on another day."""
    first, again = (definition_look.look(frame, Choices(), WANTED) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
