"""What the report says of sampled fits: sums follow the tables, nobody is named."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference import influence, patient_loo, prior_look
from atrobayes.reports.loo_rows import loo_sums
from atrobayes.reports.page import render
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.section import Section
from atrobayes.reports.sections import influence as on_patients
from atrobayes.reports.sections import prior_sensitivity as on_priors
from atrobayes.reports.trajectories import patient_numbers

ANALYSIS = "year_to_year_t2"
ELPD = [-1.0, -2.0, -6.0, -3.0]
K = [0.1, 0.69, 0.9, 1.3]


def left_out(patients: list[str]) -> pd.DataFrame:
    shared = {"analysis": ANALYSIS, "method": "bayes_robust", "engine": "nutpie", "n_obs": 2.0}
    rows = []
    for part, structure in (("", "thalamus"), ("ALL", "thalamus")):
        own = shared | {"part": part, "structure": structure, "patient": patients, "pareto_k": K}
        moved = -1.0 if part else 0.0
        rows.append(pd.DataFrame(own | {"elpd": np.add(ELPD, moved), "refitted": ["no", "no", "yes", "gate_failed"]}))
    return pd.concat(rows, ignore_index=True)


def power(draws: float, engine: str, sensitivity: float) -> pd.DataFrame:
    shared = {"analysis": ANALYSIS, "structure": "thalamus", "term": "slope[CLAD]", "look": "power", "engine": engine}
    shared |= {"method": "bayes_robust", "alpha": 1.01, "draws": draws}
    values = {"slopes": sensitivity, "all_priors": 2 * sensitivity, "likelihood": 0.5}
    rows = [shared | {"block": block, "sensitivity": value, "verdict": "ok"} for block, value in values.items()]
    return pd.DataFrame(rows)


@pytest.fixture
def results(made_up: ModuleType, tmp_path: Path) -> Results:
    out = made_up.make_results(tmp_path / "results")
    who = list(patient_numbers(read_results(out)))[:4]
    write_table(out / "influence.tsv", pd.DataFrame(columns=[one.name for one in influence.COLUMNS]), influence.COLUMNS)
    write_table(out / "patient_loo.tsv", left_out(who), patient_loo.COLUMNS)
    names = [one.name for one in prior_look.COLUMNS]
    write_table(out / "prior_sensitivity.tsv", power(4000, "nutpie", 0.012).reindex(columns=names), prior_look.COLUMNS)
    return read_results(out)


def part(section: Section) -> Section:
    (own,) = section.parts
    assert "ok" == own.status, own.paragraphs
    return own


def test_sums_are_those_of_the_patients_with_their_standard_error(results: Results) -> None:
    """Two models of one structure would be compared by wrong numbers."""
    sums = loo_sums(results.look("patient_loo"))
    assert [-12.0, -16.0] == sums["elpd"].tolist()
    spread = np.sqrt(4 * np.var(ELPD, ddof=1))
    np.testing.assert_allclose([spread, spread], sums["se"])
    assert [(4, 2, 2, 1)] * 2 == list(
        sums[["patients", "large", "refitted", "failed"]].itertuples(index=False, name=None)
    )


def test_the_section_counts_who_was_sampled_anew_and_names_nobody(results: Results) -> None:
    """Weights that rest on a few draws would pass for as good as the rest."""
    section = on_patients.make(results)
    own = part(section)
    (said,) = own.paragraphs
    assert "Of 8 pairs of a patient and a fit of one structure, 4 have a Pareto-k above 0.7" in said
    assert "(2 patients); 4 were sampled anew" in said
    assert "2 of these did not pass" in said
    (table,) = own.tables
    assert table.folded
    assert ["−12.0", "−16.0"] == table.frame["elpd"].tolist()
    assert ["Student-t errors, nutpie", "Student-t errors, nutpie, without groups"] == table.frame["Fit"].tolist()
    assert ["2 (1 did not pass)"] * 2 == table.frame["Sampled anew"].tolist()
    page = render("Report", [section])
    assert [] == [who for who in patient_numbers(results) if who in page]


def test_priors_of_sampled_fits_stand_alone_where_no_fit_is_exact(results: Results) -> None:
    """A study of sampled fits only would have a broken section in the place of its answer."""
    section = on_priors.make(results)
    own = part(section)
    assert any("their draws were weighted" in said for said in section.paragraphs)
    assert own.paragraphs[-1].startswith("Sampled fits, for comparison: 1 result: hardly moves with the priors: 1")
    (table,) = own.tables
    assert (["0.012"], ["0.024"]) == (
        table.frame["Sensitivity to slope prior"].tolist(),
        table.frame["to all priors"].tolist(),
    )
    assert ["n/a"] == table.frame["… exact, normal errors"].tolist()


def test_exact_sensitivities_stand_beside_sampled_ones(results: Results) -> None:
    """The sampled number would be compared with itself, or with that of another result."""
    from atrobayes.reports.loo_rows import sampled_priors_table

    both = pd.concat([power(4000, "nutpie", 0.012), power(np.nan, "quadrature", 0.02)], ignore_index=True)
    names = [one.name for one in prior_look.COLUMNS]
    write_table(results.folder / "prior_sensitivity.tsv", both.reindex(columns=names), prior_look.COLUMNS)
    again = read_results(results.folder)
    told = again.look("prior_sensitivity")
    table = sampled_priors_table(again, ANALYSIS, told[told["draws"].notna()])
    assert (["0.024"], ["0.040"]) == (
        table.frame["to all priors"].tolist(),
        table.frame["… exact, normal errors"].tolist(),
    )
