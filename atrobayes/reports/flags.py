"""Flags on rows: their marks, what they mean, and how many fits have one."""

from __future__ import annotations

import pandas as pd

from atrobayes.models.estimates import FEW_PATIENTS
from atrobayes.reports.contrast import KEY
from atrobayes.reports.results import Results
from atrobayes.reports.wording import counted

MIXED_ENGINE = "reml"
FLAG_MARKS = {
    "singular": "§",
    "gate_failed": "†",
    "prior_only": "‡",
    "not_estimable": "¶",
    "few_patients": "#",
    "leverage": "◊",
}
FLAG_WORDS = {
    "singular": "singular classical fit (patient variance estimated as zero)",
    "gate_failed": "the fit did not pass its checks; do not rely on this number",
    "prior_only": "no information in the data; the row shows the prior",
    "not_estimable": "a group without spread in the predictor; no classical estimate",
    "few_patients": f"fewer than {FEW_PATIENTS} patients",
    "leverage": "one row alone decides the slope of a group (hat value above 0.5)",
}


def split_flags(flags: str) -> list[str]:
    """Split the flags of one row."""
    return [flag.strip() for flag in flags.split(",") if flag.strip()]


def marks(results: Results, rows: pd.DataFrame, method: str) -> list[str]:
    """Marks to stand behind the numbers of one method.

    Parameters
    ----------
    results : Results
        For the flags of all rows.
    rows : DataFrame
        Rows with analysis, structure, term.
    method : str
        For instance `classical`.

    Returns
    -------
    list of str
        One per row, "" where nothing is flagged. `singular` is not marked where every classical fit is.
    """
    shown = _shown(results)
    flags = results.flags.get(method, {})
    keys = rows[list(KEY)].itertuples(index=False, name=None)
    found = (split_flags(flags.get(key, "")) for key in keys)
    return ["".join(f" {shown[flag]}" for flag in row if flag in shown) for row in found]


def flags_in_words(results: Results) -> str:
    """Explain the marks that occur in this folder; "" where nothing is flagged."""
    present = {flag for flags in results.estimates["flags"].unique() for flag in split_flags(flags)}
    told = "; ".join(f"{mark} {FLAG_WORDS[flag]}" for flag, mark in _shown(results).items() if flag in present)
    parts = [f"Marks: {told}."] if told else []
    if all_singular(results):
        parts.append(
            "All classical mixed models are singular (patient variance estimated as zero), so no row is marked for it."
        )
    return " ".join(parts)


def singular_fits(results: Results, analysis: str = "") -> tuple[int, int]:
    """Count the classical mixed models that are singular, and all of them (one per analysis and structure)."""
    rows = results.classical
    rows = rows[(rows["engine"] == MIXED_ENGINE) & (rows["analysis"] == analysis if analysis else True)]
    fits = rows["flags"].str.contains("singular").groupby([rows["analysis"], rows["structure"]]).any()
    return int(fits.sum()), len(fits)


def singular_in_words(results: Results, analysis: str = "") -> str:
    """Say how many classical mixed models are singular and what that does to their p; "" where none is.

    Parameters
    ----------
    results : Results
    analysis : str
        Of one analysis only; "" of all.
    """
    singular, total = singular_fits(results, analysis)
    if not singular:
        return ""
    are = "is" if singular == 1 else "are"
    return (
        f"{singular} of {counted(total, 'classical mixed model')} {are} singular (patient variance estimated as zero); "
        f"{'its' if singular == 1 else 'their'} p may be too small, see Limitations."
    )


def all_singular(results: Results) -> bool:
    """Whether there are classical mixed models and every one of them is singular."""
    singular, total = singular_fits(results)
    return 0 < singular == total


def _shown(results: Results) -> dict[str, str]:
    return {flag: mark for flag, mark in FLAG_MARKS.items() if flag != "singular" or not all_singular(results)}
