"""What the audit and the reanalysis of a published table came to, in plain words."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.audit import multiplicity
from atrobayes.reports.audit.finding import DISAGREEING
from atrobayes.reports.contrast import P_CUT
from atrobayes.reports.reanalysis_rows import BASE, p_below, shown_slopes, without_posterior
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table
from atrobayes.reports.sections.audit import comparisons
from atrobayes.reports.wording import counted, listed, number

_SURE = 0.95


def make(results: Results) -> Section:
    """Say what was read, what does not fit, and what is left of the slopes."""
    audit, found = results.look("audit"), results.look("reanalysis")
    facts = [("What this page rests on", _rests())]
    if audit is not None and len(audit):
        facts += [("Do the digits fit each other?", _fit(audit)), *_apart(audit), *_tests(audit)]
    if found is not None and len(found):
        facts += _slopes(found)
    table = Table("at-a-glance", pd.DataFrame(facts, columns=["", "Answer"]), "The page at a glance")
    return Section("summary", "Summary", "ok", (_association(),), (table,))


def _association() -> str:
    return (
        "Everything here is about associations that were published. No raw data were used, nothing was measured anew, "
        "and no number is an effect of treatment."
    )


def _rests() -> str:
    return "Printed numbers alone: slopes, p, sizes of groups, correlations, means and percentages."


def _fit(audit: pd.DataFrame) -> str:
    compared = comparisons(audit)
    counts = compared["verdict"].value_counts()
    said = [
        f"{counts.get('consistent', 0)} fit",
        f"{counts.get('only_under', 0)} fit only if numbers were cut off or rounded up",
        f"{counts.get('inconsistent', 0)} do not fit",
        f"{counts.get('cannot_check', 0)} could not be checked",
    ]
    return f"Of {counted(len(compared), 'comparison', 'comparisons')} {listed(said)}."


def _apart(audit: pd.DataFrame) -> list[tuple[str, str]]:
    apart = audit[audit["verdict"].isin(DISAGREEING)]
    if not len(apart):
        return []
    counts = apart.groupby("check", sort=False).size()
    said = listed(f"{str(check).replace('_', ' ')} ({count})" for check, count in counts.items())
    return [
        (
            "Where they do not",
            f"By check: {said}. Such digits tell that a number stands for something else than it seems, or was "
            "copied or set otherwise; not which one, nor why, nor that a conclusion is wrong.",
        )
    ]


def _tests(audit: pd.DataFrame) -> list[tuple[str, str]]:
    whole = audit[(audit["check"] == multiplicity.CHECK) & (audit["analysis"] == "")]
    return [
        ("How many tests", f"{message} Tests that were not printed are not among them.") for message in whole["message"]
    ]


def _slopes(found: pd.DataFrame) -> list[tuple[str, str]]:
    shown, refused = shown_slopes(found), without_posterior(found)
    without = f" {counted(len(refused), 'slope has', 'slopes have')} too little in print for one."
    many = f"{len(shown)} of {len(shown) + len(refused)}.{without if len(refused) else ''}"
    facts = [("Slopes with a posterior", many)]
    small = shown[p_below(shown, P_CUT)]
    if len(small):
        facts.append((f"Published with p < {P_CUT}", _small(small)))
    return facts


def _small(small: pd.DataFrame) -> str:
    alone = int((small["sign"] >= _SURE).sum())
    pooled = small["sign_structures_low"].notna()
    low, high = (int((small.loc[pooled, f"sign_structures_{end}"] >= _SURE).sum()) for end in ("low", "high"))
    some = f"{low}" if low == high else f"{low} to {high}"
    together = (
        f" Of the {pooled.sum()} among them that can be shrunk together with other structures, it is in {some}, "
        "whatever correlation of the errors is assumed."
        if low == high
        else f" Of the {pooled.sum()} among them that can be shrunk together with other structures, it is in {some}, "
        "depending on the correlation of the errors that is assumed and that nobody published."
    )
    shrunk = small["shrinkage"].median()
    return (
        f"{counted(len(small), 'slope', 'slopes')} (the same result printed in two places counts twice). Taken alone, "
        f"and thinking beforehand that slopes beyond {2 * BASE:g} SD per SD are unlikely, the sign is at least "
        f"{_SURE:.0%} probable in {alone}."
        f"{together if pooled.any() else ''} Half of them are drawn back by {100 * shrunk:.0f}% or more. If "
        f"the posteriors are right, studies like these that find p < {P_CUT} print slopes too large by a factor of "
        f"{number(small['type_m'].median())} (median)."
    )
