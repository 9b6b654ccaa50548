"""From enrolled patients to analysed intervals: counts per group, read off the results folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from atrobayes.data_prep.ledger import RULES, nominal_years
from atrobayes.reports.results import Results
from atrobayes.reports.wording import count, counted

_STATUSES = {
    "missing": "FreeSurfer results not found",
    "unfinished": "FreeSurfer run unfinished",
    "failed": "segmentation failed",
    "protocol": "scan on another protocol",
    "steroid": "scan too soon after intravenous steroids",
}
_SCAN_STAGES = ("found", "processed", "usable")


@dataclass(frozen=True)
class Flow:
    """Counts of the cohort's way to the analyses.

    Every count is a Series over "all" and then each group.

    Attributes
    ----------
    patients, visits, no_scan, scans, usable : Series
        Patients enrolled; clinical visits; visits for which no scan is listed; scans
        listed; scans kept.
    left_out : DataFrame
        Scans left out: one row per reason that occurred, in words, one column per group.
    possible : Series
        Yearly intervals if every scan were there: nominal years between a patient's first and last visit.
    lost_years : DataFrame
        Those of them that lack a usable scan at either end, by reason.
    yearly, yearly_patients : Series
        Intervals between two consecutive visits with usable scans, and their patients.
    spans : dict
        Further intervals by their visits, for instance "0 → 3".
    """

    patients: pd.Series
    visits: pd.Series
    no_scan: pd.Series
    scans: pd.Series
    left_out: pd.DataFrame
    usable: pd.Series
    possible: pd.Series
    lost_years: pd.DataFrame
    yearly: pd.Series
    yearly_patients: pd.Series
    spans: dict[str, pd.Series]

    @property
    def columns(self) -> list[str]:
        """The label "all", then the groups."""
        return [str(name) for name in self.patients.index]


def cohort_flow(results: Results) -> Flow:
    """Count the cohort's way from enrolment to intervals.

    Parameters
    ----------
    results : Results
        Uses cohort.nc (scan_status, group), exclusions.tsv and intervals.tsv.

    Returns
    -------
    Flow
        `scans` = `usable` + all rows of `left_out`; `visits` = `scans` + `no_scan`; `possible` =
        `yearly` + all rows of `lost_years`.
    """
    records = _records(results)
    intervals = results.intervals
    tally = _tally(results.groups)
    lost = records[~records["status"].isin(["usable", "none"])]
    years = results.exclusions[results.exclusions["stage"] == "interval"].merge(_patients(results), on="patient")
    nominal = pd.DataFrame(nominal_years(results.cohort), columns=["patient", "year"])
    consecutive = intervals[intervals["visit_to"] == intervals["visit_from"] + 1]
    return Flow(
        patients=tally(_patients(results)),
        visits=tally(records),
        no_scan=tally(records[records["status"] == "none"]),
        scans=tally(records[records["status"] != "none"]),
        left_out=_by_reason(lost, tally),
        usable=tally(records[records["status"] == "usable"]),
        possible=tally(nominal.merge(_patients(results), on="patient")),
        lost_years=_by_reason(years.assign(reason=years["rule"].map(rule_words)), tally),
        yearly=tally(consecutive),
        yearly_patients=tally(consecutive.drop_duplicates("patient")),
        spans=_spans(intervals, tally),
    )


def analysed(results: Results) -> pd.DataFrame:
    """Count the intervals each analysis of intervals rests on.

    Parameters
    ----------
    results : Results
        Uses n_obs of the estimates.

    Returns
    -------
    DataFrame
        Index analysis; columns "all" and each group, as text: one number, or "36 to 40" where
        structures differ. A group's count is that of its slope.
    """
    of_intervals = results.estimates[results.estimates["predictor"] != ""]
    rows = of_intervals.groupby("analysis", sort=False)
    return pd.DataFrame.from_dict(
        {str(name): sizes(part, results.groups, "n_obs") for name, part in rows}, orient="index"
    )


def patients_analysed(results: Results) -> pd.Series:
    """Count the patients of the largest analysis of intervals: "all" and each group, n/a where no row tells."""
    rows = results.estimates[results.estimates["predictor"] != ""]
    own = {group: rows.loc[rows["term"] == f"slope[{group}]", "n_patients"].max() for group in results.groups}
    largest = {"all": rows["n_patients"].max()} | own
    return pd.Series({name: count(float(value)) for name, value in largest.items()})


def steroids_unknown(results: Results) -> str:
    """Say how many scans the steroid washout could not be checked for; "" where it could for all."""
    if "days_since_steroid" not in results.cohort:
        return ""
    status = pd.Series(results.cohort["scan_status"].to_numpy())
    days = pd.Series(results.cohort["days_since_steroid"].to_numpy())
    unknown = int(((status == "usable") & days.isna()).sum())
    checked = int((status.isin(["usable", "steroid"]) & days.notna()).sum())
    if not unknown:
        return ""
    soon = int((status == "steroid").sum())
    rule = f"the washout rule could be applied to {counted(checked, 'scan')} only, of which it left out {soon}"
    if "steroid_unknown" not in str(results.cohort.attrs.get("flags", "")):
        return f"The study's table does not give the days since steroids; {rule}."
    return (
        f"For {counted(unknown, 'usable scan')} no date of intravenous steroids is known: the study's table says n/a, "
        f"none known. They were kept; {rule}."
    )


def sizes(rows: pd.DataFrame, groups: tuple[str, ...], column: str) -> dict[str, str]:
    """Say how many rows or patients estimates rest on.

    Parameters
    ----------
    rows : DataFrame
        Rows of the estimates.
    groups : tuple of str
    column : {"n_obs", "n_patients"}

    Returns
    -------
    dict of str to str
        "all" and each group: one number, "36 to 40" where structures differ, n/a where no row tells. A group's
        count is that of its slope.
    """
    own = rows["term"].isin([f"slope[{group}]" for group in groups])
    together = rows[~own]
    if not len(together):  # more than two groups have no term of their own for all
        together = (
            rows.drop_duplicates(["analysis", "structure", "term"]).groupby(["analysis", "structure"])[[column]].sum()
        )
    if (together.get("term", pd.Series(dtype=str)) == "slope[ALL]").any():
        together = together[together["term"] == "slope[ALL]"]
    by_group = {group: _range(rows.loc[rows["term"] == f"slope[{group}]", column]) for group in groups}
    return {"all": _range(together[column])} | by_group


def _range(counts: pd.Series) -> str:
    low, high = count(counts.min()), count(counts.max())
    return low if low == high else f"{low} to {high}"


def ledger_counts(exclusions: pd.DataFrame) -> pd.DataFrame:
    """Ledger entries per stage, analysis and rule, with the number of distinct patients; no patient is named."""
    named = exclusions.assign(patient=exclusions["patient"].replace("", None))
    counts = named.groupby(["stage", "analysis", "rule"], sort=False)
    return counts.agg(entries=("rule", "size"), patients=("patient", "nunique")).reset_index()


def _patients(results: Results) -> pd.DataFrame:
    cohort = results.cohort
    groups = cohort["group"].to_numpy() if "group" in cohort else ""
    return pd.DataFrame({"patient": cohort["patient"].to_numpy(), "group": groups})


def rule_words(rule: str) -> str:
    """Say a rule of the ledger in words."""
    return RULES[rule].words if rule in RULES else rule.replace("_", " ")


def _records(results: Results) -> pd.DataFrame:
    names = {"patient": "record_patient", "visit": "visit", "status": "scan_status"}
    records = pd.DataFrame({name: results.cohort[held].to_numpy() for name, held in names.items()})
    told = records.merge(_reasons(results.exclusions), on=["patient", "visit"], how="left", validate="one_to_one")
    reason = told["reason"].fillna(told["status"].map(_STATUSES)).fillna(told["status"])
    return told.assign(reason=reason).merge(_patients(results), on="patient", how="left", validate="many_to_one")


def _reasons(exclusions: pd.DataFrame) -> pd.DataFrame:
    of_scan = exclusions["stage"].isin(_SCAN_STAGES) & (exclusions["structure"] == "")
    rows = exclusions[of_scan & ~exclusions["rule"].isin(["etiv_missing", "scan_without_visit"])]
    return rows.assign(reason=_scan_reasons(rows)).drop_duplicates(["patient", "visit"])[["patient", "visit", "reason"]]


def _scan_reasons(rows: pd.DataFrame) -> pd.Series:
    words = rows["rule"].map(rule_words)
    days = rows["reason"].str.extract(r"after steroids, fewer than (\d+)", expand=False)
    return words.where(days.isna(), "scan less than " + days + " days after intravenous steroids")


def _by_reason(rows: pd.DataFrame, tally: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
    reasons = rows["reason"].value_counts().index  # commonest first
    return pd.DataFrame({str(reason): tally(rows[rows["reason"] == reason]) for reason in reasons}).T


def _tally(groups: tuple[str, ...]) -> Callable[[pd.DataFrame], pd.Series]:
    def tally(rows: pd.DataFrame) -> pd.Series:
        counts = {"all": len(rows)} | {group: int((rows["group"] == group).sum()) for group in groups}
        return pd.Series(counts, dtype="int64")

    return tally


def _spans(intervals: pd.DataFrame, tally: Callable[[pd.DataFrame], pd.Series]) -> dict[str, pd.Series]:
    from_baseline = intervals[intervals["visit_from"] == 0].groupby("visit_to")
    return {f"0 → {visit:g}": tally(rows) for visit, rows in from_baseline}
