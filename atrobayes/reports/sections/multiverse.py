"""Forks: the same data under other choices, and which choice moves an answer."""

from __future__ import annotations

from functools import partial

import pandas as pd

from atrobayes.reports.contrast import P_CUT, PD_CUT
from atrobayes.reports.fork_summary import BASE, SIDES, TOGETHER, axes_of, axis_shares, fork_shares
from atrobayes.reports.fork_tables import axes_table, moves_table, pooled_shares, shares_table, skipped_table
from atrobayes.reports.fork_words import SIDES as SAID
from atrobayes.reports.fork_words import axis_name, share_cell
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, build
from atrobayes.reports.specification import effect_words, specification
from atrobayes.reports.wording import analysis_title, counted, listed, slug

_COMMAND = "`atrobayes sensitivity STUDY.toml`"


def make(results: Results) -> Section:
    """One part per analysis: its specification curve, shares of forks and what moves the answers."""
    sensitivity, forks = results.look("sensitivity"), results.look("forks")
    title = "Other choices, same data"
    if sensitivity is None or forks is None or not len(sensitivity):
        return Section("multiverse", title, "not_applicable", (f"No other choices were tried; {_COMMAND} tries them.",))
    parts = tuple(
        build(
            partial(_part, str(name), sensitivity, forks), results, slug("multiverse", name), analysis_title(str(name))
        )
        for name in sensitivity["analysis"].unique()
    )
    failed = any(part.status == "failed" for part in parts)
    return Section("multiverse", title, "warning" if failed else "ok", _reading(fork_cut(results)), parts=parts)


def fork_cut(results: Results) -> float:
    """Pd a fork must exceed to be clear: as in the rule of verdicts.tsv, where there is one."""
    told = results.look("verdicts")
    return PD_CUT if told is None or not len(told) else float(told["fork_pd"].iloc[0])


def _reading(cut: float) -> tuple[str, ...]:
    return (
        "A fork is one way to analyse the same data: which prior, which outcome, what becomes of large lesion counts. "
        "Each was fitted for every structure, by Bayes and classically. If an answer holds whichever way is taken, it "
        "does not hang on a choice that others would have made differently.",
        "A summary over forks is not a posterior: forks are neither drawn at random nor equally sensible, they share "
        "their data, and which of them there are was decided by whoever listed them. A share of forks is a count and "
        "no probability, and nothing here says which fork is right.",
        "Same sign: forks whose estimate has the sign found with the study's own choices by the same method. Clear: "
        f"with that sign and pd > {cut:g}, or p < {P_CUT}. Forks in which the data say nothing of a term, or whose fit "
        "did not pass its checks, are counted apart and are in no share. Forks that differ in prior, errors or pooling "
        "alone have the same classical answer, which counts once; so there are fewer classical forks. In pooled "
        "forks only structures of which none contains another have an answer.",
        "Variance shares: how much of the variance of an effect over forks goes with each choice (mean increase of R² "
        "of the main effects over all orders of the choices; in a balanced design the share of each main effect). They "
        "add up to 100% with the part that only combinations explain. They describe these forks: a choice tried in "
        "more forks, or more extreme, has a larger share. Furthest move: the one choice that, changed alone, moves the "
        "effect furthest.",
    )


def _part(analysis: str, sensitivity: pd.DataFrame, forks: pd.DataFrame, results: Results) -> Section:
    own = sensitivity[sensitivity["analysis"] == analysis]
    listed_forks = forks[forks["analysis"] == analysis]
    cut = fork_cut(results)
    shares, moved = fork_shares(own, cut), axis_shares(own)
    pooled = pooled_shares(moved)
    figure = specification(own, analysis, results.groups, cut)
    said = (_counts(listed_forks), _agreement(shares, own, cut), _movers(pooled))
    tables = [
        shares_table(analysis, shares, results.groups, effect_words(own), cut),
        *axes_table(analysis, pooled, results.groups),
        *moves_table(analysis, moved, results.groups),
        *skipped_table(analysis, listed_forks),
    ]
    return Section(
        slug("multiverse", analysis),
        analysis_title(analysis),
        "ok",
        tuple(filter(None, said)),
        tuple(tables),
        () if figure is None else (figure,),
    )


def _counts(forks: pd.DataFrame) -> str:
    fitted, skipped = forks[forks["status"] == "fitted"], forks[forks["status"] != "fitted"]
    varied = [axis_name(name) for name in axes_of(fitted) if len(fitted[name].unique()) > 1]
    rest = (
        f" {len(skipped)} more could not be fitted or have no meaning here, see the last table." if len(skipped) else ""
    )
    return f"{counted(len(fitted), 'fork')} fitted, over {counted(len(varied), 'choice')}: {listed(varied)}.{rest}"


def _agreement(shares: pd.DataFrame, own: pd.DataFrame, cut: float) -> str:
    """How many results keep their sign everywhere, and what becomes of those that are clear to begin with."""
    bayes = shares[(shares["method"] == "bayes") & shares["share_sign"].notna()]
    if not len(bayes):
        return ""
    everywhere = int((bayes["share_sign"] == 1).sum())
    clear = bayes[_clear(bayes, own, cut)]
    first = f"Of {counted(len(bayes), 'result')}, {everywhere} have the same Bayesian sign in every fork."
    if not len(clear):
        return f"{first} None has pd > {cut:g} with the study's own choices."
    low, high = share_cell(clear["share_pd"].min()), share_cell(clear["share_pd"].max())
    held = low if low == high else f"{low} to {high}"
    return (
        f"{first} {len(clear)} {'has' if len(clear) == 1 else 'have'} pd > {cut:g} with the study's own choices; in "
        f"{'this one' if len(clear) == 1 else 'these'}, {held} of forks are clear too."
    )


def _clear(bayes: pd.DataFrame, own: pd.DataFrame, cut: float) -> pd.Series:
    """Which results are clear with the study's own choices."""
    base = own[(own["fork"] == BASE) & (own["pd"] > cut) & own["method"].str.startswith("bayes")]
    keys = set(zip(base["structure"], base["term"], strict=True))
    found = [key in keys for key in zip(bayes["structure"], bayes["term"], strict=True)]
    return pd.Series(found, index=bayes.index, dtype=bool)


def _movers(pooled: pd.DataFrame) -> str:
    """The two choices with the largest shares over all terms, by method."""
    told = []
    for side in SIDES:
        own = pooled[(pooled["method"] == side) & (pooled["axis"] != TOGETHER)]
        parts = own.groupby("axis", sort=False)["part"].sum().sort_values(ascending=False, kind="stable")
        total = pooled.loc[pooled["method"] == side, "part"].sum()
        if total > 0 and len(parts):
            named = [
                f"{axis_name(str(axis))} ({share_cell(round(part / total, 2))})" for axis, part in parts.head(2).items()
            ]
            told.append(f"{SAID[side]}: {listed(named)}")
    first = "Most of the variance over forks, all structures and terms together, goes with these choices."
    return f"{first} {'; '.join(told)}." if told else ""
