"""Miscounted lesions: what is drawn is what the study file says, and no error changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference import definition_look
from atrobayes.inference.brief import brief
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.miscounts import miscount, miscounted_frames, no_counts, refit_miscounted
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors
from atrobayes.study import Sensitivity


@pytest.fixture(scope="module")
def frame():
    return frame_of(long_table(1, patients=16, outcomes=2))


def _base(frame):
    return brief(exact(MIXED, frame, Priors()).mixture, 0.95)


def test_counts_are_wrong_by_one_as_often_as_said():
    """A probability of 0.3 in the study file would be another one in the data."""
    size = 200_000
    found = miscount(np.repeat([0.0, 1.0, 7.0], size), 0.3, np.random.default_rng(1)).reshape(3, size)
    expected = {0: {0: 0.85, 1: 0.15}, 1: {0: 0.15, 1: 0.7, 2: 0.15}, 2: {6: 0.15, 7: 0.7, 8: 0.15}}
    for row, shares in expected.items():
        values, counts = np.unique(found[row], return_counts=True)
        assert list(shares) == values.tolist()
        assert list(shares.values()) == pytest.approx((counts / size).tolist(), abs=0.005)


def test_probability_0_changes_nothing(frame):
    """Refits would move results by themselves, and counting would be blamed."""
    base = _base(frame)
    found = refit_miscounted(frame, Choices(), Sensitivity(miscounted=0.0, miscounts=20), base)
    assert np.array_equal(base.mean, found.range_low)
    assert np.array_equal(base.mean, found.range_high)
    assert base.mean == pytest.approx(found.estimate)
    assert base.sd == pytest.approx(found.sd)
    assert base.pd == pytest.approx(found.pd)
    assert np.all(found.share_sign == 1)
    assert np.array_equal(base.pd > 0.975, found.share_clear == 1)


def test_the_summary_is_that_of_refits_one_by_one(frame):
    """Shares and ranges would be of other data sets than were drawn."""
    wanted, base = Sensitivity(miscounted=0.4, miscounts=20), _base(frame)
    others = [_base(one) for one in miscounted_frames(frame, Choices(), wanted)]
    means = np.array([one.mean for one in others])
    found = refit_miscounted(frame, Choices(), wanted, base)
    assert means.mean(axis=0) == pytest.approx(found.estimate)
    assert np.quantile(means, 0.025, axis=0) == pytest.approx(found.range_low)
    assert np.quantile(means, 0.975, axis=0) == pytest.approx(found.range_high)
    assert (means * base.mean > 0).mean(axis=0) == pytest.approx(found.share_sign)
    assert np.mean([one.pd_of(np.sign(base.mean)) for one in others], axis=0) == pytest.approx(found.pd)
    assert (means * base.mean < 0).any()  # else every direction would be the one found as counted
    sure = np.array([one.pd for one in others])
    assert ((sure > 0.975) & (means * base.mean > 0)).mean(axis=0) == pytest.approx(found.share_clear)
    assert np.all(found.range_low < found.range_high)


def test_scales_stay_and_all_parts_get_the_same_counts(frame):
    """A prior that moves with the errors would mix two changes, and slopes of groups and of all two sets of data."""
    wanted = Sensitivity(miscounted=0.5, miscounts=20)
    with_groups, without = (list(miscounted_frames(one, Choices(), wanted)) for one in (frame, frame.without_groups()))
    for one, other in zip(with_groups, without, strict=True):
        assert one.scales is frame.scales
        assert np.array_equal(one.x, other.x)
    assert not np.array_equal(with_groups[0].x, with_groups[1].x)
    again = list(miscounted_frames(frame, Choices(), wanted))
    assert np.array_equal(with_groups[-1].x, again[-1].x)
    elsewhere = list(miscounted_frames(frame, Choices(seed=2), wanted))
    assert not np.array_equal(with_groups[0].x, elsewhere[0].x)


def test_what_is_no_count_is_not_miscounted(frame):
    """Ages and yes or no would be changed by one as if they were lesions."""
    assert "" == no_counts(frame)
    state = replace(frame, kind="comparison", x=np.minimum(frame.x, 1))
    assert "the predictor is a state, not a count" == no_counts(state)
    for x in (frame.x + 30, frame.x + 0.5, np.minimum(frame.x, 1)):
        assert "the predictor is not a count of lesions" == no_counts(replace(frame, x=x))


def test_rows_say_what_was_tried(frame):
    """A range over miscounted data sets would be read as a posterior interval."""
    wanted = Sensitivity(miscounted=0.2, miscounts=20)
    rows = definition_look.look(frame, Choices(), wanted)
    assert [column.name for column in definition_look.COLUMNS] == list(rows.columns)
    base, tried = rows[rows["look"] == "base"], rows[rows["look"] == "miscounts"]
    assert 2 * 3 == len(base) == len(tried)
    assert {"miscounted=0.2"} == set(tried["setting"])
    assert tried[["ci_low", "ci_high", "ci_prob"]].isna().all(axis=None)
    assert (tried["range_low"] <= tried["estimate"]).all()
    assert (tried["estimate"] <= tried["range_high"]).all()
    assert _base(frame).mean.ravel() == pytest.approx(base["estimate"].to_numpy())
    assert (base["pd"] >= 0.5).all()
    (left_out,) = rows[rows["look"] == "dropout"].itertuples()
    assert "one interval a patient" in left_out.reason
    pd.testing.assert_frame_equal(rows, definition_look.look(frame, Choices(), wanted))
