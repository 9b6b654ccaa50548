"""Our graphs and Bambi's formulas are the same models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from simulated import frame_of, long_table

from atrobayes.models.bambi import bambi_model
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import HalfStudentT, Priors

PRIORS = Priors(
    slope_mean=0.1,
    slope_sd=0.37,
    slope_correlation=0.2,
    intercept_mean_sd=1.7,
    intercept_difference_sd=0.6,
    patient_sd=HalfStudentT(4, 0.7),
    residual_sd=HalfStudentT(5, 1.3),
    covariate_sd=0.8,
    nu_shape=3.0,
    nu_rate=0.2,
)
# no compiler to wait for
PYTHON = Mode(linker="py", optimizer=None)
LABELS = ("CLAD", "ALEM", "NONE")
SLOPES = [(name, groups) for name in ("mixed", "mixed_robust") for groups in (1, 2, 3)]
DIFFERENCES = [(name, groups) for name in ("groups", "groups_normal") for groups in (2, 3)]
STATES = [("comparison", 1), ("comparison_normal", 1)]
REGRESSIONS = [("regression", 1), ("regression_robust", 1)]


def _frame(name: str, groups: int, covariates: tuple[str, ...] = ()) -> Frame:
    table = long_table(3)
    person = table["patient"].str[1:].astype(int)
    table["group"] = [LABELS[number % groups] for number in person]
    rng = np.random.default_rng(1)
    table = table.assign(**{covariate: rng.normal(5, 2, len(table)) for covariate in covariates})
    kind = name.removesuffix("_robust").removesuffix("_normal")
    if kind == "comparison":
        table["x"] = (table["x"] > 0).astype(float)
    return frame_of(table, LABELS[:groups], covariates=covariates, kind=kind)


def _compare(name: str, frame: Frame) -> None:
    model: Any = get_model(name)
    linear = model.whole(frame, PRIORS)
    ours, theirs = model.graph(frame, PRIORS), bambi_model(model, frame, PRIORS).backend.model
    density, expected = (graph.compile_logp(mode=PYTHON) for graph in (ours, theirs))
    rng, shapes = np.random.default_rng(2), {k: np.shape(v) for k, v in theirs.initial_point().items()}
    names = {"patient_sd_log__": "1|patient_sigma_log__", "intercepts_raw": "1|patient_offset", "nu_log__": "nu_log__"}
    for _ in range(100):
        point = {key: np.asarray(rng.normal(0, 0.8, shape)) for key, shape in shapes.items()}
        mine = {own: point[their] for own, their in names.items() if their in point}
        mine["coefficients"] = np.array([point[coef] for coef in linear.coefs])
        mine["residual_sd_log__"] = point["sigma_log__"][None]
        assert set(mine) == set(ours.initial_point())
        assert np.isclose(expected(point), density(mine), rtol=1e-10, atol=0)


@pytest.mark.parametrize(("name", "groups"), [*SLOPES, *DIFFERENCES, *STATES, *REGRESSIONS])
def test_log_density_of_our_graph_is_bambis(name: str, groups: int) -> None:
    """NUTS would sample another posterior than the formula in the report says."""
    _compare(name, _frame(name, groups))


@pytest.mark.parametrize(("name", "groups"), [("mixed", 2), ("comparison", 1), ("groups", 3)])
def test_log_density_is_bambis_with_covariates(name: str, groups: int) -> None:
    """A covariate would be adjusted for under another prior, or by another column."""
    _compare(name, _frame(name, groups, ("age at start", "etiv")))


def test_regressions_with_a_residual_sd_for_each_group_are_refused() -> None:
    """Bambi's version would have one residual SD, or other priors, and nobody would see it."""
    model: Any = get_model("regression")
    with pytest.raises(ValueError, match="residual SD that differs by group"):
        bambi_model(model, _frame("regression", 2), PRIORS)


def test_the_table_is_left_as_it_was() -> None:
    """Building a model must not change the data of the next one."""
    frame = _frame("mixed", 2)
    before = pd.DataFrame(frame.y.to_numpy().copy())
    bambi_model(get_model("mixed"), frame, PRIORS)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(before, pd.DataFrame(frame.y.to_numpy()))
