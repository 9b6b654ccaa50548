"""The catalogue of analyses, as data: what is asked of which rows; and the study's own analyses, in the same form."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from atrobayes.errors import Fault, StudyError
from atrobayes.study import OwnAnalysis, Study

# outcome → what one unit of it is
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {"change_pct_etiv": "% of eTIV", "change_pct": "% of the opening volume"}
)
# of forks only: without eTIV as a covariate it says more of head size than of atrophy
RAW_OUTCOME = "change_mm3"
_UNITS = MappingProxyType({**OUTCOMES, RAW_OUTCOME: "mm^3"})
# lesion counts may be named without the visit they were found at: `lesion_timing` tells
TIMED = ("new_t2", "new_gd")
# counts of the opening visit gather the lesions of the time before treatment: three stand for one of a year
UNIT_AT_START = 3.0


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
        A key of `models.terms.KINDS`, "course" for counts and scores together.
    outcome : str
        Column of changes.tsv; "" where clinical variables are the outcome.
    predictor : str
        Column of intervals.tsv or patients.tsv; a lesion count may stand without `_from` or `_to`. "" where
        there is none.
    predictor_label : str
        One unit of the predictor, or the state, in words.
    visit_from, visit_to : int, int or None
        Interval; visit_to None: all patient-years.
    group : bool
        Whether groups are told apart.
    covariates : tuple of str
        Columns like the predictor's.
    exclude : str
        Condition on the columns; rows that meet it are left out.
    """

    id: str
    title: str
    question: str
    kind: str
    outcome: str = ""
    predictor: str = ""
    predictor_label: str = ""
    visit_from: int = 0
    visit_to: int | None = None
    group: bool = True
    covariates: tuple[str, ...] = ()
    exclude: str = ""

    def unit(self, annualised: bool = False) -> str:
        """Unit of a slope or difference; `annualised`: the change was divided by the real years between the scans."""
        change = f"{_UNITS[self.outcome]}{' a year' if annualised else ''}"
        return change if self.kind == "comparison" else f"{change} per {self.predictor_label}"

    def column(self, timing: str) -> str:
        """Name of the predictor's column, the visit of a lesion count told by `lesion_timing`."""
        return f"{self.predictor}_{'to' if timing == 'end' else 'from'}" if self.predictor in TIMED else self.predictor

    def predictor_unit(self, timing: str) -> float | None:
        """u, what the prior of a slope speaks of; None: the SD of the predictor."""
        column = self.column(timing)
        if self.kind == "comparison" or column in {f"{name}_to" for name in TIMED}:
            return 1.0
        return UNIT_AT_START if column in {f"{name}_from" for name in TIMED} else None


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
        predictor=predictor,
        predictor_label=label,
    )


def _from_baseline(years: int, short: str, label: str, exclude: str = "") -> Analysis:
    words = {1: "one year", 3: "three years"}[years]
    return Analysis(
        id=f"{'one' if years == 1 else 'three'}_year_{short}",
        title=f"Baseline {label}s, change over {words}",
        question=(
            f"In patients with more {label}s before treatment, do brain structures change more, or less, over the "
            f"following {words}, and does that differ between the groups?"
        ),
        kind="regression",
        outcome="change_pct_etiv",
        predictor=f"new_{short}_from",
        predictor_label=f"baseline {label}",
        visit_to=years,
        exclude=exclude,
    )


def _state(name: str, predictor: str, label: str, question: str) -> Analysis:
    return Analysis(
        id=name,
        title=f"Years {label}",
        question=question,
        kind="comparison",
        outcome="change_pct",
        predictor=predictor,
        predictor_label=label,
        group=False,
    )


# the paper leaves out the one patient with over 20 lesions, in the one-year analysis only
_MANY = "new_t2_from > 20"
_ALL = (
    _year_to_year("t2", "new_t2", "new T2 lesion"),
    _year_to_year("gd", "new_gd", "new Gd+ lesion"),
    _from_baseline(3, "t2", "new T2 lesion"),
    _from_baseline(3, "gd", "new Gd+ lesion"),
    _from_baseline(1, "t2", "new T2 lesion", _MANY),
    _from_baseline(1, "gd", "new Gd+ lesion", _MANY),
    _state(
        "relapse_years",
        "relapses",
        "with a relapse",
        "Do brain structures change more, or less, in patient-years with a relapse than in patient-years without?",
    ),
    _state(
        "neda3_years",
        "neda3",
        "without NEDA-3",
        "Do brain structures change more, or less, in patient-years with disease activity (without NEDA-3) than in "
        "patient-years without any?",
    ),
    Analysis(
        id="baseline_groups",
        title="Groups before treatment",
        question="Did the groups differ before treatment?",
        kind="groups",
    ),
    Analysis(
        id="clinical_course",
        title="Clinical course",
        question="How many lesions and relapses, and what EDSS, had each group at each visit?",
        kind="course",
    ),
)
CATALOGUE: Mapping[str, Analysis] = MappingProxyType({analysis.id: analysis for analysis in _ALL})


def resolve_analyses(study: Study) -> tuple[Analysis, ...]:
    """Analyses the study asks for: the catalogue's in its order, then the study's own.

    Raises
    ------
    StudyError
        If `[analyses] use` names an unknown analysis, or an own one has the id of another or an unknown outcome.
    """
    own = {item.id: _own(item) for item in study.analyses.own}
    known = dict(CATALOGUE) | own
    wanted = study.analyses.use if study.analyses.use is not None else tuple(known)
    faults = [_unknown(study, name, tuple(known)) for name in wanted if name not in known] + _own_faults(study)
    if faults:
        raise StudyError(faults)
    return tuple(analysis for name, analysis in known.items() if name in wanted)


def _own(item: OwnAnalysis) -> Analysis:
    span = "a patient-year" if item.to == "next" else f"the time from visit {item.from_} to visit {item.to}"
    across = ", and does that differ between the groups" if item.group and item.kind != "comparison" else ""
    return Analysis(
        id=item.id,
        title=item.id.replace("_", " "),
        question=f"Does {item.outcome} in {span} go with {item.predictor}{across}?",
        kind=item.kind,
        outcome=item.outcome,
        predictor=item.predictor,
        predictor_label=f"unit of {item.predictor}",
        visit_from=item.from_,
        visit_to=None if item.to == "next" else item.to,
        group=item.group and item.kind != "comparison",
        covariates=item.covariates,
        exclude=item.exclude,
    )


def _own_faults(study: Study) -> list[Fault]:
    ids = [item.id for item in study.analyses.own]
    faults = [
        Fault(
            repr(name), "an id that no other analysis has", "choose another", str(study.path), column="analyses.own.id"
        )
        for name in dict.fromkeys(ids)
        if name in CATALOGUE or ids.count(name) > 1
    ]
    return faults + [
        Fault(
            repr(item.outcome),
            f"one of {', '.join(OUTCOMES)}",
            "choose one",
            str(study.path),
            column=f"{item.id}.outcome",
        )
        for item in study.analyses.own
        if item.outcome not in OUTCOMES
    ]


def _unknown(study: Study, name: str, known: tuple[str, ...]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "remove it"
    return Fault(f"the unknown analysis {name!r}", ", ".join(known), todo, str(study.path), column="analyses.use")
