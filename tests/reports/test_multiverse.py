"""Summaries over forks: shares, which choice moves an answer, and the sections that say so."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from made_up_forks import AXES, choices, fork_list, sensitivity

from atrobayes.files import Column, write_table
from atrobayes.reports.fork_summary import TOGETHER, answers, axis_shares, explained, fork_shares
from atrobayes.reports.fork_tables import pooled_shares
from atrobayes.reports.fork_words import AXES as NAMED_AXES
from atrobayes.reports.fork_words import axis_name, fork_name, level_name
from atrobayes.reports.page import render
from atrobayes.reports.results import read_results
from atrobayes.reports.sections import multiverse, robustness
from atrobayes.reports.specification import clearest, specification
from atrobayes.reports.verdicts import verdicts, write_verdicts
from atrobayes.reports.wording import probability
from atrobayes.study import Axis, Robust, Sensitivity

ONE = ("year_to_year_t2", "thalamus", "slope[CLAD]")
BALANCED = {"prior": ("regularising", "wide", "sceptical"), "timing": ("end", "start"), "outcome": ("a", "b", "c", "d")}


def full(axes):
    """Every combination, the base first."""
    rows = [dict(zip(axes, levels, strict=True)) for levels in itertools.product(*axes.values())]
    names = ["base", *("+".join(f"{axis}={level}" for axis, level in row.items()) for row in rows[1:])]
    return pd.DataFrame(
        [{"fork": name} | {f"axis_{a}": v for a, v in row.items()} for name, row in zip(names, rows, strict=True)]
    )


def shares_of(table, method="bayes"):
    own = table[(table["method"] == method) & (table["structure"] == "thalamus")]
    return own.set_index("axis")["share"]


def test_shares_of_a_balanced_design_are_those_of_its_analysis_of_variance():
    """The share of a choice would not be the share of the variance it makes."""
    forks = full(BALANCED)
    rng = np.random.default_rng(3)
    effects = rng.normal(size=len(forks))
    found = shares_of(axis_shares(sensitivity(forks, {ONE: effects})))
    total = ((effects - effects.mean()) ** 2).sum()
    for axis in BALANCED:
        means = pd.Series(effects).groupby(forks[f"axis_{axis}"]).transform("mean")
        assert ((means - effects.mean()) ** 2).sum() / total == pytest.approx(found[axis])
    assert 1 == pytest.approx(found.sum())
    assert found[TOGETHER] > 0.1


def test_additive_effects_leave_nothing_to_combinations():
    """Closed form: levels 0, 1 and 0, 2 in a 2 by 2 design have variances 1/4 and 1, shares 0.2 and 0.8."""
    forks = full({"timing": ("end", "start"), "intervals": ("all", "without_first")})
    effects = (forks["axis_timing"] == "start") + 2.0 * (forks["axis_intervals"] == "without_first")
    found = axis_shares(sensitivity(forks, {ONE: effects.to_numpy()}))
    assert [pytest.approx(0.2), pytest.approx(0.8), pytest.approx(0, abs=1e-9)] == shares_of(found)[
        ["timing", "intervals", TOGETHER]
    ].tolist()
    bayes = found[(found["method"] == "bayes") & (found["axis"] == "intervals")].iloc[0]
    assert ("without_first", 2.0, 2.0, 4.0, 1.25) == tuple(bayes[["level", "move", "levels", "n_forks", "variance"]])


def test_shares_in_an_unbalanced_design_do_not_hang_on_the_order_of_the_axes():
    """By brute force: the mean increase of R² over all orders, each by its own least squares."""
    forks = choices({axis: AXES[axis] for axis in ("prior", "outliers", "outcome")}, (("prior", "outliers"),))
    effects = np.random.default_rng(4).normal(size=len(forks))

    def explained_by(axes):
        dummies = [pd.get_dummies(forks[axis], dtype=float) for axis in axes]
        design = np.column_stack([np.ones(len(forks)), *dummies])
        fitted = design @ np.linalg.lstsq(design, effects)[0]
        return 1 - np.var(effects - fitted) / np.var(effects)

    axes = [name for name in forks if name.startswith("axis_")]
    orders = [*itertools.permutations(axes)]
    for axis, share in zip(axes, explained(forks[axes], effects[:, None])[:, 0], strict=True):
        gains = [explained_by(o[: o.index(axis) + 1]) - explained_by(o[: o.index(axis)]) for o in orders]
        assert np.mean(gains) == pytest.approx(share)
    assert explained(forks[axes[::-1]], effects[:, None])[::-1] == pytest.approx(
        explained(forks[axes], effects[:, None])
    )


def test_axes_that_always_change_together_share_equally():
    """One of two choices nobody can tell apart would get all of it, by its place in the table."""
    table = pd.DataFrame({"axis_a": list("xxyy"), "axis_b": list("ppqq"), "axis_c": list("mnmn")})
    shares = explained(table, np.array([[0.0], [1.0], [4.0], [5.0]]))[:, 0]
    assert shares[0] == pytest.approx(shares[1])
    assert 1 == pytest.approx(shares.sum())


def test_forks_that_all_say_the_same_share_out_nothing():
    """Rounding in the last digit would be shared out as if choices mattered."""
    forks = choices()
    found = axis_shares(sensitivity(forks, {ONE: np.full(len(forks), 0.1) + 1e-17}))
    assert found["share"].isna().all()


def test_pooled_shares_weigh_structures_by_their_variance():
    """A structure that nothing moves would count as much as one that everything moves."""
    forks = full({"timing": ("end", "start"), "intervals": ("all", "without_first")})
    one = (forks["axis_timing"] == "start").to_numpy(float)
    other = 3.0 * (forks["axis_intervals"] == "without_first").to_numpy(float)
    table = sensitivity(forks, {ONE: one, (ONE[0], "caudate", ONE[2]): other})
    pooled = pooled_shares(axis_shares(table))
    found = pooled[pooled["method"] == "bayes"].set_index("axis")["share"]
    assert (pytest.approx(0.1), pytest.approx(0.9)) == (found["timing"], found["intervals"])


def _hand():
    """Five forks with known answers: effects of the base's sign but one; the last says nothing."""
    forks = choices({"outcome": ("a", "b", "c", "d", "e")})
    table = sensitivity(forks, {ONE: np.array([-1.0, -2.0, -1.0, 1.0, -3.0])})
    bayes = table["method"] == "bayes"
    table.loc[bayes, "pd"] = [0.99, 0.975, 0.98, 0.99, 0.99]
    table.loc[~bayes, "p"] = [0.05, 0.01, 0.2, 0.001, 0.04]
    table.loc[bayes & (table["axis_outcome"] == "e"), "flags"] = "few_patients,prior_only"
    return table


def test_shares_are_counted_as_they_are_defined():
    """At the cut is not clear; sure of the other sign is against, not for; without an answer is in no share."""
    bayes, classical = fork_shares(_hand()).itertuples(index=False)
    assert ("bayes", 4, 1, 0.75, 0.5, 0.25) == (
        bayes.method, bayes.n_forks, bayes.n_unanswered, bayes.share_sign, bayes.share_pd, bayes.share_against
    )  # fmt: skip
    assert ("classical", 5, 0, 0.8, 0.4, 0.2) == (
        classical.method, classical.n_forks, classical.n_unanswered, classical.share_sign, classical.share_p,
        classical.share_against,
    )  # fmt: skip
    assert (-1, -2, 1) == (bayes.effect_base, bayes.effect_low, bayes.effect_high)
    assert math.isnan(bayes.share_p)
    assert math.isnan(classical.share_pd)


def test_shares_without_a_base_are_missing():
    """With no sign to compare with, 0 % would be read as disagreement."""
    table = _hand()
    assert fork_shares(table[table["fork"] != "base"])["share_sign"].isna().all()


def test_classical_fits_that_forks_share_count_once():
    """Forks that change the prior only would count the base's p over and over."""
    forks = choices(pairs=())
    kept = answers(sensitivity(forks, {ONE: np.full(len(forks), -0.3)}))
    classical = kept[kept["side"] == "classical"]
    alike = len(AXES["prior"]) + len(AXES["likelihood"]) + len(AXES["pooling"]) - 3
    assert len(forks) - alike == len(classical)
    assert 1 == (classical["fork"] == "base").sum()
    assert len(forks) == (kept["side"] == "bayes").sum()


def test_no_answer_of_a_fork_depends_on_the_order_of_the_table():
    """The base would be dropped for a fork with the same classical fit that happens to stand before it."""
    table = sensitivity(choices(), {ONE: np.linspace(-0.3, 0.1, len(choices()))})
    turned = fork_shares(table.iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(fork_shares(table), turned)


def test_every_axis_and_level_has_a_name():
    """The report would speak of winsorise_95."""
    fields = {axis: Sensitivity.model_fields[axis].default for axis in Axis.__args__}
    assert set(fields) == set(NAMED_AXES) - {TOGETHER}
    for axis, levels in fields.items():
        assert axis_name(axis) == axis_name(f"axis_{axis}")
        assert all("_" not in level_name(axis, level) for level in levels)
        assert len(levels) == len({level_name(axis, level) for level in levels})
    assert "the study's own choices" == fork_name("base")
    assert "prior of the slopes: wide; large lesion counts: kept" == fork_name("prior=wide+outliers=keep")


def _example(results_of, structures=("thalamus", "caudate", "putamen"), strong=-0.4):
    forks = choices()
    rng = np.random.default_rng(11)
    terms = ("slope[CLAD]", "slope[ALEM]", "interaction")
    effects = {
        (results_of, structure, term): rng.normal(0, 0.05, len(forks)) for structure in structures for term in terms
    }
    effects[results_of, "thalamus", "slope[CLAD]"] = strong + rng.normal(0, 0.02, len(forks))
    return forks, sensitivity(forks, effects)


@pytest.fixture(scope="module")
def drawn():
    _, table = _example("year_to_year_t2")
    return table, specification(table, "year_to_year_t2", ("CLAD", "ALEM"), 0.975)


def test_the_curve_shows_the_clearest_result_and_says_so(drawn):
    """A reader would take the one curve that is shown for a typical one."""
    table, figure = drawn
    assert ("thalamus", "slope[CLAD]") == clearest(answers(table))
    pd_ = table.loc[(table["fork"] == "base") & (table["method"] == "bayes"), "pd"].max()
    told = f"Thalamus, slope in CLAD, shown because its pd with the study's own choices, {probability(pd_)}"
    assert told in figure.caption
    assert "1 new T2 lesion against none" in figure.caption
    assert "no posterior" in figure.caption
    assert "specification-year_to_year_t2" == figure.name


def test_the_study_s_own_choices_stand_first_in_the_curve(drawn):
    """Rows in the order of the curve would make two analyses unreadable side by side."""
    svg = drawn[1].svg
    order = ["regularising", "wide", "sceptical", "kept", "over 20 left out", "set to 95th percentile"]
    places = [svg.index(f">{name}<") for name in order]
    assert places == sorted(places)


def test_a_curve_of_many_forks_is_thinned_and_says_so():
    """A product of all choices would make a page of a hundred megabytes."""
    axes = {axis: AXES[axis] for axis in ("prior", "outliers", "outcome", "timing", "covariates", "intervals")}
    forks = full(axes)
    table = sensitivity(forks, {ONE: np.linspace(-0.5, 0.1, len(forks))})
    figure = specification(table, ONE[0], ("CLAD", "ALEM"), 0.975)
    assert re.search(r"24[01] of 576 forks, evenly spaced", figure.caption)
    assert len(figure.svg) < 1_000_000


def test_without_an_answer_at_the_base_there_is_no_curve():
    """A figure of nothing, or none of the analysis at all."""
    _, table = _example("year_to_year_t2")
    assert specification(table[table["fork"] != "base"], "year_to_year_t2", (), 0.975) is None


@pytest.fixture(scope="module")
def looked(tmp_path_factory, made_up):
    """A made-up folder with forks and verdicts."""
    out = made_up.make_results(tmp_path_factory.mktemp("looked") / "results")
    forks, table = _example("year_to_year_t2")
    listed = fork_list("year_to_year_t2", forks, {"undetermined=yes": "no NEDA-3 in this analysis"})
    _write(out / "sensitivity.tsv", table)
    _write(out / "forks.tsv", listed)
    estimates = made_up.estimates()
    thalamus = (estimates["structure"] == "thalamus") & (estimates["term"] == "slope[CLAD]")
    estimates.loc[thalamus & (estimates["method"] == "bayes"), ["estimate", "pd"]] = (-0.2, 0.999)
    keys = estimates.loc[estimates["method"] == "bayes", ["analysis", "structure", "term"]]
    patients = pd.concat([keys.assign(patient="QzC003", pd=0.96), keys.assign(patient="QzC001", pd=0.999)])
    fragile = patients["analysis"].eq("year_to_year_gd") & patients["patient"].eq("QzC003")
    ladder = keys.assign(look="ladder", prior_sd=0.1, pd=0.97)
    found = verdicts(estimates, table, listed, patients.assign(pd=patients["pd"].mask(fragile, 0.8)), ladder, Robust())
    write_verdicts(found, out)
    return read_results(out)


def _write(path, frame):
    whole = frame.astype(object).where(frame.notna() & (frame != ""), None)
    write_table(path, whole, [Column(str(name), "made up") for name in frame.columns])


@pytest.fixture(scope="module")
def section(looked):
    return multiverse.make(looked)


def test_the_section_counts_what_the_tables_hold(looked, section):
    """The text would say other numbers than the table beneath it."""
    assert ("ok", 1) == (section.status, len(section.parts))
    part = section.parts[0]
    fitted = (looked.look("forks")["status"] == "fitted").sum()
    assert part.paragraphs[0].startswith(f"{fitted} forks fitted, over 10 choices: prior of the slopes")
    assert "1 more" in part.paragraphs[0]
    shares = fork_shares(looked.look("sensitivity"))
    bayes = shares[shares["method"] == "bayes"]
    assert f"Of 9 results, {(bayes['share_sign'] == 1).sum()} have the same Bayesian sign" in part.paragraphs[1]
    assert (
        "1 has pd > 0.975 with the study's own choices; in this one, 100% of forks are clear too" in part.paragraphs[1]
    )
    assert part.paragraphs[2].startswith("Most of the variance over forks")
    assert ["fork-shares", "fork-axes", "fork-moves", "forks-skipped"] == [
        re.sub("-year_to_year_t2", "", table.name) for table in part.tables
    ]
    axes = part.tables[1].frame
    assert "choices in combination" == axes["Choice"].iloc[-1]
    assert "no NEDA-3 in this analysis" in part.tables[-1].frame.to_string()
    assert 1 == len(part.figures)
    assert 'id="figure-specification-year_to_year_t2"' in render("made up", [section])
    table = looked.look("sensitivity")
    assert part.figures[0].svg == specification(table, "year_to_year_t2", ("CLAD", "ALEM"), 0.975).svg


def test_the_section_never_calls_forks_a_posterior_or_one_of_them_best(section):
    """A count over choices somebody listed would be read as a probability."""
    said = " ".join([*section.paragraphs, *(text for part in section.parts for text in part.paragraphs)])
    assert "A summary over forks is not a posterior" in said
    assert not re.search(r"\b(best|better|preferred|error of|effect of treatment)\b", said)


def test_without_the_look_the_sections_name_the_command(tmp_path, made_up):
    """An empty section would be read as: nothing found."""
    results = read_results(made_up.make_results(tmp_path / "results"))
    for make in (multiverse.make, robustness.make):
        section = make(results)
        assert "not_applicable" == section.status
        assert "`atrobayes sensitivity STUDY.toml`" in section.paragraphs[0]


def test_verdicts_are_said_with_the_rule_and_patients_by_number(looked):
    """A patient's id would leave the clinic with the report, or the rule stay behind."""
    section = robustness.make(looked)
    table = looked.look("verdicts")
    assert "at least 95% of the forks" in section.paragraphs[0]
    assert "at least 80% of them" in section.paragraphs[0]
    assert f"Of {len(table)} results: {(table['verdict'] == 'robust').sum()} robust" in section.paragraphs[1]
    assert "Robust, with the sign of the association: Thalamus, slope in CLAD" in section.paragraphs[2]
    said, first, others = (item.frame for item in section.tables)
    assert len(table) == len(first) + len(others)
    assert ((table["pd"] > 0.975) | (table["p"] < 0.05)).sum() == len(first) == len(said)
    cells = "".join(item.to_string(max_colwidth=None) for item in (said, first, others))
    assert "Qz" not in cells + " ".join(section.paragraphs)
    assert "without patient no. 4 pd falls to 0.8000" in cells
    assert "no. 4: pd 0.9600" in cells
    assert "Cerebellum, slope in CLAD" in render("made up", [section])


def test_the_cut_of_the_rule_is_the_cut_of_the_shares(looked):
    """Two sections would count clear forks by two cut-offs."""
    assert 0.975 == multiverse.fork_cut(looked)
