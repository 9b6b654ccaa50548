"""The page as a whole: what a reader must find, and what must never be in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

from atrobayes.reports.cohort_flow import cohort_flow
from atrobayes.reports.forests import standardised
from atrobayes.reports.methods import methods_paragraphs
from atrobayes.reports.report import write_report
from atrobayes.reports.results import read_results
from atrobayes.reports.section import Section, build
from atrobayes.reports.sections import SECTIONS

_VOID = {"meta", "br", "hr", "img", "link", "input"}


class _Page(HTMLParser):
    """Text, tags and ids of a page; notes tags closed out of order."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.ids, self.crossed, self.open = "", [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.open):
            self.text += data


@pytest.fixture(scope="module")
def folder(made_up, tmp_path_factory):
    folder = made_up.make_results(tmp_path_factory.mktemp("results"))
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return _Page(html)


def test_every_section_could_be_made_diagnostics_before_the_analyses(html):
    """A part of the report would be missing behind a notice; numbers would come before the word on their worth."""
    sections = re.findall(r'<section id="(\w+)" class="(\w+)">', html)
    assert [make.__module__.rpartition(".")[2] for make in SECTIONS] == [name for name, _ in sections]
    assert ["diagnostics"] == [name for name, status in sections if status == "warning"]
    assert 9 == sum(status == "ok" for _, status in sections)
    looks = {"robustness", "multiverse", "influence", "prior_sensitivity", "definitions", "checks", "calibration"}
    assert looks | {"assurance", "audit"} == {name for name, status in sections if status == "not_applicable"} - {
        "quality"
    }
    names = [name for name, _ in sections]
    assert names.index("diagnostics") + 1 == names.index("analyses")


def test_a_section_that_raises_says_so_in_its_place(folder, capsys):
    """One missing file would cost the whole report, or a figure would be lost in silence."""

    def make(results):
        raise ValueError("no such thing")

    section = build(make, read_results(folder))
    assert "failed" == section.status
    assert "no such thing" in section.paragraphs[0]
    assert "no such thing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "answer",
    [
        "6 of 201 scans were left out: ",
        "after intravenous steroids (2), FreeSurfer run unfinished (1) and FreeSurfer results not found (1).",
        "2 with both estimates in the same direction, pd 0.9680, just under the cut-off 0.975.",
        "95% equal-tailed posterior interval",
        "95% confidence interval",
        "52 patients enrolled (33 CLAD and 19 ALEM); 46 of them (30 CLAD and 16 ALEM) with intervals in the largest",
        "between two visits, not divided by the real time between them",
        "Example, the slope with the smallest p (New",
        "quadrature 1 (deterministic numerical integration",
        "new T2 lesions, do brain structures change more",
    ],
)
def test_the_summary_answers_what_a_reader_asks(page, answer):
    """A reader with fresh eyes would not find what was asked, left out, borne out, or computed how."""
    summary = page.text.partition("2. Who and what was analysed")[0].rpartition("1. Summary")[2]
    assert answer in " ".join(summary.split())


def test_no_patient_is_named(folder, html):
    """The page goes to people who may not know who took part."""
    cohort = xr.open_dataset(folder / "cohort.nc")
    labels = cohort["patient"].to_numpy().tolist()
    assert 52 == len(labels)
    assert [] == [label for label in labels if label in html]


def test_the_page_stands_alone(html, page):
    """The page would not open offline in ten years, or would run code."""
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    assert [] == re.findall(r"""(?:src|href)=["'](?!#)[^"']+""", html)
    assert [] == re.findall(r"@import|url\((?!#)", html)
    assert '<meta charset="utf-8">' in html


def test_labels_cannot_inject_markup(html, page, made_up):
    """A structure called <b>x</b> would turn the page bold, one called <script> would run."""
    assert made_up.HOSTILE not in html
    assert "b" not in page.tags
    assert made_up.HOSTILE in page.text


def test_the_markup_is_well_formed(page):
    """A browser would guess where a table ends; a link would lead to the wrong figure."""
    assert [] == page.crossed
    assert [] == page.open
    assert len(page.ids) == len(set(page.ids))


def test_figures_are_files_too_and_valid_xml(folder, html):
    """A figure could not be put into a paper."""
    files = sorted((folder / "figures").glob("*.svg"))
    forests = ("forest-year_to_year_gd", "forest-year_to_year_t2")
    assert ["agreement", "flow", *forests, "trajectories"] == [file.stem for file in files]
    for file in files:
        assert "svg" in ElementTree.parse(file).getroot().tag  # noqa: S314 - our own file
        assert file.read_text().split("\n", 1)[1].strip() in html


def test_made_twice_the_page_is_the_same(folder, made_up, tmp_path, html):
    """Two runs of one study could not be compared byte by byte."""
    again = made_up.make_results(tmp_path / "again")
    (again / "figures").mkdir()
    (again / "figures" / "forest-of_an_earlier_run.svg").write_text("<svg/>")
    assert html == write_report(again).read_text(encoding="utf-8")
    assert 5 == len(list((again / "figures").iterdir()))
    for file in (folder / "figures").glob("*.svg"):
        assert file.read_bytes() == (again / "figures" / file.name).read_bytes()


def test_numbers_of_a_failed_fit_are_marked(page):
    """A number that did not converge would be read like any other."""
    assert "†" in page.text.partition("6. The analyses")[2].partition("7. p against")[0].partition("†")[2]
    assert "did not pass" in page.text


def test_treatment_is_never_given_an_effect(page):
    """Groups were not randomised; the page may speak of effects of treatment only to deny them."""
    spoken = re.findall(r"[^.]*effects? of treatment[^.]*\.", page.text)
    assert len(spoken) >= 2
    assert all(re.search(r"\b(no|never|not)\b", sentence) for sentence in spoken)


@pytest.mark.parametrize("groups", [("ALL",), ("A & <i>", "$B$", "C")])
def test_any_groups_make_a_whole_report(made_up, tmp_path, groups, capsys):
    """The report would work for CLAD and ALEM only."""
    folder = made_up.make_results(tmp_path / "groups", groups=groups, engine="nutpie")
    text = _Page(write_report(folder).read_text(encoding="utf-8")).text
    assert "" == capsys.readouterr().err
    assert ("slope in all patients" if groups == ("ALL",) else f"slope in {groups[0]}") in text
    assert "nutpie" in text


def test_flow_counts_add_up(folder):
    """A scan or a year would have left the study without a trace."""
    flow = cohort_flow(read_results(folder))
    assert 208 == flow.visits["all"]
    assert flow.visits.tolist() == (flow.scans + flow.no_scan).tolist()
    assert flow.scans.tolist() == (flow.usable + flow.left_out.sum()).tolist()
    assert flow.patients["all"] == flow.patients["CLAD"] + flow.patients["ALEM"]
    assert 156 == flow.possible["all"]
    assert flow.possible.tolist() == (flow.yearly + flow.lost_years.sum()).tolist()


def test_forest_axis_is_the_raw_slope_in_sd_per_u_lesions(folder):
    """Structures would be drawn on different scales under one axis; with u = 3, three lesions' worth."""
    estimates = read_results(folder).estimates
    estimates = estimates.assign(u=np.where(estimates["method"] == "bayes", 3.0, np.nan))
    drawn = standardised(estimates)
    row = drawn.iloc[0]
    raw = estimates[(estimates["method"] == "classical") & (estimates["structure"] == row["structure"])].iloc[0]
    assert raw["estimate"] * 3.0 / raw["s_y"] == pytest.approx(row["estimate"])
    assert raw["ci_low"] * 3.0 / raw["s_y"] == pytest.approx(row["ci_low"])


def test_build_returns_what_make_returns(folder):
    """A section could be swapped on its way to the page."""
    section = Section("x", "X")
    assert section is build(lambda results: section, read_results(folder))


def test_analysed_intervals_are_counted_per_group(folder):
    """A group's 36 intervals would be shown as the fewest of the whole analysis."""
    step = cohort_flow(read_results(folder)).analyses["year_to_year_t2"]
    assert {"all": 95, "CLAD": 59, "ALEM": 36} == step.n.to_dict()
    assert step.before.tolist() == (step.n + step.lost.sum()).tolist()


def test_a_singular_fit_is_counted_once(page):
    """Three terms of one fit would be three singular fits."""
    assert "1 of 26 classical mixed models is singular" in page.text


def test_sampler_settings_are_told_only_where_a_sampler_ran(page, made_up, tmp_path):
    """The methods would claim chains for a posterior that was computed without draws."""
    assert "chains 4" not in page.text
    sampled = made_up.make_results(tmp_path / "nuts", engine="pymc")
    assert "chains 4" in " ".join(methods_paragraphs(read_results(sampled)))
