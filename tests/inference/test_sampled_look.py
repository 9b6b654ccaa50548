"""Looks at sampled fits as the command takes them: the numbers of each look by itself, and nothing left unsaid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated import frame_of, long_table

from atrobayes.inference import patient_loo as loo
from atrobayes.inference.engine import Settings
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.importance import importance
from atrobayes.inference.prior_look import look as exact_look
from atrobayes.inference.sampled import Sampled, sampled_outcomes
from atrobayes.inference.sampled_look import look, rows_of, sampled_of
from atrobayes.inference.store import Store
from atrobayes.inference.table_text import from_text, to_text
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.priors import Priors
from atrobayes.study import Sensitivity

SETTINGS = Settings(draws=100)
CHOICES = Choices(settings=SETTINGS)


def frame() -> Frame:
    """Two outcomes, one patient without the second."""
    table = long_table(5_11, patients=8, outcomes=2)
    table.loc[table["patient"] == "P003", "y1"] = np.nan
    return frame_of(table)


def drawn(rows: Frame) -> Fit:
    """Independent draws, of which all looks can be taken; nothing is compiled."""
    return fit(MIXED, rows, Priors(), settings=SETTINGS)


@pytest.fixture(scope="module")
def outcomes() -> tuple[Sampled, ...]:
    rows = frame()
    return sampled_outcomes(drawn(rows), rows, CHOICES)


def test_taken_together_the_looks_are_those_taken_one_by_one(
    outcomes: tuple[Sampled, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of a run would hold other numbers than the functions that were checked against exact results."""
    monkeypatch.setattr(loo, "LARGE_K", 0.5)
    rows = frame()
    found = [from_text(to_text(look(one))) for one in outcomes]
    power = pd.concat([rows_of("prior_sensitivity", one) for one in found], ignore_index=True)
    pd.testing.assert_frame_equal(importance(drawn(rows), rows, Priors()), power)
    own = pd.concat([rows_of("patient_loo", one) for one in found], ignore_index=True)
    again = [
        of for one, part in zip(outcomes, found, strict=True) for of in loo.refits(one, rows_of("patient_loo", part))
    ]
    assert 0 < len(again) < len(own)
    fitted = [from_text(to_text(loo.refit(one))) for one in again]
    whole = loo.with_refits(own, fitted)
    changed = whole.loc[whole["refitted"] != "no", "elpd"]
    assert pd.concat(fitted)["elpd"].tolist() == changed.tolist()
    assert (own.loc[changed.index, "elpd"] != changed).all()
    pd.testing.assert_frame_equal(loo.patient_loo(drawn(rows), rows, CHOICES), whole, check_dtype=False)
    assert len(again) == (whole["refitted"] != "no").sum()
    assert (whole.loc[whole["refitted"] == "no", "pareto_k"] <= 0.5).all()


def test_a_refit_that_fails_its_checks_is_marked(
    outcomes: tuple[Sampled, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A density from chains that never met would stand in the table as exact."""
    one = loo.Refit(outcomes[0], "P002")
    assert ["yes"] == loo.refit(one)["refitted"].tolist()

    def failing(*args: object, **keywords: object) -> Fit:
        found = fit(*args, **keywords)
        return replace(found, verdict=replace(found.verdict, passed=False))

    monkeypatch.setattr(loo, "fit", failing)
    assert ["gate_failed"] == loo.refit(one)["refitted"].tolist()


def test_sampled_rows_stand_beside_exact_ones_each_with_a_key_of_its_own(outcomes: tuple[Sampled, ...]) -> None:
    """Sampled and exact rows of one model could not be told apart."""
    sampled = [replace(one, engine="nutpie") for one in outcomes]
    rows = [rows_of("prior_sensitivity", look(one)) for one in sampled]
    whole = pd.concat([exact_look(frame(), CHOICES, Sensitivity(power=1.01)), *rows], ignore_index=True)
    key = ["analysis", "structure", "term", "method", "engine", "look", "block", "alpha", "prior_sd"]
    assert not whole.duplicated(key).any()
    # without the engine a row of each kind has the same model, block and power
    key = ["analysis", "structure", "term", "method", "look", "block", "alpha"]
    assert whole[whole["look"] == "power"].duplicated(key).any()
    assert {"nutpie"} == set(whole.loc[whole["draws"].notna(), "engine"])
    assert {"quadrature"} == set(whole.loc[whole["draws"].isna(), "engine"])


def test_keys_of_the_work_change_with_draws_patients_and_choices(outcomes: tuple[Sampled, ...]) -> None:
    """A run would take over rows of other draws, or of another patient, from its store."""
    one = outcomes[0]
    others = [
        outcomes[1],
        replace(one, draws=replace(one.draws, beta=one.draws.beta + 1e-9)),
        replace(one, choices=replace(one.choices, seed=2)),
        replace(one, frame=replace(one.frame, patients=tuple(f"X{who}" for who in one.frame.patients))),
    ]
    assert 5 == len({one.key(), *(other.key() for other in others)})
    assert loo.Refit(one, "P001").key() != loo.Refit(one, "P002").key()
    more_cores = replace(one.choices, settings=replace(SETTINGS, jobs=2))
    assert one.key() == replace(one, choices=more_cores).key()


def test_where_quadrature_serves_all_linear_models_nothing_is_looked_at(tmp_path: Path) -> None:
    """A study without sampled fits would wait for a look that adds nothing, or be told of it."""
    own = replace(CHOICES, engine="quadrature")
    assert ((), ()) == sampled_of(frame(), own, Store(tmp_path))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_sampled_fits_are_found_in_the_store_and_those_without_coefficients_named(tmp_path: Path) -> None:
    """Student-t fits would have no such look; or one old file would end the run."""
    rows = frame_of(long_table(5_11, patients=8), groups=("CLAD", "ALEM")).without_groups()
    rows = replace(rows, kind="regression", part="")
    own, store = replace(CHOICES, settings=replace(SETTINGS, tune=200, chains=2, jobs=2)), Store(tmp_path)
    found, without = sampled_of(rows, own, store)
    assert ["regression_robust"] == [one.model for one in found]
    assert (() == without, {1}) == (True, {one.choices.settings.jobs for one in found})
    (path,) = tmp_path.glob("*.nc")
    kept = Fit.read(path)
    np.testing.assert_array_equal(kept.tree["posterior"]["coefficients"].to_numpy()[:, :, 0], found[0].draws.beta)
    bare = kept.tree.copy()
    bare["posterior"] = bare["posterior"].to_dataset().drop_vars("coefficients")
    replace(kept, tree=bare).write(path)
    assert ((), (path.stem,)) == sampled_of(rows, own, store)
