"""The catalogue of analyses and the study's own: what each asks, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrobayes.errors import Fault, StudyError
from atrobayes.models.analyses import CATALOGUE, Analysis, resolve_analyses
from atrobayes.models.terms import KINDS
from atrobayes.study import Study

AGE = {"id": "age_years", "kind": "mixed", "predictor": "age"}


def resolved(use: list[str] | None = None, *own: dict) -> tuple[Analysis, ...]:
    tables = {"analyses": {"use": use, "own": list(own)}}
    return resolve_analyses(Study(path=Path("study.toml"), data={"subjects_dir": "subjects"}, **tables))


def faults(use: list[str] | None = None, *own: dict) -> tuple[Fault, ...]:
    with pytest.raises(StudyError) as caught:
        resolved(use, *own)
    return caught.value.faults


def test_all_analyses_of_the_paper_are_asked_by_default() -> None:
    """A table of the paper would not be rerun."""
    expected = [
        *("year_to_year_t2", "year_to_year_gd", "three_year_t2", "three_year_gd", "one_year_t2", "one_year_gd"),
        *("relapse_years", "neda3_years", "baseline_groups", "clinical_course"),
    ]
    assert expected == [analysis.id for analysis in resolved()]
    assert expected == list(CATALOGUE)


def test_only_the_one_year_analyses_leave_out_the_patient_with_over_twenty_lesions() -> None:
    """The paper excludes that patient in this analysis only."""
    excluding = {analysis.id: analysis.exclude for analysis in resolved() if analysis.exclude}
    assert dict.fromkeys(("one_year_t2", "one_year_gd"), "new_t2_from > 20") == excluding


def test_every_analysis_has_words_for_readers_and_claims_no_cause() -> None:
    """Treatments were not randomised: a question that speaks of effects would promise what cannot be had."""
    for analysis in (*resolved(), *resolved(["mine"], AGE | {"id": "mine"})):
        assert analysis.kind in {*KINDS, "course"}
        assert analysis.title
        assert analysis.question.endswith("?")
        assert not {"effect", "cause", "causes", "affect"} & set(analysis.question.lower().rstrip("?").split())


def test_use_selects_and_keeps_the_order_of_the_catalogue() -> None:
    """The report would change with the order of a list."""
    ids = [analysis.id for analysis in resolved(["age_years", "relapse_years", "year_to_year_gd"], AGE)]
    assert ["year_to_year_gd", "relapse_years", "age_years"] == ids


def test_own_analyses_are_asked_by_default_after_the_catalogue() -> None:
    """A question written down would not be answered."""
    ids = [analysis.id for analysis in resolved(None, AGE, AGE | {"id": "more"})]
    assert [*CATALOGUE, "age_years", "more"] == ids


def test_an_unknown_analysis_names_the_nearest() -> None:
    """A typing slip would silently leave an analysis out."""
    (fault,) = faults(["year_to_year_t22"])
    assert "did you mean 'year_to_year_t2'?" == fault.todo
    (fault,) = faults(["age_yers"], AGE)
    assert "did you mean 'age_years'?" == fault.todo


@pytest.mark.parametrize("own", [[AGE | {"id": "relapse_years"}], [AGE, AGE]])
def test_an_id_that_another_analysis_has_is_refused(own: list[dict]) -> None:
    """Two answers would stand under one name, or one of them overwrite the other."""
    (fault,) = faults(None, *own)
    assert ("analyses.own.id", repr(own[0]["id"])) == (fault.column, fault.found)


def test_an_unknown_outcome_is_refused_with_those_there_are() -> None:
    """A traceback would stand where one word has to be mended."""
    (fault,) = faults(None, AGE | {"outcome": "change_mm3"})
    assert ("age_years.outcome", "one of change_pct_etiv, change_pct") == (fault.column, fault.expected)


def test_all_faults_are_said_at_once() -> None:
    """Three mistakes are three lines of one message."""
    found = faults(["nothing"], AGE | {"outcome": "change_mm3"}, AGE | {"id": "relapse_years"})
    assert {"analyses.use", "age_years.outcome", "analyses.own.id"} == {fault.column for fault in found}


@pytest.mark.parametrize(
    ("predictor", "timing", "column", "unit"),
    [
        ("new_t2", "end", "new_t2_to", 1.0),
        ("new_t2", "start", "new_t2_from", 3.0),
        ("new_gd", "start", "new_gd_from", 3.0),
        ("new_t2_to", "start", "new_t2_to", 1.0),
        ("new_t2_from", "end", "new_t2_from", 3.0),
        ("age", "end", "age", None),
        ("relapses", "end", "relapses", None),
    ],
)
def test_lesion_timing_moves_counts_that_name_no_visit_and_their_unit(
    predictor: str, timing: str, column: str, unit: float | None
) -> None:
    """Counts of the wrong visit would be taken, or the prior speak of other lesions than stated."""
    (own,) = resolved(["age_years"], AGE | {"predictor": predictor})
    assert (column, unit) == (own.column(timing), own.predictor_unit(timing))


def test_a_state_is_one_unit_whatever_it_is_made_of() -> None:
    """The prior of a difference would be stretched by the SD of relapse counts."""
    (own,) = resolved(["age_years"], AGE | {"kind": "comparison", "predictor": "new_t2_from"})
    assert 1.0 == own.predictor_unit("end")
    assert 1.0 == CATALOGUE["relapse_years"].predictor_unit("start")


def test_units_say_of_what_and_by_what() -> None:
    """A slope would be read as a difference, or a change a year as a change."""
    slopes, states = CATALOGUE["three_year_gd"], CATALOGUE["neda3_years"]
    assert "% of eTIV per baseline new Gd+ lesion" == slopes.unit()
    assert "% of eTIV a year per baseline new Gd+ lesion" == slopes.unit(annualised=True)
    assert "% of the opening volume" == states.unit()
    assert "% of the opening volume a year" == states.unit(annualised=True)
    (own,) = resolved(["age_years"], AGE | {"outcome": "change_pct"})
    assert "% of the opening volume per unit of age" == own.unit()


def test_own_analyses_say_what_they_ask() -> None:
    """All that was written in the study file, and nothing else, would not reach the fit."""
    spec = {"id": "mine", "kind": "regression", "predictor": "edss_from", "covariates": ["age", "sex"], "from": 1,
            "to": 3, "exclude": "age > 60", "group": False, "outcome": "change_pct"}  # fmt: skip
    (own,) = resolved(["mine"], spec)
    expected = ("mine", "regression", "change_pct", "edss_from", 1, 3, False, ("age", "sex"), "age > 60")
    assert expected == (own.id, own.kind, own.outcome, own.predictor, own.visit_from, own.visit_to, own.group,
                        own.covariates, own.exclude)  # fmt: skip
    assert "from visit 1 to visit 3" in own.question
    assert "groups" not in own.question


def test_an_own_comparison_has_no_groups() -> None:
    """A comparison of states would be cut into groups that its model does not have."""
    (own,) = resolved(["age_years"], AGE | {"kind": "comparison"})
    assert not own.group
    assert own.visit_to is None
