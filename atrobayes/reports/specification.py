"""The specification curve of an analysis: every result small, the clearest one in full."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.reports.contrast import P_CUT
from atrobayes.reports.figures.specification import MOST_DRAWN, SpecificationWords, specification_svg
from atrobayes.reports.fork_summary import BASE, answers, axes_of
from atrobayes.reports.fork_words import SIDES, axis_name, level_name, level_place
from atrobayes.reports.section import Figure
from atrobayes.reports.wording import (
    analysis_title,
    fixed,
    level,
    probability,
    slug,
    structure_name,
    term_label,
    unit_parts,
)


def clearest(rows: pd.DataFrame) -> tuple[str, str] | None:
    """Structure and term whose pd is greatest with the study's own choices; None where no result has a pd.

    Parameters
    ----------
    rows : DataFrame
        As `fork_summary.answers`, of one analysis.
    """
    base = rows[(rows["fork"] == BASE) & (rows["side"] == "bayes") & rows["answered"]]
    if not len(base):
        return None
    first = base.sort_values("pd", ascending=False, kind="stable").iloc[0]
    return str(first["structure"]), str(first["term"])


def specification(sensitivity: pd.DataFrame, analysis: str, groups: tuple[str, ...], fork_pd: float) -> Figure | None:
    """Draw the specification curve of an analysis.

    Parameters
    ----------
    sensitivity : DataFrame
        As sensitivity.tsv.
    analysis : str
    groups : tuple of str
        Group labels in the order of the study.
    fork_pd : float
        A Bayesian answer is clear where its pd exceeds this.

    Returns
    -------
    Figure or None
        None where no result has an answer with the study's own choices.
    """
    raw = sensitivity[sensitivity["analysis"] == analysis]
    rows = answers(raw)
    shown = clearest(rows)
    if shown is None:
        return None
    places = _places(rows, *shown)
    curve = _curve(raw, places, *shown, fork_pd)
    words = _words(rows, curve, analysis, shown, groups, len(places))
    spread = rows[rows["answered"]].assign(base=rows["fork"] == BASE)
    name = slug("specification", analysis)
    drawn = specification_svg(name, spread, curve, _matrix(raw, places), words)
    return Figure(name, drawn, words.alt, _caption(rows, curve, analysis, shown, groups, fork_pd, len(places)))


def _places(rows: pd.DataFrame, structure: str, term: str) -> pd.Series:
    """Place of every drawn fork from the left, by its Bayesian effect."""
    own = rows[_of(rows, structure, term) & (rows["side"] == "bayes") & rows["answered"]]
    forks = own.sort_values("effect", kind="stable")["fork"].reset_index(drop=True)
    if len(forks) > MOST_DRAWN:
        kept = np.unique(np.linspace(0, len(forks) - 1, MOST_DRAWN).round().astype(int))
        forks = forks[sorted({*kept.tolist(), int(np.flatnonzero(forks == BASE)[0])})].reset_index(drop=True)
    return pd.Series(forks.index, index=forks.to_numpy())


def _curve(raw: pd.DataFrame, places: pd.Series, structure: str, term: str, fork_pd: float) -> pd.DataFrame:
    """Both answers of every drawn fork; of the classical ones also those that several forks share."""
    own = raw[_of(raw, structure, term) & raw["fork"].isin(places.index)]
    bayes = own[own["method"].str.startswith("bayes")].drop_duplicates("fork").assign(side="bayes")
    classical = own[own["method"] == "classical"].drop_duplicates("fork").assign(side="classical")
    both = pd.concat([bayes, classical[np.isfinite(classical["effect"])]], ignore_index=True)
    clear = np.where(both["side"] == "bayes", both["pd"] > fork_pd, both["p"] < P_CUT)
    return both.assign(place=both["fork"].map(places).astype(float), clear=clear, base=both["fork"] == BASE)


def _matrix(raw: pd.DataFrame, places: pd.Series) -> pd.DataFrame:
    """What every drawn fork chose, axis by axis: the study's own choice first, then as the axis lists them."""
    choices = raw.drop_duplicates("fork").set_index("fork").loc[places.index, axes_of(raw)].fillna("")
    parts = []
    for axis in choices:
        chosen = choices[axis]
        if len(chosen.unique()) > 1:
            names = [level_name(str(axis), str(value)) for value in chosen]
            base = (chosen == chosen[BASE]).to_numpy()
            rank = np.where(base, -1, [level_place(str(axis), str(value)) for value in chosen])
            part = pd.DataFrame(
                {"axis": axis_name(str(axis)), "level": names, "place": places.to_numpy(), "base": base}
            )
            parts.append(part.iloc[np.argsort(rank, kind="stable")])
    columns = ["axis", "level", "place", "base"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _of(rows: pd.DataFrame, structure: str, term: str) -> pd.Series:
    return (rows["structure"] == structure) & (rows["term"] == term)


def _words(
    rows: pd.DataFrame, curve: pd.DataFrame, analysis: str, shown: tuple[str, str], groups: tuple[str, ...], drawn: int
) -> SpecificationWords:
    panels = {str(term): term_label(str(term), groups) for term in rows["term"].unique()}
    structures = {str(name): structure_name(str(name)) for name in rows["structure"].unique()}
    named = f"{structure_name(shown[0])}, {term_label(shown[1], groups)}"
    present = [side for side in SIDES if (curve["side"] == side).any()]
    kinds = {"bayes": "posterior interval", "classical": "confidence interval"}
    series = {
        side: f"{SIDES[side]} estimate, {level(curve[curve['side'] == side])} {kinds[side]}".replace("  ", " ")
        for side in present
    }
    low, high = (curve.loc[curve["side"] == "bayes", "effect"].agg(end) for end in ("min", "max"))
    alt = (
        f"Specification curve of {analysis_title(analysis)}: {len(structures)} structures above; below, {drawn} forks "
        f"of {named}, whose Bayesian effects lie between {fixed(low, 2)} and {fixed(high, 2)} SD. The "
        "shares of forks are in the tables below."
    )
    return SpecificationWords(
        panels, structures, f"{named}: every fork, by its Bayesian effect", effect_words(rows), series, alt
    )


def effect_words(rows: pd.DataFrame) -> str:
    """What an effect of one analysis is measured in: "SDs of the fork's outcome, 3 new T2 lesions against none".

    Parameters
    ----------
    rows : DataFrame
        Rows of sensitivity.tsv of one analysis; u and unit are those of the base.
    """
    slopes = rows[(rows["fork"] == BASE) & rows["term"].str.startswith(("slope", "interaction"))]
    if not len(slopes):
        return "SDs of the fork's outcome, rows with the state against rows without"
    first = slopes.iloc[0]
    per = unit_parts(str(first["unit"]))[1] or "unit of the predictor"
    size = "1 " if first["u"] == 1 else f"{first['u']:.3g} "
    return f"SDs of the fork's outcome, {size}{per}{'' if first['u'] == 1 else 's'} against none"


def _caption(
    rows: pd.DataFrame,
    curve: pd.DataFrame,
    analysis: str,
    shown: tuple[str, str],
    groups: tuple[str, ...],
    fork_pd: float,
    drawn: int,
) -> str:
    base = curve[curve["base"] & (curve["side"] == "bayes")]["pd"].iloc[0]
    answered = rows[_of(rows, *shown) & (rows["side"] == "bayes") & rows["answered"]]["fork"].nunique()
    every = "Every fork stands" if drawn == answered else f"{drawn} of {answered} forks, evenly spaced, stand"
    named = f"{structure_name(shown[0])}, {term_label(shown[1], groups)}"
    return (
        f"{analysis_title(analysis)}. Above: the effect found in each fork (ticks) and with the study's own choices "
        f"(dots), in {effect_words(rows)}; Bayesian in blue, classical in grey. Below, in full: {named}, shown "
        f"because its pd with the study's own choices, {probability(base)}, is the greatest of this analysis, so "
        f"other results are less clear than this one. {every} from left to right by its Bayesian effect; the dots "
        f"under it are its choices. Filled: clear (pd > {fork_pd:g}, classical p < {P_CUT}). The order says nothing "
        "of which fork is right, and the curve is no posterior."
    )
