"""A whole run by the engine that serves each model: quadrature where it can, NUTS elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.files import read_table


@pytest.mark.slow
def test_auto_fits_every_model_and_a_second_run_takes_none_anew(
    atrobayes, small_study: Path, ask_only, fit_ids_of, digests_of
) -> None:
    """What quadrature leaves out must be sampled, marked if it did not converge, and kept: it takes minutes."""
    ask_only(small_study, "year_to_year_t2", "relapse_years")
    done = atrobayes("run", small_study, "--engine", "auto")
    results = small_study.parent / "results"
    rows = read_table(results / "estimates.tsv")
    engines = {tuple(key) for key in rows[["analysis", "method", "engine"]].drop_duplicates().to_numpy()}
    assert {
        ("year_to_year_t2", "bayes", "quadrature"),
        ("year_to_year_t2", "bayes_robust", "nutpie"),
        ("relapse_years", "bayes", "nutpie"),
        ("relapse_years", "bayes_normal", "quadrature"),
    } == {key for key in engines if key[1].startswith("bayes")}
    failed = rows["flags"].str.contains("gate_failed").any()
    assert (3 if failed else 0) == done.code, done.err
    # two structures of the three that pooling needs
    assert "left out: structures_pooled" in done.err
    ids, bytes_of = fit_ids_of(results), digests_of(results)
    assert done.code == atrobayes("run", small_study, "--engine", "auto").code
    assert (ids, bytes_of) == (fit_ids_of(results), digests_of(results))
