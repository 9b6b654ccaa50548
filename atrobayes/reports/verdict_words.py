"""What came out, in words: verdicts, chance, and how near the disagreements are."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT
from atrobayes.reports.flags import singular_in_words
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.wording import (
    VERDICT_WORDS,
    analysis_title,
    listed,
    number,
    p_cell,
    probability,
    structure_name,
    term_label,
)

SAID = {
    "both_clear": f"clear by both (p < {P_CUT} and pd > {PD_CUT}, same direction)",
    "classical_only": f"classical only (p < {P_CUT} but pd ≤ {PD_CUT})",
    "bayes_only": f"Bayesian only (pd > {PD_CUT} but p ≥ {P_CUT})",
    "neither": "clear by neither",
    "opposite_sign": "clear by both but with opposite signs",
}
UNSUPPORTED = ("classical_only", "opposite_sign")
_RARE = "opposite_sign"  # named only where it occurs
_UNCOMPARED = "not_tested"
_MOST = 4  # rows named per analysis
_NEAR = 0.95  # with a flat prior, the pd of p = 0.1


def verdicts_in_words(rows: pd.DataFrame) -> str:
    """Count the verdicts of the rows of `contrast`; those without a verdict are counted apart."""
    tally = rows["verdict"].value_counts()
    total = len(rows) - int(tally.get(_UNCOMPARED, 0))
    parts = [
        f"{tally.get(verdict, 0)} {words}" for verdict, words in SAID.items() if verdict in tally or verdict != _RARE
    ]
    apart = f" Without a verdict: {tally[_UNCOMPARED]}." if _UNCOMPARED in tally else ""
    return f"Of {total}: {listed(parts)}.{apart} The cut-offs are conventions, not laws."


def verdicts_by_analysis(rows: pd.DataFrame) -> pd.DataFrame:
    """Tabulate verdicts and chance by analysis: text cells, with a last row for all together.

    Parameters
    ----------
    rows : DataFrame
        Rows of `contrast`.
    """
    parts = [(analysis_title(str(name)), own) for name, own in rows.groupby("analysis", sort=False)]
    if len(parts) > 1:
        parts.append(("All", rows))
    return pd.DataFrame([{"Analysis": title} | _counts(own, rows) for title, own in parts])


def _counts(own: pd.DataFrame, rows: pd.DataFrame) -> dict[str, str]:
    tally = own["verdict"].value_counts()
    present = [
        verdict
        for verdict in VERDICT_WORDS
        if verdict in SAID and (verdict != _RARE or (rows["verdict"] == _RARE).any())
    ]
    small = own[own["classical_p"] < P_CUT]
    tests = int(own["classical_p"].notna().sum())
    counts = {"Compared": len(own) - int(tally.get(_UNCOMPARED, 0))}
    counts |= {VERDICT_WORDS[verdict].capitalize(): int(tally.get(verdict, 0)) for verdict in present}
    shown = {name: str(count) for name, count in counts.items()}
    if not counts["Compared"]:
        shown = {name: text if name == "Compared" else "n/a" for name, text in shown.items()}
    if not tests:
        return shown | dict.fromkeys((f"p < {P_CUT}", "Expected by chance alone", f"q < {P_CUT}"), "n/a")
    return shown | {
        f"p < {P_CUT}": str(len(small)),
        "Expected by chance alone": number(P_CUT * tests, 2),
        f"q < {P_CUT}": str(int((small["classical_q_bh"] < P_CUT).sum())),
    }


def clear_in_words(rows: pd.DataFrame, groups: tuple[str, ...]) -> str:
    """Name the rows of `contrast` that are clear by both, smallest p first, with their sign and q; four an analysis.

    Parameters
    ----------
    rows : DataFrame
        Rows of `contrast`.
    groups : tuple of str
        Group labels in the order of the study.
    """
    clear = rows[rows["verdict"] == "both_clear"]
    told = []
    for analysis, own in clear.groupby("analysis", sort=False):
        names = [
            f"{structure_name(row.structure)}, {term_label(row.term, groups)} "
            f"({'−' if row.bayes_estimate < 0 else '+'}, q {p_cell(row.classical_q_bh)})"
            for row in each_row(own.sort_values("classical_p", kind="stable").head(_MOST))
        ]
        rest = f"; and {len(own) - _MOST} more" if len(own) > _MOST else ""
        told.append(f"{analysis_title(str(analysis))}: {'; '.join(names)}{rest}.")
    return " ".join([*told, "In brackets the sign of the slope or difference, and q." if told else "None."])


def chance_in_words(results: Results, rows: pd.DataFrame) -> str:
    """Say what many tests do to p.

    Parameters
    ----------
    results : Results
        For the flags of the fits.
    rows : DataFrame
        Rows of `contrast`.
    """
    p = rows["classical_p"].dropna()
    small = rows[rows["classical_p"] < P_CUT]
    corrected = int((small["classical_q_bh"] < P_CUT).sum())
    parts = [
        "Neither p nor pd is corrected for multiplicity.",
        f"Of {len(small)} p < {P_CUT}, {corrected} also {'has' if corrected == 1 else 'have'} q < {P_CUT} "
        "(Benjamini-Hochberg, over the structures of one analysis and term).",
        f"If no association existed at all, {len(p)} tests would give about {number(P_CUT * len(p), 2)} p < {P_CUT} by "
        "chance alone. Nothing tells which, and this expected number is not the count of 'classical only'.",
        singular_in_words(results),
        _by_kenward_roger(small),
    ]
    return " ".join(filter(None, parts))


def _by_kenward_roger(small: pd.DataFrame) -> str:
    mixed = small["classical_kr_p"].dropna()
    if not len(mixed):
        return ""
    kept = int((mixed < P_CUT).sum())
    return (
        f"Of the {len(mixed)} p < {P_CUT} from mixed models, {kept} are also < {P_CUT} by Kenward and Roger's method."
    )


def unsupported_in_words(rows: pd.DataFrame) -> str:
    """Say how far the posterior is from bearing out each small p, and why the two can differ.

    Parameters
    ----------
    rows : DataFrame
        The unsupported rows of `contrast`, with a column `singular`: whether the classical fit is.
    """
    if not len(rows):
        return "None."
    product = rows["classical_estimate"] * rows["bayes_estimate"]
    only, unknown = rows["verdict"] == "classical_only", rows["bayes_pd"].isna()
    same, other = rows[only & (product > 0) & ~unknown], rows[only & ~(product > 0) & ~unknown]
    opposite, none = int((~only).sum()), int((only & unknown).sum())
    parts = [
        f"{len(same)} with both estimates in the same direction, {_near(same['bayes_pd'])}" if len(same) else "",
        f"{len(other)} with the two estimates in opposite directions, {_near(other['bayes_pd'])}" if len(other) else "",
        f"{opposite} clear by both with opposite signs" if opposite else "",
        f"{none} without a pd" if none else "",
    ]
    return f"{'; '.join(filter(None, parts))}. {_why(same, rows)} Not borne out does not mean shown to be absent."


def _near(pd_values: pd.Series) -> str:
    low, high = float(pd_values.min()), float(pd_values.max())
    shown = dict.fromkeys([probability(low), probability(high)])
    where = "just under" if low >= _NEAR else "well below" if high < _NEAR else "below"
    return f"pd {' to '.join(shown)}, {where} the cut-off {PD_CUT}"


def _why(same: pd.DataFrame, rows: pd.DataFrame) -> str:
    drawn = 100 * (1 - same["bayes_estimate"] / same["classical_estimate"])
    shares = dict.fromkeys(f"{share:.0f}" for share in (drawn.min(), drawn.max()))
    size = f" (here by {' to '.join(shares)}%)" if len(drawn) and drawn.min() > 0 else ""
    patients = (
        ", and the patient variance is not fixed at 0 as in a singular classical fit" if rows["singular"].any() else ""
    )
    return f"p and pd can differ because the prior draws the estimate towards zero{size}{patients}."
