"""Rows of an analysis as one table: intervals with changes, the record and the patients beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.intervals import changes, patient_years, spanning
from atrobayes.data_prep.ledger import Exclusion
from atrobayes.errors import Fault, StudyError
from atrobayes.models.analyses import RAW_OUTCOME, Analysis
from atrobayes.study import Study

KEY = ["patient", "visit_from", "visit_to"]
# what an exclusion says of a row
_NAMED = ["patient", "visit_to"]
# which value of a yes/no column is the state a comparison asks about
_ACTIVE = {"neda3": "no", "neda4": "no"}


@dataclass(frozen=True)
class Rows:
    """Rows of an analysis.

    Attributes
    ----------
    table : DataFrame
        Columns of intervals.tsv and patients.tsv, and one of the outcome for each structure; the predictor's
        column a number without gaps.
    structures : tuple of str
        Names of the outcome columns.
    predictor : str
        Name of the predictor's column.
    exclusions : tuple of Exclusion
        Rows that were left out.
    before : int
        How many rows there were before anything was left out.
    """

    table: pd.DataFrame
    structures: tuple[str, ...]
    predictor: str
    exclusions: tuple[Exclusion, ...]
    before: int


def interval_rows(study: Study, analysis: Analysis, cohort: xr.Dataset) -> Rows:
    """Rows of an analysis of changes between two visits.

    Parameters
    ----------
    study : Study
    analysis : Analysis
        Of kind mixed, regression or comparison.
    cohort : Dataset

    Returns
    -------
    Rows
        Without rows whose predictor or covariates are missing and those the analysis excludes; each is named
        in `exclusions`.

    Raises
    ------
    StudyError
        If the analysis names a column that is not there or holds no numbers, or its condition cannot be read.
    """
    return rows_of(study, analysis, joined(study, analysis, cohort), structures_of(cohort))


def rows_of(study: Study, analysis: Analysis, whole: pd.DataFrame, structures: Sequence[str]) -> Rows:
    """Rows of an analysis, of all that there are.

    Parameters
    ----------
    study : Study
    analysis : Analysis
        As for `interval_rows`, which raises the same.
    whole : DataFrame
        As `joined` gives it.
    structures : sequence of str
        Names of the outcome columns.
    """
    column = analysis.column(study.definitions.lesion_timing)
    known = _known(whole, structures)
    _check_columns(study, analysis, whole, known, column)
    numbers = {column: _state(whole, column) if analysis.kind == "comparison" else _number(whole[column])}
    numbers |= {name: _number(whole[name]) for name in analysis.covariates}
    table = whole.assign(**{name: values.astype("float64") for name, values in numbers.items()})
    left_out = _excluded(study, analysis, whole, known)
    reasons = {name: table[name].isna() & ~left_out for name in (column, *analysis.covariates)}
    exclusions = [_by_study(analysis, row) for row in whole.loc[left_out, _NAMED].itertuples()]
    exclusions += [
        _missing(analysis, name, name == column, row)
        for name, missing in reasons.items()
        for row in table.loc[missing, _NAMED].itertuples()
    ]
    kept = ~(left_out | np.logical_or.reduce(list(reasons.values())))
    return Rows(table[kept].sort_values(KEY), tuple(structures), column, tuple(exclusions), len(table))


def joined(study: Study, analysis: Analysis, cohort: xr.Dataset) -> pd.DataFrame:
    """Intervals of an analysis, nothing left out: columns of intervals.tsv, the outcome of each structure, patients.

    Parameters
    ----------
    study : Study
        Its definitions.
    analysis : Analysis
        Its visits and outcome; with `change_mm3` there is a column `etiv` too.
    cohort : Dataset
    """
    if analysis.visit_to is None:
        intervals = patient_years(cohort, study.definitions)
    else:
        intervals = spanning(cohort, study.definitions, analysis.visit_from, analysis.visit_to)
    long = changes(cohort, intervals, study.definitions)
    if analysis.outcome == RAW_OUTCOME:
        long = long.assign(**{RAW_OUTCOME: long["volume_to"] - long["volume_from"]})
        intervals = intervals.merge(long[[*KEY, "etiv"]].drop_duplicates(KEY), on=KEY, how="left")
    wide = long.pivot_table(index=KEY, columns="structure", values=analysis.outcome, sort=False, dropna=False)
    # without any interval there is nothing to pivot, and the columns are there all the same
    wide = wide.reindex(columns=structures_of(cohort))
    together = intervals.merge(wide.reset_index(), on=KEY, how="left", validate="one_to_one")
    people = patients(cohort)
    # a column of the user's own may have a name that intervals or structures have: theirs counts
    own = [name for name in people if name == "patient" or name not in together]
    return together.merge(people[own], on="patient", how="left", validate="many_to_one")


def structures_of(cohort: xr.Dataset) -> list[str]:
    """Names of the cohort's structures."""
    return [str(name) for name in cohort["structure"].to_numpy()]


def patients(cohort: xr.Dataset) -> pd.DataFrame:
    """One row a patient: all that patients.tsv holds of them."""
    names = [str(name) for name, values in cohort.variables.items() if values.dims == ("patient",)]
    return pd.DataFrame({name: cohort[name].to_numpy() for name in names})


def _check_columns(study: Study, analysis: Analysis, table: pd.DataFrame, known: Sequence[str], column: str) -> None:
    wanted = {"predictor": (column,), "covariates": analysis.covariates}
    place = f"{analysis.id}.{{}}"
    faults = [
        Fault(repr(name), "a column of intervals.tsv or patients.tsv", f"one of {', '.join(known)}",
              str(study.path), column=place.format(key))
        for key, names in wanted.items()
        for name in names
        if name not in known
    ]  # fmt: skip
    if faults:
        raise StudyError(faults)
    texts = [] if analysis.kind == "comparison" else [("predictor", column)]
    texts += [("covariates", name) for name in analysis.covariates]
    faults = [
        Fault(f"{name!r}, which holds text", "a column of numbers", "choose another", str(study.path),
              column=place.format(key))
        for key, name in texts
        if not pd.api.types.is_numeric_dtype(_number(table[name]))
    ]  # fmt: skip
    if faults:
        raise StudyError(faults)


def _known(table: pd.DataFrame, structures: Sequence[str]) -> list[str]:
    """Columns that may be a predictor or a covariate."""
    return [name for name in table.columns if name not in {"patient", "group", "neda3_failed", *structures}]


def _number(values: pd.Series) -> pd.Series:
    """Values as numbers where they are: sex as F = 1, extra columns that hold nothing but numbers."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    if set(values.unique()) <= {"F", "M", ""}:
        return values.map({"F": 1.0, "M": 0.0})
    try:
        return pd.to_numeric(values.replace({"": None, "n/a": None}))
    except ValueError:
        return values


def _state(table: pd.DataFrame, column: str) -> pd.Series:
    """1 where there is the activity asked about, 0 where there is none, NaN where that is unknown."""
    values = table[column]
    if pd.api.types.is_numeric_dtype(values):
        return (values > 0).astype("float64").where(values.notna())
    active = _ACTIVE.get(column, "yes")
    quiet = "yes" if active == "no" else "no"
    return values.map({active: 1.0, quiet: 0.0})


def _excluded(study: Study, analysis: Analysis, table: pd.DataFrame, known: Sequence[str]) -> pd.Series:
    nothing = pd.Series(False, index=table.index)
    if not analysis.exclude or table.empty:
        return nothing
    fault = Fault(
        repr(analysis.exclude), "a condition on columns of the rows, such as new_t2_from > 20",
        f"columns are patient, group, {', '.join(known)}", str(study.path), column=f"{analysis.id}.exclude",
    )  # fmt: skip
    try:
        met = table.eval(analysis.exclude, engine="python")
    except Exception as error:  # pandas raises what the expression makes Python raise
        raise StudyError(fault) from error
    if not (isinstance(met, pd.Series) and met.dtype == bool):
        raise StudyError(fault)
    return met


def _by_study(analysis: Analysis, row: object) -> Exclusion:
    return _exclusion(analysis, row, "excluded", f"{analysis.exclude}")


def _missing(analysis: Analysis, name: str, is_predictor: bool, row: object) -> Exclusion:
    if is_predictor and analysis.kind == "comparison":
        return _exclusion(analysis, row, "state_unknown", f"{name} does not tell whether there was activity")
    rule = "count_missing" if is_predictor else "covariate_missing"
    return _exclusion(analysis, row, rule, f"no {name}: missing is not zero")


def _exclusion(analysis: Analysis, row: object, rule: str, reason: str) -> Exclusion:
    patient, visit = (getattr(row, name) for name in ("patient", "visit_to"))
    return Exclusion("analysis", str(patient), int(visit), analysis=analysis.id, rule=rule, reason=reason)
