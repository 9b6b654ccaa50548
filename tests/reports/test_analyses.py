"""The analyses, each by its kind: what a reader must find, and what must not be claimed."""

from __future__ import annotations

import pandas as pd
import pytest

from atrobayes.data_prep.ledger import RULES
from atrobayes.models.estimates import METHODS
from atrobayes.models.model import CATALOGUE, get_model
from atrobayes.reports.analyses import comparison, course, groups
from atrobayes.reports.contrast import contrast
from atrobayes.reports.contrast_table import contrast_rows
from atrobayes.reports.forests import standardised
from atrobayes.reports.kinds import analyses_of, kind_of
from atrobayes.reports.lesion_counts import lesion_counts
from atrobayes.reports.methods import method_words, model_words
from atrobayes.reports.prior_tables import raw_table, years
from atrobayes.reports.report import write_report
from atrobayes.reports.results import read_results
from atrobayes.reports.sections import priors
from atrobayes.reports.sections.summary import make as summary
from atrobayes.reports.verdict_words import verdicts_by_analysis, verdicts_in_words
from atrobayes.reports.wording import term_words

MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def folder(made_up, tmp_path_factory):
    return made_up.make_results(tmp_path_factory.mktemp("kinds"), every_kind=True)


@pytest.fixture
def results(folder):
    return read_results(folder)


def _tables(section):
    return {table.name: table.frame for table in section.tables}


def _without(results, analysis, method="bayes"):
    rows = results.estimates
    results.__dict__["estimates"] = rows[(rows["analysis"] != analysis) | (rows["method"] != method)]
    return results


def test_each_kind_has_its_part_on_the_page(folder, capsys) -> None:
    """An analysis would stand in the tables of the folder and not in the report."""
    html = write_report(folder).read_text(encoding="utf-8")
    assert "" == capsys.readouterr().err
    for name in ("year_to_year_t2", "relapse_years", "baseline_groups", "clinical_course"):
        assert f'<article id="analysis-{name}" class="ok">' in html
        assert f'href="#analysis-{name}"' in html
    assert (folder / "figures" / "course-clinical_course.svg").is_file()


def test_no_rule_of_the_ledger_is_shown_by_its_id(folder) -> None:
    """A clinician would read `steroid_washout` instead of a reason."""
    html = write_report(folder).read_text(encoding="utf-8")
    assert [] == [rule for rule in RULES if "_" in rule and rule in html]


def test_kinds_are_told_from_the_rows(results) -> None:
    """A study's own comparison would be reported as a regression."""
    assert ["slopes", "slopes", "comparison", "groups", "course"] == [
        kind_of(results, name) for name in analyses_of(results)
    ]


def test_a_comparison_shows_every_p_and_superiority_between_and_within(results) -> None:
    """A p that takes years of one patient as independent would stand alone."""
    shown = _tables(comparison.part(results, "relapse_years"))["ranks-relapse_years"]
    row = shown.set_index("Structure").loc["Thalamus"]
    assert ["700.5", "0.0100", "0.0300", "0.0400", "0.610"] == row.iloc[:5].tolist()
    assert "0.620" == row["Superiority between patients, Bayesian"]
    assert "0.640" == row["Superiority within patients, normal errors"]
    assert "14" == row["Patients with both"]


def test_years_with_and_without_activity_are_counted(results) -> None:
    """A difference would not tell that it rests on a handful of years."""
    years_ = results.intervals[results.intervals["visit_to"] == results.intervals["visit_from"] + 1]
    said = " ".join(comparison.part(results, "relapse_years").paragraphs)
    assert f"Yearly intervals with activity: {int((years_['relapses'] > 0).sum())}; without: 0." in said


def test_without_a_headline_posterior_nothing_is_compared(results) -> None:
    """A p would be called unsupported by a posterior that was never computed."""
    lacking = _without(results, "relapse_years")
    part = comparison.part(lacking, "relapse_years")
    assert "was not computed" in " ".join(part.paragraphs)
    assert "Of 2:" not in " ".join(part.paragraphs)
    assert {"not compared"} == set(_tables(part)["contrast-relapse_years"]["Verdict"])
    assert "2 have a p only" in " ".join(summary(lacking).tables[0].frame["Answer"])
    assert {"classical", "bayes_normal"} == set(
        standardised(lacking.estimates).loc[lambda rows: rows["analysis"] == "relapse_years", "method"]
    )


def test_rates_and_medians_are_not_counted_as_neither(results) -> None:
    """Descriptions would swell the number of questions both answers find nothing in."""
    rows = contrast(results.estimates)
    course_rows = rows[rows["analysis"] == "clinical_course"]
    assert 0.99 == course_rows["bayes_pd"].max()  # of a ratio that has no classical test
    assert verdicts_in_words(course_rows).startswith("Of 0: 0 clear by both")
    assert f"Without a verdict: {len(course_rows)}." in verdicts_in_words(course_rows)
    last = verdicts_by_analysis(course_rows).iloc[-1]
    assert ("0", "n/a", "n/a") == (last["Compared"], last["Neither clear"], last["Expected by chance alone"])


def test_chance_is_counted_by_analysis_and_in_all(results) -> None:
    """Many small p in one analysis would hide that another has no more than chance gives."""
    rows = contrast(results.estimates)
    shown = verdicts_by_analysis(rows).set_index("Analysis")
    own = rows[rows["analysis"] == "year_to_year_t2"]
    row = shown.loc["New T2 lesions, year to year"]
    assert str((own["classical_p"] < 0.05).sum()) == row["p < 0.05"]
    assert "2.0" == row["Expected by chance alone"]  # 39 tests
    assert str((rows["verdict"] == "both_clear").sum()) == shown.loc["All", "Both clear"]


def test_kenward_roger_stands_first_where_a_fit_is_singular(results) -> None:
    """A p that counts rows as patients would be the first a reader meets."""
    rows = contrast(results.estimates)
    rows = rows[rows["analysis"] == "year_to_year_t2"].assign(classical_kr_p=0.0321)
    shown = contrast_rows(results, rows)
    names = list(shown.columns)
    assert names.index("p, KR") + 1 == names.index("p, Satt.")
    assert {"0.0321"} == set(shown["p, KR"])
    assert "p, KR" not in contrast_rows(results, rows.assign(classical_flags="")).columns


def test_groups_before_treatment_are_a_table_one(results) -> None:
    """Age would be compared without saying how old the patients were."""
    shown = _tables(groups.part(results, "baseline_groups"))["table-1"].set_index("Variable")
    age = results.cohort["age"].to_numpy()[results.cohort["group"].to_numpy() == "CLAD"]
    assert f"{age.mean():.1f} ({age.std(ddof=1):.1f}); 33" == shown.loc["Age", "CLAD"]
    assert "to" in shown.loc["EDSS", "ALEM"]
    assert ("0.0100", "0.0200", "0.25") == tuple(shown.loc["Age", ["p", "p, Welch", "Standardised difference"]])


def test_the_course_shows_what_was_seen_and_what_is_inferred(results) -> None:
    """A posterior rate would be taken for what was counted."""
    part = course.part(results, "clinical_course")
    seen = _tables(part)["course-seen"].set_index(["Visit", "Group"])
    record = results.cohort[["new_t2", "visit"]].to_dataframe()
    own = record[(record["visit"] == 1) & (record["record_patient"].str.startswith("QzC"))]
    assert f"{own['new_t2'].mean():.2f}" == seen.loc[("1", "CLAD"), "Mean new T2 lesions"]
    ratio = _tables(part)["course-ratios"].iloc[0]
    assert ("CLAD / ALEM", "1.50", "0.990") == (ratio["Ratio"], ratio["Posterior median"], ratio["pd"][:5])


def test_terms_of_the_course_are_said_in_words() -> None:
    """A clinician would have to guess what rate_ratio[CLAD/ALEM,1] means; labels may hold the signs themselves."""
    assert "rate in CLAD at visit 1" == term_words("rate[CLAD,1]", ("CLAD", "ALEM"))
    assert "rate ratio CLAD / ALEM at visit 2" == term_words("rate_ratio[CLAD/ALEM,2]", ("CLAD", "ALEM"))
    assert f"difference a-b {MINUS} c" == term_words("difference[a-b-c]", ("a-b", "c"))


def test_lesions_of_baseline_are_not_counted_in_years_they_do_not_belong_to(results) -> None:
    """A regression from baseline would seem to rest on every patient-year."""
    rows = results.estimates.assign(engine=results.estimates["engine"].replace("reml", "ols"))
    results.__dict__["estimates"] = rows
    assert 0 == len(lesion_counts(results))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_model_is_told_in_the_methods(name) -> None:
    """The methods section would print a name from the code."""
    try:
        model = get_model(name)
    except ImportError:
        pytest.skip("not written yet")
    said = model_words(name, model.family)
    assert not said.startswith(f"{name},")
    assert not said.endswith(f"with {model.family}")


@pytest.mark.parametrize("method", [name for name in METHODS if name not in {"classical", "bayes"}])
def test_every_further_method_is_told(method) -> None:
    """A column of the tables would have no explanation."""
    assert 20 < len(method_words(method))


def test_priors_are_said_in_the_unit_of_the_outcome(results) -> None:
    """A prior in standard deviations tells a clinician nothing; ±0.59 % is 1.96 times its SD of 0.3."""
    said = " ".join(priors.make(results).paragraphs)
    assert f"a further new T2 lesion goes with between {MINUS}0.59 and 0.59 % of eTIV" in said
    shown = raw_table(results, "year_to_year_t2").frame
    assert f"{MINUS}0.59 to 0.59" == shown["95% of the prior"].iloc[0]


def test_a_predicted_year_is_set_beside_the_observed(results) -> None:
    """The prior's width would be judged without the data; growth is counted, not assumed."""
    told = years(results, "year_to_year_t2").loc["whole_brain"]
    assert 0.2 == pytest.approx(told["share_growth"])  # of -1.5, -1, -0.5, 0, 0.5
    assert told["prior_low"] < told["low"] < told["high"] < told["prior_high"]
    assert -0.5 == pytest.approx((told["prior_low"] + told["prior_high"]) / 2)
    assert told["p_growth"] < 0.5


def test_without_posteriors_the_priors_say_so(results) -> None:
    """A classical run would fail at the section on priors."""
    results.__dict__["fits"] = ()
    assert "not_applicable" == priors.make(results).status
    assert pd.DataFrame().equals(years(results, "year_to_year_t2"))
