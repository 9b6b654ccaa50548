"""The calibration certificate: how often tests and posteriors find what is there, or is not, at this design."""

from __future__ import annotations

from typing import Any

import pandas as pd

from atrobayes.reports.figures.operating import OperatingWords, operating_svg
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.section import Figure, Section, Table
from atrobayes.reports.wording import analysis_title, counted, listed, number, slug, term_label

TITLE = "Operating characteristics at this design"
ERRORS = {"independent": "independent errors", "shared_scan": "errors that share a scan"}
_NULL = "false_positive_rate"
_BLANK = "\N{NO-BREAK SPACE}"
_QUANTITIES = {
    (_NULL, "power"): "finds something",
    ("coverage",): "interval holds truth",
    ("type_s",): "wrong sign",
    ("type_m",): "size over true size",
}


def make(results: Results) -> Section:
    """One part an analysis: plain words, false-positive rates and coverage as a figure, all rates as a folded table."""
    rows = results.look("operating")
    if rows is None or rows.empty:
        said = "Not computed. `atrobayes calibrate STUDY.toml` tries every test on data simulated at this design."
        return Section("operating", TITLE, "not_applicable", (said,))
    largest = rows.loc[rows["quantity"].isin([_NULL, "power"]), "simulations"].max()
    paragraphs = (
        "Data were simulated on the rows of this study: its patients, visits, gaps and lesion counts, with the SDs of "
        "patients and errors that its own fits have (medians over structures), and with a true effect that is known. "
        f"Each rate comes from {counted(largest, 'simulated study', 'simulated studies')}; after ± stands its Monte "
        "Carlo standard error, which is about the simulation and not about the patients.",
        *([_said_of_scans(rows)] if (rows["errors"] == "shared_scan").any() else []),
        "A posterior interval owes its coverage on average over the prior, not at each true value: where the true "
        "effect is large beside the prior's SD, less is expected. The Bayesian rows are those of normal errors, also "
        "where the headline of a comparison has Student-t errors. The permutation test of comparisons is not tried.",
    )
    parts = [_part(results, str(name), some) for name, some in rows.groupby("analysis", sort=False)]
    return Section("operating", TITLE, "ok", paragraphs, parts=tuple(parts))


def _said_of_scans(rows: pd.DataFrame) -> str:
    share = rows["scan_share"].max()
    return (
        "Two kinds of errors were tried, of equal variance: independent ones, and errors of which "
        f"{100 * share:.0f}% comes from scans. The scan that closes one interval opens the next, so errors of "
        f"consecutive intervals then correlate by {number(-share / 2, 2)}, which no patient intercept can express."
    )


def _part(results: Results, analysis: str, rows: pd.DataFrame) -> Section:
    name = slug("operating", analysis)
    words = [_plain(rows, errors, results.groups) for errors in ERRORS if (rows["errors"] == errors).any()]
    return Section(name, analysis_title(analysis), "ok", tuple(filter(None, words)), (_table(name, rows, results),),
                   _figures(name, rows, results))  # fmt: skip


def _plain(rows: pd.DataFrame, errors: str, groups: tuple[str, ...]) -> str:
    """What the classical headline and pd find where there is nothing, term by term."""
    null = rows[(rows["errors"] == errors) & (rows["quantity"] == _NULL)]
    tests = {"classical": "the classical test (p < 0.05)", "bayes_pd": "the posterior (pd > 0.975)"}
    said = [
        f"{what} finds something in {listed(_share(row, groups) for row in each_row(null[null['test'] == test]))}"
        for test, what in tests.items()
        if (null["test"] == test).any()
    ]
    return f"Under {ERRORS[errors]}, in studies in which there is nothing, {'; '.join(said)}." if said else ""


def _share(row: Any, groups: tuple[str, ...]) -> str:
    return f"{_percent(row.rate, row.mc_error)} for the {term_label(row.term, groups).replace(', ', ' ')}"


def _percent(rate: float, error: float) -> str:
    return "n/a" if pd.isna(rate) else f"{100 * rate:.1f}%{_BLANK}(±{_BLANK}{100 * error:.1f})"


def _figures(name: str, rows: pd.DataFrame, results: Results) -> tuple[Figure, ...]:
    level = float(rows["ci_prob"].max())
    panels = {_NULL: ("False-positive rate", 0.05), "coverage": (f"Coverage of {100 * level:g}% intervals", level)}
    shown = rows[rows["quantity"].isin(list(panels)) & (rows["effect"] == 0)]
    if shown.empty:
        return ()
    keys = [key for key in _in_order(shown) if key[1] != "bayes_rope"]
    alt = f"False-positive rates and coverage of {len(keys)} terms and tests, true effect zero."
    words = OperatingWords(
        {(term, test): f"{term_label(term, results.groups)}: {_test(test)}" for term, test in keys},
        panels,
        {errors: label for errors, label in ERRORS.items() if (shown["errors"] == errors).any()},
        alt,
    )
    caption = (
        f"{analysis_title(str(rows['analysis'].iloc[0]))}: studies simulated without any effect. Left, the share in "
        f"which a test finds one all the same; right, the share whose interval holds zero. Black lines: what p < 0.05 "
        f"and intervals of {100 * level:g}% promise (pd > 0.975 promises no such rate; a flat prior would give it 5%). "
        "Bars: 1.96 Monte Carlo standard errors to either side; by chance alone one bar in twenty misses the line."
    )
    return (Figure(name, operating_svg(name, shown, words), alt, caption),)


def _in_order(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Terms as in estimates.tsv, for each the classical tests, then the posterior."""
    terms = list(dict.fromkeys(rows["term"]))
    tests = sorted(dict.fromkeys(rows["test"]), key=lambda test: (test.startswith("bayes"), test))
    present = set(zip(rows["term"], rows["test"], strict=True))
    return [(term, test) for term in terms for test in tests if (term, test) in present]


def _test(test: str) -> str:
    from atrobayes.reports.contrast import PD_CUT

    own = {
        "classical": "classical",
        "classical_kr": "Kenward–Roger",
        "classical_z": "z",
        "classical_clustered": "clustered ranks",
        "bayes_pd": f"pd > {PD_CUT}",
        "bayes_rope": "outside ROPE",
    }
    return own.get(test, test)


def _table(name: str, rows: pd.DataFrame, results: Results) -> Table:
    wide = []
    for term, test in _in_order(rows):
        own = rows[(rows["term"] == term) & (rows["test"] == test)]
        for (errors, effect), some in own.groupby(["errors", "effect"], sort=False):
            cells = {row.quantity: row for row in each_row(some)}
            wide.append(
                {
                    "term": term_label(term, results.groups),
                    "test": _test(test),
                    "errors": "share a scan" if errors == "shared_scan" else str(errors),
                    "true effect": number(float(str(effect)), 2),
                }
                | {
                    words: next((_cell(cells[name]) for name in names if name in cells), "–")
                    for names, words in _QUANTITIES.items()
                }
            )
    caption = "Every rate, with its Monte Carlo standard error."
    details = (
        "True effects in SDs of the outcome, of u lesions; where it is 0, what is found is a false positive. Wrong "
        "sign and size (estimate over truth): among studies in which something is found."
    )
    return Table(name, pd.DataFrame(wide), caption, "operating.tsv", details, folded=True)


def _cell(row: Any) -> str:
    if row.quantity != "type_m":
        return _percent(row.rate, row.mc_error)
    return "n/a" if pd.isna(row.rate) else f"{number(row.rate)}{_BLANK}(±{_BLANK}{number(row.mc_error, 2)})"
