"""Is a result robust: the rule over forks, patients and priors, and what of it fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.files import Column, write_table
from atrobayes.reports.contrast import KEY, headline
from atrobayes.reports.fork_summary import answers, tally
from atrobayes.reports.fork_words import share_cell
from atrobayes.study import Robust

VERDICTS = {
    "robust": "clear, and every condition of the rule holds",
    "not_robust": "clear, but at least one condition of the rule fails; reasons names each",
    "not_clear": "pd is not above fork_pd with the study's own choices: there is nothing that could be robust",
    "not_assessed": "clear, and nothing fails, but not every look was taken; reasons says which is missing",
}
COLUMNS = (
    Column("analysis", "Id of the analysis."),
    Column("structure", "Id of the structure, or the clinical variable where there is none."),
    Column("term", "As in estimates.tsv."),
    Column(
        "verdict",
        "robust: the same sign in at least least_share_sign of the forks, that sign with pd > fork_pd in at least "
        "least_share_pd, and no patient left out and no prior of the ladder takes pd below least_pd.",
        levels=VERDICTS,
    ),
    Column("reasons", "What fails or is missing, in words; patient and prior stand in their own columns."),
    Column("n_forks", "Fitted forks that answer, the study's own choices among them.", "count"),
    Column("n_unanswered", "Fitted forks that do not: prior_only, gate_failed or no finite pd. In no share.", "count"),
    Column("share_sign", "Share of these forks whose posterior mean has the result's sign."),
    Column("share_pd", "Share of these forks with the result's sign and pd > fork_pd."),
    Column("share_p", "Share of the classical forks with the result's sign and p < 0.05; beside the rule."),
    Column("pd", "Probability of direction of the result with the study's own choices."),
    Column("p", "Classical two-sided p with the study's own choices."),
    Column("sign", "Sign of the posterior mean: 1 or -1."),
    Column("weakest_patient", "Patient whose leaving out makes pd smallest."),
    Column("pd_without_patient", "Probability of the result's sign without that patient."),
    Column("weakest_prior", "SD of the slope prior of the ladder, standardised, that makes pd smallest."),
    Column("pd_weakest_prior", "Probability of the result's sign with that prior."),
    Column("least_share_sign", "Of the rule: least share of forks with the result's sign."),
    Column("fork_pd", "Of the rule: pd a fork must exceed."),
    Column("least_share_pd", "Of the rule: least share of forks that exceed it."),
    Column("least_pd", "Of the rule: least pd without any one patient, and with any one prior."),
)
_NUMBERS = (
    *("n_forks", "n_unanswered", "share_sign", "share_pd", "share_p"),
    *("pd_without_patient", "unfinished_patients", "weakest_prior", "pd_weakest_prior", "unfinished_priors"),
)
_DESCRIBED = ("rate", "median")  # described, not tested


def verdicts(
    estimates: pd.DataFrame,
    sensitivity: pd.DataFrame | None,
    forks: pd.DataFrame | None,
    influence: pd.DataFrame | None,
    prior_sensitivity: pd.DataFrame | None,
    rule: Robust,
) -> pd.DataFrame:
    """Give every Bayesian headline result its verdict.

    Parameters
    ----------
    estimates : DataFrame
        As `Results.estimates`.
    sensitivity, forks, influence, prior_sensitivity : DataFrame or None
        As the tables of these names; None where the look was not taken.
    rule : Robust
        Its bounds hold inclusively for shares and for pd without a patient or with a prior (0.95 is not below 0.95);
        a fork's pd must exceed `rule.fork_pd`.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, a row per analysis, structure and term in the order of `estimates`; rates and medians
        are described only and have none. Where an analysis has no headline Bayesian row, the row with normal errors is
        judged. Forks count if they were fitted and answer (`fork_summary.answers`). Looks are taken with normal errors;
        where the headline, with Student-t errors, has the other sign, their pd is turned round. A condition that fails
        settles the verdict even if another look is missing. A patient or prior without a finite pd leaves that look
        unfinished.
    """
    table = _results(estimates)
    table = table.merge(_over_forks(table, sensitivity, forks, rule), on=list(KEY), how="left")
    turned = table.set_index(list(KEY))["turned"]
    ladder = None if prior_sensitivity is None else prior_sensitivity[prior_sensitivity["look"] == "ladder"]
    for rows, who, names in (
        (influence, "patient", ("weakest_patient", "pd_without_patient", "unfinished_patients")),
        (ladder, "prior_sd", ("weakest_prior", "pd_weakest_prior", "unfinished_priors")),
    ):
        table = table.merge(_weakest(rows, who, names, turned), on=list(KEY), how="left")
    table = table.astype(dict.fromkeys(_NUMBERS, "float64"))
    prior = ["" if np.isnan(sd) else f"{sd:g}" for sd in table["weakest_prior"]]
    table = table.assign(weakest_prior=prior, weakest_patient=table["weakest_patient"].fillna("").astype("str"))
    return _judged(table, rule)[[column.name for column in COLUMNS]]


def write_verdicts(frame: pd.DataFrame, out: Path, scratch: Path | None = None) -> Path:
    """Write verdicts.tsv with its sidecar into the results folder `out`; returns its path."""
    path = out / "verdicts.tsv"
    write_table(path, frame.replace("", None), COLUMNS, scratch)
    return path


def _results(estimates: pd.DataFrame) -> pd.DataFrame:
    """One row a result: its pd, p and sign, and whether the looks, with normal errors, start from the other sign."""
    rows = pd.concat([headline(estimates, "bayes"), headline(estimates, "bayes_normal")])
    rows = rows[~rows["term"].str.startswith(_DESCRIBED)]
    normal = rows.drop_duplicates(list(KEY), keep="last")[[*KEY, "estimate"]]  # bayes_normal, where there is one
    own = rows.drop_duplicates(list(KEY)).sort_index()[[*KEY, "pd", "estimate", "flags"]]
    classical = headline(estimates, "classical")[[*KEY, "p"]]
    table = own.merge(classical, on=list(KEY), how="left").merge(normal, on=list(KEY), suffixes=("", "_normal"))
    sign = np.sign(table["estimate"])
    failed = table["flags"].fillna("").str.contains("gate_failed")
    return table[[*KEY, "pd", "p"]].assign(
        sign=sign, turned=sign * np.sign(table["estimate_normal"]) < 0, gate_failed=failed
    )


def _over_forks(
    results: pd.DataFrame, sensitivity: pd.DataFrame | None, forks: pd.DataFrame | None, rule: Robust
) -> pd.DataFrame:
    names = [*KEY, "n_forks", "n_unanswered", "share_sign", "share_pd", "share_p"]
    if sensitivity is None or forks is None:
        return pd.DataFrame(columns=names)
    fitted = forks.loc[forks["status"] == "fitted", ["analysis", "fork"]]
    rows = answers(sensitivity.merge(fitted, on=["analysis", "fork"]))
    rows = rows.merge(results[[*KEY, "sign"]], on=list(KEY))
    counted = tally(rows, rows["sign"], [*KEY, "side"], rule.fork_pd).reset_index()
    bayes, classical = (counted[counted["side"] == side] for side in ("bayes", "classical"))
    shares = bayes.rename(columns={"share_clear": "share_pd"})
    return shares.merge(
        classical[[*KEY, "share_clear"]].rename(columns={"share_clear": "share_p"}), on=list(KEY), how="left"
    )[names]


def _weakest(rows: pd.DataFrame | None, who: str, names: tuple[str, str, str], turned: pd.Series) -> pd.DataFrame:
    """The patient or prior with the smallest pd (the first of equals), that pd, and how many have none."""
    if rows is None or not len(rows):
        return pd.DataFrame(columns=[*KEY, *names])
    keys = list(KEY)
    joined = rows[[*keys, who]].assign(pd=_finished(rows)).join(turned, on=keys, how="inner")
    joined["pd"] = joined["pd"].where(~joined["turned"].astype(bool), 1 - joined["pd"])
    unfinished = joined["pd"].isna().groupby([joined[key] for key in keys], sort=False).sum().rename(names[2])
    first = joined.sort_values("pd", kind="stable").drop_duplicates(keys).dropna(subset="pd")
    found = first.rename(columns={who: names[0], "pd": names[1]})[[*keys, names[0], names[1]]]
    return unfinished.reset_index().merge(found, on=keys, how="left")


def _finished(rows: pd.DataFrame) -> pd.Series:
    """Each row's pd; NaN where its fit did not meet its limits, since nothing rests on such a number."""
    failed = pd.Series(False, index=rows.index)
    if "flags" in rows:
        failed |= rows["flags"].fillna("").str.contains("gate_failed")
    if "reached" in rows:
        failed |= rows["reached"] == 0
    return rows["pd"].mask(failed)


def _judged(table: pd.DataFrame, rule: Robust) -> pd.DataFrame:
    fails = _fails(table, rule)
    lacks = _lacks(table)
    clear = table["pd"] > rule.fork_pd
    failed, lacking = (pd.concat(list(found.values()), axis=1).any(axis=1) for found in (fails, lacks))
    doubtful = table["pd"].isna() | table["gate_failed"]
    verdict = np.select(
        [doubtful, ~clear, failed, lacking],
        ["not_assessed", "not_clear", "not_robust", "not_assessed"],
        "robust",
    )
    words = _words(table, fails | lacks, rule)
    words[~clear & ~doubtful] = f"pd is not above {rule.fork_pd:g} with the study's own choices"
    words[table["gate_failed"]] = "its fit did not pass its checks"
    words[table["pd"].isna()] = "it has no posterior probability of direction"
    return table.assign(
        verdict=verdict,
        reasons=words,
        least_share_sign=rule.sign_share,
        fork_pd=rule.fork_pd,
        least_share_pd=rule.fork_share,
        least_pd=rule.least_pd,
    )


def _fails(table: pd.DataFrame, rule: Robust) -> dict[str, pd.Series]:
    return {
        "sign": table["share_sign"] < rule.sign_share,
        "forks": table["share_pd"] < rule.fork_share,
        "patient": table["pd_without_patient"] < rule.least_pd,
        "prior": table["pd_weakest_prior"] < rule.least_pd,
    }


def _lacks(table: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        # the base alone shows no choice to be indifferent
        "no_forks": ~(table["n_forks"].astype(float) > 1),
        "no_patients": table["pd_without_patient"].isna() | (table["unfinished_patients"] > 0),
        "no_priors": table["pd_weakest_prior"].isna() | (table["unfinished_priors"] > 0),
    }


def _words(table: pd.DataFrame, found: dict[str, pd.Series], rule: Robust) -> pd.Series:
    """What fails or lacks, condition by condition, joined; "" where nothing does."""
    empty = pd.Series("", index=table.index, dtype="str")
    said = empty
    for condition, rows in found.items():
        if rows.any():
            own = table[rows].apply(_WORDS[condition], axis=1, rule=rule)
            said = said.str.cat(("; " + own).reindex(table.index).fillna(""))
    return said.str.removeprefix("; ")


_WORDS = {
    "sign": lambda row, rule: (
        f"the sign holds in {share_cell(row['share_sign'])} of {row['n_forks']:.0f} forks, fewer than "
        f"{share_cell(rule.sign_share)}"
    ),
    "forks": lambda row, rule: (
        f"pd exceeds {rule.fork_pd:g} in {share_cell(row['share_pd'])} of {row['n_forks']:.0f} forks, fewer than "
        f"{share_cell(rule.fork_share)}"
    ),
    "patient": lambda row, rule: (
        f"without one patient pd falls to {row['pd_without_patient']:.4f}, below {rule.least_pd:g}"
    ),
    "prior": lambda row, rule: (
        f"with a prior of SD {row['weakest_prior']} pd falls to {row['pd_weakest_prior']:.4f}, below {rule.least_pd:g}"
    ),
    "no_forks": lambda *_, **__: "not tried with other choices",
    "no_patients": lambda *_, **__: "not every patient was left out in turn",
    "no_priors": lambda *_, **__: "not tried with every prior of the ladder",
}
