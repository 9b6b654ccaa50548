"""Summaries over forks: how many agree with the study's own choices, and which choice moves an answer most."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from atrobayes.reports.contrast import KEY, P_CUT, PD_CUT

BASE = "base"
SIDES = ("bayes", "classical")
TOGETHER = "together"  # stands where an axis stands: what no axis explains alone
# forks that differ in nothing else have one and the same classical fit
_BAYESIAN_AXES = frozenset({"axis_prior", "axis_likelihood", "axis_pooling"})
_NO_ANSWER = r"\b(?:prior_only|gate_failed)\b"


def axes_of(table: pd.DataFrame) -> list[str]:
    """Columns of a table that hold the choice made on an axis: axis_prior, axis_outliers and so on."""
    return [str(name) for name in table.columns if str(name).startswith("axis_")]


def answers(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Classical and Bayesian answer of every fork.

    Parameters
    ----------
    sensitivity : DataFrame
        As sensitivity.tsv.

    Returns
    -------
    DataFrame
        Its rows, at most one per fork, analysis, structure, term and side, with two columns more: `side`
        ("classical": the headline classical method; "bayes": the first Bayesian row of the fork, whatever its
        likelihood) and `answered`. A Bayesian row answers if its effect and pd are finite, the term is not
        `prior_only` (its group's data say nothing in this fork, the row shows the prior and the other groups) and its
        fit passed its gate; a classical one if its effect and p are finite. Forks that differ only in prior,
        likelihood or pooling share their classical fit, which stands once.
    """
    method = sensitivity["method"]
    one = ["fork", *KEY]
    bayes = sensitivity[method.str.startswith("bayes")].drop_duplicates(one)
    flagged = bayes["flags"].fillna("").str.contains(_NO_ANSWER)
    bayes = bayes.assign(side="bayes", answered=_finite(bayes, "pd") & ~flagged)
    classical = sensitivity[method == "classical"].drop_duplicates(one)
    classical = classical.assign(side="classical", answered=_finite(classical, "p"))
    different = [name for name in axes_of(sensitivity) if name not in _BAYESIAN_AXES]
    # the base stands for those that differ from it in the prior only, wherever it stands in the table
    order = (classical["fork"] != BASE).sort_values(kind="stable").index
    kept = classical.loc[order].drop_duplicates([*KEY, *different]).index
    return pd.concat([bayes, classical.loc[classical.index.isin(kept)]], ignore_index=True)


def fork_shares(sensitivity: pd.DataFrame, fork_pd: float = PD_CUT, p_cut: float = P_CUT) -> pd.DataFrame:
    """Count the forks that say what the study's own choices say.

    Parameters
    ----------
    sensitivity : DataFrame
        As sensitivity.tsv.
    fork_pd, p_cut : float
        A fork is clear where pd > `fork_pd`, or p < `p_cut`.

    Returns
    -------
    DataFrame
        One row per analysis, structure, term and method ("bayes", "classical"): n_forks (that answer, the base among
        them), n_unanswered (fitted, but without an answer, see `answers`; in no share), share_sign (with the sign of
        the base's estimate by the same method), share_pd (that sign and pd > `fork_pd`; NaN for classical), share_p
        (that sign and p < `p_cut`; NaN for Bayesian), share_against (clear with the other sign), effect_base,
        effect_low, effect_high (at the base, least and greatest over forks; effect of u lesions in SDs of the
        outcome). Shares are NaN where the base has no answer.
    """
    rows = answers(sensitivity)
    by = [*KEY, "side"]
    base = rows.loc[(rows["fork"] == BASE) & rows["answered"], [*by, "effect"]].rename(columns={"effect": "base"})
    rows = rows.merge(base, on=by, how="left", validate="many_to_one")
    counted = tally(rows, np.sign(rows["base"]), by, fork_pd, p_cut)
    spread = rows[rows["answered"]].groupby(by, sort=False)["effect"].agg(effect_low="min", effect_high="max")
    effects = base.set_index(by)["base"].rename("effect_base")
    table = counted.join([effects, spread]).reset_index().rename(columns={"side": "method"})
    bayes = table["method"] == "bayes"
    table = table.assign(share_pd=table["share_clear"].where(bayes), share_p=table["share_clear"].where(~bayes))
    shares = ["share_sign", "share_pd", "share_p", "share_against"]
    return table[
        [*KEY, "method", "n_forks", "n_unanswered", *shares, "effect_base", "effect_low", "effect_high"]
    ].sort_values([*KEY], key=_places(sensitivity), kind="stable", ignore_index=True)


def tally(rows: pd.DataFrame, sign: pd.Series, by: list[str], fork_pd: float, p_cut: float = P_CUT) -> pd.DataFrame:
    """Count forks by sign and by whether they are clear.

    Parameters
    ----------
    rows : DataFrame
        As `answers`.
    sign : Series
        For each row the sign it is compared with: 1, -1, or NaN where there is none.
    by : list of str
        Columns that tell the results apart.
    fork_pd, p_cut : float
        A Bayesian row is clear where pd > `fork_pd`, a classical one where p < `p_cut`.

    Returns
    -------
    DataFrame
        By `by`: n_forks, n_unanswered, share_sign, share_clear (with that sign), share_against (with the other one).
    """
    answered = rows["answered"]
    clear = np.where(rows["side"] == "bayes", rows["pd"] > fork_pd, rows["p"] < p_cut) & answered
    product = np.sign(rows["effect"]) * sign
    marked = rows[by].assign(
        n_forks=answered.astype(float),
        n_unanswered=(~answered).astype(float),
        same=((product > 0) & answered).astype(float),
        clear=((product > 0) & clear).astype(float),
        against=((product < 0) & clear).astype(float),
        known=sign.notna(),
    )
    grouped = marked.groupby(by, sort=False)
    sums = grouped[["n_forks", "n_unanswered", "same", "clear", "against"]].sum()
    of = sums["n_forks"].where(grouped["known"].all() & (sums["n_forks"] > 0))
    shares = {"share_sign": "same", "share_clear": "clear", "share_against": "against"}
    return sums[["n_forks", "n_unanswered"]].assign(**{name: sums[part] / of for name, part in shares.items()})


def axis_shares(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Say which choice moves an answer most.

    Parameters
    ----------
    sensitivity : DataFrame
        As sensitivity.tsv.

    Returns
    -------
    DataFrame
        One row per analysis, structure, term, method ("bayes", "classical") and axis (without "axis_") that varies
        over the forks that answer, then one with axis `TOGETHER`: n_forks, levels (tried), share (of the variance of
        the effect over forks), variance (of the effect over forks, the same for all axes of a result), level and move:
        the choice that, alone changed, moves the effect furthest from the base, and by how much in SDs of the
        outcome ("" and NaN where no fork changes the axis alone). Shares of one result add up to 1; they are NaN where
        all forks give the same effect.

    Notes
    -----
    Forks are no balanced design: one choice at a time, some in pairs. Sums of squares of type I then hang on the order
    of the axes, and those of types II and III do not add up. So R² of the least-squares model with the main effects of
    all axes is shared out as its mean increase over all orders in which the axes can enter (Lindeman, Merenda and
    Gold; Grömping 2006, doi:10.18637/jss.v017.i01). In a balanced design that is the classical share of each main
    effect. `TOGETHER` is 1 - R²: choices whose combination does what neither does alone. Axes that always change
    together share equally. The shares describe these forks: an axis varied in more forks, or further, has more of them.
    """
    rows = answers(sensitivity)
    rows = rows[rows["answered"]]
    parts = [
        _axis_shares(own, str(analysis), str(side)) for (analysis, side), own in rows.groupby(["analysis", "side"])
    ]
    numbers = ["n_forks", "levels", "share", "variance", "level", "move"]
    columns = [*KEY, "method", "axis", *numbers]
    table = pd.DataFrame([row for part in parts for row in part], columns=columns)
    return table.sort_values([*KEY], key=_places(sensitivity), kind="stable", ignore_index=True)


def _axis_shares(rows: pd.DataFrame, analysis: str, side: str) -> list[dict[str, object]]:
    """Results whose forks are the same are decomposed together."""
    effects = rows.pivot_table(index="fork", columns=["structure", "term"], values="effect", sort=False)
    choices = rows.drop_duplicates("fork").set_index("fork")[axes_of(rows)].loc[effects.index].fillna("")
    told: list[dict[str, object]] = []
    present = effects.notna()
    for pattern in present.T.drop_duplicates().to_numpy():
        same = (present.to_numpy() == pattern[:, None]).all(axis=0)
        own = effects.loc[pattern, same]
        tried = choices[pattern]
        tried = tried[[name for name in axes_of(tried) if len(tried[name].unique()) > 1]]
        table = _decomposed(tried, own.to_numpy())
        for place, (structure, term) in enumerate(own.columns):
            shared = {"analysis": analysis, "structure": structure, "term": term, "method": side}
            told += [shared | row for row in table[place]]
    return told


def _decomposed(choices: pd.DataFrame, effects: np.ndarray) -> list[list[dict[str, object]]]:
    """Rows of every result: an axis each, then what they do together."""
    shares = explained(choices, effects)
    furthest = [_furthest(choices, effects, axis) for axis in axes_of(choices)]
    levels = [float(len(choices[axis].unique())) for axis in axes_of(choices)]
    results = []
    for place, own in enumerate(effects.T):
        shared = {"n_forks": float(len(own)), "variance": float(np.var(own))}
        rows: list[dict[str, object]] = [
            shared
            | {"axis": axis.removeprefix("axis_"), "levels": tried, "share": float(shares[row, place])}
            | dict(zip(("level", "move"), furthest[row][place], strict=True))
            for row, (axis, tried) in enumerate(zip(axes_of(choices), levels, strict=True))
        ]
        rest = 1 - float(shares[:, place].sum()) if len(shares) else math.nan
        together = {"axis": TOGETHER, "levels": math.nan, "share": rest, "level": "", "move": math.nan}
        results.append([*rows, shared | together])
    return results


def _furthest(choices: pd.DataFrame, effects: np.ndarray, axis: str) -> list[tuple[str, float]]:
    """For every result the level that, changed alone, moves it furthest from the base, and how far."""
    nowhere = [("", math.nan)] * effects.shape[1]
    if BASE not in choices.index:
        return nowhere
    differs = (choices != choices.loc[BASE]).to_numpy()
    alone = np.flatnonzero(differs[:, choices.columns.get_loc(axis)] & (differs.sum(axis=1) == 1))
    if not len(alone):
        return nowhere
    moves = effects[alone] - effects[choices.index.get_loc(BASE)]
    best = np.abs(moves).argmax(axis=0)
    levels = choices[axis].to_numpy()[alone]
    return [(str(levels[row]), float(moves[row, place])) for place, row in enumerate(best)]


def explained(choices: pd.DataFrame, effects: np.ndarray) -> np.ndarray:
    """Share out R² of the main effects: each axis's mean increase over all orders of entering.

    Parameters
    ----------
    choices : DataFrame
        Forks as rows, axes as columns, the level chosen in each cell.
    effects : ndarray (fork, result)

    Returns
    -------
    ndarray (axis, result)
        Columns add up to R²; NaN where a result's effects are all alike.
    """
    deviations = effects - effects.mean(axis=0)
    total = (deviations**2).sum(axis=0)
    total = np.where(total > 1e-20 * len(effects), total, np.nan)  # else nothing but rounding
    blocks = [pd.get_dummies(choices[name], drop_first=True, dtype=float) for name in choices]
    owner = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    if not blocks:
        return np.empty((0, effects.shape[1]))
    design = np.hstack(blocks)
    design = design - design.mean(axis=0)
    reached = _explained_by_subsets(design.T @ design, design.T @ deviations, owner, len(blocks))
    return _mean_increase(reached, len(blocks)) / total


def _explained_by_subsets(gram: np.ndarray, cross: np.ndarray, owner: np.ndarray, axes: int) -> np.ndarray:
    """(subset, result): sum of squares explained by every subset of axes, a bit each."""
    reached = np.zeros((2**axes, cross.shape[1]))
    for subset in range(1, 2**axes):
        inside = (subset >> owner) & 1 == 1
        part = cross[inside]
        # axes that always change together leave the design short of rank
        solved = np.linalg.pinv(gram[np.ix_(inside, inside)], rcond=1e-10, hermitian=True) @ part
        reached[subset] = (part * solved).sum(axis=0)
    return reached


def _mean_increase(reached: np.ndarray, axes: int) -> np.ndarray:
    subsets = np.arange(2**axes)
    size = np.bitwise_count(subsets)
    weight = np.array([1 / (axes * math.comb(axes - 1, k)) for k in range(axes)])
    means = []
    for axis in range(axes):
        without = subsets[(subsets >> axis) & 1 == 0]
        increase = reached[without | (1 << axis)] - reached[without]
        means.append(weight[size[without]] @ increase)
    return np.array(means)


def _places(table: pd.DataFrame) -> Callable[[pd.Series], pd.Series]:
    """Sort key: the order in which names first stand in a table."""
    order = {name: {value: place for place, value in enumerate(table[name].unique())} for name in KEY}
    return lambda column: column.map(order[str(column.name)])


def _finite(rows: pd.DataFrame, name: str) -> pd.Series:
    return pd.Series(np.isfinite(rows["effect"]) & np.isfinite(rows[name]), index=rows.index)
