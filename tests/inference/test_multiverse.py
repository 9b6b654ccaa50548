"""Forks fitted: the base is the analysis, every fork is a plain fit of its frame, and effects are comparable."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_frames import study
from hand_cohort import hand_cohort
from scipy.special import logsumexp
from scipy.stats import mannwhitneyu, norm, t

from atrobayes.files import read_table, write_table
from atrobayes.inference.engine import Settings
from atrobayes.inference.estimate import Choices, estimate
from atrobayes.inference.fit import fit
from atrobayes.inference.multiverse import (
    COLUMNS,
    FORK_COLUMNS,
    ForkFit,
    fit_fork,
    fork_fits,
    forks_table,
    taken_forks,
)
from atrobayes.models import estimates
from atrobayes.models.analyses import CATALOGUE, Analysis
from atrobayes.models.estimands import Rope
from atrobayes.models.fork_frames import ForkFrame, fork_frames, without_products
from atrobayes.models.forks import plan_forks
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors

T2 = CATALOGUE["year_to_year_t2"]
ANALYSES = {
    "mixed": T2,
    "regression": replace(CATALOGUE["one_year_t2"], exclude=""),
    "comparison": CATALOGUE["relapse_years"],
}
CHOICES = Choices(engine="quadrature", settings=Settings(draws=100, chains=2))
COHORT = hand_cohort()


def forked(*names: str, analysis: Analysis = T2) -> dict[str, ForkFrame]:
    asked = study()
    forks = [fork for fork in plan_forks(asked, analysis, asked.sensitivity) if fork.id in {"base", *names}]
    return {one.fork.id: one for one in fork_frames(asked, analysis, forks, COHORT)}


def fitted(one: ForkFrame, choices: Choices = CHOICES) -> pd.DataFrame:
    return fit_fork(ForkFit(one, choices))


def frame_of(one: ForkFrame) -> Frame:
    assert one.frame is not None
    return one.frame


def cell(rows: pd.DataFrame, term: str, method: str, structure: str = "thalamus") -> pd.Series:
    (place,) = rows.index[
        (rows["term"] == term) & (rows["method"] == method) & (rows["structure"] == structure)
    ]  # fmt: skip
    return rows.loc[place]


@pytest.mark.parametrize("kind", ANALYSES)
def test_the_base_fork_has_the_numbers_of_the_estimates(kind: str) -> None:
    """Forks would be compared with an answer that the report does not give."""
    base = forked(analysis=ANALYSES[kind])["base"]
    rows = fitted(base)
    whole = estimate(frame_of(base), CHOICES).rows.assign(outcome=ANALYSES[kind].outcome)
    method = "bayes_normal" if kind == "comparison" else "bayes"
    own = whole[whole["method"].isin(["classical", method])].reset_index(drop=True)
    names = [column.name for column in estimates.COLUMNS if column.name != "fit_id"]
    pd.testing.assert_frame_equal(own[names], rows[names], check_exact=True)
    assert [column.name for column in COLUMNS] == list(rows.columns)
    assert {"base"} == set(rows["fork"])
    np.testing.assert_allclose(rows["estimate"] * rows["u"] / rows["s_y"], rows["effect"])


@pytest.mark.parametrize("name", ["prior=wide+outcome=change_mm3", "predictor=split", "outliers=log1p+timing=start"])
def test_the_bayesian_rows_of_a_fork_are_those_of_a_plain_fit_of_its_frame(name: str) -> None:
    """A short cut for a thousand forks would give other numbers than the fit that everybody trusts."""
    one = forked(name)[name]
    priors = Priors(name="wide", slope_sd=2.5) if "wide" in name else Priors()
    direct = fit(get_model("mixed"), frame_of(one), priors, engine="quadrature", settings=CHOICES.settings).marginals
    rows = fitted(one)
    for t_, term in enumerate(direct.terms):
        row = cell(rows, term, "bayes", "lateral_ventricle")
        told = row[["estimate", "sd", "ci_low", "ci_high", "prior"]].tolist()
        given = [direct.mean(), direct.sd(), direct.quantile((1 - 0.95) / 2), direct.quantile((1 + 0.95) / 2)]
        assert [*(float(values[1, t_]) for values in given), priors.name] == told
        above = 1 - float(direct.cdf(np.zeros((2, len(direct.terms))))[1, t_])
        assert max(above, 1 - above) == row["pd"]


def test_what_takes_long_is_left_out_of_forks_and_said_to_be() -> None:
    """An empty column without a word looks like a fit that failed."""
    found = forked("prior=wide")
    base, other = fitted(found["base"]), fitted(found["prior=wide"])
    for name in ("hdi_low", "hdi_high", "p_sig_rep", "type_s", "type_m"):
        (column,) = [column for column in COLUMNS if column.name == name]
        assert column.description.endswith("Given for the base only.")
        assert other[name].isna().all()
        assert base.loc[base["method"] == "bayes", name].notna().any()


def test_logged_counts_are_compared_by_the_fitted_difference_between_none_and_u() -> None:
    """A slope on logged counts would stand among slopes per lesion, and look half as large."""
    name = "outliers=log1p+timing=start"
    rows = fitted(forked(name)[name])
    for method in ("classical", "bayes"):
        row = cell(rows, "interaction", method)
        for name, end in {"effect": "estimate", "effect_low": "ci_low", "effect_high": "ci_high"}.items():
            # fitted at one lesion, the u of the base, less fitted at none
            assert np.isclose(row[end] * (np.log(1 + 1) - np.log(1 + 0)) / row["s_y"], row[name])


def test_rows_as_of_different_patients_are_least_squares_with_rows_less_coefficients() -> None:
    """'No patient effect' would still know the patients, or count more rows than there are."""
    one = forked("random_effects=none")["random_effects=none"]
    frame, rows = frame_of(one), fitted(one)
    assert frame.digest == frame_of(forked()["base"]).digest
    y, first = frame.y.to_numpy()[:, 0], frame.group == 0
    X = np.column_stack([first, ~first, first * frame.x, ~first * frame.x]).astype(float)
    b = np.linalg.solve(X.T @ X, X.T @ y)
    residual = y - X @ b
    error = np.sqrt(residual @ residual / 12 * np.linalg.inv(X.T @ X)[2, 2])
    row = cell(rows, "slope[CLAD]", "classical")
    expected = [b[2], error, 12, 2 * t.sf(abs(b[2] / error), 12), 4, "ols", "few_patients"]
    names = ["estimate", "sd", "df", "p", "n_patients", "engine"]
    assert expected[5] == row["engine"]
    np.testing.assert_allclose(expected[:5], row[names[:5]].astype(float), rtol=1e-6)
    assert "singular" not in row["flags"]


def test_the_posterior_without_patient_effects_is_that_of_brute_force() -> None:
    """The Bayesian fork would keep a patient SD, or leave out a prior."""
    one = forked("random_effects=none", analysis=ANALYSES["comparison"])["random_effects=none"]
    frame, row = frame_of(one), cell(fitted(one), "difference", "bayes_normal")
    y = frame.y_standardised[:, 0]
    X = np.column_stack([np.ones(len(y)), frame.x - 0.5])
    prior = np.diag([2.5**2, 1.0**2])  # a 0/1 state has twice the slope's SD
    sigmas = np.linspace(0.3, 4, 600)
    log_mass, means, sds = [], [], []
    for sigma in sigmas:
        cov = X @ prior @ X.T + sigma**2 * np.eye(len(y))
        sign, log_det = np.linalg.slogdet(cov)
        assert sign == 1
        log_mass.append(-0.5 * (log_det + y @ np.linalg.solve(cov, y)) + np.log(t.pdf(sigma, 3)))
        post = np.linalg.inv(np.linalg.inv(prior) + X.T @ X / sigma**2)
        means.append((post @ X.T @ y / sigma**2)[1])
        sds.append(np.sqrt(post[1, 1]))
    weight = np.exp(np.array(log_mass) - logsumexp(log_mass))
    mean = weight @ np.array(means)
    sd = np.sqrt(weight @ (np.array(sds) ** 2 + (np.array(means) - mean) ** 2))
    above = weight @ norm.cdf(np.array(means) / np.array(sds))
    np.testing.assert_allclose([mean, sd], [row["effect"], row["sd"] / row["s_y"]], rtol=1e-4)
    assert np.isclose(max(above, 1 - above), row["pd"], atol=1e-4)


def test_a_split_slope_is_the_slope_within_patients() -> None:
    """What differs between patients would still be in the slope that is called the deviation's."""
    one = forked("predictor=split")["predictor=split"]
    base, rows = frame_of(forked()["base"]), fitted(one)
    inside = base.group == 0
    dummies = (base.patient[inside][:, None] == np.unique(base.patient[inside])).astype(float)
    X = np.column_stack([dummies, base.x[inside]])
    slope = np.linalg.lstsq(X, base.y.to_numpy()[inside, 0])[0][-1]
    assert np.isclose(slope, cell(rows, "slope[CLAD]", "classical")["estimate"])
    everybody = (base.patient[:, None] == np.unique(base.patient)).astype(float)
    X = np.column_stack([everybody, base.x])
    slope = np.linalg.lstsq(X, base.y.to_numpy()[:, 0])[0][-1]
    assert np.isclose(slope, cell(rows, "slope[ALL]", "classical")["estimate"])


def test_all_rows_together_have_no_covariate_that_tells_groups_apart() -> None:
    """slope[ALL] would depend on which patients are in which group, and not be what its name says."""
    one = forked("predictor=split")["predictor=split"]
    alone = without_products(frame_of(one).without_groups())
    direct = fit(get_model("mixed"), alone, Priors(), engine="quadrature", settings=CHOICES.settings).marginals
    row = cell(fitted(one), "slope[ALL]", "bayes")
    assert [float(direct.mean()[0, 0]), float(direct.sd()[0, 0])] == row[["estimate", "sd"]].tolist()


def test_states_are_compared_by_ranks_whatever_the_outcome() -> None:
    """The classical row of a fork would be of the base's outcome."""
    one = forked("outcome=change_mm3", analysis=ANALYSES["comparison"])["outcome=change_mm3"]
    frame, row = frame_of(one), cell(fitted(one), "difference", "classical")
    y, active = frame.y.to_numpy()[:, 0], frame.x > 0
    expected = mannwhitneyu(y[active], y[~active], method="asymptotic").pvalue
    assert np.isclose(expected, row["p"])
    both = set(frame.patient[active]) & set(frame.patient[~active])
    assert (len(both), "change_mm3", "mm^3") == (row["n_both"], row["outcome"], row["unit"])


def test_a_region_of_equivalence_in_raw_units_is_not_one_of_another_outcome() -> None:
    """0.02 % would count as 0.02 mm³, and every change as relevant."""
    found = forked("outcome=change_mm3", "intervals=without_first")
    raw = replace(CHOICES, rope=Rope(raw=0.02))
    other = cell(fitted(found["outcome=change_mm3"], raw), "interaction", "bayes")
    same = cell(fitted(found["intervals=without_first"], raw), "interaction", "bayes")
    assert np.isnan([other["p_rope"], other["rope_high"]]).all()
    assert 0.02 == same["rope_high"]
    assert np.isfinite(same["p_rope"])


def made_up(method: str, value: float) -> dict[str, object]:
    return {"analysis": T2.id, "structure": "thalamus", "term": "interaction", "method": method, "estimate": value} | {
        "s_y": 0.5, "ci_low": value - 1, "ci_high": value + 1, "u": 1.0,
    }  # fmt: skip


def test_sampled_posteriors_are_taken_from_the_run_with_the_classical_rows_of_the_base() -> None:
    """Student-t forks would be sampled once more, or a fork claimed that nobody fitted."""
    framed = tuple(forked("likelihood=student_t", "pooling=partial").values())
    rows = [
        made_up("classical", 1.0),
        made_up("bayes", 2.0),
        made_up("bayes_robust", 3.0),
        made_up("classical_kr", 9.0),
    ]
    rows.append(made_up("bayes_structures", 4.0) | {"analysis": "another"})
    found, taken = taken_forks(framed, estimates.table(rows))
    assert {"likelihood=student_t"} == set(taken)
    robust = taken["likelihood=student_t"]
    assert {"classical": 1.0, "bayes_robust": 3.0} == dict(zip(robust["method"], robust["estimate"], strict=True))
    assert [2.0, 6.0] == robust["effect"].tolist()
    assert {"student_t"} == set(robust["axis_likelihood"])
    reasons = {one.fork.id: one.fork.reason for one in found}
    assert "" == reasons["base"] == reasons["likelihood=student_t"]
    assert "the run has no such posterior" in reasons["pooling=partial"]
    assert ["base"] == [one.framed.fork.id for one in fork_fits(found, CHOICES)]


def test_both_tables_can_be_written_and_say_what_became_of_every_fork(tmp_path: Path) -> None:
    """A fork would be missing from the list, or its columns undescribed."""
    asked = study()
    planned = plan_forks(asked, T2, asked.sensitivity)
    framed, _ = taken_forks(fork_frames(asked, T2, planned[:24], COHORT), estimates.table([]))
    table = forks_table(framed)
    assert [fork.id for fork in planned[:24]] == table["fork"].tolist()
    skipped = table["status"] == "skipped"
    assert {"fitted", "skipped"} == set(table["status"])
    assert (table["reason"] != "").tolist() == skipped.tolist() == table["n_obs"].isna().tolist()
    assert (16.0, 8.0) == tuple(table.loc[0, ["n_obs", "n_patients"]])
    write_table(tmp_path / "forks.tsv", table, FORK_COLUMNS)
    write_table(tmp_path / "sensitivity.tsv", fitted(framed[0]), COLUMNS)
    assert "n/a" == read_table(tmp_path / "forks.tsv")["axis_undetermined"].iloc[0]
    assert set(json.loads((tmp_path / "sensitivity.json").read_text())) > {"fork", "axis_prior", "effect"}


def test_a_fork_is_the_same_piece_of_work_in_another_process() -> None:
    """A resumed run would fit everything again, or take the rows of another fork."""
    found = fork_fits(tuple(forked("prior=wide", "random_effects=none", "outliers=log1p").values()), CHOICES)
    again = [pickle.loads(pickle.dumps(one)) for one in found]  # noqa: S301 - our own
    assert [one.key() for one in found] == [one.key() for one in again]
    keys = {one.key() for one in (*found, *fork_fits([found[0].framed], replace(CHOICES, interval=0.9)))}
    assert 5 == len(keys)
    pd.testing.assert_frame_equal(fit_fork(found[1]), fit_fork(again[1]), check_exact=True)
