"""The catalogue of analyses, as data: what is asked of which rows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from atrobayes.errors import Fault, StudyError
from atrobayes.study import Study


@dataclass(frozen=True)
class Analysis:
    """One question put to the cohort.

    Attributes
    ----------
    id : str
        Name used in files and in `[analyses] use`.
    title, question : str
        For readers: a heading, and the question in one plain sentence.
    kind : str
        "mixed": patient-years with a random intercept per patient.
    outcome : str
        Column of changes.tsv.
    outcome_unit : str
        Unit of that outcome.
    predictor : str
        Clinical count, without the `_from` or `_to` of its visit.
    predictor_label : str
        One unit of the predictor, in words.
    predictor_unit : float
        u: the number of lesions the prior speaks of, for counts found within a year.
    """

    id: str
    title: str
    question: str
    kind: str
    outcome: str
    outcome_unit: str
    predictor: str
    predictor_label: str
    predictor_unit: float = 1.0

    def unit(self, annualised: bool = False) -> str:
        """Unit of a slope; `annualised`: the change was divided by the real years between the scans."""
        return f"{self.outcome_unit}{' a year' if annualised else ''} per {self.predictor_label}"


def _year_to_year(short: str, predictor: str, label: str) -> Analysis:
    return Analysis(
        id=f"year_to_year_{short}",
        title=f"{label[0].upper()}{label[1:]}s, year to year",
        question=(
            f"In patient-years with more {label}s, do brain structures change more, or less, than in other "
            "patient-years, and does that differ between the groups?"
        ),
        kind="mixed",
        outcome="change_pct_etiv",
        outcome_unit="% of eTIV",
        predictor=predictor,
        predictor_label=label,
    )


CATALOGUE: Mapping[str, Analysis] = MappingProxyType(
    {
        analysis.id: analysis
        for analysis in (
            _year_to_year("t2", "new_t2", "new T2 lesion"),
            _year_to_year("gd", "new_gd", "new Gd+ lesion"),
        )
    }
)

# counts of visit 0 gather the lesions of the time before treatment: three stand for one of a year
UNIT_AT_START = 3.0


def resolve_analyses(study: Study) -> tuple[Analysis, ...]:
    """Analyses the study asks for, in the catalogue's order.

    Raises
    ------
    StudyError
        If `[analyses] use` names an analysis that is not in the catalogue.
    """
    wanted = study.analyses.use if study.analyses.use is not None else tuple(CATALOGUE)
    faults = [_unknown(study, name) for name in wanted if name not in CATALOGUE]
    if faults:
        raise StudyError(faults)
    return tuple(analysis for name, analysis in CATALOGUE.items() if name in wanted)


def _unknown(study: Study, name: str) -> Fault:
    near = difflib.get_close_matches(name, CATALOGUE, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "remove it"
    return Fault(f"the unknown analysis {name!r}", ", ".join(CATALOGUE), todo, str(study.path), column="analyses.use")
