"""Tables on forks: shares of forks, variance shares, furthest moves, forks that were not fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from atrobayes.reports.contrast import P_CUT
from atrobayes.reports.fork_summary import SIDES, TOGETHER
from atrobayes.reports.fork_words import SIDES as SAID
from atrobayes.reports.fork_words import axis_name, fork_name, level_name, share_cell
from atrobayes.reports.results import each_row
from atrobayes.reports.section import Table
from atrobayes.reports.wording import analysis_title, fixed, slug, structure_name, term_label


def pooled_shares(moved: pd.DataFrame) -> pd.DataFrame:
    """Shares by term, method and axis over all structures: variances, all in SDs, are added up."""
    known = moved[moved["share"].notna()]
    parts = known.assign(part=known["share"] * known["variance"])
    sums = parts.groupby(["term", "method", "axis"], sort=False)["part"].sum().reset_index()
    return sums.assign(share=sums["part"] / sums.groupby(["term", "method"])["part"].transform("sum"))


def _names(structure: str, term: str, groups: tuple[str, ...]) -> dict[str, str]:
    return {"Structure": structure_name(structure), "Term": term_label(term, groups)}


def shares_table(analysis: str, shares: pd.DataFrame, groups: tuple[str, ...], effect: str, cut: float) -> Table:
    """Tabulate the shares of forks, Bayesian and classical side by side.

    Parameters
    ----------
    analysis : str
    shares : DataFrame
        As `fork_summary.fork_shares`, of this analysis.
    groups : tuple of str
        Group labels in the order of the study.
    effect : str
        What an effect is measured in.
    cut : float
        The pd a fork must exceed to be clear.
    """
    by_result = shares.set_index(["structure", "term"])
    results = by_result.index.unique()
    sides: dict[str, dict[Any, Any]] = {
        side: by_result[by_result["method"] == side].reindex(results).to_dict("index") for side in SIDES
    }
    rows = []
    for structure, term in results:
        cells = _names(structure, term, groups)
        for side, clear, column in (("bayes", f"pd > {cut:g}", "share_pd"), ("classical", f"p < {P_CUT}", "share_p")):
            own = sides[side][structure, term]
            cells |= {
                f"{SAID[side]}: forks": _forks(own),
                f"{SAID[side]}: effect": _spread(own),
                f"{SAID[side]}: same sign": share_cell(own["share_sign"]),
                f"{SAID[side]}: {clear}": share_cell(own[column]),
                f"{SAID[side]}: clear, other sign": share_cell(own["share_against"]),
            }
        rows.append(cells)
    caption = f"{analysis_title(analysis)}: forks that say what the study's own choices say."
    details = (
        f"Effect with the study's own choices, in brackets least and greatest over forks, in {effect}. Forks: those "
        "that answer; + those that were fitted but do not."
    )
    return Table(slug("fork-shares", analysis), pd.DataFrame(rows), caption, "sensitivity.tsv", details, folded=True)


def _forks(own: Mapping[str, Any]) -> str:
    if pd.isna(own["n_forks"]):
        return "0"
    return f"{own['n_forks']:.0f}" + (f" + {own['n_unanswered']:.0f}" if own["n_unanswered"] else "")


def _spread(own: Mapping[str, Any]) -> str:
    if pd.isna(own["effect_base"]):
        return "n/a"
    return f"{fixed(own['effect_base'], 3)} ({fixed(own['effect_low'], 3)} to {fixed(own['effect_high'], 3)})"


def axes_table(analysis: str, pooled: pd.DataFrame, groups: tuple[str, ...]) -> list[Table]:
    """Tabulate `pooled_shares`, a row per choice; no table where no choice varies."""
    if not len(pooled):
        return []
    wide = pooled.pivot_table(index="axis", columns=["term", "method"], values="share", sort=False)
    order = [axis for axis in wide.index if axis != TOGETHER] + [axis for axis in wide.index if axis == TOGETHER]
    cells = {"Choice": [axis_name(str(axis)) for axis in order]}
    for term in pooled["term"].unique():
        for side in SIDES:
            if (term, side) in wide:
                shares = wide[term, side].reindex(order)
                cells[f"{term_label(str(term), groups)}: {SAID[side]}"] = [
                    "n/a" if pd.isna(share) else f"{max(0.0, 100 * share):.0f}%" for share in shares
                ]
    caption = f"{analysis_title(analysis)}: share of the variance over forks that goes with each choice."
    details = (
        "All structures together: their variances, in SDs of the outcome, are added up. n/a: the choice does not vary "
        "over the forks that answer, or cannot change a classical answer."
    )
    return [Table(slug("fork-axes", analysis), pd.DataFrame(cells), caption, "", details)]


def moves_table(analysis: str, moved: pd.DataFrame, groups: tuple[str, ...]) -> list[Table]:
    """Tabulate the furthest move of every result of `fork_summary.axis_shares`; no table where there is none."""
    alone = moved[moved["move"].notna()]
    if not len(alone):
        return []
    furthest = alone.assign(far=alone["move"].abs()).sort_values("far", ascending=False, kind="stable")
    best = {(row.structure, row.term, row.method): row for row in reversed([*each_row(furthest)])}
    rows = []
    for one in each_row(moved.drop_duplicates(["structure", "term"])):
        cells = _names(one.structure, one.term, groups)
        for side in SIDES:
            own = best.get((one.structure, one.term, side))
            cells[f"{SAID[side]}: choice"] = "n/a" if own is None else _choice(own.axis, own.level)
            cells[f"{SAID[side]}: move (SD)"] = "n/a" if own is None else fixed(own.move, 3)
        rows.append(cells)
    caption = f"{analysis_title(analysis)}: the choice that, changed alone, moves each effect furthest."
    details = "Move: effect with that choice less the effect with the study's own choices, in SDs of the outcome."
    return [Table(slug("fork-moves", analysis), pd.DataFrame(rows), caption, "sensitivity.tsv", details, folded=True)]


def _choice(axis: str, level: str) -> str:
    return f"{axis_name(axis)}: {level_name(axis, level)}"


def skipped_table(analysis: str, forks: pd.DataFrame) -> list[Table]:
    """Tabulate the forks that were not fitted, with reasons; no table where all were."""
    skipped = forks[forks["status"] != "fitted"]
    if not len(skipped):
        return []
    cells = {"Fork": skipped["fork"].map(fork_name).tolist(), "Why it was not fitted": skipped["reason"].tolist()}
    caption = f"{analysis_title(analysis)}: forks that were not fitted."
    return [Table(slug("forks-skipped", analysis), pd.DataFrame(cells), caption, "forks.tsv", folded=True)]
