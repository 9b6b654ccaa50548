"""The command sensitivity on a study with a sampled fit, from the command line to the page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from atrobayes.inference import patient_loo
from atrobayes.inference.fit import Fit

FEW = """
[sensitivity]
prior = ["regularising"]
likelihood = ["normal"]
outliers = ["keep"]
timing = ["end"]
outcome = ["change_pct_etiv"]
covariates = ["none"]
pairs = []
ladder = [0.5]
miscounts = 20
"""


@pytest.fixture
def asked(small_study: Path, ask_only: Callable[..., None]) -> Path:
    """One analysis, one structure; the Student-t fit is sampled, shortly."""
    ask_only(small_study, "one_year_t2")
    text = small_study.read_text() + FEW
    shorter = {'["thalamus", "lateral_ventricle"]': '["thalamus"]', 'engine = "quadrature"': 'engine = "auto"'}
    for found, other in shorter.items():
        assert found in text
        text = text.replace(found, other)
    small_study.write_text(text)
    return small_study


def _read(study: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(study.parent / "results" / f"{name}.tsv", sep="\t", na_values="n/a", keep_default_na=False)


@pytest.mark.slow
def test_sampled_fits_have_their_looks_refits_are_kept_and_old_files_are_named(
    asked: Path, atrobayes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Student-t fits would have no look at all, a killed run would refit for hours, or an old file would end it."""
    monkeypatch.setattr(patient_loo, "LARGE_K", 0.4)
    done = atrobayes("sensitivity", asked, "--jobs", 1)
    assert 0 == done.code, done.err
    loo, priors = _read(asked, "patient_loo"), _read(asked, "prior_sensitivity")
    assert {"bayes_robust"} == set(loo["method"])
    assert ((loo["pareto_k"] > 0.4) == (loo["refitted"] != "no")).all()
    assert (loo["refitted"] != "no").any()
    assert not loo.duplicated(patient_loo.KEY).any()
    sampled = priors[priors["draws"].notna()]
    assert ({"nutpie"}, {"bayes_robust"}) == (set(sampled["engine"]), set(sampled["method"]))
    assert {"quadrature"} == set(priors.loc[priors["draws"].isna(), "engine"])
    key = ["analysis", "structure", "term", "method", "engine", "look", "block", "alpha", "prior_sd"]
    assert not priors.duplicated(key).any()
    page = (asked.parent / "results" / "report.html").read_text()
    assert 'id="patient-loo-one_year_t2"' in page
    assert 'id="prior_sensitivity-sampled-one_year_t2"' in page
    assert [] == [who for who in set(loo["patient"]) if who in page]
    _refits_are_not_done_again(asked, atrobayes, monkeypatch)
    _old_files_are_named(asked, atrobayes)


def _refits_are_not_done_again(asked: Path, atrobayes, monkeypatch: pytest.MonkeyPatch) -> None:
    results = asked.parent / "results"
    before = (results / "patient_loo.tsv").read_bytes()
    (results / "patient_loo.tsv").unlink()

    def never(*_: object, **__: object) -> Fit:
        raise AssertionError("fitted again")

    with monkeypatch.context() as patched:
        patched.setattr(patient_loo, "fit", never)
        assert 0 == atrobayes("sensitivity", asked, "--jobs", 1).code
        assert before == (results / "patient_loo.tsv").read_bytes()
        shutil.rmtree(results / "logs" / "looks")
        # and without the store they are: else this could not fail
        assert 0 != atrobayes("sensitivity", asked, "--jobs", 1).code


def _old_files_are_named(asked: Path, atrobayes) -> None:
    posterior = asked.parent / "results" / "posterior"
    paths = sorted(posterior.glob("*nutpie*.nc"))
    assert paths
    for path in paths:
        kept = Fit.read(path)
        bare = kept.tree.copy()
        bare["posterior"] = bare["posterior"].to_dataset().drop_vars("coefficients")
        replace(kept, tree=bare).write(path)
    done = atrobayes("sensitivity", asked, "--jobs", 1)
    assert 0 == done.code
    named = [line for line in done.err.splitlines() if "no coefficients" in line]
    assert len(paths) == len(named)
    assert {path.name for path in paths} == {line.partition("remove posterior/")[2].split()[0] for line in named}
    assert not (asked.parent / "results" / "patient_loo.tsv").exists()
    assert _read(asked, "prior_sensitivity")["draws"].isna().all()
