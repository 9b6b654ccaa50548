"""Forest plots of published slopes: as published, alone, and shrunk together with structures or groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atrobayes.models import student_t
from atrobayes.reports.contrast import P_CUT, PD_CUT
from atrobayes.reports.figures.drawing import BAYES, CLASSICAL
from atrobayes.reports.figures.forest import ForestWords, forest_svg
from atrobayes.reports.reanalysis_rows import at_base, p_below
from atrobayes.reports.section import Figure
from atrobayes.reports.wording import level, listed, structure_name

_GROUPS = "#d55e00"
_LIGHT, _DARK = np.array([0x94, 0xC6, 0xDE]), np.array([0x00, 0x4C, 0x4C])  # of correlations, from low to high


def published_forest(name: str, title: str, shown: pd.DataFrame, found: pd.DataFrame) -> Figure:
    """Draw the slopes of one source and analysis, a panel per group.

    Parameters
    ----------
    name, title : str
    shown : DataFrame
        Some rows of `shown_slopes`.
    found : DataFrame
        All rows of reanalysis.tsv.
    """
    rows = forest_rows(shown, found)
    words = _words(title, rows, shown)
    caption = (
        f"{title}. Horizontal axis: {words.axis}; below 0: less of the outcome with more of the predictor. Lines of a "
        "structure stand in the order of the legend. Filled marker: clear, by convention (published "
        f"p < {P_CUT}; probability of direction pd > {PD_CUT})."
    )
    return Figure(name, forest_svg(name, rows, words), words.alt, caption)


def forest_rows(shown: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Intervals to be drawn, in SDs of the outcome per SD of the predictor.

    Parameters
    ----------
    shown, found : DataFrame
        As `published_forest`.

    Returns
    -------
    DataFrame
        One row per slope and series; of a structure printed twice in one group the first.
    """
    shown = shown.drop_duplicates(["structure", "group"])
    keys = shown[["row", "likelihood"]]
    structures = at_base(found, "structures").merge(keys)
    parts = [_as_published(shown), shown.assign(method="alone")]
    parts += [own.assign(method=f"structures {rho:g}") for rho, own in structures.groupby("error_correlation")]
    parts.append(at_base(found, "groups").merge(keys).assign(method="groups"))
    rows = pd.concat(parts, ignore_index=True)
    numbers = {name: rows[name] / rows["scale"] for name in ("estimate", "ci_low", "ci_high")}
    return rows.assign(
        **numbers,
        term=[f"slope[{group}]" for group in rows["group"]],
        clear=np.where(rows["method"] == "published", p_below(rows, P_CUT), rows["pd"] > PD_CUT),
        flagged=False,
        verdict="",
        rope_low=np.nan,
        rope_high=np.nan,
    )


def _as_published(shown: pd.DataFrame) -> pd.DataFrame:
    half = shown["se"] * student_t.isf((1 - shown["ci_prob"].to_numpy()) / 2, shown["df"].fillna(np.inf).to_numpy())
    ends = {"ci_low": shown["published"] - half, "ci_high": shown["published"] + half}
    return shown.assign(method="published", estimate=shown["published"], **ends)


def _words(title: str, rows: pd.DataFrame, shown: pd.DataFrame) -> ForestWords:
    panels = {
        f"slope[{group}]": "all patients" if group == "ALL" else f"{group}" for group in rows["group"].drop_duplicates()
    }
    structures = {name: structure_name(name) for name in rows["structure"].drop_duplicates()}
    series = _series(rows)
    clear = rows[rows["clear"]].groupby("method").size()
    drawn = rows.groupby("method").size()
    counts = listed(f"{clear.get(method, 0)} of {drawn[method]} {said}" for method, said in series.items())
    alt = (
        f"Forest plot of {title}: {len(structures)} structures, panels {listed(panels.values())}. Clear are {counts}; "
        "the numbers are in the tables below."
    )
    axis = f"slope in SDs of the outcome per SD of the predictor, {level(shown)} intervals"
    return ForestWords(panels, structures, axis, series, "", {}, alt, _styles(series))


def _series(rows: pd.DataFrame) -> dict[str, str]:
    words = {"published": "published, with confidence interval", "alone": "posterior, each alone"}
    words |= {"groups": "posterior, groups together"}
    return {
        method: words.get(method) or f"structures together, errors correlated {method.split()[-1]}"
        for method in rows["method"].drop_duplicates()
    }


def _styles(series: dict[str, str]) -> dict[str, tuple[str, str]]:
    together = [method for method in series if method.startswith("structures")]
    shades = [_LIGHT + (_DARK - _LIGHT) * share for share in np.linspace(0, 1, len(together))]
    styles = {"published": (CLASSICAL, "s"), "alone": (BAYES, "o"), "groups": (_GROUPS, "^")}
    return styles | {
        method: ("#" + "".join(f"{int(part):02x}" for part in shade), "D")
        for method, shade in zip(together, shades, strict=True)
    }
