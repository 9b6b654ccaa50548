"""The section on quality: flags in words, nobody named, and every patient's volumes over time."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from atrobayes.data_prep.quality_flags import RULES, Flag, quality_table
from atrobayes.reports.cohort_flow import cohort_flow
from atrobayes.reports.figures.quality import lanes, trajectories_svg
from atrobayes.reports.results import Results, read_results
from atrobayes.reports.sections import flow, quality
from atrobayes.reports.trajectories import patient_numbers, trajectories


@pytest.fixture
def results(made_up, tmp_path):
    return read_results(made_up.make_results(tmp_path / "results"))


def _with(results: Results, flags: tuple[Flag, ...]) -> Results:
    """The same folder with other flags."""
    other = dataclasses.replace(results)
    table = quality_table(flags).astype(dict.fromkeys(("visit", "visit_from", "value", "limit"), float))
    other.__dict__["quality"] = table
    return other


def test_flags_are_counted_by_rule_with_what_to_do(results, made_up):
    """The reader would see that something is flagged, and not what to look at."""
    section = quality.make(results)
    rules = section.tables[0].frame.set_index("What was found")
    assert len({flag.rule for flag in made_up.FLAGS}) == len(rules)
    holes = rules.loc["Many holes in the cross-sectional surfaces before mending"]
    assert ("1", "1") == (holes["Flags"], holes["Patients"])
    assert RULES["holes"].look[1:] in holes["What to do"]
    assert "all" == rules.loc["Usable scans without days since steroids", "Patients"]
    assert "4 flags by 4 rules of " in section.paragraphs[0]
    assert "in 2 patients" in section.paragraphs[0]
    assert "ok" == section.status


def test_patients_go_by_their_place_in_the_table(results):
    """Nobody is named on the page, and yet the row must be found again."""
    rows = quality.make(results).tables[1].frame
    assert {"4", "35", "all"} == set(rows["Patient"])
    change = rows[rows["Structure"] == "Thalamus"].iloc[0]
    assert ("4", "0 to 1") == (change["Patient"], change["Visit"])
    assert ["\N{MINUS SIGN}14.2 % a year", "10.0 % a year"] == [change["Value"], change["Limit"]]
    assert 4 == patient_numbers(results)["QzC003"]
    assert "Qz" not in " ".join(rows.astype(str).to_numpy().ravel())


def test_versions_that_go_with_the_group_are_a_warning(results):
    """A difference between versions would be read as one between treatments."""
    reason = "ALEM: 7.4.1 in 2 of 2 scans; CLAD: 7.3.2 in 2 of 2 scans; kept"
    section = quality.make(_with(results, (Flag("versions_between_groups", reason=reason),)))
    assert "warning" == section.status
    assert "different mixes of versions of FreeSurfer (ALEM: 7.4.1 in 2 of 2 scans; " in section.paragraphs[1]
    within = quality.make(_with(results, (Flag("platforms", "QzC001", value=2, limit=1),)))
    assert "1 patient has scans processed with different versions or platforms" in within.paragraphs[1]
    assert "ok" == within.status


def test_without_flags_the_section_says_so(results):
    """An empty table would look like a part that failed."""
    section = quality.make(_with(results, ()))
    assert () == section.tables
    assert "No rule flagged anything" in section.paragraphs[0]
    assert 1 == len(section.figures)


def test_volumes_are_in_percent_of_the_first_usable_scan(results):
    """A bad first scan, left out, would still be what all others are measured by."""
    rows = trajectories(results)
    assert {"whole_brain", "thalamus"} == set(rows["structure"])
    assert {100.0} == set(rows.groupby(["structure", "number"])["percent"].first())
    first = rows[(rows["number"] == 1) & (rows["structure"] == "thalamus")]
    assert [0.0, 1.0] == first["years"].tolist()[:2]
    assert [100.0, 85.8] == pytest.approx(first["percent"].tolist()[:2])
    status = results.cohort["scan_status"].to_numpy()
    several = pd.Series(results.cohort["record_patient"].to_numpy()[status == "usable"]).value_counts() > 1
    assert several.sum() == rows["number"].nunique()


def test_only_the_flagged_structure_and_scan_are_marked(results):
    """The eye would be drawn to a scan that nobody doubted."""
    rows = trajectories(results)
    marked = rows[rows["flagged"]]
    # the holes are of the whole scan, which is drawn in both structures
    assert {4, 35} == set(rows.loc[rows["doubted"], "number"])
    assert {("thalamus", 4, 1), ("thalamus", 35, 2), ("whole_brain", 35, 2)} == set(
        marked[["structure", "number", "visit"]].itertuples(index=False, name=None)
    )


def test_nominal_years_are_drawn_where_one_time_is_unknown(results):
    """A patient's scans would be drawn out of order, half by one clock and half by another."""
    other = dataclasses.replace(results)
    years = results.cohort["years"].to_numpy() * 1.5
    years[1] = np.nan
    other.__dict__["cohort"] = results.cohort.assign_coords(years=("record", years))
    rows = trajectories(other)
    assert [0, 1] == rows.loc[(rows["number"] == 1) & (rows["structure"] == "thalamus"), "years"].tolist()[:2]
    assert 1.5 == rows.loc[rows["number"] == 2, "years"].iloc[1]


def test_lanes_hold_nearly_all_points_and_one_outlier_flattens_none():
    """Every course would be a flat line beside one failed scan."""
    percent = np.concatenate([np.linspace(97, 103, 199), [10.0]])
    (lane,) = lanes(pd.DataFrame({"structure": "thalamus", "percent": percent}))
    assert ("thalamus", 3.0) == (lane.structure, lane.half)


def test_the_figure_of_a_hundred_patients_stays_small():
    """The page would take megabytes and seconds to open."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        [
            {"structure": name, "number": number, "years": float(visit), "percent": 100 + rng.normal(0, 2) * visit}
            for name in ("a", "b", "c")
            for number in range(1, 101)
            for visit in range(4)
        ]
    ).assign(flagged=lambda rows: (rows["number"] == 7) & (rows["years"] == 2), doubted=False)
    drawing = trajectories_svg("t", rows, {"a": "A", "b": "B", "c": "C"}, "alt")
    assert len(drawing) < 250_000
    assert 100 == len(re.findall(r">\d+</text>", drawing))
    assert "svg" in ElementTree.fromstring(drawing).tag  # noqa: S314 - our own drawing


def test_the_diagram_says_the_numbers_of_the_table(results):
    """Two counts of one study would part, and nobody could say which is right."""
    counts = results.flow.set_index(["unit", "analysis", "step", "group"])["n"]
    drawn = flow.make(results).figures[0].alt
    for unit, step, words in (
        ("patients", "enrolled", "Patients enrolled: "),
        ("visits", "usable", "Usable scans: "),
        ("patient-years", "patient-years", "Yearly intervals kept: "),
    ):
        assert f"{words}{counts[unit, '', step, 'ALL']:g} (CLAD {counts[unit, '', step, 'CLAD']:g} · " in drawn
    fitted = cohort_flow(results).analyses["year_to_year_t2"]
    assert f"95 (CLAD 59 · ALEM 36) of {fitted.before['all']}" in drawn
