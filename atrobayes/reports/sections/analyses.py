"""The analyses one by one: question, rows, figure, both answers side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from atrobayes.reports.all_numbers import glossary
from atrobayes.reports.analyses import comparison, course, groups, slopes
from atrobayes.reports.contrast import P_CUT, PD_CUT
from atrobayes.reports.flags import flags_in_words
from atrobayes.reports.kinds import Kind, analyses_of, kind_of
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, build
from atrobayes.reports.wording import analysis_title, interval_name, slug

_PARTS: dict[Kind, Callable[[Results, str], Section]] = {
    "slopes": slopes.part,
    "comparison": comparison.part,
    "groups": groups.part,
    "course": course.part,
}


def make(results: Results) -> Section:
    """One part per analysis, made by its kind; a part that fails says so in its place."""
    parts = tuple(
        build(partial(_part, name), results, name=slug("analysis", name), title=analysis_title(name))
        for name in analyses_of(results)
    )
    failed = any(part.status == "failed" for part in parts)
    return Section(
        "analyses", "The analyses", "warning" if failed else "ok", _reading(results), (glossary(results),), parts=parts
    )


def _part(analysis: str, results: Results) -> Section:
    return _PARTS[kind_of(results, analysis)](results, analysis)


def _reading(results: Results) -> tuple[str, ...]:
    bayes = interval_name(results.estimates, "bayes") or "posterior interval"
    classical = interval_name(results.estimates, "classical")
    marks = flags_in_words(results)
    return (
        "Structures differ in size by a factor of a thousand, so the figures show every slope or difference in "
        "standard deviations (SD) of its own outcome over the rows analysed; tables are in the outcome's own unit. "
        f"Grey: classical estimate with {classical}. Blue: posterior mean with {bayes}. Negative means more loss of "
        "volume (for the lateral ventricle the other way round: it grows where tissue shrinks). Slopes share one "
        "scale, an interaction has its own. The yellow band, ROPE, holds what is negligible by convention; its limits, "
        "per structure and in raw units, are in the folded tables of all numbers.",
        "p: two-sided, not corrected for multiplicity. q: the same, adjusted by Benjamini-Hochberg over the structures "
        "of one analysis and one term. KR: by Kenward and Roger's method; Satt.: by Satterthwaite's. pd (probability "
        "of direction): posterior probability that the term has the sign of its larger side, from 0.5 (no idea) to 1. "
        "P(in ROPE): posterior probability that the association is negligible by convention.",
        f"Verdict: classical is called clear when p < {P_CUT}, the posterior when pd > {PD_CUT}. Both cut-offs are "
        "conventions: 0.049 and 0.051 say the same. 'Classical only': a small p that the posterior does not bear out. "
        "'Bayesian only': a posterior sure of the sign where p is not small. Row colours repeat the verdict, in the "
        "figures where the two part.",
        *([marks] if marks else []),
    )
