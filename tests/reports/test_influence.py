"""The section on patients: its words follow the tables, and nobody is named."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from atrobayes.files import write_table
from atrobayes.inference import influence, tipping_sets
from atrobayes.reports.influence_rows import numbered
from atrobayes.reports.page import render
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.section import Section
from atrobayes.reports.sections.influence import make
from atrobayes.reports.trajectories import patient_numbers

ANALYSIS = "year_to_year_t2"
TERMS = ("slope[CLAD]", "interaction")
STRUCTURES = ("thalamus", "lateral_ventricle")
MOST = "QzA004"  # moves every result most
LOWEST = "QzC007"  # without whom the thalamus is least sure


@pytest.fixture
def results(made_up: ModuleType, tmp_path: Path) -> Results:
    out = made_up.make_results(tmp_path / "results")
    who = list(patient_numbers(read_results(out)))[:40]
    assert MOST in who
    write_table(out / "influence.tsv", left_out(who), influence.COLUMNS)
    write_table(out / "tipping_sets.tsv", sets(len(who)), tipping_sets.COLUMNS)
    return read_results(out)


def left_out(patients: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for structure in STRUCTURES:
        for term in TERMS:
            whole = {"estimate_all": -0.02, "sd_all": 0.01, "ci_low_all": -0.04, "ci_high_all": 0.0, "pd_all": 0.977}
            for who in patients:
                shift = 1.75 if who == MOST else float(rng.uniform(-0.3, 0.3))
                pd_left = 0.61 if (who, structure) == (LOWEST, "thalamus") else 0.7 if who == MOST else 0.97
                own = {"analysis": ANALYSIS, "structure": structure, "term": term, "patient": who, "n_obs": 3.0}
                own |= {"estimate": -0.02 + 0.01 * shift, "sd": 0.01, "ci_low": -0.04, "ci_high": 0.01, "pd": pd_left}
                own |= {"shift": shift, "elpd": -3.0, "pareto_k": np.nan, "leverage": 0.42}
                flags = "prior_only" if who == MOST and term == "interaction" else ""
                rows.append(own | whole | {"unit": "% of eTIV per new T2 lesion", "flags": flags})
    return pd.DataFrame(rows)


def sets(patients: int) -> pd.DataFrame:
    common = {
        "analysis": ANALYSIS,
        "n_patients": patients,
        "most": 8,
        "estimate_before": -0.02,
        "estimate_after": np.nan,
    }
    common |= {"unit": "% of eTIV per new T2 lesion", "flags": "", "reason": "", "patients": ""}
    tipped = [
        ("thalamus", "slope[CLAD]", 0.99, 3, "QzA004,QzC007,QzC001", 0.93),
        ("thalamus", "interaction", 0.96, 1, "QzA004", 0.90),
        ("lateral_ventricle", "slope[CLAD]", 0.9999, np.nan, "", np.nan),
        ("lateral_ventricle", "interaction", 0.80, np.nan, "", np.nan),
    ]
    rows = []
    for structure, term, before, size, who, after in tipped:
        own = common | {"structure": structure, "term": term, "pd_before": before}
        reason = "" if who else "pd is below 0.95 with everybody" if before < 0.95 else "not within 8 patients"
        rows.append(own | {"kind": "sign", "reason": "not within 8 patients"})
        told = {"kind": "pd", "size": size, "patients": who, "pd_after": after, "pd_limit": 0.95, "reason": reason}
        rows.append(own | told)
    return pd.DataFrame(rows)


def part(section: Section) -> Section:
    (own,) = section.parts
    assert "ok" == own.status, own.paragraphs
    return own


def table(section: Section, name: str) -> pd.DataFrame:
    (own,) = (one.frame for one in section.tables if one.name == f"{name}-{ANALYSIS}")
    return own


def test_without_the_look_the_section_says_which_command_makes_it(made_up: ModuleType, tmp_path: Path) -> None:
    """A reader would think that no patient matters."""
    section = make(read_results(made_up.make_results(tmp_path / "results")))
    assert "not_applicable" == section.status
    assert "atrobayes sensitivity" in section.paragraphs[0]


def test_the_most_influential_patient_is_named_by_number_with_and_without(results: Results) -> None:
    """A clinician would look at the wrong patient's scans."""
    number = str(patient_numbers(results)[MOST])
    own = part(make(results))
    assert f"Patient {number} moves 4 of 4 results" in own.paragraphs[1]
    assert "1.8 posterior SDs" in own.paragraphs[1]
    rows = table(own, "influence")
    assert [number, f"{number} ‡", number, f"{number} ‡"] == rows["Moves it most: patient"].tolist()
    assert ["+1.75"] * 4 == rows["Shift, SD"].tolist()
    assert ["0.9770"] * 4 == rows["pd"].tolist()
    assert ["0.700"] * 4 == rows["pd without"].tolist()
    assert ["0.42"] * 4 == rows["Leverage"].tolist()
    first = rows.iloc[0]
    assert ("−0.0200", "−0.0025") == (first["Everybody, % of eTIV per new T2 lesion"], first["Estimate without"])


def test_the_patient_without_whom_a_result_is_least_sure_stands_beside(results: Results) -> None:
    """The verdict names the patient with the lowest pd: another one here would contradict it."""
    numbers = patient_numbers(results)
    rows = table(part(make(results)), "influence")
    assert ["0.610", "0.610", "0.700", "0.700"] == rows["Lowest pd without one"].tolist()
    assert [str(numbers[LOWEST])] * 2 == rows["… patient"].tolist()[:2]


def test_tipping_sets_are_said_in_plain_words(results: Results) -> None:
    """A set found greedily would pass for the smallest there is, or a lasting result for one that was not tried."""
    own = part(make(results))
    numbers = patient_numbers(results)
    assert "3 of 4 results have pd of at least 0.95" in own.paragraphs[0]
    assert "1 when one patient is left out, 1 when three or more are and 1 with no set" in own.paragraphs[0]
    rows = table(own, "fragile")
    assert [
        "1 of 40 patients, left out, takes pd below 0.95",
        "3 of 40 patients, left out, take pd below 0.95; found greedily, so fewer may do",
        "no set of up to 8 of 40 patients was found that takes pd below 0.95",
    ] == rows["What takes it below"].tolist()
    three = ", ".join(str(numbers[who]) for who in ("QzA004", "QzC007", "QzC001"))
    assert [str(numbers["QzA004"]), three, "n/a"] == rows["Patients left out"].tolist()
    every = table(own, "tipping-sets")
    assert [
        f"3 of 40 ({three})",
        f"1 of 40 ({numbers['QzA004']})",
        "not within 8 patients",
        "below with everybody",
    ] == (every["pd below 0.95 without"].tolist())


def test_nobody_is_named_on_the_page(results: Results) -> None:
    """A report that is passed on would hold the names of patients."""
    page = render("Report", [make(results)])
    named = [who for who in patient_numbers(results) if who in page]
    assert [] == named
    # and the tables do hold them, else this test could not fail
    assert MOST in set(results.look("influence")["patient"])


def test_the_drawing_marks_the_patient_by_number_and_says_what_it_shows(results: Results) -> None:
    """A dot without a number cannot be looked up."""
    (figure,) = part(make(results)).figures
    assert figure.svg.startswith("<svg")
    assert f">{patient_numbers(results)[MOST]}</text>" in figure.svg
    assert "1.75 posterior SDs in the median, 1.75 at most" in figure.alt
    for name in ("Thalamus", "Lateral ventricle", "slope in CLAD"):
        assert f">{name}</text>" in figure.svg
    assert figure.svg == part(make(results)).figures[0].svg


def test_of_equal_shifts_the_first_patient_is_marked_and_one_only(results: Results) -> None:
    """Two runs of one study would name different patients, or a result two of them."""
    rows = results.look("influence")
    marked = numbered(results, rows.assign(shift=0.5, pd=0.9))
    counts = marked.groupby(["structure", "term"])[["most", "lowest"]].sum()
    assert (counts == 1).all(axis=None)
    assert {1} == set(marked.loc[marked["most"] | marked["lowest"], "number"])


def test_without_tipping_sets_the_patients_still_stand(results: Results) -> None:
    """One table that is absent would take the other's answers away."""
    (results.folder / "tipping_sets.tsv").unlink()
    own = part(make(read_results(results.folder)))
    assert [f"influence-{ANALYSIS}"] == [one.name for one in own.tables]
    assert 1 == len(own.paragraphs)
