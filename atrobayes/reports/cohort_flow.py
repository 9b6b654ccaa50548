"""From enrolled patients to analysed intervals: counts per group, as flow.tsv of the results folder has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from atrobayes.data_prep.flow import split_reasons
from atrobayes.data_prep.ledger import ALL, LOST, RULES
from atrobayes.reports.results import Results, each_row
from atrobayes.reports.wording import count, counted

_WORDS = {rule.lost: rule.words for rule in RULES.values() if rule.lost}


@dataclass(frozen=True)
class Flow:
    """Counts of the cohort's way to the analyses.

    Every count is a Series over "all" and then each group; every table has a row for each reason that
    occurred, in words, commonest first, and a column for "all" and each group.

    Attributes
    ----------
    patients, unseen, scanned, usable_patients, yearly_patients : Series
        Patients enrolled; without a clinical visit; with a scan; with a usable scan; with a yearly interval.
    visits, no_scan, scans, usable : Series
        Clinical visits; those for which no scan is listed; scans listed; scans kept.
    unprocessed, unfit : DataFrame
        Scans that FreeSurfer did not deliver, and those that must not be compared with the others.
    possible, yearly : Series
        Nominal years between a patient's first and last visit; those with usable scans at both ends.
    lost_years : DataFrame
        What lies between the two.
    analyses : dict of str to Step
        By analysis of intervals: its intervals with usable scans, what it leaves out of them, and the rest.
    """

    patients: pd.Series
    unseen: pd.Series
    scanned: pd.Series
    usable_patients: pd.Series
    yearly_patients: pd.Series
    visits: pd.Series
    no_scan: pd.Series
    scans: pd.Series
    unprocessed: pd.DataFrame
    unfit: pd.DataFrame
    usable: pd.Series
    possible: pd.Series
    lost_years: pd.DataFrame
    yearly: pd.Series
    analyses: dict[str, Step]

    @property
    def left_out(self) -> pd.DataFrame:
        """Scans left out, at whatever step."""
        return pd.concat([self.unprocessed, self.unfit]).sort_values("all", ascending=False, kind="stable")


@dataclass(frozen=True)
class Step:
    """A step of the way.

    Attributes
    ----------
    before, n : Series
        How many there were, and how many are left; "all" and each group.
    lost : DataFrame
        By reason.
    """

    before: pd.Series
    n: pd.Series
    lost: pd.DataFrame


def cohort_flow(results: Results) -> Flow:
    """Count the cohort's way from enrolment to the rows of each analysis.

    Parameters
    ----------
    results : Results
        Uses flow.tsv; the days of steroid washout are taken from exclusions.tsv.

    Returns
    -------
    Flow
        `visits` = `scans` + `no_scan`; `scans` = `usable` + all rows of `left_out`; `possible` = `yearly` +
        all rows of `lost_years`; of each analysis, `before` = `n` + all rows of `lost`.
    """
    words = _words(results)
    counts = _Counts(results.flow, results.groups, lambda reason: words.get(reason, reason))
    patients, visits, years = (counts.of(unit) for unit in ("patients", "visits", "patient-years"))
    return Flow(
        patients=patients["enrolled"].n,
        unseen=patients["enrolled"].n - patients["with a clinical visit"].n,
        scanned=patients["with a scan"].n,
        usable_patients=patients["with a usable scan"].n,
        yearly_patients=patients["with a patient-year"].n,
        visits=visits["clinical visits"].n,
        no_scan=visits["clinical visits"].n - visits["scanned"].n,
        scans=visits["scanned"].n,
        unprocessed=visits["finished"].lost,
        unfit=visits["usable"].lost,
        usable=visits["usable"].n,
        possible=years["nominal years followed"].n,
        lost_years=years["patient-years"].lost,
        yearly=years["patient-years"].n,
        analyses={name: counts.of("intervals", name)["intervals analysed"] for name in counts.analyses},
    )


@dataclass(frozen=True)
class _Counts:
    table: pd.DataFrame
    groups: tuple[str, ...]
    words: Callable[[str], str]

    @property
    def analyses(self) -> list[str]:
        return [str(name) for name in self.table.loc[self.table["analysis"] != "", "analysis"].unique()]

    def of(self, unit: str, analysis: str = "") -> dict[str, Step]:
        """Steps of a unit by name."""
        rows = self.table[(self.table["unit"] == unit) & (self.table["analysis"] == analysis)]
        steps: dict[str, Step] = {}
        before: pd.Series | None = None
        for name, part in rows.groupby("step", sort=False):
            lost = self._lost(part)
            n = self._series({row.group: int(row.n) for row in each_row(part)})
            steps[str(name)] = Step(n if before is None else before, n, lost)
            before = n
        return steps

    def _lost(self, part: pd.DataFrame) -> pd.DataFrame:
        by_group = {row.group: split_reasons(row.reasons) for row in each_row(part)}
        total = by_group[ALL]
        commonest = sorted(total, key=lambda reason: (-total[reason], reason))
        rows = {
            self.words(reason): self._series({group: told.get(reason, 0) for group, told in by_group.items()})
            for reason in commonest
        }
        return pd.DataFrame(rows, index=["all", *self.groups], dtype="int64").T

    def _series(self, counts: dict[str, int]) -> pd.Series:
        """A single group has no rows of its own: they would be those of all."""
        values = {"all": counts[ALL]} | {group: counts.get(group, counts[ALL]) for group in self.groups}
        return pd.Series(values, dtype="int64")


def _words(results: Results) -> dict[str, str]:
    """Reasons as a reader of the report says them."""
    told = results.exclusions.loc[results.exclusions["rule"] == "steroid_washout", "reason"]
    days = told.str.extract(r"after steroids, fewer than (\d+)", expand=False).dropna().unique()
    if not len(days):
        return _WORDS
    return _WORDS | {LOST["steroid_washout"]: f"scan less than {days[0]} days after intravenous steroids"}


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


def rule_words(rule: str) -> str:
    """Say a rule of the ledger in words."""
    return RULES[rule].words if rule in RULES else rule.replace("_", " ")
