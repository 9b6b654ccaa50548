"""What the summary says of verdicts, chance and checks, and what stands behind it."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest

from atrobayes.models.estimates import COLUMNS
from atrobayes.reports.all_numbers import all_numbers, glossary
from atrobayes.reports.cohort_flow import steroids_unknown
from atrobayes.reports.contrast import contrast
from atrobayes.reports.contrast_table import contrast_rows
from atrobayes.reports.figures.forest import ForestWords, forest_svg
from atrobayes.reports.flags import flags_in_words
from atrobayes.reports.lesion_counts import lesion_counts
from atrobayes.reports.results import read_results
from atrobayes.reports.sections import reproducibility
from atrobayes.reports.sections.diagnostics import checks_in_words
from atrobayes.reports.verdict_words import chance_in_words, unsupported_in_words, verdicts_in_words

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def results(made_up, tmp_path):
    return read_results(made_up.make_results(tmp_path / "results"))


def _unsupported(pairs, verdict="classical_only", singular=False):
    columns = ["classical_estimate", "bayes_estimate", "bayes_pd"]
    return pd.DataFrame(pairs, columns=columns).assign(verdict=verdict, singular=singular)


def test_every_verdict_is_counted_also_where_it_never_came(results):
    """A reader could not tell 'Bayesian only' never happened from a verdict that was forgotten."""
    rows = contrast(results.estimates)
    said = verdicts_in_words(rows[rows["verdict"] != "bayes_only"])
    assert "0 Bayesian only (pd > 0.975 but p ≥ 0.05)" in said
    assert f"{(rows['verdict'] == 'neither').sum()} clear by neither" in said


def test_chance_is_counted_over_all_tests_and_q_among_the_small_p(results):
    """Small p that many tests give by chance alone would be read as findings."""
    p, q = [0.001, 0.02, 0.04, 0.5] * 10, [0.01, 0.06, 0.2, 0.01] * 10
    said = chance_in_words(
        results,
        pd.DataFrame({"classical_p": [*p, math.nan], "classical_q_bh": [*q, math.nan], "classical_kr_p": math.nan}),
    )
    assert "Of 30 p < 0.05, 10 also have q < 0.05" in said
    assert "40 tests would give about 2.0 p < 0.05 by chance alone" in said
    assert "1 of 26 classical mixed models is singular" in said


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ("2 with both estimates in the same direction, pd 0.9677 to 0.9738,", [(1, 0.9, 0.9677), (-2, -1, 0.9738)]),
        ("(here by 10 to 50%)", [(1, 0.9, 0.9677), (-2, -1, 0.9738)]),
        ("pd 0.600, well below the cut-off 0.975", [(1, 0.1, 0.6)]),
        ("pd 0.600 to 0.9700, below the cut-off", [(1, 0.1, 0.6), (1, 0.9, 0.97)]),
        ("1 with the two estimates in opposite directions, pd 0.700, well below", [(1, -0.1, 0.7)]),
        ("towards zero.", [(1, -0.1, 0.7)]),
        ("towards zero.", [(1, 1.2, 0.97)]),
        ("1 without a pd", [(1, math.nan, math.nan)]),
    ],
)  # fmt: skip
def test_how_near_a_disagreement_is(said, rows):
    """A pd of 0.974 and one of 0.6 would be told alike; a share would be told of an estimate that was not drawn."""
    assert said in unsupported_in_words(_unsupported(rows))


def test_opposite_signs_and_singular_fits_are_said_where_they_are():
    """Two clear answers that contradict each other would be called a near miss."""
    assert "1 clear by both with opposite signs" in unsupported_in_words(_unsupported([(1, -1, 0.99)], "opposite_sign"))
    assert "not fixed at 0" in unsupported_in_words(_unsupported([(1, 0.5, 0.97)], singular=True))
    assert "not fixed at 0" not in unsupported_in_words(_unsupported([(1, 0.5, 0.97)]))
    assert "None." == unsupported_in_words(_unsupported([]))


def test_a_row_has_one_number_of_decimals(results):
    """The posterior would look more exact than the classical answer, or the other way round."""
    rows = contrast_rows(results, contrast(results.estimates))
    numbers = rows[["95% confidence", "95% equal-tailed"]].agg(" ".join, axis=1) + " " + rows["Classical, % of eTIV"]
    places = [{len(number) for number in re.findall(r"\.(\d+)", text)} for text in numbers]
    assert [1] * len(rows) == [len(found) for found in places]
    assert {3} == places[0]
    assert {6} == places[-2]  # a structure 4,000 times smaller


def test_singular_fits_are_marked_only_where_some_are_not(results):
    """A mark on every row would tell nothing and clutter every number."""
    assert "§ singular" in flags_in_words(results)
    assert 3 == contrast_rows(results, contrast(results.estimates))["Classical, % of eTIV"].str.contains("§").sum()
    estimates = results.estimates.assign(flags=np.where(results.estimates["method"] == "classical", "singular", ""))
    everywhere = dataclasses.replace(results)
    everywhere.__dict__["estimates"] = estimates  # a cached property, filled before it is read
    assert "All classical mixed models are singular" in flags_in_words(everywhere)
    assert "§" not in " ".join(contrast_rows(everywhere, contrast(estimates)).astype(str).to_numpy().ravel())


def test_the_region_of_equivalence_is_told_in_raw_units_per_structure(results):
    """The reader could not judge what is called negligible; empty columns would hide the numbers."""
    shown = all_numbers(results, "year_to_year_t2").frame
    rope = shown[shown["Method"] == "bayes"].drop_duplicates("Structure").set_index("Structure")["ROPE"]
    assert "±0.060" == rope["Total white matter"]
    assert "±0.030" == rope["Whole brain"]
    assert {"R-hat", "Shrinkage", "ESS bulk"}.isdisjoint(shown.columns)
    assert "95% highest-density (HDI)" in shown


def test_the_glossary_speaks_as_the_table_of_estimates(results):
    """Two definitions of one number would drift apart."""
    meaning = {column.name: column.description for column in COLUMNS}
    said = glossary(results).frame.set_index("Column")["Meaning"].to_dict()
    assert {
        "log BF₁₀": meaning["log_bf10"],
        "Type S": meaning["type_s"],
        "Type M": meaning["type_m"],
    }.items() <= said.items()
    assert meaning["pull"] == said["Pull"]
    assert "Shrinkage" not in said


def test_lesions_are_those_of_the_visit_the_fit_used(results):
    """The slopes would seem to rest on lesions that were never in the model."""
    yearly = results.intervals[results.intervals["visit_to"] == results.intervals["visit_from"] + 1]
    counts = lesion_counts(results).set_index(["analysis", "group"])
    t2, gd = counts.loc[("year_to_year_t2", "CLAD")], counts.loc[("year_to_year_gd", "all")]
    assert ["closing", "opening"] == [t2["visit"], gd["visit"]]
    own = yearly.loc[yearly["group"] == "CLAD", "new_t2_to"]
    assert [(own == 0).sum(), (own == 2).sum(), (own >= 3).sum()] == t2[["0", "2", "3+"]].tolist()
    assert 4 == t2["most"]
    assert [(yearly["new_gd_from"] == n).sum() for n in range(3)] == gd[["0", "1", "2"]].tolist()


def test_lesions_are_not_told_where_the_visit_is_unknown(results):
    """A guess would be shown as a count."""
    results.__dict__["estimates"] = results.estimates.assign(predictor="new_t2")
    assert 0 == len(lesion_counts(results))


def test_scans_without_a_steroid_date_are_counted(results):
    """A washout that could hardly be checked would be taken for one that was."""
    cohort = results.cohort
    usable = cohort["scan_status"].to_numpy() == "usable"
    known = ~np.isnan(cohort["days_since_steroid"].to_numpy())
    said = steroids_unknown(results)
    assert f"For {(usable & ~known).sum()} usable scans" in said
    assert f"applied to {(usable & known).sum() + 2} scans only" in said
    results.__dict__["cohort"] = cohort.assign(days_since_steroid=cohort["days_since_steroid"].fillna(90.0))
    assert "" == steroids_unknown(results)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("The Bayesian fit (13 structures) passed its numerical checks.", 1),
        ("Both Bayesian fits (13 structures each) passed their numerical checks.", 2),
        ("All 3 Bayesian fits (13 structures each) passed their numerical checks.", 3),
    ],
)
def test_checks_are_told_in_english_and_for_what_they_are(results, said, fits):
    """A passed numerical check would be read as a model that fits."""
    passed = next(fit for fit in results.fits if fit.verdict["passed"])
    results.__dict__["fits"] = (passed,) * fits
    assert checks_in_words(results).startswith(said)
    assert checks_in_words(results).endswith("computed accurately, not that the model fits.")


def test_a_seed_is_told_only_of_random_draws(results, made_up, tmp_path):
    """A reader would look for randomness where there is none, or miss the seed where there is."""
    sampled = read_results(made_up.make_results(tmp_path / "nuts", engine="pymc"))
    fits = [
        {table.name: table for table in reproducibility.make(ran).tables}["fit-ids"].frame for ran in (results, sampled)
    ]
    assert "Seed" not in fits[0]
    assert ["123", "123"] == fits[1]["Seed"].tolist()


def test_slopes_share_a_scale_and_parting_verdicts_are_shaded():
    """The wider group would look the surer one; a disagreement would have to be searched for."""
    half = {"slope[A]": 0.5, "slope[B]": 4.0, "interaction": 9.0}
    rows = pd.DataFrame(
        [
            {"structure": "dgm", "term": term, "method": method, "estimate": 0.0, "ci_low": -end, "ci_high": end}
            for term, end in half.items()
            for method in ("classical", "bayes")
        ]
    ).assign(rope_low=-0.1, rope_high=0.1, clear=False, flagged=False)
    verdicts = {"classical_only": "classical only"}
    series = {"classical": "c", "bayes": "b"}
    words = ForestWords(dict.fromkeys(half, "panel"), {"dgm": "DGM"}, "x", series, "r", verdicts, "alt")
    verdict = np.where(rows["term"] == "slope[B]", "classical_only", "neither")
    drawing = forest_svg("f", rows.assign(verdict=verdict), words)
    numbers = [re.findall(r">([−\d.]+)</text>", axis) for axis in drawing.split("-matplotlib.axis_")[1:]]
    ticks = [axis for axis in numbers if axis]  # the upright axis names structures
    assert ticks[0] == ticks[1] != ticks[2]
    assert 2 == drawing.lower().count("fill: #d55e00")  # one row and its entry in the legend
    assert "fill: #8c8c8c" not in drawing.lower()  # where both say the same, nothing is shaded
    assert "shaded row: classical only" in drawing


def test_rows_clear_by_both_are_named_with_sign_and_q() -> None:
    """The summary would tell what failed and not what held."""
    from atrobayes.reports.verdict_words import clear_in_words

    rows = pd.DataFrame(
        {
            "analysis": "year_to_year_t2",
            "structure": ["thalamus", "caudate"],
            "term": "slope[CLAD]",
            "bayes_estimate": [-0.01, 0.01],
            "classical_p": [0.01, 0.5],
            "classical_q_bh": [0.031, 0.5],
            "verdict": ["both_clear", "neither"],
        }
    )
    said = clear_in_words(rows, ("CLAD", "ALEM"))
    assert "Thalamus, slope in CLAD (−, q 0.0310)" in said
    assert "Caudate" not in said
    assert "None." == clear_in_words(rows.assign(verdict="neither"), ("CLAD", "ALEM"))
