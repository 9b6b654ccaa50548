"""How often "robust" is said of simulated studies in which the truth is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from planted import planted_cohort

from atrobayes.inference import influence, prior_look
from atrobayes.inference.estimate import Choices
from atrobayes.inference.multiverse import fit_fork, fork_fits, forks_table, taken_forks
from atrobayes.models.analyses import resolve_analyses
from atrobayes.models.fork_frames import fork_frames
from atrobayes.models.forks import plan_forks
from atrobayes.reports.verdicts import verdicts
from atrobayes.study import Study

# of each kind; 200 in the figures that docs give
STUDIES = int(os.environ.get("ATROBAYES_STUDIES", "30"))
OWN = {"id": "planted", "kind": "mixed", "predictor": "new_t2", "group": False}


def _verdicts(cohort: xr.Dataset) -> pd.DataFrame:
    study = Study(
        path=Path("study.toml"), data={"subjects_dir": "subjects"}, analyses={"use": ["planted"], "own": [OWN]}
    )
    (analysis,), choices = resolve_analyses(study), Choices()
    framed, _ = taken_forks(
        fork_frames(study, analysis, plan_forks(study, analysis, study.sensitivity), cohort),
        pd.DataFrame({"analysis": [], "method": []}),
    )
    rows = {one.framed.fork.id: fit_fork(one) for one in fork_fits(framed, choices)}
    frame = framed[0].frame
    assert frame is not None
    base = rows["base"]
    return verdicts(
        base[[name for name in base.columns if not name.startswith(("axis_", "effect", "fork"))]],
        pd.concat(rows.values(), ignore_index=True),
        forks_table(framed),
        influence.look(frame, choices, study.sensitivity),
        prior_look.look(frame, choices, study.sensitivity),
        study.sensitivity.robust,
    )


@pytest.fixture(scope="module")
def said(finished_example: Path) -> pd.DataFrame:
    """Verdicts on as many studies without an effect as with one of 0.5 residual SDs a lesion."""
    with xr.open_dataset(finished_example / "cohort.nc") as stored:
        cohort = stored.load()
    effects = np.repeat([0.0, 0.5], STUDIES)
    table = _verdicts(planted_cohort(cohort, effects, seed=20261123))
    places = [int(name.removeprefix("study")) for name in table["structure"]]
    return table.assign(effect=effects[places])


@pytest.mark.slow
def test_robust_is_said_of_few_studies_without_an_effect(said: pd.DataFrame) -> None:
    """A stamp that chance alone earns would be worth nothing."""
    none = said[said["effect"] == 0]
    assert STUDIES == len(none)
    assert 0.05 >= (none["verdict"] == "robust").mean()


@pytest.mark.slow
def test_robust_is_said_of_many_studies_with_an_effect_and_of_no_unclear_one(said: pd.DataFrame) -> None:
    """A stamp that nothing earns would be worth nothing either."""
    some = said[said["effect"] > 0]
    clear, robust = some["pd"] > 0.975, some["verdict"] == "robust"
    # what is not clear to begin with has no power to be robust
    assert 0.7 <= clear.mean()
    assert 0.7 <= robust[clear].mean()
    assert not (robust & ~clear).any()
    assert (some.loc[robust, "sign"] == 1).all()
