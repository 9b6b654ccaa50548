"""The ladder of slope priors and the tipping prior, held against refits; and the table of both."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.prior_ladder import Tipping, base_slope_sd, direction, ladder, tipping, with_slope_sd
from atrobayes.inference.prior_look import COLUMNS, TEXT, look
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors
from atrobayes.study import Sensitivity

MIXED = get_model("mixed")
LIMIT = 0.95
RAW = Priors(name="own", slope_sd=0.4, raw=True)


@cache
def frame() -> Frame:
    """Three outcomes: no slope to speak of, one that needs a prior wide enough, one that hardly any prior hides."""
    table = long_table(21, patients=24)
    strong = long_table(21, patients=24, slopes=(-0.9, -0.5), sigma=0.6)["y0"]
    middle = long_table(22, patients=24, slopes=(-0.35, -0.2))["y0"].to_numpy()
    return frame_of(table.assign(y1=np.resize(middle, len(table)), y2=strong.to_numpy()))


@cache
def tips(name: str = "regularising") -> Tipping:
    priors = RAW if name == "raw" else Priors()
    return tipping(MIXED, frame(), priors, exact(MIXED, frame(), priors), LIMIT, 0.95)


def pd_at(frame: Frame, sd: float, k: int, t: int) -> float:
    """P(direction of the base) of one outcome and term, refitted from the frame."""
    base = exact(MIXED, frame, Priors())
    below = exact(MIXED, frame, with_slope_sd(Priors(), sd)).mixture.cdf(np.zeros((3, 3)))[k, t]
    return float(1 - below if direction(base)[k, t] > 0 else below)


def test_the_tipping_prior_gives_the_limit_when_refitted() -> None:
    """If this failed, the prior named as the one that decides would not be it."""
    found = tips()
    tipped = list(zip(*np.nonzero(np.isfinite(found.prior_sd)), strict=True))
    assert len(tipped) >= 2
    for k, t in tipped:
        assert LIMIT == pytest.approx(pd_at(frame(), found.prior_sd[k, t], k, t), abs=1e-4)
        assert LIMIT == pytest.approx(found.found.pd_of(direction(exact(MIXED, frame(), Priors())))[k, t], abs=1e-4)


def test_the_side_of_the_tipping_prior_is_the_side_where_pd_is_below_the_limit() -> None:
    """If this failed, a reader would widen a prior to lose a result that only a narrower one loses."""
    found = tips()
    for k, t in zip(*np.nonzero(np.isfinite(found.prior_sd)), strict=True):
        narrower, wider = (pd_at(frame(), found.prior_sd[k, t] * factor, k, t) < LIMIT for factor in (0.9, 1.1))
        assert {"narrower": (True, False), "wider": (False, True)}[found.reason[k, t]] == (narrower, wider)


def test_without_a_crossing_there_is_no_tipping_prior_and_the_reason_says_so() -> None:
    """If this failed, a result that no prior makes clear would be given a prior that does."""
    found = tips()
    lacking = list(zip(*np.nonzero(np.isnan(found.prior_sd)), strict=True))
    assert lacking
    for k, t in lacking:
        assert found.crossings[k, t] == 0
        assert np.isnan(found.found.mean[k, t])
        sides = {pd_at(frame(), sd, k, t) < LIMIT for sd in (0.01, 0.1, 1.0, 100.0)}
        assert {found.reason[k, t] == "below"} == sides


def test_of_several_crossings_the_nearest_to_the_study_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this failed, a prior far off would be named although one close by already tips the result."""
    from atrobayes.inference import prior_ladder

    at = np.linspace(-4.0, 4.0, 9)
    excess = np.array([-1.0, 1, 1, 1, 1, 1, -1, -1, -1])
    assert prior_ladder._nearest(at, excess, np.array([0, 5]), 0.0) == 5
    assert prior_ladder._nearest(at, excess, np.array([0, 5]), -2.0) == 0


def test_a_raw_prior_tips_at_the_same_standardised_prior() -> None:
    """If this failed, the tipping prior would depend on the scale the study states its prior on."""
    assert tips().prior_sd == pytest.approx(tips("raw").prior_sd, rel=2e-5, nan_ok=True)


def test_the_rung_of_the_study_is_the_study() -> None:
    """If this failed, the base marked in the ladder would be another fit than the one reported."""
    base = exact(MIXED, frame(), Priors())
    rungs = ladder(MIXED, frame(), Priors(), base, (1.0, 0.25, 0.5))
    assert [0.25, 0.5, 1.0] == [rung.prior_sd[0] for rung in rungs]
    assert [False, True, False] == [rung.base for rung in rungs]
    again = exact(MIXED, frame(), with_slope_sd(Priors(), 0.5)).mixture
    assert (rungs[1].found.mixture.mean() == again.mean()).all()
    assert (rungs[1].found.mixture.sd() == again.sd()).all()


def test_every_slope_prior_scales_with_the_rung() -> None:
    """If this failed, the interaction would keep its prior while the slopes change theirs."""
    before, after = (MIXED.term_priors(frame(), with_slope_sd(Priors(), sd))[1] for sd in (0.5, 1.5))
    assert after == pytest.approx(3 * before)


def test_a_base_beside_the_ladder_is_added_to_it() -> None:
    """If this failed, the study's own prior would be missing where it is none of the rungs."""
    priors = with_slope_sd(Priors(), 0.7)
    rungs = ladder(MIXED, frame(), priors, exact(MIXED, frame(), priors), (0.5, 1.0))
    assert [(0.5, False), (0.7, True), (1.0, False)] == [(rung.prior_sd[0], rung.base) for rung in rungs]


def test_a_raw_prior_is_another_rung_for_each_outcome() -> None:
    """If this failed, a prior in mm³ would be drawn at one place for the thalamus and the whole brain."""
    own = base_slope_sd(frame(), RAW)
    assert 0.4 / frame().slope_scale == pytest.approx(own)
    *_, last = ladder(MIXED, frame(), RAW, exact(MIXED, frame(), RAW), (0.5,))
    assert last.base
    assert own == pytest.approx(last.prior_sd)


@cache
def table(kind: str = "mixed") -> pd.DataFrame:
    rows = frame() if kind == "mixed" else _other(kind)
    return look(rows, Choices(), Sensitivity(ladder=(0.25, 0.5)))


def _other(kind: str) -> Frame:
    table = long_table(31, patients=16, most_visits=1).eval("x = 1.0 * (x > 0)")
    groups = ("ALL",) if kind == "comparison" else ("CLAD", "ALEM")
    return frame_of(table.assign(group="ALL") if kind == "comparison" else table, groups, kind=kind)


def test_the_table_has_a_row_for_each_look() -> None:
    """If this failed, a result would lack one of the looks that its verdict rests on."""
    rows = table()
    assert [column.name for column in COLUMNS] == list(rows.columns)
    assert {"y0": 39, "y1": 39, "y2": 39} == rows["structure"].value_counts().to_dict()
    one = rows[(rows["structure"] == "y1") & (rows["term"] == "interaction")]
    assert ["power"] * 10 + ["ladder"] * 2 + ["tipping"] == one["look"].tolist()
    assert [0.8, 1.25] * 5 == one["alpha"].dropna().tolist()
    assert not set(rows.select_dtypes("number").columns) & TEXT


def test_the_table_says_what_the_parts_found() -> None:
    """If this failed, numbers would stand in another structure's row."""
    base = exact(MIXED, frame(), Priors()).mixture
    rows = table()
    of_base = rows[rows["base"] == 1].set_index(["structure", "term"])
    for k, t in np.ndindex(3, 3):
        row = of_base.loc[(frame().outcomes[k], base.terms[t])]
        assert base.mean()[k, t] == row["estimate"]
        assert base.quantile(0.025)[k, t] == pytest.approx(row["ci_low"], rel=1e-12)
        assert row["pd"] >= 0.5 - 0.05  # of the mean's sign: of a skewed posterior it may be just below a half
    tipped = rows[rows["look"] == "tipping"]["prior_sd"].to_numpy().reshape(3, 3)
    assert tips().prior_sd == pytest.approx(tipped, nan_ok=True)


def test_prior_sds_of_scaled_slopes_are_those_that_were_fitted() -> None:
    """If this failed, the table would name another prior than the one that gave the row."""
    row = table()[(table()["block"] == "slopes") & (table()["alpha"] == 1.25)].iloc[0]
    assert 0.5 / 1.25**0.5 == pytest.approx(row["prior_sd"])
    refitted = exact(MIXED, frame(), with_slope_sd(Priors(), row["prior_sd"])).mixture
    assert refitted.mean()[0, 0] == pytest.approx(row["estimate"], rel=1e-5)


@pytest.mark.parametrize("kind", ["regression", "comparison", "groups"])
def test_every_gaussian_kind_is_served(kind: str) -> None:
    """If this failed, an analysis would silently lack the look."""
    rows = table(kind)
    assert len(rows)
    assert {get_model(GAUSSIAN[kind]).method} == set(rows["method"])
    assert rows.loc[rows["look"] != "tipping", ["estimate", "sd", "pd"]].notna().all().all()


def test_kinds_without_a_gaussian_model_have_no_rows() -> None:
    """If this failed, counts would be fitted as if they were changes of volume."""
    rows = _other("counts")
    assert len(look(rows, Choices(), Sensitivity())) == 0
    assert [column.name for column in COLUMNS] == list(look(rows, Choices(), Sensitivity()).columns)


def test_equal_input_gives_equal_bytes() -> None:
    """If this failed, two runs of one study would differ."""
    again = look(frame(), Choices(), Sensitivity(ladder=(0.25, 0.5)))
    assert table().to_csv() == again.to_csv()
