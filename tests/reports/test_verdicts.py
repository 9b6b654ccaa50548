"""The verdict on a result: every condition, its bounds, and what is missing."""

from __future__ import annotations

import math
import time

import pandas as pd
import pytest

from atrobayes.files import read_table
from atrobayes.reports.verdicts import COLUMNS, _finished, verdicts, write_verdicts
from atrobayes.study import Robust

KEY = {"analysis": "a", "structure": "thalamus", "term": "slope[CLAD]"}
RULE = Robust()


def estimates(pd_=0.99, estimate=-1.0, method="bayes", **columns):
    texts = KEY | {"flags": "", "unit": "% per lesion"}
    bayes = texts | {"method": method, "engine": "quadrature", "estimate": estimate, "pd": pd_, "p": math.nan}
    classical = texts | {"method": "classical", "engine": "reml", "estimate": estimate, "pd": math.nan, "p": 0.01}
    return pd.DataFrame([bayes | columns, classical])


def sensitivity(effects, pds, flags=None, p=0.01):
    """Forks with the given posterior means and pd; the classical answer of each is the same."""
    flags = flags or [""] * len(effects)
    names = ["base", *(f"outcome=o{place}" for place in range(1, len(effects)))]
    rows = []
    for name, effect, own, flag in zip(names, effects, pds, flags, strict=True):
        shared = KEY | {"fork": name, "axis_outcome": name, "effect": effect}
        rows.append(shared | {"method": "bayes", "pd": own, "p": math.nan, "flags": flag})
        rows.append(shared | {"method": "classical", "pd": math.nan, "p": p, "flags": ""})
    return pd.DataFrame(rows)


def forks(table):
    return table[["analysis", "fork"]].drop_duplicates().assign(status="fitted")


def influence(**pds):
    return pd.DataFrame([KEY | {"patient": patient, "pd": own} for patient, own in pds.items()])


def ladder(pds):
    rows = [KEY | {"look": "ladder", "prior_sd": sd, "pd": own} for sd, own in pds.items()]
    # what is not of the ladder says nothing of robustness
    return pd.DataFrame([*rows, KEY | {"look": "tipping", "prior_sd": 0.01, "pd": 0.6}])


GOOD = sensitivity([-1.0] * 20, [0.99] * 20)
PATIENTS = influence(P1=0.98, P2=0.96, P3=0.99)
PRIORS = ladder({0.1: 0.96, 0.5: 0.99})


def judged(table=None, estimate=None, patients=PATIENTS, priors=PRIORS, rule=RULE, listed=None):
    table = GOOD if table is None else table
    listed = forks(table) if listed is None else listed
    found = verdicts(estimates() if estimate is None else estimate, table, listed, patients, priors, rule)
    assert [column.name for column in COLUMNS] == list(found.columns)
    assert 1 == len(found)
    return found.iloc[0]


def test_a_result_that_passes_everything_is_robust_and_says_where_it_is_weakest():
    """A clinician could not tell whom the answer leans on most."""
    row = judged()
    assert ("robust", "") == (row["verdict"], row["reasons"])
    assert ("P2", 0.96) == (row["weakest_patient"], row["pd_without_patient"])
    assert ("0.1", 0.96) == (row["weakest_prior"], row["pd_weakest_prior"])
    assert (20, 1.0, 1.0, 1.0) == tuple(row[["n_forks", "share_sign", "share_pd", "share_p"]])
    assert (-1, 0.99, 0.01) == tuple(row[["sign", "pd", "p"]])


@pytest.mark.parametrize(
    ("verdict", "table"),
    [
        # 19 of 20 forks are 95 %: enough; 18 are not
        ("robust", sensitivity([-1.0] * 19 + [0.1], [0.99] * 20)),
        ("not_robust", sensitivity([-1.0] * 18 + [0.1] * 2, [0.99] * 20)),
        # 57 of 60 is 95 % too, whatever the last bit says
        ("robust", sensitivity([-1.0] * 57 + [0.1] * 3, [0.99] * 60)),
        # pd above the cut in 16 of 20 is 80 %: enough; 15 is not
        ("robust", sensitivity([-1.0] * 20, [0.99] * 16 + [0.9] * 4)),
        ("not_robust", sensitivity([-1.0] * 20, [0.99] * 15 + [0.9] * 5)),
        # at the cut is not above it
        ("not_robust", sensitivity([-1.0] * 20, [0.99] * 15 + [0.975] * 5)),
        # a fork that is sure of the other sign is no support: 15 forks of 20 are, not 16
        ("not_robust", sensitivity([-1.0] * 19 + [1.0], [0.99] * 15 + [0.9] * 4 + [0.99])),
    ],
)
def test_the_shares_of_forks_have_their_bounds_inside(verdict, table):
    """The rule is printed as "at least": one fork either way would be called differently from what is printed."""
    assert verdict == judged(table)["verdict"]


@pytest.mark.parametrize(
    ("verdict", "patients", "priors"),
    [
        ("robust", influence(P1=0.95, P2=0.99), PRIORS),
        ("not_robust", influence(P1=0.9499, P2=0.99), PRIORS),
        ("robust", PATIENTS, ladder({0.1: 0.95, 0.5: 0.99})),
        ("not_robust", PATIENTS, ladder({0.1: 0.9499, 0.5: 0.99})),
    ],
)
def test_a_pd_of_exactly_the_least_one_still_passes(verdict, patients, priors):
    """ "Below 0.95" would silently mean "0.95 or below"."""
    assert verdict == judged(patients=patients, priors=priors)["verdict"]


def test_every_failed_condition_is_named():
    """Someone who mends the one reason given would find the next one only in the next run."""
    table = sensitivity([-1.0] * 10 + [1.0] * 10, [0.9] * 20)
    row = judged(table, patients=influence(P1=0.6), priors=ladder({0.1: 0.8}))
    assert "not_robust" == row["verdict"]
    assert row["reasons"].split("; ") == [
        "the sign holds in 50% of 20 forks, fewer than 95%",
        "pd exceeds 0.975 in 0% of 20 forks, fewer than 80%",
        "without one patient pd falls to 0.6000, below 0.95",
        "with a prior of SD 0.1 pd falls to 0.8000, below 0.95",
    ]
    assert "P1" not in row["reasons"]


@pytest.mark.parametrize("pd_", [0.975, 0.6])
def test_what_was_never_clear_is_not_called_fragile(pd_):
    """A null result would be reported as one that choices have broken."""
    row = judged(estimate=estimates(pd_), patients=influence(P1=0.5))
    assert "not_clear" == row["verdict"]
    assert "pd is not above 0.975" in row["reasons"]


@pytest.mark.parametrize(
    ("reason", "without"),
    [
        ("not tried with other choices", {"table": None}),
        ("not tried with other choices", {"listed": None}),
        ("not every patient was left out in turn", {"patients": None}),
        ("not tried with every prior of the ladder", {"priors": None}),
    ],
)
def test_a_look_that_was_not_taken_is_never_passed(reason, without):
    """ "Robust" would be said of something nobody looked at."""
    looks = {"table": GOOD, "listed": forks(GOOD), "patients": PATIENTS, "priors": PRIORS} | without
    row = verdicts(estimates(), looks["table"], looks["listed"], looks["patients"], looks["priors"], RULE).iloc[0]
    assert ("not_assessed", reason) == (row["verdict"], row["reasons"])


def test_a_failed_condition_settles_the_verdict_without_the_rest():
    """A result known to hang on one patient would be called "not assessed" until the last look is taken."""
    row = verdicts(estimates(), None, None, influence(P1=0.5), None, RULE).iloc[0]
    assert "not_robust" == row["verdict"]
    assert 3 == len(row["reasons"].split("; "))


def test_looks_at_other_results_are_not_this_one_s():
    """A slope of one group would be called robust by the forks of the other."""
    other = {name: table.assign(term="slope[ALEM]") for name, table in (("s", GOOD), ("i", PATIENTS), ("p", PRIORS))}
    row = verdicts(estimates(), other["s"], forks(GOOD), other["i"], other["p"], RULE).iloc[0]
    assert "not_assessed" == row["verdict"]


def test_the_base_alone_shows_nothing_of_choices():
    """One fork agrees with itself."""
    assert "not_assessed" == judged(sensitivity([-1.0], [0.99]))["verdict"]


def test_an_unfinished_look_is_not_a_passed_one():
    """The patient whose fit failed may be the one who carries the result."""
    assert "not_assessed" == judged(patients=influence(P1=0.99, P2=math.nan))["verdict"]
    assert "not_assessed" == judged(priors=ladder({0.1: math.nan, 0.5: 0.99}))["verdict"]


@pytest.mark.parametrize("flag", ["prior_only", "few_patients,gate_failed"])
def test_forks_without_an_answer_are_counted_apart(flag):
    """Forks in which the data say nothing of the term would pass for support, or for contradiction."""
    table = sensitivity([-1.0] * 10 + [1.0] * 10, [0.99] * 10 + [0.6] * 10, [""] * 10 + [flag] * 10)
    row = judged(table)
    assert ("robust", 10, 10) == tuple(row[["verdict", "n_forks", "n_unanswered"]])


def test_only_fitted_forks_count():
    """A fork that is listed as skipped has no row to be trusted."""
    listed = forks(GOOD)
    listed.loc[listed.index[5:], "status"] = "skipped"
    assert 5 == judged(listed=listed)["n_forks"]


def test_the_rule_can_be_set_and_stands_with_the_verdict():
    """A verdict without the rule it was given by cannot be checked."""
    table = sensitivity([-1.0] * 18 + [0.1] * 2, [0.99] * 20)
    row = judged(table, rule=Robust(sign_share=0.9))
    assert ("robust", 0.9, 0.975, 0.8, 0.95) == tuple(
        row[["verdict", "least_share_sign", "fork_pd", "least_share_pd", "least_pd"]]
    )
    assert "not_robust" == judged(rule=Robust(least_pd=0.97))["verdict"]
    assert "not_clear" == judged(rule=Robust(fork_pd=0.995))["verdict"]


def test_without_a_headline_the_row_with_normal_errors_is_judged():
    """A run by quadrature alone would have no verdict on comparisons."""
    assert "robust" == judged(estimate=estimates(method="bayes_normal"))["verdict"]


def test_looks_that_start_from_the_other_sign_are_turned_round():
    """Pd of the opposite direction would be read as support."""
    both = pd.concat([estimates(estimate=-1.0), estimates(estimate=1.0, method="bayes_normal").head(1)])
    row = judged(estimate=both.reset_index(drop=True), patients=influence(P1=0.99, P2=0.3))
    assert ("P1", pytest.approx(0.01)) == (row["weakest_patient"], row["pd_without_patient"])


def test_a_fit_that_failed_its_checks_has_no_verdict():
    """Robustness of a number that may be wrong."""
    row = judged(estimate=estimates(flags="few_patients,gate_failed"))
    assert ("not_assessed", "its fit did not pass its checks") == (row["verdict"], row["reasons"])


def test_rates_and_medians_have_no_verdict():
    """A rate is above 0 whatever is chosen."""
    found = verdicts(estimates().assign(term="rate[CLAD,1]"), GOOD, forks(GOOD), PATIENTS, PRIORS, RULE)
    assert 0 == len(found)


def test_the_table_is_written_and_read_back(tmp_path):
    """An empty reason would be read as text "nan"."""
    found = verdicts(estimates(), GOOD, forks(GOOD), None, PRIORS, RULE)
    back = read_table(write_verdicts(found, tmp_path))
    assert ["not_assessed"] == back["verdict"].tolist()
    assert ["n/a"] == back["weakest_patient"].tolist()


def test_two_hundred_studies_are_judged_in_seconds():
    """The proof over planted studies would take an hour."""
    structures, names = [f"s{place}" for place in range(13)], [f"outcome=o{place}" for place in range(60)]
    keys = pd.MultiIndex.from_product([["a"], structures, ["x", "y", "z"], ["base", *names]])
    rows = keys.to_frame(index=False, name=["analysis", "structure", "term", "fork"])
    rows = rows.assign(axis_outcome=rows["fork"], effect=1.0, pd=0.99, p=math.nan, flags="", method="bayes")
    table = pd.concat([rows, rows.assign(method="classical", p=0.01)], ignore_index=True)
    base = rows[rows["fork"] == "base"].drop(columns="fork").assign(estimate=1.0, engine="quadrature")
    patients = base.merge(pd.DataFrame({"patient": [f"P{place}" for place in range(50)]}), how="cross")
    priors = base.merge(pd.DataFrame({"prior_sd": [0.1, 0.5]}), how="cross").assign(look="ladder")
    began = time.process_time()
    found = verdicts(base, table, forks(table), patients, priors, RULE)
    took = time.process_time() - began
    assert {"robust"} == set(found["verdict"])
    assert 39 == len(found)
    assert took < 3


def test_a_patient_whose_refit_failed_settles_nothing() -> None:
    """A number that its own check rejects would decide whether a result is called robust."""
    rows = pd.DataFrame({"pd": [0.99, 0.5, 0.5], "flags": ["", "prior_only,gate_failed", "prior_only"]})
    assert [0.99, 0.5] == _finished(rows).dropna().tolist()
    assert [0.5] == _finished(pd.DataFrame({"pd": [0.5, 0.9], "reached": [1.0, 0.0]})).dropna().tolist()
